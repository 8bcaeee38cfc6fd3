"""Sentences, voices and phoneme times of the rendered corpus."""

import hashlib
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from talker.errors import TalkerError
from talker.studio.grammar import SENTENCES, WORDS, Sentence, sentence, sentence_at, sentences
from talker.studio.speech import ACCENTS, Voice, grid_clip, speak, voice_for


def _digest(signal: np.ndarray) -> str:
    return hashlib.sha256(signal.tobytes()).hexdigest()


def test_the_grammar_has_51_words_and_64000_sentences():
    assert len(set(WORDS)) == 51 and "w" not in WORDS
    assert SENTENCES == 4 * 4 * 4 * 25 * 10 * 4
    assert sentence_at(0).text == "bin blue at a zero again"
    assert sentence_at(SENTENCES - 1).text == "set white with z nine soon"
    with pytest.raises(TalkerError):
        sentence_at(SENTENCES)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("lgbf8n", "lay green by f eight now"),
        ("pwizzp", "place white in z zero please"),
        ("sraa1s", "set red at a one soon"),
    ],
)
def test_codes_are_those_of_grid(code, text):
    assert Sentence.from_code(code).text == text
    assert Sentence(tuple(text.split())).code == code


def test_every_code_goes_there_and_back():
    codes = [sentence_at(i).code for i in range(0, SENTENCES, 97)]
    assert len(set(codes)) == len(codes)
    assert [Sentence.from_code(c).code for c in codes] == codes


@pytest.mark.parametrize("code", ["lgbw8n", "lgbf0n", "lgbf8", "lgbf8nn", ""])
def test_what_is_no_code_is_refused(code):
    with pytest.raises(TalkerError):
        Sentence.from_code(code)


def test_drawn_sentences_differ_and_repeat_with_the_seed():
    drawn = sentences(500, np.random.default_rng(3))
    assert len(set(drawn)) == 500
    assert drawn == sentences(500, np.random.default_rng(3))
    assert drawn != sentences(500, np.random.default_rng(4))


def test_same_arguments_give_the_same_samples_after_any_other_call():
    voice = Voice("en-us", "f2", pitch=60, speed=110, range=70)
    first = speak("lay green by f eight now", voice)
    speak("something else entirely, in another voice.", Voice("en-gb-scotland", "m3", 20, 200, 10))
    again = speak("lay green by f eight now", voice)
    assert _digest(first.signal) == _digest(again.signal)
    assert first.phonemes == again.phonemes and first.words == again.words


def test_another_process_gives_the_same_samples():
    script = (
        "import hashlib\n"
        "from talker.studio.speech import Voice, speak\n"
        "speak('warm up', Voice('en-029', 'm5'))\n"
        "signal = speak('bin blue at p zero please', Voice('en', 'm1')).signal\n"
        "print(hashlib.sha256(signal.tobytes()).hexdigest())\n"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    here = speak("bin blue at p zero please", Voice("en", "m1"))
    assert ran.stdout.strip() == _digest(here.signal)


@pytest.mark.parametrize(
    "voice",
    [
        Voice("en-gb", "m3"),
        Voice("klingon-x"),
        Voice("en", "m99"),
        Voice("en", pitch=120),
        Voice("en", speed=20),
    ],
)
def test_a_voice_that_does_not_exist_is_refused(voice):
    with pytest.raises(TalkerError):
        speak("now", voice)


def test_nothing_to_say_is_refused():
    with pytest.raises(TalkerError):
        speak("  ", Voice())


def test_every_part_of_a_voice_is_heard():
    plain = Voice("en", "m1")
    heard = {
        _digest(speak("place red in g nine soon", v).signal)
        for v in (
            plain,
            replace(plain, language="en-us"),
            replace(plain, variant="f1"),
            replace(plain, pitch=80),
            replace(plain, range=90),
            replace(plain, speed=140),
        )
    }
    assert len(heard) == 6


def test_times_are_in_order_and_within_the_signal():
    speech = speak("Well, here is one sentence. And naïvely, a second one!", Voice("en-us"))
    times = [t for p in speech.phonemes for t in (p.start, p.end)]
    assert times == sorted(times) and times[0] >= 0 and times[-1] <= speech.duration
    assert all(p.end > p.start for p in speech.phonemes)
    assert [w.text for w in speech.words][-4:] == ["naïvely", "a", "second", "one"]
    # The pause between the sentences belongs to no sound.
    gaps = [b.start - a.end for a, b in zip(speech.phonemes, speech.phonemes[1:], strict=False)]
    assert max(gaps) > 0.2


def test_the_letter_a_is_not_the_article():
    rng = np.random.default_rng(0)
    clip = grid_clip(Sentence.from_code("lgba8n"), Voice("en"), rng)
    word = clip.words[3]
    said = [p.symbol for p in clip.phonemes if word.start <= p.start < word.end]
    assert word.text == "a" and said == ["eI"]


def test_resampling_keeps_the_length_and_the_times():
    low, high = (speak("set white with k two again", Voice(), rate) for rate in (16000, 44100))
    assert low.phonemes == high.phonemes
    assert low.duration == pytest.approx(high.duration, abs=1e-3)


@pytest.mark.parametrize("accent", ACCENTS)
def test_clips_are_three_seconds_loud_where_sounds_are_and_quiet_elsewhere(accent):
    rng = np.random.default_rng(11)
    for variant in ("m2", "f3"):
        spoken = sentence(rng)
        clip = grid_clip(spoken, Voice(accent, variant), rng)
        signal = clip.signal
        assert signal.shape == (48000,) and signal.dtype == np.float32
        assert np.abs(signal).max() < 1
        assert tuple(w.text for w in clip.words) == spoken.words

        first, last = clip.phonemes[0].start, clip.phonemes[-1].end
        assert 0.29 < first < 0.61 and 1.7 <= last - first <= 2.3 and last < 2.71
        t = np.arange(48000) / 16000
        inside = (t > first) & (t < last)
        outside = (t < first - 0.02) | (t > last + 0.05)
        level = 10 * np.log10([np.mean(signal[m] ** 2) for m in (inside, outside)])
        assert -29 < level[0] < -18 and -70 < level[1] < -55
        # Not only on average: the envelope follows the vowels, which are the loud sounds.
        vowel = np.zeros(48000, bool)
        for p in clip.phonemes:
            if p.stress == 2:
                vowel |= (t >= p.start) & (t < p.end)
        assert np.mean(signal[vowel] ** 2) > 2 * np.mean(signal[inside & ~vowel] ** 2)


def test_clips_repeat_with_the_seed():
    spoken, voice = Sentence.from_code("bbaf2n"), Voice("en-us", "m4")
    one, same, other = (grid_clip(spoken, voice, np.random.default_rng(s)) for s in (5, 5, 6))
    assert np.array_equal(one.signal, same.signal) and one.phonemes == same.phonemes
    assert not np.array_equal(one.signal, other.signal)


def test_slow_and_fast_speakers_still_fit_a_clip():
    for speed in (80, 300):
        rng = np.random.default_rng(1)
        clip = grid_clip(Sentence.from_code("pwix7p"), Voice("en", "m3", speed=speed), rng)
        assert clip.phonemes[-1].end < 2.71


def test_performers_voices_suit_their_gender_and_age():
    rng = np.random.default_rng(2)
    drawn = {g: [voice_for(g, 30, rng) for _ in range(60)] for g in ("female", "male")}
    assert all(v.variant.startswith("f") for v in drawn["female"])
    assert all(v.variant.startswith("m") for v in drawn["male"])
    assert {v.language for v in drawn["male"]} == set(ACCENTS)
    young, old = ([voice_for("male", age, rng) for _ in range(200)] for age in (20, 80))
    assert np.mean([v.pitch for v in young]) > np.mean([v.pitch for v in old]) + 5
    assert np.mean([v.speed for v in young]) > np.mean([v.speed for v in old]) + 4
    with pytest.raises(TalkerError):
        voice_for("robot", 30, rng)
