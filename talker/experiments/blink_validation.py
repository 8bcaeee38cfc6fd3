"""Does the blink detector find the blinks? Table 3, against what the performers really did.

    python -m talker.experiments.blink_validation CORPUS figures/results/blink_validation.json
    python -m talker.experiments.blink_validation figures/results/blink_validation.json

CORPUS is a rendered corpus; without it everything that the detector decides is worked out anew from
what an earlier run left, and no landmarks are looked for. Its held-out performers are looked at and
every second of the others, whom nobody looked at while choosing the detector's thresholds; it has
no other parameters. The rules for shut eyes and for brief dips were added after a look at the
held-out ones. The truth says from which frame to which a lid moved, and
`talker.experiments.blink_score` how detected blinks are held against it.

Three things may make it harder: noise in EAR, a head that moves, and glasses. "detectors" holds
the same summary for the detector without its rule for shut eyes, and for the authors' rule. Beside
the results file go the EAR of all clips (_ear.npy, float16 (clips, T), NaN after a clip's end), the
picture of an eye that is open and shut (_eye.png), and of one that is shut and looks open to the
landmarks (_shut.png): "shut" tells of a blink that the rule mends, where there is one.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from talker.errors import TalkerError
from talker.experiments.blink_score import (
    AUTHORS,
    DETECTORS,
    PAPER,
    Detector,
    Scored,
    score,
    summary,
)
from talker.experiments.report import circumstances, write_results
from talker.files import replacing
from talker.media import write_image
from talker.metrics.blinks import (
    APART,
    DEPTH,
    JUMP,
    LONGEST,
    SHORTEST,
    SUDDEN,
    Blink,
    filled_in,
    find_blinks,
)
from talker.metrics.landmarks import RIGHT_EYE
from talker.metrics.pair import Footage
from talker.store import FPS, StoredClip, clips, read_frames

NOISE = (0.0, 0.02, 0.04, 0.06, 0.08, 0.1, 0.12)  # deviation over the clip's median EAR
EYE = (40, 28)  # pixels of the crop around the eye that is shown, wide and high
THRESHOLDS = {
    "depth": DEPTH,
    "apart_seconds": APART,
    "seconds": [SHORTEST, LONGEST],
    "sudden_seconds": SUDDEN,
    "jump": JUMP,
}


@dataclass
class Watched:
    """What a clip's frames and its truth tell."""

    name: str
    split: str
    ear: np.ndarray  # (T,), of half precision
    true: list[tuple[int, int]]
    turning: float  # degrees: the larger deviation over time of the head's pitch and yaw
    glasses: bool


def watch(clip: StoredClip) -> Watched:
    """EAR is measured in the frames as for any video; all else comes from the truth."""
    truth = clip.truth
    turning = float(np.std(np.array(truth["head"])[:, :2], axis=0).max())
    true = [(start - 1, end) for start, end in truth["blinks"]]  # half-open: lids move within
    # Of half precision at once, so that the stored traces give the same results again.
    ear = Footage(read_frames(clip.video)).ear.astype(np.float16).astype(float)
    glasses = truth["wears"]["glasses"] != "none"
    return Watched(clip.name, clip.split, ear, true, round(turning, 4), glasses)


def looked_at(corpus: Path) -> list[StoredClip]:
    """The clips of performers held out, and of every second of the others."""
    everyone = clips(corpus)
    trained = sorted({clip.speaker for clip in everyone if clip.split == "train"})
    return [clip for clip in everyone if clip.split != "train" or clip.speaker in trained[1::2]]


def _scored(watched: list[Watched], detector: Detector = find_blinks) -> list[Scored]:
    return [score(detector(each.ear, FPS), each.true) for each in watched]


def against_noise(watched: list[Watched], seed: int = 0) -> list[dict]:
    """The summary for Gaussian noise added to every EAR, in shares of the clip's median."""
    rows = []
    for deviation in NOISE:
        rng = np.random.default_rng(seed)
        scored = []
        for each in watched:
            seen = each.ear[np.isfinite(each.ear)]
            scale = deviation * np.median(seen) if len(seen) else 0.0
            noise = scale * rng.standard_normal(len(each.ear))
            scored.append(score(find_blinks(each.ear + noise, FPS), each.true))
        rows.append({"noise": deviation, **summary(scored, seed)})
    return rows


def by_motion(watched: list[Watched], parts: int = 3) -> list[dict]:
    """The summary for clips whose heads turn least to those whose turn most, in equal parts."""
    order = sorted(watched, key=lambda each: each.turning)
    rows = []
    for part in np.array_split(np.arange(len(order)), parts):
        some = [order[place] for place in part]
        if some:
            degrees = [round(some[0].turning, 2), round(some[-1].turning, 2)]
            rows.append({"degrees": degrees, **summary(_scored(some))})
    return rows


def by_glasses(watched: list[Watched]) -> dict[str, dict]:
    """The summary for performers with and without glasses."""
    groups = {"with": True, "without": False}
    sorted_out = {n: [e for e in watched if e.glasses is worn] for n, worn in groups.items()}
    return {name: summary(_scored(some)) for name, some in sorted_out.items() if some}


def eye_of(clip: StoredClip, numbers: list[int]) -> tuple[np.ndarray, list]:
    """The right eye in some frames: crops (H, W, 3) side by side, and its landmarks in each."""
    frames = read_frames(clip.video)
    marks = Footage(frames).landmarks[numbers][:, list(RIGHT_EYE)]
    middle = np.nanmean(marks, axis=(0, 1)).round().astype(int)
    (left, top), (wide, high) = middle - np.array(EYE) // 2, EYE
    crops = frames[numbers, top : top + high, left : left + wide]
    return np.concatenate(crops, axis=1), (marks - [left, top]).round(2).tolist()


def mended(watched: list[Watched]) -> tuple[int, Blink] | None:
    """A clip, as its place in the list, and its blink that is two without the rule for shut eyes.

    With the rule all of its blinks are found. Of performers held out if possible; None without any.
    """
    candidates = []
    for number, each in enumerate(watched):
        careful, naive = (d(each.ear, FPS) for d in list(DETECTORS.values())[:2])
        with_rule, without = score(careful, each.true), score(naive, each.true)
        if not with_rule.missed + with_rule.wrong and without.wrong:
            blink = next((blink for blink in careful if blink not in naive), None)
            if blink is not None:
                candidates.append((each.split == "train", number, blink))
    return min(candidates, key=lambda row: row[:2])[1:] if candidates else None


def moments(ear: np.ndarray, blink: Blink) -> list[int]:
    """Four frames of a blink whose EAR has two dips: open, first dip, peak between, second dip."""
    ear = filled_in(ear)
    below = np.flatnonzero(ear[blink.start : blink.end + 1] < (1 - DEPTH) * np.median(ear))
    first, last = blink.start + below[0], blink.start + below[-1]
    inside = ear[first : last + 1]
    peak = max(
        range(len(inside)),
        key=lambda t: min(inside[t] - inside[: t + 1].min(), inside[t] - inside[t:].min()),
    )
    dips = int(inside[: peak + 1].argmin()), peak + int(inside[peak:].argmin())
    return [blink.start, *(int(first + t) for t in (dips[0], peak, dips[1]))]


def _example(
    out: Path, kind: str, number: int, clip: StoredClip, at: list[int], ear: np.ndarray
) -> dict:
    """What the results file says of an eye in some frames; writes their picture beside it."""
    picture, marks = eye_of(clip, at)
    write_image(out.with_name(f"{out.stem}_{kind}.png"), picture)
    told = [round(float(ear[t]), 3) for t in at]
    return {"clip": number, "frames": at, "landmarks": marks, "ear": told}


def examples(watched: list[Watched], chosen: list[StoredClip], out: Path) -> dict[str, dict]:
    """An eye that is open and then shut, and one that is shut and looks open to landmarks."""
    told: dict[str, dict] = {"example": {}, "shut": {}}
    numbers = [number for number, row in enumerate(_scored(watched)) if row.found]
    if numbers:
        number = numbers[len(numbers) // 2]
        blink = find_blinks(watched[number].ear, FPS)[0]
        at = [blink.start, blink.lowest]
        told["example"] = _example(out, "eye", number, chosen[number], at, watched[number].ear)
    if (found := mended(watched)) is not None:
        number, blink = found
        at = moments(watched[number].ear, blink)
        told["shut"] = _example(out, "shut", number, chosen[number], at, watched[number].ear)
    return told


def decided(watched: list[Watched], seed: int = 0) -> dict:
    """All of the results that follow from EAR and the truth."""
    rows = _scored(watched)
    splits = [each.split for each in watched]
    return {
        "values": summary(rows, seed),
        "detectors": {
            name: summary(_scored(watched, detector), seed) for name, detector in DETECTORS.items()
        },
        "by_split": {
            name: summary([row for row, split in zip(rows, splits, strict=True) if split == name])
            for name in sorted(set(splits))
        },
        "noise": against_noise(watched, seed),
        "head_motion": by_motion(watched),
        "glasses": by_glasses(watched),
        "per_clip": {
            "clip": [each.name for each in watched],
            "split": splits,
            "frames": [len(each.ear) for each in watched],
            "blinks": [each.true for each in watched],
            "turning": [each.turning for each in watched],
            "glasses": [each.glasses for each in watched],
            **{n: [getattr(r, n) for r in rows] for n in ("found", "missed", "wrong")},
        },
        "paper": PAPER,
        "seed": seed,
        "thresholds": THRESHOLDS,
        "authors_thresholds": AUTHORS,
    }


def stored(out: Path) -> list[Watched]:
    """What an earlier run saw. Raises TalkerError when the results are of an older version."""
    told = json.loads(out.read_text(encoding="utf-8"))["per_clip"]
    traces = np.load(out.with_name(f"{out.stem}_ear.npy")).astype(float)
    names = ("clip", "split", "frames", "blinks", "turning", "glasses")
    if missing := [name for name in names if name not in told]:
        raise TalkerError(f"{out} does not tell {missing[0]} of its clips: give the corpus, too.")
    return [
        Watched(name, split, ear[:frames], [(start, end) for start, end in true], turning, glasses)
        for ear, name, split, frames, true, turning, glasses in zip(
            traces, *(told[name] for name in names), strict=True
        )
    ]


def recompute(out: Path, seed: int = 0) -> None:
    """Write the results file anew from the traces beside it."""
    kept = json.loads(out.read_text(encoding="utf-8"))
    write_results(out, kept | decided(stored(out), seed))


def main(corpus: Path, out: Path, seed: int = 0) -> None:
    """Look at the clips and write the results file, and what goes beside it."""
    began = time.monotonic()
    chosen = looked_at(corpus)
    watched = [watch(clip) for clip in tqdm(chosen, desc="looking", unit="clip")]
    with replacing(out.with_name(f"{out.stem}_ear.npy")) as temporary, temporary.open("wb") as file:
        longest = max(len(each.ear) for each in watched)
        padded = [np.pad(e.ear, (0, longest - len(e.ear)), constant_values=np.nan) for e in watched]
        np.save(file, np.array(padded, np.float16))
    results = decided(watched, seed) | examples(watched, chosen, out)
    splits = [clip.split for clip in chosen]
    results["circumstances"] = circumstances(
        time.monotonic() - began,
        corpus="rendered",
        clips=len(watched),
        performers=len({clip.speaker for clip in chosen}),
        held_out=len(splits) - splits.count("train"),
    )
    write_results(out, results)


def _print(out: Path) -> None:
    results = json.loads(out.read_text(encoding="utf-8"))
    for name, value in results["values"].items():
        print(f"{name:12}", value)
    for name, values in results["detectors"].items():
        print(f"{name:31}", *(f"{n} {values[n]['value']}" for n in ("precision", "recall")))


if __name__ == "__main__":
    *of, target = (Path(argument) for argument in sys.argv[1:])
    main(of[0], target) if of else recompute(target)
    _print(target)
