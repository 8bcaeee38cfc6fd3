"""What validation measures, on discriminators that are easy to see through."""

import copy

import numpy as np
import pytest
import torch
from small_training import SMOKE, started

from talker.dataset import Clips
from talker.media import read_image, read_video
from talker.showcase import Showcase
from talker.store import clips
from talker.validation import Validation, synchrony


def nearness(snippets: torch.Tensor, audio: torch.Tensor) -> torch.Tensor:
    """A discriminator for which sound and mouth agree when their means do."""
    return -(snippets.mean((1, 2, 3, 4)) - audio.mean(1)).abs()


def test_synchrony_by_hand():
    levels = torch.tensor([0.1, 0.5])
    snippets = levels[:, None, None, None, None].expand(2, 5, 3, 4, 4)
    right = levels[:, None].expand(2, 8)
    wrong = torch.tensor([[0.3, 0.11, 0.9], [0.5, 0.4, 0.6]])[..., None].expand(2, 3, 8)
    assert synchrony(nearness, snippets, right, wrong) == pytest.approx(5.5 / 6)  # one is equal
    late = right + 0.25  # so wrong sounds are often nearer
    assert synchrony(nearness, snippets, late, wrong) == pytest.approx(1 / 6)


def test_synchrony_does_not_care_how_sure_the_discriminator_is():
    source = torch.Generator().manual_seed(0)
    snippets = torch.rand(6, 5, 3, 4, 4, generator=source)
    right, wrong = torch.rand(6, 8, generator=source), torch.rand(6, 4, 8, generator=source)
    one = synchrony(nearness, snippets, right, wrong)
    assert 0 < one < 1
    surer = synchrony(lambda *pair: 30 * nearness(*pair) - 50, snippets, right, wrong)
    assert surer == one


@pytest.fixture(scope="module")
def held_out(noise_corpus) -> Clips:
    return Clips(clips(noise_corpus, "validation"), SMOKE.model.audio)


def test_validation_is_the_same_every_time_and_changes_nothing(held_out):
    trainer = started(SMOKE)
    average, critic = trainer.networks.average, trainer.modules["sync"]
    before = torch.get_rng_state()
    rows = [
        Validation(held_out, SMOKE, trainer.devices).measure(average, critic, True)
        for _ in range(2)
    ]
    assert rows[0] == rows[1] and torch.equal(torch.get_rng_state(), before)
    assert 0 < rows[0]["validation_l1"] < 2
    assert 0 <= rows[0]["validation_sync"] <= 1 and 0 <= rows[0]["validation_sync_real"] <= 1
    assert not any(p.grad is not None for p in average.parameters())


def test_the_wrong_sounds_of_validation_are_out_of_sync(held_out):
    validation = Validation(held_out, SMOKE, started(SMOKE).devices)
    for batch, _, wrong in validation._chunks:
        middle = batch.at[:, batch.at.shape[1] // 2]
        assert wrong.shape == (len(middle), Validation.WRONG)
        assert ((wrong - middle[:, None]).abs() >= SMOKE.model.audio.snippet).all()


def test_a_generator_that_copies_is_measured_as_the_copy(held_out):
    trainer = started(SMOKE)
    average, critic = trainer.networks.average, trainer.modules["sync"]
    average.decode = lambda code, z_c, z_n: code.still[:, None].expand(-1, z_c.shape[1], -1, -1, -1)
    frozen = copy.copy(held_out)
    frozen.frames = [np.asarray(frames)[:1].repeat(75, 0) for frames in held_out.frames]
    measured = Validation(frozen, SMOKE, trainer.devices).measure(average, critic, True)
    assert measured["validation_l1"] == pytest.approx(0, abs=1e-6)
    assert measured["validation_sync"] == measured["validation_sync_real"]


def test_a_showcase_shows_stills_real_frames_and_generated_ones(noise_corpus, tmp_path):
    own = Clips(clips(noise_corpus), SMOKE.model.audio)
    generator = started(SMOKE).generator.eval()
    made = []
    for name, moving in (("a", True), ("b", True), ("c", False)):
        Showcase(own, tmp_path / name, 10, 0.8, seed=1).write(generator, 7, moving)
        made.append(read_image(tmp_path / name / "step_000007.png"))
    assert np.array_equal(made[0], made[1]) and not np.array_equal(made[0], made[2])
    assert made[0].shape == (3 * 2 * 128, 10 * 96, 3)
    first = np.asarray(own.frames[0])
    assert np.array_equal(made[0][:128, :96], first[0])
    film, fps = read_video(tmp_path / "a" / "step_000007.mp4")
    assert film.shape == (3 * 75, 2 * 128, 4 * 96, 3) and fps == 25
