"""A corpus as it was downloaded -> aligned 96x128 crops at 25 fps with their sound, as stored.

Each clip is read twice: once to find and follow the face, once to cut it out along the smoothed
path. No more than two frames of the recording are held at a time, and no clip but the one at hand.

    talker prepare grid /data/grid --out data/grid

Work that was cut off, even by kill -9, goes on where it stopped: a clip is done once its .json or
its .rejected is there, and both are renamed into place last. Delete a .rejected to try that clip
again. `talker.cluster` says how to use more machines than one.
"""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from talker.corpora.clip import Clip, Corpus
from talker.errors import TalkerError
from talker.faces import CANONICAL_INDICES, CANONICAL_SIZE, align, find_detector
from talker.files import replacing
from talker.footage import frames_at, sound_at
from talker.metrics.landmarks import inter_ocular_distance
from talker.pose import ANGLES, head_pose
from talker.preparation_report import write_report
from talker.store import FPS, RATE, alone_in, beside, forget_half_written, write_clip
from talker.tracking import filled, follow, main_face, smoothed

_LONGEST_GAP = 5  # frames without a face, 0.2 s: more cannot be guessed from both sides
_MOST_FILLED = 0.1  # of a clip's frames
_QUIET = 1e-3  # largest sample, of full scale 1, of a sound in which nobody speaks: -60 dB
_MOST_SILENT = 0.1  # of a clip's length without any sound in the file


def prepared(clip: Clip, largest_angle: float | None = None) -> tuple[np.ndarray, np.ndarray, dict]:
    """One clip in memory: frames (T, 128, 96, 3) uint8 at 25 fps, signal (640 T,) float32, truth.

    The truth, all of it JSON: what the corpus says (corpus, speaker, split, text, words in seconds
    of the stored clip, emotion, intensity), fps, frames (T), landmarks (T, 68, 2) in pixels of the
    crop, pose (T, 3) as pitch, yaw and roll in degrees, and preparation: how well it went.

    Raises:
        TalkerError: the clip cannot be used; the sentence says why.
    """
    seen = _Seen()
    tracks = follow(seen.watch(clip.video), find_detector())
    if seen.blank:
        raise TalkerError(
            f"{len(seen.blank)} of {seen.frames} frames are blank or predicted from blank ones "
            f"(frames {seen.blank[0]} to {seen.blank[-1]})"
        )
    landmarks, gaps = filled(main_face(tracks).array(seen.frames))
    if (missing := missing_face(gaps, seen.frames)) is not None:
        raise TalkerError(missing)
    steady = smoothed(landmarks)
    pose = head_pose(steady, *seen.size)
    if largest_angle is not None:
        _check_angles(pose, largest_angle)
    frames, points = _cut_out(clip.video, landmarks, steady)
    signal, notes = _sound_of(clip, seen)
    if seen.flagged:
        notes.append(f"frames in which the decoder met errors: {seen.flagged}")
    five = points[:, list(CANONICAL_INDICES)]
    steps = np.linalg.norm(np.diff(five, axis=0), axis=-1)
    words = [asdict(word) for word in clip.words]
    truth = {
        "corpus": clip.corpus,
        "speaker": clip.speaker,
        "split": clip.split,
        "text": clip.text,
        "words": words,
        "emotion": clip.emotion,
        "intensity": clip.intensity,
        "fps": FPS,
        "frames": seen.frames,
        "preparation": {
            "gaps": gaps,
            "faces": len(tracks),
            "jitter": round(float(steps.mean()) if len(steps) else 0.0, 3),
            "inter_ocular": round(float(np.median(inter_ocular_distance(steady))), 1),
            "notes": notes,
        },
        "pose": np.round(pose, 1).tolist(),
        "landmarks": np.round(points.astype(np.float64), 2).tolist(),
    }
    return frames, signal, truth


def missing_face(gaps: list[int], frames: int) -> str | None:
    """What is said of a clip with so many frames without a face that it cannot be guessed there.

    gaps: the lengths of the stretches without one. None where few enough are missing.
    """
    if max(gaps, default=0) <= _LONGEST_GAP and sum(gaps) <= _MOST_FILLED * frames:
        return None
    return f"no face is seen in {sum(gaps)} of {frames} frames, {max(gaps)} of them in a row"


def _check_angles(pose: np.ndarray, largest: float) -> None:
    """The median of (T, 3) decides: single frames tremble, and people nod while they speak."""
    usual = np.median(pose, axis=0)
    worst = int(np.abs(usual).argmax())
    if abs(usual[worst]) > largest:
        raise TalkerError(
            f"the face is turned by {abs(usual[worst]):.0f} degrees of {ANGLES[worst]}, "
            f"more than {largest:g}"
        )


class _Seen:
    """What the first look at a video's pictures tells, beside the faces."""

    def __init__(self) -> None:
        self.frames, self.flagged = 0, 0
        self.blank: list[int] = []
        self.start, self.size = Fraction(0), (0, 0)

    def watch(self, path: Path) -> Iterator[np.ndarray]:
        for number, picture in enumerate(frames_at(path, FPS)):
            if number == 0:
                self.start, self.size = picture.time, picture.image.shape[:2]
            if picture.blank:
                self.blank.append(number)
            self.flagged += picture.flagged
            self.frames = number + 1
            yield picture.image


def _cut_out(
    path: Path, landmarks: np.ndarray, steady: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Crops (T, 128, 96, 3) along the steady landmarks, and the landmarks (T, 68, 2) in them."""
    frames = np.empty((len(landmarks), *CANONICAL_SIZE, 3), np.uint8)
    points = np.empty_like(landmarks)
    for number, picture in enumerate(frames_at(path, FPS)):
        frames[number], matrix = align(picture.image, steady[number])
        points[number] = landmarks[number] @ matrix[:, :2].T + matrix[:, 2]
    return frames, points


def _sound_of(clip: Clip, seen: _Seen) -> tuple[np.ndarray, list[str]]:
    """The sound that belongs to the frames, (640 T,) float32, and what is odd about it.

    Sound in the video's own file goes by that file's clock; a file of its own begins with the
    first picture.
    """
    start = seen.start if clip.audio == clip.video else None
    signal, heard = sound_at(clip.audio, RATE, start, seen.frames * RATE // FPS)
    missing = seen.frames / FPS - heard
    if missing > _MOST_SILENT * seen.frames / FPS:
        raise TalkerError(f"the sound is {missing:.2f} s shorter than the pictures")
    if not np.isfinite(signal).all():
        raise TalkerError("the sound has samples that are not numbers (NaN or infinite)")
    if np.abs(signal).max() < _QUIET:
        raise TalkerError("the sound is silent")
    return signal, [f"{missing:.2f} s of sound are missing"] if missing > 1 / FPS else []


def prepare_clip(clip: Clip, out: Path, landmarks: str, largest_angle: float | None = None) -> None:
    """Prepare and store one clip, or store why not; a clip that is done is left alone.

    Raises TalkerError when `out` cannot be written to, the recording is no longer there, or this
    machine has another detector than the one of that name, with which the corpus was begun.
    """
    if _landmarks() != landmarks:
        raise TalkerError(
            f"here landmarks come from {_landmarks()}, in the rest of {out} from {landmarks}: "
            "install the same packages and weights on all machines."
        )
    stem = out / clip.name
    if is_done(stem):
        return
    cv2.setNumThreads(1)  # processes share the cores already
    try:
        made = prepared(clip, largest_angle)
    except TalkerError as error:
        # A disk that went away tells nothing of the clip, and a .rejected is for good.
        if not all(os.path.exists(path) for path in (clip.video, clip.audio)):
            raise
        with replacing(beside(stem, ".rejected")) as path:
            path.write_text(f"{error}\n", encoding="utf-8")
        return
    write_clip(stem, *made)


def is_done(stem: Path) -> bool:
    """Has the clip been stored or rejected? stem: its path without an ending."""
    return beside(stem, ".json").exists() or beside(stem, ".rejected").exists()


def prepare(
    corpus: Corpus,
    root: Path | str,
    out: Path | str,
    scheduler: str | None = None,
    workers: int = 0,
) -> dict:
    """Prepare the clips of a corpus in the folder `root` into the folder `out`; returns the report.

    Goes on where an earlier preparation stopped. Writes report.json and contact_sheet.png last.

    Args:
        scheduler: address of a Dask scheduler whose workers see both folders; None works here.
        workers: processes on this machine; 0 takes one for each core.

    Raises:
        TalkerError: the folder holds no clip of this corpus, or clips would be written over its
            recordings, or another corpus was prepared into `out`, or is being prepared into it, or
            recordings went away meanwhile, or workers died over a clip again and again.
    """
    root, out = Path(root).absolute(), Path(out).absolute()
    clips = corpus.clips(root)
    if not clips:
        raise TalkerError(f"{root} holds no clip of {corpus.name}; expected there: {corpus.layout}")
    _check_apart(clips, root, out)
    landmarks = _landmarks()
    with alone_in(out):
        _describe(out, {"kind": "prepared", "corpus": corpus.name, "landmarks": landmarks})
        forget_half_written(out)
        pending = [clip for clip in clips if not is_done(out / clip.name)]
        task = functools.partial(
            prepare_clip, out=out, landmarks=landmarks, largest_angle=corpus.largest_angle
        )
        already = len(clips) - len(pending)
        with tqdm(total=len(clips), initial=already, unit="clip", desc=corpus.name) as bar:
            if workers == 1 and scheduler is None:
                for clip in pending:
                    task(clip)
                    bar.update()
            elif pending:
                from talker.cluster import on_workers

                on_workers(task, pending, scheduler, workers, lambda _: bar.update(), [root, out])
        forget_half_written(out)  # of workers that were killed
        return write_report(out, clips)


def _check_apart(clips: Iterable[Clip], root: Path, out: Path) -> None:
    """Raises TalkerError where what is written would take the place of what was downloaded."""
    if out.resolve() == root.resolve():
        raise TalkerError(f"{out} is the folder of the recordings: choose another one to write to.")
    for clip in clips:
        stem = out / clip.name
        if is_done(stem):
            continue  # nothing of it is written again
        for made in (beside(stem, ending) for ending in (".mp4", ".wav", ".json")):
            if made.exists() and made.resolve() in (clip.video.resolve(), clip.audio.resolve()):
                raise TalkerError(
                    f"{made} is a recording of the corpus and would be written over: choose "
                    f"another folder than {out} to write to."
                )


def _landmarks() -> str:
    return type(find_detector()).__name__


def _describe(out: Path, described: dict) -> None:
    about = out / "corpus.json"
    if about.exists() and json.loads(about.read_text(encoding="utf-8")) != described:
        raise TalkerError(f"{out} holds a corpus that was made otherwise: choose another folder.")
    with replacing(about) as path:
        path.write_text(json.dumps(described), encoding="utf-8")
