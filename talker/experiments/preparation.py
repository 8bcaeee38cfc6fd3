"""What becomes of real recordings in preparation, and how fast corpora are prepared and rendered.

    python -m talker.experiments.preparation recordings GRID figures/results/preparation.json
    python -m talker.experiments.preparation speed GRID figures/results/preparation.json
    python -m talker.experiments.preparation rendering figures/results/preparation.json

Each line measures its part and leaves the others as they are. GRID is a folder with talker 1's
clips in GRID's layout and, in `speakers`, clips of others whose numbers are not known. The results
hold numbers and reasons, no picture; `load` is that of the machine as a part began, by others:

    grid       clips, kept, rejected with its reasons, odd with its notes, frames, landmarks: the
               report of `talker prepare`
    pose       what GRID's speakers do with their heads before a camera: over all clips, the median
               angle of a clip and the deviation within it, for each axis; per_speaker, their median
               angles; and how many clips LRW's rule would refuse, by the median and by any frame
    placement  per_speaker, pixels by which the mean places of the five points of alignment are off,
               at most, and over_3, the share of points in single frames that are further off than 3
    speed      `talker bench prepare`: over 1 to 32 clips, frames a second of one core, and memory
    rendering  `talker bench render`, and under wall_clock frames a second of the clock on two
               processes, with all that they need to start and to dress performers
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

from talker.bench import bench_prepare, bench_render
from talker.corpora import grid, lrw
from talker.corpora.clip import Clip
from talker.experiments.report import circumstances, write_results
from talker.faces import CANONICAL, CANONICAL_INDICES
from talker.metrics.intervals import bootstrap
from talker.pose import ANGLES
from talker.prepare import prepare
from talker.store import StoredClip, clips

CORPUS = "GRID, talker 1 and five others"
PROCESSES, PERFORMERS, CLIPS = 2, 4, 8  # of the rendering that is timed by the clock
FURTHEST = 3.0  # pixels of the crop


def recordings(root: Path) -> list[Clip]:
    """GRID's clips in `root`, and those below `root`/speakers, each as a speaker of its own."""
    found = grid.clips(root)
    for path in sorted((root / "speakers").glob("*.mpg")):
        name, text = f"unknown-{path.stem}", grid.spelled(path.stem)
        found.append(Clip("grid", f"{name}/{path.stem}", name, "train", path, path, text))
    return found


def poses(stored: list[StoredClip], largest: float) -> dict:
    """The part `pose`, of clips whose truth has pose (T, 3) in degrees."""
    medians, deviations, worst = [], [], []
    for clip in stored:
        pose = np.array(clip.truth["pose"])
        medians.append(np.median(pose, axis=0))
        deviations.append(pose.std(axis=0))
        worst.append(np.abs(pose).max())
    each = np.array(medians)
    speakers = np.array([clip.speaker for clip in stored])
    return {
        "median": {axis: bootstrap(each[:, k]) for k, axis in enumerate(ANGLES)},
        "deviation": {axis: bootstrap(np.array(deviations)[:, k]) for k, axis in enumerate(ANGLES)},
        "per_speaker": {
            str(name): dict(
                zip(
                    ANGLES, np.median(each[speakers == name], axis=0).round(1).tolist(), strict=True
                )
            )
            for name in np.unique(speakers)
        },
        "largest_angle": largest,
        "refused_by_median": int((np.abs(each).max(axis=1) > largest).sum()),
        "refused_by_any_frame": int((np.array(worst) > largest).sum()),
        "refused_by_axis": {
            axis: int((np.abs(each[:, k]) > largest).sum()) for k, axis in enumerate(ANGLES)
        },
    }


def placement(stored: list[StoredClip]) -> dict:
    """The part `placement`."""
    points = defaultdict(list)
    for clip in stored:
        points[clip.speaker].append(np.array(clip.truth["landmarks"])[:, list(CANONICAL_INDICES)])
    rows, away = {}, []
    for speaker, each in points.items():
        placed = np.concatenate(each)
        off = np.linalg.norm(placed.mean(axis=0) - CANONICAL, axis=-1)
        rows[speaker] = round(float(off.max()), 2)
        away.append(np.linalg.norm(placed - CANONICAL, axis=-1).ravel())
    share = float(np.mean(np.concatenate(away) > FURTHEST))
    return {"per_speaker": rows, "over_3": round(share, 5)}


def on_recordings(root: Path) -> dict:
    """The parts `grid`, `pose` and `placement`, of the recordings in `root`."""
    began, load = time.monotonic(), os.getloadavg()[0]
    corpus = dataclasses.replace(grid.CORPUS, clips=recordings)
    with tempfile.TemporaryDirectory() as folder:
        report = prepare(corpus, root, folder, workers=1)
        about = json.loads((Path(folder) / "corpus.json").read_text(encoding="utf-8"))
        stored = clips(folder)
        return {
            "grid": report,
            "pose": poses(stored, lrw.CORPUS.largest_angle),
            "placement": placement(stored),
            "circumstances": circumstances(
                time.monotonic() - began,
                corpus=CORPUS,
                clips=report["clips"],
                landmarks=about["landmarks"],
                load=round(load, 1),
                seed=0,  # of the intervals: nothing else is drawn by chance
            ),
        }


def of_speed(root: Path) -> dict:
    """The part `speed`, on the recordings in `root`."""
    began, load = time.monotonic(), os.getloadavg()[0]
    counts = bench_prepare([clip.video for clip in recordings(root)])
    how = circumstances(time.monotonic() - began, corpus=CORPUS, load=round(load, 1))
    return {"speed": {"counts": counts, "circumstances": how}}


def of_rendering(processes: int = PROCESSES) -> dict:
    """The part `rendering`, for which the machine should have nothing else to do."""
    from talker.corpora.rendered import FRAMES, render_corpus

    began, load, seed = time.monotonic(), os.getloadavg()[0], 0
    rows = bench_render()
    with tempfile.TemporaryDirectory() as folder:
        clock = time.perf_counter()
        render_corpus(Path(folder), PERFORMERS, CLIPS, seed, workers=processes)
        seconds = time.perf_counter() - clock
    frames = PERFORMERS * CLIPS * FRAMES
    how = circumstances(time.monotonic() - began, seed=seed, load=round(load, 1))
    wall_clock = {
        "processes": processes,
        "performers": PERFORMERS,
        "clips": PERFORMERS * CLIPS,
        "frames": frames,
        "seconds": round(seconds, 1),
        "frames_per_second": round(frames / seconds, 1),
    }
    return {"rendering": {"stages": rows, "wall_clock": wall_clock, "circumstances": how}}


def main(part: str, *paths: Path) -> None:
    """Measure a part and write it: "recordings" or "speed" of a folder with GRID, or "rendering".

    The last path is that of the results file; what it holds of other parts stays.
    """
    *of, out = paths
    measured = {"recordings": on_recordings, "speed": of_speed, "rendering": of_rendering}[part](
        *of
    )
    results = json.loads(out.read_text(encoding="utf-8")) if out.exists() else {}
    write_results(out, results | measured)
    print(json.dumps(measured, indent=1))


if __name__ == "__main__":
    main(sys.argv[1], *(Path(argument) for argument in sys.argv[2:]))
