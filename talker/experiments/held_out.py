"""Performers held out, the methods that are compared on them, and what these make of their clips.

A method makes frames of a still and a sound, and has a name. "ours" is the generator that comes
with the package; every other one is what was trained in the run of that name: the generator in
RUNS/NAME/best, or RUNS/NAME/generator where nothing was validated, or the baseline in RUNS/NAME
(`talker.baselines`), such as `talker.experiments.comparison` trains.
"""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from talker.baselines.training import ABOUT, load_baseline
from talker.checkpoint import SHIPPED, load_generator, read_config, read_description
from talker.errors import TalkerError
from talker.experiments.talking import generate
from talker.files import replacing
from talker.metrics.intervals import bootstrap
from talker.store import CRF, FPS, KEYFRAMES, StoredClip, clips, read_frames, read_sound
from talker.video import write_video

OURS, REAL = "ours", "real"
# Still uint8 (H, W, 3), signal float32 (S,) at 16 kHz and a seed of noise -> uint8 (T, H, W, 3).
Method = Callable[[np.ndarray, np.ndarray, int], np.ndarray]


def held_out(corpus: Path) -> list[StoredClip]:
    """The clips of the splits validation and test, in order of their names.

    Raises TalkerError when there is no corpus, or none of its clips is held out.
    """
    found = [clip for clip in clips(corpus) if clip.split != "train"]
    if not found:
        raise TalkerError(f"{corpus} holds nobody out: render or prepare more speakers.")
    return found


def weights_of(name: str, runs: Path) -> Path:
    """The folder of a method's weights. Raises TalkerError when there is no such run."""
    if name == OURS:
        return SHIPPED
    for folder in (runs / name / "best", runs / name / "generator"):
        if folder.is_dir():
            return folder
    if (runs / name / ABOUT).is_file():
        return runs / name
    raise TalkerError(f"there are no weights of a run {name} in {runs}: train it first.")


def methods(names: Sequence[str], runs: Path) -> dict[str, Method]:
    """The methods of these names, in this order."""
    return {name: _method(weights_of(name, runs)) for name in names}


def _method(folder: Path) -> Method:
    if not (folder / ABOUT).is_file():
        return functools.partial(generate, load_generator(folder))
    baseline = load_baseline(folder)
    return lambda still, signal, seed: baseline.animate(still, signal)  # none of them has noise


def about_weights(names: Sequence[str], runs: Path) -> dict[str, dict[str, Any]]:
    """What each method's weights say of themselves, and their SHA-256, for a results file."""
    about = {}
    for name in names:
        folder = weights_of(name, runs)
        of_baseline = (folder / ABOUT).is_file()
        told = read_description(folder / ABOUT) if of_baseline else read_config(folder)
        about[name] = told["extra"] | {"sha256": told["sha256"]}
    return about


def films(clip: StoredClip, compared: Mapping[str, Method], seed: int) -> dict[str, np.ndarray]:
    """The clip itself as "real", and what each method makes of its first frame and its sound.

    In this order, as stored videos are: uint8 (T, H, W, 3) each. `seed` is of the noise.
    """
    real, signal = read_frames(clip.video), read_sound(clip.audio)
    made = {name: method(real[0], signal, seed)[: len(real)] for name, method in compared.items()}
    return {REAL: real} | {name: as_stored(frames) for name, frames in made.items()}


def as_stored(frames: np.ndarray) -> np.ndarray:
    """Frames uint8 (T, H, W, 3) after the compression that real clips have gone through.

    It moves pixels, most of all at key frames, so that a film without it would seem calmer.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        write_video(path, frames, FPS, crf=CRF, keyframes=KEYFRAMES)
        return read_frames(path)


def over_performers(rows: np.ndarray, statistic: Callable, draws: int = 2000, seed: int = 0):
    """A statistic of `rows` (P, ...), one a performer, with its 95 % interval: value, low, high.

    Performers are drawn, and not clips or frames: those of one face are no independent witnesses.
    Their number comes along as `performers`.
    """
    rows = np.asarray(rows)
    told = bootstrap(np.arange(len(rows)), lambda at: statistic(rows[at.astype(int)]), draws, seed)
    return {key: told[key] for key in ("value", "low", "high")} | {"performers": len(rows)}


def save_array(path: Path, array: np.ndarray) -> None:
    """An array as .npy beside a results file, whole or not at all."""
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.save(file, array)
