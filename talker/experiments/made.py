"""Clips that a method makes, as files, and what `talker.evaluate` says of them.

They have the names of the real ones, FOLDER/s1/bbaf2n.mp4 with its sound in .wav beside it, and are
stored like these, so that compression blurs both alike.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from talker.animate import COMMENT
from talker.errors import TalkerError
from talker.evaluate import evaluate
from talker.experiments.claims import speakers_of
from talker.experiments.talking import generate
from talker.media import write_audio
from talker.metrics.intervals import bootstrap
from talker.metrics.registry import METRICS
from talker.models.generator import Generator
from talker.store import CRF, FPS, KEYFRAMES, RATE, StoredClip, beside, read_frames, read_sound
from talker.video import write_video

# Of a clip, its first frame uint8 (H, W, 3) and its sound float32 (S,) at 16 kHz, and a number of
# its own, the frames uint8 (T, H, W, 3) that a method makes.
Speak = Callable[[StoredClip, np.ndarray, np.ndarray, int], np.ndarray]


def film(speak: Speak, clips: Sequence[StoredClip], folder: Path) -> None:
    """Let a method speak the sounds of `clips` from their first frames, into a folder made anew."""
    shutil.rmtree(folder, ignore_errors=True)
    for number, clip in enumerate(tqdm(clips, desc="generating", unit="clip")):
        still, signal = read_frames(clip.video, [0])[0], read_sound(clip.audio)
        frames = speak(clip, still, signal, number)
        stem = folder / clip.name
        write_audio(beside(stem, ".wav"), signal, RATE)
        write_video(beside(stem, ".mp4"), frames, FPS, signal, RATE, CRF, COMMENT, KEYFRAMES)


def measured(
    folder: Path, corpus: Path, clips: Sequence[StoredClip], told: Path, **options: Any
) -> dict[str, Any]:
    """What `talker.evaluate` says of the films of `clips` in a folder, as JSON values.

    told: where it is written, too; options: those of `evaluate`.
    Raises TalkerError when a clip cannot be measured.
    """
    evaluate(folder, corpus, told, **options)
    found = json.loads(told.read_text(encoding="utf-8"))
    left_out = {clip.name for clip in clips} - set(found["per_clip"]["clip"])
    if left_out:
        raise TalkerError(f"{sorted(left_out)[0]} in {folder} could not be measured; see {told}.")
    return found


def by_generator(generator: Generator, seed: int) -> Speak:
    """How a generator makes clips: the noise of clip `number` is that of `seed` + `number`."""
    return lambda clip, still, signal, number: generate(generator, still, signal, seed + number)


def about_metrics() -> dict[str, dict[str, str]]:
    """Column, unit and best of every metric, for a results file."""
    return {name: metric.about for name, metric in METRICS.items()}


def both(found: dict[str, Any]) -> dict[str, dict]:
    """The "generated" side of what `measured` returns, and the "real" one under that name.

    Beside the latter how far different people are apart in ACD's embedding, its other end.
    """
    apart = {"different_people": found["identity"]["different_people"]}
    return side(found, "generated") | {"real": side(found, "real") | apart}


def side(found: dict[str, Any], which: str) -> dict[str, dict]:
    """Of what `measured` returns, the "generated" or the "real" side, for a results file.

    values: each metric with its 95 % interval over speakers; per_clip: the clips' names and each
    metric's values of them, null where undefined.
    """
    per_clip = found["per_clip"]
    groups = speakers_of(per_clip)
    values = {
        name: bootstrap(per_clip[which][name], METRICS[name].statistic, groups=groups)
        for name, about in found["metrics"].items()
        if which in about
    }
    columns = {
        name: [value if value is None else round(value, 5) for value in column]
        for name, column in per_clip[which].items()
    }
    return {
        "values": values,
        "per_clip": {"clip": per_clip["clip"]} | columns,
    }
