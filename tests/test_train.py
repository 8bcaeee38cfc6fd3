"""A step of each phase on tiny clips: who learns from what, and from what not."""

import copy
import dataclasses

import numpy as np
import pytest
import torch
from small_training import SMOKE, changed, moved, started, weights_of

from talker.config import LossWeights, preset
from talker.dataset import Batch
from talker.draws import draw_adversarial, draw_warm_up, gather, shifted
from talker.emphasis import with_rest_of
from talker.trainer import Scene, Trainer

# ---- a step of each phase


def test_the_warm_up_teaches_reconstruction_only(data):
    trainer = started(SMOKE)
    before = weights_of(trainer)
    trainer.networks.set_rates(50, 10)
    log = trainer.warm_up_step([draw_warm_up(data, SMOKE, 0)])
    assert moved(trainer, before) == {
        *("identity_encoder", "content_encoder", "frame_decoder", "average"),
        *("noise_encoder", "lip_reading"),
    }
    assert all(p.grad is None for p in trainer.generator.noise_generator.parameters())
    for name in ("frame", "sequence", "sync"):
        assert all(p.grad is None for p in trainer.modules[name].parameters())
    assert 0 < log["l1_lower"] < 2 and 0 < log["l1_upper"] < 2 and log["grad_generator"] > 0
    assert 0 < log["lips"] < 5


def test_lips_alone_teach_the_content_encoder_and_nothing_that_paints(data):
    trainer = started(dataclasses.replace(SMOKE, losses=LossWeights(0, 0, 0, 0)))
    trainer.warm_up_step([draw_warm_up(data, SMOKE, 0)])
    felt = {
        name.split(".")[0]
        for name, p in trainer.generator.named_parameters()
        if p.grad is not None and p.grad.abs().max() > 0
    }
    assert felt == {"content_encoder"}


def test_half_precision_computes_nearly_the_same(data):
    logs = []
    for precision in ("fp32", "bf16"):
        trainer = started(changed(SMOKE, precision=precision))
        logs.append(trainer.warm_up_step([draw_warm_up(data, SMOKE, 0)]))
    assert logs[0] != logs[1]
    assert logs[0] == pytest.approx(logs[1], rel=0.05)


def test_reconstruction_gets_better(data):
    bright = copy.copy(data)
    bright.frames = [np.full_like(frames, 200) for frames in data.frames]
    trainer = Trainer(changed(SMOKE, warm_up=1000, warm_up_rate=5e-3))
    history = []
    for step in range(20):
        trainer.networks.set_rates(step + 100, 10)
        log = trainer.warm_up_step([draw_warm_up(bright, SMOKE, step)])
        history.append(log["l1_lower"] + log["l1_upper"])
    assert np.mean(history[-3:]) < 0.5 * history[0]


@pytest.mark.parametrize(("step", "critics"), [(0, {"frame", "sequence"}), (1, {"frame", "sync"})])
def test_an_adversarial_step_teaches_the_generator_and_its_critics(data, step, critics):
    trainer = started(SMOKE)
    trainer.networks.set_rates(1000, 1000)
    before = weights_of(trainer)
    log = trainer.adversarial_step([draw_adversarial(data, SMOKE, step)])
    parts = {"identity_encoder", "content_encoder", "frame_decoder"}
    assert moved(trainer, before) == parts | critics | {"lip_reading", "average"}
    for name in critics:
        assert 0 < log[f"{name}_real"] < 1 and 0 < log[f"{name}_fake"] < 1
    assert ("sync_shifted" in log) == ("sync" in critics)


@pytest.mark.parametrize("warm_up", [0, 2])
@pytest.mark.parametrize(("term", "step"), [("img", 1), ("sync", 1), ("seq", 0), ("l1", 1)])
def test_every_term_of_equation_7_reaches_the_generator(data, term, step, warm_up):
    """In other people's attempts, sync and L1 terms never did."""
    weights = dataclasses.replace(LossWeights(0, 0, 0, 0), **{term: 1.0})
    config = changed(SMOKE, warm_up=warm_up, lips_weight=0.0)
    trainer = started(dataclasses.replace(config, losses=weights))
    trainer.networks.set_rates(1000, 1000)
    trainer.adversarial_step([draw_adversarial(data, SMOKE, step)])
    felt = {
        name.split(".")[0]
        for name, p in trainer.generator.named_parameters()
        if p.grad is not None and p.grad.abs().max() > 0
    }
    # After a warm-up the noise generator has had its own adversary, and L1 has the encoder's z_n.
    expected = {"identity_encoder", "content_encoder", "frame_decoder"}
    assert felt == (expected if warm_up else expected | {"noise_generator"})
    # Its codes must go on meaning what the noise generator learnt that they mean.
    assert all(p.grad is None for p in trainer.modules["noise_encoder"].parameters())


def test_the_saved_generator_is_an_average_of_the_trained_ones(data):
    trainer = Trainer(changed(SMOKE, average_decay=0.75))
    trainer.networks.set_rates(50, 10)
    start = weights_of(trainer)["generator"]
    trainer.warm_up_step([draw_warm_up(data, SMOKE, 0)])
    for key, kept in trainer.networks.average.named_parameters():
        expected = 0.75 * start[key] + 0.25 * trainer.generator.get_parameter(key)
        assert torch.allclose(kept, expected, atol=1e-6)
        assert not kept.requires_grad


def test_gradients_are_clipped_to_their_norm(data):
    trainer = Trainer(changed(SMOKE, clip_norm=1e-3))
    log = trainer.warm_up_step([draw_warm_up(data, SMOKE, 0)])
    grads = [p.grad for p in trainer.networks.optimisers["generator"].param_groups[0]["params"]]
    norm = torch.stack([g.norm() for g in grads if g is not None]).norm()
    assert log["grad_generator"] > 2e-3 and norm == pytest.approx(1e-3, rel=0.01)


def test_batch_norm_is_calibrated_once_and_then_frozen(data):
    model = dataclasses.replace(SMOKE.model, normalisation="batch", audio_normalisation="batch")

    def statistics(trainer: Trainer) -> dict[str, torch.Tensor]:
        return {k: v.clone() for k, v in trainer.generator.named_buffers() if "running" in k}

    def same(a: dict, b: dict) -> bool:
        return all(torch.equal(value, b[key]) for key, value in a.items())

    calibrated = []
    for _ in range(2):
        trainer = Trainer(dataclasses.replace(SMOKE, model=model))
        start = statistics(trainer)
        trainer.calibrate(data)
        trainer.freeze()
        calibrated.append(statistics(trainer))
    assert not same(start, calibrated[0]) and same(*calibrated)
    trainer.warm_up_step([draw_warm_up(data, SMOKE, 0)])
    trainer.adversarial_step([draw_adversarial(data, SMOKE, 1)])
    assert same(calibrated[0], statistics(trainer))
    averaged = dict(trainer.networks.average.named_buffers())
    assert all(torch.equal(v, averaged[k]) for k, v in calibrated[0].items())  # what is saved


def test_learning_rates(data):
    trainer = Trainer(changed(SMOKE, warm_up=1000, warm_up_rate=1e-3))

    def rates(step: int) -> dict[str, float]:
        trainer.networks.set_rates(step, epoch_steps=10)
        return {k: o.param_groups[0]["lr"] for k, o in trainer.networks.optimisers.items()}

    assert rates(0)["generator"] < 2e-5  # a ramp of 100 steps
    assert rates(120)["generator"] > 0.9e-3 > rates(500)["generator"] > rates(990)["generator"]
    paper = {"generator": 1e-4, "frame": 1e-4, "sequence": 1e-5, "sync": 1e-5}
    assert rates(1000) == rates(1099) == pytest.approx(paper)
    decayed = {"generator": 0.98e-4, "frame": 0.9e-4, "sequence": 0.9e-5, "sync": 0.9e-5}
    assert rates(1100) == pytest.approx(decayed)  # after ten epochs: 2 % and 10 %
    twice = {"generator": 0.98**2 * 1e-4, "frame": 0.81e-4, "sequence": 0.81e-5, "sync": 0.81e-5}
    assert rates(1200) == rates(1299) == pytest.approx(twice)


def test_l1_says_nothing_about_the_upper_half_in_the_papers_training(data):
    """L1 on the whole face teaches the generator to ignore the noise."""
    paper = preset("paper").train
    assert (paper.warm_up, paper.eyes_weight, paper.still_weight, paper.mouth_emphasis) == (0,) * 4
    config = dataclasses.replace(SMOKE, losses=LossWeights(0, 0, 0, 600.0))
    config = changed(config, warm_up=0, eyes_weight=0.0, still_weight=0.0, lips_weight=0.0)
    trainer = started(config)
    scene = trainer.imagine(draw_adversarial(data, config, 1))
    scene.made.retain_grad()
    trainer.persuade(scene)[0].backward()
    assert not scene.made.grad[..., :64, :].any()
    assert (scene.made.grad[..., 64:, :] != 0).float().mean() > 0.9


def shown_in_persuasion(data, **settings) -> tuple[Batch, torch.Tensor, torch.Tensor]:
    """A batch, and what the decoder made with the encoder's z_n: frames, and L1's gradient."""
    config = dataclasses.replace(SMOKE, losses=LossWeights(0, 0, 0, 600.0))
    config = changed(config, lips_weight=0.0, **settings)
    trainer, shown = started(config), []

    def watch(_module, _inputs, made):
        made.retain_grad()
        shown.append(made)

    trainer.generator.frame_decoder.register_forward_hook(watch)
    draw = draw_adversarial(data, config, 1)
    trainer.persuade(trainer.imagine(draw))[0].backward()
    assert shown[0].grad is None or not shown[0].grad.any()  # with the noise generator's
    return draw.batch, shown[1].detach(), shown[1].grad


def test_l1_of_the_adversarial_phase_says_of_the_upper_half_only_how_eyes_should_be(data):
    """Where a head may turn unheard, L1 would soften every edge."""
    assert SMOKE.train.eyes_weight > 0
    _, _, grad = shown_in_persuasion(data, still_weight=0.0)
    assert (grad[..., 26:54, 20:76] != 0).float().mean() > 0.9
    assert not grad[..., :24, :].any() and not grad[..., 57:64, :].any()
    assert (grad[..., 64:, :] != 0).float().mean() > 0.9


def test_the_rest_of_the_upper_half_is_held_to_the_still(data):
    batch, made, grad = shown_in_persuasion(data, eyes_weight=0.0, still_weight=0.5)
    signs = (made - batch.still[:, None]).sign()[..., :24, :]
    assert torch.equal(grad[..., :24, :].sign(), signs)
    assert not grad[..., 26:54, 20:76].any()
    pixels = batch.frames.shape[0] * batch.frames.shape[1] * 3 * (64 * 96 - 32 * 68)
    assert grad[..., :24, :].abs().max() == pytest.approx(600 * 0.5 / pixels, rel=1e-4)


@pytest.mark.parametrize("judge_rest", [True, False])
def test_what_the_frame_discriminator_need_not_see_it_says_nothing_about(data, judge_rest):
    config = dataclasses.replace(SMOKE, losses=LossWeights(1.0, 0, 0, 0))
    config = changed(config, lips_weight=0.0, judge_rest=judge_rest)
    trainer, draw = started(config), draw_adversarial(data, config, 1)
    scene = trainer.imagine(draw)
    scene.made.retain_grad()
    trainer.persuade(scene)[0].backward()
    grad = gather(scene.made.grad, draw.judged)
    for place in (np.s_[..., 64:, :], np.s_[..., 26:54, 20:76]):  # the lower half, and the eyes
        assert (grad[place] != 0).float().mean() > 0.9
    for place in (np.s_[..., :24, :], np.s_[..., 57:64, :], np.s_[..., :64, :12]):
        assert (grad[place] != 0).any() == judge_rest


def test_without_that_rest_real_and_generated_frames_differ_nowhere_else(data):
    """A frame of a head that turned must not be told by its hair."""
    batch = draw_adversarial(data, SMOKE, 1).batch
    shown = with_rest_of(batch.still, batch.frames)
    still = batch.still[:, None].expand_as(shown)
    assert torch.equal(shown[..., 64:, :], batch.frames[..., 64:, :])
    assert torch.equal(shown[..., 24:56, 14:82], batch.frames[..., 24:56, 14:82])
    for place in (np.s_[..., :24, :], np.s_[..., 56:64, :], np.s_[..., :64, :14]):
        assert torch.equal(shown[place], still[place])
        assert not torch.equal(batch.frames[place], still[place])


def test_the_sync_discriminator_learns_beside_the_generator_all_along(data):
    """In other people's attempts it was trained first, and frozen."""
    trainer = started(SMOKE)
    trainer.networks.set_rates(1000, 1000)
    for step in (1, 3, 5):
        before = weights_of(trainer)
        trainer.adversarial_step([draw_adversarial(data, SMOKE, step)])
        assert {"sync", "frame_decoder"} <= moved(trainer, before)
        assert all(p.requires_grad for p in trainer.modules["sync"].parameters())


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_generator_meets_the_discriminators_after_their_step(data, precision):
    """Autocast keeps rounded copies of weights; they must not outlive the step."""
    logs = []
    for rate in (0.0, 0.01):
        config = changed(SMOKE, precision=precision, frame_rate=rate)
        trainer = started(config)
        trainer.networks.set_rates(1000, 1000)
        logs.append(trainer.adversarial_step([draw_adversarial(data, config, 1)]))
    assert logs[0]["frame_loss"] == logs[1]["frame_loss"]
    assert abs(logs[0]["img"] - logs[1]["img"]) > 0.01


# ---- its parts


def test_misaligned_pairs_are_misaligned_and_others_are_not(data):
    for step in range(1, 60, 2):
        draw = draw_adversarial(data, SMOKE, step)
        middle = draw.batch.at[:, 2]
        assert ((draw.away - middle).abs() >= 5).all() and draw.away.max() < SMOKE.train.frames
        scene = Scene(draw, None, None, None)
        for row, centre in enumerate(middle):
            assert torch.equal(scene.audio[row], draw.batch.audio_frames[row, centre])


def test_the_sync_discriminator_is_shown_the_pairs_of_figure_6(data):
    """Real mouths with their own sound, real ones with one far from it, made ones with their own.

    A discriminator that is shown the same sound twice learns to tell made from real, and nothing of
    synchrony, while every loss stays finite and falls.
    """
    trainer, shown = started(SMOKE), []
    scene = trainer.imagine(draw_adversarial(data, SMOKE, 1))
    trainer.modules["sync"].register_forward_pre_hook(lambda _, given: shown.append(given))
    trainer.judge("sync", scene)
    ((mouths, sounds),) = shown
    batch, rows = scene.draw.batch, range(len(scene.made))
    own = torch.stack([batch.audio_frames[row, batch.at[row, 2]] for row in rows])
    far = torch.stack([batch.audio_frames[row, scene.draw.away[row]] for row in rows])
    assert not any(torch.equal(a, b) for a, b in zip(own, far, strict=True))
    assert not torch.equal(scene.made, batch.frames)
    for third, expected in zip(
        mouths.chunk(3), (batch.frames, batch.frames, scene.made), strict=True
    ):
        assert torch.equal(third, expected)
    for third, expected in zip(sounds.chunk(3), (own, far, own), strict=True):
        assert torch.equal(third, expected)


def test_shifted_is_always_out_of_sync():
    rng = np.random.default_rng(0)
    at = torch.arange(20).repeat(50)
    away = shifted(at, 20, 5, rng)
    assert ((away - at).abs() >= 5).all() and away.min() == 0 and away.max() == 19
    assert set(shifted(torch.full((500,), 10), 20, 5, rng).tolist()) == {*range(6), *range(15, 20)}
    with pytest.raises(ValueError, match="9 frames leave no room for a shift of 5"):
        shifted(torch.tensor([4]), 9, 5, rng)


def test_gather_by_hand():
    sequence = torch.arange(12.0).reshape(2, 3, 2)
    picked = gather(sequence, torch.tensor([[2, 0], [1, 1]]))
    assert picked.tolist() == [[[4, 5], [0, 1]], [[8, 9], [8, 9]]]


def test_noise_sequences_are_read_off_whole_clips(data):
    trainer = Trainer(SMOKE)
    sequences = trainer.noise_sequences(data, 400)
    assert sequences.shape == (2, 75, 10) and sequences.abs().max() <= 1
    assert not sequences.requires_grad
    assert trainer.noise_sequences(data, 1).shape == (1, 75, 10)
    mixed = copy.copy(data)
    mixed.frames = [data.frames[0], np.asarray(data.frames[1])[:60]]
    assert torch.equal(trainer.noise_sequences(mixed, 400)[0], sequences[0, :60])


def test_fitting_the_noise_moves_the_noise_generator_alone(data):
    trainer = Trainer(SMOKE)
    before = weights_of(trainer)
    distance = trainer.fit_noise(data, 3)
    assert np.isfinite(distance)
    assert moved(trainer, before) == {"noise_generator", "average"}
    for name, value in trainer.networks.average.noise_generator.state_dict().items():
        assert torch.equal(value, trainer.generator.noise_generator.state_dict()[name])
