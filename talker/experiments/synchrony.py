"""Does the synchrony evaluator measure what it says? Known shifts, and sounds of other clips.

    python -m talker.experiments.synchrony CORPUS figures/results/synchrony.json [PREPARED ...]

Offsets are asked of all performers that training did not see, with their sound moved by -10 to 10
frames. Confidences are asked of the test performers only, because the validation performers set
their scale. PREPARED are real recordings, as `talker prepare` leaves them. Nobody knows their true
offset, so their sound is moved by the same frames and the offset must move by as much: "shifts" are
relative to the offset that is found when nothing is moved.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
from torch import Tensor
from tqdm import tqdm

from talker.checkpoint import read_description
from talker.errors import TalkerError
from talker.evaluators.synchrony import SyncNet, find_synchrony
from talker.evaluators.train_synchrony import unrelated
from talker.evaluators.weights import shipped
from talker.experiments.report import circumstances, write_results
from talker.metrics.intervals import bootstrap
from talker.metrics.synchrony import OFFSETS, mean_distances, offset_and_confidence
from talker.store import FPS, RATE, StoredClip, clips, read_frames, read_sound

SHIFTS = tuple(range(-10, 11))
THRESHOLD = 0.5  # of the confidence: below it the paper takes sound and pictures for uncorrelated
PAPER = {"GRID": {"offset": 1, "confidence": 7.0}}  # Table 5, ground truth, official network


def moved(signal: np.ndarray, lead: int) -> np.ndarray:
    """The sound (S,) heard `lead` frames sooner, with silence where there is none; as long."""
    samples = abs(lead) * RATE // FPS
    silence = np.zeros(samples, signal.dtype)
    if lead >= 0:
        return np.concatenate([signal[samples:], silence])
    return np.concatenate([silence, signal[:-samples]])


def auc(positive: np.ndarray, negative: np.ndarray) -> float:
    """Share of pairs in which the positive is the larger; ties count half."""
    larger = (positive[:, None] > negative[None]).mean()
    return float(larger + (positive[:, None] == negative[None]).mean() / 2)


def auc_interval(
    positive: np.ndarray, negative: np.ndarray, draws: int = 500, seed: int = 0
) -> dict[str, float]:
    """`auc` of positives (N,), negatives (N, M) of N clips, and its 95 % interval over clips."""
    rng = np.random.default_rng(seed)
    drawn = [rng.integers(len(positive), size=len(positive)) for _ in range(draws)]
    low, high = np.percentile(
        [auc(positive[at], negative[at].ravel()) for at in drawn], [2.5, 97.5]
    )
    value = auc(positive, negative.ravel())
    return {"value": round(value, 5), "low": round(float(low), 5), "high": round(float(high), 5)}


class Asked:
    """What the network says of one clip, and what it takes to ask more."""

    def __init__(self, network: SyncNet, clip: StoredClip) -> None:
        signal = read_sound(clip.audio)
        self.clip, self._network, self._signal = clip, network, signal
        self.seen, self.heard = network.embed(read_frames(clip.video), signal)
        self.offset, self.confidence = offset_and_confidence(self.seen, self.heard)

    def found(self, lead: int) -> float:
        """The offset that is found when the sound leads by so many frames."""
        return offset_and_confidence(
            self.seen, self._network.listen(moved(self._signal, lead), len(self.seen) + 4)
        )[0]


def asked_of(network: SyncNet, stored: list[StoredClip], what: str) -> tuple[list[Asked], int]:
    """What it says of clips, and how many are left out because it says nothing of them.

    Those are too short, silent, or without motion. Raises TalkerError when fewer than two are left.
    """
    asked = [Asked(network, clip) for clip in tqdm(stored, desc=what, unit="clip")]
    kept = [each for each in asked if np.isfinite(each.offset)]
    if len(kept) < 2:
        raise TalkerError(
            f"only {len(kept)} of {len(stored)} clips ({what}) has an offset: give two at least "
            "that are long enough and heard."
        )
    return kept, len(asked) - len(kept)


def _paired(seen: Tensor, heard: Tensor) -> tuple[Tensor, Tensor]:
    length = min(len(seen), len(heard))
    return seen[:length], heard[:length]


def offsets(asked: list[Asked], relative: bool = False) -> dict:
    """Errors of offsets, with sounds moved by each of `SHIFTS`.

    relative: to the offset of each clip as it is, where the true one is unknown; otherwise to 0.
    """
    found = np.array(
        [
            [each.found(lead) for lead in SHIFTS]
            for each in tqdm(asked, desc="shifting", unit="clip")
        ]
    )
    unmoved = np.array([each.offset if relative else 0.0 for each in asked])
    errors = np.abs(found - unmoved[:, None] - np.array(SHIFTS))
    return {
        "within_one": bootstrap((errors <= 1).mean(axis=1), np.mean),
        "exact": bootstrap((errors == 0).mean(axis=1), np.mean),
        "within_one_by_shift": {
            str(lead): round(float((errors[:, at] <= 1).mean()), 4)
            for at, lead in enumerate(SHIFTS)
        },
        "clips": len(asked),
        "speakers": len({each.clip.speaker for each in asked}),
    }


def others(count: int) -> list[tuple[int, int]]:
    """Pairs of numbers below `count`: each with three others, or with all where there are fewer."""
    steps = dict.fromkeys(step % count for step in (1, 5, 11, *range(2, count)))
    chosen = [step for step in steps if step][:3]
    return [(i, (i + step) % count) for i in range(count) for step in chosen]


def certainty(asked: list[Asked], strangers: bool = True) -> dict:
    """Confidences in step and with sounds of other clips: three for each clip.

    strangers: the other clips are of other speakers; otherwise of anybody, and fewer than three
    where there are fewer clips than four.
    """
    pairs = unrelated([each.clip for each in asked]) if strangers else others(len(asked))
    mixed = [_paired(asked[a].seen, asked[b].heard) for a, b in pairs]
    foreign = np.array([offset_and_confidence(*each)[1] for each in mixed]).reshape(len(asked), -1)
    own = np.array([each.confidence for each in asked])
    return {
        "in_step": bootstrap(own),
        "in_step_above_half": bootstrap(own > THRESHOLD, np.mean),
        "unrelated": bootstrap(np.median(foreign, axis=1)),
        "unrelated_below_half": bootstrap((foreign < THRESHOLD).mean(axis=1), np.mean),
        "auc": auc_interval(own, foreign),
        "curves": {
            "offsets": OFFSETS.tolist(),
            "in_step": _curve([(each.seen, each.heard) for each in asked]),
            "unrelated": _curve(mixed),
        },
        "per_clip": {
            "clip": [each.clip.video.stem for each in asked],
            "offset": [each.offset for each in asked],
            "confidence": own.round(4).tolist(),
            "unrelated": foreign.round(4).tolist(),
        },
    }


def _curve(pairs: list[tuple[Tensor, Tensor]]) -> list[float]:
    return np.mean([mean_distances(*each) for each in pairs], axis=0).round(4).tolist()


def real(asked: list[Asked]) -> dict:
    """Offsets and confidences of real recordings, and of their pictures with other clips' sound."""
    found, counts = np.unique([each.offset for each in asked], return_counts=True)
    return {
        "offsets": {str(int(o)): int(n) for o, n in zip(found, counts, strict=True)},
        "within_one_of_median": bootstrap(
            np.abs([each.offset - np.median([e.offset for e in asked]) for each in asked]) <= 1,
            np.mean,
        ),
        "shifts": offsets(asked, relative=True),
        "speakers": len({each.clip.speaker for each in asked}),
        **certainty(asked, strangers=False),
    }


def main(corpus: Path, out: Path, *prepared: Path, seed: int = 0) -> None:
    """Ask the packaged network about every held-out clip and write the results file."""
    began = time.monotonic()
    network = find_synchrony()
    held_out = clips(corpus, "validation") + clips(corpus, "test")
    recorded = [clip for each in prepared for clip in clips(each)]
    asked, left_out = asked_of(network, held_out, "rendered")
    people, mute = asked_of(network, recorded, "prepared") if prepared else ([], 0)
    told = read_description(shipped("synchrony").with_suffix(".json"))
    results = {
        "offsets": offsets(asked) | {"left_out": left_out},
        "confidences": certainty([each for each in asked if each.clip.split == "test"]),
        "real": real(people) | {"left_out": mute} if prepared else None,
        "paper": PAPER,
        "weights": told,
        "seed": seed,
        "circumstances": circumstances(
            time.monotonic() - began, corpus="rendered, performers held out", clips=len(asked)
        ),
    }
    write_results(out, results)
    for part in ("offsets", "confidences", "real"):
        for name, value in (results[part] or {}).items():
            if name not in ("per_clip", "curves"):
                print(f"{part:12} {name:22}", value)


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:]))
