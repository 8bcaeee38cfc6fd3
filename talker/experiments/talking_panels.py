"""Three panels of what `talker.experiments.talking` found: lips, pictures and blinks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from talker.plots import BLUE, INK, ORANGE

SECONDS = 3.0  # of a clip


def _compare(axes: Axes, values: dict, rows: Sequence, title: str, unit: str) -> None:
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


def draw_measures(axes: Sequence[Axes], results: dict) -> None:
    """Draw into three axes what a results file says of its test clips."""
    values = results["values"]
    lips = [
        ("mouth\nopening", "r_opening", "r_opening_mismatched", "another clip"),
        ("mouth\nwidth", "r_width", "r_width_mismatched", "another clip"),
    ]
    _compare(axes[0], values, lips, "lips follow the true ones", "Pearson r")
    axes[0].set_xlim(-0.3, 1.9)  # room for the words
    axes[0].set_xticks([0, 0.5, 1])
    pictures = [
        ("whole", "psnr", "psnr_still", "still"),
        ("lower\nhalf", "psnr_lower", "psnr_lower_still", "still"),
    ]
    _compare(axes[1], values, pictures, "against copying the still", "PSNR in dB")
    axes[1].margins(x=0.6)
    bins = np.arange(-0.5, 5)
    test = np.array(results["per_clip"]["split"]) == "test"
    for key, colour, label in (
        ("blinks_per_second_real", ORANGE, "real"),
        ("blinks_per_second", BLUE, "generated"),
    ):
        counts = np.array(results["per_clip"][key])[test] * SECONDS
        axes[2].hist(counts, bins, histtype="step", color=colour, label=label, linewidth=1.6)
    axes[2].set_ylim(0, 1.45 * axes[2].get_ylim()[1])
    axes[2].legend(loc="upper center", frameon=False)
    axes[2].yaxis.set_major_locator(MaxNLocator(integer=True))
    axes[2].set_title("blinks in a clip of 3 s")
    axes[2].set_xlabel("blinks")
    axes[2].set_ylabel("clips", color=INK)
