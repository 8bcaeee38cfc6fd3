"""Table 6: the proposed model, the static baseline, Speech2Vid, ATVGNet; the paper's beside ours.

Reads results/comparison.json and results/comparison_frames.png, writes fig_comparison.png.
"""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from PIL import Image

from talker.experiments.comparison import EQUAL, PROPOSED
from talker.experiments.drawn import film_rows
from talker.experiments.panels import SMALL, Line, in_units, metric_title, value_panel
from talker.experiments.report import manifest, write_results
from talker.plots import BLUE, INK, STYLE, VERMILION, WIDTH

HERE = Path(__file__).parent
NAMES = {
    "real": "real videos",
    PROPOSED: "proposed",
    EQUAL: "proposed, same time",
    "static": "static baseline",
    "speech2vid": "Speech2Vid",
    "atvgnet": "ATVGNet",
}
PANELS = (
    *("psnr", "ssim", "cpbd", "acd", "wer", "av_confidence", "av_offset", "blinks"),
    "blink_duration",
)
# Distances in embeddings of one's own: only their ratio to another model's compares.
RATIOS = ("acd", "av_confidence")
MARKERS = {"GRID": "o", "TCD TIMIT": "s", "CREMA-D": "^", "LRW": "D"}
COLUMNS = 3


def _panel(axes: Axes, results: dict, name: str, named: bool) -> None:
    """A column of Table 6: a row for each method, ours with its interval, the paper's hollow."""
    ours = {method: row["values"] for method, row in results["methods"].items()}
    ours["real"] = results["real"]["values"]
    theirs = {(row["dataset"], row["method"]): row[name] for row in results["paper"]}
    unit, units = 1.0, dict.fromkeys(MARKERS, 1.0)
    if name in RATIOS:
        unit = ours[PROPOSED][name]["value"] if PROPOSED in ours else None
        units = {dataset: theirs[dataset, PROPOSED] for dataset in MARKERS}
    lines = []
    for method, label in NAMES.items():
        points = [
            (theirs[dataset, method] / units[dataset], marker)
            for dataset, marker in MARKERS.items()
            if theirs.get((dataset, method)) is not None
        ]
        value = in_units(ours.get(method, {}).get(name), unit)
        lines.append(Line(label, INK if method == "real" else BLUE, value, points))
    title = metric_title(name, results["metrics"][name], PROPOSED if name in RATIOS else None)
    value_panel(axes, lines, title, named)


def _trained(results: dict) -> str:
    """How long each of the methods learnt, as far as the results say."""
    told = []
    for name, row in results["methods"].items():
        if "seconds" in row["training"]:
            steps, minutes = row["training"]["step"], row["training"]["seconds"] / 60
            told.append(f"{NAMES[name]} {steps} steps in {minutes:.0f} minutes")
    return "; ".join(told)


def draw(results: dict, picture: np.ndarray) -> Figure:
    """The figure for the content of comparison.json, and its picture (H, W, 3)."""
    lines = -(-len(PANELS) // COLUMNS)
    strip = 0.8 * WIDTH * picture.shape[0] / picture.shape[1]
    heights = [strip] + [1.25] * lines
    figure = plt.figure(figsize=(WIDTH, sum(heights) + 1.2))
    grid = figure.add_gridspec(lines + 1, COLUMNS, height_ratios=heights)
    film_rows(figure.add_subplot(grid[0, :]), picture, [NAMES[name] for name in results["frames"]])
    for place, name in enumerate(PANELS):
        row, column = divmod(place, COLUMNS)
        _panel(figure.add_subplot(grid[1 + row, column]), results, name, column == 0)
    style = {"linestyle": "", "markersize": 4}
    hollow = style | {"markerfacecolor": "white", "markeredgecolor": VERMILION}
    marks = [Line2D([], [], color=BLUE, marker="o", label="ours", **style)]
    marks += [
        Line2D([], [], marker=marker, label=f"the paper's, {dataset}", **hollow)
        for dataset, marker in MARKERS.items()
    ]
    figure.legend(handles=marks, loc="outside upper center", ncols=len(marks), fontsize=SMALL)
    about = results["circumstances"]
    note = (
        f"Ours: means (medians of AV Off. and blink dur.) over {about['clips']} clips of "
        f"{about['speakers']} speakers with 95 % intervals. Trained: {_trained(results)}; the "
        "proposed one without a time is finished weights. Corpora and evaluating networks differ "
        "from the paper's, so that methods compare within a marker and not between two."
    )
    figure.supxlabel(textwrap.fill(note, 120), fontsize=SMALL, x=0.01, ha="left")
    return figure


def main() -> None:
    """Draw the figure."""
    results = json.loads((HERE / "results/comparison.json").read_text(encoding="utf-8"))
    picture = np.asarray(Image.open(HERE / "results/comparison_frames.png"))
    with plt.rc_context(STYLE):
        figure = draw(results, picture)
        figure.savefig(HERE / "fig_comparison.png", dpi=150, metadata={"Software": None})
        plt.close(figure)
    write_results(HERE / "manifest.json", manifest(HERE))


if __name__ == "__main__":
    main()
