"""What validation measures: synchrony by hand, clips that copy, clips that follow."""

import copy

import numpy as np
import pytest
import torch
from small_training import SMOKE, started

from talker.corpora.rendered import render_to_disk
from talker.dataset import Clips
from talker.errors import TalkerError
from talker.media import read_image
from talker.showcase import Showcase
from talker.store import clips
from talker.validation import Validation, synchrony
from talker.video import read_video


def test_synchrony_by_hand():
    # Rows are 1 apart, so every other sound is farther than the own; but for the first mouth,
    # which is where the sixth sound is, one of its two others is nearer and one is farther.
    heard = torch.arange(7.0)[:, None]
    seen = heard.clone()
    assert synchrony(seen, heard) == 1
    seen[0] = 5.0
    pairs = 2 + 1 + 1 + 2  # mouths 0, 1, 5, 6 with sounds five or six frames away
    assert synchrony(seen, heard) == pytest.approx((pairs - 2) / pairs)
    assert synchrony(torch.zeros(7, 1), torch.zeros(7, 1)) == 0.5
    assert np.isnan(synchrony(seen[:5], heard[:5]))


@pytest.fixture(scope="module")
def held_out(noise_corpus) -> Clips:
    return Clips(clips(noise_corpus, "validation"), SMOKE.model.audio)


def test_validation_is_the_same_every_time_and_changes_nothing(held_out):
    average = started(SMOKE).networks.average
    before = torch.get_rng_state()
    rows = [Validation(held_out, SMOKE).measure(average, True) for _ in range(2)]
    assert rows[0] == rows[1] and torch.equal(torch.get_rng_state(), before)
    assert 0 < rows[0]["validation_l1"] < 2
    assert 0 <= rows[0]["validation_sync"] <= 1 and 0 <= rows[0]["validation_sync_real"] <= 1
    assert not any(p.grad is not None for p in average.parameters())


def still_only(generator) -> None:
    """The generator copies the still from now on."""
    generator.decode = lambda code, z_c, z_n: code.still[:, None].expand(
        -1, z_c.shape[1], -1, -1, -1
    )


def test_a_generator_that_copies_is_out_of_sync(held_out):
    average = started(SMOKE).networks.average
    still_only(average)
    measured = Validation(held_out, SMOKE).measure(average, True)
    assert measured["validation_sync"] == pytest.approx(0.5, abs=0.1)
    frozen = copy.copy(held_out)
    frozen.frames = [np.asarray(frames)[:1].repeat(75, 0) for frames in held_out.frames]
    measured = Validation(frozen, SMOKE).measure(average, True)
    assert measured["validation_l1"] == pytest.approx(0, abs=1e-6)
    assert measured["validation_sync"] == measured["validation_sync_real"]


def test_real_mouths_are_in_sync(tmp_path):
    """A performer of the validation split, and the evaluator as it is shipped."""
    render_to_disk((tmp_path, 0, 20, {0: "grid"}))
    (tmp_path / "corpus.json").write_text('{"seed": 0}')
    spoken = Clips(clips(tmp_path), SMOKE.model.audio)
    average = started(SMOKE).networks.average
    still_only(average)
    measured = Validation(spoken, SMOKE).measure(average, True)
    assert measured["validation_sync_real"] > 0.8 > 0.6 > measured["validation_sync"]


def test_clips_that_are_too_short_are_refused(held_out):
    short = copy.copy(held_out)
    short.frames = [np.asarray(frames)[:13] for frames in held_out.frames]
    with pytest.raises(TalkerError, match="fewer than 14 frames"):
        Validation(short, SMOKE)


def test_a_showcase_shows_stills_real_frames_and_generated_ones(noise_corpus, tmp_path):
    own = Clips(clips(noise_corpus), SMOKE.model.audio)
    generator = started(SMOKE).generator.eval()
    made = []
    for name, moving in (("a", True), ("b", True), ("c", False)):
        Showcase(own, tmp_path / name, SMOKE).write(generator, 7, moving)
        made.append(read_image(tmp_path / name / "step_000007.png"))
    assert np.array_equal(made[0], made[1]) and not np.array_equal(made[0], made[2])
    assert made[0].shape == (3 * 2 * 128, 10 * 96, 3)
    first = np.asarray(own.frames[0])
    assert np.array_equal(made[0][:128, :96], first[0])
    film, fps = read_video(tmp_path / "a" / "step_000007.mp4")
    assert film.shape == (3 * 75, 2 * 128, 4 * 96, 3) and fps == 25
