"""Fig. 10: L1 alone, over the whole frame, against the proposed loss: frames, numbers, claims.

Reads results/whole_frame.json and results/whole_frame_frames.png, writes fig_whole_frame.png.
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
from talker.experiments.panels import SMALL, Line, claim_lines, value_panel
from talker.experiments.report import manifest, write_results
from talker.plots import BLUE, INK, STYLE, WIDTH

HERE = Path(__file__).parent
NAMES = {
    "real": "real",
    "full": "proposed",
    "no-adv": "L1, lower half",
    "whole": "L1, whole",
    "blind": "L1, eyes too, blind",
}
PANELS = {
    "cpbd": "CPBD",
    "blinks_per_second": "blinks/sec",
    "psnr": "PSNR, dB",
    "psnr_lower": "PSNR lower, dB",
    "r_opening": "r opening",
    "r_width": "r width",
}
COLUMNS = 3


def draw(results: dict, picture: np.ndarray) -> Figure:
    """The figure for the content of whole_frame.json, and its picture (H, W, 3)."""
    strip = 0.85 * WIDTH * picture.shape[0] / picture.shape[1]
    heights = [strip, 1.15, 1.15, 0.19 * len(results["claims"]) + 0.25]
    figure = plt.figure(figsize=(WIDTH, sum(heights) + 1.2))
    grid = figure.add_gridspec(len(heights), COLUMNS, height_ratios=heights)
    film_rows(figure.add_subplot(grid[0, :]), picture, [NAMES[name] for name in results["frames"]])
    for place, (name, title) in enumerate(PANELS.items()):
        of_all = results["variants"] | {"real": results["real"]}
        lines = [
            Line(label, INK if each == "real" else BLUE, of_all.get(each, {}).get(name))
            for each, label in NAMES.items()
        ]
        row, column = divmod(place, COLUMNS)
        value_panel(figure.add_subplot(grid[1 + row, column]), lines, title, column == 0)
    claim_lines(figure.add_subplot(grid[3, :]), results["claims"], PANELS)
    about = results["circumstances"]
    note = (
        f"Means over {about['clips']} clips of {about['speakers']} speakers with 95 % intervals, "
        f"after {about['steps']} steps from the same weights. “Whole”: z_n is read off the real "
        "frames, so that L1 can foresee a blink; “blind”: it is not, and L1 counts on the lower "
        "half and on the eyes. Differences are of the same clip."
    )
    figure.supxlabel(textwrap.fill(note, 120), fontsize=SMALL, x=0.01, ha="left")
    return figure


def main() -> None:
    """Draw the figure."""
    results = json.loads((HERE / "results/whole_frame.json").read_text(encoding="utf-8"))
    picture = np.asarray(Image.open(HERE / "results/whole_frame_frames.png"))
    with plt.rc_context(STYLE):
        figure = draw(results, picture)
        figure.savefig(HERE / "fig_whole_frame.png", dpi=150, metadata={"Software": None})
        plt.close(figure)
    write_results(HERE / "manifest.json", manifest(HERE))


if __name__ == "__main__":
    main()
