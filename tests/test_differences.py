"""Generators kept as 8-bit differences come back close, and wrong files are refused."""

import pytest
import safetensors.torch
import torch

from talker.checkpoint import load_generator, save_generator
from talker.config import ModelConfig
from talker.errors import TalkerError
from talker.experiments.differences import STEPS, load_difference, save_difference
from talker.models.generator import Generator

SMALL = ModelConfig(width=4, audio_width=4, identity_dim=16, content_dim=16, skip_64=True)


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("start")
    save_generator(folder, Generator(SMALL), {})
    return folder


@pytest.fixture
def trained(start):
    """The start after some training, as far as tensors can tell."""
    generator, dice = load_generator(start), torch.Generator().manual_seed(1)
    with torch.no_grad():
        for value in generator.state_dict().values():
            if value.is_floating_point():
                value.add_(0.01 * torch.randn(value.shape, generator=dice))
    return generator


def test_every_weight_is_within_half_a_step(tmp_path, start, trained):
    save_difference(tmp_path / "one.safetensors", trained, start)
    loaded = load_difference(tmp_path / "one.safetensors", start)
    begun = load_generator(start).state_dict()
    assert not loaded.training
    matrices = 0
    for name, value in trained.state_dict().items():
        error = (loaded.state_dict()[name].float() - value.float()).abs()
        if value.dim() < 2:
            assert torch.equal(loaded.state_dict()[name].float(), value.float().half().float())
            continue
        matrices += 1
        step = (value - begun[name]).flatten(1).abs().amax(1) / STEPS
        assert (error.flatten(1).amax(1) <= 0.501 * step + 1e-7).all(), name
    assert matrices > 10


def test_films_are_those_of_the_generator_not_of_the_start(tmp_path, start, trained):
    save_difference(tmp_path / "one.safetensors", trained, start)
    loaded = load_difference(tmp_path / "one.safetensors", start)
    batch = torch.rand(1, 3, 128, 96), torch.randn(1, 2, 3200) * 0.1, torch.randn(1, 2, 10)
    with torch.no_grad():
        ours, kept, begun = (g(*batch) for g in (trained, loaded, load_generator(start)))
    assert (kept - ours).abs().mean() < 0.05 * (begun - ours).abs().mean()


def test_the_same_weights_give_the_same_small_file(tmp_path, start, trained):
    files = [tmp_path / f"{n}.safetensors" for n in range(2)]
    for file in files:
        save_difference(file, trained, start)
    assert files[0].read_bytes() == files[1].read_bytes()
    assert files[0].stat().st_size < 0.75 * (start / "generator.safetensors").stat().st_size


def test_a_generator_that_has_not_moved_comes_back_exactly(tmp_path, start):
    save_difference(tmp_path / "one.safetensors", load_generator(start), start)
    loaded = load_difference(tmp_path / "one.safetensors", start).state_dict()
    assert all(torch.equal(loaded[n], v) for n, v in load_generator(start).state_dict().items())


def test_other_weights_to_start_from_are_refused(tmp_path, start, trained):
    save_difference(tmp_path / "one.safetensors", trained, start)
    save_generator(tmp_path / "other", trained, {})
    with pytest.raises(TalkerError, match="not a difference from the weights in"):
        load_difference(tmp_path / "one.safetensors", tmp_path / "other")


def test_another_configuration_is_refused_and_nothing_written(tmp_path, start):
    other = Generator(ModelConfig(width=8, audio_width=4, identity_dim=16, content_dim=16))
    with pytest.raises(TalkerError, match="configuration is not that of"):
        save_difference(tmp_path / "one.safetensors", other, start)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("lost", ["noise_generator", ".step"])
def test_incomplete_files_are_refused(tmp_path, start, trained, lost):
    path = tmp_path / "one.safetensors"
    save_difference(path, trained, start)
    with safetensors.safe_open(path, "pt") as file:
        about, names = file.metadata(), list(file.keys())  # noqa: SIM118
        gone = next(name for name in names if lost in name)
        tensors = {name: file.get_tensor(name) for name in names if name != gone}
    safetensors.torch.save_file(tensors, path, about)
    with pytest.raises(TalkerError, match="of another network"):
        load_difference(path, start)


def test_missing_and_damaged_files_are_refused(tmp_path, start, trained):
    path = tmp_path / "one.safetensors"
    with pytest.raises(TalkerError, match="there is no"):
        load_difference(path, start)
    save_difference(path, trained, start)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(TalkerError, match="not a safetensors file"):
        load_difference(path, start)
