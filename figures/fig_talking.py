"""Test performers: how the lips follow, how the eyes blink, what the pictures look like.

Reads results/talking.json and results/talking_strip.png, writes fig_talking.png.
"""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

from talker.experiments.report import manifest, write_results
from talker.plots import BLUE, INK, ORANGE, STYLE, WIDTH

HERE = Path(__file__).parent


def _compare(axes, values, rows, title: str, unit: str) -> None:
    """One row a measure: ours in blue, the thing to compare with in orange, with 95 % intervals."""
    for place, (label, ours, other, name) in enumerate(rows):
        for offset, key, colour, text in (
            (0.14, ours, BLUE, "generated"),
            (-0.14, other, ORANGE, name),
        ):
            value = values[key]
            y = len(rows) - 1 - place + offset
            axes.plot([value["low"], value["high"]], [y, y], color=colour, linewidth=2)
            axes.plot(value["value"], y, "o", color=colour, markersize=5)
            axes.annotate(
                f"{text} {value['value']:.2f}",
                (value["high"], y),
                xytext=(5, 0),
                textcoords="offset points",
                va="center",
                fontsize=8,
                color=colour,
            )
        axes.text(
            -0.02,
            len(rows) - 1 - place,
            label,
            ha="right",
            va="center",
            transform=axes.get_yaxis_transform(),
        )
    axes.set_yticks([])
    axes.set_ylim(-0.5, len(rows) - 0.5)
    axes.set_title(title)
    axes.set_xlabel(unit)


def main() -> None:
    """Draw the figure."""
    results = json.loads((HERE / "results/talking.json").read_text(encoding="utf-8"))
    strip = np.asarray(Image.open(HERE / "results/talking_strip.png"))
    values = results["values"]
    with plt.rc_context(STYLE):
        height = WIDTH * strip.shape[0] / strip.shape[1]
        figure = plt.figure(figsize=(WIDTH, height + 2.3))
        grid = figure.add_gridspec(2, 3, height_ratios=[height, 2.0], width_ratios=[1, 1, 1])
        top = figure.add_subplot(grid[0, :])
        top.imshow(strip)
        top.set_axis_off()
        top.set_title("still, then real frames above the generated ones of the same moments")
        lips = [
            ("mouth\nopening", "r_opening", "r_opening_mismatched", "another clip"),
            ("mouth\nwidth", "r_width", "r_width_mismatched", "another clip"),
        ]
        axes = figure.add_subplot(grid[1, 0])
        _compare(axes, values, lips, "lips follow the true ones", "Pearson r")
        axes.set_xlim(-0.3, 1.6)
        axes = figure.add_subplot(grid[1, 1])
        _compare(
            axes,
            values,
            [
                ("whole", "psnr", "psnr_still", "still"),
                ("lower\nhalf", "psnr_lower", "psnr_lower_still", "still"),
            ],
            "against copying the still",
            "PSNR in dB",
        )
        axes.margins(x=0.6)
        axes = figure.add_subplot(grid[1, 2])
        bins = np.arange(-0.5, 5)
        seconds = 3.0
        test = np.array(results["per_clip"]["split"]) == "test"
        for key, colour, label in (
            ("blinks_per_second_real", ORANGE, "real"),
            ("blinks_per_second", BLUE, "generated"),
        ):
            counts = np.array(results["per_clip"][key])[test] * seconds
            axes.hist(counts, bins, histtype="step", color=colour, label=label, linewidth=1.6)
        axes.set_ylim(0, 1.45 * axes.get_ylim()[1])
        axes.legend(loc="upper center", frameon=False)
        axes.set_title("blinks in a clip of 3 s")
        axes.set_xlabel("blinks")
        axes.set_ylabel("clips", color=INK)
        figure.savefig(HERE / "fig_talking.png", dpi=150, metadata={"Software": None})
    write_results(HERE / "manifest.json", manifest(HERE))


if __name__ == "__main__":
    main()
