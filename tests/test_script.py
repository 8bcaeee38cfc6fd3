"""Which clip says what: classes, their sentences, and how long they take."""

import functools
from collections import Counter

import numpy as np
import pytest

from talker.corpora import cremad
from talker.errors import TalkerError
from talker.studio.grammar import Sentence
from talker.studio.script import CLASSES, EMOTIONS, PATTERN, RICH, class_of, line
from talker.studio.speech import ACCENTS, Speech, Voice, clip_of, speak
from talker.studio.take import take
from talker.studio.visemes import VISEMES, visemes_of

# Words with every vowel and consonant of English, in sets that accents tell apart.
LEXICON = (
    "pin bin tin din kin gain fan van thin then sin zip shin vision chin gin him man nap sing lay "
    "ray way yes loch uh-oh button bottle little hidden rhythm writer butter city happy naive "
    "kit dress trap lot strut foot bath cloth nurse fleece face palm thought goat goose price boy "
    "mouth near square start north force cure letter comma fire hour our power tour poor player "
    "idea beer bird fair mirror hurry marry merry Mary pure few huge human Tuesday million which "
    "garage pleasure singer finger church judge father breathe nothing banana apple the a of"
)


@functools.cache
def spoken(accent: str) -> dict[str, Speech]:
    """All sentences that are written out, fast: it takes less time."""
    texts = (*RICH, *cremad.SENTENCES.values())
    return {text: speak(text, Voice(accent, speed=200)) for text in texts}


def drawn(kind: str, performers: int, clips: int) -> list:
    return [
        line(kind, p, c, np.random.default_rng([p, c]))
        for p in range(performers)
        for c in range(clips)
    ]


def test_a_corpus_of_one_class_has_no_other_and_all_follow_the_pattern():
    assert {class_of(clip, "grid") for clip in range(9)} == {"grid"}
    assert [class_of(clip, "all") for clip in range(10)] == [*PATTERN, *PATTERN]
    assert set(PATTERN) == set(CLASSES)
    with pytest.raises(TalkerError, match="no 'timit' sentences: say grid, cremad, rich or all"):
        class_of(0, "timit")
    kinds = [line("all", 0, clip, np.random.default_rng(0)).kind for clip in range(5)]
    assert tuple(kinds) == PATTERN


def test_grid_lines_are_sentences_of_the_grammar():
    for said in drawn("grid", 3, 20):
        assert Sentence.from_code(said.code).text == said.text
        assert (said.emotion, said.intensity) == ("neutral", "unspecified")


def test_any_six_cremad_clips_in_a_row_have_all_emotions_also_within_the_pattern():
    alone = [said.emotion for said in drawn("cremad", 1, 20)]
    for start in range(14):
        assert set(alone[start : start + 6]) == set(EMOTIONS)
    mixed = [clip for clip in range(30) if class_of(clip, "all") == "cremad"]
    assert Counter(alone[c % 6] for c in mixed) == {emotion: 2 for emotion in EMOTIONS}


def test_cremad_lines_are_those_of_the_corpus_with_its_intensities():
    said = drawn("cremad", 91, 84)
    assert {(s.code, s.text) for s in said} == set(cremad.SENTENCES.items())
    for s in said:
        with_intensity = s.code == "IEO" and s.emotion != "neutral"
        assert (s.intensity in ("low", "medium", "high")) == with_intensity
    # Three of the 14 takes of an emotion; 3 deviations of the binomial distribution.
    emotional = [s for s in said if s.emotion != "neutral"]
    share = np.mean([s.code == "IEO" for s in emotional])
    assert share == pytest.approx(3 / 14, abs=3 * np.sqrt(3 / 14 * 11 / 14 / len(emotional)))
    neutral = Counter(s.code for s in said if s.emotion == "neutral")
    assert max(neutral.values()) < 1.5 * min(neutral.values())


def test_all_rich_sentences_are_said_also_within_the_pattern():
    assert {said.text for said in drawn("rich", 1, 24)} == set(RICH)
    mixed = [clip for clip in range(120) if class_of(clip, "all") == "rich"]
    assert {line("rich", 3, clip, np.random.default_rng(0)).text for clip in mixed} == set(RICH)


@pytest.mark.parametrize("accent", ACCENTS)
def test_rich_sentences_have_every_phoneme_and_each_most_visemes(accent):
    said = [{p.symbol for p in spoken(accent)[text].phonemes} for text in RICH]
    english = {p.symbol for p in speak(LEXICON, Voice(accent)).phonemes}
    assert len(english) > 45
    assert english - set().union(*said) == set()
    for symbols in said:
        seen = {name for symbol in symbols for name in visemes_of(symbol)}
        assert len(seen) >= 2 / 3 * len(VISEMES)


@pytest.mark.parametrize("accent", ACCENTS)
def test_words_are_those_of_the_text_in_order_each_with_its_sounds(accent):
    for text, speech in spoken(accent).items():
        assert [w.text for w in speech.words] == [w.strip(".,:?") for w in text.split()]
        spans = [(w.start, w.end) for w in speech.words]
        assert all(start < end for start, end in spans)
        assert all(a[1] <= b[0] + 1e-6 for a, b in zip(spans, spans[1:], strict=False))
        assert spans[0][0] == speech.phonemes[0].start and spans[-1][1] == speech.phonemes[-1].end


def test_words_that_the_voice_runs_together_share_their_sounds():
    speech = speak("in the bath", Voice("en"))
    said = {
        w.text: [p.symbol for p in speech.phonemes if w.start <= p.start < w.end]
        for w in speech.words
    }
    assert said["in"] == ["I", "n"] and said["the"][0] == "D" and said["bath"][0] == "b"


@pytest.mark.parametrize(("kind", "shortest", "longest"), [("cremad", 1.2, 5), ("rich", 5, 8)])
def test_clips_are_as_long_as_what_is_said_with_silence_around_it(kind, shortest, longest):
    for performer in range(8):
        voice = Voice(ACCENTS[performer], ("f2", "m3")[performer % 2], speed=90 + 6 * performer)
        made = take(kind, performer, performer, 0, voice)
        signal, phonemes = made.speech.signal, made.speech.phonemes
        assert len(signal) % 640 == 0 and shortest <= made.speech.duration <= longest
        assert len(made.performance.actions) == len(signal) // 640
        assert 0.29 < phonemes[0].start < 0.61
        assert 0.29 < made.speech.duration - phonemes[-1].end < 0.65
        quiet = signal[: round((phonemes[0].start - 0.05) * 16000)]
        spoken = signal[round(phonemes[0].start * 16000) : round(phonemes[-1].end * 16000)]
        assert np.std(spoken) > 20 * np.std(quiet) > 0


def test_a_clip_is_louder_by_as_many_decibels_as_asked():
    clips = [
        clip_of(RICH[0], Voice(), np.random.default_rng(1), level=level) for level in (-30, -24)
    ]
    soft, loud = (np.std(clip.signal[20000:60000]) for clip in clips)
    assert 20 * np.log10(loud / soft) == pytest.approx(6, abs=0.1)


@pytest.mark.parametrize("kind", CLASSES)
def test_a_take_is_the_same_each_time_and_differs_by_seed_performer_and_clip(kind):
    def digest(performer: int, clip: int, seed: int) -> bytes:
        made = take(kind, performer, clip, seed, Voice("en", "m3"))
        return b"".join(
            part.tobytes()
            for part in (
                *(made.speech.signal, made.performance.actions),
                *(made.performance.head, made.performance.gaze),
            )
        )

    one = digest(1, 2, 3)
    assert digest(1, 2, 3) == one
    assert len({one, digest(2, 2, 3), digest(1, 3, 3), digest(1, 2, 4)}) == 4
