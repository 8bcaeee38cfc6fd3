"""The lip reader on held-out performers: which words it reads, and what spoils its reading.

Reads results/lipreading.json, writes fig_lip_reading.png.
"""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from talker.experiments.report import manifest, write_results
from talker.plots import BLUE, INK, ORANGE, STYLE, WIDTH

HERE = Path(__file__).parent
CHANCE = 1 - sum(1 / words for words in (4, 4, 4, 25, 10, 4)) / 6  # a sentence drawn at random


def draw_spoilt(axes: Axes, results: dict, name: str) -> None:
    """WER against how much was spoilt, with 95 % intervals; at 0 is the clip as it is."""
    condition = results["conditions"][name]
    levels = [0, *condition["levels"]]
    rows = [results["values"][key] for key in ("real", *(f"{name} {x:g}" for x in levels[1:]))]
    value, low, high = (100 * np.array([row[k] for row in rows]) for k in ("value", "low", "high"))
    axes.fill_between(levels, low, high, color=BLUE, alpha=0.2, linewidth=0)
    axes.plot(levels, value, "o-", color=BLUE, markersize=4)
    axes.axhline(100 * CHANCE, color=INK, linewidth=0.8, linestyle=":")
    axes.set(title=name, xlabel=condition["unit"], ylim=(0, 100))


def draw_slots(axes: Axes, results: dict) -> None:
    """Error rate of each word of the sentence, with 95 % intervals."""
    kinds = list(results["by_slot"])
    rows = list(results["by_slot"].values())
    value, low, high = (100 * np.array([row[k] for row in rows]) for k in ("value", "low", "high"))
    axes.barh(kinds, value, color=ORANGE, height=0.6)
    axes.hlines(kinds, low, high, color=INK, linewidth=1.2)
    axes.invert_yaxis()
    axes.set(title="each word of the sentence", xlabel="wrong, %", xlim=(0, 100))


def draw_letters(axes: Axes, results: dict) -> None:
    """Which letter (rows) was read as which, as a share of the times it was said."""
    table = results["confusions"]["letter"]
    counts = np.array(table["counts"], float)
    said = counts.sum(axis=1)
    axes.imshow(counts / counts.sum(axis=1, keepdims=True).clip(1), cmap="Blues", vmin=0, vmax=1)
    places = range(len(table["words"]))
    axes.set_xticks(places, table["words"], fontsize=6)
    axes.set_yticks(places, table["words"], fontsize=6)
    axes.tick_params(length=0)
    often = f"said {said.min():.0f} to {said.max():.0f} times each"
    axes.set(title=f"letters, {often}; dark: always", xlabel="read", ylabel="said")


def main() -> None:
    """Draw the figure."""
    results = json.loads((HERE / "results/lipreading.json").read_text(encoding="utf-8"))
    # In the order of the sentence: the file's names are sorted.
    kinds = ("command", "colour", "preposition", "letter", "digit", "adverb")
    results["by_slot"] = {kind: results["by_slot"][kind] for kind in kinds}
    with plt.rc_context(STYLE):
        figure = plt.figure(figsize=(WIDTH, 5.2))
        above, below = figure.subfigures(2, 1, height_ratios=[1, 1.5])
        row = above.subplots(1, 3, sharey=True)
        for axes, name in zip(row, results["conditions"], strict=True):
            draw_spoilt(axes, results, name)
        row[0].set_ylabel("word error rate, %")
        row[0].annotate("chance", (0.1, 100 * CHANCE + 2), fontsize=8)
        left, right = below.subplots(1, 2, width_ratios=[1, 1.25])
        draw_slots(left, results)
        draw_letters(right, results)
        figure.savefig(HERE / "fig_lip_reading.png", dpi=150, metadata={"Software": None})
    write_results(HERE / "manifest.json", manifest(HERE))


if __name__ == "__main__":
    main()
