"""The same as fig_talking for a filmed person, GRID's speaker 1, without frames: those stay away.

Reads results/talking_grid.json, writes fig_filmed.png.
"""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib.pyplot as plt

from talker.experiments.report import manifest, write_results
from talker.experiments.talking_panels import draw_measures
from talker.plots import STYLE, WIDTH

HERE = Path(__file__).parent


def main() -> None:
    """Draw the figure."""
    results = json.loads((HERE / "results/talking_grid.json").read_text(encoding="utf-8"))
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(1, 3, figsize=(WIDTH, 2.2))
        draw_measures(axes, results)
        figure.savefig(HERE / "fig_filmed.png", dpi=150, metadata={"Software": None})
    write_results(HERE / "manifest.json", manifest(HERE))


if __name__ == "__main__":
    main()
