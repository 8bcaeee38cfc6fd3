"""The generator: shapes at every level, which inputs reach which outputs, and how large it is."""

import dataclasses

import pytest
import torch
from torch import nn

from talker.audio import audio_frames
from talker.config import AudioConfig, ModelConfig, preset
from talker.errors import TalkerError
from talker.models.content_encoder import ContentEncoder
from talker.models.frame_decoder import CodeMaps, SkipConvolution
from talker.models.generator import Generator
from talker.models.identity_encoder import IdentityEncoder
from talker.models.layers import BatchNorm1d, BatchNorm2d
from talker.models.noise_generator import NoiseGenerator

PLAIN = ModelConfig(width=4, audio_width=4, identity_dim=16, content_dim=16)
RICH = dataclasses.replace(
    PLAIN,
    normalisation="group",
    audio_normalisation="group",
    skip_64=True,
    injection=True,
)
LATENT = dataclasses.replace(PLAIN, skip_64=True)  # no norm that looks at the whole picture


def build(config: ModelConfig, seed: int = 0) -> Generator:
    """In eval mode, its batch norms holding the statistics of one batch.

    With the initial statistics every level shrinks the signal, and frames come out black whatever
    goes in: nothing could be seen to depend on anything.
    """
    torch.manual_seed(seed)
    generator = Generator(config)
    for layer in generator.modules():
        if isinstance(layer, nn.modules.batchnorm._BatchNorm):
            layer.momentum = 1.0
    with torch.no_grad():
        generator(*inputs(config, batch=8))
    return generator.eval()


def inputs(config: ModelConfig, batch: int = 2, time: int = 3, seed: int = 0):
    source = torch.Generator().manual_seed(seed)
    still = torch.rand(batch, 3, config.height, config.img_width, generator=source) * 2 - 1
    audio = torch.randn(batch, time, config.audio.samples, generator=source) * 0.1
    noise = torch.randn(batch, time, config.noise_dim, generator=source)
    return still, audio, noise


def parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def test_the_released_models_parameter_counts():
    released = ModelConfig(audio=AudioConfig(rate=50000), content_layers=2)
    assert parameters(ContentEncoder(released)) == 1_493_616
    assert parameters(IdentityEncoder(released)) == 12_721_024
    generator = Generator(released)
    decoding = parameters(generator.frame_decoder) + parameters(generator.noise_generator)
    assert decoding == 41_061_652
    assert parameters(generator) == 55_276_292


def test_the_papers_gru_has_one_layer_and_16_khz_a_smaller_kernel():
    one_layer_less = 2 * 3 * 256 * (256 + 1)
    shorter_kernel = 16 * (250 - 80)
    expected = 1_493_616 - one_layer_less - shorter_kernel
    assert parameters(ContentEncoder(ModelConfig())) == expected


def test_shapes_at_every_level_of_the_identity_encoder():
    code = IdentityEncoder(ModelConfig()).eval()(torch.zeros(1, 3, 128, 96))
    assert code.z_id.shape == (1, 128)
    assert [tuple(s.shape[1:]) for s in code.skips] == [
        (64, 64, 48),
        (128, 32, 24),
        (256, 16, 12),
        (512, 8, 6),
        (1024, 4, 3),
    ]


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 44100, 48000, 50000])
def test_shapes_at_every_level_of_the_content_encoder(rate):
    config = dataclasses.replace(PLAIN, audio=AudioConfig(rate=rate))
    encoder = ContentEncoder(config).eval()
    features = torch.zeros(2, 1, config.audio.samples)
    seen = []
    for layer in encoder.frames.layers:
        features = layer(features)
        if isinstance(layer, nn.Conv1d):
            seen.append(tuple(features.shape[1:]))
    assert seen == [(4, 200), (8, 100), (16, 50), (32, 25), (64, 5), (16, 1)]
    first = encoder.frames.layers[0]
    assert first.kernel_size[0] == pytest.approx(0.005 * rate, abs=0.5)
    assert first.stride[0] == pytest.approx(0.001 * rate, abs=0.5)


def test_audio_frames_too_short_for_the_encoder_are_refused():
    with pytest.raises(TalkerError, match="too short"):
        ContentEncoder(dataclasses.replace(PLAIN, audio=AudioConfig(fps=250, window=0.004)))


@pytest.mark.parametrize("config", [PLAIN, RICH], ids=["plain", "rich"])
def test_shapes_at_every_level_of_the_decoder(config):
    generator = build(config)
    sizes = []
    for block in generator.frame_decoder.blocks:
        block.register_forward_hook(lambda _, args, out: sizes.append(tuple(out.shape[1:])))
    still, audio, noise = inputs(config)
    frames = generator(still, audio, noise)
    expected = [(32, 8, 6), (16, 16, 12), (8, 32, 24), (4, 64, 48), (3, 128, 96)]
    assert sizes == expected[: 5 if config.skip_64 else 4]
    assert frames.shape == (2, 3, 3, 128, 96)
    assert frames.abs().max() <= 1
    assert frames.std() > 0.1  # not black: `build` would have hidden what other tests look for


@pytest.mark.parametrize("size", [(64, 64), (256, 192)])
def test_other_image_sizes(size):
    config = dataclasses.replace(RICH, height=size[0], img_width=size[1])
    assert build(config)(*inputs(config)).shape == (2, 3, 3, *size)


def test_a_still_of_another_size_is_refused():
    with pytest.raises(TalkerError, match="3x128x96"):
        build(PLAIN).encode_still(torch.zeros(1, 3, 96, 128))


@pytest.mark.parametrize("config", [PLAIN, RICH], ids=["plain", "rich"])
def test_batch_and_single_agree_at_any_length(config):
    generator = build(config)
    still, audio, noise = inputs(config, batch=3, time=7)
    batch = generator(still, audio, noise)
    for i in range(3):
        alone = generator(still[i : i + 1], audio[i : i + 1], noise[i : i + 1])
        assert torch.allclose(batch[i : i + 1], alone, atol=1e-5)
    shorter = generator(still, audio[:, :1], noise[:, :1])
    assert torch.allclose(batch[:, :1], shorter, atol=1e-5)


def test_a_group_norm_generator_trains_on_each_clip_alone():
    generator = build(RICH).train()
    still, audio, noise = inputs(RICH)
    batch = generator(still, audio, noise)
    alone = generator(still[:1], audio[:1], noise[:1])
    assert torch.allclose(batch[:1], alone, atol=1e-5)


def test_pictures_and_sound_choose_their_norms_apart():
    def norms(module):
        return {type(m).__name__ for m in module.modules() if "Norm" in type(m).__name__}

    generator = Generator(dataclasses.replace(PLAIN, normalisation="group"))
    assert norms(generator.content_encoder) == {"BatchNorm1d"}
    assert norms(generator.identity_encoder) == norms(generator.frame_decoder) == {"GroupNorm"}
    generator = Generator(dataclasses.replace(PLAIN, audio_normalisation="group"))
    assert norms(generator.content_encoder) == {"GroupNorm"}
    assert norms(generator.identity_encoder) == norms(generator.frame_decoder) == {"BatchNorm2d"}


def test_any_frames_of_a_clip_can_be_decoded():
    generator = build(RICH)
    still, audio, noise = inputs(RICH, time=6)
    whole = generator(still, audio, noise)
    code = generator.encode_still(still)
    z_c, _ = generator.content_encoder(audio)
    z_n, _ = generator.noise_generator(noise)
    chosen = torch.tensor([5, 0, 3])
    some = generator.decode(code, z_c[:, chosen], z_n[:, chosen])
    assert torch.allclose(some, whole[:, chosen], atol=1e-5)


@pytest.mark.parametrize("layers", [1, 2])
def test_chunks_with_the_state_carried_over_equal_the_whole(layers):
    generator = build(dataclasses.replace(PLAIN, content_layers=layers))
    _, audio, noise = inputs(PLAIN, time=10)
    for part, sequence in (
        (generator.content_encoder, audio),
        (generator.noise_generator, noise),
    ):
        whole, last = part(sequence)
        state, pieces = None, []
        for chunk in sequence.split([4, 1, 5], dim=1):
            piece, state = part(chunk, state)
            pieces.append(piece)
        assert torch.allclose(torch.cat(pieces, dim=1), whole, atol=1e-6)
        assert torch.allclose(state, last, atol=1e-6)
        forgetful, _ = part(sequence[:, 4:])
        assert not torch.allclose(forgetful, whole[:, 4:], atol=1e-4)


def test_sound_reaches_no_frame_that_is_over_before_it_starts():
    """A sample is heard half a window ahead of its frame, and remembered ever after."""
    generator = build(PLAIN)
    audio = PLAIN.audio
    still, _, noise = inputs(PLAIN, batch=1, time=12)
    signal = torch.randn(1, 12 * audio.stride) * 0.1
    changed = signal.clone()
    sample = 7 * audio.stride + audio.stride // 2  # in the middle of frame 7
    changed[:, sample] += 1.0
    first, second = (generator(still, audio_frames(s, audio), noise) for s in (signal, changed))
    moved = (first - second).abs().amax(dim=(0, 2, 3, 4))
    assert not moved[:5].any()  # two frames, 80 ms, is as far as the window's edge looks ahead
    assert (moved[5:] > 0).all()


def test_every_input_reaches_the_frames_and_noise_leaves_the_identity_alone():
    generator = build(RICH)
    still, audio, noise = inputs(RICH)
    for tensor in (still, audio, noise):
        tensor.requires_grad_()
    generator(still, audio, noise).square().sum().backward()
    for tensor in (still, audio, noise):
        assert tensor.grad.abs().amax(dim=tuple(range(2, tensor.ndim))).min() > 0
    code = generator.encode_still(still)
    reached = torch.autograd.grad(code.z_id.sum(), (audio, noise), allow_unused=True)
    assert reached == (None, None)


@pytest.mark.parametrize("config", [PLAIN, RICH], ids=["plain", "rich"])
def test_noise_changes_the_face_and_not_the_code(config):
    generator = build(config)
    still, audio, _ = inputs(config)
    codes = []
    generator.identity_encoder.register_forward_hook(lambda _, args, out: codes.append(out))
    draws = [
        generator.noise_generator.draw(2, 3, torch.Generator().manual_seed(seed)) for seed in (1, 2)
    ]
    one, other = (generator(still, audio, noise) for noise in draws)
    assert (one - other).abs().max() > 1e-3
    assert torch.equal(codes[0].z_id, codes[1].z_id)
    assert all(torch.equal(a, b) for a, b in zip(codes[0].skips, codes[1].skips, strict=True))
    assert torch.equal(one, generator(still, audio, draws[0]))


def test_injected_noise_moves_the_eyes_more_than_latents_do_and_never_the_lips():
    spread = []
    for config in (LATENT, dataclasses.replace(LATENT, injection=True)):
        generator = build(config)
        still, audio, _ = inputs(config, batch=1)
        draws = [inputs(config, batch=1, seed=s)[2] for s in range(6)]
        frames = torch.stack([generator(still, audio, noise) for noise in draws])
        spread.append(frames.std(dim=0).mean(dim=(0, 1, 2, 4)))  # one number a row
    latent, injected = spread
    assert injected[32:56].mean() > 2 * latent[32:56].mean()
    assert latent[80:].min() > 0 and injected[80:].max() == 0


def test_the_identity_encoder_runs_once_per_still_however_long_the_clip():
    generator = build(RICH)
    seen = []
    generator.identity_encoder.register_forward_hook(
        lambda _, args, out: seen.append(args[0].shape[0])
    )
    generator(*inputs(RICH, batch=2, time=9))
    assert seen == [2]


def test_shared_skips_equal_the_concatenation_they_stand_for():
    torch.manual_seed(0)
    layer = SkipConvolution(6, 5)
    naive = nn.Conv2d(12, 5, 3, padding=1, bias=False)
    naive.load_state_dict(layer.state_dict())  # one weight of the same shape
    h = torch.randn(2 * 4, 6, 8, 7, requires_grad=True)
    skip = torch.randn(2, 6, 8, 7, requires_grad=True)
    repeated = skip.repeat_interleave(4, dim=0)
    ours, theirs = layer(h, skip), naive(torch.cat([h, repeated], dim=1))
    assert torch.allclose(ours, theirs, atol=1e-5)
    weights = torch.randn_like(ours)
    for a, b in zip(
        torch.autograd.grad((ours * weights).sum(), (h, skip, layer.weight)),
        torch.autograd.grad((theirs * weights).sum(), (h, skip, naive.weight)),
        strict=True,
    ):
        assert torch.allclose(a, b, atol=1e-4)


@pytest.mark.parametrize("config", [PLAIN, RICH], ids=["plain", "rich"])
def test_which_skips_reach_the_frames(config):
    generator = build(config)
    still, audio, noise = inputs(config)
    code = generator.encode_still(still)
    skips = [s.detach().requires_grad_() for s in code.skips]
    z_c, _ = generator.content_encoder(audio)
    z_n, _ = generator.noise_generator(noise)
    frames = generator.decode(code._replace(skips=skips), z_c, z_n)
    gradients = torch.autograd.grad(frames.square().sum(), skips, allow_unused=True)
    assert (gradients[0] is not None) == config.skip_64  # 64x48
    assert all(g.abs().max() > 0 for g in gradients[1:])


def test_without_skips_a_person_is_what_z_id_says():
    config = dataclasses.replace(RICH, skips=False)
    generator = build(config)
    still, audio, noise = inputs(config)
    code, other = (generator.encode_still(picture) for picture in (still, still.flip(0)))
    z_c, _ = generator.content_encoder(audio)
    z_n, _ = generator.noise_generator(noise)
    frames = generator.decode(code, z_c, z_n)
    assert torch.equal(frames, generator.decode(code._replace(skips=other.skips), z_c, z_n))
    assert not torch.allclose(frames, generator.decode(other, z_c, z_n))
    with_skips = build(RICH)
    assert parameters(generator) == parameters(with_skips)
    assert not torch.allclose(frames, with_skips.decode(code, z_c, z_n))


def test_one_clips_still_stays_out_of_anothers_frames():
    generator = build(RICH)
    still, audio, noise = inputs(RICH)
    still.requires_grad_()
    generator(still, audio, noise)[0].square().sum().backward()
    assert still.grad[0].abs().max() > 0
    assert not still.grad[1].any()


def test_channels_last_changes_nothing_but_memory():
    generator = build(RICH)
    still, audio, noise = inputs(RICH)
    before = generator(still, audio, noise)
    generator.to(memory_format=torch.channels_last)
    after = generator(still.contiguous(memory_format=torch.channels_last), audio, noise)
    assert torch.allclose(before, after, atol=1e-5)
    assert after.flatten(0, 1).is_contiguous(memory_format=torch.channels_last)


def test_code_maps_are_linear_differ_by_position_and_end_where_told():
    torch.manual_seed(0)
    maps = CodeMaps(10, 6, (8, 6), rows=5)
    a, b = torch.randn(2, 10), torch.randn(2, 10)
    assert maps(a).shape == (2, 6, 8, 6)
    assert torch.allclose(maps(a + 3 * b), maps(a) + 3 * maps(b), atol=1e-5)
    assert maps(a)[:, :, :5].std(dim=(2, 3)).min() > 1e-3
    assert not maps(a)[:, :, 5:].any()


def test_white_noise_has_the_papers_variance_and_comes_from_its_generator():
    noise = NoiseGenerator(ModelConfig())
    source = torch.Generator().manual_seed(3)
    drawn = noise.draw(40, 500, source)
    assert drawn.shape == (40, 500, 10)
    assert drawn.mean().abs() < 0.01
    assert drawn.var().item() == pytest.approx(0.6, abs=0.01)
    assert torch.equal(drawn, noise.draw(40, 500, torch.Generator().manual_seed(3)))
    assert not torch.equal(drawn, noise.draw(40, 500, source))


def test_the_noise_generator_makes_white_noise_coherent():
    torch.manual_seed(0)
    noise = NoiseGenerator(ModelConfig())
    white = noise.draw(20, 200, torch.Generator().manual_seed(0))
    z_n, _ = noise(white)

    def correlation(x):  # between consecutive frames
        x = x - x.mean(dim=1, keepdim=True)
        return (x[:, 1:] * x[:, :-1]).mean() / x.square().mean()

    assert correlation(white).abs() < 0.05
    assert correlation(z_n) > 0.3
    assert z_n.abs().max() < 1


def test_the_same_seed_builds_the_same_generator():
    one, same, other = build(RICH, 1), build(RICH, 1), build(RICH, 2)
    batch = inputs(RICH)
    assert torch.equal(one(*batch), same(*batch))
    assert not torch.equal(one(*batch), other(*batch))


def test_the_laptop_generator_fits_in_the_shipped_size():
    assert 2 * parameters(Generator(preset("laptop").model)) < 25e6  # bytes, in fp16


@pytest.mark.parametrize("norm, shape", [(BatchNorm1d, (3, 5, 7)), (BatchNorm2d, (3, 5, 4, 6))])
def test_frozen_batch_norm_gives_pytorchs_numbers_and_gradients(norm, shape):
    torch.manual_seed(0)
    ours = norm(5)
    theirs = norm.__mro__[2](5)
    for _ in range(3):
        ours(torch.randn(shape) * 2 + 1)
    nn.init.normal_(ours.weight)
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(shape, requires_grad=True)
    results = []
    for module in (ours.eval(), theirs.eval()):
        y = module(x)
        results.append((y, *torch.autograd.grad(y.square().sum(), [x, module.weight, module.bias])))
    for a, b in zip(*results, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)


def test_composition_begins_as_the_still_and_can_leave_it():
    config = dataclasses.replace(PLAIN, composition=True)
    generator = build(config)
    still, audio, noise = inputs(config)
    with torch.no_grad():
        frames = generator(still, audio, noise)
        assert (frames - still[:, None]).abs().max() < 0.05
        generator.frame_decoder.last.weight[:, 0] = 5.0
        changed = generator(still, audio, noise)
    assert (changed - frames)[:, :, 0].abs().mean() > 0.1
    torch.testing.assert_close(changed[:, :, 1:], frames[:, :, 1:])
