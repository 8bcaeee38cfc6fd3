"""Performers held out, the methods that are compared on them, and what these make of their clips.

A method is a generator by name. "ours" has the weights that come with the package; every other one
is the run of that name among the runs: RUNS/NAME/best, or RUNS/NAME/generator where nothing was
validated.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from talker.checkpoint import SHIPPED, load_generator, read_config
from talker.errors import TalkerError
from talker.experiments.talking import generate
from talker.files import replacing
from talker.media import write_video
from talker.metrics.intervals import bootstrap
from talker.models.generator import Generator
from talker.store import CRF, FPS, KEYFRAMES, StoredClip, clips, read_frames

OURS = "ours"


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
    raise TalkerError(f"there are no weights of a run {name} in {runs}: train it first.")


def methods(names: Sequence[str], runs: Path) -> dict[str, Generator]:
    """The generators of these methods, in this order."""
    return {name: load_generator(weights_of(name, runs)) for name in names}


def about_weights(names: Sequence[str], runs: Path) -> dict[str, dict[str, Any]]:
    """What each method's weights say of themselves, and their SHA-256, for a results file."""
    about = {name: read_config(weights_of(name, runs)) for name in names}
    return {name: told["extra"] | {"sha256": told["sha256"]} for name, told in about.items()}


def film(generator: Generator, real: np.ndarray, signal: np.ndarray, seed: int) -> np.ndarray:
    """What a method makes of the first of the frames `real` and a sound, as long as both are.

    real: uint8 (T, H, W, 3); signal: float32 (S,) at 16 kHz; returns uint8 (up to T, H, W, 3).
    """
    return as_stored(generate(generator, real[0], signal, seed)[: len(real)])


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
