"""What each departure of `laptop` from the paper is worth: with it minus without it.

Reads results/departures.json, writes fig_departures.png.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from talker.experiments.departures import ADVERSARIAL, SCRATCH, base_of
from talker.experiments.panels import GREY, SMALL
from talker.experiments.report import manifest, write_results
from talker.plots import BLUE, INK, STYLE, VERMILION, WIDTH

HERE = Path(__file__).parent
FAMILIES = {
    "Reconstruction from random weights": SCRATCH,
    "Eq. 7 from the shipped weights": ADVERSARIAL,
}
SEEDS = ("another-seed", "another-seed-on")  # what chance alone does
NAMES = {
    "another-seed": "another seed",
    "no-freeze": "norms: statistics of each batch",
    "group-norm": "group norm",
    "no-injection": "codes enter at the bottom only",
    "no-composition": "pixels from nothing, not on the still",
    "no-skip-64": "no skip at 64x48",
    "no-lips": "no reading of lips off $z_c$",
    "same-voices": "voices not altered",
    "same-pictures": "pictures not altered",
    "no-emphasis": "L1: mouth and eyes as the rest",
    "no-warm-up": "Eq. 7 from the first step",
    "another-seed-on": "another seed",
    "l1-600": "L1 weighs 600",
    "no-eyes": "no L1 of the eyes",
    "no-still": "rest not held to the still",
    "judge-rest": "all of the frame judged",
    "every-frame": "sequences of neighbouring frames",
    "even-l1": "L1: mouth as the rest",
    "slow-critics": "critics as slow as the paper's",
    "no-clipping": "no clipping of gradients",
    "no-average": "no average of weights",
}
PANELS = {
    "r_opening": "r opening",
    "r_width": "r width",
    "closed": "closures",
    "psnr_lower_gain": "PSNR low., dB",
    "cpbd_ratio": "CPBD of real",
    "blinks_per_second": "blinks/sec",
}
NEUTRAL = "blinks_per_second"  # more is not better


def _mark(axes: Axes, y: float, effect: Mapping[str, Any], neutral: bool) -> None:
    """A difference with its interval: filled where 0 is outside, blue for and red against."""
    low, middle, high = (effect[key] for key in ("low", "value", "high"))
    clear = low > 0 or high < 0
    colour = INK if neutral or not clear else BLUE if middle > 0 else VERMILION
    shape = "o" if neutral or not clear else ">" if middle > 0 else "<"
    axes.plot([low, high], [y, y], color=colour, linewidth=1.3)
    axes.plot(middle, y, shape, ms=4, mec=colour, mfc=colour if clear else "white")


def _panel(axes: Axes, names: list[str], variants: Mapping[str, Any], measure: str) -> None:
    """A row for each variant of a family, grey where chance alone reaches."""
    for place, name in enumerate(reversed(names)):
        effect = variants[name].get("difference", {}).get(measure)
        if effect is None or effect["value"] is None:
            continue
        if name in SEEDS:
            reach = max(abs(effect["low"]), abs(effect["high"]))
            axes.axvspan(-reach, reach, color=GREY, alpha=0.35, linewidth=0)
        _mark(axes, place, effect, measure == NEUTRAL)
    axes.axvline(0, color=INK, linewidth=0.6)
    axes.set_ylim(-0.6, len(names) - 0.4)
    axes.tick_params(axis="y", length=0, labelsize=8)
    axes.tick_params(axis="x", labelsize=SMALL)
    axes.locator_params(axis="x", nbins=3)


def draw(results: dict) -> Figure:
    """The figure for the content of departures.json."""
    variants = results["variants"]
    families = {
        title: [name for name in family if name in variants and name != base_of(name)]
        for title, family in FAMILIES.items()
    }
    families = {title: names for title, names in families.items() if names}
    heights = [0.2 * len(names) + 0.5 for names in families.values()]
    figure = plt.figure(figsize=(WIDTH, sum(heights) + 1.1))
    grid = figure.add_gridspec(len(families), len(PANELS), height_ratios=heights)
    for row, (title, names) in enumerate(families.items()):
        for column, (measure, label) in enumerate(PANELS.items()):
            axes = figure.add_subplot(grid[row, column])
            _panel(axes, names, variants, measure)
            shown = [NAMES[name] for name in reversed(names)] if column == 0 else []
            axes.set_yticks(range(len(names)), shown) if shown else axes.set_yticks([])
            axes.set_title(label, fontsize=8, loc="center")
        figure.axes[-len(PANELS)].set_ylabel(title, fontsize=8)
    marks = {
        "with it, better": Line2D([], [], color=BLUE, marker=">", ms=4),
        "with it, worse": Line2D([], [], color=VERMILION, marker="<", ms=4),
        "undecided": Line2D([], [], color=INK, marker="o", ms=4, mfc="white"),
        "another seed's reach": Line2D([], [], color=GREY, linewidth=6, alpha=0.5),
    }
    figure.legend(
        handles=list(marks.values()),
        labels=list(marks),
        loc="outside upper center",
        ncols=len(marks),
        fontsize=SMALL,
    )
    figure.supxlabel(textwrap.fill(_note(results), 120), fontsize=SMALL, x=0.01, ha="left")
    return figure


def _note(results: dict) -> str:
    """How it was measured, and which variants cannot be trained."""
    about, variants = results["circumstances"], results["variants"]
    failed = [NAMES[name] for name, row in variants.items() if "problem" in row]
    lost = f" Not finite: {', '.join(failed)}." if failed else ""
    return (
        "A row is what one departure is replaced by; shown is the preset laptop minus that, the "
        f"median over the same {about['clips']} clips of {about['speakers']} performers of the "
        "validation split (mean of blinks, share of all closures) with 95 % intervals over these. "
        "One short training of each: an effect within another seed's reach may be chance." + lost
    )


def main() -> None:
    """Draw the figure."""
    results = json.loads((HERE / "results/departures.json").read_text(encoding="utf-8"))
    with plt.rc_context(STYLE):
        figure = draw(results)
        figure.savefig(HERE / "fig_departures.png", dpi=150, metadata={"Software": None})
        plt.close(figure)
    write_results(HERE / "manifest.json", manifest(HERE))


if __name__ == "__main__":
    main()
