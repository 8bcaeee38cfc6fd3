"""What the paper concludes from its ablation (Table 5), and whether our runs conclude the same.

A claim is one row of `CLAIMS`: which variant is above or below which others, and by what measure.
It is decided by the difference between the two variants on the same clip, of runs of the same seed
and so of the same start, as a mean over clips with its 95 % bootstrap interval over speakers:

    reproduced      the interval lies wholly on the claimed side of the bound
    not reproduced  it lies wholly on the other side
    undecided       the bound is within it, or there is nothing to measure
    not tested      whatever the interval, the runs cannot answer the question

The bound is 0; where a term is said to remove something, it is the share `least` of what is there
with the term, so that an effect that is certain and small does not pass for a removal. "Best of
all" is a claim against each other variant, and is reproduced when all of those are. The
intervals draw speakers with all of their clips, since clips of one face share what is odd about it:
how much two trainings differ that have other seeds alone, they do not tell.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from talker.errors import TalkerError
from talker.metrics.intervals import bootstrap

NAMES = ("full", "no-adv", "no-l1", "no-img", "no-sync", "no-seq")
VERDICTS = NOT_REPRODUCED, UNDECIDED, REPRODUCED = "not reproduced", "undecided", "reproduced"
NOT_TESTED = "not tested"
HALF = 0.5  # of the blinks: the paper's 0.45 a second become 0.03
Columns = dict[str, list]
Runs = dict[str, dict[int, Columns]]


@dataclass(frozen=True)
class Claim:
    """`measure` of `variant` is higher, or lower, than that of each of `others`.

    says: in our words; paper: in the paper's, or which column of Table 5. less: a measure that is
    taken from the first, for the difference between two. least: the share of the other's value by
    which the two must differ at least. untested: why the runs cannot tell, where they cannot.
    """

    says: str
    paper: str
    measure: str
    variant: str
    direction: Literal["higher", "lower"]
    others: tuple[str, ...] = ("full",)
    less: str | None = None
    least: float = 0.0
    untested: str = ""


def _all_but(name: str) -> tuple[str, ...]:
    return tuple(other for other in NAMES if other != name)


_BEST = (
    "The model that uses only an L1 loss achieves better PSNR and SSIM results, which is expected "
    "as it does not generate spontaneous expressions"
)
_UPPER = "the removal of the sequence discriminator coincides with an increase in PSNR and SSIM"
_SYNC = (
    "The effect of the synchronization discriminator is reflected in the low WER and high AV "
    "confidence values"
)
_TEMPORAL = (
    "the temporal discriminators have a positive contribution to both the audio-visual "
    "synchronization and the WER"
)
# `talker.experiments.own_noise` asks it, of a noise generator that does learn from the judges.
_DETACHED = "z_n is cut off from the judges' gradient, so that all six blink by the same dice"

CLAIMS = (
    Claim("L1 alone has the best PSNR", _BEST, "psnr", "no-adv", "higher", _all_but("no-adv")),
    Claim("L1 alone has the best SSIM", _BEST, "ssim", "no-adv", "higher", _all_but("no-adv")),
    Claim(
        "L1 alone is the most blurred",
        "We also notice that it results in the most blurry images",
        "cpbd",
        "no-adv",
        "lower",
        _all_but("no-adv"),
    ),
    Claim(
        "L1 alone blinks least",
        "Table 5, blinks/sec",
        "blinks",
        "no-adv",
        "lower",
        _all_but("no-adv"),
        untested=_DETACHED,
    ),
    Claim(
        "without L1 words are read worst",
        "Table 5, WER",
        "wer",
        "no-l1",
        "higher",
        _all_but("no-l1"),
    ),
    Claim(
        "the frame loss sharpens",
        "The blurriness is minimized when using the frame adversarial loss as indicated by the "
        "higher CPBD scores",
        "cpbd",
        "no-img",
        "lower",
    ),
    Claim(
        "the frame loss keeps the identity",
        "this is in large part due to the Frame Discriminator",
        "acd",
        "no-img",
        "higher",
    ),
    Claim(
        "without the sequence loss blinks halve, or more",
        "removing the sequence discriminator drastically reduces blink generation",
        "blinks",
        "no-seq",
        "lower",
        least=HALF,
        untested=_DETACHED,
    ),
    Claim("without the sequence loss PSNR rises", _UPPER, "psnr", "no-seq", "higher"),
    Claim("without the sequence loss SSIM rises", _UPPER, "ssim", "no-seq", "higher"),
    Claim("without the sync loss AV confidence falls", _SYNC, "av_confidence", "no-sync", "lower"),
    Claim("without the sync loss WER rises", _SYNC, "wer", "no-sync", "higher"),
    Claim(
        "without the sequence loss AV confidence falls",
        _TEMPORAL,
        "av_confidence",
        "no-seq",
        "lower",
    ),
    Claim("without the sequence loss WER rises", _TEMPORAL, "wer", "no-seq", "higher"),
    Claim(
        "L1 alone is less far ahead in PSNR on the lower half",
        "calculating the PSNR only on the lower half of the image and find that gap between the "
        "non-adversarial model and our proposed model reduces by 0.3 dB",
        "psnr",
        "no-adv",
        "higher",
        less="psnr_lower",
    ),
)


def over_seeds(rows: Sequence[np.ndarray]) -> np.ndarray:
    """Rows (N,) of several seeds -> their mean for each clip; NaN where none has a value."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # numpy's, on columns of NaN
        return np.nanmean(np.stack(rows), axis=0)


def pooled(
    runs: Mapping[int, Columns], names: Mapping[str, str]
) -> dict[str, dict[str, float | int | None]]:
    """Means over clips with 95 % intervals over speakers, a clip's values averaged over seeds.

    names: by the key of the result, the column that it is of; see `Runs`.
    """
    values = {}
    for name, column in names.items():
        rows = [np.array(run[column], float) for run in runs.values()]
        groups = speakers_of(next(iter(runs.values())))
        values[name] = bootstrap(over_seeds(rows), np.mean, groups=groups)
    return values


def speakers_of(columns: Columns) -> list[str]:
    """Whose each clip is: the folder in its name, as in s1/bbaf2n."""
    return [name.rpartition("/")[0] or name for name in columns["clip"]]


def decide(claim: Claim, runs: Runs) -> dict[str, Any]:
    """The claim with its verdict, and for each other variant the effect that it rests on.

    runs: by variant and seed, the columns `clip` and one for each metric; None where undefined.
    `effect` is variant minus other, `beyond` what of it exceeds the bound on the claimed side;
    `decided_by` is the other variant that speaks most against the claim, whose verdict it gets.
    Raises TalkerError when two runs are not of the same clips.
    """
    against = {other: _compared(claim, other, runs) for other in claim.others}

    def strength(other: str) -> tuple[int, float]:
        value = against[other]["beyond"]["value"]
        return VERDICTS.index(against[other]["verdict"]), -np.inf if value is None else value

    weakest = min(against, key=strength)
    return asdict(claim) | {
        "against": against,
        "decided_by": weakest,
        "verdict": NOT_TESTED if claim.untested else against[weakest]["verdict"],
    }


def decide_all(runs: Runs) -> list[dict[str, Any]]:
    """`decide` for each of `CLAIMS`, in order."""
    return [decide(claim, runs) for claim in CLAIMS]


def _compared(claim: Claim, other: str, runs: Runs) -> dict[str, Any]:
    ours, theirs = runs.get(claim.variant, {}), runs.get(other, {})
    sign = 1 if claim.direction == "higher" else -1
    effects, beyond, groups = [np.empty(0)], [np.empty(0)], []
    seeds = sorted(ours.keys() & theirs.keys())
    if seeds:
        if len({tuple(runs_of[s]["clip"]) for runs_of in (ours, theirs) for s in seeds}) > 1:
            raise TalkerError(
                f"{claim.variant} and {other} were measured on other clips: measure all anew."
            )
        pairs = [(_column(claim, ours[seed]), _column(claim, theirs[seed])) for seed in seeds]
        effects = [a - b for a, b in pairs]
        beyond = [sign * (a - b) - claim.least * np.abs(b) for a, b in pairs]
        groups = speakers_of(ours[seeds[0]])
    excess = bootstrap(over_seeds(beyond), np.mean, groups=groups)
    return {
        "effect": bootstrap(over_seeds(effects), np.mean, groups=groups),
        "beyond": excess,
        "seeds": seeds,
        "verdict": _verdict(excess),
    }


def _verdict(excess: dict[str, float | int | None]) -> str:
    if excess["value"] is None or excess["low"] <= 0 <= excess["high"]:
        return UNDECIDED
    return REPRODUCED if excess["low"] > 0 else NOT_REPRODUCED


def _column(claim: Claim, columns: Columns) -> np.ndarray:
    """The claim's measure of each clip, (N,), NaN where it is undefined."""
    first = np.array(columns[claim.measure], float)
    return first if claim.less is None else first - np.array(columns[claim.less], float)
