"""How fast training is on this machine, part by part, beside a plain reference: `bench train`."""

from __future__ import annotations

import dataclasses
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from talker.config import Config, preset
from talker.dataset import Clips
from talker.draws import draw_adversarial, draw_warm_up
from talker.reference import as_reference
from talker.store import clips
from talker.trainer import Trainer

CLIPS = 32  # of the corpus: they are kept in memory, and reading them first is not measured
WAYS = ("every frame", "reference", "fp32", "bf16")
# Batches that fit into any memory; widths, windows and the mix of steps are the preset's.
SMALL = {"clips": 4, "adversarial_clips": 4, "sequence_clips": 1}


class Clock:
    """Seconds by part, of the clock on the wall; on a GPU, until its work is done."""

    def __init__(self, device: torch.device) -> None:
        self._device, self.seconds = device, defaultdict(float)

    def _now(self) -> float:
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        return time.perf_counter()

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        began = self._now()
        yield
        self.seconds[name] += self._now() - began


def bench_train(
    corpus: Path, presets: tuple[str, ...] = ("paper", "laptop"), rounds: int = 3
) -> list[dict]:
    """Train for some rounds at the width of each preset, in turn with a plain reference.

    A round is one step of warm-up where the preset has one, and `sequence_every` adversarial steps,
    one of them on whole sequences; the first is not counted. The ways: "reference", see
    `talker.reference`; "every frame", the same, decoding all frames of a window and not only some
    of them; "fp32" and "bf16", the trainer in each precision.

    Returns for each preset and way: frames of a round, frames_per_second, speed_up (in frames a
    second, over "reference"), step_speed_up (in steps, over "every frame"), data_share (of the
    time), and how many frames a second each part alone would do.
    """
    rows = []
    for name in presets:
        base = preset(name)
        small = dataclasses.replace(base.train, freeze_statistics=True, **SMALL)
        data = Clips(
            clips(corpus, "train")[:CLIPS],
            base.model.audio,
            voices=small.alter_voices,
            pictures=small.alter_pictures,
        )
        for footage in data.frames:
            np.asarray(footage)  # is kept from now on
        trainers = {way: _trainer(dataclasses.replace(base, train=small), way) for way in WAYS}
        clocks = {way: Clock(trainer.devices.device) for way, trainer in trainers.items()}
        frames = dict.fromkeys(WAYS, 0)
        for number in range(rounds + 1):
            for way, trainer in trainers.items():  # in turn: other work disturbs all alike
                frames[way] += _round(trainer, data, number, clocks[way])
                if number == 0:
                    frames[way] = 0
                    clocks[way].seconds.clear()
        total = {way: sum(clock.seconds.values()) for way, clock in clocks.items()}
        speed = {way: frames[way] / total[way] for way in WAYS}
        for way, clock in clocks.items():
            rows.append(
                {
                    "preset": name,
                    "way": way,
                    "frames": frames[way] // rounds,
                    "frames_per_second": round(speed[way], 2),
                    "speed_up": round(speed[way] / speed["reference"], 2),
                    "step_speed_up": round(total["every frame"] / total[way], 2),
                    "data_share": round(clock.seconds["data"] / total[way], 3),
                    **{
                        part: round(frames[way] / spent, 1) for part, spent in clock.seconds.items()
                    },
                }
            )
    return rows


def _trainer(config: Config, way: str) -> Trainer:
    settings: dict = {"precision": "bf16" if way == "bf16" else "fp32"}
    if way == "every frame":
        settings |= {"decoded": config.train.frames, "sequence_stride": 1}
    train = dataclasses.replace(config.train, **settings)
    trainer = Trainer(dataclasses.replace(config, train=train))
    trainer.freeze()
    return trainer if way in ("fp32", "bf16") else as_reference(trainer)


def _round(trainer: Trainer, data: Clips, number: int, clock: Clock) -> int:
    """Some steps as `Trainer` takes them, by the clock; returns the frames of their batches."""
    config, networks = trainer.config, trainer.networks
    frames, every = 0, config.train.sequence_every
    if config.train.warm_up:
        with clock.part("data"):
            draw = trainer.devices.move(draw_warm_up(data, config, number))
        networks.clear("generator")
        with clock.part("generator forward"):
            loss, _ = trainer.reconstruct(draw)
        with clock.part("generator backward"):
            loss.backward()
        with clock.part("optimisers"):
            networks.descend("generator")
            networks.update_average()
        frames += draw.batch.at.numel()
    for step in range(number * every, (number + 1) * every):
        with clock.part("data"):
            draw = trainer.devices.move(draw_adversarial(data, config, step))
        with clock.part("generator forward"):
            scene = trainer.imagine(draw)
        judges = ("frame", "sync" if scene.snippets else "sequence")
        networks.clear("generator", *judges)
        for name in judges:
            with clock.part(f"{name} discriminator"):
                loss, _ = trainer.judge(name, scene)
                loss.backward()
            with clock.part("optimisers"):
                networks.descend(name)
        with networks.held(*judges):
            with clock.part("generator's losses"):
                loss, _ = trainer.persuade(scene)
            with clock.part("generator backward"):
                loss.backward()
        with clock.part("optimisers"):
            networks.descend("generator")
            networks.update_average()
        frames += draw.batch.at.numel()
    return frames
