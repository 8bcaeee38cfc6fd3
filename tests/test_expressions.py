"""Fig. 13-16: who opens the mouth alike, what six emotions do to landmarks, and all of it small."""

import functools
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from figure_scripts import drawn_twice, load_script
from PIL import Image
from small_training import SMOKE, settings, write_corpus
from twice import run_twice

from talker.checkpoint import save_generator
from talker.config import preset
from talker.errors import TalkerError
from talker.evaluators.emotion_classifier import (
    EMOTIONS,
    LOWER,
    MEASURES,
    REGIONS,
    STATISTICS,
    UPPER,
    columns,
    face_shape,
    film_features,
    fit,
)
from talker.experiments import emotional_films, emotions, identities
from talker.experiments.emotional_films import SHOWN, exchanged, moments, row
from talker.experiments.emotions import configured, confusion, right, summarised
from talker.experiments.identities import (
    across_faces,
    across_sounds,
    compared,
    compared_one,
    evenly,
    with_real,
)
from talker.faces import DlibDetector
from talker.media import read_image, write_audio
from talker.models.generator import Generator
from talker.store import StoredClip
from talker.tracking import MIRRORED, fit_crops
from talker.video import write_video

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def face() -> np.ndarray:
    """Landmarks (68, 2) of the packaged still."""
    return fit_crops([read_image(ROOT / "talker/assets/still.png")], DlibDetector())[0]


# ---- one sentence in many mouths

WAVES = np.sin(np.linspace(0, 6, 40) * np.array([[1.0], [2.0], [3.0]]))  # three sounds


def test_lips_that_only_listen_are_alike_across_faces_and_not_across_sounds():
    traces = np.stack([gain * WAVES + 1 for gain in (0.5, 1, 2, 3)])
    told = compared(traces, WAVES, owners=[0, 1, 2], seed=0)
    assert told["same sound"] == {"value": 1, "low": 1, "high": 1, "performers": 4}
    assert told["real"]["value"] == 1 and told["another real"]["high"] < 0.5
    across = across_sounds(traces)
    by_hand = np.corrcoef(WAVES)[np.triu_indices(3, 1)].mean()
    assert across == pytest.approx(np.full(4, by_hand))
    assert told["gap"]["value"] == pytest.approx(1 - by_hand, abs=1e-5)


def test_lips_that_do_not_listen_are_alike_across_sounds():
    own = np.random.default_rng(0).normal(size=(4, 1, 40))
    told = compared(own.repeat(3, axis=1), WAVES, owners=[0, 1, 2], seed=0)
    assert told["same face"]["value"] == 1 and told["same sound"]["high"] < 0.5
    assert told["gap"]["high"] < 0


def test_a_face_is_no_pair_with_itself():
    traces = np.random.default_rng(0).normal(size=(3, 3, 40))
    faces = across_faces(traces)
    assert np.isnan(np.diag(faces)).all() and (faces == faces.T)[~np.eye(3, dtype=bool)].all()
    assert faces[0, 1] == pytest.approx(
        np.mean([np.corrcoef(traces[0, s], traces[1, s])[0, 1] for s in range(3)])
    )
    # Performers that are drawn twice would be pairs with r = 1, and the interval end there.
    assert compared(traces, WAVES, [0, 1, 2], seed=0)["same sound"]["high"] < 0.5


def test_who_speaks_in_the_real_clip_is_left_out():
    traces = np.stack([WAVES, -WAVES])
    told = with_real(traces, WAVES, owners=[0, 0, 1])
    assert told[0, 0] == pytest.approx(1) and told[1, 0] == pytest.approx(-1)
    broken = WAVES.copy()
    broken[2] = np.random.default_rng(0).normal(size=40)  # only the first says anything of it
    changed = with_real(traces, broken, owners=[0, 0, 1])
    assert changed[0, 0] < 0.5 and changed[1, 0] == told[1, 0]


def test_one_face_is_held_against_all_others():
    traces = np.stack([WAVES, 2 * WAVES])
    told = compared_one(3 * WAVES, traces, WAVES, seed=0)
    assert told["same sound"]["value"] == told["real"]["value"] == 1
    assert "low" not in told["same face"] and told["same sound"]["performers"] == 2


def test_places_are_spread_evenly():
    assert evenly(4, 8) == [0, 2, 5, 7] and evenly(6, 3) == [0, 1, 2]


def test_the_photograph_is_an_aligned_still():
    still = identities.photograph(DlibDetector())
    assert still.shape == (128, 96, 3) and still.dtype == np.uint8 and still.std() > 30


def bright(crops, detector) -> np.ndarray:
    """Landmarks (T, 68, 2) whose mouth is as open as frames are bright."""
    found = []
    for crop in crops:
        points = np.zeros((68, 2))
        points[45] = (40, 0)
        points[65:68] = (0, np.asarray(crop).mean())
        found.append(points)
    return np.stack(found)


def loud(still: np.ndarray, signal: np.ndarray, seed: int) -> np.ndarray:
    """Frames (T, 128, 96, 3) as bright as the sound is loud, whatever the still."""
    level = np.abs(signal).reshape(-1, 640).mean(axis=1)
    shade = (60 + 1500 * level).clip(0, 255).astype(np.uint8)
    return np.broadcast_to(shade[:, None, None, None], (len(level), *still.shape)).copy()


def test_identities_say_the_same_twice(tmp_path, monkeypatch):
    people = {"p000": "train", **dict.fromkeys(("p022", "p023", "p046"), "test")}
    corpus = write_corpus(tmp_path / "corpus", people)
    monkeypatch.setattr(identities, "methods", lambda names, runs: {names[0]: loud})
    monkeypatch.setattr(identities, "fit_crops", bright)
    first, again = run_twice(identities.run, corpus, tmp_path, "identities.json")
    assert first == again
    values = first["values"]
    assert values["performers"]["same sound"]["low"] > 0.95 > values["performers"]["gap"]["low"]
    assert values["photograph"]["same sound"]["value"] > 0.95
    assert first["stills"] == [f"{name}/{name}_000" for name in ("p022", "p023", "p046")]
    assert first["example"]["rows"] == ["real", "p023", "p046", "photograph"]
    strip = (tmp_path / "first/identities_strip.png").read_bytes()
    assert strip == (tmp_path / "again/identities_strip.png").read_bytes()
    size = Image.open(tmp_path / "first/identities_strip.png").size
    assert size == ((1 + identities.MOMENTS) * 96, 4 * 128)


def test_two_performers_are_too_few(tmp_path):
    corpus = write_corpus(tmp_path / "corpus", {"p022": "test", "p023": "test"})
    with pytest.raises(TalkerError, match="only 2 performers are to test on"):
        identities.run(corpus, tmp_path, tmp_path / "identities.json")


# ---- what the classifier sees


def test_neither_size_place_roll_nor_mirror_changes_a_shape(face):
    turn = np.array([[np.cos(0.3), np.sin(0.3)], [-np.sin(0.3), np.cos(0.3)]])
    moved = 2.5 * face @ turn + (7, -3)
    mirrored = (face * (-1, 1))[MIRRORED]
    assert face_shape(moved) == pytest.approx(face_shape(face), abs=1e-5)
    assert face_shape(mirrored) == pytest.approx(face_shape(face), abs=1e-5)


def test_one_corner_of_the_mouth_counts_half_of_both(face):
    unit = np.linalg.norm(face[36] - face[45])
    along = (face[42:46:3] - face[36:40:3]).mean(axis=0)
    along = along / np.linalg.norm(along)
    down = np.array([-along[1], along[0]])
    one, both = face.copy(), face.copy()
    one[48] += 4 * down
    both[[48, 54]] += 4 * down
    change = face_shape(both) - face_shape(face)
    at = list(MEASURES).index("corner of the mouth, y")
    assert change[at] == pytest.approx(4 / unit, rel=1e-4)  # y points down
    assert np.delete(change, at) == pytest.approx(np.zeros(len(MEASURES) - 1), abs=1e-5)
    assert (face_shape(one) - face_shape(face))[at] == pytest.approx(change[at] / 2, rel=1e-4)


def test_statistics_of_a_film_by_hand(face):
    film = np.repeat(face[None], 5, axis=0)
    assert film_features(film, face[None]) == pytest.approx(np.zeros(3 * len(MEASURES)))
    unit = np.linalg.norm(face[36] - face[45])
    lifted = film.copy()
    lifted[2:, 8] += face[8] - face[27]  # the chin, down from the bridge of the nose
    told = film_features(lifted, face[None]).reshape(len(STATISTICS), -1)
    chin = list(MEASURES).index("chin, y")
    size = told[0, chin]
    assert size == pytest.approx(np.linalg.norm(face[8] - face[27]) / unit, rel=0.05)
    assert told[1, chin] == pytest.approx(size * np.sqrt(0.24), rel=1e-4)  # 3 of 5 frames
    assert told[2, chin] == pytest.approx(size / 4, rel=1e-4)  # one of four steps
    half = film_features(film, lifted[1:3]).reshape(len(STATISTICS), -1)
    assert half[0, chin] == pytest.approx(-size / 2, rel=1e-4)  # of two stills one is so
    with pytest.raises(TalkerError, match="a film of one frame"):
        film_features(film[:1], face[None])


def test_regions_share_nothing_and_make_up_the_face():
    upper, lower = columns("upper"), columns("lower")
    assert columns("face").all() and (upper ^ lower).all()
    assert upper.sum() == 3 * len(UPPER) and lower.sum() == 3 * len(LOWER)
    with pytest.raises(TalkerError, match="no region 'ears': choose from face, upper, lower"):
        columns("ears")


def test_a_classifier_knows_its_region_only():
    dice = np.random.default_rng(0)
    said = list(EMOTIONS) * 20
    middle = {emotion: 8 * dice.normal(size=3 * len(MEASURES)) for emotion in EMOTIONS}
    films = np.stack([middle[name] for name in said]) + dice.normal(size=(120, 3 * len(MEASURES)))
    for region in REGIONS:
        assert fit(films, said, region).tell(films) == said
    blinded = films.copy()
    blinded[:, columns("lower")] = 0
    assert fit(films, said, "upper").tell(blinded) == said
    assert fit(films, said, "lower").tell(blinded) != said


@pytest.mark.parametrize("learnt", [EMOTIONS[:4] * 2, (*EMOTIONS, *EMOTIONS[:4])])
def test_two_films_of_each_emotion_are_needed_to_learn_from(learnt):
    with pytest.raises(TalkerError, match="too few films of neutral, sad to learn from"):
        fit(np.zeros((len(learnt), 3 * len(MEASURES))), learnt)


# ---- which films are asked about


def test_sounds_are_of_the_same_performer_in_another_emotion_in_turn():
    speakers = ["a"] * 12 + ["b"] * 12
    acted = [EMOTIONS[number % 6] for number in range(24)]
    sounds = exchanged(speakers, acted)
    pairs = {(acted[n], acted[sound]) for n, sound in enumerate(sounds)}
    assert all(speakers[n] == speakers[sound] for n, sound in enumerate(sounds))
    assert all(a != b for a, b in pairs) and len(pairs) > 6
    with pytest.raises(TalkerError, match="b shows one emotion only"):
        exchanged(["a", "a", "b"], ["sad", "fear", "sad"])


def test_shares_and_counts_by_hand():
    said, wanted = ["sad", "fear", "sad", "anger"], ["sad", "sad", "sad", "anger"]
    assert right(said, wanted, ["a", "a", "b", "b"]).tolist() == [0.5, 1]
    counts = confusion(said, wanted)
    places = {name: EMOTIONS.index(name) for name in EMOTIONS}
    assert counts[places["sad"]][places["fear"]] == 1
    assert counts[places["sad"]][places["sad"]] == 2 and np.sum(counts) == 4


def of_all(said: list[str]) -> dict[str, list[str]]:
    return dict.fromkeys(REGIONS, said)


def test_what_is_not_done_is_not_summarised_and_foreign_sounds_count_as_their_own():
    acted, speakers, sounds = ["sad", "fear"] * 2, ["a", "a", "b", "b"], [1, 0, 3, 2]
    done = {"real": {"said": of_all(acted)}, "ours": {"said": of_all(["sad"] * 4)}}
    told = summarised(done, acted, sounds, speakers)
    assert list(told["values"]) == ["real", "ours"] and told["difference"] == {}
    assert told["values"]["real"]["face"]["value"] == 1
    assert told["values"]["ours"]["upper"]["value"] == 0.5
    listens = {"said": of_all(acted), "other": of_all([acted[sound] for sound in sounds])}
    told = summarised(done | {"emotional": listens}, acted, sounds, speakers)
    assert told["values"]["emotional, other sound"]["face"]["value"] == 1
    assert told["values"]["emotional, other still"]["face"]["value"] == 0
    assert told["difference"]["emotional - ours"]["face"]["value"] == 0.5
    assert told["difference"]["emotional - emotional, other still"]["lower"]["low"] == 1
    assert set(told["confusion"]) == {"real", "ours", "emotional", "emotional, other sound"}
    broken = {"emotional": {"problem": "a loss is not finite"}}
    assert list(summarised(done | broken, acted, sounds, speakers)["values"]) == ["real", "ours"]


def test_moments_are_from_the_onset_to_the_last_word(tmp_path, monkeypatch):
    clip = StoredClip("p/p_0", tmp_path / "a.mp4", tmp_path / "a.wav", "p", "test")
    monkeypatch.setattr(StoredClip, "truth", {"words": [{"end": 1.0}, {"end": 2.0}]})
    assert moments(clip, 75) == [5, 16, 28, 39, 50]
    assert moments(clip, 30)[-1] == 28  # the next frame is needed for the motion
    monkeypatch.setattr(StoredClip, "truth", {})
    assert moments(clip, 75)[-1] == 73


def test_motion_stands_beside_the_frames_it_is_of():
    coarse = np.random.default_rng(0).integers(0, 255, (32, 24, 3), np.uint8)
    still = np.asarray(Image.fromarray(coarse).resize((96, 128), Image.Resampling.BICUBIC))
    shifts = (0, 0, 0, 0, 1, 1, 2, 2, 3, 3)
    film = np.stack([np.roll(still, shift, axis=1) for shift in shifts])
    picture = row(film, still, film, [1, 3, 5, 7, 8])
    assert picture.shape == (128, (1 + 2 * SHOWN + 1) * 96, 3)
    assert (picture[:, 96:192] == still).all() and (picture[:, :96] == film[5]).all()
    maps = picture[32:96, 6 * 96 :].reshape(64, SHOWN + 1, 96, 3)[:, :, 24:72]
    red = maps.mean(axis=(0, 2))
    assert red[[0, 4]].max() < 30  # the next frame is the same
    assert (red[[1, 2, 3], 0] > 200).all()  # a pixel to the right, which is full
    assert 60 < red[5, 0] < 200 and red[:, 1:].max() < 60  # some from the still, of two at most


# ---- training and results


def test_the_preset_is_kept_but_for_length_start_and_voices(tmp_path):
    ours, blind, laptop = (
        settings(config)
        for config in (
            configured("emotional", tmp_path, tmp_path),
            configured("blind", tmp_path, tmp_path),
            preset("laptop"),
        )
    )
    length = {"steps", "minutes", "warm_up", "sample_every", "validate_every", "patience"}
    both = {"corpus", "out", "start", "alter_voices", "warm_up_rate"}

    def differ(config: dict) -> set[str]:
        keys = {key.removeprefix("train.") for key in config if config[key] != laptop[key]}
        return keys - length

    assert differ(ours) == both
    assert differ(blind) == both | {"noise_steps", "generator_rate", "eyes_weight"}
    assert ours["train.steps"] == 1400 and ours["train.warm_up"] == 800
    # All of Eq. 7, after one step of next to no length.
    assert blind["train.steps"] == 1401 and blind["train.warm_up"] == 1


FRAMES = 24
PEOPLE = {"p000": "train", "p001": "train", "p022": "test", "p023": "test"}


@pytest.fixture(scope="module")
def acted(tmp_path_factory) -> Path:
    """Six clips of each performer, as bright after the first frame as their emotion has a place."""
    folder, draw = tmp_path_factory.mktemp("acted"), np.random.default_rng(0)
    for speaker, split in PEOPLE.items():
        for number, emotion in enumerate(EMOTIONS):
            stem = folder / speaker / f"{speaker}_{number:03d}"
            stem.parent.mkdir(exist_ok=True)
            shade = 40 + 30 * number + draw.integers(-5, 6, FRAMES) + int(draw.integers(-5, 6))
            shade[0] = 120
            frames = np.tile(shade.astype(np.uint8)[:, None, None, None], (1, 128, 96, 3))
            write_video(stem.with_suffix(".mp4"), frames, 25)
            signal = 0.1 * draw.standard_normal(FRAMES * 640).astype(np.float32)
            write_audio(stem.with_suffix(".wav"), signal, 16000)
            truth = {"speaker": speaker, "split": split, "emotion": emotion}
            truth["landmarks"] = draw.uniform(0, 96, (FRAMES, 68, 2)).tolist()
            stem.with_suffix(".json").write_text(json.dumps(truth))
    (folder / "corpus.json").write_text('{"seed": 0}')
    return folder


def browed(face: np.ndarray, crops, detector) -> np.ndarray:
    """The face's landmarks in each crop, with brows as high as it is bright."""
    found = []
    for crop in crops:
        points = face.copy()
        points[17:27, 1] -= np.asarray(crop).mean() / 20
        found.append(points)
    return np.stack(found)


def shrink(patch, folder: Path, face: np.ndarray) -> None:
    """The smallest preset for two steps of each phase, and landmarks that cost nothing."""
    torch.manual_seed(5)
    save_generator(folder / "start", Generator(SMOKE.model), {})
    for name, value in (("PRESET", "smoke"), ("WARM_UP", 2), ("STEPS", 2)):
        patch.setattr(emotions, name, value)
    patch.setattr(emotions, "START", folder / "start")
    patch.setattr(emotional_films, "fit_crops", functools.partial(browed, face))


def test_real_clips_are_told_apart_and_an_interruption_costs_one_row(
    acted, face, tmp_path, monkeypatch
):
    shrink(monkeypatch, tmp_path, face)
    out, runs = tmp_path / "emotions.json", tmp_path / "runs"

    def stop(config):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(emotions, "train_trial", stop)
        with pytest.raises(KeyboardInterrupt):
            emotions.main(acted, runs, out)
    first = json.loads(out.read_text())
    assert list(first["values"]) == ["ours", "real"]  # as JSON sorts them
    assert first["values"]["real"]["face"] == {"value": 1, "low": 1, "high": 1, "performers": 2}
    assert first["values"]["real"]["upper"]["value"] == 1
    assert first["confusion"]["real"] == (2 * np.eye(6, dtype=int)).tolist()

    monkeypatch.setattr(emotions.Panel, "real", None)  # would fail if it were asked again
    emotions.run(acted, runs, out)
    told = json.loads(out.read_text())
    assert told["rows"]["real"] == first["rows"]["real"]
    for name in ("emotional", "blind"):
        rows = {name, f"{name}, other sound", f"{name}, other still"}
        assert rows <= set(told["values"])
        assert np.sum(told["confusion"][f"{name}, other sound"], axis=1).tolist() == [2] * 6
    assert told["circumstances"]["performers_trained"] == 2
    assert "example" not in told["rows"]["emotional"]
    example = told["rows"]["blind"]["example"]
    assert example["performer"] == "p022" and example["still"] == "p022/p022_004"
    assert list(example["rows"]) == sorted(EMOTIONS)
    size = Image.open(tmp_path / "emotions_strip.png").size
    assert size == ((2 * SHOWN + 2) * 96, 6 * 128)
    log = (runs / "emotional/log.jsonl").read_text().splitlines()
    assert len(log) == 4 and told["rows"]["emotional"]["training_seconds"] > 0
    before = (tmp_path / "start/generator.safetensors").read_bytes()
    assert (runs / "emotional/generator/generator.safetensors").read_bytes() != before

    monkeypatch.setattr(emotions, "STEPS", 3)
    with pytest.raises(TalkerError, match="has results of other settings"):
        emotions.main(acted, runs, out)


def test_neutral_sentences_are_refused_in_one_sentence(noise_corpus, tmp_path):
    with pytest.raises(TalkerError, match="has not all six emotions in its split train: make a"):
        emotions.main(noise_corpus, tmp_path, tmp_path / "emotions.json")


# ---- figures


def test_every_emotion_number_and_matrix_is_drawn(tmp_path):
    dice = np.random.default_rng(0)
    acted, speakers = list(EMOTIONS) * 4, ["a"] * 12 + ["b"] * 12
    sounds = exchanged(speakers, acted)
    done = {
        name: {key: of_all(dice.choice(EMOTIONS, 24).tolist()) for key in ("said", "other")}
        for name in emotions.PLAN
    }
    shown = {name: {"moments": [5, 16, 28, 39, 50]} for name in EMOTIONS}
    done["blind"]["example"] = {"rows": shown, "longest": 1.0, "farthest": 2.0}
    about = {"clips": 24, "performers": 2, "clips_trained": 48, "performers_trained": 4}
    results = {"rows": done, "circumstances": about}
    results |= summarised(done, acted, sounds, speakers)
    picture = dice.integers(0, 255, (6 * 128, 12 * 96, 3), np.uint8)
    module = load_script("fig_expressions")
    figure = drawn_twice(module.draw, results, picture, folder=tmp_path)
    strip, *matrices, wheel, shares = figure.axes
    assert [text.get_text() for text in strip.get_yticklabels()] == list(EMOTIONS)
    assert all(len(axes.texts) == 36 for axes in matrices) and len(matrices) == 3
    said = [text.get_text() for text in shares.texts]
    for name in module.ROWS:
        assert f"{100 * results['values'][name]['face']['value']:.0f} %" in said
    assert len(said) == 3 * len(module.ROWS) and len(wheel.images) == 1


def test_every_face_and_correlation_is_drawn(tmp_path):
    dice = np.random.default_rng(0)
    traces = dice.normal(size=(4, 3, 75))
    values = {
        "performers": compared(traces[:3], traces[3], [0, 1, 2], seed=0),
        "photograph": compared_one(traces[3], traces[:3], traces[2], seed=0),
    }
    names = ["real", "p022", "p023", "photograph"]
    opening = {name: each[0].tolist() for name, each in zip(names, traces, strict=True)}
    at = list(range(5, 75, 7))
    example = {"rows": names, "moments": at, "opening": opening, "text": "bin blue at a one now"}
    picture = dice.integers(0, 255, (4 * 128, 11 * 96, 3), np.uint8)
    module = load_script("fig_identities")
    results = {"values": values, "example": example}
    strip, traced, alike = drawn_twice(module.draw, results, picture, folder=tmp_path).axes
    assert [text.get_text() for text in strip.get_yticklabels()] == names
    assert len([line for line in traced.lines if len(line.get_xdata())]) == 4
    assert len(alike.texts) == 2 * len(module.NAMES)
    assert "bin blue at a one now" in traced.get_title(loc="left")
