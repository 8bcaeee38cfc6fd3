"""What the clips of `talker.experiments.talking` add up to: tables of a split, and of each person.

A row is a clip: what it is (`ABOUT`), numbers, counts of closed lips and of `closures` that there
should be, and lists with a value for each blink of the clip.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from talker.metrics.intervals import bootstrap, ratio_bootstrap

ABOUT = ("clip", "speaker", "split", "skin")
Row = dict[str, Any]


def table(rows: list[Row]) -> dict[str, dict[str, float | int | None]]:
    """Each measure over the clips of `rows` with its 95 % interval over speakers; {} without any.

    Medians over clips, but means of blinks a second, whose median over clips of a few seconds can
    only be 0, 1, 2 ... blinks; medians over all blinks; shares of all closures.
    """
    values, people = {}, [row["speaker"] for row in rows]
    for name, column in _columns(rows).items():
        if name in ABOUT or name == "closures":
            continue
        if name.startswith("closed"):
            values[name] = share(column, [row["closures"] for row in rows], people)
        elif isinstance(column[0], list):
            values[name] = pooled_median(column, people)
        else:
            statistic = np.mean if name.startswith("blinks") else np.median
            values[name] = bootstrap(column, statistic, groups=people)
    return values


def share(
    made: Sequence[float], wanted: Sequence[int], people: Sequence[str]
) -> dict[str, float | int | None]:
    """Of all closures that are wanted, those that were made; clips without are left out.

    people: the speaker of each clip. The number of closures comes along as `closures`, that of
    clips as `clips`.
    """
    each = zip(made, wanted, people, strict=True)
    kept = [row for row in each if row[1] and math.isfinite(row[0])]
    found, due, groups = ([row[which] for row in kept] for which in range(3))
    told = ratio_bootstrap(found, due, groups=groups)
    return told | {"clips": len(kept), "closures": int(sum(due))}


def pooled_median(
    lists: Sequence[list[float]], people: Sequence[str]
) -> dict[str, float | int | None]:
    """The median of all values of all clips, a list each, with its 95 % interval over speakers.

    Speakers are drawn and not values: the blinks of a clip are of one face, so that they tell less
    than as many of many faces would. people: the speaker of each clip. `pooled` is the number of
    values.
    """
    some = [np.asarray(values, float) for values in lists if values]
    groups = [person for person, values in zip(people, lists, strict=True) if values]

    def median(drawn: np.ndarray) -> float:
        return float(np.median(np.concatenate([some[number] for number in drawn.astype(int)])))

    found = bootstrap(np.arange(len(some)), median, groups=groups)
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
                wanted = [row["closures"] for row in own]
                person[name] = share(column, wanted, [speaker] * len(own))["value"]
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
