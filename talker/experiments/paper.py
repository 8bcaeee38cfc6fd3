"""The paper's tables, as they stand beside our results: figures/results/paper_table*.csv."""

from __future__ import annotations

import csv
import math
from pathlib import Path

from talker.errors import TalkerError

RESULTS = Path(__file__).parents[2] / "figures" / "results"
# The tables' columns as metrics of `talker.metrics.registry`, and what one of their units is there.
COLUMNS = {
    "psnr": ("psnr", 1.0),
    "ssim": ("ssim", 1.0),
    "cpbd": ("cpbd", 1.0),
    "acd_e-4": ("acd", 1e-4),
    "wer_percent": ("wer", 0.01),
    "av_offset": ("av_offset", 1.0),
    "av_confidence": ("av_confidence", 1.0),
    "blinks_per_sec": ("blinks", 1.0),
    "blink_duration_sec": ("blink_duration", 1.0),
}


def read_table(name: str) -> list[dict[str, str | float | None]]:
    """The rows of a table, by column: metrics of our registry in its units, all else as text.

    None where the paper gives no number, or an infinite one. ACD and AV confidence are distances in
    the paper's own embeddings: they compare with ours only as shares of what real videos have.
    Raises TalkerError when the table is not there, as where only the package is installed.
    """
    path = RESULTS / name
    if not path.is_file():
        raise TalkerError(f"there is no {path}: run this experiment in a copy of the repository.")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [dict(_cell(column, text) for column, text in row.items()) for row in rows]


def _cell(column: str, text: str) -> tuple[str, str | float | None]:
    if column not in COLUMNS:
        return column, text
    name, unit = COLUMNS[column]
    value = float(text) if text else math.nan
    return name, round(value * unit, 8) if math.isfinite(value) else None
