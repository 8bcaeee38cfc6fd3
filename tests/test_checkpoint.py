"""Generators on disk come back as they were, and every damaged one is refused in a sentence."""

import hashlib
import json
import os

import pytest
import safetensors.torch
import torch

from talker import checkpoint
from talker.checkpoint import load_generator, save_generator
from talker.config import ModelConfig
from talker.errors import TalkerError
from talker.models.generator import Generator

SMALL = ModelConfig(width=4, audio_width=4, identity_dim=16, content_dim=16, skip_64=True)
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 20474328\n"


def build(seed: int = 0, config: ModelConfig = SMALL) -> Generator:
    torch.manual_seed(seed)
    return Generator(config)


@pytest.fixture
def saved(tmp_path):
    save_generator(tmp_path / "run", build(), {"steps": 7})
    return tmp_path / "run"


def describe(folder, **changes):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def replace_tensors(folder, tensors):
    """Other tensors, and a config.json that vouches for them."""
    blob = safetensors.torch.save(tensors)
    (folder / "generator.safetensors").write_bytes(blob)
    describe(folder, sha256=hashlib.sha256(blob).hexdigest())


def test_a_round_trip_gives_the_same_frames(tmp_path):
    generator = build()
    with torch.no_grad():  # a trained model's statistics are not the initial ones
        generator.identity_encoder.levels[0][1].running_mean.normal_()
    save_generator(tmp_path, generator, {})
    loaded = load_generator(tmp_path)
    assert loaded.config == SMALL
    assert not loaded.training
    assert all(p.dtype == torch.float32 for p in loaded.parameters())
    batch = torch.rand(1, 3, 128, 96), torch.randn(1, 2, 3200) * 0.1, torch.randn(1, 2, 10)
    difference = loaded(*batch) - generator.eval()(*batch)
    assert 0 < difference.abs().max() < 0.01  # half precision, not nothing


def test_saving_leaves_the_generator_as_it_was(tmp_path):
    generator = build()
    before = {k: v.clone() for k, v in generator.state_dict().items()}
    save_generator(tmp_path, generator, {})
    assert generator.training
    for name, value in generator.state_dict().items():
        assert value.dtype == before[name].dtype
        assert torch.equal(value, before[name])


def test_the_same_weights_give_the_same_bytes_and_a_reload_changes_nothing(tmp_path, saved):
    save_generator(tmp_path / "again", build(), {"steps": 7})
    save_generator(tmp_path / "reloaded", load_generator(saved), {"steps": 7})
    for name in ("generator.safetensors", "config.json"):
        first = (saved / name).read_bytes()
        assert (tmp_path / "again" / name).read_bytes() == first
        assert (tmp_path / "reloaded" / name).read_bytes() == first


def test_files_are_half_size_and_say_what_they_are(saved):
    weights = sum(p.numel() for p in build().parameters())
    assert (saved / "generator.safetensors").stat().st_size < 2 * weights + 40_000
    description = json.loads((saved / "config.json").read_text())
    assert description["extra"] == {"steps": 7}
    assert description["model"]["width"] == 4


def test_overwriting_leaves_no_temporary_files(saved):
    save_generator(saved, build(seed=1), {})
    assert sorted(os.listdir(saved)) == ["config.json", "generator.safetensors"]
    assert torch.allclose(
        load_generator(saved).frame_decoder.first.weight,
        build(seed=1).frame_decoder.first.weight,
        atol=1e-3,
    )


def test_weights_that_are_not_finite_are_not_saved(tmp_path, saved):
    generator = build()
    with torch.no_grad():
        generator.frame_decoder.first.weight[0, 0, 0, 0] = 1e6  # too large for fp16
    before = (saved / "generator.safetensors").read_bytes()
    with pytest.raises(TalkerError, match=r"frame_decoder\.first\.weight is not finite"):
        save_generator(saved, generator, {})
    assert (saved / "generator.safetensors").read_bytes() == before


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(TalkerError, match="file/run.* cannot be written"):
        save_generator(tmp_path / "file" / "run", build(), {})


def test_a_failed_write_keeps_the_old_checkpoint(saved, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(TalkerError, match="No space left"):
        save_generator(saved, build(seed=1), {})
    assert sorted(os.listdir(saved)) == ["config.json", "generator.safetensors"]
    load_generator(saved)


def test_no_path_means_the_shipped_weights(saved, monkeypatch):
    monkeypatch.setattr(checkpoint, "SHIPPED", saved)
    assert load_generator().config == SMALL


@pytest.mark.parametrize("name", ["generator.safetensors", "config.json"])
def test_a_missing_file(saved, name):
    (saved / name).unlink()
    with pytest.raises(TalkerError, match=f"there is no .*{name}"):
        load_generator(saved)


@pytest.mark.parametrize("name", ["generator.safetensors", "config.json"])
def test_a_git_lfs_pointer(saved, name):
    (saved / name).write_bytes(POINTER)
    with pytest.raises(TalkerError, match=f"{name} is a Git LFS pointer.*git lfs pull"):
        load_generator(saved)


def test_a_file_cut_short(saved):
    path = saved / "generator.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(TalkerError, match="cut short"):
        load_generator(saved)


def test_halves_of_two_checkpoints(tmp_path, saved):
    save_generator(tmp_path / "other", build(seed=1), {"steps": 7})
    os.replace(tmp_path / "other" / "config.json", saved / "config.json")
    with pytest.raises(TalkerError, match="from another checkpoint"):
        load_generator(saved)


def test_something_else_under_that_name(saved):
    blob = b"\x80\x02this is a pickle"
    (saved / "generator.safetensors").write_bytes(blob)
    describe(saved, sha256=hashlib.sha256(blob).hexdigest())
    with pytest.raises(TalkerError, match="not a safetensors file"):
        load_generator(saved)


def test_shapes_of_another_width(saved):
    model = json.loads((saved / "config.json").read_text())["model"]
    describe(saved, model=model | {"width": 8})
    with pytest.raises(TalkerError, match=r"has .* of shape \(.*where config.json describes"):
        load_generator(saved)


def test_tensors_of_another_architecture(saved):
    tensors = build().state_dict()
    removed = dict(list(tensors.items())[:-2])
    replace_tensors(saved, removed)
    with pytest.raises(TalkerError, match="lacks frame_decoder.* and 1 more"):
        load_generator(saved)
    replace_tensors(saved, tensors | {"extra_layer": torch.zeros(1)})
    with pytest.raises(TalkerError, match="has the unknown extra_layer:"):
        load_generator(saved)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ("[]", "checkpoint format None"),
        ('{"format": 99}', "checkpoint format 99"),
        ('{"format": 1}', "model must be a table of settings"),
        ('{"format": 1, "model": {"colour": 1}}', "unknown settings colour"),
    ],
)
def test_a_config_that_is_not_ours(saved, text, message):
    (saved / "config.json").write_text(text)
    with pytest.raises(TalkerError, match=message):
        load_generator(saved)


def test_loading_draws_no_random_number(saved):
    before = torch.get_rng_state()
    load_generator(saved)
    assert torch.equal(torch.get_rng_state(), before)
