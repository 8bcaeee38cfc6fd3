"""The measures of a talking face: tables by hand, and all of it on a small corpus of noise."""

import functools
import hashlib
import json

import numpy as np
import pytest
import torch
from PIL import Image

from talker.checkpoint import TENSORS, save_generator
from talker.config import preset
from talker.errors import TalkerError
from talker.experiments import talking, talking_tables
from talker.experiments.talking import _again, _closures, skin_tone
from talker.experiments.talking_pictures import above_each_other, moving_picture, strip
from talker.experiments.talking_tables import columns, performers, pooled_median, share, table
from talker.metrics.intervals import bootstrap
from talker.models.generator import Generator
from talker.store import clips, write_clip

FRAMES = 20
PEOPLE = {"p020": ("validation", 1), "p022": ("test", 2), "p023": ("test", 1)}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Noise said to be three rendered performers; one of them has two clips."""
    folder = tmp_path_factory.mktemp("corpus")
    draw = np.random.default_rng(0)
    for skin, (speaker, (split, count)) in enumerate(PEOPLE.items(), start=3):
        (folder / speaker).mkdir()
        for number in range(count):
            frames = draw.integers(0, 255, (FRAMES, 16, 12, 3), np.uint8).repeat(8, 1).repeat(8, 2)
            truth = {
                "corpus": "rendered",
                "speaker": speaker,
                "split": split,
                "wears": {"skin": f"monk {skin}"},
                "words": [{"text": "beep", "start": 0.1, "end": 0.7}],
                "lips_closed": [float(t in (5, 6, 12)) for t in range(FRAMES)],
                "blinks": [[3, 9]],
                "landmarks": draw.uniform(0, 96, (FRAMES, 68, 2)).round(2).tolist(),
            }
            signal = 0.1 * draw.standard_normal(FRAMES * 640).astype(np.float32)
            write_clip(folder / speaker / f"{speaker}_{number:03d}", frames, signal, truth)
    (folder / "corpus.json").write_text("{}")
    return folder


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("weights") / "best"
    generator = Generator(preset("smoke").model)
    torch.nn.init.normal_(generator.frame_decoder.blocks[-1].grow.weight, std=0.1)  # else: a still
    save_generator(folder, generator, {"step": 7})
    return folder


@pytest.fixture(autouse=True)
def quick_measures(monkeypatch):
    """What takes seconds, on noise or by repetition, and has tests of its own."""
    monkeypatch.setattr(talking, "cpbd", lambda frames: float(frames.std()))
    monkeypatch.setattr(talking, "ssim", lambda made, real: float(np.array_equal(made, real)))
    few = functools.partial(bootstrap, draws=200)
    monkeypatch.setattr(talking_tables, "bootstrap", few)


# ---- all of it


@pytest.mark.slow
def test_the_results_file_says_everything(corpus, weights, tmp_path, capsys):
    out = tmp_path / "talking.json"
    talking.main(corpus, weights, out)

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    results = json.loads(out.read_text(), parse_constant=refuse)
    per_clip, values = results["per_clip"], results["values"]
    assert per_clip["clip"] == [
        clip.name for s in ("validation", "test") for clip in clips(corpus, s)
    ]
    assert per_clip["split"] == ["validation", "test", "test", "test"]
    assert values["psnr"]["clips"] == 3 and results["validation"]["psnr"]["clips"] == 1
    assert (
        results["validation"].keys()
        == values.keys()
        == {
            name
            for name in per_clip
            if name not in ("clip", "speaker", "split", "skin", "closures")
        }
    )
    assert values["l1_lower"]["value"] == round(np.median(per_clip["l1_lower"][1:]), 5)
    # Who has one clip only has no other of the same person.
    assert per_clip["r_opening_mismatched"][0] is per_clip["r_opening_mismatched"][3] is None
    assert values["r_opening_mismatched"]["clips"] == values["closed_mismatched"]["clips"] == 2
    # Clips 0 and 3 are made twice.
    assert [row is None for row in per_clip["r_eyes_two_noises"]] == [False, True, True, False]
    assert per_clip["closures"] == [2, 2, 2, 2] and values["closed"]["closures"] == 6
    assert values["closed_still"]["value"] == 0 <= values["closed"]["value"] <= 1
    assert values["blinks_per_second_truth"]["value"] == 25 / FRAMES
    people = results["performers"]
    assert {name: (who["split"], who["skin"], who["clips"]) for name, who in people.items()} == {
        "p020": ("validation", 3, 1),
        "p022": ("test", 4, 2),
        "p023": ("test", 5, 1),
    }
    assert people["p023"]["r_width"] == pytest.approx(per_clip["r_width"][3], abs=1e-5)
    tensors = (weights / TENSORS).read_bytes()
    assert results["weights"] == {"step": 7, "sha256": hashlib.sha256(tensors).hexdigest()}
    assert results["circumstances"]["clips"] == 3
    assert results["circumstances"]["clips_validation"] == 1
    # The pictures are of the two test performers only.
    assert Image.open(tmp_path / "talking_strip.png").size == (12 * 96, 2 * 2 * 128)
    assert "psnr_lower_gain" in capsys.readouterr().out


@pytest.mark.slow
def test_the_measures_of_a_perfect_and_of_a_still_clip(corpus, monkeypatch):
    held_out = clips(corpus, "test")
    films = {}
    see = talking._see

    def remember(clip, detector):
        seen = see(clip, detector)
        films[len(films)] = seen.frames
        return seen

    monkeypatch.setattr(talking, "_see", remember)
    monkeypatch.setattr(talking, "generate", lambda g, still, sound, seed: films[seed % 3])
    rows, shown = talking.measure(None, held_out, seed=0)
    assert list(shown) == ["p022", "p023"] and len(rows) == 3
    for row in rows:
        assert (row["r_opening"], row["r_width"]) == pytest.approx((1, 1))
        assert row["r_opening_mesh"] == row["r_opening_detector"] < 0.9
        assert row["l1_lower"] == 0 and row["l1_lower_gain"] == row["l1_lower_still"] > 0
        assert row["psnr"] == np.inf and row["ssim"] == 1 > row["ssim_still"]
        assert row["closed"] == row["closed_real"] <= row["closures"] == 2
        assert row["blink_depths"] == row["blink_depths_real"]
        assert row["cpbd_ratio"] == 1
    assert rows[0]["r_eyes_two_noises"] == pytest.approx(1)

    monkeypatch.setattr(
        talking, "generate", lambda g, still, sound, seed: np.stack([still] * FRAMES)
    )
    rows, _ = talking.measure(None, held_out, seed=0)
    for row in rows:
        assert np.isnan(row["r_opening"])
        assert row["psnr_lower_gain"] == row["l1_lower_gain"] == 0
        assert row["closed"] == row["closed_still"] == 0
        assert row["blinks_per_second"] == 0 and row["blink_seconds"] == []


def test_without_test_performers_there_is_nothing_to_measure(weights, tmp_path):
    (tmp_path / "corpus.json").write_text("{}")
    with pytest.raises(TalkerError, match="no clip of the split test"):
        talking.main(tmp_path, weights, tmp_path / "talking.json")


# ---- its parts


def face(opening: np.ndarray, lids: np.ndarray) -> np.ndarray:
    """Landmarks (T, 68, 2) of eyes 10 apart with these openings (T,) of mouth and lids."""
    marks = np.zeros((len(opening), 68, 2))
    marks[:, (39, 42), 0], marks[:, 45, 0] = (4, 6), 10
    for upper, lower in ((37, 41), (38, 40), (43, 47), (44, 46)):
        marks[:, upper, 1], marks[:, lower, 1] = -lids, lids
    for lower in (67, 66, 65):
        marks[:, lower, 1] = opening
    return marks


def test_two_noises_move_other_eyes_and_the_same_lips():
    time = np.arange(40)
    first = face(1 + np.sin(time / 3), 1 + 0.5 * np.sin(time / 4))
    found = _again(first, face(2 + 2 * np.sin(time / 3), 1 - 0.5 * np.sin(time / 4)))
    assert found["r_opening_two_noises"] == pytest.approx(1)
    assert found["r_eyes_two_noises"] == pytest.approx(-1)


def test_closures_of_a_clip():
    truth = {
        "words": [{"text": "bye", "start": 0.0, "end": 0.36}],
        "lips_closed": [1.0] * 3 + [0.0] * 6,
    }
    openings = np.linspace(0, 1, 9)
    found = _closures(openings, openings, openings[::-1], truth)
    assert found == {
        "closures": 1,
        "closed": 1,
        "closed_real": 1,
        "closed_still": 0,
        "closed_mismatched": 0,
    }
    alone = _closures(openings, openings, None, truth)
    assert np.isnan(alone.pop("closed_mismatched"))
    assert alone == {name: found[name] for name in alone}


def test_the_skin_is_a_level_or_unknown():
    assert skin_tone({"wears": {"skin": "monk 10"}}) == 10
    assert skin_tone({"wears": {"hair": "afro"}}) is skin_tone({}) is None


ROWS = [
    {
        "clip": f"{speaker}/{number}",
        "speaker": speaker,
        "split": "test",
        "skin": skin,
        "r_opening": r,
        "blinks_per_second": rate,
        "blink_seconds": blinks,
        "closures": wanted,
        "closed": made,
        "closed_mismatched": other,
    }
    for number, (speaker, skin, r, rate, blinks, wanted, made, other) in enumerate(
        [
            ("a", 9, 0.2, 0.0, [], 1, 0.0, float("nan")),
            ("b", 2, 0.8, 1.0, [0.2, 0.4, 0.4], 3, 3.0, 1.0),
            ("b", 2, 0.9, 0.5, [0.3], 0, 0.0, 0.0),
        ]
    )
]


def test_a_table_by_hand():
    values = table(ROWS)
    assert values["r_opening"]["value"] == 0.8
    assert values["blinks_per_second"]["value"] == 0.5
    assert values["blink_seconds"]["value"] == 0.35
    assert values["closed"]["value"] == 0.75  # of four, not the mean of 0 and 1
    assert values["closed_mismatched"]["value"] == pytest.approx(1 / 3, abs=1e-5)
    assert (values["closed"]["clips"], values["closed"]["closures"]) == (2, 4)
    assert "closures" not in values and "skin" not in values
    assert table([]) == {}


def test_each_performer_by_hand():
    people = performers(ROWS)
    assert list(people) == ["a", "b"]
    assert people["a"] | {"closed_mismatched": None, "blink_seconds": None} == people["a"]
    assert people["b"] == {
        "split": "test",
        "skin": 2,
        "clips": 2,
        "r_opening": 0.85,
        "blinks_per_second": 0.75,
        "blink_seconds": 0.35,
        "closures": 3,
        "closed": 1.0,
        "closed_mismatched": 0.33333,
    }


def test_columns_have_null_for_what_is_not_a_number():
    found = columns(ROWS)
    assert found["closed_mismatched"] == [None, 1.0, 0.0]
    assert found["blink_seconds"] == [[], [0.2, 0.4, 0.4], [0.3]]
    assert columns([]) == {}


def test_blinks_of_one_clip_are_not_as_many_witnesses():
    of_one, of_many = [[0.2] * 10, [0.4] * 10], [[0.2], [0.4]] * 10
    alone = [str(number) for number in range(21)]
    wide, narrow = pooled_median(of_one, ["a", "b"]), pooled_median([*of_many, []], alone)
    assert wide["pooled"] == narrow["pooled"] == 20
    assert (wide["clips"], narrow["clips"], narrow["left_out"]) == (2, 20, 1)
    assert (wide["low"], wide["high"]) == (0.2, 0.4)
    few = pooled_median([[0.2, 0.3, 0.4]] * 3, alone[:3])
    many = pooled_median([[0.2], [0.3], [0.4]] * 3, alone[:9])
    assert few["low"] == few["high"] == 0.3 and many["low"] < many["high"]
    # Nor are those of one face.
    assert pooled_median(of_many, ["a", "b"] * 10)["groups"] == 2
    assert pooled_median([[], []], ["a", "b"])["value"] is None


def test_a_share_without_any_is_none():
    assert share([0.0, 0.0], [0, 0], ["a", "b"]) == {
        "value": None,
        "low": None,
        "high": None,
        "clips": 0,
        "closures": 0,
    }


# ---- pictures


def test_strip_has_the_still_first_and_real_above_generated():
    real = np.arange(40, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 2, 3), np.uint8)
    picture = strip(real, real + np.uint8(100), count=5)
    assert picture.shape == (8, 12, 3)
    assert (picture[:4, :2] == 0).all() and (picture[:4, 2:4] == 8).all()
    assert (picture[4:, 2:4] == 108).all()


def test_the_moving_picture_has_real_above_generated_and_fits(tmp_path):
    draw = np.random.default_rng(0)
    pairs = [
        (np.full((9, 32, 24, 3), 40 * n, np.uint8), draw.integers(0, 255, (8, 32, 24, 3), np.uint8))
        for n in (1, 2, 3)
    ]
    film = above_each_other(pairs, scale=2)
    assert film.shape == (8, 2 * 64 + 4, 3 * 48, 3)
    assert [film[0, 10, 24 + 48 * n, 0] for n in range(3)] == [40, 80, 120]
    assert (film[:, 64:68] == 255).all()
    moving_picture(tmp_path / "large.webp", pairs)
    size = (tmp_path / "large.webp").stat().st_size
    moving_picture(tmp_path / "small.webp", pairs, largest=int(0.8 * size))
    assert (tmp_path / "small.webp").stat().st_size <= 0.8 * size
    with Image.open(tmp_path / "small.webp") as shown:
        assert shown.n_frames == 8 and shown.size == (144, 132)
