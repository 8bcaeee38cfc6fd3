"""The three methods of Table 6: what they hear, what they learn, and their runs on disk."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from small_baselines import SMALL
from small_training import changed

from talker.animate import load_still
from talker.audio import audio_frames
from talker.baselines import baseline as baselines
from talker.baselines.atvgnet import (
    BASE,
    LIPS_WEIGHT,
    dynamic_l1,
    landmark_loss,
)
from talker.baselines.baseline import Made, emphasised
from talker.baselines.landmark_space import LandmarkSpace
from talker.baselines.lessons import Lessons, mirrored, on_plane
from talker.baselines.mfcc import mfcc, window_seconds
from talker.baselines.training import METHODS, Budget, Run, build, load_baseline, train
from talker.config import TrainConfig, preset
from talker.devices import Devices
from talker.errors import TalkerError
from talker.faces import find_detector
from talker.metrics.landmarks import lip_shape
from talker.networks import Networks
from talker.store import clips
from talker.tracking import MIRRORED, fit_crops

EACH = pytest.mark.parametrize("name", METHODS)
STILL = "talker/assets/still.png"


@pytest.fixture(scope="module")
def lessons(noise_corpus):
    """The noise corpus as each method hears it."""
    found = clips(noise_corpus, "train")
    return {name: Lessons(found, method.audio) for name, method in METHODS.items()}


def lively(name: str, lessons: dict) -> baselines.Baseline:
    """A small method that no longer copies the still, as two of them do at first."""
    baseline = build(name, SMALL[name])
    baseline.prepare(lessons[name])
    if name == "static":
        torch.nn.init.normal_(baseline.maker.frame_decoder.blocks[-1].grow.weight, std=0.1)
    if name == "atvgnet":
        torch.nn.init.normal_(baseline.maker.vg_net.colour.weight, std=0.1)
    return baseline


def lesson_of(name: str, lessons: dict, seed: int = 0):
    settings, rng = SMALL[name], np.random.default_rng(seed)
    sizes = settings.clips, settings.window, settings.decoded
    return lessons[name].draw(rng, *sizes, METHODS[name].run, METHODS[name].any_still)


def noise(seconds: float, seed: int = 0) -> np.ndarray:
    draw = np.random.default_rng(seed)
    return (0.1 * draw.standard_normal(round(16000 * seconds))).astype(np.float32)


def face() -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(1)
    return draw.integers(0, 255, (128, 96, 3), np.uint8), draw.uniform(0, 96, (68, 2))


@torch.inference_mode()
def floats(baseline: baselines.Baseline, signal: np.ndarray) -> torch.Tensor:
    """The frames of `animate` before they are rounded."""
    still, marks = face()
    baseline.maker.eval()
    heard = audio_frames(torch.from_numpy(signal), baseline.audio)[None]
    return baseline.carry_on(baseline.begin(still, marks), heard)[0][0]


# ---- lessons


def test_a_mirrored_picture_has_mirrored_landmarks():
    pixels = np.random.default_rng(0).uniform(0, 96, (5, 68, 2))
    turned = np.stack([95 - pixels[..., 0], pixels[..., 1]], axis=-1)[:, MIRRORED]
    np.testing.assert_allclose(mirrored(on_plane(pixels)), on_plane(turned), atol=1e-6)


def test_the_plane_has_its_origin_in_the_middle_and_ends_at_the_upper_and_lower_edge():
    np.testing.assert_allclose(on_plane(np.array([47.5, 63.5])), [0, 0])
    np.testing.assert_allclose(on_plane(np.array([47.5, -0.5]))[1], -1)
    np.testing.assert_allclose(on_plane(np.array([47.5, 127.5]))[1], 1)


@EACH
def test_a_lesson_depends_on_its_seed_alone(name, lessons):
    first, again, other = (lesson_of(name, lessons, seed) for seed in (3, 3, 4))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first.heard, other.heard)
    B, T, F = (getattr(SMALL[name], size) for size in ("clips", "window", "decoded"))
    assert first.still.shape == (B, 3, 128, 96) and first.frames.shape == (B, F, 3, 128, 96)
    assert first.heard.shape == (B, T, METHODS[name].audio.samples)
    assert first.landmarks.shape == (B, T, 68, 2) and first.lips.shape == (B, T, 4)
    steps = first.at.diff(dim=1)
    assert (steps == 1).all() if METHODS[name].run else (steps > 0).all()


def test_landmarks_are_those_of_the_frames(lessons):
    """Of any window of a clip, in some order of points and perhaps mirrored."""
    for seed in range(4):
        lesson = lesson_of("atvgnet", lessons, seed)
        for window in lesson.landmarks.numpy():
            found = False
            for number in range(len(lessons["atvgnet"])):
                held = lessons["atvgnet"].landmarks(number)
                for points in (held, mirrored(held)):
                    found |= any(
                        np.array_equal(points[t : t + len(window)], window)
                        for t in range(len(points))
                    )
            assert found


def test_stills_are_first_frames_or_any(lessons):
    """The noise clips' frames are told apart by their landmarks."""
    held = [lessons["atvgnet"].landmarks(number) for number in range(len(lessons["atvgnet"]))]
    firsts = [points[0] for clip in held for points in (clip, mirrored(clip))]
    counted = {}
    for any_still in (False, True):
        rng, found = np.random.default_rng(0), []
        for _ in range(20):
            lesson = lessons["atvgnet"].draw(rng, 2, 6, 3, True, any_still)
            for marks in lesson.still_landmarks.numpy():
                found.append(any(np.array_equal(marks, first) for first in firsts))
        counted[any_still] = np.mean(found)
    assert counted[False] > 0.7 and counted[True] < 0.2


def test_lips_are_those_of_the_landmarks_less_the_stills(lessons):
    """Each of the four numbers in a unit of its own, the same for all clips."""
    units = []
    for seed in range(3):
        lesson = lesson_of("static", lessons, seed)
        shapes = lip_shape(64 * lesson.landmarks.numpy())
        still = lip_shape(64 * lesson.still_landmarks.numpy())[:, None]
        units.append((shapes - still) / lesson.lips.numpy())
    units = np.concatenate(units).reshape(-1, 4)
    np.testing.assert_allclose(units, np.broadcast_to(units[0], units.shape), rtol=1e-2)


# ---- what they hear


def test_mfccs_have_twelve_coefficients_and_no_loudness():
    for steps in (35, 28):
        window = torch.from_numpy(noise(window_seconds(steps)))
        cepstrum = mfcc(window[None])
        assert cepstrum.shape == (1, 12, steps)
        torch.testing.assert_close(mfcc(3 * window[None]), cepstrum, atol=1e-3, rtol=1e-3)
    # A window's own samples decide, whatever else is in the batch.
    other = 50 * torch.from_numpy(noise(window_seconds(28), seed=1))
    torch.testing.assert_close(mfcc(torch.stack([window, other]))[0], cepstrum[0])


@EACH
def test_a_frame_hears_its_window_and_only_atvgnet_remembers(name, lessons):
    baseline = lively(name, lessons)
    signal = noise(2)
    changed = signal.copy()
    first, last = 12800, 14080  # samples: frames 20 and 21
    changed[first:last] = noise(1, seed=1)[: last - first]
    differs = (floats(baseline, signal) != floats(baseline, changed)).flatten(1).any(1).numpy()
    audio = baseline.audio
    margin = (audio.samples - audio.stride) // 2
    starts = np.arange(len(differs)) * audio.stride - margin
    hears = (starts < last) & (starts + audio.samples > first)
    assert differs[hears].all()
    before = starts + audio.samples <= first
    assert before.any() and not differs[before].any()
    after = starts >= last
    assert after.any() and differs[after].any() == (name == "atvgnet")


# ---- frames


@EACH
def test_frames_are_pictures_of_the_lesson(name, lessons):
    made = lively(name, lessons).imagine(lesson_of(name, lessons))
    assert made.frames.shape == (2, SMALL[name].decoded, 3, 128, 96)
    assert made.frames.abs().max() <= 1
    if name == "atvgnet":
        assert made.attention.shape == (2, 3, 1, 128, 96)
        assert made.landmarks.shape == (2, 6, 68, 2)


@EACH
def test_animating_takes_any_length_and_cuts_make_no_difference(name, lessons, monkeypatch):
    baseline, (still, marks) = lively(name, lessons), face()
    whole = baseline.animate(still, noise(0.6), marks)
    assert whole.shape == (15, 128, 96, 3) and whole.dtype == np.uint8
    monkeypatch.setattr(baselines, "CHUNK", 4)
    cut = baseline.animate(still, noise(0.6), marks)
    assert np.abs(cut.astype(int) - whole).max() <= 1


def test_attention_of_zero_keeps_the_still_and_of_one_the_colours(lessons):
    baseline = lively("atvgnet", lessons)
    vg_net, lesson = baseline.maker.vg_net, lesson_of("atvgnet", lessons)
    torch.nn.init.zeros_(vg_net.attention.weight)
    torch.nn.init.constant_(vg_net.attention.bias, -200.0)
    made = baseline.imagine(lesson).frames
    assert torch.equal(made, lesson.still.unsqueeze(1).expand_as(made))
    torch.nn.init.constant_(vg_net.attention.bias, 200.0)
    coloured = baseline.imagine(lesson)
    assert torch.equal(coloured.frames, coloured.colour)
    torch.nn.init.zeros_(vg_net.colour.weight)
    torch.nn.init.constant_(vg_net.colour.bias, 0.5)
    assert torch.equal(baseline.imagine(lesson).frames, (made + 0.5).clamp(-1, 1))


def test_the_first_colours_are_the_still(lessons):
    baseline, lesson = build("atvgnet", SMALL["atvgnet"]), lesson_of("atvgnet", lessons)
    made = baseline.imagine(lesson).frames
    torch.testing.assert_close(made, lesson.still.unsqueeze(1).expand_as(made))


def test_how_far_landmarks_move_is_not_normalised_away(lessons):
    """A step twice as far moves the picture further, from the first weights on."""
    torch.manual_seed(0)
    vg_net = build("atvgnet", SMALL["atvgnet"]).maker.vg_net
    torch.nn.init.normal_(vg_net.colour.weight, std=0.01)
    still, step = lesson_of("atvgnet", lessons).still[:1], torch.randn(1, 1, 6)
    with torch.no_grad():
        face = vg_net.meet(still, torch.zeros(1, 6))
        rest, near, far = (vg_net(face, scale * step)[2] for scale in (0, 0.5, 1))
    assert (far - rest).norm() > 1.3 * (near - rest).norm() > 0


@pytest.mark.slow
def test_landmarks_that_are_not_given_are_found(lessons):
    baseline, still = lively("atvgnet", lessons), load_still(STILL)
    marks = fit_crops([still], find_detector())[0]
    found = baseline.animate(still, noise(0.2))
    np.testing.assert_array_equal(found, baseline.animate(still, noise(0.2), marks))
    assert (found != baseline.animate(still, noise(0.2), marks + [[30, 0]] * 68)).any()


# ---- losses


def test_dynamic_weights_by_hand():
    """Thirds off by 1, 2 and 0, with attention 0, 1 and 1: (0.5 x 1 + 1.5 x 2 + 0) / 3."""
    thirds = torch.arange(96) // 32
    real = torch.zeros(1, 3, 128, 96)
    made = torch.tensor([1.0, -2.0, 0.0])[thirds].expand_as(real).clone().requires_grad_()
    attention = torch.tensor([0.0, 1.0, 1.0])[thirds].expand(1, 1, 128, 96).clone()
    attention.requires_grad_()
    assert BASE == 0.5
    loss = dynamic_l1(real, made, attention)
    assert loss.item() == pytest.approx(3.5 / 3)
    loss.backward()
    assert attention.grad is None
    expected = torch.tensor([0.5, -1.5, 0.0])[thirds] / real.numel()
    torch.testing.assert_close(made.grad[0, 0, 0], expected)


def test_the_mouth_counts_once_more_by_hand():
    """All of 128x96 is wrong by 1 and the mouth's rectangle by 3: its mean has half the weight."""
    wrong = torch.ones(1, 1, 3, 128, 96)
    wrong[..., 74:112, 24:72] = 3.0
    everywhere = 1 + 2 * (112 - 74) * (72 - 24) / (128 * 96)
    assert emphasised(wrong, 0.0).item() == pytest.approx(everywhere)
    assert emphasised(wrong, 1.0).item() == pytest.approx((everywhere + 3) / 2)


def test_lips_count_more_in_what_the_critic_reads():
    real = torch.zeros(1, 2, 68, 2)
    lips, jaw = real.clone(), real.clone()
    lips[..., 60, 0] = jaw[..., 8, 0] = 1 / 64  # a pixel
    assert landmark_loss(real, jaw, LIPS_WEIGHT).item() == pytest.approx(1 / 136)
    assert landmark_loss(real, lips, LIPS_WEIGHT).item() == pytest.approx(LIPS_WEIGHT / 136)
    assert landmark_loss(real, lips).item() == pytest.approx(1 / 136)


def test_components_are_those_of_the_points_and_can_be_undone():
    draw = np.random.default_rng(0)
    points = (draw.standard_normal((40, 4)) @ draw.standard_normal((4, 136))).reshape(40, 68, 2)
    clips = torch.from_numpy(points.astype(np.float32)).split([10, 30])
    points = torch.cat(clips)
    space = LandmarkSpace(4)
    space.fit(clips)
    codes = space.coefficients(points)
    torch.testing.assert_close(codes.mean(0), torch.zeros(4), atol=1e-5, rtol=0)
    axes = torch.linalg.svd(points.flatten(1) - points.flatten(1).mean(0), full_matrices=False)[2]
    torch.testing.assert_close((space.basis.T * axes[:4]).sum(1).abs(), torch.ones(4))
    moved = space.moved(points[:1], codes[1:2] - codes[:1])
    torch.testing.assert_close(moved, points[1:2], atol=1e-4, rtol=0)


def test_coefficients_count_in_what_moves_and_not_in_who_it_is():
    """Two faces a hundred apart, of which each moves by one: deviations are those of a clip."""
    draw = np.random.default_rng(0)
    still, way = draw.standard_normal((2, 68, 2)).astype(np.float32)
    swing = np.array([-1, 1] * 8, np.float32)[:, None, None]
    faces = [torch.from_numpy(100 * side * still + swing * way) for side in (0, 1)]
    space = LandmarkSpace(2)
    space.fit(faces)
    for clip in faces:
        apart = space.coefficients(clip).std(0, correction=0)
        torch.testing.assert_close(apart, torch.ones(2), atol=1e-3, rtol=0)


@EACH
def test_gradients_reach_every_weight(name, lessons):
    baseline, lesson = lively(name, lessons), lesson_of(name, lessons)
    made = baseline.imagine(lesson)
    baseline.loss(lesson, made, baseline.critic is not None)["loss"].backward()
    for learner in (baseline.maker, baseline.helper or torch.nn.Identity()):
        for key, weight in learner.named_parameters():
            assert weight.grad is not None and weight.grad.abs().max() > 0, key
    if baseline.critic is None:
        with pytest.raises(NotImplementedError):
            baseline.judge(lesson, made)
        return
    baseline.maker.zero_grad()
    baseline.critic.zero_grad()
    baseline.judge(lesson, baseline.imagine(lesson))["critic_loss"].backward()
    for key, weight in baseline.critic.named_parameters():
        assert weight.grad is not None and weight.grad.abs().max() > 0, key
    assert all(weight.grad is None for weight in baseline.maker.parameters())


def test_the_two_networks_of_atvgnet_learn_from_losses_of_their_own(lessons):
    baseline, lesson = lively("atvgnet", lessons), lesson_of("atvgnet", lessons)
    at_net, vg_net = baseline.maker.at_net, baseline.maker.vg_net
    terms = baseline.loss(lesson, baseline.imagine(lesson), True)
    terms["landmarks"].backward(retain_graph=True)
    assert all(weight.grad is None for weight in vg_net.parameters())
    baseline.maker.zero_grad()
    of_pixels = ("l1_colour", "l1_dynamic", "adversarial", "read_made")
    sum(terms[name] for name in of_pixels).backward()
    assert all(weight.grad is None for weight in at_net.parameters())


def test_the_static_loss_is_the_weighed_sum_of_its_terms(lessons):
    baseline, lesson = lively("static", lessons), lesson_of("static", lessons)
    settings = dataclasses.replace(baseline.settings, l1=2.0, still=3.0, lips=5.0, img=7.0)
    baseline.settings, made = settings, baseline.imagine(lesson)
    for judged in (False, True):
        row = {key: value.item() for key, value in baseline.loss(lesson, made, judged).items()}
        by_hand = 2 * (row["l1_lower"] + 3 * row["l1_still"]) + 5 * row["lips"]
        assert row["loss"] == pytest.approx(by_hand + (7 * row["img"] if judged else 0), rel=1e-5)
        assert ("img" in row) == judged


@pytest.mark.parametrize("name", ["static", "atvgnet"])
def test_the_critic_waits_until_there_is_something_to_judge(name, lessons, tmp_path):
    baseline, lesson = lively(name, lessons), lesson_of(name, lessons)
    run = Run(baseline, Devices(TrainConfig(devices=1)), tmp_path)
    critic = {key: value.clone() for key, value in baseline.critic.state_dict().items()}
    for number in range(3):
        row = run.step(lesson, number)
        same = all(torch.equal(v, critic[k]) for k, v in baseline.critic.state_dict().items())
        assert same == ("critic_loss" not in row) == (number < SMALL[name].warm_up)


def test_before_attention_learns_colours_do(lessons):
    baseline, lesson = lively("atvgnet", lessons), lesson_of("atvgnet", lessons)
    vg_net = baseline.maker.vg_net
    baseline.loss(lesson, baseline.imagine(lesson), False)["loss"].backward()
    assert vg_net.colour.weight.grad.abs().max() > 0
    assert vg_net.attention.weight.grad is None
    baseline.loss(lesson, baseline.imagine(lesson), True)["loss"].backward()
    assert vg_net.attention.weight.grad.abs().max() > 0


def test_the_static_baseline_has_the_full_models_rates():
    static, train = build("static"), preset("laptop").train
    networks = Networks(
        changed(preset("laptop"), warm_up=static.settings.warm_up), Devices(TrainConfig(devices=1))
    )
    for step in (0, 50, 99, 700, static.settings.warm_up - 1, static.settings.warm_up):
        networks.set_rates(step, 10**6)
        assert static.rate(step) == pytest.approx(networks.rate("generator"))
    assert static.settings.critic_rate == train.frame_rate


def test_speech2vids_rate_halves_and_a_step_takes_it(lessons, tmp_path):
    baseline = lively("speech2vid", lessons)
    assert baseline.rate(4000) == baseline.rate(0) / 4 == baseline.settings.rate / 4
    run = Run(baseline, Devices(TrainConfig(devices=1)), tmp_path)
    run.step(lesson_of("speech2vid", lessons), 2000)
    (group,) = run.optimisers["maker"].param_groups
    assert group["lr"] == baseline.settings.rate / 2


def test_the_static_critic_does_not_see_the_upper_half(lessons):
    baseline, lesson = lively("static", lessons), lesson_of("static", lessons)
    frames = lesson.frames.clone()
    frames[..., :64, :] = 1.0
    told = [
        baseline.judge(each, Made(each.frames))["critic_loss"]
        for each in (lesson, lesson._replace(frames=frames))
    ]
    assert torch.equal(*told)
    frames[..., 90:, :] = 1.0
    other = lesson._replace(frames=frames)
    assert not torch.equal(told[0], baseline.judge(other, Made(other.frames))["critic_loss"])


@EACH
def test_a_step_of_one_side_leaves_the_other_alone(name, lessons, tmp_path):
    baseline = lively(name, lessons)
    run = Run(baseline, Devices(TrainConfig(devices=1)), tmp_path)
    if baseline.critic is None:
        assert run.optimisers.keys() == {"maker"}
        return
    baseline.rate = lambda step: 0.0
    before = {key: value.clone() for key, value in baseline.maker.named_parameters()}
    critic = {key: value.clone() for key, value in baseline.critic.state_dict().items()}
    run.step(lesson_of(name, lessons), SMALL[name].warm_up)
    assert all(torch.equal(v, before[k]) for k, v in baseline.maker.named_parameters())
    assert not all(torch.equal(v, critic[k]) for k, v in baseline.critic.state_dict().items())
    assert all(weight.requires_grad for weight in baseline.critic.parameters())


@EACH
def test_losses_fall_on_one_lesson(name, lessons, tmp_path):
    baseline, lesson = lively(name, lessons), lesson_of(name, lessons)
    for setting in ("rate", "critic_rate"):
        if hasattr(baseline.settings, setting):
            baseline.settings = dataclasses.replace(baseline.settings, **{setting: 2e-3})
    if name == "atvgnet":  # landmarks of noise are in no space of a few components
        change = torch.randn(2, 6, 6)
        moved = baseline.maker.space.moved(lesson.still_landmarks.unsqueeze(1), change)
        lesson = lesson._replace(landmarks=moved)
    run = Run(baseline, Devices(TrainConfig(devices=1)), tmp_path)
    rows = [run.step(lesson, number) for number in range(2, 27)]
    watched = {
        "static": ("l1_lower",),
        "speech2vid": ("loss",),
        "atvgnet": ("l1", "landmarks", "read_real"),
    }
    for term in watched[name]:
        assert rows[-1][term] < 0.9 * rows[0][term], term


# ---- runs


@EACH
def test_a_run_that_was_resumed_ends_with_the_same_bytes(name, noise_corpus, tmp_path):
    settings = SMALL[name]
    train(name, noise_corpus, tmp_path / "through", Budget(steps=4), settings)
    for steps in (2, 4):
        progress = train(name, noise_corpus, tmp_path / "cut", Budget(steps=steps), settings)
        assert progress.step == steps
    for file in ("maker.safetensors", "maker.json", "run.json"):
        assert (tmp_path / "cut" / file).read_bytes() == (tmp_path / "through" / file).read_bytes()
    log = (tmp_path / "cut" / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in log] == [1, 2, 3, 4]
    states = [load_file(tmp_path / run / "state.safetensors") for run in ("through", "cut")]
    assert all(torch.equal(states[1][key], value) for key, value in states[0].items())


@EACH
def test_weights_come_back_from_disk(name, noise_corpus, tmp_path):
    train(name, noise_corpus, tmp_path, Budget(steps=1), SMALL[name], seed=5)
    loaded = load_baseline(tmp_path)
    assert type(loaded) is METHODS[name] and loaded.settings == SMALL[name]
    assert not loaded.maker.training
    state = load_file(tmp_path / "state.safetensors")
    for key, value in loaded.maker.state_dict().items():
        assert torch.equal(value, state[f"module/maker/{key}"].half().float()), key
    still, marks = face()
    frames = loaded.animate(still, noise(0.3), marks)
    np.testing.assert_array_equal(frames, load_baseline(tmp_path).animate(still, noise(0.3), marks))


def test_minutes_are_counted_over_all_calls(noise_corpus, tmp_path):
    budget = Budget(minutes=1e-6)
    first = train("speech2vid", noise_corpus, tmp_path, budget, SMALL["speech2vid"])
    assert first.step == 1 and first.seconds > 0
    assert train("speech2vid", noise_corpus, tmp_path, budget, SMALL["speech2vid"]) == first


def test_a_loss_that_is_not_finite_ends_the_run_in_one_sentence(noise_corpus, tmp_path):
    wild = dataclasses.replace(SMALL["speech2vid"], rate=1e36)
    with pytest.raises(TalkerError, match="not finite at step .* lower learning rates"):
        train("speech2vid", noise_corpus, tmp_path, Budget(steps=5), wild)
    assert not (tmp_path / "maker.safetensors").exists()


def test_what_cannot_be_done_is_said(noise_corpus, tmp_path):
    with pytest.raises(TalkerError, match="no method 'wav2lip': use one of static"):
        build("wav2lip")
    with pytest.raises(TalkerError, match="needs an end"):
        Budget()
    train("speech2vid", noise_corpus, tmp_path, Budget(steps=1), SMALL["speech2vid"])
    for other in ({"seed": 1}, {"settings": dataclasses.replace(SMALL["speech2vid"], width=8)}):
        given = {"settings": SMALL["speech2vid"]} | other
        with pytest.raises(TalkerError, match="a run with other settings"):
            train("speech2vid", noise_corpus, tmp_path, Budget(steps=2), **given)
    about = json.loads((tmp_path / "maker.json").read_text())
    about["model"]["method"] = "magic"
    (tmp_path / "maker.json").write_text(json.dumps(about))
    with pytest.raises(TalkerError, match="of no method"):
        load_baseline(tmp_path)
