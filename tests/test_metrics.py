"""Each metric against an independent reference or a case worked by hand."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, shift
from skimage import data
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from talker.metrics import blinks, identity, motion, reconstruction, sharpness
from talker.metrics.intervals import bootstrap, ratio_bootstrap

FACE = data.astronaut()[20:148, 170:266]  # 128x96


def clip(frames: int = 3, noise: float = 0) -> np.ndarray:
    """The photograph, standing still but for noise."""
    rng = np.random.default_rng(0)
    values = FACE + noise * rng.standard_normal((frames, *FACE.shape))
    return values.clip(0, 255).round().astype(np.uint8)


def blurred(frames: np.ndarray, deviation: float) -> np.ndarray:
    return gaussian_filter(frames.astype(float), (0, deviation, deviation, 0)).astype(np.uint8)


def test_psnr_is_scikit_images_of_the_whole_video():
    made, real = clip(noise=9), clip()
    made[0] = 0  # a mean of frames' PSNR would weigh this frame less
    expected = peak_signal_noise_ratio(real, made, data_range=255)
    assert reconstruction.psnr(made, real) == pytest.approx(expected)
    by_hand = 10 * np.log10(255**2 / np.mean((made.astype(float) - real) ** 2))
    assert reconstruction.psnr(made, real) == pytest.approx(by_hand)


def test_ssim_is_scikit_images_mean_over_colour_frames():
    made, real = clip(noise=9), clip()
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    each = [
        structural_similarity(a, b, channel_axis=-1, data_range=255, full=True, **options)[1]
        for a, b in zip(made, real, strict=True)
    ]
    assert reconstruction.ssim(made, real) == pytest.approx(np.mean(each), abs=2e-3)


def test_equal_frames_are_perfect_and_other_shapes_refused():
    assert reconstruction.psnr(clip(), clip()) == np.inf
    assert reconstruction.ssim(clip(), clip()) == pytest.approx(1, abs=1e-5)
    for measure in (reconstruction.psnr, reconstruction.ssim):
        with pytest.raises(ValueError, match="against"):
            measure(clip(2), clip(3))


def test_the_lower_half_is_where_the_mouth_is():
    frames = np.zeros((1, 5, 2, 3), np.uint8)
    frames[:, 2:] = 1
    assert reconstruction.lower_half(frames).shape == (1, 3, 2, 3)
    assert reconstruction.lower_half(frames).all()


def test_cpbd_falls_monotonically_with_blur_and_is_between_0_and_1():
    values = [sharpness.cpbd(blurred(clip(1), s)) for s in (0, 0.7, 1.2, 2, 3)]
    assert all(a > b for a, b in zip(values, values[1:], strict=False))
    assert 0 <= values[-1] < values[0] <= 1


def test_cpbd_counts_every_column():
    """Blur in columns 64-95 alone, which the library by itself would not see."""
    from cpbd import compute

    spoilt = clip(1)
    spoilt[:, :, 70:] = blurred(spoilt, 3)[:, :, 70:]
    grey = [f.mean(axis=-1) for f in (clip(1)[0], spoilt[0])]
    assert abs(compute(grey[0]) - compute(grey[1])) < 0.02
    assert sharpness.cpbd(clip(1)) - sharpness.cpbd(spoilt) > 0.05


def test_cpbd_of_a_mirror_image_is_nearly_the_same():
    mirrored = clip(1)[:, :, ::-1]
    assert sharpness.cpbd(mirrored) == pytest.approx(sharpness.cpbd(clip(1)), abs=0.01)


def test_cpbd_refuses_a_size_of_which_it_would_drop_pixels():
    with pytest.raises(ValueError, match="90x128"):
        sharpness.cpbd(clip(1)[:, :, :90])


def test_laplacian_variance_against_a_naive_loop():
    frame = clip(1, noise=5)[0]
    luminance = np.rint(frame @ [0.299, 0.587, 0.114])
    padded = np.pad(luminance, 1, mode="reflect")
    around = padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]
    expected = np.var(around - 4 * luminance)
    assert sharpness.laplacian_variance(frame[None]) == pytest.approx(expected, rel=0.01)


def test_one_frame_of_each_run_is_looked_at():
    assert sharpness.looked_at(np.arange(75), 5).tolist() == list(range(2, 75, 5))
    assert sharpness.looked_at(np.arange(1), 5).tolist() == [0]
    assert sharpness.looked_at(np.arange(0), 5).tolist() == []


def test_content_distance_by_hand():
    still, frames = np.zeros(2), np.array([[3.0, 4.0], [0.0, 1.0], [np.nan, np.nan]])
    assert identity.average_content_distance(still, frames) == 3
    assert np.isnan(identity.average_content_distance(still, frames[2:]))
    assert np.isnan(identity.average_content_distance(frames[2], frames))


def test_different_people_by_hand():
    stills = np.array([[0.0, 0], [1, 0], [0, 2], [np.nan, 0]])
    found = identity.different_people(stills, ["a", "a", "b", "b"])
    assert found == pytest.approx((2 + np.sqrt(5)) / 2)
    assert np.isnan(identity.different_people(stills[:2], ["a", "a"]))


def panning(step: tuple[float, float], frames: int = 4) -> np.ndarray:
    """A texture that moves `step` pixels a frame to the right and down."""
    texture = gaussian_filter(np.random.default_rng(0).normal(0, 1, (128, 96)), 2)
    texture = 128 + 40 * texture / texture.std()
    moved = [shift(texture, (t * step[1], t * step[0]), mode="grid-wrap") for t in range(frames)]
    return np.repeat(np.stack(moved)[..., None], 3, -1).clip(0, 255).astype(np.uint8)


def test_flow_says_how_far_and_which_way():
    flow = motion.optical_flow(panning((1.5, -0.5)))
    assert flow.shape == (3, 128, 96, 2)
    np.testing.assert_allclose(np.median(flow, axis=(0, 1, 2)), (1.5, -0.5), atol=0.1)
    middle = motion.magnitude_map(flow)[16:-16, 16:-16]
    assert np.median(middle) == pytest.approx(np.hypot(1.5, 0.5), abs=0.1)


def test_a_mirrored_video_moves_as_much_the_other_way():
    frames = panning((1.0, 0.3))
    assert motion.motion(frames[:, :, ::-1]) == pytest.approx(motion.motion(frames), rel=0.1)
    right = motion.horizontal_motion(frames)
    assert right > 0.7
    assert motion.horizontal_motion(frames[:, :, ::-1]) == pytest.approx(-right, rel=0.1)


def test_frozen_frames_do_not_move_and_one_frame_cannot():
    assert motion.motion(clip(3)) == 0
    assert np.isnan(motion.motion(clip(1))) and np.isnan(motion.horizontal_motion(clip(1)))


def test_flow_is_drawn_by_direction_and_length():
    flow = np.array([[[2.0, 0], [0, 0], [-1, 0], [0, 9]]], np.float32)
    picture = motion.flow_picture(flow, longest=2)[0]
    assert picture[0].tolist() == [255, 0, 0] and picture[1].tolist() == [0, 0, 0]
    assert picture[2, 0] == 0 and 120 <= picture[2].max() <= 130  # half as bright
    assert picture[3].max() == 255 and picture[3].tolist() != picture[0].tolist()


def trace(*dips: tuple[int, float]) -> np.ndarray:
    """An EAR of 0.6 with dips of 8 frames: a quick fall, a slow rise."""
    ear = np.full(75, 0.6)
    for start, depth in dips:
        ear[start : start + 9] -= depth * np.array([0, 0.5, 1, 1, 0.8, 0.6, 0.4, 0.2, 0])
    return ear


def test_blinks_are_found_with_their_start_end_and_depth():
    found = blinks.find_blinks(trace((10, 0.4), (50, 0.3)), 25)
    assert [blink.start for blink in found] == [10, 50]
    assert all(2 <= blink.lowest - blink.start <= 3 for blink in found)
    assert all(abs(blink.end - blink.start - 8) <= 1 for blink in found)
    assert found[0].depth == pytest.approx(0.4 / 0.6)
    assert blinks.blinks_per_second(trace((10, 0.4), (50, 0.3)), 25) == pytest.approx(2 / 3)
    assert blinks.blink_duration(trace((10, 0.4)), 25) == pytest.approx(8 / 25, abs=0.04)


def test_two_blinks_between_which_the_eye_half_opens_are_two():
    ear = trace((20, 0.4), (26, 0.4))
    ear[20:35] = [0.6, 0.4, 0.2, 0.25, 0.35, 0.45, 0.3, 0.2, 0.2, 0.3, 0.4, 0.5, 0.55, 0.6, 0.6]
    first, second = blinks.find_blinks(ear, 25)
    assert (first.start, first.lowest, first.end) == (20, 22, 25)
    assert (second.start, second.lowest, second.end) == (25, 27, 33)


def test_a_lid_that_trembles_is_one_blink():
    ear = trace((20, 0.4))
    ear[22:27] = [0.2, 0.42, 0.41, 0.2, 0.4]
    assert [(b.start, b.end) for b in blinks.find_blinks(ear, 25)] == [(20, 28)]


def test_a_shut_eye_whose_landmarks_jump_to_its_crease_is_one_blink():
    ear = trace((20, 0.4))
    ear[20:30] = [0.6, 0.5, 0.25, 0.55, 0.57, 0.55, 0.5, 0.2, 0.4, 0.55]
    (found,) = blinks.find_blinks(ear, 25)
    assert (found.start, found.lowest, found.end) == (20, 27, 30)
    ear[23:26] = [0.35, 0.45, 0.57]  # as slowly as a lid opens
    assert [blink.lowest for blink in blinks.find_blinks(ear, 25)] == [22, 27]


def test_landmarks_that_jump_for_one_frame_are_no_blink():
    ear = trace((20, 0.4))
    ear[50] = 0.3
    assert [blink.start for blink in blinks.find_blinks(ear, 25)] == [20]
    ear[51:53] = 0.4, 0.5
    assert [blink.start for blink in blinks.find_blinks(ear, 25)] == [20, 49]


def test_frames_without_a_face_are_filled_in():
    ear = trace((20, 0.4))
    ear[[22, 40, 41]] = np.nan
    assert [blink.start for blink in blinks.find_blinks(ear, 25)] == [20]
    nothing = np.full(75, np.nan)
    assert blinks.find_blinks(nothing, 25) == []
    assert np.isnan(blinks.blinks_per_second(nothing, 25))


def test_what_is_no_blink():
    rng = np.random.default_rng(1)
    assert blinks.find_blinks(trace((20, 0.08)) + rng.normal(0, 0.01, 75), 25) == []
    assert blinks.find_blinks(np.full(75, 0.6), 25) == []
    assert blinks.blinks_per_second(np.full(75, 0.6), 25) == 0
    assert np.isnan(blinks.blink_duration(np.full(75, 0.6), 25))
    assert blinks.find_blinks(np.array([0.6, 0.1]), 25) == []
    assert np.isnan(blinks.blinks_per_second(np.array([0.6]), 25))
    stays_closed = np.full(75, 0.6)
    stays_closed[30:65] = 0.2
    assert blinks.find_blinks(stays_closed, 25) == []


def test_bootstrap_leaves_out_what_is_not_finite():
    found = bootstrap([1.0, np.inf, 3.0, np.nan], np.mean)
    assert (found["value"], found["clips"], found["left_out"]) == (2.0, 2, 2)
    nothing = bootstrap([np.nan])
    assert (nothing["value"], nothing["clips"], nothing["left_out"]) == (None, 0, 1)


def test_an_interval_over_speakers_draws_them_with_all_of_their_clips():
    """Two speakers of three equal clips: of two draws both are one of them in half of all."""
    values, people = [0.0, 0.0, 0.0, 1.0, 1.0, 1.0], [*"aaabbb"]
    found = bootstrap(values, np.mean, groups=people)
    assert (found["value"], found["low"], found["high"]) == (0.5, 0.0, 1.0)
    assert (found["clips"], found["groups"]) == (6, 2)
    alone = bootstrap(values, np.mean)
    assert alone["low"] > 0 and alone["high"] < 1 and "groups" not in alone
    # A clip each is the same as no speakers, and of one speaker clips are all that can be drawn.
    each = bootstrap(values, np.mean, groups=[*"abcdef"])
    assert {key: each[key] for key in alone} == alone
    assert bootstrap(values, np.mean, groups=[*"aaaaaa"]) == alone
    share = ratio_bootstrap(values, [1] * 6, groups=people)
    assert (share["value"], share["low"], share["high"]) == (0.5, 0.0, 1.0)
    assert ratio_bootstrap(values, [1] * 6, groups=["a"] * 6) == ratio_bootstrap(values, [1] * 6)


def test_whose_value_is_left_out_is_left_out_too():
    found = bootstrap([1.0, np.nan, 3.0], np.mean, groups=["a", "b", "c"])
    assert (found["value"], found["groups"], found["left_out"]) == (2.0, 2, 1)


def test_a_ratio_is_of_sums_and_its_interval_over_clips():
    found = ratio_bootstrap([1, 0, 3, 2], [1, 2, 3, 4])
    assert found["value"] == 0.6 and found["low"] < 0.6 < found["high"]
    assert ratio_bootstrap([0, 0], [0, 0])["value"] is None
    # A draw of clips with nothing to count says nothing of the share, least of all that it is 0.
    rare = ratio_bootstrap([1, 0, 0, 0], [1, 0, 0, 0])
    assert rare == {"value": 1.0, "low": 1.0, "high": 1.0}
