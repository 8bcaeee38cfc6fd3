"""Eq. 2-7 on numbers small enough to work out by hand, and where their gradients may go."""

import math

import pytest
import torch

from talker import losses
from talker.config import LossWeights, preset
from talker.models.frame_discriminator import FrameDiscriminator
from talker.models.sync_discriminator import SyncDiscriminator

CONFIG = preset("smoke")


def logit(probability: float, *more: float) -> torch.Tensor:
    p = torch.tensor([probability, *more])
    return torch.log(p / (1 - p))


def test_eq_2_and_eq_4_by_hand():
    real, generated = logit(0.8, 0.5), logit(0.1, 0.4)
    expected = -(math.log(0.8) + math.log(0.5)) / 2 - (math.log(0.9) + math.log(0.6)) / 2
    for loss in (losses.frame_discriminator_loss, losses.sequence_discriminator_loss):
        assert loss(real, generated).item() == pytest.approx(expected, rel=1e-5)


def test_eq_3_by_hand_with_its_halves():
    loss = losses.sync_discriminator_loss(logit(0.9), logit(0.3), logit(0.6))
    expected = -math.log(0.9) - 0.5 * math.log(0.7) - 0.5 * math.log(0.4)
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_a_guessing_discriminator_scores_two_log_two():
    half = torch.zeros(4)
    expected = 2 * math.log(2)
    assert losses.frame_discriminator_loss(half, half).item() == pytest.approx(expected)
    assert losses.sync_discriminator_loss(half, half, half).item() == pytest.approx(expected)


def test_the_generators_side_by_hand():
    generated = logit(0.25, 0.5)
    expected = -(math.log(0.25) + math.log(0.5)) / 2
    assert losses.frame_generator_loss(generated).item() == pytest.approx(expected, rel=1e-5)
    assert losses.sequence_generator_loss(generated).item() == pytest.approx(expected, rel=1e-5)
    assert losses.sync_generator_loss(generated).item() == pytest.approx(expected / 2, rel=1e-5)


def test_eq_5_and_eq_7_by_hand():
    img, sync, seq, l1 = (torch.tensor(v) for v in (0.5, 0.25, 2.0, 0.01))
    adversarial = losses.adversarial_loss(img, sync, seq, LossWeights())
    assert adversarial.item() == pytest.approx(0.5 + 0.8 * 0.25 + 0.2 * 2.0)
    total = losses.generator_loss(adversarial, l1, LossWeights())
    assert total.item() == pytest.approx(1.1 + 600 / 4 * 0.01)


def test_eq_6_by_hand_and_its_sum():
    real = torch.zeros(1, 2, 3, 4, 2)
    generated = torch.zeros(1, 2, 3, 4, 2)
    generated[..., :2, :] = 1.0  # the upper half costs nothing
    generated[0, 0, 1, 2, 0] = 0.5
    generated[0, 1, 2, 3, 1] = -0.7
    mean = losses.reconstruction_loss(real, generated)
    assert mean.item() == pytest.approx((0.5 + 0.7) / (2 * 3 * 2 * 2))
    per_frame_sum = mean * 3 * (2 * 4 / 2)
    assert per_frame_sum.item() == pytest.approx((0.5 + 0.7) / 2)


def test_confident_mistakes_stay_finite_and_still_teach():
    generated = torch.tensor([-200.0], requires_grad=True)
    loss = losses.frame_generator_loss(generated)
    loss.backward()
    assert loss.item() == pytest.approx(200.0)
    assert generated.grad.item() == pytest.approx(-1.0)
    assert losses.log_loss_fake(torch.tensor([200.0])).item() == pytest.approx(200.0)


def test_l1_gives_no_gradient_to_the_upper_half():
    real = torch.rand(2, 3, 3, 128, 96)
    generated = torch.rand(2, 3, 3, 128, 96).requires_grad_()
    losses.reconstruction_loss(real, generated).backward()
    assert not generated.grad[..., :64, :].any()
    assert (generated.grad[..., 64:, :] != 0).all()


def test_the_sync_loss_reaches_the_lower_half_of_the_frames_and_nothing_else():
    torch.manual_seed(0)
    discriminator = SyncDiscriminator(CONFIG.model, CONFIG.discriminators)
    snippet = (torch.rand(2, 5, 3, 128, 96) * 2 - 1).requires_grad_()
    audio = torch.randn(2, 3200) * 0.1
    losses.sync_generator_loss(discriminator(snippet, audio)).backward()
    assert not snippet.grad[..., :64, :].any()
    reached = snippet.grad[..., 64:, :].abs().amax(dim=(2, 3, 4))  # of every frame of every clip
    assert (reached > 0).all()


def test_the_frame_loss_reaches_the_whole_frame():
    torch.manual_seed(0)
    discriminator = FrameDiscriminator(CONFIG.model, CONFIG.discriminators)
    frames = (torch.rand(1, 2, 3, 128, 96) * 2 - 1).requires_grad_()
    losses.frame_generator_loss(discriminator(frames, torch.zeros(1, 3, 128, 96))).backward()
    assert frames.grad[..., :64, :].any()
    assert frames.grad[..., 64:, :].any()


def test_a_step_on_the_discriminators_loss_widens_the_gap():
    torch.manual_seed(0)
    real, generated = torch.zeros(3, requires_grad=True), torch.zeros(3, requires_grad=True)
    losses.frame_discriminator_loss(real, generated).backward()
    assert (real.grad < 0).all()  # descending raises the real ones' logits
    assert (generated.grad > 0).all()
