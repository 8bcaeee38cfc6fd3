"""The log of a long training, made short enough to come with the book.

    python -m talker.experiments.training_log RUN figures/results/training_log.jsonl

A run says something of every step. Here a row is the mean of a block of steps, and no block has
steps of both phases; single steps are so noisy that each of them would have to be kept to see a
curve. What validation measured is left as it is, in rows of its own. Beside it, in training.json,
stand the circumstances, and what the log comes down to.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from talker.errors import TalkerError
from talker.experiments.report import circumstances, write_results
from talker.files import replacing

ROWS = 700  # of blocks, about
VALIDATION = "validation_"
# Beliefs of the three discriminators whose difference says what each has to say.
GAPS = (
    ("frame_real", "frame_fake"),
    ("sequence_real", "sequence_fake"),
    ("sync_real", "sync_shifted"),
    ("sync_real", "sync_fake"),
)
Row = dict[str, float]


def read_log(path: Path) -> list[Row]:
    """The rows of a log.jsonl; raises TalkerError when the file is missing, empty or no such log.

    A last line that is cut off, as in a run that goes on, is left out.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        rows = [json.loads(line) for line in lines if line.endswith("}")]
        if rows and all("step" in row for row in rows):
            return rows
    except (OSError, ValueError) as error:
        raise TalkerError(f"{path} cannot be read as the log of a run: {error}") from error
    raise TalkerError(f"{path} has no steps in it: name the folder of a run.")


def shortened(rows: list[Row], count: int = ROWS) -> list[Row]:
    """Means over blocks of equally many steps, about `count` of them, and the validations.

    A mean is over the steps of the block that have the column; `step` is the last of the block, a
    validation comes after the block that it falls in. Only the adversarial phase has `img`.
    """
    size = max(1, round(len(rows) / count))
    short = []
    for phase in (False, True):
        own = [row for row in rows if ("img" in row) == phase]
        for start in range(0, len(own), size):
            block = own[start : start + size]
            short.append(_mean(block))
            for row in block:
                if any(name.startswith(VALIDATION) for name in row):
                    short.append(
                        {k: v for k, v in row.items() if k.startswith((VALIDATION, "step"))}
                    )
    return short


def _mean(block: list[Row]) -> Row:
    names = dict.fromkeys(name for row in block for name in row if not name.startswith(VALIDATION))
    means = {n: round(float(np.mean([r[n] for r in block if n in r])), 5) for n in names}
    return means | {"step": block[-1]["step"]}


def summary(rows: list[Row]) -> dict:
    """What a whole log comes down to: steps of both phases, hours, and medians of the last quarter.

    `adversarial_from` is the first step with discriminators, None where it has not come to that.
    `hours` are those spent in steps; validation, samples and saving come on top. `ratio` is that of
    the weighted L1 to the adversarial loss, which the paper wants to be about 3.
    """
    judged = [row for row in rows if "img" in row]
    late = judged[-max(1, len(judged) // 4) :]
    validated = [row for row in rows if f"{VALIDATION}sync" in row]
    best = max(
        (row for row in validated if "img" in row),
        key=lambda r: r[f"{VALIDATION}sync"],
        default=None,
    )
    ratios = [row["l1_to_adversarial"] for row in late if "l1_to_adversarial" in row]
    return {
        "steps": rows[-1]["step"],
        "adversarial_from": judged[0]["step"] if judged else None,
        "hours": round(sum(row.get("seconds", 0.0) for row in rows) / 3600, 2),
        "ratio": round(float(np.median(ratios)), 3) if ratios else None,
        "gaps": {f"{a} - {b}": _gap(late, a, b) for a, b in GAPS},
        "validations": len(validated),
        "best": best and {k: v for k, v in best.items() if k.startswith((VALIDATION, "step"))},
    }


def _gap(rows: list[Row], real: str, other: str) -> float | None:
    """The median by which one belief lies above another, over the rows that have both."""
    gaps = [row[real] - row[other] for row in rows if real in row and other in row]
    return round(float(np.median(gaps)), 4) if gaps else None


def main(run: Path, out: Path, rows: int = ROWS) -> None:
    """Write the short log of the folder `run` to `out`, and training.json beside it."""
    log = read_log(run / "log.jsonl")
    try:
        config = json.loads((run / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TalkerError(f"{run} has no configuration that can be read: {error}") from error
    short = shortened(log, rows)
    with replacing(out) as path:
        path.write_text("".join(json.dumps(row) + "\n" for row in short), encoding="utf-8")
    told = summary(log)
    # Of this commit and machine; a run is continued under several, and keeps no record of them.
    about = circumstances(3600 * told["hours"], rows=len(short), rows_of_the_run=len(log))
    seed = config["train"]["seed"]
    results = {"values": told, "seed": seed, "config": config, "circumstances": about}
    write_results(out.with_name("training.json"), results)
    print(f"{out}: {len(short)} rows of {len(log)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
