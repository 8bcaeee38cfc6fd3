"""Several processes, or several batches, train as one process on one large batch does."""

import dataclasses
import functools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from small_training import SMOKE, changed, started
from torch import nn
from two_processes import STEPS, STILL, gradients

from talker.config import TrainConfig
from talker.dataset import Batch
from talker.devices import Devices
from talker.draws import Draw, draw_adversarial, draw_warm_up
from talker.errors import TalkerError
from talker.networks import Networks
from talker.train import run

HERE = Path(__file__).parent


def start(arguments: list[str]) -> subprocess.CompletedProcess:
    """A program that starts other processes, as from a shell of its own."""
    outside = {k: v for k, v in os.environ.items() if k not in ("MASTER_ADDR", "MASTER_PORT")}
    path = os.pathsep.join([str(HERE.parent), str(HERE)])
    environment = outside | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, timeout=300
    )


def joined(draws: list[Draw]) -> Draw:
    """One draw of all their clips."""

    def together(parts: tuple) -> torch.Tensor | None:
        return None if parts[0] is None else torch.cat(parts)

    batches, *dice = zip(*draws, strict=True)
    return Draw(Batch(*map(together, zip(*batches, strict=True))), *map(together, dice))


@pytest.fixture(scope="module")
def joint(data) -> dict[str, torch.Tensor]:
    """Gradients of one process with the joint batch of two parts."""
    trainer = started(changed(SMOKE, **STILL))
    trainer.freeze()
    draws = {}
    for kind, step in STEPS.items():
        draw = draw_warm_up if kind == "warm_up" else draw_adversarial
        draws[kind] = [joined([draw(data, SMOKE, step, part) for part in (0, 1)])]
    return gradients(trainer, draws)


def agree(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    assert found.keys() == expected.keys()
    assert {name.split("/")[1] for name in found} == {
        *("generator", "noise_encoder", "lip_reading", "frame", "sequence", "sync"),
    }
    for name, gradient in expected.items():
        largest = gradient.abs().max().item()
        assert (found[name] - gradient).abs().max().item() <= 1e-5 * max(1.0, largest), name


def test_accumulated_gradients_are_those_of_the_joint_batch(data, joint):
    trainer = started(changed(SMOKE, accumulate=2, **STILL))
    trainer.freeze()
    draws = {kind: trainer.draw(data, step) for kind, step in STEPS.items()}
    assert all(len(parts) == 2 for parts in draws.values())
    agree(gradients(trainer, draws), joint)


@pytest.mark.slow
def test_gradients_of_two_processes_are_those_of_the_joint_batch(noise_corpus, joint, tmp_path):
    done = start([str(HERE / "two_processes.py"), str(noise_corpus), str(tmp_path), "2"])
    assert done.returncode == 0, done.stderr
    first, second = (load_file(tmp_path / f"{rank}.safetensors") for rank in (0, 1))
    agree(first, joint)
    assert all(torch.equal(gradient, second[name]) for name, gradient in first.items())


@pytest.mark.slow
def test_two_processes_train_from_the_command_line(noise_corpus, data, tmp_path):
    sizes = ["--preset", "smoke", "--steps", "3", "--train.no-alter-voices"]
    where = ["--corpus", str(noise_corpus), "-o", str(tmp_path / "two")]
    devices = ["--train.devices", "2", "--train.accelerator", "cpu", "--train.no-alter-pictures"]
    done = start(["-m", "talker", "train", *sizes, *where, *devices])
    assert done.returncode == 0, done.stderr
    run(changed(SMOKE, steps=3, accumulate=2), data, tmp_path / "one")
    one, two = (
        [json.loads(row) for row in (tmp_path / name / "log.jsonl").read_text().splitlines()]
        for name in ("one", "two")
    )
    assert [row["step"] for row in two] == [1, 2, 3]  # the first process alone writes
    for name in ("l1_lower", "lips"):
        assert one[0][name] == pytest.approx(two[0][name], rel=1e-3)
    assert (tmp_path / "two" / "generator" / "generator.safetensors").is_file()


def test_one_draw_is_one_part_of_one_step(data):
    def sound(step: int, part: int) -> torch.Tensor:
        return draw_adversarial(data, SMOKE, step, part).batch.audio_frames

    assert torch.equal(sound(1, 0), sound(1, 0))
    assert not torch.equal(sound(1, 0), sound(1, 1))
    assert not torch.equal(sound(1, 0), sound(3, 0))


def test_more_devices_than_there_are_is_one_sentence():
    if torch.cuda.is_available():
        pytest.skip("there are GPUs here")
    with pytest.raises(TalkerError, match="cannot run on 3 cuda devices"):
        Devices(TrainConfig(accelerator="cuda", devices=3))


class Several(Devices):
    """Two devices, as far as one process can tell."""

    def __init__(self, kind: str) -> None:
        self.device, self.count = torch.device(kind), 2


def test_batch_statistics_are_shared_on_gpus_and_refused_on_cpus():
    norms = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4))
    Several("cuda").synchronise_norms(norms)
    assert isinstance(norms[1], nn.SyncBatchNorm)
    with pytest.raises(TalkerError, match="add --train.freeze-statistics"):
        Several("cpu").synchronise_norms(nn.Sequential(nn.BatchNorm2d(4)))
    group = dataclasses.replace(SMOKE.model, normalisation="group", audio_normalisation="group")
    Several("cpu").synchronise_norms(started(dataclasses.replace(SMOKE, model=group)).generator)


def test_only_the_generator_has_statistics_to_share():
    networks = Networks(SMOKE, Devices(SMOKE.train))
    for name, module in networks.modules.items():
        norms = [m for m in module.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
        assert bool(norms) == (name in ("generator", "average"))


@pytest.mark.slow
def test_compiled_networks_compute_the_same(data, monkeypatch):
    """Traced, and left there: the compiler's own work takes minutes."""
    monkeypatch.setattr(torch, "compile", functools.partial(torch.compile, backend="eager"))
    logs = []
    for compiled in (False, True):
        trainer = started(changed(SMOKE, compile=compiled))
        trainer.freeze()
        logs.append(trainer.warm_up_step(trainer.draw(data, 0)))
        logs[-1] |= trainer.adversarial_step(trainer.draw(data, 3))
    assert logs[0] == pytest.approx(logs[1], rel=1e-3)
    assert trainer.generator.frame_decoder._compiled_call_impl is not None
