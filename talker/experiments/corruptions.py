"""Does each metric answer to what it is meant to answer to, and to nothing else?

    python -m talker.experiments.corruptions CORPUS figures/results/corruptions.json [METRIC ...]

Real clips take the place of generated ones and are spoilt in one way at a time: one clip, in which
there is a blink, of each performer who is held out. The row "none" says what each metric gives for
a video that is the real one itself. With names of metrics only those are measured anew, and the
others kept as the file has them: for new weights of an evaluator network.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from talker.errors import TalkerError
from talker.experiments.report import circumstances, write_results
from talker.experiments.synchrony import moved
from talker.metrics.files import read_sound, transcript
from talker.metrics.intervals import bootstrap
from talker.metrics.pair import Footage, Pair
from talker.metrics.registry import HEARING, METRICS, Metric, chosen, measure
from talker.store import RATE, StoredClip, clips, read_frames


def blurred(frames: np.ndarray, deviation: float) -> np.ndarray:
    """Frames (T, H, W, 3) uint8 under a Gaussian of that many pixels."""
    return np.stack([cv2.GaussianBlur(frame, (0, 0), deviation) for frame in frames])


def noisy(frames: np.ndarray, deviation: float) -> np.ndarray:
    """Gaussian noise of that many grey levels on every pixel and channel, the same each time."""
    noise = np.random.default_rng(0).normal(0, deviation, frames.shape)
    return (frames + noise).round().clip(0, 255).astype(np.uint8)


def jpeg(frames: np.ndarray, quality: int) -> np.ndarray:
    """Each frame stored as JPEG of that quality, 0 to 100, and read back."""
    how = [cv2.IMWRITE_JPEG_QUALITY, quality]
    stored = (cv2.imencode(".jpg", frame[..., ::-1], how)[1] for frame in frames)
    return np.stack([cv2.imdecode(each, cv2.IMREAD_COLOR)[..., ::-1] for each in stored])


def frozen(frames: np.ndarray) -> np.ndarray:
    """The first frame all the time: copying the still."""
    return np.repeat(frames[:1], len(frames), axis=0)


def shuffled(audio: np.ndarray) -> np.ndarray:
    """A sound (S,) whose stretches of 0.2 s come in another order, the same each time.

    As loud and in the same voice, and in step with nothing. What is left over at the end stays.
    """
    length = RATE // 5
    count = len(audio) // length
    order = np.random.default_rng(0).permutation(count)
    stretches = audio[: count * length].reshape(count, length)
    return np.concatenate([stretches[order].ravel(), audio[count * length :]])


SPOILT: dict[str, tuple[tuple[float, ...], Callable]] = {
    "blur": ((0.5, 1.0, 2.0), blurred),
    "noise": ((4, 16), noisy),
    "JPEG": ((30, 10), jpeg),
}
EARLIER = (-9, -3, 3, 9)
UNITS = {
    "blur": "pixels",
    "noise": "grey levels",
    "JPEG": "quality",
    "sound earlier": "frames",
}


def conditions(
    real: Footage, other: Footage, said: str | None
) -> Iterator[tuple[str, float | None, Pair, bool]]:
    """(corruption, level, pair, whether only the sound differs) of each.

    real, other: clips of two performers, equally long. "mirrored" mirrors both videos: a system
    whose world is mirrored must not measure otherwise.
    """
    frames, audio = real.frames, real.audio
    yield "none", None, Pair(Footage(frames, audio), real, said), False
    for name, (levels, spoil) in SPOILT.items():
        for level in levels:
            yield name, level, Pair(Footage(spoil(frames, level), audio), real, said), False
    for level in EARLIER:
        sooner = real.with_sound(moved(audio, level))
        yield "sound earlier", level, Pair(sooner, real, said), True
    yield "other sound", None, Pair(real.with_sound(other.audio), real, said), True
    yield "shuffled sound", None, Pair(real.with_sound(shuffled(audio)), real, said), True
    yield "frozen", None, Pair(Footage(frozen(frames), audio), real, said), False
    flipped = Footage(np.ascontiguousarray(frames[:, :, ::-1]), audio)
    yield "mirrored", None, Pair(flipped, flipped, said), False
    yield "other person", None, Pair(Footage(other.frames, audio), real, said), False


def first_clips(held_out: list[StoredClip]) -> list[StoredClip]:
    """The first clip of each speaker that has a blink in it: without one nothing can be lost."""
    first: dict[str, StoredClip] = {}
    for clip in held_out:
        if clip.speaker not in first and clip.truth.get("blinks"):
            first[clip.speaker] = clip
    return list(first.values())


def measured(
    performances: list[tuple[Footage, str | None]], metrics: dict[str, Metric]
) -> dict[tuple[str, float | None], dict[str, list[float]]]:
    """The value of each metric for each clip under each corruption."""
    columns: dict[tuple[str, float | None], dict[str, list[float]]] = {}
    for number, (real, said) in enumerate(tqdm(performances, desc="spoiling", unit="clip")):
        other = performances[(number + 1) % len(performances)][0]
        untouched: dict[str, float] = {}
        for corruption, level, pair, only_sound in conditions(real, other, said):
            asked = {n: m for n, m in metrics.items() if n in HEARING or not only_sound}
            values = untouched | measure(pair, asked)
            untouched = untouched or values  # the first is of the clip as it is
            row = columns.setdefault((corruption, level), {})
            for name in metrics:
                row.setdefault(name, []).append(values[name])
    return columns


def _row(key: tuple, values: dict[str, list[float]], seed: int) -> dict:
    return {
        "corruption": key[0],
        "level": key[1],
        "values": {
            name: bootstrap(column, METRICS[name].statistic, seed=seed)
            for name, column in values.items()
        },
        "per_clip": {
            name: [round(value, 5) if np.isfinite(value) else None for value in column]
            for name, column in values.items()
        },
    }


def _kept(out: Path, names: list[str]) -> dict[tuple[str, float | None], dict]:
    """The rows of a results file. Raises TalkerError when they are not of these clips and levels.

    names: of the clips that are to be measured.
    """
    nothing = Footage(np.zeros((1, 16, 16, 3), np.uint8), np.zeros(RATE, np.float32))
    wanted = {(name, level) for name, level, *_ in conditions(nothing, nothing, None)}
    try:
        results = json.loads(out.read_text(encoding="utf-8"))
        rows = {(row["corruption"], row["level"]): row for row in results["rows"]}
        fits = rows.keys() == wanted and results["clips"] == names
    except (OSError, ValueError, KeyError, TypeError):
        fits = False
    if not fits:
        raise TalkerError(
            f"{out} is not of the same clips and corruptions: measure all metrics, naming none."
        )
    return rows


def main(corpus: Path, out: Path, *names: str, seed: int = 0) -> None:
    """Measure metrics under every corruption and write the results file."""
    began, metrics = time.monotonic(), chosen(names)
    used = first_clips(clips(corpus, "validation") + clips(corpus, "test"))
    before = _kept(out, [clip.name for clip in used]) if names else {}
    frames = [read_frames(clip.video) for clip in used]
    common = min(map(len, frames))
    performances = [
        (Footage(each[:common], read_sound(clip.video, common)), transcript(clip.video))
        for each, clip in zip(frames, used, strict=True)
    ]
    columns = measured(performances, metrics)
    rows = [_row(key, values, seed) for key, values in columns.items()]
    if names:
        for row in rows:
            for kind in ("values", "per_clip"):
                row[kind] = before[row["corruption"], row["level"]][kind] | row[kind]
    results = {
        "metrics": {n: {"column": m.column, "unit": m.unit} for n, m in METRICS.items()},
        "order": list(METRICS),
        "rows": rows,
        "units": UNITS,
        "clips": [clip.name for clip in used],
        "seed": seed,
        "circumstances": circumstances(
            time.monotonic() - began, corpus="rendered, performers held out", clips=len(used)
        ),
    }
    write_results(out, results)


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:3]), *sys.argv[3:])
