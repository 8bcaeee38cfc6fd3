"""The scripts in figures, which are no package; and figures that stay the same when redrawn."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from talker.plots import STYLE

FIGURES = Path(__file__).parents[1] / "figures"


def load_script(name: str) -> ModuleType:
    """The module figures/NAME.py."""
    spec = importlib.util.spec_from_file_location(name, FIGURES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def drawn_twice(draw: Callable[..., Figure], *given, folder: Path) -> Figure:
    """What `draw` makes of what is `given`, whose bytes are the same when it is drawn again."""
    with plt.rc_context(STYLE):
        for name in ("a.png", "b.png"):
            figure = draw(*given)
            figure.savefig(folder / name, dpi=150, metadata={"Software": None})
            plt.close(figure)
    assert (folder / "a.png").read_bytes() == (folder / "b.png").read_bytes()
    return figure
