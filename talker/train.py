"""The adversarial loop: steps of `talker.trainer` until the time or the number of steps is reached.

All randomness is a function of (seed, step): a run that was stopped and resumed ends with the bytes
of one that ran through.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
import time
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
from tqdm import tqdm

from talker import config as configuration
from talker.checkpoint import CONFIG, read_config, save_generator
from talker.config import Config, TrainConfig
from talker.dataset import Clips
from talker.devices import Devices
from talker.errors import TalkerError
from talker.files import replacing
from talker.journal import Journal
from talker.run_state import load_state, save_state
from talker.showcase import Showcase
from talker.store import alone_in, clips
from talker.trainer import Trainer
from talker.validation import Validation

SAVE_SECONDS = 120
# Settings that a run may go on with when they have changed: its length, its place, its machine.
FREE = (
    *("steps", "minutes", "corpus", "out", "accelerator", "devices", "nodes", "compile"),
    *("sample_every", "validate_every", "patience"),
)


@dataclass
class Progress:
    """Where a run is; saved with its state."""

    step: int = 0  # steps that are done
    best: float = 0.0  # synchrony of the best validation
    stale: int = 0  # validations since then
    corpus: str = ""  # which clips it has learnt from and was validated on, see `fingerprint`
    start: str = ""  # SHA-256 of the weights that it began with, where it did with some


def train(config: Config, resume: bool = True) -> Path:
    """Train a generator on the corpus that `config.train` names; returns the folder of its weights.

    Writes `state.safetensors` (to resume), `log.jsonl`, TensorBoard's files, `config.json`,
    `samples/`, `generator/` (the last weights) and `best/` (those of the best synchrony) into
    `config.train.out`; beside the weights of both is what helped to train them, for `start`.
    Stops after the `minutes` of this call, at `steps`, or when `patience`
    validations in a row found no better synchrony; those are counted in the adversarial phase,
    for before it there is no discriminator to ask. With `start`, the folder of a generator's
    weights, training goes on from those, and from the noise encoder and the discriminators where
    these are beside them; else they begin at random.

    Raises:
        TalkerError: no corpus, a `start` of another shape than the configuration's, a state of
            another configuration or of other clips, clips that are too short, another process
            that trains in this folder, fewer devices than asked for, or a loss that is not finite.
    """
    settings, audio = config.train, config.model.audio
    devices = Devices(settings)
    data = Clips(
        clips(settings.corpus, "train"),
        audio,
        voices=settings.alter_voices,
        pictures=settings.alter_pictures,
    )
    rest = [clip for clip in clips(settings.corpus) if clip.split == "validation"]
    if not rest and devices.first:
        tqdm.write(f"{settings.corpus} has no clip for validation: only steps or minutes end this.")
    held_out = Clips(rest, audio) if rest else None
    return run(config, data, Path(settings.out), held_out, resume, devices)


def run(
    config: Config,
    data: Clips,
    out: Path,
    held_out: Clips | None = None,
    resume: bool = True,
    devices: Devices | None = None,
) -> Path:
    """The loop itself, validated on the clips `held_out` where there are any; see `train`."""
    devices = devices or Devices(config.train)
    with alone_in(out) if devices.first else nullcontext():
        return _loop(Trainer(config, devices), data, out, held_out, resume)


def _loop(trainer: Trainer, data: Clips, out: Path, held_out: Clips | None, resume: bool) -> Path:
    settings, devices = trainer.config.train, trainer.devices
    state = out / "state.safetensors"
    _check_lengths(data, trainer.config)
    progress = _begin(trainer, data, out, resume, fingerprint(data, held_out))
    watch = _Watch(trainer, out, data, held_out, progress.start) if devices.first else None
    last = settings.steps if settings.steps is not None else 10**9
    until = float("inf") if settings.minutes is None else time.monotonic() + 60 * settings.minutes
    epoch_steps = steps_of_epoch(settings, len(data), devices.count)
    validate_every = settings.validate_every or epoch_steps
    saved = time.monotonic()
    with Journal(out, progress.step, devices.first) as journal, _bar(trainer, progress) as bar:
        while (
            progress.step < last
            and progress.stale < settings.patience
            and not devices.any(time.monotonic() >= until)
        ):
            row = _step(trainer, data, progress.step, epoch_steps)
            progress.step += 1
            if progress.step == settings.warm_up:
                trainer.fit_noise(data, settings.noise_steps)
            problem = not_finite(row, progress.step, out)
            if problem is not None:
                journal.write(progress.step, row)
                raise TalkerError(problem)
            if watch is not None and progress.step % settings.sample_every == 0:
                watch.show(progress.step)
            if progress.step % validate_every == 0:
                row |= watch.validate(progress) if watch is not None else {}
                progress = devices.from_first(progress)
            journal.write(progress.step, row)
            if until < float("inf"):
                left = timedelta(seconds=max(0, round(until - time.monotonic())))
                bar.set_postfix_str(f"{left} left", refresh=False)
            bar.update()
            if watch is not None and time.monotonic() - saved > SAVE_SECONDS:
                journal.flush()
                _save(state, trainer, progress)
                if progress.step >= settings.warm_up:  # before, nothing has taught it to blink
                    watch.keep("generator", progress.step)
                saved = time.monotonic()
    if watch is not None:
        _save(state, trainer, progress)
        if progress.stale >= settings.patience:
            tqdm.write(
                f"No better synchrony than {progress.best:.3f} in {progress.stale} validations: "
                f"stopped at step {progress.step}; the best weights are in {out / 'best'}."
            )
    if progress.step < settings.warm_up:  # cut short: what is saved can blink all the same
        trainer.fit_noise(data, settings.noise_steps)
    if watch is not None:
        watch.keep("generator", progress.step)
    devices.wait()
    return out / "generator"


def fingerprint(data: Clips, held_out: Clips | None) -> str:
    """Which clips these are: the SHA-256 of the names of those to learn from and to validate on."""
    names = [sorted(data.names), sorted(held_out.names) if held_out else []]
    return hashlib.sha256(json.dumps(names).encode()).hexdigest()


def _check_lengths(data: Clips, config: Config) -> None:
    """Refuse clips of which no snippet could be moved off its sound, or too few frames decoded."""
    least = max(config.train.decoded, 2 * config.model.audio.snippet)
    for name, frames in zip(data.names, data.frames, strict=True):
        if len(frames) < least:
            raise TalkerError(
                f"{name} has {len(frames)} frames and training needs {least}: leave it out of the "
                "corpus."
            )


def steps_of_epoch(settings: TrainConfig, clips: int, processes: int) -> int:
    """Adversarial steps in which `processes` see as many clips as the corpus has, at least 1."""
    every = settings.sequence_every
    seen = ((every - 1) * settings.adversarial_clips + settings.sequence_clips) / every
    return max(1, round(clips / (seen * settings.accumulate * processes)))


def not_finite(row: dict[str, float], step: int, out: Path) -> str | None:
    """What to look at and to do where a value of a step is not finite; None where all are."""
    wrong = [f"{name} = {value}" for name, value in row.items() if not np.isfinite(value)]
    if not wrong:
        return None
    advice = "begin again with lower learning rates"
    if (out / "generator" / CONFIG).exists():
        kept = out / "generator"
        advice = f"go on from {kept} (--start) in another folder with lower learning rates"
    return (
        f"a loss is not finite at step {step} ({', '.join(wrong)}): look at the gradient norms of "
        f"the steps before in {out / 'log.jsonl'}, then {advice}."
    )


class _Watch:
    """What the first process does beside training: weights, samples and validation."""

    def __init__(
        self, trainer: Trainer, out: Path, data: Clips, held_out: Clips | None, start: str
    ) -> None:
        config, self._trainer, self._out = trainer.config, trainer, out
        self._start = {"start_sha256": start} if start else {}
        self._showcase = Showcase(held_out or data, out / "samples", config)
        self._validation = held_out and Validation(held_out, config)

    def _moving(self, step: int) -> bool:
        """Whether the noise generator is fit for use."""
        return step >= self._trainer.config.train.warm_up

    def show(self, step: int) -> None:
        """Write the contact sheet and the film of this step."""
        self._showcase.write(self._trainer.networks.average, step, self._moving(step))

    def validate(self, progress: Progress) -> dict[str, float]:
        """Measure, keep the weights where they are the best so far; counts in `progress`."""
        if self._validation is None:
            return {}
        step = progress.step
        row = self._validation.measure(self._trainer.networks.average, self._moving(step))
        if step > self._trainer.config.train.warm_up:
            progress.stale += 1
            if row["validation_sync"] > progress.best:
                progress.best, progress.stale = row["validation_sync"], 0
                self.keep("best", step, **row)
        return row

    def keep(self, folder: str, step: int, **scores: float) -> None:
        """Save the average weights with the whole configuration and whatever was measured."""
        config = self._trainer.config
        parts = {name: getattr(config, name) for name in ("discriminators", "losses", "train")}
        told = {name: configuration.to_json(part) for name, part in parts.items()}  # model: always
        extra = {"step": step, "seed": config.train.seed, **told, **self._start, **scores}
        self._trainer.networks.save_companions(self._out / folder)
        save_generator(self._out / folder, self._trainer.networks.average, extra)


def _begin(trainer: Trainer, data: Clips, out: Path, resume: bool, corpus: str) -> Progress:
    """Networks as they were when the run was left, or as a new run begins; writes config.json.

    corpus: the `fingerprint` of the clips.
    """
    config, settings, networks = trainer.config, trainer.config.train, trainer.networks
    state, progress = out / "state.safetensors", Progress()
    if resume and state.exists():
        _check_same_run(out / "config.json", config)
        progress = Progress(**load_state(state, networks.modules, networks.optimisers))
        if progress.corpus not in ("", corpus):  # those of an older version do not know
            raise TalkerError(
                f"{out} holds a run that has learnt from other clips than {settings.corpus} has: "
                f"use another --out, with --start {out / 'generator'} to go on from its weights."
            )
    elif settings.start is not None:
        companions = networks.start_from(Path(settings.start))
        progress.start = read_config(Path(settings.start))["sha256"]
        if not companions and trainer.devices.first:
            tqdm.write(
                f"{settings.start} has no noise encoder and discriminators of these settings: "
                "they begin at random, and need a warm-up."
            )
    progress.corpus = corpus
    if settings.freeze_statistics:
        if progress.step == 0 and settings.start is None:
            trainer.calibrate(data)
        trainer.freeze()
    trainer.devices.share(networks.modules.values())  # no process is still reading after this
    if trainer.devices.first:
        for folder in (out, *(out / name for name in ("generator", "best", "samples"))):
            for path in folder.glob(".*.part*"):  # and not in other runs' folders within this one
                path.unlink(missing_ok=True)
        if not resume:  # or what is left of the old run would be taken for this one's
            state.unlink(missing_ok=True)
            for folder in ("best", "generator"):
                shutil.rmtree(out / folder, ignore_errors=True)
        with replacing(out / "config.json") as path:
            path.write_text(json.dumps(configuration.to_json(config), indent=1), encoding="utf-8")
    return progress


def _check_same_run(path: Path, config: Config) -> None:
    """Refuse to continue a run with settings other than its own, but for those that are `FREE`."""
    if path.exists():
        stored = json.loads(path.read_text(encoding="utf-8"))
        own = configuration.from_json(Config, stored, where=str(path))
        given = {name: getattr(config.train, name) for name in FREE}
        if dataclasses.replace(own, train=dataclasses.replace(own.train, **given)) == config:
            return
    raise TalkerError(
        f"{path.parent} holds a run with other settings: use another --out, or --no-resume to "
        "start it afresh."
    )


def _bar(trainer: Trainer, progress: Progress) -> tqdm:
    return tqdm(
        initial=progress.step,
        total=trainer.config.train.steps,
        unit="step",
        desc="training",
        mininterval=10,
        disable=not trainer.devices.first,
    )


def _step(trainer: Trainer, data: Clips, step: int, epoch_steps: int) -> dict[str, float]:
    """One step of the phase that it is of: what it logs, means over all processes."""
    trainer.networks.set_rates(step, epoch_steps)
    began = time.monotonic()
    draws = trainer.draw(data, step)
    drawn = time.monotonic()
    warm_up = step < trainer.config.train.warm_up
    row = trainer.warm_up_step(draws) if warm_up else trainer.adversarial_step(draws)
    seconds = time.monotonic() - began
    frames = sum(draw.batch.at.numel() for draw in draws) * trainer.devices.count
    row |= {"seconds": seconds, "data_share": (drawn - began) / seconds}
    optimisers = ("generator",) if warm_up else trainer.networks.optimisers
    row |= {f"rate_{name}": trainer.networks.rate(name) for name in optimisers}
    return trainer.devices.mean(row | {"frames_per_second": frames / seconds})


def _save(state: Path, trainer: Trainer, progress: Progress) -> None:
    networks = trainer.networks
    save_state(state, networks.modules, networks.optimisers, dataclasses.asdict(progress))
