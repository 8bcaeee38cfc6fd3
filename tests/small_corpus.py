"""Tiny recordings of a real face in motion, and the corpus that they make up.

Run as a program, `python small_corpus.py ROOT OUT`, it prepares them: a process for tests to kill.
"""

import sys
from pathlib import Path

import cv2
import numpy as np
from skimage import data

from talker.corpora.clip import Clip, Corpus, Word
from talker.video import write_video

FRAMES = 15
PHOTO = data.astronaut()[20:260, 110:330]


def scene(t: int) -> np.ndarray:
    """The photograph, swaying."""
    matrix = cv2.getRotationMatrix2D((110, 120), 2 * np.sin(t / 6), 1)
    matrix[:, 2] += (4 * np.sin(t / 5), 3 * np.sin(t / 7))
    return cv2.warpAffine(PHOTO, matrix, PHOTO.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)


def speech(seconds: float, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (0.1 * rng.standard_normal(round(16000 * seconds))).astype(np.float32)


def record(path: Path, frames: list[np.ndarray] | None = None, sound=None) -> Path:
    frames = [scene(t) for t in range(FRAMES)] if frames is None else frames
    sound = speech(len(frames) / 25) if sound is None else sound
    write_video(path, frames, 25, sound, 16000)
    return path


def clips(root: Path) -> list[Clip]:
    """ROOT/<speaker>/<name>.mp4; speakers whose name begins with t are for the test."""
    return [
        Clip(
            corpus="small",
            name=f"{path.parent.name}/{path.stem}",
            speaker=path.parent.name,
            split="test" if path.parent.name.startswith("t") else "train",
            video=path,
            audio=path,
            text="good morning",
            words=(Word("good", 0.1, 0.2), Word("morning", 0.2, 0.5)),
            emotion="happy",
        )
        for path in sorted(root.glob("*/*.mp4"))
    ]


SMALL = Corpus("small", "Small", "here", "CC0", "1 MB", "<speaker>/<name>.mp4", clips)


def make(root: Path, count: int = 3) -> Path:
    for number in range(count):
        folder = root / ("t9" if number == count - 1 else "s1")
        folder.mkdir(parents=True, exist_ok=True)
        shifted = [scene(number + t) for t in range(FRAMES)]
        record(folder / f"take{number}.mp4", shifted, speech(FRAMES / 25, number))
    return root


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


if __name__ == "__main__":
    from talker.prepare import prepare

    prepare(SMALL, sys.argv[1], sys.argv[2], workers=1)
