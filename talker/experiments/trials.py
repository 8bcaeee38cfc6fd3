"""What experiments share that train variants of a preset for equal steps and compare them.

A variant is a configuration with some settings changed. Variants that differ in their adversarial
phase alone begin with the same bytes: `branch` gives each of them the state in which one shared
warm-up ended. What is in the results file is not made again, and a run that was cut off goes on, so
that the same command continues after an interruption. A loss that is not finite is a result: the
variant cannot do without what it lacks.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from talker.config import Config, to_json
from talker.errors import TalkerError
from talker.experiments.report import commit
from talker.experiments.training_log import read_log
from talker.files import replacing
from talker.train import not_finite, train

NEVER = 10**9  # steps
REPOSITORY = Path(__file__).parents[2]
Changes = dict[str, Any]
Row = dict[str, Any]


def changed(config: Config, changes: Changes) -> Config:
    """The configuration with other values for dotted settings, such as "train.lips_weight".

    Raises TypeError or AttributeError for a setting that there is not.
    """
    for path, value in changes.items():
        section, name = path.split(".")
        part = dataclasses.replace(getattr(config, section), **{name: value})
        config = dataclasses.replace(config, **{section: part})
    return config


def equally_long(config: Config, corpus: Path, out: Path, steps: int, warm_up: int) -> Config:
    """The settings of a run of so many steps in the folder `out`, the warm-up's among them.

    None is ended by how it does, or slowed by watching.
    """
    shared = {
        "train.corpus": str(corpus),
        "train.out": str(out),
        "train.minutes": None,
        "train.steps": steps,
        "train.warm_up": warm_up,
        **{f"train.{setting}": NEVER for setting in ("sample_every", "validate_every", "patience")},
    }
    return changed(config, shared)


def branch(config: Config, base: Config) -> None:
    """Make of a new run one that goes on where the warm-up of the run `base` ended.

    It gets that run's state, in which the discriminators have not learnt yet, and its own
    configuration beside it, so that `talker.train` takes the state for its own. A run that has
    begun is left as it is. Raises TalkerError where `base` cannot be trained.
    """
    out = Path(config.train.out)
    if (out / "state.safetensors").exists():
        return
    train(base)  # no step more where it is complete; an error where its settings are others
    with replacing(out / "config.json") as path:
        path.write_text(json.dumps(to_json(config), indent=1), encoding="utf-8")
    # Last, for it is what says that a run has begun.
    with replacing(out / "state.safetensors") as path:
        shutil.copyfile(Path(base.train.out) / "state.safetensors", path)


def seconds_of(run: Path) -> float:
    """What the steps of a run took, by its log; 0 where it has none yet."""
    if not (run / "log.jsonl").exists():
        return 0.0
    return sum(row["seconds"] for row in read_log(run / "log.jsonl"))


def limited(config: Config, seconds: float) -> Config:
    """The settings of a call that ends a run after so many seconds, earlier calls included."""
    left = max(seconds - seconds_of(Path(config.train.out)), 1e-3)  # 0 would be no limit
    return changed(config, {"train.minutes": left / 60})


def train_trial(config: Config) -> str | None:
    """Train a run, or go on; returns what is wrong where a loss is not finite, else None.

    Raises TalkerError, as `talker.train` does, for whatever else is wrong.
    """
    try:
        train(config)
    except TalkerError:
        out = Path(config.train.out)
        log = out / "log.jsonl"
        last = read_log(log)[-1] if log.exists() and log.stat().st_size else {}
        problem = not_finite(last, last.get("step", 0), out)
        if problem is None:
            raise
        return problem  # it cannot do without what was changed: a result, not a failure
    return None


def held(out: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """What an earlier call wrote into the results file, {} where there is none.

    Raises TalkerError when what it says of any of `settings` is not what stands there.
    """
    if not out.is_file():
        return {}
    found = json.loads(out.read_text(encoding="utf-8"))
    if any(found.get(name) != value for name, value in settings.items()):
        raise TalkerError(f"{out} has results of other settings: use another file and other runs.")
    return found


def make_all(
    plan: Sequence[str],
    done: dict[str, Row],
    make: Callable[[str], Row],
    write: Callable[[dict[str, Row]], None],
) -> None:
    """Make each of `plan` that is not among `done`, put it there, and write after each of them.

    A row gets the `commit` that it was made under: all of them together may take days.
    """
    left = [name for name in plan if name not in done]
    for number, name in enumerate(left, start=1):
        print(f"{name} ({number} of {len(left)})", flush=True)
        done[name] = make(name) | {"commit": commit(REPOSITORY)}
        write(done)
