"""One sentence in many mouths (Fig. 13), faces unlike those of training among them (Fig. 16).

    python -m talker.experiments.identities CORPUS RUNS figures/results/identities.json

Every performer of the test split, and a photograph, says each of `SOUNDS` sentences of that
split, from the first frame of the performer's first clip on. If sound alone moves the lips, then
two faces that say the same sentence open their mouths alike, and one face that says two sentences
does not. Pearson's r of the mouth's opening over time (`inner_lip_distance`), means over:

same sound       all pairs of performers who say one sentence, and all sentences
same face        all pairs of sentences that one performer says, and all performers
gap              the first less the second
real             the films of a performer and the real clip that has the sentence's sound; the
                 performer who speaks in it is left out
another real     the same films, and the real clip of another sentence

Both sentences begin and end at about the same time, so that "same face" and "another real" are
above 0. The photograph is of Eileen Collins by NASA, in the public domain, which comes with
scikit-image: a real face in other light, smiling with her teeth seen, where training knew only
rendered faces with closed lips. "photograph" has the same rows for it: "same sound" is then of its
films and the performers', and "same face" of its films of different sentences.

Intervals of 95 % are over performers; the sentences are these, and for the photograph's "same face"
there is no interval, for there is one face. Beside the results file: _strip.png, moments of one
sentence: the real clip, `SHOWN` performers, and the photograph.
"""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from talker.errors import TalkerError
from talker.experiments.held_out import (
    OURS,
    about_weights,
    as_stored,
    methods,
    over_performers,
)
from talker.experiments.report import circumstances, write_results
from talker.faces import Detector, DlibDetector, align
from talker.media import write_image
from talker.metrics.landmarks import correlation, inner_lip_distance
from talker.store import StoredClip, clips, read_frames, read_sound
from talker.tracking import fit_crops

SOUNDS = 4  # of different performers, spread over those of the split
SHOWN = 4  # performers of the strip
DRAWS = 2000  # of performers, for an interval
MOMENTS = 8  # of the sentence that it shows, after the still
EDGE = 8  # frames before the first of them and after the last


def evenly(count: int, among: int) -> list[int]:
    """Up to `count` different places among so many, evenly from the first to the last."""
    return np.unique(np.linspace(0, among - 1, min(count, among)).round().astype(int)).tolist()


def photograph(detector: Detector) -> np.ndarray:
    """The face of the photograph, aligned as any still is: uint8 (128, 96, 3)."""
    from skimage import data

    picture = data.astronaut()
    return align(picture, detector.detect(picture)[0].landmarks)[0]


def r_of_rows(a: np.ndarray, b: np.ndarray) -> float:
    """Mean of Pearson's r of the rows of traces (S, T) of two films; constant ones are left out."""
    told = [correlation(*pair) for pair in zip(a, b, strict=True)]
    return float(np.nanmean(told)) if np.isfinite(told).any() else float("nan")


def across_faces(traces: np.ndarray) -> np.ndarray:
    """Traces (P, S, T) -> (P, P): r of two faces that say the same, mean over sounds; NaN for one
    face with itself."""
    people = len(traces)
    told = np.full((people, people), np.nan)
    for one, other in itertools.combinations(range(people), 2):
        told[one, other] = told[other, one] = r_of_rows(traces[one], traces[other])
    return told


def across_sounds(traces: np.ndarray) -> np.ndarray:
    """Traces (P, S, T) -> (P,): r of two sounds that a face says, mean over all pairs of them."""
    first, second = zip(*itertools.combinations(range(traces.shape[1]), 2), strict=True)
    return np.array([r_of_rows(rows[list(first)], rows[list(second)]) for rows in traces])


def with_real(traces: np.ndarray, real: np.ndarray, owners: Sequence[int]) -> np.ndarray:
    """Traces (P, S, T), real ones (S, T) -> (P, 2): r with the real clip of the sound, and with
    the real clip of the next one.

    owners: the number of each sound's performer, whose own films of it do not count.
    """
    told = []
    for person, rows in enumerate(traces):
        others = [s for s, owner in enumerate(owners) if owner != person]
        after = [(s + 1) % len(real) for s in others]
        told.append([r_of_rows(rows[others], real[at]) for at in (others, after)])
    return np.array(told)


def over_pairs(faces: np.ndarray, less: np.ndarray, seed: int) -> dict[str, float | int]:
    """Mean of `faces` (P, P) over pairs of performers, less that of `less` (P,), with its interval.

    Performers are drawn, and with each the pairs that it is in. One who is drawn twice is no pair,
    and draws of one performer only have none and are left out.
    """

    def statistic(at: np.ndarray) -> float:
        return float(np.nanmean(faces[np.ix_(at, at)]) - np.nanmean(less[at]))

    rng, people = np.random.default_rng(seed), len(faces)
    drawn = [rng.integers(people, size=people) for _ in range(DRAWS)]
    low, high = np.percentile([statistic(at) for at in drawn if len(set(at)) > 1], [2.5, 97.5])
    told = {"value": statistic(np.arange(people)), "low": low, "high": high}
    return {key: round(float(value), 5) for key, value in told.items()} | {"performers": people}


def compared(traces: np.ndarray, real: np.ndarray, owners: Sequence[int], seed: int) -> dict:
    """The rows of the module's docstring, of performers' traces (P, S, T); see `with_real`."""
    faces, sounds = across_faces(traces), across_sounds(traces)
    alike = with_real(traces, real, owners)
    return {
        "same sound": over_pairs(faces, np.zeros(len(faces)), seed),
        "same face": over_performers(sounds, np.nanmean, seed=seed),
        "gap": over_pairs(faces, sounds, seed),
        "real": over_performers(alike[:, 0], np.nanmean, seed=seed),
        "another real": over_performers(alike[:, 1], np.nanmean, seed=seed),
    }


def compared_one(one: np.ndarray, traces: np.ndarray, real: np.ndarray, seed: int) -> dict:
    """The same for one face (S, T) beside the performers' films (P, S, T)."""
    together = np.array([r_of_rows(one, rows) for rows in traces])
    alone = across_sounds(one[None])[0]
    alike = with_real(one[None], real, [-1] * len(real))[0]
    return {
        "same sound": over_performers(together, np.nanmean, seed=seed),
        "gap": over_performers(together - alone, np.nanmean, seed=seed),
        **{
            name: {"value": round(float(value), 5)}
            for name, value in zip(
                ("same face", "real", "another real"), (alone, *alike), strict=True
            )
        },
    }


def strip(stills: Sequence[np.ndarray], films: Sequence[np.ndarray]) -> tuple[np.ndarray, list]:
    """A row for each film (T, H, W, 3): its still, then the same moments of all; and these."""
    length = min(map(len, films))
    at = np.linspace(EDGE, length - 1 - EDGE, MOMENTS).round().astype(int)
    rows = [
        np.concatenate([still, *film[at]], axis=1)
        for still, film in zip(stills, films, strict=True)
    ]
    return np.concatenate(rows), at.tolist()


def chosen(found: Sequence[StoredClip]) -> dict[str, StoredClip]:
    """The first clip of each performer. Raises TalkerError for fewer than three performers."""
    first: dict[str, StoredClip] = {}
    for clip in found:
        first.setdefault(clip.speaker, clip)
    if len(first) < 3:
        raise TalkerError(
            f"only {len(first)} performers are to test on, and pairs of them are compared: render "
            "at least 48."
        )
    return first


def run(corpus: Path, runs: Path, out: Path, name: str = OURS, seed: int = 0) -> None:
    """Make the films, measure them, and write the results file and the strip.

    name: the method, see `talker.experiments.held_out`. Clips are cut to the shortest.

    Raises:
        TalkerError: no corpus, too few performers to test on, or no such run.
    """
    began = time.monotonic()
    first = chosen(clips(corpus, "test"))
    people, detector = list(first), DlibDetector()
    method = methods([name], runs)[name]
    owners = evenly(SOUNDS, len(people))
    sounding = [first[people[owner]] for owner in owners]
    signals = [read_sound(clip.audio) for clip in sounding]
    real = [read_frames(clip.video) for clip in sounding]
    frames = min(map(len, real))
    stills = [read_frames(clip.video, [0])[0] for clip in first.values()] + [photograph(detector)]

    shown = [people.index(sounding[0].speaker)]
    others = [place for place in range(len(people)) if place not in shown]
    shown = [others[place] for place in evenly(SHOWN, len(others))] + [len(people)]
    traces = np.empty((len(stills), len(signals), frames))
    kept = {}
    for place, still in enumerate(tqdm(stills, desc="talking", unit="face")):
        for number, signal in enumerate(signals):
            noise = seed + place * len(signals) + number
            film = as_stored(method(still, signal, noise)[:frames])
            traces[place, number] = inner_lip_distance(fit_crops(film, detector))
            if number == 0 and place in shown:
                kept[place] = film
    true = np.stack([inner_lip_distance(fit_crops(film[:frames], detector)) for film in real])

    rows = [real[0][:frames], *(kept[place] for place in shown)]
    picture, moments = strip([real[0][0], *(stills[place] for place in shown)], rows)
    write_image(out.with_name(f"{out.stem}_strip.png"), picture)
    values = {
        "performers": compared(traces[:-1], true, owners, seed),
        "photograph": compared_one(traces[-1], traces[:-1], true, seed),
    }
    results = {
        "values": values,
        "example": _example(sounding[0], [*people, "photograph"], shown, moments, traces, true),
        "sounds": [clip.name for clip in sounding],
        "stills": [clip.name for clip in first.values()],
        "seed": seed,
        "weights": about_weights([name], runs)[name],
        "circumstances": circumstances(
            time.monotonic() - began,
            corpus="rendered, held out",
            performers=len(people),
            sounds=len(sounding),
            films=len(stills) * len(sounding),
        ),
    }
    write_results(out, results)
    for face, told in values.items():
        for row, value in told.items():
            print(f"{face:12} {row:13}", value)


def _example(
    clip: StoredClip,
    names: Sequence[str],
    shown: Sequence[int],
    moments: list[int],
    traces: np.ndarray,
    true: np.ndarray,
) -> dict[str, Any]:
    """What the strip shows, and how all mouths open in the sentence of its sound."""
    opening = {name: rows[0].round(4).tolist() for name, rows in zip(names, traces, strict=True)}
    return {
        "clip": clip.name,
        "text": clip.truth.get("text", ""),
        "rows": ["real", *(names[place] for place in shown)],
        "moments": moments,
        "opening": {"real": true[0].round(4).tolist()} | opening,
    }


if __name__ == "__main__":
    run(*(Path(argument) for argument in sys.argv[1:4]))
