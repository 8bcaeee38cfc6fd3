"""What the clips of `talker.experiments.talking` add up to: tables of a split, and of each person.

A row is a clip: what it is (`ABOUT`), numbers, counts of closed lips and of `closures` that there
should be, and lists with a value for each blink of the clip.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from talker.metrics.intervals import bootstrap, ratio_bootstrap

ABOUT = ("clip", "speaker", "split", "skin")
Row = dict[str, Any]


def table(rows: list[Row]) -> dict[str, dict[str, float | int | None]]:
    """Each measure over the clips of `rows` with its 95 % interval; empty without any.

    Medians over clips, but means of blinks a second, whose median over clips of a few seconds can
    only be 0, 1, 2 ... blinks; medians over all blinks; shares of all closures.
    """
    values = {}
    for name, column in _columns(rows).items():
        if name in ABOUT or name == "closures":
            continue
        if name.startswith("closed"):
            values[name] = share(column, [row["closures"] for row in rows])
        elif isinstance(column[0], list):
            values[name] = pooled_median(column)
        else:
            values[name] = bootstrap(column, np.mean if name.startswith("blinks") else np.median)
    return values


def share(made: list[float], wanted: list[int]) -> dict[str, float | int | None]:
    """Of all closures that are wanted, those that were made; clips without are left out.

    Their number comes along as `closures`, that of clips as `clips`.
    """
    pairs = [(m, w) for m, w in zip(made, wanted, strict=True) if w and math.isfinite(m)]
    found, due = ([pair[which] for pair in pairs] for which in (0, 1))
    return ratio_bootstrap(found, due) | {"clips": len(pairs), "closures": int(sum(due))}


def pooled_median(lists: list[list[float]]) -> dict[str, float | int | None]:
    """The median of all values of all clips, a list each, with its 95 % interval over clips.

    Clips are drawn and not values: the blinks of a clip are of one face, so that they tell less
    than as many of many faces would. `pooled` is the number of values.
    """
    some = [np.asarray(values, float) for values in lists if values]

    def median(drawn: np.ndarray) -> float:
        return float(np.median(np.concatenate([some[number] for number in drawn.astype(int)])))

    found = bootstrap(np.arange(len(some)), median)
    return found | {"left_out": len(lists) - len(some), "pooled": sum(map(len, some))}


def performers(rows: list[Row]) -> dict[str, Row]:
    """For each speaker split, skin (level on Monk's scale), number of clips and the measures.

    Those are what they are in `table`, without an interval.
    """
    people = {}
    for speaker in dict.fromkeys(row["speaker"] for row in rows):
        own = [row for row in rows if row["speaker"] == speaker]
        person = {"split": own[0]["split"], "skin": own[0]["skin"], "clips": len(own)}
        for name, column in _columns(own).items():
            if name in ABOUT:
                continue
            if name == "closures":
                person[name] = int(sum(column))
            elif name.startswith("closed"):
                person[name] = share(column, [row["closures"] for row in own])["value"]
            else:
                flat = np.concatenate([np.atleast_1d(value).astype(float) for value in column])
                flat = flat[np.isfinite(flat)]
                middle = np.mean if name.startswith("blinks") else np.median
                person[name] = round(float(middle(flat)), 5) if len(flat) else None
        people[speaker] = person
    return people


def columns(rows: list[Row]) -> dict[str, list]:
    """Rows as a list for each of their names; what is not finite is null in a results file."""

    def plain(value: Any) -> Any:
        return None if isinstance(value, float) and not math.isfinite(value) else value

    return {name: [plain(value) for value in column] for name, column in _columns(rows).items()}


def _columns(rows: list[Row]) -> dict[str, list]:
    return {name: [row[name] for row in rows] for name in rows[0]} if rows else {}
