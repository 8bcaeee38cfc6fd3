"""One still under six emotions (Fig. 14, 15): frames, motion, and what a classifier makes of them.

Reads results/emotions.json and results/emotions_strip.png, writes fig_expressions.png.
"""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from talker.experiments.drawn import film_rows, wheel
from talker.experiments.report import manifest, write_results
from talker.plots import BLUE, GREEN, INK, ORANGE, PURPLE, SKY, STYLE, VERMILION, WIDTH

HERE = Path(__file__).parent
MATRICES = {"real": "real clips", "blind": "of sound alone", "emotional": "eyes foretold"}
ROWS = {
    "real": ("real clips", ORANGE),
    "blind": ("trained on emotions,\nof sound alone", BLUE),
    "blind, other sound": ("its films, another emotion's\nsound: said of the sound", GREEN),
    "blind, other still": ("the same films: said of\nthe still's own clip", PURPLE),
    "emotional": ("trained on emotions,\neyes foretold", SKY),
    "ours": ("knows no emotions", VERMILION),
}
REGIONS = {"face": ("o", "whole face"), "upper": ("^", "brows, lids"), "lower": ("s", "below")}


def strip(axes: Axes, picture: np.ndarray, example: dict) -> None:
    """A row for each emotion: the real clip, frames, their motion, where the face went."""
    film_rows(axes, picture, list(example["rows"]))
    count = len(next(iter(example["rows"].values()))["moments"])
    wide = picture.shape[1] / (2 * count + 2)
    titles = (
        (0.5, "real"),
        (1 + count / 2, "made of one still"),
        (1 + 1.5 * count, "motion of the same moments"),
        (2 * count + 1.5, "from\nthe still"),
    )
    for place, title in titles:
        axes.text(wide * place, -6, title, ha="center", va="bottom", fontsize=8)
    for place in (1, 1 + count, 1 + 2 * count):
        axes.axvline(wide * place - 0.5, color="white", linewidth=2)


def matrix(axes: Axes, counts: list[list[int]], emotions: list[str], named: bool) -> None:
    """Films by the emotion of their sound and by what is said, in per cent of each row."""
    shares = 100 * np.array(counts, float) / np.maximum(np.sum(counts, axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=100)
    for (row, column), share in np.ndenumerate(shares):
        ink = "white" if share > 55 else INK
        axes.text(column, row, f"{share:.0f}", ha="center", va="center", fontsize=7, color=ink)
    axes.set_xticks(range(len(emotions)), emotions, fontsize=7, rotation=60, ha="right")
    axes.set_yticks(range(len(emotions)), emotions if named else [], fontsize=7)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("said", fontsize=8)


def shares(axes: Axes, results: dict) -> None:
    """The share of films that is put right, by region, with 95 % intervals; dashed: chance."""
    shown = [name for name in ROWS if name in results["values"]]
    for place, name in enumerate(reversed(shown)):
        label, colour = ROWS[name]
        for offset, (region, (mark, _)) in zip((0.22, 0, -0.22), REGIONS.items(), strict=True):
            value, y = results["values"][name][region], place + offset
            axes.plot([100 * value["low"], 100 * value["high"]], [y, y], color=colour)
            axes.plot(100 * value["value"], y, mark, color=colour, markersize=4.5)
            text = f"{100 * value['value']:.0f} %"
            axes.text(1.02, y, text, fontsize=7, va="center", transform=axes.get_yaxis_transform())
    for mark, label in REGIONS.values():
        axes.plot([], [], mark, color=INK, markersize=4.5, label=label)
    axes.axvline(100 * results["chance"], color=INK, linewidth=0.8, linestyle="--", zorder=0)
    axes.set_yticks(
        range(len(shown)), [ROWS[name][0] for name in reversed(shown)], fontsize=8, linespacing=0.95
    )
    axes.tick_params(axis="y", length=0)
    axes.set(xlim=(0, 103), ylim=(-0.5, len(shown) - 0.5), xlabel="% of films put right")
    axes.legend(loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=3, fontsize=8)


def draw(results: dict, picture: np.ndarray) -> Figure:
    """The figure for the content of emotions.json and its strip uint8 (H, W, 3)."""
    example = results["rows"]["blind"]["example"]
    high = 0.88 * WIDTH * picture.shape[0] / picture.shape[1] + 0.45
    figure = plt.figure(figsize=(WIDTH, high + 6.2))
    top, middle, bottom = figure.subfigures(3, 1, height_ratios=[high, 2.2, 4.0])
    strip(top.subplots(), picture, example)
    grid = middle.subplots(1, len(MATRICES) + 1, width_ratios=(1, 1, 1, 0.5))
    for axes, (name, title) in zip(grid, MATRICES.items(), strict=False):
        matrix(axes, results["confusion"][name], results["emotions"], axes is grid[0])
        axes.set_title(title, fontsize=8.5)
    grid[0].set_ylabel("emotion of the sound", fontsize=8)
    scale = f"pixel a frame\nor more; from the\nstill: {example['farthest']:g}"
    wheel(grid[-1], example["longest"], scale)
    shares(bottom.subplots(), results)
    about = results["circumstances"]
    note = (
        f"{about['clips']} films of {about['performers']} performers that neither generator nor "
        f"classifier has seen; intervals of 95 % over performers. The classifier learnt from "
        f"{about['clips_trained']} real clips of {about['performers_trained']} others. Dashed: "
        "chance."
    )
    bottom.supxlabel(textwrap.fill(note, 125), fontsize=7.5, x=0.01, ha="left")
    return figure


def main() -> None:
    """Draw the figure."""
    results = json.loads((HERE / "results/emotions.json").read_text(encoding="utf-8"))
    picture = np.asarray(Image.open(HERE / "results/emotions_strip.png"))
    with plt.rc_context(STYLE):
        figure = draw(results, picture)
        figure.savefig(HERE / "fig_expressions.png", dpi=200, metadata={"Software": None})
        plt.close(figure)
    write_results(HERE / "manifest.json", manifest(HERE))


if __name__ == "__main__":
    main()
