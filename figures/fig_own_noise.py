"""Does the sequence loss teach blinking: eyes and lips with it, with more of it, without it.

Reads results/own_noise.json, writes fig_own_noise.png.
"""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from talker.experiments.own_noise import REAL
from talker.experiments.panels import SMALL, Line, claim_lines, value_panel
from talker.experiments.report import manifest, write_results
from talker.plots import BLUE, GREEN, INK, STYLE, WIDTH

HERE = Path(__file__).parent
NAMES = {
    "real": "real videos",
    "shipped": "shipped, noise fitted",
    "start": "noise redrawn, step 0",
    "with": r"then with $L_{seq}$",
    "strong": r"then with $5 L_{seq}$",
    "without": r"then without $L_{seq}$",
    "no-frame": r"then without $L_{img}$",
    "neither": "then without both",
}
TRAINED = ("with", "strong", "without", "no-frame", "neither")
PANELS = {
    "blinks_per_second": "blinks/sec",
    "ear_deviation": "EAR dev.",
    "r_opening": "r opening",
}


def draw(results: dict) -> Figure:
    """The figure for the content of own_noise.json."""
    heights = [1.6, 0.19 * len(results["claims"]) + 0.25]
    figure = plt.figure(figsize=(WIDTH, sum(heights) + 1.0))
    grid = figure.add_gridspec(2, len(PANELS), height_ratios=heights)
    for place, (name, title) in enumerate(PANELS.items()):
        lines = []
        for each, label in NAMES.items():
            # A real video agrees with itself.
            hidden = each == REAL and name == "r_opening"
            value = None if hidden else results["values"].get(each, {}).get(name)
            lines.append(Line(label, BLUE if each in TRAINED else INK, value))
        value_panel(figure.add_subplot(grid[0, place]), lines, title, place == 0)
        if name in ("blinks_per_second", "ear_deviation"):
            real = results["values"].get(REAL, {}).get(name)
            if real is not None:
                figure.axes[-1].axvline(real["value"], color=GREEN, linewidth=0.8, zorder=0)
    claim_lines(figure.add_subplot(grid[1, :]), results["claims"], PANELS)
    about = results["circumstances"]
    note = (
        f"Means over {about['clips']} clips of {about['speakers']} speakers, {about['films']} "
        f"films each, with 95 % intervals over speakers; after {about['steps']} steps of Eq. 7 "
        "that reach the noise generator, from one start. Green: real videos. Differences are of "
        "the same clip."
    )
    figure.supxlabel(textwrap.fill(note, 120), fontsize=SMALL, x=0.01, ha="left")
    return figure


def main() -> None:
    """Draw the figure."""
    results = json.loads((HERE / "results/own_noise.json").read_text(encoding="utf-8"))
    with plt.rc_context(STYLE):
        figure = draw(results)
        figure.savefig(HERE / "fig_own_noise.png", dpi=150, metadata={"Software": None})
        plt.close(figure)
    write_results(HERE / "manifest.json", manifest(HERE))


if __name__ == "__main__":
    main()
