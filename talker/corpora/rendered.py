"""The rendered corpus: performers speaking sentences, and the truth about them.

    DIR/corpus.json            how it was made
    DIR/p003/p003_007.*        a clip, as `talker.store` keeps it; its .json holds the truth

A rendering that was cut off, even by kill -9, goes on where it stopped. The same arguments give the
same files, on one process or on many machines (`talker.cluster` says how to use those).
Which clip is of which class of sentences, and what is said in it, is written in
`talker.studio.script`.

The truth about a clip of T frames. Names that prepared corpora have too mean the same there.

    corpus         "rendered"
    speaker        the performer: "p003"
    split          "train", "validation" or "test", of the performer
    gender         "female" or "male"
    age            in years
    ancestry       weights of "african", "asian" and "caucasian", which sum to 1
    wears          the names of what was drawn for the performer: "hair", "hair_colour", "curl",
                   "beard", "makeup", "glasses", "clothes", "backdrop", "skin" (on Monk's scale)
    class          of the sentence: "grid", "cremad" or "rich"
    text           what is said
    code           GRID's six letters or CREMA-D's three for the sentence, "" for a rich one
    emotion        "anger", "disgust", "fear", "happy", "neutral" or "sad"
    intensity      "low", "medium", "high" or "unspecified", as CREMA-D has them
    words          each with its text, start and end, in seconds of the clip
    phonemes       each with its symbol (espeak-ng's), start, end, and stress: 0 none, 1 secondary,
                   2 primary
    fps            frames a second: 25
    frames         T
    blinks         half-open intervals of frames in which the lids move
    lips_closed    (T), 1 where the lips are pressed together for /p b m/, 0 where they are free
    head           (T, 6): pitch (up), yaw (to the performer's left) and roll (towards the right
                   shoulder) in degrees, then x (to the left), y (up) and z (to the camera) in cm;
                   0 looks into the camera. Frames are aligned crops, in which roll and place are
                   hardly seen
    gaze           (T, 2): yaw (to the performer's left) and pitch (up) of the eyes in degrees,
                   relative to the head
    landmarks      (T, 68, 2): the iBUG 300-W landmarks in pixels of the frame
"""

from __future__ import annotations

import functools
import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
from tqdm import tqdm

from talker.errors import TalkerError
from talker.files import replacing
from talker.store import FPS, alone_in, beside, forget_half_written, write_clip
from talker.tracking import smoothed

SPLITS = ("train", "validation", "test")
FRAMES = 75  # of a clip of GRID's class; all others are as long as what is said
_TOGETHER = 8  # clips of one performer in a task: to dress one takes as long as a clip


def split_of(number: int) -> str:
    """The split of the `number`-th performer: of every 24, two are for validation, two for test.

    Of the two one is a woman and one a man; no performer is in two splits.
    """
    return {20: "validation", 21: "validation", 22: "test", 23: "test"}.get(number % 24, "train")


@functools.lru_cache(maxsize=1)
def _on_set(number: int, seed: int):
    """The performer's camera and voice: drawn once a performer."""
    from talker.studio.camera import Camera
    from talker.studio.performer import performer
    from talker.studio.speech import voice_for

    person = performer(number, seed)
    rng = np.random.default_rng([seed, 2, number])
    return Camera(person), voice_for(person.gender, person.age, rng)


def render_clip(number: int, clip: int, seed: int = 0, kind: str = "grid"):
    """One clip in memory: frames (T, 128, 96, 3) uint8, signal (S,) float32 at 16 kHz, truth.

    kind: the class of its sentence. A clip of GRID's class has 75 frames and 48000 samples.

    Raises:
        TalkerError: there is no such class.
    """
    from talker.studio.acting import ACTIONS
    from talker.studio.camera import Pose
    from talker.studio.take import take

    camera, voice = _on_set(number, seed)
    made = take(kind, number, clip, seed, voice, FRAMES if kind == "grid" else None, FPS)
    performance = made.performance
    posed, landmarks = [], []
    for actions, head, gaze in zip(
        performance.actions, performance.head, performance.gaze, strict=True
    ):
        moving = {ACTIONS[i]: float(actions[i]) for i in np.flatnonzero(actions)}
        vertices = camera.posed(Pose(moving, head, gaze))
        posed.append(vertices)
        landmarks.append(camera.landmarks(vertices))
    steady = smoothed(np.stack(landmarks))
    frames, points = [], []
    for vertices, seen, calm in zip(posed, landmarks, steady, strict=True):
        film = camera.film(calm)
        frames.append(camera.render(vertices, film))
        points.append(seen @ film[:, :2].T + film[:, 2])
    return np.stack(frames), made.speech.signal, _truth(number, camera.performer, made, points)


def _truth(number: int, person, made, landmarks: list[np.ndarray]) -> dict:
    """What the module's docstring lists, all of it JSON."""
    line, performance = made.line, made.performance
    return {
        "corpus": "rendered",
        "speaker": person.name,
        "split": split_of(number),
        "gender": person.gender,
        "age": round(person.age, 1),
        "ancestry": {name: round(w, 3) for name, w in person.ancestry.items()},
        "wears": person.wears,
        "class": line.kind,
        "text": line.text,
        "code": line.code,
        "emotion": line.emotion,
        "intensity": line.intensity,
        "words": [asdict(word) for word in made.speech.words],
        "phonemes": [asdict(phoneme) for phoneme in performance.phonemes],
        "fps": FPS,
        "frames": len(landmarks),
        "blinks": [list(map(int, interval)) for interval in performance.blinks],
        "lips_closed": _rounded(performance.closure, 3),
        "head": _rounded(performance.head, 3),
        "gaze": _rounded(performance.gaze, 2),
        "landmarks": _rounded(np.stack(landmarks), 2),
    }


def _rounded(values: np.ndarray, digits: int) -> list:
    """As few digits as these: float32 would show all of float64's."""
    return np.round(values.astype(np.float64), digits).tolist()


def render_to_disk(task: tuple[Path, int, int, dict[int, str]]) -> int:
    """Render and store clips of one performer; how many. Those that are there are left alone.

    task: folder, seed, performer, and the class of each clip by its number.
    """
    out, seed, number, classes = task
    for clip, kind in classes.items():
        stem = _stem(out, number, clip)
        if not beside(stem, ".json").exists():
            write_clip(stem, *render_clip(number, clip, seed, kind))
    return len(classes)


def render_corpus(
    out: Path,
    performers: int = 24,
    clips: int = 12,
    seed: int = 0,
    workers: int = 0,
    sentences: str = "grid",
    scheduler: str | None = None,
    splits: Collection[str] = SPLITS,
) -> None:
    """Render `clips` sentences by each of the first `performers` people into the folder `out`.

    Goes on where an earlier run with the same seed stopped, also to more performers or clips.

    Args:
        workers: processes on this machine; 0 takes one for each core.
        sentences: a class of them, or "all".
        scheduler: address of a Dask scheduler whose workers see `out`; None works here.
        splits: only the performers of these; more clips to test on need no more to train on.

    Raises:
        TalkerError: the folder holds a corpus of another seed or of other sentences, or another
            process writes to it, there are no such sentences, a count is not positive, or workers
            died over a clip again and again.
    """
    from talker.studio.script import class_of

    if performers < 1 or clips < 1:
        raise TalkerError("A corpus needs at least one performer and one clip: raise the numbers.")
    classes = {clip: class_of(clip, sentences) for clip in range(clips)}
    out = Path(out).absolute()
    with alone_in(out):
        _describe(out, {"seed": seed, "performers": performers, "clips": clips}, sentences)
        forget_half_written(out)
        numbers = [number for number in range(performers) if split_of(number) in splits]
        tasks = list(_pending(out, seed, numbers, classes))
        total = len(numbers) * clips
        done = total - sum(len(waiting) for *_, waiting in tasks)
        with tqdm(total=total, initial=done, unit="clip", desc="rendering") as bar:
            if workers == 1 and scheduler is None:
                for task in tasks:
                    bar.update(render_to_disk(task))
            elif tasks:
                from talker.cluster import on_workers

                on_workers(render_to_disk, tasks, scheduler, workers, bar.update, [out])
        forget_half_written(out)  # of workers that were killed


def _stem(out: Path, number: int, clip: int) -> Path:
    return out / f"p{number:03d}" / f"p{number:03d}_{clip:03d}"


def _pending(
    out: Path, seed: int, numbers: Iterable[int], classes: dict[int, str]
) -> Iterator[tuple]:
    """The tasks of all clips of these performers that are not there."""
    for number in numbers:
        waiting = [
            clip for clip in classes if not beside(_stem(out, number, clip), ".json").exists()
        ]
        for first in range(0, len(waiting), _TOGETHER):
            together = waiting[first : first + _TOGETHER]
            yield out, seed, number, {clip: classes[clip] for clip in together}


def _describe(out: Path, described: dict, sentences: str) -> None:
    about = out / "corpus.json"
    if about.exists():
        before = json.loads(about.read_text(encoding="utf-8"))
        if before["seed"] != described["seed"]:
            raise TalkerError(f"{out} holds a corpus of another seed: choose another folder.")
        if before.get("sentences", "grid") != sentences:
            raise TalkerError(f"{out} holds a corpus of other sentences: choose another folder.")
    with replacing(about) as path:
        path.write_text(
            json.dumps({"kind": "rendered"} | described | {"sentences": sentences}),
            encoding="utf-8",
        )
