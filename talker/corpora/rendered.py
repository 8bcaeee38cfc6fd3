"""The rendered corpus: performers speaking sentences of the GRID grammar, and the truth about them.

    DIR/corpus.json            how it was made
    DIR/p003/p003_007.*        a clip, as `talker.store` keeps it; its .json holds the truth: words,
                               phonemes, blinks, performer, gender, landmarks

A rendering that was cut off goes on where it stopped. The same arguments give the same files.
"""

from __future__ import annotations

import functools
import json
import multiprocessing
import os
from dataclasses import asdict
from pathlib import Path

import numpy as np
from tqdm import tqdm

from talker.errors import TalkerError
from talker.files import replacing
from talker.store import FPS, write_clip
from talker.tracking import smoothed

FRAMES = 75


def split_of(number: int) -> str:
    """The split of the `number`-th performer: of every 24, two are for validation, two for test.

    Of the two one is a woman and one a man; no performer is in two splits.
    """
    return {20: "validation", 21: "validation", 22: "test", 23: "test"}.get(number % 24, "train")


@functools.lru_cache(maxsize=1)
def _on_set(number: int, seed: int):
    """The performer's camera, voice and style: drawn once a performer."""
    from talker.studio.acting import style_for
    from talker.studio.camera import Camera
    from talker.studio.performer import performer
    from talker.studio.speech import voice_for

    person = performer(number, seed)
    rng = np.random.default_rng([seed, 2, number])
    return Camera(person), voice_for(person.gender, person.age, rng), style_for(rng)


def render_clip(number: int, clip: int, seed: int = 0):
    """One clip in memory: frames (75, 128, 96, 3) uint8, signal (48000,) float32 at 16 kHz, truth.

    The truth, all of it JSON: who speaks (speaker, split, gender, age in years, ancestry), what
    (sentence, code, words and phonemes in seconds), blinks as half-open frame intervals,
    lips_closed (75) in 0..1, fps, and landmarks (75, 68, 2) in pixels of the frame.
    """
    from talker.studio import grammar
    from talker.studio.acting import ACTIONS, act
    from talker.studio.camera import Pose
    from talker.studio.speech import grid_clip

    camera, voice, style = _on_set(number, seed)
    rng = np.random.default_rng([seed, 3, number, clip])
    sentence = grammar.sentence(rng)
    speech = grid_clip(sentence, voice, rng)
    performance = act(speech, rng, style, FRAMES, FPS)
    posed, landmarks = [], []
    for t in range(FRAMES):
        moving = np.flatnonzero(performance.actions[t])
        actions = {ACTIONS[i]: float(performance.actions[t, i]) for i in moving}
        vertices = camera.posed(Pose(actions, performance.head[t], performance.gaze[t]))
        posed.append(vertices)
        landmarks.append(camera.landmarks(vertices))
    steady = smoothed(np.stack(landmarks))
    frames, points = [], []
    for vertices, seen, calm in zip(posed, landmarks, steady, strict=True):
        film = camera.film(calm)
        frames.append(camera.render(vertices, film))
        points.append(seen @ film[:, :2].T + film[:, 2])
    person = camera.performer
    truth = {
        "speaker": person.name,
        "split": split_of(number),
        "gender": person.gender,
        "age": round(person.age, 1),
        "ancestry": {name: round(w, 3) for name, w in person.ancestry.items()},
        "sentence": sentence.text,
        "code": sentence.code,
        "words": [asdict(word) for word in speech.words],
        "phonemes": [asdict(phoneme) for phoneme in performance.phonemes],
        "blinks": [list(map(int, interval)) for interval in performance.blinks],
        "lips_closed": performance.closure.round(3).tolist(),
        "fps": FPS,
        "landmarks": np.round(points, 2).tolist(),
    }
    return np.stack(frames), speech.signal, truth


def render_to_disk(task: tuple[Path, int, int, int]) -> None:
    """Render and store a clip that is not there yet; task: folder, performer, clip and seed."""
    out, number, clip, seed = task
    stem = out / f"p{number:03d}" / f"p{number:03d}_{clip:03d}"
    if stem.with_suffix(".json").exists():
        return
    write_clip(stem, *render_clip(number, clip, seed))


def render_corpus(
    out: Path, performers: int = 24, clips: int = 12, seed: int = 0, workers: int = 0
) -> None:
    """Render `clips` sentences by each of `performers` people into the folder `out`.

    Goes on where an earlier run with the same seed stopped, also to more performers or clips.

    Args:
        workers: processes; 0 takes one for each core.

    Raises:
        TalkerError: the folder holds a corpus of another seed, or a count is not positive.
    """
    if performers < 1 or clips < 1:
        raise TalkerError("A corpus needs at least one performer and one clip: raise the numbers.")
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    about = out / "corpus.json"
    if about.exists() and json.loads(about.read_text(encoding="utf-8"))["seed"] != seed:
        raise TalkerError(f"{out} holds a corpus of another seed: choose another folder.")
    with replacing(about) as path:
        described = {"kind": "rendered", "seed": seed, "performers": performers, "clips": clips}
        path.write_text(json.dumps(described), encoding="utf-8")
    tasks = [(out, number, clip, seed) for number in range(performers) for clip in range(clips)]
    bar = functools.partial(tqdm, total=len(tasks), unit="clip", desc="rendering")
    workers = workers or len(os.sched_getaffinity(0))
    if workers == 1:
        for task in bar(tasks):
            render_to_disk(task)
        return
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        # A chunk is one performer's clips, so that each worker dresses a performer once.
        for _ in bar(pool.imap_unordered(render_to_disk, tasks, chunksize=min(clips, 8))):
            pass
