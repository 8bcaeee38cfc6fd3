"""From two folders of videos to the pairs of clips that metrics take.

Any system's videos, in any container: files are matched by their path in the folder without its
ending, or else by their name alone. Videos are brought to 25 frames a second, their faces to the
canonical 96x128 crop and their sound to 16 kHz, in both folders alike.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from talker.corpora.grid import spelled
from talker.errors import TalkerError
from talker.faces import CANONICAL_SIZE, align, find_detector
from talker.footage import frames_at, sound_at
from talker.media import opened
from talker.metrics.pair import Footage, Pair, Weights
from talker.prepare import missing_face
from talker.store import FPS, RATE
from talker.tracking import filled, follow, main_face, smoothed

ENDINGS = {".avi", ".flv", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".ogv", ".webm", ".wmv"}


def find_pairs(generated: Path, real: Path) -> tuple[list[tuple[str, Path, Path]], list[str]]:
    """(name, generated file, real file) of each clip, by name, and a sentence on each file left.

    Raises TalkerError: a folder is missing or holds no video, or no name is in both.
    """
    left, right = videos(generated), videos(real)
    pairs, notes, used = [], [], set()
    by_path: dict[Path, list[Path]] = {}
    by_stem: dict[str, list[Path]] = {}
    for path in right:
        by_path.setdefault(path.relative_to(real).with_suffix(""), []).append(path)
        by_stem.setdefault(path.stem, []).append(path)
    names = {path: path.relative_to(generated).with_suffix("") for path in left}
    # Equal paths first: a name alone must not take the partner of one of these.
    for exact in (True, False):
        for path in [path for path in left if (names[path] in by_path) is exact]:
            every = by_path[names[path]] if exact else by_stem.get(path.stem, [])
            free = [partner for partner in every if partner not in used]
            if len(free) == 1:
                used.add(free[0])
                pairs.append((names[path].as_posix(), path, free[0]))
            elif every and not free:
                notes.append(f"{path} was left out: {every[0]} has another partner already.")
            else:
                why = "several videos" if free else "no video"
                notes.append(f"{path} was left out: {why} of that name in {real}.")
    pairs.sort(key=lambda pair: pair[1])
    notes += [
        f"{p} was left out: no video of that name in {generated}." for p in right if p not in used
    ]
    if not pairs:
        raise TalkerError(
            f"no video in {generated} has the name of one in {real}: name them alike, "
            f"for instance {right[0].stem}.mp4."
        )
    return pairs, notes


def videos(folder: Path) -> list[Path]:
    """The videos in a folder, at any depth, by name. Raises TalkerError without any."""
    if not folder.is_dir():
        raise TalkerError(f"there is no folder {folder}: check the path.")
    found = [
        path
        for path in sorted(folder.rglob("[!.]*"))
        if path.suffix.lower() in ENDINGS and path.is_file()
    ]
    if not found:
        raise TalkerError(f"{folder} holds no video: give a folder with .mp4 files or the like.")
    return found


def read_crops(path: Path, aligned: bool = False) -> np.ndarray:
    """A video as aligned crops at 25 frames a second: uint8 (T, 128, 96, 3).

    Frames of 96x128 are crops already, and so are all when `aligned` says so; those are only
    resized. In others the face is followed and brought to the canonical one as in preparation.
    Raises TalkerError when the file cannot be read, has no face, or is no crop though `aligned`.
    """
    return _crops(path, aligned)[0]


def _crops(path: Path, aligned: bool) -> tuple[np.ndarray, str | None]:
    """Crops as `read_crops` returns them, and what is missing where too many show no face."""
    height, width = CANONICAL_SIZE
    shape = next(frames_at(path, FPS)).image.shape[:2]
    if not aligned and shape != CANONICAL_SIZE:
        return _cut_out(path)
    if shape[0] * width != shape[1] * height:
        raise TalkerError(
            f"{path} has frames of {shape[1]}x{shape[0]}, which are no crops of 3:4: "
            "leave out --aligned."
        )
    how = cv2.INTER_AREA if shape[0] > height else cv2.INTER_CUBIC
    frames = (picture.image for picture in frames_at(path, FPS))
    if shape != CANONICAL_SIZE:
        frames = (cv2.resize(frame, (width, height), interpolation=how) for frame in frames)
    return np.stack(list(frames)), None


def _cut_out(path: Path) -> tuple[np.ndarray, str | None]:
    count = 0

    def counted() -> Iterator[np.ndarray]:
        nonlocal count
        for picture in frames_at(path, FPS):
            count += 1
            yield picture.image

    tracks = follow(counted(), find_detector())
    if not tracks:
        raise TalkerError(
            f"{path} shows no face: if its frames are crops already, resize them to 96x128 "
            "or say --aligned."
        )
    landmarks, gaps = filled(main_face(tracks).array(count))
    steady, pictures = smoothed(landmarks), frames_at(path, FPS)
    crops = [align(p.image, marks)[0] for p, marks in zip(pictures, steady, strict=True)]
    return np.stack(crops), missing_face(gaps, count)


def read_sound(path: Path, frames: int) -> np.ndarray | None:
    """What is heard while the first frames of a video are seen: float32 (640 frames,) at 16 kHz.

    A clip of a stored corpus has it in a .wav of its own. None where there is no sound. Raises
    TalkerError when it cannot be decoded.
    """
    samples, beside = frames * RATE // FPS, path.with_suffix(".wav")
    if beside.is_file():
        return sound_at(beside, RATE, None, samples)[0]
    if not _has_sound(path):
        return None
    return sound_at(path, RATE, next(frames_at(path, FPS)).time, samples)[0]


def _has_sound(path: Path) -> bool:
    with opened(path, "video") as (container, _):
        return bool(container.streams.audio)


def transcript(path: Path) -> str | None:
    """What is said in a video: lower-case words with single spaces between them.

    From the .json of a stored clip, or a .txt beside the video, or spelled by a file name of GRID;
    None where none of them is there. Raises TalkerError when the .json cannot be read.
    """
    text = spelled(path.stem)
    if path.with_suffix(".txt").is_file():
        text = path.with_suffix(".txt").read_text(encoding="utf-8", errors="replace")
    elif path.with_suffix(".json").is_file():
        try:
            truth = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
            text = truth.get("text")
        except (ValueError, AttributeError) as error:
            raise TalkerError(
                f"{path.with_suffix('.json')} is no truth of a clip: prepare the corpus again, or "
                "move the file away."
            ) from error
    return " ".join(text.lower().split()) if text else None


def read_pair(
    generated: Path, real: Path, aligned: bool = False, weights: Weights | None = None
) -> tuple[Pair, str | None]:
    """Two files as metrics take them, and what to tell of them: one was cut, or a face is missing.

    Raises TalkerError when one cannot be read or shows no face.
    """
    (made, made_lacks), (true, true_lacks) = _crops(generated, aligned), _crops(real, aligned)
    common, notes = min(len(made), len(true)), []
    if len(made) != len(true):
        notes.append(
            f"{len(made)} generated and {len(true)} real frames; the first {common} of each were "
            "compared."
        )
    for which, lacks in (("generated", made_lacks), ("real", true_lacks)):
        if lacks:
            notes.append(f"in the {which} video {lacks}; where it is there was guessed.")
    heard = read_sound(real, common)
    own = read_sound(generated, common)
    pair = Pair(
        Footage(made[:common], heard if own is None else own),
        Footage(true[:common], heard),
        transcript(real),
        weights or Weights(),
    )
    return pair, " ".join(notes) or None
