"""A corpus of noise, and networks to train on it in no time."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import torch

from talker.config import Config, preset, to_json
from talker.devices import Devices
from talker.media import write_audio
from talker.trainer import Trainer
from talker.video import write_video

SMOKE = preset("smoke")
SPLITS = {"p000": "train", "p001": "train", "p002": "validation", "p022": "test"}


def changed(config: Config, **settings) -> Config:
    return dataclasses.replace(config, train=dataclasses.replace(config.train, **settings))


def settings(config: Config) -> dict:
    """Every setting by its dotted name."""
    sections = to_json(config)
    return {f"{s}.{name}": value for s, held in sections.items() for name, value in held.items()}


def write_corpus(folder: Path, splits: dict[str, str] = SPLITS) -> Path:
    """A clip of noise of each speaker in the folders of a stored corpus."""
    draw = np.random.default_rng(0)
    for speaker, split in splits.items():
        stem = folder / speaker / f"{speaker}_000"
        stem.parent.mkdir(parents=True)
        coarse = draw.integers(0, 255, (75, 8, 6, 3), np.uint8)
        write_video(stem.with_suffix(".mp4"), coarse.repeat(16, 1).repeat(16, 2), 25)
        signal = (0.1 * draw.standard_normal(48000)).astype(np.float32)
        write_audio(stem.with_suffix(".wav"), signal, 16000)
        landmarks = draw.uniform(0, 96, (75, 68, 2)).tolist()
        truth = {"speaker": speaker, "split": split, "landmarks": landmarks}
        stem.with_suffix(".json").write_text(json.dumps(truth))
    (folder / "corpus.json").write_text('{"seed": 0}')
    return folder


def started(config: Config, devices: Devices | None = None) -> Trainer:
    """A trainer whose generator no longer copies the still: at first only its last layer learns."""
    trainer = Trainer(config, devices)
    torch.nn.init.normal_(trainer.generator.frame_decoder.blocks[-1].grow.weight, std=0.1)
    return trainer


def weights_of(trainer: Trainer) -> dict[str, dict[str, torch.Tensor]]:
    return {
        name: {key: value.clone() for key, value in module.state_dict().items()}
        for name, module in trainer.modules.items()
    }


def moved(trainer: Trainer, before: dict) -> set[str]:
    """The networks, and the generator's parts, that are no longer what they were."""
    names = set()
    for name, module in trainer.modules.items():
        for key, value in module.state_dict().items():
            if not torch.equal(value, before[name][key]):
                part = key.split(".")[0]
                names.add(part if name == "generator" else name)
    return names
