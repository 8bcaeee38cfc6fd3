"""A long training: what is reconstructed, what the discriminators believe, and their balance.

Reads results/training_log.jsonl and results/training.json, writes fig_training.png.
"""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from talker.experiments.report import manifest, write_results
from talker.plots import BLUE, GREEN, INK, ORANGE, STYLE, VERMILION, WIDTH

HERE = Path(__file__).parent
PAPERS_RATIO = 3  # "roughly triple the adversarial loss", section 3.3
POINTS = 150  # of a curve at most: neighbouring blocks are averaged
TICKS = (0.3, 1, 3, 10, 30, 100)  # of the ratio's axis
LAYOUT = [["l1", "lips", "third"], ["frame", "sequence", "sync"], ["ratio"] * 3]


def curve(rows: list[dict], name: str, points: int = POINTS) -> tuple[np.ndarray, np.ndarray]:
    """Steps and values of a column, means of neighbours where there are more than `points`."""
    kept = np.array([(row["step"], row[name]) for row in rows if name in row]).reshape(-1, 2)
    if len(kept) > points:
        kept = np.array([part.mean(0) for part in np.array_split(kept, points)])
    return kept[:, 0], kept[:, 1]


def _draw(axes: Axes, rows, title: str, *columns: tuple, legend: str = "lower right") -> None:
    """Curves of columns (name, label, colour, line style) that are in the log."""
    for name, label, colour, line in columns:
        steps, values = curve(rows, name)
        if len(steps):
            marker = "." if name.startswith("validation") else None
            axes.plot(steps / 1000, values, line, color=colour, label=label, marker=marker)
    axes.set_title(title)
    if len(columns) > 1 and axes.lines:
        axes.legend(fontsize=7, loc=legend)


def draw(rows: list[dict], told: dict) -> Figure:
    """The figure of a log and of the `values` of training.json."""
    size = (WIDTH, 5.6)
    figure, axes = plt.subplot_mosaic(LAYOUT, figsize=size, height_ratios=[1, 1, 0.8])
    _draw(
        axes["l1"],
        rows,
        "L1 of the lower half",
        ("l1_lower", "training", BLUE, "-"),
        ("validation_l1", "validation", VERMILION, "-"),
    )
    _draw(axes["lips"], rows, "lips read off $z_c$, in deviations", ("lips", "", BLUE, "-"))
    if any("validation_sync" in row for row in rows):
        _draw(
            axes["third"],
            rows,
            "synchrony, held out (axis cut)",
            ("validation_sync", "generated", BLUE, "-"),
            ("validation_sync_real", "real", ORANGE, "--"),
            legend="center",
        )
        axes["third"].margins(y=0.3)
    else:
        _draw(
            axes["third"],
            rows,
            "upper half",
            ("l1_eyes", "L1 of the eyes", BLUE, "-"),
            ("l1_still", "the rest, from the still", ORANGE, "-"),
            legend="upper right",
        )
        axes["third"].set_ylim(0, 1.3 * axes["third"].get_ylim()[1])  # room for the legend
    for critic, title in (("frame", "D frame"), ("sequence", "D sequence"), ("sync", "D sync")):
        columns = [
            (f"{critic}_real", "real", ORANGE, "-"),
            (f"{critic}_shifted", "real, shifted", GREEN, "--"),
            (f"{critic}_fake", "generated", BLUE, "-"),
        ]
        _draw(axes[critic], rows, title, *columns, legend="lower left")
        axes[critic].axhline(0.5, color=INK, linewidth=0.6, linestyle=":", zorder=0)
        axes[critic].set(ylim=(0, 1))
    axes["frame"].set_ylabel("believed to be real")
    ratio = ("l1_to_adversarial", "", BLUE, "-")
    _draw(axes["ratio"], rows, "weighted L1 over adversarial loss; dotted: the paper's 3", ratio)
    ratios = curve(rows, "l1_to_adversarial")[1]
    axes["ratio"].axhline(PAPERS_RATIO, color=INK, linewidth=1, linestyle=":")
    axes["ratio"].set_yscale("log")
    lowest, highest = min([1, *ratios]), max([10, *ratios])
    axes["ratio"].set(yticks=TICKS, yticklabels=TICKS)
    axes["ratio"].set(ylim=(0.9 * lowest, 1.1 * highest))  # after the ticks, which widen it
    axes["ratio"].minorticks_off()
    for name in ("l1", "lips"):
        axes[name].set_ylim(bottom=0)
    for cell in axes.values():
        cell.set(xlim=(0, told["steps"] / 1000), xlabel="thousand steps")
        if told["adversarial_from"] is not None:  # where the discriminators come in
            cell.axvline(told["adversarial_from"] / 1000, color="#999999", linewidth=0.8, zorder=0)
    return figure


def main() -> None:
    """Draw the figure."""
    lines = (HERE / "results/training_log.jsonl").read_text(encoding="utf-8").splitlines()
    results = json.loads((HERE / "results/training.json").read_text(encoding="utf-8"))
    with plt.rc_context(STYLE):
        figure = draw([json.loads(line) for line in lines], results["values"])
        figure.savefig(HERE / "fig_training.png", dpi=150, metadata={"Software": None})
    write_results(HERE / "manifest.json", manifest(HERE))


if __name__ == "__main__":
    main()
