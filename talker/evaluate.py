"""`talker evaluate`: every metric over a folder of generated videos and one of real ones.

    talker evaluate --generated made/ --real data/grid/ -o evaluation.json

`talker.metrics.files` says how videos are matched and read. The results file holds the value of
each metric for each clip, so that anything can be worked out again from it:

    metrics     name -> column, unit, best, and for "generated" and "real" value, low, high (95 %
                bootstrap interval over clips), clips, left_out (clips without a finite value)
    identity    mean embedding distance of the stills of different people, to hold ACD against;
                people are the folders that hold the real videos
    per_clip    clip: names; generated, real: name -> values in that order; null where undefined,
                and where infinite (PSNR of equal frames)
    notes       sentences on what was left out or cut
    seed, versions, detector, embedding, weights

A clip is held in memory while it is measured and no longer, so memory does not grow with clips.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import nullcontext
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
import torch
from tqdm import tqdm

from talker import __version__
from talker.cluster import cores
from talker.errors import TalkerError
from talker.evaluators.face_embedding import find_embedding
from talker.faces import find_detector
from talker.files import replacing
from talker.metrics.files import find_pairs, read_pair
from talker.metrics.identity import different_people
from talker.metrics.intervals import bootstrap
from talker.metrics.pair import Weights
from talker.metrics.registry import Metric, chosen, measure, measure_real
from talker.versions import versions

_MOST_STILLS = 500  # their distances grow with the square
_PACKAGES = (
    *("av", "cpbd-py312", "dlib-bin", "jiwer", "numpy", "opencv-python-headless", "scipy", "torch"),
    "torchmetrics",
)


@dataclass
class Measured:
    """What one pair of files gave: values by metric, or nothing and the reason in the notes."""

    clip: str
    speaker: str
    frames: int = 0  # compared
    generated: dict[str, float] | None = None
    real: dict[str, float] | None = None
    still: np.ndarray | None = None  # the real video's, where identity is measured
    notes: list[str] = field(default_factory=list)


def measure_files(
    task: tuple[str, Path, Path],
    names: tuple[str, ...] = (),
    aligned: bool = False,
    weights: Weights | None = None,
) -> Measured:
    """The metrics of these names, all where none is given, of one pair of files.

    task: name, generated file, real file. Files that cannot be used leave a note.
    """
    name, generated, real = task
    metrics = chosen(names)
    found = Measured(name, real.parent.as_posix())
    try:
        pair, note = read_pair(generated, real, aligned, weights)
    except TalkerError as error:
        found.notes.append(f"{name} was left out: {error}")
        return found
    found.frames = len(pair.real.frames)
    if note:
        found.notes.append(f"{name}: {note}")
    found.generated, found.real = measure(pair, metrics), measure_real(pair, metrics)
    if "acd" in metrics:
        found.still = pair.real.still
    return found


def in_worker() -> None:
    """One thread: processes share the cores already."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)


def _each(tasks: list, work: Callable[..., Measured], workers: int) -> Iterable[Measured]:
    """Measured pairs in the order of the tasks."""
    if workers == 1:
        yield from map(work, tasks)
        return
    with ProcessPoolExecutor(workers, get_context("spawn"), initializer=in_worker) as pool:
        try:
            yield from pool.map(work, tasks)
        except BrokenProcessPool as error:
            raise TalkerError(
                "a worker process died, perhaps for want of memory: run with --workers 1."
            ) from error


def evaluate(
    generated: Path | str,
    real: Path | str,
    out: Path | str | None = None,
    metrics: tuple[str, ...] = (),
    workers: int = 0,
    aligned: bool = False,
    weights: Weights | None = None,
    seed: int = 0,
) -> dict:
    """Measure all pairs of two folders; returns what the module's docstring says.

    Args:
        out: where to write it as JSON.
        metrics: names from the registry; all of it where none is given.
        workers: processes; 0 takes one for each core.
        aligned: frames of any size are crops of the canonical face.
        weights: files for the evaluator networks, instead of those of the package.
        seed: of the bootstrap.

    Raises:
        TalkerError: there is nothing to compare, no metric of that name, or no place for `out`.
    """
    # Whether it can be written shows now, and not after all clips have been measured.
    with replacing(out) if out is not None else nullcontext() as temporary:
        weights = weights or Weights()
        results = _measured(Path(generated), Path(real), metrics, workers, aligned, weights, seed)
        if temporary is not None:
            text = json.dumps(_finite(results), indent=1, allow_nan=False) + "\n"
            temporary.write_text(text, encoding="utf-8")
    return results


def _measured(
    generated: Path,
    real: Path,
    metrics: Sequence[str],
    workers: int,
    aligned: bool,
    weights: Weights,
    seed: int,
) -> dict:
    wanted = chosen(tuple(metrics))
    tasks, notes = find_pairs(generated, real)
    workers = min(len(tasks), workers or cores())
    work = functools.partial(measure_files, names=tuple(wanted), aligned=aligned, weights=weights)
    rows = []
    with tqdm(total=len(tasks), unit="clip", desc="evaluating") as bar:
        for row in _each(tasks, work, workers):
            notes += row.notes
            if row.generated is not None:
                rows.append(row)
            bar.update()
    if not rows:
        raise TalkerError(f"nothing can be compared: {notes[-1]}")
    return _summary(rows, wanted, seed) | {
        "generated_folder": str(generated),
        "real_folder": str(real),
        "notes": notes,
        "seed": seed,
        "versions": {"talker": __version__, **versions(_PACKAGES)},
        "detector": type(find_detector()).__name__,
        "embedding": find_embedding().name if "acd" in wanted else None,
        "weights": {name: path and str(path) for name, path in vars(weights).items()},
    }


def _summary(rows: list[Measured], metrics: dict[str, Metric], seed: int) -> dict:
    sides = {
        side: {name: [getattr(row, side)[name] for row in rows] for name in getattr(rows[0], side)}
        for side in ("generated", "real")
    }
    summary = {}
    for name, metric in metrics.items():
        summary[name] = metric.about | {
            side: bootstrap(columns[name], metric.statistic, seed=seed)
            for side, columns in sides.items()
            if name in columns
        }
    every = -(-len(rows) // _MOST_STILLS)
    stills = [row for row in rows[::every] if row.still is not None]
    apart = (
        different_people(np.stack([row.still for row in stills]), [row.speaker for row in stills])
        if stills
        else float("nan")
    )
    return {
        "metrics": summary,
        "identity": {"different_people": apart},
        "per_clip": {"clip": [row.clip for row in rows], **sides},
    }


def _finite(value):
    """The same with None for numbers that JSON has not: NaN and infinities."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def table(results: dict) -> str:
    """The results as the paper's tables have them: a row each of generated and real videos."""
    columns = [["", "generated", "real"]]
    for name, metric in results["metrics"].items():
        cells = []
        for side in ("generated", "real"):
            values = results["per_clip"][side].get(name, [])
            cells.append(_cell(metric.get(side), values))
        columns.append([metric["column"], *cells])
    widths = [max(map(len, column)) for column in columns]
    lines = [
        "  ".join(
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in zip(*columns, strict=True)
    ]
    return "\n".join(line.rstrip() for line in lines)


def _cell(summary: dict | None, values: list[float]) -> str:
    if summary is None or summary["value"] is None:
        return "inf" if values and all(value == math.inf for value in values) else "-"
    half = (summary["high"] - summary["low"]) / 2
    return f"{summary['value']:.3f} ±{half:.3f}"
