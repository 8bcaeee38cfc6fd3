"""How the book shows things: one figure style, strips of frames, the system's diagram, source code.

Colours are Okabe and Ito's, which people with any colour vision tell apart; every figure is as wide
as the page's text. Those with photographs are stored as JPEG and all others as PNG of few colours,
so that a chapter with many faces in it stays small.
"""

import inspect
import io
import textwrap
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from PIL import Image

from talker.animate import to_pictures

if TYPE_CHECKING:
    from IPython.display import Markdown

WIDTH = 7.2  # inches, of every figure
DPI = 96

INK = "#333333"
BLUE, ORANGE, GREEN = "#0072B2", "#E69F00", "#009E73"
SKY, VERMILION, PURPLE = "#56B4E9", "#D55E00", "#CC79A7"

STYLE = {
    "figure.constrained_layout.use": True,
    "figure.dpi": DPI,
    "figure.figsize": (WIDTH, 2.6),
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.prop_cycle": plt.cycler(color=[BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY]),
    "axes.grid": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "text.color": INK,
    "legend.frameon": False,
    "lines.linewidth": 1.4,
    "image.interpolation": "nearest",
}

# The boxes of section 3.1, in the words of the chapters: name -> (x, y, label, colour).
BOXES = {
    "still": (0, 2, "still", INK),
    "identity": (2.4, 2, "identity\nencoder", BLUE),
    "audio": (0, 1, "audio frames\n(Eq. 1)", INK),
    "content": (2.4, 1, "content\nencoder", ORANGE),
    "noise": (0, 0, "noise", INK),
    "noise generator": (2.4, 0, "noise\ngenerator", GREEN),
    "decoder": (5.4, 1, "frame\ndecoder", VERMILION),
    "frames": (7.6, 1, "frames", INK),
}
ARROWS = (
    ("still", "identity", ""),
    ("audio", "content", ""),
    ("noise", "noise generator", ""),
    ("identity", "decoder", "$z_{id}$, skips"),
    ("content", "decoder", "$z_c$"),
    ("noise generator", "decoder", "$z_n$"),
    ("decoder", "frames", ""),
)
# Those of section 3.2, and what each of them is shown.
JUDGES = {
    "still": (0, 2, "still", INK),
    "frames": (0, 1, "frames, real\nor generated", INK),
    "audio": (0, 0, "audio frames", INK),
    "frame": (3.4, 2, "frame\ndiscriminator", BLUE),
    "sequence": (3.4, 1, "sequence\ndiscriminator", ORANGE),
    "sync": (3.4, 0, "synchronization\ndiscriminator", GREEN),
    "loss": (6.8, 1, "adversarial\nloss (Eq. 5)", VERMILION),
}
EVIDENCE = (
    ("still", "frame", ""),
    ("frames", "frame", ""),
    ("frames", "sequence", ""),
    ("frames", "sync", ""),
    ("audio", "sequence", ""),
    ("audio", "sync", ""),
    ("frame", "loss", r"$\mathcal{L}_{adv}^{img}$"),
    ("sequence", "loss", r"$\mathcal{L}_{adv}^{seq}$"),
    ("sync", "loss", r"$\mathcal{L}_{adv}^{sync}$"),
)
BOX = (1.5, 0.62)


def use_style() -> None:
    """Set the book's style, and the way this notebook's figures are stored."""
    from IPython import get_ipython

    plt.rcParams.update(STYLE)
    shell = get_ipython()
    if shell is not None:
        plt.switch_backend(plt.get_backend())  # loading the inline one sets its own way to store
        formatters = shell.display_formatter.formatters
        formatters["image/png"].for_type(Figure, as_png)
        formatters["image/jpeg"].for_type(Figure, as_jpeg)


def as_png(figure: Figure) -> bytes | None:
    """A drawing as a PNG of 64 colours, at its own size; None for a figure with photographs."""
    if _has_photographs(figure):
        return None
    # Colours by range, not by area: a thin line keeps its own.
    return _encoded(_rendered(figure).quantize(64, Image.Quantize.MAXCOVERAGE), "png")


def as_jpeg(figure: Figure) -> bytes | None:
    """A figure with photographs in it as a JPEG, at its own size; None for a drawing."""
    if not _has_photographs(figure):
        return None
    return _encoded(_rendered(figure), "jpeg", quality=72, progressive=True)


def _has_photographs(figure: Figure) -> bool:
    return any(image.get_array().ndim == 3 for axes in figure.axes for image in axes.images)


def _rendered(figure: Figure) -> Image.Image:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI, facecolor="white")
    return Image.open(buffer).convert("RGB")


def _encoded(image: Image.Image, form: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, optimize=True, **options)
    return buffer.getvalue()


def show_source(*definitions: Any) -> "Markdown":
    """The source of functions, methods or classes as imported, so that no page repeats it."""
    from IPython.display import Markdown

    sources = [textwrap.dedent(inspect.getsource(definition)) for definition in definitions]
    return Markdown("```python\n" + "\n\n".join(source.rstrip() for source in sources) + "\n```")


def picture(frame: Any) -> np.ndarray:
    """One frame or still as uint8 (H, W, 3), from a tensor (3, H, W) in [-1, 1] or from uint8."""
    return frame if isinstance(frame, np.ndarray) else to_pictures(frame.detach()[None])[0]


def strip(rows: dict[str, Sequence[Any]], columns: Sequence[str] = ()) -> Figure:
    """Rows of frames (as `picture` takes them), each row named at its left where it has a name.

    `columns` are titles above the first row. Frames are as large as the page's width allows.
    """
    count = max(len(frames) for frames in rows.values())
    frame = picture(next(iter(rows.values()))[0])
    margin = 0.25 if any(rows) else 0.0
    side = (WIDTH - margin) / count - 0.03
    height = len(rows) * (side * frame.shape[0] / frame.shape[1] + 0.03) + 0.22 * bool(columns)
    figure, grid = plt.subplots(len(rows), count, figsize=(WIDTH, height), squeeze=False)
    figure.get_layout_engine().set(w_pad=0.015, h_pad=0.015, wspace=0, hspace=0)
    for axes in grid.flat:
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
    for axes, (name, frames) in zip(grid, rows.items(), strict=True):
        axes[0].set_ylabel(name)
        for cell, shown in zip(axes, frames, strict=False):
            cell.imshow(picture(shown))
    for cell, title in zip(grid[0], columns, strict=False):
        cell.set_title(title, loc="center", fontsize=8, pad=3)
    return figure


def waveform(axes: Axes, signal: Any, rate: int, colour: str = INK) -> None:
    """The recording over time: for each of 1500 slices its lowest and highest sample."""
    values = np.asarray(signal)
    edges = np.linspace(0, len(values), min(1500, len(values)) + 1).astype(int)[:-1]
    low, high = np.minimum.reduceat(values, edges), np.maximum.reduceat(values, edges)
    axes.fill_between(edges / rate, low, high, color=colour, linewidth=0.3)
    axes.set(xlim=(0, len(values) / rate), xlabel="seconds", yticks=[])
    axes.spines["left"].set_visible(False)


def system_diagram(here: Collection[str] = tuple(BOXES)) -> Figure:
    """The generator's boxes and arrows; those not named in `here` are drawn faintly."""
    return _diagram(BOXES, ARROWS, here)


def judges_diagram(here: Collection[str] = tuple(JUDGES)) -> Figure:
    """The three discriminators and what they see; those not named in `here` are drawn faintly."""
    return _diagram(JUDGES, EVIDENCE, here)


def _diagram(boxes: dict, arrows: Sequence[tuple], here: Collection[str]) -> Figure:
    figure, axes = plt.subplots(figsize=(WIDTH, 2.1))
    wide, high = BOX
    for name, (x, y, label, colour) in boxes.items():
        on = name in here
        box = FancyBboxPatch(
            (x - wide / 2, y - high / 2),
            wide,
            high,
            boxstyle="round,pad=0.02,rounding_size=0.12",
            facecolor=colour if on else "white",
            edgecolor=colour if on else "#bbbbbb",
        )
        axes.add_patch(box)
        ink = "white" if on else "#999999"
        axes.text(x, y, label, ha="center", va="center", color=ink, fontsize=9)
    for start, end, label in arrows:
        (x0, y0), (x1, y1) = boxes[start][:2], boxes[end][:2]
        tip = (x1 - wide / 2 - 0.05, y1 + 0.17 * (y0 - y1))
        tail = (x0 + wide / 2 + 0.05, y0)
        arrow = {"arrowstyle": "-|>", "color": "#777777", "shrinkA": 0, "shrinkB": 0}
        axes.annotate("", tip, tail, arrowprops=arrow)
        middle = ((tail[0] + tip[0]) / 2, (tail[1] + tip[1]) / 2)
        paper = {"facecolor": "white", "edgecolor": "none", "pad": 2}
        if label:
            axes.text(*middle, label, ha="center", va="center", fontsize=9, bbox=paper)
    axes.set(xlim=(-0.85, 8.45), ylim=(-0.42, 2.42))
    axes.axis("off")
    return figure
