"""Which parts of a face move (Fig. 20): mean length of optical flow, real and generated.

Reads results/motion_maps.json and results/motion_maps_pixels.npy, writes fig_heatmaps.png.
"""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from talker.experiments.motion_maps import alike
from talker.experiments.report import manifest, write_results
from talker.plots import BLUE, INK, STYLE, WIDTH

HERE = Path(__file__).parent
LABELS = {
    "sway": "still, swaying",
    "speech2vid": "Speech2Vid",
    "atvgnet": "ATVGNet",
}
LEAST = 0.05  # of the real map's mean
BESIDE = 4  # columns that leave room for the correlations beside the maps
SCALE = {"another clip": "real,\nanother clip", "other performers": "real, others' mean"}


def maps(figure: Figure, results: dict, fields: np.ndarray) -> None:
    """A row a performer and a column a film; a row has one scale of colours, the real map's."""
    columns, rows = results["columns"], results["rows"]
    grid = figure.subplots(len(rows), len(columns), squeeze=False)
    for line, name, row in zip(grid, rows, fields, strict=True):
        most = float(np.percentile(row[0], 99.5))
        for axes, column, field in zip(line, columns, row, strict=True):
            image = axes.imshow(field, cmap="inferno", vmin=0, vmax=most)
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
            # Where next to nothing moves, r would be that of compression's noise.
            if column != columns[0] and field.mean() > LEAST * row[0].mean():
                axes.set_xlabel(f"r = {alike(field, row[0]):.2f}", fontsize=8, labelpad=2)
        label = f"all {len(results['performers'])}" if name == "pooled" else name
        line[0].set_ylabel(label)
        bar = figure.colorbar(image, ax=line[-1], fraction=0.08, pad=0.04)
        bar.ax.tick_params(labelsize=7)
        bar.outline.set_visible(False)
    for axes, column in zip(grid[0], columns, strict=True):
        axes.set_title(LABELS.get(column, column), loc="center")
    figure.supxlabel("colour: pixels a frame", fontsize=8)


def correlations(axes: Axes, results: dict) -> None:
    """Correlation with the performer's real map: mean and interval, and a dot a performer."""
    rows = {SCALE[name]: (row, [], INK) for name, row in results["scale"].items()}
    for name in results["columns"][1:]:
        rows[LABELS.get(name, name)] = (results["values"][name]["r"], results["r"][name], BLUE)
    for place, (row, each, colour) in enumerate(reversed(rows.values())):
        axes.plot(each, np.full(len(each), place - 0.2), "|", color="#999999", markersize=5)
        axes.plot([row["low"], row["high"]], [place] * 2, color=colour)
        axes.plot(row["value"], place, "o", color=colour, markersize=4.5)
        axes.text(row["value"], place + 0.18, f"{row['value']:.2f}", ha="center", fontsize=8)
    axes.set_yticks(range(len(rows)), list(reversed(rows)), fontsize=8)
    axes.tick_params(axis="y", length=0)
    axes.set(xlabel="r with the real map", ylim=(-0.5, len(rows) - 0.4))


def draw(results: dict, fields: np.ndarray) -> Figure:
    """The figure for the content of motion_maps.json, and its maps (R, C, H, W)."""
    if len(results["columns"]) <= BESIDE:
        figure = plt.figure(figsize=(WIDTH, 4.8))
        first, second = figure.subfigures(1, 2, width_ratios=(1.45, 1))
    else:
        figure = plt.figure(figsize=(WIDTH, 8.4))
        first, second = figure.subfigures(2, 1, height_ratios=(1.8, 1))
    maps(first, results, fields)
    correlations(second.subplots(), results)
    return figure


def main() -> None:
    """Draw the figure."""
    results = json.loads((HERE / "results/motion_maps.json").read_text(encoding="utf-8"))
    fields = np.load(HERE / "results/motion_maps_pixels.npy").astype(float)
    with plt.rc_context(STYLE):
        figure = draw(results, fields)
        figure.savefig(HERE / "fig_heatmaps.png", dpi=150, metadata={"Software": None})
        plt.close(figure)
    write_results(HERE / "manifest.json", manifest(HERE))


if __name__ == "__main__":
    main()
