"""Mouths that the ablation's generators made, how sharp they are, and the paper's claims of it.

Reads results/generated_sharpness.json and results/generated_sharpness_mouths.png, writes
fig_generated_sharpness.png.
"""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from talker.experiments.drawn import film_rows
from talker.experiments.panels import ABLATED, SMALL, Line, claim_lines, value_panel
from talker.experiments.report import manifest, write_results
from talker.plots import BLUE, INK, STYLE, WIDTH

HERE = Path(__file__).parent
PANELS = {"cpbd_lower": "CPBD, lower", "laplacian_mouth": "mouth detail"}


def draw(results: dict, picture: np.ndarray) -> Figure:
    """The figure for the content of generated_sharpness.json, and its picture (H, W, 3)."""
    strip = 0.85 * WIDTH * picture.shape[0] / picture.shape[1]
    heights = [strip, 1.5, 0.19 * len(results["claims"]) + 0.25]
    figure = plt.figure(figsize=(WIDTH, sum(heights) + 1.0))
    grid = figure.add_gridspec(len(heights), len(PANELS), height_ratios=heights)
    films = [ABLATED[name] for name in results["pictures"]]
    film_rows(figure.add_subplot(grid[0, :]), picture, films)
    for place, (name, title) in enumerate(PANELS.items()):
        lines = [
            Line(label, INK if each == "real" else BLUE, results["values"].get(each, {}).get(name))
            for each, label in ABLATED.items()
        ]
        value_panel(figure.add_subplot(grid[1, place]), lines, title, place == 0)
    claim_lines(figure.add_subplot(grid[2, :]), results["claims"], PANELS)
    about = results["circumstances"]
    note = (
        f"Means over {about['clips']} clips of {about['speakers']} speakers with 95 % intervals "
        f"over speakers, a clip's over {len(about['seeds'])} "
        f"training{'s' * (len(about['seeds']) != 1)}. Mouth detail: variance of the Laplacian "
        "there, real = 1; a pattern of dots counts as detail, see no L1. Pictures: the widest open "
        "real mouth of a clip, and the same moment of the others. Differences are of the same clip."
    )
    figure.supxlabel(textwrap.fill(note, 120), fontsize=SMALL, x=0.01, ha="left")
    return figure


def main() -> None:
    """Draw the figure."""
    results = json.loads((HERE / "results/generated_sharpness.json").read_text(encoding="utf-8"))
    picture = np.asarray(Image.open(HERE / "results/generated_sharpness_mouths.png"))
    with plt.rc_context(STYLE):
        figure = draw(results, picture)
        figure.savefig(HERE / "fig_generated_sharpness.png", dpi=150, metadata={"Software": None})
        plt.close(figure)
    write_results(HERE / "manifest.json", manifest(HERE))


if __name__ == "__main__":
    main()
