"""One loop for all baselines: steps until their number or the time is reached, weights on disk.

    OUT/maker.safetensors, maker.json    the network that makes frames, as fp16, and its method
    OUT/run.json                         method, settings and seed of the run
    OUT/state.safetensors, log.jsonl     what it takes to go on, and a row a step

All randomness is a function of (seed, step): a run that was stopped and resumed ends with the bytes
of one that ran through. Time is counted over all calls, so that interruptions do not lengthen it.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from talker import config as configuration
from talker.baselines.atvgnet import ATVGNet
from talker.baselines.baseline import Baseline, Row, Settings
from talker.baselines.lessons import Lesson, Lessons
from talker.baselines.speech2vid import Speech2Vid
from talker.baselines.static import Static
from talker.checkpoint import load_network, read_description, save_network
from talker.config import TrainConfig
from talker.devices import Devices
from talker.errors import TalkerError
from talker.files import replacing
from talker.journal import Journal
from talker.run_state import load_state, save_state
from talker.store import clips as stored_clips
from talker.train import not_finite

METHODS: dict[str, type[Baseline]] = {
    "static": Static,
    "speech2vid": Speech2Vid,
    "atvgnet": ATVGNet,
}
MAKER, ABOUT = "maker.safetensors", "maker.json"
SAVE_SECONDS = 120


@dataclass(frozen=True)
class Budget:
    """How long a method may learn; the first of the two to be reached ends it.

    minutes are those of the steps of all calls. Raises TalkerError when neither is given.
    """

    steps: int | None = None
    minutes: float | None = None

    def __post_init__(self) -> None:
        if self.steps is None and self.minutes is None:
            raise TalkerError("training needs an end: give a number of steps or minutes.")

    def spent(self, progress: Progress) -> bool:
        """Whether there is nothing left of it."""
        steps = self.steps is not None and progress.step >= self.steps
        return steps or (self.minutes is not None and progress.seconds >= 60 * self.minutes)


@dataclass
class Progress:
    """Where a run is; saved with its state."""

    step: int = 0  # steps that are done
    seconds: float = 0.0  # that they took


def build(name: str, settings: Settings | None = None) -> Baseline:
    """A method by its name, its weights random; raises TalkerError when there is none."""
    if name not in METHODS:
        raise TalkerError(f"there is no method {name!r}: use one of {', '.join(METHODS)}.")
    method = METHODS[name]
    return method(settings or method.Settings())


def described(name: str, settings: Settings) -> dict:
    """What it takes to build a method again, as JSON values."""
    return {"method": name, "settings": asdict(settings)}


def load_baseline(folder: Path) -> Baseline:
    """A method with the weights that `train` wrote; in eval mode, on the CPU.

    Raises TalkerError when a file is missing, damaged, or of no method.
    """
    about = folder / ABOUT
    model = read_description(about).get("model") or {}
    name = model.get("method")
    if name not in METHODS:
        raise TalkerError(f"{about} is of no method of {', '.join(METHODS)}: train one there.")
    where = f"{about}: settings"
    settings = configuration.from_json(METHODS[name].Settings, model["settings"], where)
    with torch.random.fork_rng(devices=[]):
        baseline = build(name, settings)
    load_network(folder / MAKER, about, lambda _: baseline.maker)
    return baseline


def train(
    name: str,
    corpus: Path,
    out: Path,
    budget: Budget,
    settings: Settings | None = None,
    seed: int = 0,
) -> Progress:
    """Train a method on the corpus's training split, or go on; returns how far it has come.

    Writes what the module's docstring says into the folder `out`.
    Raises TalkerError: no corpus, no method of that name, a folder with a run of other settings, or
    a loss that is not finite.
    """
    devices = Devices(TrainConfig(devices=1))
    torch.manual_seed(seed)
    baseline = build(name, settings)
    lessons = Lessons(stored_clips(corpus, "train"), baseline.audio)
    run = Run(baseline, devices, out)
    progress = run.begin(lessons, described(name, baseline.settings) | {"seed": seed})
    saved = time.monotonic()
    with Journal(out, progress.step) as journal, _bar(name, progress, budget) as bar:
        while not budget.spent(progress):
            began = time.monotonic()
            lesson = devices.move(_draw(lessons, baseline, seed, progress.step))
            row = run.step(lesson, progress.step)
            seconds = time.monotonic() - began
            progress = Progress(progress.step + 1, progress.seconds + seconds)
            journal.write(progress.step, row | {"seconds": seconds})
            problem = not_finite(row, progress.step, out)
            if problem is not None:
                raise TalkerError(problem)
            bar.update()
            if time.monotonic() - saved > SAVE_SECONDS:
                journal.flush()
                run.save(progress)
                saved = time.monotonic()
    run.save(progress)
    about = described(name, baseline.settings)
    told = {"step": progress.step, "seed": seed}
    save_network(out / MAKER, out / ABOUT, baseline.maker, about, told)
    return progress


def _draw(lessons: Lessons, baseline: Baseline, seed: int, step: int) -> Lesson:
    settings, rng = baseline.settings, np.random.default_rng([seed, 6, step])
    sizes = settings.clips, settings.window, settings.decoded
    return lessons.draw(rng, *sizes, baseline.run, baseline.any_still)


def _bar(name: str, progress: Progress, budget: Budget) -> tqdm:
    return tqdm(initial=progress.step, total=budget.steps, unit="step", desc=name, mininterval=10)


class Run:
    """The networks of a run, their optimisers and its folder."""

    def __init__(self, baseline: Baseline, devices: Devices, out: Path) -> None:
        self.baseline, self.devices = baseline, devices
        self.state, self.about = out / "state.safetensors", out / "run.json"
        named = {name: getattr(baseline, name) for name in ("maker", "helper", "critic")}
        self.modules = {name: module for name, module in named.items() if module is not None}
        for module in self.modules.values():
            module.to(devices.device).train()
        with_it = [module for module in (baseline.maker, baseline.helper) if module is not None]
        own = [p for module in with_it for p in module.parameters()]
        self.optimisers = {"maker": torch.optim.Adam(own, baseline.rate(0))}
        if baseline.critic is not None:
            rate = baseline.settings.critic_rate
            self.optimisers["critic"] = torch.optim.Adam(
                baseline.critic.parameters(), rate, (0.5, 0.999)
            )  # betas as in `talker.networks`

    def begin(self, lessons: Lessons, about: dict) -> Progress:
        """Networks as they were when the run was left, or ready for a new one."""
        if self.state.exists():
            held = json.loads(self.about.read_text(encoding="utf-8"))
            if held != about:
                raise TalkerError(
                    f"{self.state.parent} holds a run with other settings: use another folder, or "
                    "delete that one."
                )
            return Progress(**load_state(self.state, self.modules, self.optimisers))
        self.baseline.prepare(lessons)
        with replacing(self.about) as path:
            path.write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
        return Progress()

    def step(self, lesson: Lesson, number: int) -> dict[str, float]:
        """One step of the critic, if it takes part, and then one of the maker against it.

        number: of the step, counted from 0.
        """
        baseline, critic = self.baseline, self.baseline.critic
        for group in self.optimisers["maker"].param_groups:
            group["lr"] = baseline.rate(number)
        made, row, judged = baseline.imagine(lesson), {}, baseline.judged(number)
        if judged:
            row = baseline.judge(lesson, made)
            self._descend("critic", row["critic_loss"])
            critic.requires_grad_(False)
        terms = baseline.loss(lesson, made, judged)
        self._descend("maker", terms["loss"])
        if judged:
            critic.requires_grad_(True)
        return _numbers(row | terms)

    def _descend(self, name: str, loss: torch.Tensor) -> None:
        optimiser = self.optimisers[name]
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()

    def save(self, progress: Progress) -> None:
        """Write what it takes to go on."""
        save_state(self.state, self.modules, self.optimisers, asdict(progress))


def _numbers(row: Row) -> dict[str, float]:
    """Fetched from the device at once."""
    values = torch.stack([value.detach().float() for value in row.values()]).tolist()
    return dict(zip(row, values, strict=True))
