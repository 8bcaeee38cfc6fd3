"""Emotions: what they do to voices and faces, and what they must leave alone."""

from dataclasses import replace

import numpy as np
import pytest

from talker.errors import TalkerError
from talker.studio import emotion
from talker.studio.acting import ACTIONS, act, style_for
from talker.studio.emotion import EMOTIONS, STRENGTHS, UNITS, expression, voice_in
from talker.studio.idle import BLINKS
from talker.studio.landmarks import landmark_vertices
from talker.studio.mouth import closure_interval
from talker.studio.performer import performer
from talker.studio.prosody import fundamental
from talker.studio.script import EMOTIONS as NAMES
from talker.studio.speech import Voice, clip_of, voice_for
from talker.studio.visemes import BILABIALS, VOWELS

LABIAL = "Maybe tomorrow my best map will be of a public bus stop"
# Of brows, eyes and nose, and of the mouth's corners: where the prototypes differ.
WATCHED = ("browInnerUp", "browDownLeft", "eyeWideRight", "cheekSquintLeft", "noseSneerLeft")
CORNERS = ("mouthSmileLeft", "mouthFrownLeft", "mouthStretchRight")


def person(number: int) -> np.random.Generator:
    return np.random.default_rng([9, number])


def acted(name: str, number: int, strength: float = 0.8, text: str = LABIAL):
    """The same sound by the same performer, in a face of that emotion."""
    rng = np.random.default_rng(number)
    voice = replace(voice_for(("female", "male")[number % 2], 30, rng), speed=150)
    speech = clip_of(text, voice, rng)
    shown = expression(name, strength, person(number))
    return speech, act(speech, rng, style_for(rng), expression=shown)


@pytest.fixture(scope="module")
def faces() -> dict:
    return {name: [acted(name, number) for number in range(8)] for name in EMOTIONS}


def mean(faces: dict, name: str, action: str) -> float:
    return float(np.mean([done.action(action).mean() for _, done in faces[name]]))


def test_emotions_are_those_of_the_script_and_their_actions_those_of_the_mesh():
    assert set(EMOTIONS) == set(NAMES)
    for actions in UNITS.values():
        for action in actions:
            assert action in ACTIONS or {action + "Left", action + "Right"} <= set(ACTIONS)
    used = {unit for one in EMOTIONS.values() for unit in one.units}
    assert used == set(UNITS)
    with pytest.raises(TalkerError, match='no emotion "boredom"; choose one of anger, disgust'):
        expression("boredom", 1, person(0))


@pytest.mark.parametrize(
    ("name", "more", "not_more"),
    [
        ("happy", ("mouthSmileLeft", "cheekSquintLeft"), ("mouthFrownLeft", "browDownLeft")),
        ("sad", ("browInnerUp", "mouthFrownLeft"), ("mouthSmileLeft", "eyeWideRight")),
        ("anger", ("browDownLeft", "eyeWideRight", "eyeSquintLeft"), ("browInnerUp",)),
        ("fear", ("browInnerUp", "browOuterUpLeft", "eyeWideRight", "mouthStretchRight"), ()),
        ("disgust", ("noseSneerLeft", "mouthFrownLeft", "mouthUpperUpLeft"), ("browInnerUp",)),
    ],
)
def test_an_emotion_moves_what_its_prototype_says(faces, name, more, not_more):
    for action in more:
        assert mean(faces, name, action) > mean(faces, "neutral", action) + 0.07
    for action in not_more:
        assert mean(faces, name, action) < mean(faces, "neutral", action) + 0.05


def test_neutral_adds_nothing_and_no_two_emotions_look_alike(faces):
    assert expression("neutral", 1, person(0)) == emotion.Expression()
    rows = np.array([[mean(faces, n, a) for a in WATCHED + CORNERS] for n in EMOTIONS])
    apart = np.abs(rows[:, None] - rows[None]).max(2) + np.eye(len(rows))
    assert apart.min() > 0.15


def test_a_stronger_emotion_shows_more_and_people_differ():
    shown = {
        intensity: expression("happy", strength, person(3)).actions["mouthSmile"]
        for intensity, strength in STRENGTHS.items()
    }
    assert shown["low"] < shown["medium"] < shown["unspecified"] < shown["high"] < 1
    smiles = {expression("happy", 1, person(number)).actions["mouthSmile"] for number in range(20)}
    assert len(smiles) == 20
    # Half of all people raise their cheeks in sadness; 3 deviations.
    raised = np.mean(["cheekSquint" in expression("sad", 1, person(n)).actions for n in range(300)])
    assert raised == pytest.approx(0.5, abs=3 * 0.5 / np.sqrt(300))
    assert expression("fear", 0.7, person(5)) == expression("fear", 0.7, person(5))


def test_an_expression_comes_from_a_neutral_still_stays_and_fades(faces):
    for name, action in (("happy", "cheekSquintLeft"), ("sad", "mouthFrownLeft")):
        for speech, done in faces[name]:
            shown = done.action(action)
            times = (np.arange(len(shown)) + 0.5) / 25
            speaking = (times > 0.75) & (times < speech.phonemes[-1].end - 0.1)
            assert shown[0] == 0 and shown[-1] < 0.8 * shown.max()
            assert shown[speaking].min() > 0.7 * shown[speaking].max() > 0.2
            assert np.abs(np.diff(shown)).max() < 0.2  # and never jumps


def test_an_expression_changes_nothing_but_the_face_and_the_tilt_of_the_head(faces):
    for name in EMOTIONS:
        for (_, calm), (_, moved) in zip(faces["neutral"], faces[name], strict=True):
            assert moved.blinks == calm.blinks and np.array_equal(moved.gaze, calm.gaze)
            assert np.array_equal(moved.closure, calm.closure)
            assert np.array_equal(moved.head[:, 1:], calm.head[:, 1:])
    sunk = np.mean([done.head[:, 0].mean() for _, done in faces["sad"]])
    assert sunk < np.mean([done.head[:, 0].mean() for _, done in faces["neutral"]]) - 1


@pytest.fixture(scope="module")
def mouths() -> list:
    """Of two performers: the inner lips' six landmarks at rest, and what each action moves."""
    from talker.studio.anatomy import target

    chosen = landmark_vertices()[[61, 62, 63, 67, 66, 65]]
    height = {name: target(f"faceunits/{name}")[chosen, 1] for name in ACTIONS[:-1]}
    deltas = np.stack([height[name] for name in ACTIONS[:-1]])
    return [(performer(number).rest[chosen, 1], deltas) for number in (0, 1)]


def gap(mouth, actions: np.ndarray) -> np.ndarray:
    """How far the inner lips are apart (T,), decimetres; less than 0 where they are pressed."""
    rest, deltas = mouth
    heights = rest + actions[:, :-1] @ deltas
    return (heights[:, :3] - heights[:, 3:]).mean(1)


@pytest.mark.parametrize("name", EMOTIONS)
def test_lips_still_close_on_bilabials_and_open_on_vowels(faces, mouths, name):
    seen = 0
    for speech, done in faces[name]:
        times = (np.arange(len(done.closure)) + 0.5) / 25
        for mouth in mouths:
            apart = gap(mouth, done.actions)
            opened = apart.max() - apart[0]
            assert apart.max() > 0.02
            for phoneme in speech.phonemes:
                if phoneme.symbol not in BILABIALS:
                    continue
                start, end = closure_interval(phoneme)
                near = (times >= start - 0.03) & (times <= end + 0.03)
                shut = near & (done.closure > 0.999)
                assert shut.any()
                # Of all the way from the widest opening to the resting lips, 90 % and more.
                assert (apart.max() - apart[shut].min()) / opened >= 0.9
                seen += 1
    assert seen > 100


def test_an_emotion_takes_no_more_than_a_part_of_the_opening(faces, mouths):
    for name in EMOTIONS:
        for (_, calm), (_, moved) in zip(faces["neutral"], faces[name], strict=True):
            usual, now = (gap(mouths[0], done.actions).max() for done in (calm, moved))
            assert now > 0.6 * usual


def heard(name: str) -> np.ndarray:
    """F0 (Hz), its deviation (semitones), level (dB), phonemes a second: medians of 12 clips."""
    rows = []
    for number in range(12):
        rng = np.random.default_rng([number, 2])
        voice = replace(voice_for(("female", "male")[number % 2], 30, rng), speed=150)
        voice, louder = voice_in(name, 0.8, voice)
        speech = clip_of("I wonder what this is about", voice, rng, level=-23 + louder)
        sounds = speech.phonemes
        vowels = np.array([0.5 * (p.start + p.end) for p in sounds if p.symbol in VOWELS])
        hertz = fundamental(speech.signal, 16000, vowels)
        level = 10 * np.log10(np.mean(speech.signal**2))
        rate = len(sounds) / (sounds[-1].end - sounds[0].start)
        rows.append((np.median(hertz), 12 * np.std(np.log2(hertz)), level, rate))
    return np.median(rows, axis=0)


def test_voices_change_as_the_literature_says():
    pitch, spread, level, rate = (
        dict(zip(EMOTIONS, column, strict=True))
        for column in zip(*map(heard, EMOTIONS), strict=True)
    )
    for name in ("anger", "happy", "fear"):
        assert pitch[name] > 1.1 * pitch["neutral"]
        assert rate[name] > 1.02 * rate["neutral"]
    for name in ("sad", "disgust"):
        assert pitch[name] < 0.98 * pitch["neutral"]
        assert rate[name] < 0.95 * rate["neutral"]
    assert spread["sad"] < spread["neutral"] < min(spread["anger"], spread["happy"])
    assert level["anger"] > level["neutral"] + 2 > level["sad"] + 4
    assert rate["fear"] == max(rate.values()) and pitch["fear"] == max(pitch.values())


def test_a_voice_stays_within_what_espeak_can_say():
    for name in EMOTIONS:
        for voice in (Voice(pitch=99, range=99, speed=450), Voice(pitch=0, range=0, speed=80)):
            moved, _ = voice_in(name, 1.08, voice)
            assert 0 <= moved.pitch <= 99 and 0 <= moved.range <= 99 and 80 <= moved.speed <= 450


def test_strengths_lie_around_their_intensities():
    rng = np.random.default_rng(0)
    for intensity, middle in STRENGTHS.items():
        drawn = [emotion.strength(intensity, rng) for _ in range(200)]
        assert np.mean(drawn) == pytest.approx(middle, abs=0.02)
        assert max(drawn) - min(drawn) <= 0.16


def test_every_class_has_a_way_of_blinking():
    from talker.studio.script import CLASSES

    assert set(BLINKS) == set(CLASSES)
