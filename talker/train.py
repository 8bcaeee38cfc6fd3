"""The adversarial loop: steps of `talker.trainer` until the time or the number of steps is reached.

All randomness is a function of (seed, step): a run that was stopped and resumed ends with the bytes
of one that ran through.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
from tqdm import tqdm

from talker import config as configuration
from talker.checkpoint import save_generator
from talker.config import Config
from talker.dataset import Clips
from talker.errors import TalkerError
from talker.files import replacing
from talker.run_state import load_state, save_state
from talker.store import clips
from talker.trainer import Trainer

SAVE_SECONDS = 120


def train(config: Config, resume: bool = True) -> Path:
    """Train a generator on the corpus that `config.train` names; returns the folder of its weights.

    Writes `state.safetensors` (to resume), `log.jsonl`, `config.json` and `generator/` into
    `config.train.out`. Stops after the `minutes` of this call, or at `steps`. With `start`, the
    folder of a generator's weights, training goes on from those; all that is not in them (noise
    encoder, discriminators) begins at random.

    Raises:
        TalkerError: no corpus, a `start` of another shape than the configuration's, a state of
            another configuration, or a loss that is not finite.
    """
    settings = config.train
    data = Clips(
        clips(settings.corpus, "train"),
        config.model.audio,
        voices=settings.alter_voices,
        pictures=settings.alter_pictures,
    )
    return run(config, data, Path(settings.out), resume)


def _check_same_run(path: Path, described: dict) -> None:
    """Refuse to continue a run with settings other than its own; its length may change."""

    def fixed(tree: dict) -> dict:
        free = ("minutes", "steps", "out", "corpus")
        return tree | {"train": {k: v for k, v in tree["train"].items() if k not in free}}

    if not path.exists() or fixed(json.loads(path.read_text(encoding="utf-8"))) != fixed(described):
        raise TalkerError(
            f"{path.parent} holds a run with other settings: use another --out, or --no-resume to "
            "start it afresh."
        )


def _forget_after(log: Path, step: int) -> None:
    """Drop log rows later than the state that the run continues from, or all of an older run's."""
    if log.exists():
        rows = [row for row in log.read_text(encoding="utf-8").splitlines() if row.endswith("}")]
        kept = [row for row in rows if json.loads(row)["step"] <= step]
        with replacing(log) as path:
            path.write_text("".join(row + "\n" for row in kept), encoding="utf-8")


def run(config: Config, data: Clips, out: Path, resume: bool = True) -> Path:
    """The loop itself, on clips that are already in memory; see `train`."""
    trainer, settings = Trainer(config), config.train
    out.mkdir(parents=True, exist_ok=True)
    state, step = out / "state.safetensors", 0
    described = configuration.to_json(config)
    if resume and state.exists():
        _check_same_run(out / "config.json", described)
        step = load_state(state, trainer.modules, trainer.optimisers)["step"]
    elif settings.start is not None:
        trainer.start_from(Path(settings.start))
    if settings.freeze_statistics:
        if step == 0 and settings.start is None:
            trainer.calibrate(data)
        trainer.freeze()
    with replacing(out / "config.json") as path:
        path.write_text(json.dumps(described, indent=1), encoding="utf-8")
    _forget_after(out / "log.jsonl", step)
    last = settings.steps if settings.steps is not None else 10**9
    until = time.monotonic() + 60 * settings.minutes if settings.minutes else float("inf")
    epoch_steps = max(1, len(data) // settings.clips)
    saved = time.monotonic()
    bar = tqdm(initial=step, total=settings.steps, unit="step", desc="training", mininterval=10)
    with open(out / "log.jsonl", "a", encoding="utf-8") as journal:
        while step < last and time.monotonic() < until:
            rng = np.random.default_rng([settings.seed, 4, step])
            trainer.set_rates(step, epoch_steps)
            began = time.monotonic()
            with trainer.autocast():
                if step < settings.warm_up:
                    row = trainer.warm_up_step(data, rng)
                else:
                    row = trainer.adversarial_step(data, rng, step)
            step += 1
            if step == settings.warm_up:
                trainer.fit_noise(data, settings.noise_steps)
            if not all(np.isfinite(value) for value in row.values()):
                raise TalkerError(
                    f"a loss is not finite at step {step}: resume from {state} with lower learning "
                    f"rates; the last values are in {out / 'log.jsonl'}."
                )
            row |= {"step": step, "seconds": time.monotonic() - began}
            journal.write(json.dumps({k: round(v, 5) for k, v in row.items()}) + "\n")
            bar.update()
            if time.monotonic() - saved > SAVE_SECONDS:
                journal.flush()
                save_state(state, trainer.modules, trainer.optimisers, {"step": step})
                saved = time.monotonic()
    bar.close()
    save_state(state, trainer.modules, trainer.optimisers, {"step": step})
    if step < settings.warm_up:  # cut short: what is saved can blink all the same
        trainer.fit_noise(data, settings.noise_steps)
    extra = {"step": step, "seed": settings.seed, "train": configuration.to_json(settings)}
    save_generator(out / "generator", trainer.average, extra)
    return out / "generator"
