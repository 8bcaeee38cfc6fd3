"""The measuring instruments as shipped: what their results promise, and one film in a mirror."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from test_official_syncnet import published

from talker.checkpoint import read_description
from talker.evaluators import lip_reader, synchrony
from talker.evaluators.weights import shipped
from talker.metrics.pair import Footage, Pair, Weights
from talker.metrics.registry import METRICS, chosen, measure
from talker.metrics.synchrony import av_confidence, av_offset

RESULTS = Path(__file__).parents[1] / "figures" / "results"


def results(name: str) -> dict:
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))


def test_offsets_are_found_and_unrelated_sound_is_told_from_related():
    told = results("synchrony")
    assert told["offsets"]["within_one"]["value"] >= 0.95
    assert min(told["offsets"]["within_one_by_shift"].values()) >= 0.9
    assert told["confidences"]["unrelated_below_half"]["value"] >= 0.9
    assert told["real"]["shifts"]["within_one"]["value"] >= 0.95


def test_words_are_read_and_not_from_lips_that_are_spoilt():
    """Monotony is tested in test_lip_experiment."""
    told = results("lipreading")
    assert told["values"]["real"]["value"] <= 0.25
    for name, condition in told["conditions"].items():
        worst = told["values"][f"{name} {condition['levels'][-1]:g}"]
        assert worst["low"] > told["values"]["real"]["high"], name


def test_blinks_are_found_and_few_are_made_up():
    told = results("blink_validation")
    assert told["circumstances"]["clips"] >= 200 and told["circumstances"]["performers"] >= 6
    assert told["values"]["precision"]["value"] >= 0.95
    assert told["values"]["recall"]["value"] >= 0.85
    assert told["detectors"]["ours"] == told["values"]
    assert len(results("blinks_grid")["counted"]) >= 20


def test_the_page_of_corruptions_shows_what_it_should():
    told = results("corruptions")
    rows = {(row["corruption"], row["level"]): row["values"] for row in told["rows"]}
    values = {key: {n: each["value"] for n, each in row.items()} for key, row in rows.items()}
    plain = values["none", None]
    assert len(told["clips"]) >= 12
    blur = [plain, *(values["blur", level] for level in (0.5, 1.0, 2.0))]
    assert all(a["cpbd"] > b["cpbd"] for a, b in zip(blur, blur[1:], strict=False))
    assert values["other person", None]["acd"] > 2 * plain["acd"]
    for lead in (-9, -3, 3, 9):
        assert values["sound earlier", lead]["av_offset"] - plain["av_offset"] == lead
    for unrelated in ("other sound", "shuffled sound"):
        assert rows[unrelated, None]["av_confidence"]["high"] < 0.5 < plain["av_confidence"]
    assert values["frozen", None]["blinks"] == 0
    turned = [
        next(row["per_clip"]["horizontal_motion"] for row in told["rows"] if row["corruption"] == n)
        for n in ("none", "mirrored")
    ]
    assert np.corrcoef(*turned)[0, 1] < -0.7


@pytest.mark.parametrize(
    ("name", "file"), [("synchrony", "synchrony"), ("lipreading", lip_reader.NAME)]
)
def test_results_are_of_the_weights_that_ship(name, file):
    weights = shipped(file)
    told = read_description(weights.with_suffix(".json"))
    assert results(name)["weights"]["sha256"] == told["sha256"]
    assert weights.stat().st_size <= 15e6


@pytest.fixture(scope="module")
def official(tmp_path_factory) -> Path:
    """A file with the names and shapes of syncnet_v2.model, and random numbers in it."""
    path = tmp_path_factory.mktemp("official") / "syncnet_v2.model"
    torch.manual_seed(0)
    torch.save(published(), path)
    return path


@pytest.mark.slow
def test_offsets_are_measured_with_the_official_file(official):
    """What it says with random numbers means nothing, but it must be that network that says it."""
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (36, 128, 96, 3), np.uint8)
    signal = (0.1 * rng.standard_normal(36 * 640)).astype(np.float32)
    footage = Footage(frames, signal)
    pair = Pair(footage, footage, weights=Weights(synchrony=official))
    network = synchrony.find_synchrony(official)
    assert type(network).__name__ == "OfficialSyncNet"
    seen, heard = network.embed(frames, signal)
    distances = [
        (seen[max(0, o) :][:count] - heard[max(0, -o) :][:count]).norm(dim=1).mean().item()
        for o in range(-15, 16)
        for count in [len(seen) - abs(o)]
    ]
    assert av_offset(pair) == np.argmin(distances) - 15
    assert av_confidence(pair) == pytest.approx(np.median(distances) - min(distances), abs=1e-3)
    own = Pair(footage, footage)
    assert av_confidence(own) != av_confidence(pair)


UNCHANGED = ("psnr", "ssim", "cpbd", "laplacian", "motion", "av_offset", "wer")


@pytest.mark.slow
def test_a_film_in_a_mirror_measures_the_same_but_for_the_direction_of_flow():
    """A performer held out who blinks and speaks, and a blurred video of the same.

    How far blinks depend on the mirror is in the results, see `talker.metrics.blinks`.
    """
    pytest.importorskip("anny")
    from talker.corpora.rendered import render_clip
    from talker.experiments.corruptions import blurred

    frames, signal, truth = render_clip(22, 1)
    assert truth["blinks"] and truth["split"] == "test"
    made = blurred(frames, 0.7)
    here, there = (
        measure(
            Pair(Footage(a, signal), Footage(b, signal), truth["text"]),
            chosen(tuple(METRICS)),
        )
        for a, b in ((made, frames), (made[:, :, ::-1].copy(), frames[:, :, ::-1].copy()))
    )
    assert here["blinks"] > 0 and here["wer"] < 1 and here["av_confidence"] > 0.5
    for name in UNCHANGED:
        assert there[name] == pytest.approx(here[name], rel=0.05, abs=0.02), name
    for name, near in {"acd": 0.1, "opening": 0.1, "width": 0.1, "av_confidence": 0.2}.items():
        assert there[name] == pytest.approx(here[name], abs=near), name
    assert abs(there["blinks"] - here["blinks"]) <= 1 / 3 + 1e-6
    # A face that sways about its place: flow that certainly goes one way is in test_evaluate.
    assert there["horizontal_motion"] == pytest.approx(-here["horizontal_motion"], abs=0.004)
