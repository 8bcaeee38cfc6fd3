"""One sentence in many mouths (Fig. 13, 16): moments of it, how mouths open, and how alike.

Reads results/identities.json and results/identities_strip.png, writes fig_identities.png.
"""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from talker.experiments.drawn import film_rows
from talker.experiments.report import manifest, write_results
from talker.plots import BLUE, INK, ORANGE, STYLE, VERMILION, WIDTH
from talker.store import FPS

HERE = Path(__file__).parent
NAMES = {
    "same sound": "same sentence,\nother face",
    "same face": "same face,\nother sentence",
    "real": "the real clip of\nthe sentence",
    "another real": "the real clip of\nanother sentence",
}
FACES = {"performers": BLUE, "photograph": VERMILION}


def strip(axes: Axes, picture: np.ndarray, example: dict) -> None:
    """The still, then the same moments of each film, with their seconds."""
    film_rows(axes, picture, example["rows"])
    axes.tick_params(axis="y", labelsize=8)
    wide = picture.shape[1] / (len(example["moments"]) + 1)
    titles = ["still", *(f"{moment / FPS:.2f} s" for moment in example["moments"])]
    for place, title in enumerate(titles):
        axes.text(wide * (place + 0.5), -6, title, ha="center", va="bottom", fontsize=8)


def traces(axes: Axes, example: dict) -> None:
    """The opening of every mouth over the time of the sentence."""
    for name, opening in example["opening"].items():
        seconds = (np.arange(len(opening)) + 0.5) / FPS
        look = {"color": BLUE, "linewidth": 0.7, "alpha": 0.7}
        if name == "real":
            look = {"color": ORANGE, "linewidth": 1.8, "zorder": 3}
        elif name == "photograph":
            look = {"color": VERMILION, "linewidth": 1.4, "zorder": 2}
        axes.plot(seconds, opening, **look)
    count = len(example["opening"]) - 2
    for name, colour in (
        ("real", ORANGE),
        (f"{count} performers", BLUE),
        ("photograph", VERMILION),
    ):
        axes.plot([], [], color=colour, label=name)
    axes.set(xlabel="seconds", ylabel="mouth's opening / eyes' distance")
    axes.set_xlim(0, len(opening) / FPS)
    axes.set_ylim(0, 1.3 * axes.get_ylim()[1])
    axes.legend(loc="upper right", ncols=3, handlelength=1, columnspacing=1, fontsize=8)
    axes.set_title(f"“{example['text']}”")


def alike(axes: Axes, values: dict) -> None:
    """Pearson's r of two openings over time, means with 95 % intervals over performers."""
    for place, row in enumerate(reversed(NAMES)):
        for offset, (face, colour) in zip((0.15, -0.15), FACES.items(), strict=True):
            value, y = values[face][row], place + offset
            if "low" in value:
                axes.plot([value["low"], value["high"]], [y, y], color=colour)
            axes.plot(value["value"], y, "o", color=colour, markersize=4.5)
            text = f"{value['value']:.2f}".replace("-", "−")
            axes.text(1.02, y, text, color=colour, fontsize=8, va="center")
    axes.axvline(0, color=INK, linewidth=0.6, zorder=0)
    axes.set_yticks(range(len(NAMES)), list(reversed(NAMES.values())), fontsize=8)
    axes.tick_params(axis="y", length=0)
    axes.set(xlabel="Pearson r", ylim=(-0.5, len(NAMES) - 0.5))
    axes.set_xlim(right=1)
    axes.set_title("openings: films and …")


def draw(results: dict, picture: np.ndarray) -> Figure:
    """The figure for the content of identities.json and its strip uint8 (H, W, 3)."""
    example = results["example"]
    height = 0.88 * WIDTH * picture.shape[0] / picture.shape[1] + 0.2
    figure = plt.figure(figsize=(WIDTH, height + 2.5))
    top, bottom = figure.subfigures(2, 1, height_ratios=[height, 2.5])
    strip(top.subplots(), picture, example)
    left, right = bottom.subplots(1, 2, width_ratios=(1.3, 1))
    traces(left, example)
    alike(right, results["values"])
    return figure


def main() -> None:
    """Draw the figure."""
    results = json.loads((HERE / "results/identities.json").read_text(encoding="utf-8"))
    picture = np.asarray(Image.open(HERE / "results/identities_strip.png"))
    with plt.rc_context(STYLE):
        figure = draw(results, picture)
        figure.savefig(HERE / "fig_identities.png", dpi=150, metadata={"Software": None})
        plt.close(figure)
    write_results(HERE / "manifest.json", manifest(HERE))


if __name__ == "__main__":
    main()
