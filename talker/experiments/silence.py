"""Does the mouth rest when nobody speaks (Fig. 17)? Motion in silence, of real and made faces.

    python -m talker.experiments.silence CORPUS RUNS figures/results/silence.json [NAME ...]

A model that makes every frame by itself guesses a mouth for silence anew each time, so that it
trembles. Silence is where no phoneme is within `MARGIN` seconds, as the truth of a rendering has
them; speech is within one. Films are the real clips, what each method makes of them (see
`talker.experiments.held_out`; "ours" where none is named), and "still", copies of the still, for
what compression and the detector do by themselves. "mesh" is the real clip with the landmarks of
its mesh, in which no detector trembles.

values, for each film and each measure: silence and speech, means over clips; and ratio, of the
first sum over clips to the second. Measures:

mouth      mean length of the mouth's motion, without that of the head, in pixels from frame to
           frame: of its pixels, or of a mesh its lips. A head that sways carries its mouth along,
           and only real ones do
jitter     mean second difference in time of the 20 landmarks of the lips, about their middle, in
           thousandths of the distance of the eyes: what trembles and not what moves on

`against_real` is the sum over clips of a film's motion in silence divided by that of the real clip.
Intervals of 95 % are over speakers. Beside the results file: _strip.png, frames of one silence.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from talker.emphasis import MOUTH, rectangle
from talker.errors import TalkerError
from talker.experiments.held_out import (
    OURS,
    REAL,
    about_weights,
    as_stored,
    films,
    held_out,
    methods,
)
from talker.experiments.report import circumstances, write_results
from talker.faces import Detector, DlibDetector, similarity
from talker.media import write_image
from talker.metrics.closure import runs as stretches
from talker.metrics.intervals import bootstrap, ratio_bootstrap
from talker.metrics.landmarks import inter_ocular_distance
from talker.metrics.motion import optical_flow
from talker.metrics.reconstruction import lower_half
from talker.store import FPS, StoredClip
from talker.tracking import fit_crops

MARGIN = 0.15  # seconds: lips part before the sound, and close after it
LIPS = slice(48, 68)
# What goes with the head, whatever mouth and lids do: nose and upper cheeks, as shares of the rows
# and columns of the canonical face; landmarks of the nose and the corners of the eyes.
HEAD = (50 / 128, 72 / 128, 26 / 96, 70 / 96)
HEAD_INDICES = (*range(27, 32), 33, 35, 36, 39, 42, 45)
STILL, MESH = "still", "mesh"
SHOWN = 9  # frames of the strip
Row = dict[str, dict[str, tuple[float, float]]]


def silent(phonemes: Sequence[dict], frames: int, fps: float, margin: float = MARGIN) -> np.ndarray:
    """Frames (T,) bool whose middle is at least `margin` seconds from every phoneme.

    phonemes: with `start` and `end` in seconds, as a rendered clip's truth has them.
    """
    return ~_near(phonemes, frames, fps, margin)


def spoken(phonemes: Sequence[dict], frames: int, fps: float) -> np.ndarray:
    """Frames (T,) bool whose middle is within a phoneme."""
    return _near(phonemes, frames, fps, 0)


def _near(phonemes: Sequence[dict], frames: int, fps: float, margin: float) -> np.ndarray:
    middle = (np.arange(frames) + 0.5) / fps
    near = np.zeros(frames, bool)
    for phoneme in phonemes:
        near |= (middle >= phoneme["start"] - margin) & (middle < phoneme["end"] + margin)
    return near


def together(mask: np.ndarray, count: int) -> np.ndarray:
    """Where `count` frames in a row are all of `mask` (T,), by the first of them: (T - count + 1,).

    So a difference of two frames, or a second one of three, is of silence alone.
    """
    return np.lib.stride_tricks.sliding_window_view(mask, count).all(axis=1)


def without_head(points: np.ndarray, motion: np.ndarray, head: np.ndarray) -> np.ndarray:
    """The motion (N, 2) of points (N, 2) that is left when the head's own is taken away.

    head: numbers of the points whose motion is the head's: a similarity is fitted to it.
    """
    matrix = similarity(points[head], (points + motion)[head])
    return points + motion - (points @ matrix[:, :2].T + matrix[:, 2])


def mouth_motion(frames: np.ndarray) -> np.ndarray:
    """Mean length of the mouth's motion in frames (T, H, W, 3), without the head's: (T - 1,).

    In pixels a frame; the frames show the canonical face.
    """
    height, width = frames.shape[1:3]
    points = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1)
    head, mouth = (rectangle(place, height, width) for place in (HEAD, MOUTH))

    def both(field: np.ndarray) -> np.ndarray:
        return np.concatenate([field[place].reshape(-1, 2) for place in (head, mouth)])

    numbers = np.arange(points[head].size // 2)
    left = [
        without_head(both(points).astype(float), both(flow), numbers)[len(numbers) :]
        for flow in optical_flow(frames)
    ]
    return np.linalg.norm(left, axis=-1).mean(axis=1)


def lip_motion(landmarks: np.ndarray) -> np.ndarray:
    """Mean length of the lips' motion in landmarks (T, 68, 2), without the head's: (T - 1,)."""
    marks = landmarks.astype(float)
    left = [
        without_head(first, second - first, list(HEAD_INDICES))[LIPS]
        for first, second in zip(marks, marks[1:], strict=False)
    ]
    return np.linalg.norm(left, axis=-1).mean(axis=1)


def jitter(landmarks: np.ndarray) -> np.ndarray:
    """Mean second difference of the lips of (T, 68, 2), about their middle: (T - 2,).

    In thousandths of the clip's median distance between the eyes. A mouth that moves evenly has 0.
    """
    lips = landmarks[:, LIPS].astype(float)
    lips = lips - lips.mean(axis=1, keepdims=True)
    bent = np.linalg.norm(np.diff(lips, 2, axis=0), axis=-1).mean(axis=1)
    return 1000 * bent / np.median(inter_ocular_distance(landmarks))


def parted(values: np.ndarray, quiet: np.ndarray, loud: np.ndarray) -> tuple[float, float]:
    """Means of a trace over silence and over speech; NaN where there is none.

    values: (T - n,), each of n + 1 frames in a row; quiet, loud: of each frame (T,) bool.
    """
    count = len(quiet) - len(values) + 1
    masks = (together(mask, count) for mask in (quiet, loud))
    return tuple(float(values[m].mean()) if m.any() else float("nan") for m in masks)


def measure(shown: Mapping[str, np.ndarray], truth: dict, detector: Detector) -> Row:
    """For each film (T, H, W, 3) of a clip and each measure: its mean in silence and in speech."""
    phonemes = truth["phonemes"]
    row: Row = {}
    for name, frames in shown.items():
        quiet = silent(phonemes, len(frames), FPS)
        loud = spoken(phonemes, len(frames), FPS)
        marks = fit_crops(frames, detector)
        row[name] = {
            "mouth": parted(mouth_motion(frames), quiet, loud),
            "jitter": parted(jitter(marks), quiet, loud),
        }
        if name == REAL:
            mesh = np.asarray(truth["landmarks"])
            traces = {"mouth": lip_motion(mesh), "jitter": jitter(mesh)}
            row[MESH] = {key: parted(trace, quiet, loud) for key, trace in traces.items()}
    return row


def table(rows: Sequence[Row], people: Sequence[str], seed: int) -> dict[str, dict[str, dict]]:
    """The values described above, of a row a clip and its speaker."""
    owner = np.asarray(people)
    told: dict[str, dict[str, dict]] = {}
    for name in rows[0]:
        told[name] = {}
        for measured in rows[0][name]:
            pairs = np.array([row[name][measured] for row in rows])
            real = np.array([row[REAL][measured] for row in rows])
            both = np.isfinite(pairs).all(axis=1)
            quiet = both & np.isfinite(real[:, 0])
            told[name][measured] = {
                "silence": bootstrap(pairs[:, 0], np.mean, seed=seed, groups=owner),
                "speech": bootstrap(pairs[:, 1], np.mean, seed=seed, groups=owner),
                "ratio": ratio_bootstrap(
                    pairs[both, 0], pairs[both, 1], seed=seed, groups=owner[both]
                ),
                "against_real": ratio_bootstrap(
                    pairs[quiet, 0], real[quiet, 0], seed=seed, groups=owner[quiet]
                ),
            }
    return told


def longest(mask: np.ndarray) -> tuple[int, int]:
    """The longest stretch of `mask` (T,), half-open; the first of equals, (0, 0) without any."""
    return max(stretches(mask), key=lambda span: span[1] - span[0], default=(0, 0))


def picture(shown: Mapping[str, np.ndarray], first: int) -> np.ndarray:
    """`SHOWN` lower halves from a frame on, a row a film: uint8 (rows * H / 2, SHOWN * W, 3)."""
    rows = (lower_half(frames)[first : first + SHOWN] for frames in shown.values())
    return np.concatenate([np.concatenate(row, axis=1) for row in rows])


def example(clip: StoredClip, shown: Mapping[str, np.ndarray], out: Path) -> dict:
    """Write the strip of a clip's longest silence; its motion from frame to frame, and the masks.

    Raises TalkerError when the silence is shorter than the strip.
    """
    phonemes, frames = clip.truth["phonemes"], len(shown[REAL])
    quiet = silent(phonemes, frames, FPS)
    first, last = longest(quiet)
    if last - first < SHOWN:
        raise TalkerError(f"{clip.name} is silent for less than {SHOWN} frames: render it anew.")
    write_image(out.with_name(f"{out.stem}_strip.png"), picture(shown, first))
    return {
        "clip": clip.name,
        "first": first,
        "shown": SHOWN,
        "mouth": {name: mouth_motion(film).round(4).tolist() for name, film in shown.items()},
        "silent": stretches(quiet),
        "spoken": stretches(spoken(phonemes, frames, FPS)),
    }


def run(corpus: Path, runs: Path, out: Path, names: Sequence[str] = (OURS,), seed: int = 0) -> None:
    """Make the films, measure them, and write the results file and the strip beside it.

    Raises:
        TalkerError: no corpus, nobody held out, no such run, or nobody knows the phonemes.
    """
    began = time.monotonic()
    found, made, detector = held_out(corpus), methods(names, runs), DlibDetector()
    if "phonemes" not in found[0].truth:
        raise TalkerError(f"{corpus} does not tell its phonemes: use one of 'talker render'.")
    rows, shown_of = [], {}
    for number, clip in enumerate(tqdm(found, desc="silence", unit="clip")):
        shown = films(clip, made, seed + number)
        if clip.split == "test" and not shown_of:
            shown_of = {"clip": clip, "shown": shown}
        still = as_stored(np.broadcast_to(shown[REAL][:1], shown[REAL].shape))
        rows.append(measure(shown | {STILL: still}, clip.truth, detector))
    results = {
        "values": table(rows, [clip.speaker for clip in found], seed),
        "films": [REAL, *names, STILL],
        "per_clip": {"clip": [clip.name for clip in found]}
        | {
            name: {m: [[_plain(v) for v in row[name][m]] for row in rows] for m in rows[0][name]}
            for name in rows[0]
        },
        "example": example(**shown_of, out=out),
        "margin_seconds": MARGIN,
        "seed": seed,
        "weights": about_weights(names, runs),
        "circumstances": circumstances(
            time.monotonic() - began,
            corpus="rendered, held out",
            clips=len(found),
            performers=len({clip.speaker for clip in found}),
        ),
    }
    write_results(out, results)
    for name, measures in results["values"].items():
        for measured, row in measures.items():
            for key, value in row.items():
                print(f"{name:6} {measured:7} {key:13}", value)


def _plain(value: float) -> float | None:
    return round(value, 5) if np.isfinite(value) else None


if __name__ == "__main__":
    run(*(Path(argument) for argument in sys.argv[1:4]), sys.argv[4:] or (OURS,))
