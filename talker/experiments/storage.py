"""What a stored clip costs, and how fast it is read, for each of several ways to store it.

    python -m talker.experiments.storage CORPUS figures/results/storage.json

The measuring is `talker bench store`'s; this writes it down with how it came about. Beside the
results has to lie training_log.jsonl, the log of a run of preset `laptop`
(`talker.experiments.training_log`): how fast its warm-up would take windows if it never had to wait
for them is what reading is held against, `windows_needed`.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

from talker.bench import WINDOW, bench_store
from talker.config import preset
from talker.experiments.report import circumstances, write_results
from talker.experiments.training_log import read_log


def windows_needed(log: list[dict[str, float]], clips: int) -> float:
    """Windows a second that a warm-up with so many clips a step takes, the reading left out."""
    seconds = [row["seconds"] * (1 - row["data_share"]) for row in log if "data_share" in row]
    return round(clips / float(np.median(seconds)), 1)


def main(corpus: Path, out: Path) -> None:
    """Measure on the corpus and write the results file."""
    began = time.monotonic()
    log = [row for row in read_log(out.with_name("training_log.jsonl")) if "img" not in row]
    results = {
        "ways": bench_store(corpus),
        "frames_of_a_window": WINDOW,
        "windows_needed": windows_needed(log, preset("laptop").train.clips),
        "circumstances": circumstances(time.monotonic() - began, corpus=corpus.name),
    }
    write_results(out, results)
    for row in results["ways"]:
        print(row)


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:3]))
