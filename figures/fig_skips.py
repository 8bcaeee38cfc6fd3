"""Fig. 4: frames of unseen performers with skip connections and without, numbers and claims.

Reads results/skips.json and results/skips_frames.png, writes fig_skips.png.
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
from talker.experiments.panels import GREY, SMALL, Line, claim_lines, value_panel
from talker.experiments.report import manifest, write_results
from talker.plots import BLUE, INK, STYLE, WIDTH

HERE = Path(__file__).parent
NAMES = {"still": "still", "real": "real", "with": "with skips", "without": "without"}
PANELS = {"acd": "ACD", "psnr": "PSNR, dB", "ssim": "SSIM", "opening": "r opening"}


def draw(results: dict, picture: np.ndarray) -> Figure:
    """The figure for the content of skips.json, and its picture (H, W, 3)."""
    strip = 0.9 * WIDTH * picture.shape[0] / picture.shape[1]
    heights = [strip, 0.9, 0.19 * len(results["claims"]) + 0.25]
    figure = plt.figure(figsize=(WIDTH, sum(heights) + 1.0))
    grid = figure.add_gridspec(len(heights), len(PANELS), height_ratios=heights)
    film_rows(figure.add_subplot(grid[0, :]), picture, [NAMES[name] for name in results["frames"]])
    of_all = results["runs"] | {"real": results["real"]}
    for place, (name, title) in enumerate(PANELS.items()):
        lines = [
            Line(
                NAMES[each],
                INK if each == "real" else BLUE,
                of_all.get(each, {}).get("values", {}).get(name),
            )
            for each in ("real", "with", "without")
        ]
        axes = figure.add_subplot(grid[1, place])
        value_panel(axes, lines, title, place == 0)
        if name == "acd":
            axes.axvline(results["real"]["different_people"], color=GREY, linewidth=1, zorder=0)
    claim_lines(figure.add_subplot(grid[2, :]), results["claims"], PANELS)
    about = results["circumstances"]
    note = (
        f"Means over {about['clips']} clips of {about['speakers']} performers whom neither network "
        f"has trained on, with 95 % intervals, after {about['steps']} steps of reconstruction from "
        "the same random weights. Grey: ACD between the stills of different performers. The "
        "frames are those in which the lower half differs most from the still's. Differences are "
        "of the same clip."
    )
    figure.supxlabel(textwrap.fill(note, 120), fontsize=SMALL, x=0.01, ha="left")
    return figure


def main() -> None:
    """Draw the figure."""
    results = json.loads((HERE / "results/skips.json").read_text(encoding="utf-8"))
    picture = np.asarray(Image.open(HERE / "results/skips_frames.png"))
    with plt.rc_context(STYLE):
        figure = draw(results, picture)
        figure.savefig(HERE / "fig_skips.png", dpi=150, metadata={"Software": None})
        plt.close(figure)
    write_results(HERE / "manifest.json", manifest(HERE))


if __name__ == "__main__":
    main()
