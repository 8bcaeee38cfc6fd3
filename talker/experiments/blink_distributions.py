"""How often and how long faces blink (Fig. 9 and 12): distributions, real and generated.

    python -m talker.experiments.blink_distributions CORPUS RUNS RESULTS.json [NAME ...]

Real clips of performers held out, and `SEEDS` films of each by every method (see
`talker.experiments.held_out`; "ours" where none is named), that differ in noise only. Blinks are
those of `talker.metrics.blinks`, found alike in all. "truth" is what the rendering knows of the
real clips, to see what the detector adds; `training` is the same of the clips of the training
split, which is what the package's weights have learnt from: other people, who blink by other dice.

values, for each film: blinks a video, a mean; share_without, of videos in which nobody blinks;
and seconds, the median over videos of the mean length of their blinks, as Fig. 9b counts it.
Intervals of 95 % are over performers; of the lengths, over those who blink. `tests` sets every
other film against the real ones: Kolmogorov and Smirnov's and Mann and Whitney's two-sample tests
of blinks a video and of the lengths. Both take videos for independent, which those of one face are
not, so p is rather too small; and the first is conservative for counts, of which many are equal.

The eye aspect ratio of each film is kept in RUNS, in a folder by the method's name and weights and
a file by the clip's name and content, so the same command goes on after an interruption.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
from scipy.stats import ks_2samp, mannwhitneyu
from tqdm import tqdm

from talker.experiments.held_out import (
    OURS,
    REAL,
    about_weights,
    films,
    held_out,
    methods,
    over_performers,
    save_array,
)
from talker.experiments.report import circumstances, write_results
from talker.faces import Detector, DlibDetector
from talker.metrics.blinks import find_blinks
from talker.metrics.landmarks import eye_aspect_ratio
from talker.store import FPS, StoredClip, read_frames
from talker.store import clips as stored_clips
from talker.tracking import fit_crops

SEEDS = 7  # films of each clip; the paper's question wants some hundred of them
TRUTH = "truth"
Film = dict[str, list]  # clip, its number; lengths, the seconds of each blink


def kept(path: Path, make: Callable[[], np.ndarray]) -> np.ndarray:
    """The array in a file, made and written first where there is none: float32, by way of float16.

    So that what was read again gives the same results as what was just made.
    """
    if not path.exists():
        save_array(path, make().astype(np.float16))
    return np.load(path).astype(np.float32)


def ear_of(frames: np.ndarray, detector: Detector) -> np.ndarray:
    """The eye aspect ratio (T,) of aligned crops uint8 (T, H, W, 3)."""
    return eye_aspect_ratio(fit_crops(frames, detector))


def lengths(ear: np.ndarray) -> list[float]:
    """Seconds of each blink in a trace (T,)."""
    return [round((blink.end - blink.start) / FPS, 3) for blink in find_blinks(ear, FPS)]


def true_lengths(truth: dict) -> list[float]:
    """The same as a rendering knows it: from the last frame before a blink to the first after."""
    return [round((end - start + 1) / FPS, 3) for start, end in truth["blinks"]]


def watch(
    found: Sequence[StoredClip], names: Sequence[str], runs: Path, seed: int
) -> dict[str, Film]:
    """The blinks of every film: of the real clips, of the truth, and of each method's films."""
    detector, about = DlibDetector(), about_weights(names, runs)
    told: dict[str, Film] = {n: {"clip": [], "lengths": []} for n in (REAL, TRUTH, *names)}

    def add(name: str, number: int, seconds: list[float]) -> None:
        told[name]["clip"].append(number)
        told[name]["lengths"].append(seconds)

    files = [
        f"{clip.name}-{sha256(clip.video.read_bytes()).hexdigest()[:12]}.npy" for clip in found
    ]
    for number, clip in enumerate(found):
        path = runs / REAL / files[number]
        ear = kept(path, lambda clip=clip: ear_of(read_frames(clip.video), detector))
        add(REAL, number, lengths(ear))
        add(TRUTH, number, true_lengths(clip.truth))
    compared = methods(names, runs)
    plan = [(n, s, number) for n in names for s in range(SEEDS) for number in range(len(found))]
    for name, draw, number in tqdm(plan, desc="films", unit="film"):
        clip, noise = found[number], seed + draw * len(found) + number

        def make(clip=clip, noise=noise, name=name) -> np.ndarray:
            return ear_of(films(clip, {name: compared[name]}, noise)[name], detector)

        of_weights = f"{name}-{about[name]['sha256'][:12]}"
        path = runs / of_weights / str(noise) / files[number]
        add(name, number, lengths(kept(path, make)))
    return told


def of_training(corpus: Path, seed: int) -> dict[str, dict]:
    """The values, see `table`, of the training split as its rendering knows them.

    Raises TalkerError when nobody is in it.
    """
    learnt = stored_clips(corpus, "train")
    lengths_of = [true_lengths(clip.truth) for clip in learnt]
    film = {"clip": list(range(len(learnt))), "lengths": lengths_of}
    return table(film, [clip.speaker for clip in learnt], seed)


def averages(film: Film) -> np.ndarray:
    """The mean length of each video's blinks in seconds, of videos that have some."""
    return np.array([np.mean(seconds) for seconds in film["lengths"] if seconds])


def counts(film: Film) -> np.ndarray:
    """Blinks of each video."""
    return np.array([len(seconds) for seconds in film["lengths"]])


def table(film: Film, speakers: Sequence[str], seed: int) -> dict[str, dict]:
    """The values described above, of the films of clips whose speakers are these."""
    owner = np.array(speakers)[film["clip"]]
    people = [np.flatnonzero(owner == name) for name in dict.fromkeys(speakers)]
    number = counts(film)
    means = np.array([np.mean(s) if s else np.nan for s in film["lengths"]])
    by_person = [means[own][np.isfinite(means[own])] for own in people]
    some = [own for own in by_person if len(own)]

    def middle(at: np.ndarray) -> float:
        return float(np.median(np.concatenate([some[place] for place in at])))

    rates = np.array([number[own].mean() for own in people])
    without = np.array([(number[own] == 0).mean() for own in people])
    return {
        "blinks": over_performers(rates, np.mean, seed=seed),
        "share_without": over_performers(without, np.mean, seed=seed),
        "seconds": over_performers(np.arange(len(some)), middle, seed=seed),
    }


def two_samples(one: np.ndarray, other: np.ndarray) -> dict[str, dict[str, float]]:
    """Both two-sample tests of values (N,) and (M,): statistic and p, and how many there were.

    Empty where one of them is.
    """
    if not len(one) or not len(other):
        return {}
    tests = {"kolmogorov_smirnov": ks_2samp, "mann_whitney": mannwhitneyu}
    told = {name: test(one, other) for name, test in tests.items()}
    return {
        name: {"statistic": round(float(row.statistic), 5), "p": float(f"{row.pvalue:.3g}")}
        for name, row in told.items()
    } | {"videos": {"one": len(one), "other": len(other)}}


def run(corpus: Path, runs: Path, out: Path, names: Sequence[str] = (OURS,), seed: int = 0) -> None:
    """Make the films that are not in RUNS yet, and write the results file.

    Raises:
        TalkerError: no corpus, nobody held out, or no such run.
    """
    began = time.monotonic()
    found = held_out(corpus)
    speakers = [clip.speaker for clip in found]
    watched = watch(found, names, runs, seed)
    real = watched[REAL]
    results = {
        "values": {name: table(film, speakers, seed) for name, film in watched.items()},
        "training": of_training(corpus, seed),
        "tests": {
            name: {
                "blinks": two_samples(counts(film), counts(real)),
                "seconds": two_samples(averages(film), averages(real)),
            }
            for name, film in watched.items()
            if name != REAL
        },
        "films": watched,
        "clips": [clip.name for clip in found],
        "seed": seed,
        "weights": about_weights(names, runs),
        "circumstances": circumstances(
            time.monotonic() - began,
            corpus="rendered, held out",
            clips=len(found),
            performers=len(set(speakers)),
            films={name: len(film["clip"]) for name, film in watched.items()},
        ),
    }
    write_results(out, results)
    for name, values in results["values"].items():
        print(name, values, results["tests"].get(name, ""))


if __name__ == "__main__":
    run(*(Path(argument) for argument in sys.argv[1:4]), sys.argv[4:] or (OURS,))
