"""Does the blink detector find the blinks of real people? Some clips of GRID, looked at by eye.

    python -m talker.experiments.blinks_grid GRID figures/results/blinks_grid.json
    python -m talker.experiments.blinks_grid figures/results/blinks_grid.json

Without GRID, the folder of its speakers, EAR is that of an earlier run: _ear.npy beside the results
file, float16 (clips, T) in the order of their names, NaN after a clip's end. The results file holds
what a person saw in enlarged frames, and the rest of it is worked out anew:

    counted   clip -> speaker, seen_before (whether the detector's thresholds were chosen with it in
              sight), blinks [last frame open before, lowest, first open after], and unclear:
              [first, last] frame of what is neither a blink nor none. There the lid covers the iris
              in part and never the pupil, or the clip ends with the eye shut.
    detected  clip -> [start, lowest, end] of each blink that the detector finds
    values    for clips not seen before, and for those that were: the summary of
              `talker.experiments.blink_validation`; what is found where it is unclear counts
              neither way, and in strict_precision as wrong
    detectors the same for each detector of `talker.experiments.blink_score`
    frames    clip -> how many it has
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
from tqdm import tqdm

from talker.experiments.blink_score import DETECTORS, PAPER, Detector, Scored, score, summary
from talker.experiments.report import circumstances, write_results
from talker.files import replacing
from talker.metrics.blinks import Blink, find_blinks
from talker.metrics.files import read_crops
from talker.metrics.pair import Footage
from talker.store import FPS


def clear(found: list[Blink], unclear: list[list[int]]) -> list[Blink]:
    """Those whose lowest point lies in none of the stretches, first to last frame."""
    return [
        blink for blink in found if not any(low <= blink.lowest <= high for low, high in unclear)
    ]


def compared(counted: dict[str, dict], found: dict[str, list[Blink]], seed: int = 0) -> dict:
    """The summary over the clips of `counted`."""
    rows: list[Scored] = []
    everything = 0
    for name, seen in counted.items():
        spans = [(start, end) for start, _, end in seen["blinks"]]
        rows.append(score(clear(found[name], seen["unclear"]), spans))
        everything += len(found[name])
    values = summary(rows, seed)
    strict = values["found"] / everything if everything else None
    return values | {"strict_precision": strict and round(strict, 5)}


def _parts(counted: dict, traces: dict[str, np.ndarray], detector: Detector, seed: int) -> dict:
    """The summaries of one detector: of clips not seen before, and of those that were."""
    found = {name: detector(ear, FPS) for name, ear in traces.items()}
    return {
        part: compared(
            {name: seen for name, seen in counted.items() if seen["seen_before"] is before},
            found,
            seed,
        )
        for part, before in (("unseen", False), ("seen_before", True))
    }


def decided(counted: dict[str, dict], traces: dict[str, np.ndarray], seed: int = 0) -> dict:
    """All of the results that follow from what was counted and from the EAR (T,) of each clip."""
    found = {name: find_blinks(ear, FPS) for name, ear in traces.items()}
    detectors = {
        name: _parts(counted, traces, detector, seed) for name, detector in DETECTORS.items()
    }
    return {
        "counted": counted,
        "detected": {n: [[b.start, b.lowest, b.end] for b in each] for n, each in found.items()},
        "frames": {name: len(ear) for name, ear in traces.items()},
        "values": detectors["ours"],
        "detectors": detectors,
        "paper": PAPER,
        "seed": seed,
    }


def recompute(out: Path, seed: int = 0) -> None:
    """Write the results file anew from the traces beside it."""
    kept = json.loads(out.read_text(encoding="utf-8"))
    names, rows = sorted(kept["counted"]), np.load(_beside(out)).astype(float)
    traces = {n: row[: kept["frames"][n]] for n, row in zip(names, rows, strict=True)}
    write_results(out, kept | decided(kept["counted"], traces, seed))


def main(grid: Path, out: Path, seed: int = 0) -> None:
    """Look for blinks in the clips that were counted and write the rest of the file."""
    began = time.monotonic()
    counted = json.loads(out.read_text(encoding="utf-8"))["counted"]
    traces = {}
    for name in tqdm(sorted(counted), desc="looking", unit="clip"):
        frames = read_crops(grid / counted[name]["speaker"] / f"{name}.mpg")
        traces[name] = Footage(frames).ear.astype(np.float16).astype(float)
    longest = max(map(len, traces.values()))
    with replacing(_beside(out)) as temporary, temporary.open("wb") as file:
        padded = [np.pad(e, (0, longest - len(e)), constant_values=np.nan) for e in traces.values()]
        np.save(file, np.array(padded, np.float16))
    results = decided(counted, traces, seed)
    results["circumstances"] = circumstances(
        time.monotonic() - began, corpus="GRID, talker 1 and five others", clips=len(counted)
    )
    write_results(out, results)


def _beside(out: Path) -> Path:
    return out.with_name(f"{out.stem}_ear.npy")


def _print(out: Path) -> None:
    detectors = json.loads(out.read_text(encoding="utf-8"))["detectors"]
    for name, parts in detectors.items():
        for part, values in parts.items():
            print(name, part, json.dumps(values))


if __name__ == "__main__":
    *of, target = (Path(argument) for argument in sys.argv[1:])
    main(of[0], target) if of else recompute(target)
    _print(target)
