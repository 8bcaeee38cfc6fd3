"""Films of neutral stills and emotional sounds: features for the classifier, and a picture of six.

Stills are first frames of clips, which are neutral: an actor's expression comes on later. What a
film is held against are the stills of all clips of its performer.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from talker.errors import TalkerError
from talker.evaluators.emotion_classifier import EMOTIONS, film_features
from talker.experiments.held_out import Method, as_stored
from talker.faces import Detector
from talker.media import write_image
from talker.metrics.motion import flow_picture, optical_flow
from talker.store import FPS, StoredClip, read_frames, read_sound
from talker.tracking import fit_crops

SHOWN = 5  # moments of a film
ONSET = 5  # the frame of the first of them, when an expression is coming on
LONGEST = 1.0  # pixels a frame: the brightest colour of motion
FARTHEST = 2.0  # pixels from the still: the same for where the face went
EVERY = 4  # of so many frames one counts for where the face went


def stills_of(clips: Sequence[StoredClip], detector: Detector) -> dict[str, np.ndarray]:
    """Landmarks (K, 68, 2) of the stills of each performer, one of each of their K clips."""
    found: dict[str, list[np.ndarray]] = {}
    for clip in clips:
        found.setdefault(clip.speaker, []).append(read_frames(clip.video, [0])[0])
    return {speaker: fit_crops(stills, detector) for speaker, stills in found.items()}


def of_real(clips: Sequence[StoredClip], detector: Detector) -> np.ndarray:
    """What the classifier is told of real clips: features (N, 54)."""
    stills = stills_of(clips, detector)
    rows = []
    for clip in tqdm(clips, desc="real", unit="clip"):
        landmarks = fit_crops(read_frames(clip.video), detector)
        rows.append(film_features(landmarks, stills[clip.speaker]))
    return np.stack(rows)


def of_generated(
    method: Method,
    clips: Sequence[StoredClip],
    sounds: Sequence[int],
    seed: int,
    detector: Detector,
) -> np.ndarray:
    """The same (N, 54) of films of the still of each clip; clip n has the sound of `sounds`[n].

    The noise of film n is that of `seed` + n.
    """
    stills = stills_of(clips, detector)
    rows = []
    for number, (clip, sound) in enumerate(
        zip(tqdm(clips, desc="generated", unit="clip"), sounds, strict=True)
    ):
        still = read_frames(clip.video, [0])[0]
        film = as_stored(method(still, read_sound(clips[sound].audio), seed + number))
        rows.append(film_features(fit_crops(film, detector), stills[clip.speaker]))
    return np.stack(rows)


def exchanged(speakers: Sequence[str], emotions: Sequence[str]) -> list[int]:
    """For each of N clips one of the same performer in another emotion; they take turns.

    Raises TalkerError for a performer with one emotion only.
    """
    found = []
    for number, (speaker, emotion) in enumerate(zip(speakers, emotions, strict=True)):
        others = [
            place
            for place, told in enumerate(zip(speakers, emotions, strict=True))
            if told[0] == speaker and told[1] != emotion
        ]
        if not others:
            raise TalkerError(f"{speaker} shows one emotion only: render more clips of everybody.")
        found.append(others[number % len(others)])
    return found


def moments(clip: StoredClip, frames: int) -> list[int]:
    """`SHOWN` frames from `ONSET` to the end of the last word, evenly."""
    words = clip.truth.get("words") or [{"end": frames / FPS}]
    last = min(frames - 2, round(words[-1]["end"] * FPS))
    return np.linspace(min(ONSET, last), last, SHOWN).round().astype(int).tolist()


def row(real: np.ndarray, still: np.ndarray, film: np.ndarray, at: Sequence[int]) -> np.ndarray:
    """One film as a picture: the real clip's middle moment, frames, their motion, and where the
    face went from the still, on average, from the second moment on.
    """
    at = list(at)
    pairs = [optical_flow(film[[moment, moment + 1]])[0] for moment in at]
    went = [optical_flow(np.stack([still, film[t]]))[0] for t in range(at[1], at[-1] + 1, EVERY)]
    flow = [flow_picture(field, LONGEST) for field in pairs]
    flow.append(flow_picture(np.mean(went, axis=0), FARTHEST))
    return np.concatenate([real[at[len(at) // 2]], *film[at], *flow], axis=1)


def picture(
    method: Method, clips: Sequence[StoredClip], emotions: Sequence[str], seed: int, out: Path
) -> dict[str, Any]:
    """Write one still under six emotions beside the results `out`; returns what it shows.

    The performer is the first of `clips`; the still is that of their first neutral clip, and
    each emotion's sound that of their first clip of it.
    """
    person = clips[0].speaker
    own = {
        emotion: next(
            clip
            for clip, told in zip(clips, emotions, strict=True)
            if clip.speaker == person and told == emotion
        )
        for emotion in EMOTIONS
    }
    still = read_frames(own["neutral"].video, [0])[0]
    rows, shown = [], {}
    for emotion, clip in own.items():
        real = read_frames(clip.video)
        film = as_stored(method(still, read_sound(clip.audio), seed))[: len(real)]
        at = moments(clip, min(len(real), len(film)))
        rows.append(row(real, still, film, at))
        shown[emotion] = {"clip": clip.name, "text": clip.truth.get("text", ""), "moments": at}
    write_image(out.with_name(f"{out.stem}_strip.png"), np.concatenate(rows))
    return {
        "performer": person,
        "still": own["neutral"].name,
        "rows": shown,
        "longest": LONGEST,
        "farthest": FARTHEST,
    }
