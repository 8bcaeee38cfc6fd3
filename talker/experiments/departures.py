"""What each departure of the preset `laptop` from the paper is worth: with it, and without.

    python -m talker.experiments.departures CORPUS RUNS figures/results/departures.json [NAME ...]

A variant is `laptop` with some settings put back, mostly to what the paper says, and is compared,
clip by clip, with `laptop` itself trained for as many steps: the difference is base minus variant,
so that a positive one of a measure that should be high speaks for the departure. All are
short, of one seed and on few clips of the validation split: what they show is the direction. How
much another seed alone changes is a variant too.

`SCRATCH` is reconstruction from random weights; "no-warm-up" has Eq. 7 from the first step instead,
for as many seconds. `ADVERSARIAL` goes on, each variant with its own Eq. 7, from the weights that
come with the package, discriminators included: what a setting is worth to what has been trained
with it, not what it would have been without.

RUNS/NAME is the folder of a run. What is in the results file is not made again, and a run that was
cut off goes on, so the same command continues after an interruption. Calls with other names can
run side by side, of one family each.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np

from talker.checkpoint import SHIPPED, load_generator, read_config
from talker.config import Config, preset, to_json
from talker.dataset import Clips
from talker.errors import TalkerError
from talker.experiments.report import circumstances, write_results
from talker.experiments.talking import measure
from talker.experiments.talking_tables import columns, share, table
from talker.experiments.training_log import read_log, summary
from talker.experiments.trials import (
    Changes,
    Row,
    changed,
    equally_long,
    held,
    limited,
    make_all,
    train_trial,
)
from talker.metrics.intervals import bootstrap
from talker.run_state import load_state
from talker.store import StoredClip
from talker.store import clips as stored_clips
from talker.trainer import Trainer

PRESET = "laptop"
START = SHIPPED
STEPS_A = 2000  # of reconstruction, from random weights: with half of them lips hardly move yet
STEPS_B = 400  # adversarial, from `START`
CLIPS = 24  # of the validation split, spread over its performers
SEED = 0  # of the noise that the clips are made with
PRECISION = "fp32"  # what every processor has: bfloat16 without instructions for it is slower
BASE, ADVERSARIAL_BASE = "base", "adversarial-base"

SCRATCH: dict[str, Changes] = {
    BASE: {},
    "another-seed": {"train.seed": 1},
    "no-freeze": {"train.freeze_statistics": False},
    # The usual other way out of small batches; it has no statistics to freeze.
    "group-norm": {
        "model.normalisation": "group",
        "model.audio_normalisation": "group",
        "train.freeze_statistics": False,
    },
    "no-injection": {"model.injection": False},
    "no-composition": {"model.composition": False},
    "no-skip-64": {"model.skip_64": False},
    "no-lips": {"train.lips_weight": 0.0},
    "same-voices": {"train.alter_voices": False},
    "same-pictures": {"train.alter_pictures": False},
    "no-emphasis": {"train.mouth_emphasis": 0.0, "train.eye_emphasis": 0.0},
    # The eyes' L1 goes too: without an encoder it asks the noise for the real clip's blinks.
    "no-warm-up": {"train.warm_up": 0, "train.eyes_weight": 0.0},
}
# Nothing here may change the shape of a network: the weights are those of `START`. What L_seq and
# L_sync are worth, `talker.experiments.ablation` says.
ADVERSARIAL: dict[str, Changes] = {
    ADVERSARIAL_BASE: {},
    "another-seed-on": {"train.seed": 1},
    "l1-600": {"losses.l1": 600.0},  # Eq. 7's number, as if Eq. 6 were this mean
    "no-eyes": {"train.eyes_weight": 0.0},
    "no-still": {"train.still_weight": 0.0},
    "judge-rest": {"train.judge_rest": True},
    "every-frame": {"train.sequence_stride": 1},
    "even-l1": {"train.mouth_emphasis": 0.0},
    "slow-critics": {
        "train.frame_rate": 1e-4,
        "train.sequence_rate": 1e-5,
        "train.sync_rate": 1e-5,
    },
    "no-clipping": {"train.clip_norm": 1e9},
    "no-average": {"train.average_decay": 0.0},
}
VARIANTS = SCRATCH | ADVERSARIAL

# Of `talker.experiments.talking`; "closed" is the share of closures that were made.
MEASURES = (
    *("r_opening", "r_width", "closed", "psnr_lower_gain", "l1_lower_gain", "cpbd_ratio"),
    *("blinks_per_second", "blink_seconds"),
)
# What the clips themselves have, to read the measures by.
SCALE = ("closed_real", "blinks_per_second_truth", "blinks_per_second_real", "blink_seconds_real")


def judged_alone(config: Config, corpus: Path, out: Path, steps: int, start: Path) -> Config:
    """The settings of so many adversarial steps from the weights in the folder `start`."""
    # A warm-up of one step of next to no length: without any, Eq. 7 is another one.
    config = equally_long(config, corpus, out, 1 + steps, 1)
    begun = {"train.start": os.path.relpath(start)}
    return changed(config, begun | {"train.warm_up_rate": 1e-6, "train.noise_steps": 0})


def configured(name: str, corpus: Path, runs: Path) -> Config:
    """All settings of a variant's run in the folder `runs`/`name`."""
    if name in SCRATCH:
        shared = equally_long(preset(PRESET), corpus, runs / name, STEPS_A, STEPS_A)
    else:
        shared = judged_alone(preset(PRESET), corpus, runs / name, STEPS_B, START)
    return changed(shared, {"train.precision": PRECISION} | VARIANTS[name])


def family_of(name: str) -> str:
    """Which of the two families a variant is in."""
    return "scratch" if name in SCRATCH else "adversarial"


def base_of(name: str) -> str:
    """The variant that one is compared with."""
    return BASE if name in SCRATCH else ADVERSARIAL_BASE


def chosen(corpus: Path) -> list[StoredClip]:
    """Up to `CLIPS` clips of the validation split, spread over those that there are."""
    clips = stored_clips(corpus, "validation")
    spread = np.linspace(0, len(clips) - 1, min(CLIPS, len(clips))).round().astype(int)
    return [clips[number] for number in spread]


def train_variant(name: str, corpus: Path, runs: Path, seconds: float) -> str | None:
    """Train a variant, or go on; returns what is wrong where a loss is not finite, else None.

    seconds: what a run without warm-up may take, its earlier calls included; others have steps.
    """
    config = configured(name, corpus, runs)
    if not config.train.warm_up:
        config = limited(changed(config, {"train.steps": None}), seconds)
    return train_trial(config)


def paced(log: list[Row]) -> float:
    """Seconds of a run's steps at the pace of their median: pauses of the process are no training.

    log: its rows, as `training_log.read_log` has them.
    """
    return len(log) * float(np.median([row["seconds"] for row in log]))


def noise_distance(config: Config) -> float:
    """`noise_prior.distance` of a finished warm-up's noise generator from the encoder's sequences.

    Each run has an encoder of its own, whose z_n are as large as it likes, so the numbers of two
    runs compare only roughly.
    """
    trainer = Trainer(config)
    state = Path(config.train.out) / "state.safetensors"
    load_state(state, trainer.networks.modules, trainer.networks.optimisers)
    data = Clips(stored_clips(config.train.corpus, "train"), config.model.audio)
    return round(trainer.fit_noise(data, 0), 5)  # no step: what the fit has come to


def differences(base: Row, variant: Row) -> dict[str, dict[str, float | int | None]]:
    """Base minus variant for each of `MEASURES`, paired by clips; 95 % intervals over speakers.

    base, variant: columns as `talking_tables.columns` makes them. Medians of the clips'
    differences, means of those in blinks a second; of a clip's blinks the median length counts,
    and clips without a blink in both are left out; shares of all closures.
    Raises TalkerError when the two are not of the same clips.
    """
    if base["clip"] != variant["clip"]:
        raise TalkerError("base and variant were measured on other clips: measure all anew.")
    found, people = {}, base["speaker"]
    for name in MEASURES:
        ours, others = (np.array([_number(v) for v in row[name]]) for row in (base, variant))
        gaps = ours - others
        if name == "closed":
            found[name] = share(gaps.tolist(), base["closures"], people)
        else:
            statistic = np.mean if name.startswith("blinks") else np.median
            found[name] = bootstrap(gaps, statistic, groups=people)
    return found


def _number(value: float | list[float] | None) -> float:
    """A clip's value as one number: the median of a list, NaN where there is nothing."""
    if isinstance(value, list):
        value = float(np.median(value)) if value else None
    return np.nan if value is None else float(value)


def examine(
    name: str, corpus: Path, runs: Path, clips: list[StoredClip], done: dict[str, Row]
) -> Row:
    """Train and measure a variant; what the results file says of it.

    done: the same of earlier variants, the one that it is compared with among them.
    """
    spent = done[BASE]["seconds"] if BASE in done else 0.0
    problem = train_variant(name, corpus, runs, spent)
    out = runs / name
    log = read_log(out / "log.jsonl")
    told = {
        "family": family_of(name),
        "changes": VARIANTS[name],
        "steps": len(log),
        "seconds": round(paced(log), 1),
    }
    if problem is not None:
        return told | {"problem": problem}
    rows, _ = measure(load_generator(out / "generator"), clips, SEED)
    values, per_clip = table(rows), columns(rows)
    told["values"] = {key: values[key] for key in (*MEASURES, *SCALE)}
    told["per_clip"] = {key: per_clip[key] for key in ("clip", "speaker", "closures", *MEASURES)}
    first = base_of(name)
    if name != first:
        told["difference"] = differences(done[first]["per_clip"], told["per_clip"])
    config = configured(name, corpus, runs)
    if config.train.warm_up == config.train.steps:
        return told | {"noise_distance": noise_distance(config)}
    late = summary(log)
    return told | {"gaps": late["gaps"], "ratio": late["ratio"]}


def planned(names: tuple[str, ...], done: dict[str, Row]) -> list[str]:
    """What is to be made of `names` (all variants where there are none), in order.

    The bases that they are compared with come along. Raises TalkerError on an unknown name.
    """
    unknown = [name for name in names if name not in VARIANTS]
    if unknown:
        raise TalkerError(f"no variant {', '.join(unknown)}: use some of {', '.join(VARIANTS)}.")
    wanted = set(names or VARIANTS)
    wanted |= {base_of(name) for name in wanted}
    return [name for name in VARIANTS if name in wanted and name not in done]


def main(corpus: Path, runs: Path, out: Path, *names: str) -> None:
    """Make the variants that the results file does not have yet, and write it after each of them.

    Raises:
        TalkerError: no corpus, an unknown name, a results file or a run of other settings, or a
            base whose losses are not finite.
    """
    clips = chosen(corpus)
    settings = {
        "config": {
            family_of(name): to_json(configured(name, corpus, runs))
            for name in (BASE, ADVERSARIAL_BASE)
        },
        "start": read_config(START)["sha256"],
        "clips": [clip.name for clip in clips],
    }
    done = held(out, settings).get("variants", {})
    plan = planned(names, done)

    def make(name: str) -> Row:
        row = examine(name, corpus, runs, clips, done)
        if name == base_of(name) and "problem" in row:
            raise TalkerError(row["problem"])
        return row

    def write(variants: dict[str, Row]) -> None:
        # Of another call, too, which may have written meanwhile.
        variants = held(out, settings).get("variants", {}) | variants
        about = circumstances(
            sum(variant["seconds"] for variant in variants.values()),
            clips=len(clips),
            speakers=len({clip.speaker for clip in clips}),
        )
        told = {"variants": variants, "seed": SEED, "circumstances": about}
        write_results(out, told | settings)

    make_all(plan, done, make, write)


def run(corpus: Path, runs: Path, out: Path) -> None:
    """All variants, for `talker experiments run departures`; see `main`."""
    main(corpus, runs, out)


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:4]), *sys.argv[4:])
