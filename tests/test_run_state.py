"""A run's state on disk: what comes back is what went in, and nothing in it is run."""

import copy
import json
import os
import pickle
import signal
import struct

import pytest
import torch
from safetensors.torch import load_file, save_file
from small_media import files_of_at_most
from torch import nn

from talker import run_state
from talker.errors import TalkerError
from talker.run_state import load_state, save_state


def build(seed: int, width: int = 5) -> tuple[dict, dict]:
    """Two small networks, one with running statistics, and an optimiser for each."""
    torch.manual_seed(seed)
    modules = {
        "critic": nn.Linear(4, 1),
        "maker": nn.Sequential(nn.Conv2d(3, width, 3), nn.BatchNorm2d(width), nn.Tanh()),
    }
    modules["maker"].to(memory_format=torch.channels_last)
    optimisers = {k: torch.optim.Adam(m.parameters(), 0.01, fused=True) for k, m in modules.items()}
    return modules, optimisers


def step(modules: dict, optimisers: dict, seed: int) -> None:
    draw = torch.Generator().manual_seed(seed)
    for name, shape in (("critic", (8, 4)), ("maker", (2, 3, 6, 6))):
        optimisers[name].zero_grad()
        modules[name](torch.randn(shape, generator=draw)).square().mean().backward()
        optimisers[name].step()


@pytest.fixture
def trained(tmp_path):
    modules, optimisers = build(0)
    for seed in range(3):
        step(modules, optimisers, seed)
    path = tmp_path / "state.safetensors"
    save_state(path, modules, optimisers, {"step": 3, "best": 0.25, "names": ["a", "b"]})
    return path, modules, optimisers


def equal(a: dict, b: dict) -> bool:
    return all(
        torch.equal(value, b[name].state_dict()[key])
        for name, module in a.items()
        for key, value in module.state_dict().items()
    )


def test_networks_moments_and_counters_come_back(trained):
    path, modules, optimisers = trained
    fresh, fresh_optimisers = build(1)
    assert not equal(modules, fresh)
    counters = load_state(path, fresh, fresh_optimisers)
    assert counters == {"step": 3, "best": 0.25, "names": ["a", "b"]}
    assert equal(modules, fresh)
    assert int(fresh["maker"][1].num_batches_tracked) == 3
    for name, optimiser in optimisers.items():
        kept, back = (o.state_dict()["state"] for o in (optimiser, fresh_optimisers[name]))
        assert kept.keys() == back.keys()
        for index, moments in kept.items():
            assert moments.keys() == back[index].keys() == {"step", "exp_avg", "exp_avg_sq"}
            assert all(torch.equal(v, back[index][k]) for k, v in moments.items())


def test_a_resumed_run_is_the_run_that_was_not_stopped(trained):
    path, modules, optimisers = trained
    fresh, fresh_optimisers = build(1)
    load_state(path, fresh, fresh_optimisers)
    for seed in (3, 4):
        step(modules, optimisers, seed)
        step(fresh, fresh_optimisers, seed)
    assert equal(modules, fresh)


def test_a_state_from_before_the_first_step(tmp_path):
    modules, optimisers = build(0)
    save_state(tmp_path / "s", modules, optimisers, {"step": 0})
    fresh, fresh_optimisers = build(1)
    assert load_state(tmp_path / "s", fresh, fresh_optimisers) == {"step": 0}
    step(modules, optimisers, 0)
    step(fresh, fresh_optimisers, 0)
    assert equal(modules, fresh)


def test_learning_rates_are_the_optimisers_own(trained):
    path, *_ = trained
    modules, optimisers = build(1)
    optimisers["maker"].param_groups[0]["lr"] = 0.123
    load_state(path, modules, optimisers)
    assert optimisers["maker"].param_groups[0]["lr"] == 0.123


def test_the_same_state_gives_the_same_bytes_and_replaces_the_last(trained, tmp_path):
    path, modules, optimisers = trained
    again = tmp_path / "again.safetensors"
    counters = {"step": 3, "best": 0.25, "names": ["a", "b"]}
    save_state(again, modules, optimisers, counters)
    assert again.read_bytes() == path.read_bytes()
    save_state(again, modules, optimisers, counters | {"step": 4})
    assert load_state(again, *build(1))["step"] == 4
    assert sorted(p.name for p in tmp_path.iterdir()) == ["again.safetensors", path.name]


def test_a_failed_save_leaves_the_old_state(trained):
    path, modules, optimisers = trained
    before = path.read_bytes()
    with pytest.raises(TypeError):
        save_state(path, modules, optimisers, {"step": object()})
    assert path.read_bytes() == before and len(list(path.parent.iterdir())) == 1


def test_a_full_disk_is_said_and_the_old_state_left_alone(trained):
    path, modules, optimisers = trained
    before = path.read_bytes()
    full = pytest.raises(TalkerError, match=f"{path.name} cannot be written")
    with files_of_at_most(len(before) // 2), full:
        save_state(path, modules, optimisers, {"step": 3})
    assert path.read_bytes() == before and len(list(path.parent.iterdir())) == 1


def test_a_process_that_is_killed_while_it_writes_leaves_the_old_state(trained):
    path, modules, optimisers = trained
    before = path.read_bytes()
    process = os.fork()
    if process == 0:

        def die(tensors, temporary, metadata):
            temporary.write_bytes(before[: len(before) // 2])
            os.kill(os.getpid(), signal.SIGKILL)

        run_state.save_file = die
        save_state(path, modules, optimisers, {"step": 4})
    _, status = os.waitpid(process, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    assert path.read_bytes() == before
    assert load_state(path, *build(1))["step"] == 3


@pytest.mark.parametrize("keep", [0, 5, 100, 0.5, 0.99])
def test_a_damaged_file_is_named(trained, keep):
    path, *_ = trained
    blob = path.read_bytes()
    path.write_bytes(blob[: keep if isinstance(keep, int) else int(keep * len(blob))])
    with pytest.raises(TalkerError, match="state.safetensors is not a training state .* delete it"):
        load_state(path, *build(1))


def test_tensors_without_counters_are_not_a_state(trained):
    path, *_ = trained
    for metadata in (None, {"made": "elsewhere"}, {"counters": "{"}):
        save_file({"a": torch.zeros(2)}, path, metadata=metadata)
        with pytest.raises(TalkerError, match="is not a training state"):
            load_state(path, *build(1))


def test_other_networks_are_refused(trained):
    path, *_ = trained
    with pytest.raises(TalkerError, match="holds other networks than this configuration's"):
        load_state(path, *build(1, width=6))
    modules, optimisers = build(1)
    modules["critic"] = nn.Linear(4, 1, bias=False)
    with pytest.raises(TalkerError, match="holds other networks"):
        load_state(path, modules, optimisers)


def test_nothing_is_pickled(trained, monkeypatch):
    path, modules, optimisers = trained

    def refuse(*_, **__):
        raise AssertionError("pickled")

    for name in ("dump", "dumps", "load", "loads", "Pickler", "Unpickler"):
        monkeypatch.setattr(pickle, name, refuse)
    for name in ("save", "load"):
        monkeypatch.setattr(torch, name, refuse)
    save_state(path, modules, optimisers, {"step": 3})
    load_state(path, *build(1))
    blob = path.read_bytes()
    (length,) = struct.unpack("<Q", blob[:8])
    header = json.loads(blob[8 : 8 + length])  # safetensors: a JSON header, then plain numbers
    assert json.loads(header["__metadata__"]["counters"]) == {"step": 3}
    assert "module/maker/0.weight" in header and "optimiser/critic/0/exp_avg" in header


def test_saving_does_not_touch_what_is_saved(trained):
    path, modules, optimisers = trained
    before = copy.deepcopy(modules["maker"].state_dict())
    save_state(path, modules, optimisers, {"step": 3})
    assert all(torch.equal(v, modules["maker"].state_dict()[k]) for k, v in before.items())
    assert load_file(path)["module/maker/0.weight"].dtype == torch.float32
