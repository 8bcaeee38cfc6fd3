"""What figures of the paper's tables share: values beside the paper's, and its claims."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from matplotlib.axes import Axes

from talker.experiments.claims import NOT_REPRODUCED, NOT_TESTED, REPRODUCED, UNDECIDED
from talker.plots import GREEN, INK, VERMILION

# A verdict has a sign, too: colours are not for everybody.
SIGNS = {
    REPRODUCED: ("✓", GREEN),
    NOT_REPRODUCED: ("✗", VERMILION),
    UNDECIDED: ("?", INK),
    NOT_TESTED: ("–", INK),
}
SMALL, GREY = 7.5, "#bbbbbb"
# Of `talker.experiments.ablation`, in the order of Table 5.
ABLATED = {
    "real": "real videos",
    "full": "full model",
    "no-adv": r"no $L_{adv}$",
    "no-l1": r"no $L_{L1}$",
    "no-img": r"no $L_{img}$",
    "no-sync": r"no $L_{sync}$",
    "no-seq": r"no $L_{seq}$",
}
# Where the columns of claims begin, as shares of the width.
CLAIM, MEASURE, DIFFERENCE, VERDICT, WORD = 0.0, 0.435, 0.56, 0.84, 0.867


class Line(NamedTuple):
    """A model in a panel: its name, the colour of ours, our value, and the paper's.

    ours: value, low and high, None where there is none; theirs: values, each with its marker.
    """

    name: str
    colour: str
    ours: Mapping[str, float | None] | None
    theirs: Sequence[tuple[float, str]] = ()


def in_units(value: Mapping[str, Any] | None, unit: float | None) -> dict[str, float | None] | None:
    """A value and its interval in other units; None where either is not known."""
    if value is None or value["value"] is None or not unit:
        return None
    return {key: value[key] / unit for key in ("value", "low", "high")}


def value_panel(axes: Axes, lines: Sequence[Line], title: str, named: bool) -> None:
    """A line for each model: ours filled, with its interval; the paper's hollow, below it."""
    for place, line in enumerate(reversed(lines)):
        if line.ours is not None and line.ours["value"] is not None:
            low, middle, high = (line.ours[key] for key in ("low", "value", "high"))
            axes.plot([low, high], [place + 0.12] * 2, color=line.colour, linewidth=1.6)
            axes.plot(middle, place + 0.12, "o", color=line.colour, markersize=4)
        for at, marker in line.theirs:
            axes.plot(at, place - 0.16, marker, ms=4, mfc="white", mec=VERMILION, mew=1.1)
    axes.set_yticks(range(len(lines)), [line.name for line in reversed(lines)] if named else [])
    axes.tick_params(axis="y", length=0, labelsize=8)
    axes.tick_params(axis="x", labelsize=SMALL)
    axes.locator_params(axis="x", nbins=4)
    axes.margins(x=0.08)
    axes.set_ylim(-0.6, len(lines) - 0.4)
    axes.set_title(title, fontsize=8.5)


def metric_title(name: str, about: Mapping[str, str], relative_to: str | None = None) -> str:
    """A metric's column and unit, `about` it as results files say; or whose value is 1."""
    unit = about["unit"] if relative_to is None else f"{relative_to} = 1"
    within = not unit or unit in about["column"] or name in ("blinks", "blink_duration")
    return about["column"] if within else f"{about['column']}, {unit}"


def claim_lines(axes: Axes, claims: Sequence[dict], measures: Mapping[str, str]) -> None:
    """The paper's claims, a line each: what is said, our difference, our verdict.

    claims: as `talker.experiments.claims.decide` tells them; measures: their names by the metric.
    """
    axes.set(xlim=(0, 1), ylim=(-0.7, len(claims) + 0.4))
    axes.set_axis_off()
    titles = {CLAIM: "the paper's claim", MEASURE: "by", DIFFERENCE: "difference [95 %]"}
    for at, title in (titles | {VERDICT: "verdict"}).items():
        axes.text(at, len(claims) - 0.1, title, va="center", fontsize=8, weight="bold")
    for row, claim in enumerate(claims):
        y = len(claims) - 1 - row
        sign, colour = SIGNS[claim["verdict"]]
        measure = measures[claim["measure"]]
        if claim["less"]:
            measure = f"{measure} – lower"
        texts = {CLAIM: claim["says"], MEASURE: measure, DIFFERENCE: _said(claim)}
        for at, text in texts.items():
            axes.text(at, y, text, va="center", fontsize=SMALL)
        axes.text(VERDICT, y, sign, va="center", fontsize=9, color=colour, weight="bold")
        axes.text(WORD, y, claim["verdict"], va="center", fontsize=SMALL, color=colour)


def _said(claim: dict) -> str:
    """The difference that decides a claim, with its interval."""
    effect = claim["against"][claim["decided_by"]]["effect"]
    if effect["value"] is None:
        return "nothing to measure"
    # As many decimals as the interval's width has a use for.
    width = max(effect["high"] - effect["low"], 1e-9)
    digits = max(0, 1 - math.floor(math.log10(width)))
    middle, low, high = (f"{effect[key]:+.{digits}f}" for key in ("value", "low", "high"))
    return f"{middle} [{low}, {high}]".replace("-", "−")
