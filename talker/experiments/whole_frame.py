"""Fig. 10: L1 over the whole frame, and nothing else, against the proposed loss.

    talker experiments run ablation --corpus CORPUS
    talker experiments run whole_frame --corpus CORPUS --runs runs/ablation

"We only apply the reconstruction loss to the lower half of the image since it discourages the
generation of facial expressions" (section 3.3). Four runs go on from the end of one warm-up, for as
many steps, as those of `talker.experiments.ablation`, two of which they are: in its folder these
are not trained again, and in another one they are.

full     Eq. 7, the proposed loss
no-adv   its L1 alone: lower half, eyes and the nearness to the still, as in "full"
whole    L1 over both halves alone, as in our warm-up, where z_n is read off the real frames: L1 can
         foresee each blink
blind    L1 alone, with z_n of the noise generator, which knows of no blink: over the lower half and
         the eyes with brows; the rest of the upper half is held to the still. It is as near to the
         paper's Fig. 10a as settings come, and has no reading of lips off z_c

The paper trains each from random weights. Measured are the clips of the test split with
`talker.experiments.talking`; `effects` are a variant minus "full", clip by clip, means over clips
with 95 % intervals, a clip's values averaged over seeds.

RUNS/NAME-SEED is the folder of a run, with `generator/` and shown.png, its frames of a few clips;
beside the results file is _frames.png, those of all. What is in the results file is not made again,
and a run that was cut off goes on, so the same command continues after an interruption.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from talker.checkpoint import load_generator, read_config
from talker.config import Config, to_json
from talker.experiments import ablation
from talker.experiments.claims import Claim, Runs, decide, pooled
from talker.experiments.report import circumstances, write_results
from talker.experiments.talking import measure
from talker.experiments.talking_tables import columns
from talker.experiments.trials import (
    Changes,
    Row,
    branch,
    changed,
    held,
    make_all,
    seconds_of,
    train_trial,
)
from talker.media import read_image, write_image
from talker.store import StoredClip
from talker.store import clips as stored_clips

FULL, ALONE = "full", "no-adv"
SHOWN = (3, 3)  # speakers, and frames of each, in the picture


def _variants() -> dict[str, Changes]:
    """Changes to the settings of `ablation.configured("full", ...)`."""
    alone = ablation.VARIANTS[ALONE]
    # At the pace of the adversarial phase, not at the warm-up's tenfold one.
    whole = {"train.warm_up": ablation.WARM_UP + ablation.STEPS, "train.warm_up_rate": 1e-4}
    blind = alone | {"train.warm_up": 0, "train.eyes_weight": 1.0}
    return {FULL: {}, ALONE: alone, "whole": whole, "blind": blind}


VARIANTS = tuple(_variants())
# Of `talker.experiments.talking`; those of real clips have "_real" after them where they have any.
MEASURES = ("cpbd", "blinks_per_second", "psnr", "psnr_lower", "ssim", "r_opening", "r_width")
REAL = ("cpbd", "blinks_per_second")

_BLURRED = (
    "The blurriness is minimized when using the frame adversarial loss ... This is also evident "
    "when comparing video frames generated with and without adversarial training as shown in "
    "Fig. 10"
)
_PSNR = "The model that uses only an L1 loss achieves better PSNR and SSIM results"
_DISCOURAGED = (
    "we only apply the reconstruction loss to the lower half of the image since it discourages the "
    "generation of facial expressions"
)
CLAIMS = tuple(
    Claim(f"{name}: {says}", quoted, of, variant, direction, (other,))
    for variant, name in (("whole", "whole frame"), ("blind", "eyes too, blind"))
    for says, quoted, of, direction, other in (
        ("blurred", _BLURRED, "cpbd", "lower", FULL),
        ("better PSNR", _PSNR, "psnr", "higher", FULL),
        ("fewer blinks than proposed", _DISCOURAGED, "blinks_per_second", "lower", FULL),
        ("fewer blinks than lower half", _DISCOURAGED, "blinks_per_second", "lower", ALONE),
    )
)


def configured(variant: str, seed: int, corpus: Path, runs: Path) -> Config:
    """The settings of a variant's run, which goes on from `ablation.base`."""
    place = {"train.out": str(runs / f"{variant}-{seed}")}
    return changed(ablation.configured(FULL, seed, corpus, runs), place | _variants()[variant])


def examine(variant: str, seed: int, corpus: Path, runs: Path, clips: list[StoredClip]) -> Row:
    """Train and measure a variant; what the results file says of it."""
    config = configured(variant, seed, corpus, runs)
    branch(config, ablation.base(seed, corpus, runs))
    problem = train_trial(config)
    out = Path(config.train.out)
    row = {
        "variant": variant,
        "seed": seed,
        "changes": _variants()[variant],
        "seconds": round(seconds_of(out), 1),
    }
    if problem is not None:
        return row | {"problem": problem}
    rows, shown = measure(load_generator(out / "generator"), clips, ablation.NOISE_SEED)
    real, made = (frames_of([pair[which] for pair in shown.values()]) for which in (0, 1))
    write_image(out / "shown.png", np.concatenate([real, made]))
    per_clip = columns(rows)
    names = ("clip", "speaker", *MEASURES, *(f"{name}_real" for name in REAL))
    weights = read_config(out / "generator")["sha256"]
    return row | {"weights": weights, "per_clip": {name: per_clip[name] for name in names}}


def frames_of(films: Sequence[np.ndarray]) -> np.ndarray:
    """A few frames of the first few of these films (T, H, W, 3), side by side: (H, W', 3)."""
    people, moments = SHOWN
    row = []
    for film in films[:people]:
        row += [*film[np.linspace(8, len(film) - 8, moments).round().astype(int)]]
    return np.concatenate(row, axis=1)


def summarised(done: Mapping[str, Row]) -> dict[str, Any]:
    """Of all runs: values of variants and of real clips, effects, and the paper's claims."""
    runs: Runs = {}
    for row in done.values():
        if "per_clip" in row:
            runs.setdefault(row["variant"], {})[row["seed"]] = row["per_clip"]
    effects = {
        variant: {
            name: decide(Claim("", "", name, variant, "higher"), runs)["against"][FULL]["effect"]
            for name in MEASURES
        }
        for variant in runs
        if variant != FULL
    }
    own = dict(zip(MEASURES, MEASURES, strict=True))
    some = next(iter(runs.values()), {})
    return {
        "variants": {name: pooled(of, own) for name, of in runs.items()},
        "real": pooled(some, {name: f"{name}_real" for name in REAL}) if some else {},
        "effects": effects,
        "claims": [decide(claim, runs) for claim in CLAIMS],
    }


def write_frames(out: Path, done: Mapping[str, Row], runs: Path) -> list[str]:
    """The real frames above those of each variant, of its first seed; the names of the rows."""
    rows, names = [], []
    for variant in VARIANTS:
        measured = sorted(
            name for name, row in done.items() if row["variant"] == variant and "per_clip" in row
        )
        if measured:
            real, made = np.split(read_image(runs / measured[0] / "shown.png"), 2)
            rows += [made] if rows else [real, made]
            names += [variant] if names else ["real", variant]
    if rows:
        write_image(out.with_name(f"{out.stem}_frames.png"), np.concatenate(rows))
    return names


def run(corpus: Path, runs: Path, out: Path, seeds: tuple[int, ...] = ablation.SEEDS) -> None:
    """Make the runs that the results file does not have yet, and write it after each of them.

    Raises:
        TalkerError: no corpus, no clip to test on, no start, or a results file or a run of other
            settings.
    """
    clips = stored_clips(corpus, "test")
    settings = {
        "config": to_json(configured(FULL, 0, corpus, runs)),
        "start": read_config(ablation.START)["sha256"],
        "clips": [clip.name for clip in clips],
    }
    done = held(out, settings).get("runs", {})
    names = {f"{variant}-{seed}": (variant, seed) for seed in seeds for variant in VARIANTS}

    def make(name: str) -> Row:
        return examine(*names[name], corpus, runs, clips)

    def write(rows: dict[str, Row]) -> None:
        about = circumstances(
            sum(row["seconds"] for row in rows.values()),
            clips=len(clips),
            speakers=len({clip.speaker for clip in clips}),
            steps=ablation.STEPS,
        )
        told = {"runs": rows, "seed": ablation.NOISE_SEED, "circumstances": about}
        shown = {"frames": write_frames(out, rows, runs)}
        write_results(out, told | shown | settings | summarised(rows))

    make_all(list(names), done, make, write)
