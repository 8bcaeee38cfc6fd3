"""What a stored clip costs, and how fast it is read, for each of several ways to store it.

    python -m talker.experiments.storage CORPUS figures/results/storage.json

The measuring is `talker bench store`'s; this writes it down with how it came about.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from talker.bench import NEEDED, WINDOW, bench_store
from talker.experiments.report import circumstances, write_results


def main(corpus: Path, out: Path) -> None:
    """Measure on the corpus and write the results file."""
    began = time.monotonic()
    rows = [{key: row[key] for key in row if key != "needed"} for row in bench_store(corpus)]
    results = {
        "ways": rows,
        "frames_of_a_window": WINDOW,
        "windows_needed": NEEDED,
        "circumstances": circumstances(time.monotonic() - began, corpus=corpus.name),
    }
    write_results(out, results)
    for row in rows:
        print(row)


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:3]))
