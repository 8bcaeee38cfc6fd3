"""The three discriminators: shapes, what each looks at, and that each can learn its question."""

import dataclasses

import pytest
import torch

from talker import losses
from talker.config import DiscriminatorConfig, preset
from talker.errors import TalkerError
from talker.models.frame_discriminator import FrameDiscriminator
from talker.models.sequence_discriminator import SequenceDiscriminator
from talker.models.sync_discriminator import SyncDiscriminator

MODEL, SMALL = preset("smoke").model, preset("smoke").discriminators


def build(kind, config: DiscriminatorConfig = SMALL):
    torch.manual_seed(0)
    return kind(MODEL, config)


def clip(batch: int, time: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    source = torch.Generator().manual_seed(seed)
    frames = torch.rand(batch, time, 3, 128, 96, generator=source) * 2 - 1
    return frames, torch.randn(batch, time, 3200, generator=source) * 0.1


def test_the_frame_discriminator_judges_every_frame_beside_its_still():
    discriminator = build(FrameDiscriminator)
    frames, _ = clip(2, 3)
    stills, _ = clip(2, 1, seed=1)
    logits = discriminator(frames, stills[:, 0])
    assert logits.shape == (2, 3)
    one = discriminator(frames[1:, 2:], stills[1:, 0])
    assert torch.allclose(one, logits[1:, 2:], atol=1e-5)  # no statistics shared in the batch
    swapped = discriminator(frames, stills.flip(0)[:, 0])
    assert (swapped - logits).abs().min() > 1e-5


def test_the_frame_discriminator_has_six_convolutions():
    convolutions = [
        m for m in build(FrameDiscriminator).modules() if isinstance(m, torch.nn.Conv2d)
    ]
    assert len(convolutions) == 6


@pytest.mark.parametrize("time", [1, 2, 7])
@pytest.mark.parametrize("pool", [1, 2, 4])
def test_the_sequence_discriminator_takes_any_length(time, pool):
    config = dataclasses.replace(SMALL, sequence_pool=pool)
    discriminator = build(SequenceDiscriminator, config)
    frames, audio = clip(3, time)
    logits = discriminator(frames, audio)
    assert logits.shape == (3,)
    assert torch.allclose(discriminator(frames[:1], audio[:1]), logits[:1], atol=1e-5)


def test_the_sequence_discriminator_cannot_pool_by_three():
    with pytest.raises(TalkerError, match="sequence_pool is 3"):
        build(SequenceDiscriminator, dataclasses.replace(SMALL, sequence_pool=3))


def test_every_frame_and_every_audio_frame_count_and_so_does_their_order():
    discriminator = build(SequenceDiscriminator)
    frames, audio = (t.requires_grad_() for t in clip(1, 6))
    logits = discriminator(frames, audio)
    logits.backward()
    assert (frames.grad.abs().amax(dim=(0, 2, 3, 4)) > 0).all()
    assert (audio.grad.abs().amax(dim=(0, 2)) > 0).all()
    assert (discriminator(frames.flip(1), audio) - logits).abs() > 1e-5
    assert (discriminator(frames, audio.flip(1)) - logits).abs() > 1e-5


def test_a_step_of_the_sequence_discriminator_spans_three_frames():
    discriminator = build(SequenceDiscriminator)
    frames, audio = clip(1, 7)
    steps = []
    discriminator.embed.register_forward_hook(lambda _, args, out: steps.append(out.detach()))
    discriminator(frames, audio)
    changed = frames.clone()
    changed[:, 3] = 0
    discriminator(changed, audio)
    moved = (steps[0] - steps[1]).abs().flatten(1).amax(dim=1)
    assert moved.nonzero().flatten().tolist() == [2, 3, 4]


def test_the_sync_discriminator_sees_mouths_only_and_hears():
    discriminator = build(SyncDiscriminator)
    frames, audio = clip(2, 5)
    logits = discriminator(frames, audio[:, 2])
    assert logits.shape == (2,)
    blindfold = frames.clone()
    blindfold[..., :64, :] = 0
    assert torch.equal(discriminator(blindfold, audio[:, 2]), logits)
    gagged = frames.clone()
    gagged[..., 64:, :] = 0
    assert (discriminator(gagged, audio[:, 2]) - logits).abs().min() > 1e-5
    assert (discriminator(frames, audio[:, 3]) - logits).abs().min() > 1e-5
    one = discriminator(frames[:1], audio[:1, 2])
    assert torch.allclose(one, logits[:1], atol=1e-5)


def test_the_sync_logit_is_a_perceptron_of_a_distance_that_starts_as_near_is_in_sync():
    discriminator = build(SyncDiscriminator)
    frames, audio = clip(4, 5)
    distance = discriminator.distance(frames, audio[:, 2])
    assert (distance > 0).all()
    weight, bias = discriminator.perceptron.weight.item(), discriminator.perceptron.bias.item()
    assert torch.allclose(discriminator(frames, audio[:, 2]), weight * distance + bias)
    assert weight < 0
    assert discriminator(frames, audio[:, 2]).abs().max() < 1  # undecided before training


def test_coinciding_embeddings_keep_gradients_finite():
    discriminator = build(SyncDiscriminator)
    for stream in (discriminator.video[1], discriminator.audio.layers[-2]):
        torch.nn.init.zeros_(stream.weight)
        torch.nn.init.zeros_(stream.bias)
    frames, audio = clip(1, 5)
    discriminator(frames, audio[:, 2]).backward()
    assert all(p.grad.isfinite().all() for p in discriminator.parameters())


@pytest.mark.slow
def test_the_sync_discriminator_learns_which_mouth_goes_with_which_sound():
    """A toy tongue: mouths are as bright as their sound is loud."""
    discriminator = build(SyncDiscriminator)
    optimiser = torch.optim.Adam(discriminator.parameters(), lr=2e-3)
    source = torch.Generator().manual_seed(0)

    def pairs(count):
        loudness = torch.rand(count, generator=source)
        wrong = (loudness + 0.5) % 1
        mouths = (loudness * 2 - 1)[:, None, None, None, None].expand(-1, 5, 3, 128, 96)
        noise = torch.randn(2, count, 3200, generator=source) * 0.3
        return mouths, noise[0] * loudness[:, None], noise[1] * wrong[:, None]

    for _ in range(60):
        mouths, right, wrong = pairs(8)
        loss = losses.log_loss_real(discriminator(mouths, right))
        loss = loss + losses.log_loss_fake(discriminator(mouths, wrong))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    mouths, right, wrong = pairs(64)
    with torch.no_grad():
        near, far = discriminator.distance(mouths, right), discriminator.distance(mouths, wrong)
    assert (near < far).float().mean() > 0.9
