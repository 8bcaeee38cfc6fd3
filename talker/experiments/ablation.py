"""Table 5: the full model, and five runs each without one term of Eq. 7.

    talker experiments run ablation --corpus CORPUS --runs RUNS

Every run of a seed goes on from the same bytes, the end of a warm-up that starts from the weights
that come with the package, takes as many steps, and sees the same clips in the same order; only the
lambda that it names is 0. So the differences are what a term does in the adversarial phase. The
paper trains each model from random weights, for about a week, and has no warm-up, which had L1 in
all of ours, and no reading of lips off z_c, which stays in all of them. What our L1 adds to Eq. 6
goes with its lambda.

Each trained generator makes the clips of the test split, as files (`talker.experiments.made`), and
`talker.evaluate` measures them with every metric. `talker.experiments.claims` holds the paper's
conclusions against them.

RUNS/warm-up-SEED and RUNS/NAME-SEED are the folders of the runs, with `generator/`, the `clips/`
that it made and `evaluation.json`. What is in the results file is not made again, and a run that
was cut off goes on, so the same command continues after an interruption.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from talker.checkpoint import SHIPPED, load_generator, read_config
from talker.config import Config, preset, to_json
from talker.errors import TalkerError
from talker.experiments.claims import decide_all, over_seeds, speakers_of
from talker.experiments.made import about_metrics, both, by_generator, film, measured
from talker.experiments.paper import COLUMNS, read_table
from talker.experiments.report import circumstances, write_results
from talker.experiments.training_log import read_log, summary
from talker.experiments.trials import (
    Changes,
    Row,
    branch,
    changed,
    equally_long,
    held,
    make_all,
    seconds_of,
    train_trial,
)
from talker.metrics.intervals import bootstrap
from talker.metrics.registry import METRICS
from talker.store import StoredClip
from talker.store import clips as stored_clips

PRESET = "laptop"
START = SHIPPED
PRECISION = "fp32"  # what every processor has: bfloat16 without instructions for it is slower
# The weights have been through all of Eq. 7: so many steps of reconstruction alone take from them
# what it gave, sharpness above all, so that no variant begins with what it is there to miss.
WARM_UP = 400
STEPS = 1000  # adversarial; every fourth shows the sequence discriminator a clip
SEEDS = (0, 1)  # how much another seed alone changes is to be seen beside what a term does
NOISE_SEED = 0  # of the noise that clips are made with, the same for every run
TABLE = "paper_table5.csv"

VARIANTS: dict[str, Changes] = {
    "full": {},
    "no-adv": {"losses.img": 0.0, "losses.sync": 0.0, "losses.seq": 0.0},
    "no-l1": {"losses.l1": 0.0},
    "no-img": {"losses.img": 0.0},
    "no-sync": {"losses.sync": 0.0},
    "no-seq": {"losses.seq": 0.0},
}
IN_PAPER = {
    "ground truth": "real",
    "full model": "full",
    "without L_adv": "no-adv",
    "without L_L1": "no-l1",
    "without L_adv_img": "no-img",
    "without L_adv_sync": "no-sync",
    "without L_adv_seq": "no-seq",
}


def base(seed: int, corpus: Path, runs: Path) -> Config:
    """The settings of the warm-up that the runs of a seed share."""
    config = equally_long(preset(PRESET), corpus, runs / f"warm-up-{seed}", WARM_UP, WARM_UP)
    return changed(
        config,
        {
            "train.seed": seed,
            "train.precision": PRECISION,
            "train.start": os.path.relpath(START),  # one's own folders stay out of the results
        },
    )


def configured(variant: str, seed: int, corpus: Path, runs: Path) -> Config:
    """The settings of a variant's run, which goes on from `base`."""
    place = {"train.out": str(runs / f"{variant}-{seed}"), "train.steps": WARM_UP + STEPS}
    return changed(base(seed, corpus, runs), place | VARIANTS[variant])


def examine(variant: str, seed: int, corpus: Path, runs: Path, clips: Sequence[StoredClip]) -> Row:
    """Train and measure a variant; what the results file says of it, and of the real videos."""
    config = configured(variant, seed, corpus, runs)
    branch(config, base(seed, corpus, runs))
    problem = train_trial(config)
    out = Path(config.train.out)
    log = read_log(out / "log.jsonl")
    late = summary(log)
    row = {
        "variant": variant,
        "seed": seed,
        "changes": VARIANTS[variant],
        "steps": len(log),  # its own: those of the warm-up come before
        "seconds": round(seconds_of(out), 1),
        "gaps": late["gaps"],
        "ratio": late["ratio"],
    }
    if problem is not None:
        return row | {"problem": problem}
    film(by_generator(load_generator(out / "generator"), NOISE_SEED), clips, out / "clips")
    found = measured(out / "clips", corpus, clips, out / "evaluation.json")
    return row | {"weights": read_config(out / "generator")["sha256"]} | both(found)


def pooled(runs: dict[int, dict[str, list]]) -> dict[str, dict[str, float | int | None]]:
    """Each metric with its 95 % interval over speakers, a clip's values averaged over seeds."""
    groups, values = speakers_of(next(iter(runs.values()))), {}
    for name, metric in METRICS.items():
        rows = [np.array(columns[name], float) for columns in runs.values()]
        values[name] = bootstrap(over_seeds(rows), metric.statistic, groups=groups)
    return values


def summarised(done: dict[str, Row]) -> dict[str, Any]:
    """Of all runs: the variants over their seeds, real videos, the paper's table, its claims.

    done: by name, what `examine` returns; runs whose losses were not finite have no values.
    """
    per_clip: dict[str, dict[int, dict[str, list]]] = {}
    for row in done.values():
        if "per_clip" in row:
            per_clip.setdefault(row["variant"], {})[row["seed"]] = row["per_clip"]
    rows = [(IN_PAPER[row["method"]], row) for row in read_table(TABLE)]
    return {
        "variants": {
            name: {"seeds": sorted(runs), "changes": VARIANTS[name], "values": pooled(runs)}
            for name, runs in per_clip.items()
        },
        "paper": {name: {m: row[m] for m, _ in COLUMNS.values()} for name, row in rows},
        "claims": decide_all(per_clip),
        "metrics": about_metrics(),
    }


def main(corpus: Path, runs: Path, out: Path, seeds: Sequence[int] = SEEDS) -> None:
    """Make the runs that the results file does not have yet, and write it after each of them.

    Raises:
        TalkerError: no corpus, no clip to test on, no start, or a results file or a run of other
            settings.
    """
    read_table(TABLE)  # if it is missing, rather now than after the first run
    if any(seed < 0 for seed in seeds):
        raise TalkerError(f"a seed of {min(seeds)} makes no sense: give whole numbers from 0.")
    clips = stored_clips(corpus, "test")
    settings = {
        "config": to_json(configured("full", 0, corpus, runs)),
        "start": read_config(START)["sha256"],
        "clips": [clip.name for clip in clips],
    }
    earlier = held(out, settings)
    done, known = earlier.get("runs", {}), {"real": earlier.get("real")}
    names = {f"{variant}-{seed}": (variant, seed) for seed in seeds for variant in VARIANTS}

    def make(name: str) -> Row:
        row = examine(*names[name], corpus, runs, clips)
        known["real"] = row.pop("real", known["real"])
        return row

    def write(rows: dict[str, Row]) -> None:
        warm_ups = {runs / f"warm-up-{row['seed']}" for row in rows.values()}
        about = circumstances(
            sum(row["seconds"] for row in rows.values()) + sum(map(seconds_of, warm_ups)),
            clips=len(clips),
            speakers=len({clip.speaker for clip in clips}),
            warm_up=WARM_UP,
            steps=STEPS,
        )
        told = {"runs": rows, "seed": NOISE_SEED, "circumstances": about}
        write_results(out, told | known | settings | summarised(rows))

    make_all(list(names), done, make, write)


def run(corpus: Path, runs: Path, out: Path, seeds: tuple[int, ...] = SEEDS) -> None:
    """The ablation, for `talker experiments run ablation`; see `main`."""
    main(corpus, runs, out, seeds)
