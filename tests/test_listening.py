"""The sync loss with a judge that listens: where the runs start, two steps of each, the figure."""

import functools
import json

import numpy as np
import pytest
import torch
from figure_scripts import drawn_twice, load_script
from safetensors.torch import load_file
from small_training import settings

from talker import evaluate as evaluation
from talker import train as loop
from talker.errors import TalkerError
from talker.experiments import claims, departures, listening, teaching
from talker.experiments import made as films
from talker.experiments.listening import (
    MEASURES,
    TRAINED,
    VARIANTS,
    configured,
    judge_of,
    run,
    summarised,
)
from talker.metrics.intervals import bootstrap

few = functools.partial(bootstrap, draws=50)


def quick(generated, real, out, metrics):
    """`evaluate` without the networks: 0.5 stands for what they say."""
    evaluation.evaluate(generated, real, out, ("psnr_lower", "cpbd"), workers=1)
    found = json.loads(out.read_text())
    for name in set(metrics) - {"psnr_lower", "cpbd"}:
        for side in ("generated",) if name in ("opening", "width") else ("generated", "real"):
            found["per_clip"][side][name] = [0.5]
            found["metrics"].setdefault(name, {})[side] = few([0.5])
    found["identity"] = {"different_people": 1.0}
    out.write_text(json.dumps(found))


def shrink(patch) -> None:
    for name, value in {"PRESET": "smoke", "STEPS": 4}.items():
        patch.setattr(listening, name, value)
    for name, value in {"PRESET": "smoke", "STEPS_A": 2, "PRECISION": "fp32"}.items():
        patch.setattr(departures, name, value)
    for name, value in {"STEPS": 2, "CLIPS": 2, "SNIPPETS": 12, "HELD_OUT": (1, 2)}.items():
        patch.setattr(teaching, name, value)
    patch.setattr(films, "evaluate", quick)
    patch.setattr(loop, "Validation", lambda *_: None)
    patch.setattr(claims, "bootstrap", few)


@pytest.fixture(scope="module")
def made(noise_corpus, tmp_path_factory):
    folder = tmp_path_factory.mktemp("listening")
    with pytest.MonkeyPatch.context() as patch:
        shrink(patch)
        run(noise_corpus, folder / "runs", folder / "listening.json")
    return folder / "runs", folder / "listening.json"


def test_variants_differ_in_the_sync_loss_or_in_where_they_start(tmp_path):
    told = {name: settings(configured(name, tmp_path, tmp_path)) for name in TRAINED}
    for name, differ in {
        "without": {"losses.sync"},
        "strong": {"losses.sync"},
        "untaught": {"train.start"},
    }.items():
        found = {key for key, value in told[name].items() if value != told["taught"][key]}
        assert found == {*differ, "train.out"}
    assert told["without"]["losses.sync"] == 0
    assert told["strong"]["losses.sync"] == pytest.approx(5 * told["taught"]["losses.sync"])


def test_the_taught_start_is_the_base_with_another_judge(made):
    runs, _ = made
    for name in ("generator.safetensors", "companions.safetensors"):
        base, start = (load_file(runs / f / name) for f in ("base/generator", "taught-start"))
        assert base.keys() == start.keys()
        other = {key.split(".")[0] for key in base if not torch.equal(base[key], start[key])}
        assert other == ({"sync"} if name.startswith("companions") else set())
    judge = load_file(runs / "judge/judge.safetensors")
    assert all(torch.equal(judge[key], start[f"sync.{key}"]) for key in judge)


def test_every_variant_is_made_from_its_start_and_measured(made):
    runs, out = made
    told = json.loads(out.read_text())
    assert set(told["runs"]) == set(VARIANTS)
    assert len({row["weights"] for row in told["runs"].values()}) == len(VARIANTS)
    assert told["runs"]["start"]["weights"] == told["base"]
    for name in VARIANTS:
        row = told["runs"][name]
        assert row["values"].keys() == set(MEASURES) and row["per_clip"]["clip"] == told["clips"]
        if name in TRAINED:
            assert row["seconds"] > 0 and row["hearing"].keys() >= {"auc", "within_one"}
            assert "sync_real - sync_shifted" in row["gaps"]
    assert told["hearing"].keys() == {"taught", "untaught"}
    assert told["hearing"]["taught"] != told["hearing"]["untaught"]
    assert "opening" not in told["real"]["values"] and "wer" in told["real"]["values"]
    assert [claim["verdict"] for claim in told["claims"]] == ["undecided"] * 4


def test_without_its_loss_the_judge_still_learns(noise_corpus, made, monkeypatch):
    """So that what it hears can be compared: only the generator is not told."""
    runs, _ = made
    shrink(monkeypatch)
    before = load_file(runs / "taught-start/companions.safetensors")
    judge = judge_of(configured("without", noise_corpus, runs), runs / "without/generator")
    key = "video.0.0.weight"
    assert not torch.equal(judge.state_dict()[key].half(), before[f"sync.{key}"])


def test_what_is_done_is_left_alone(noise_corpus, made, monkeypatch):
    runs, out = made
    shrink(monkeypatch)
    monkeypatch.setattr(listening, "examine", lambda *_: pytest.fail("made again"))
    monkeypatch.setattr(teaching, "_lessons", lambda *_: pytest.fail("taught again"))
    before = out.read_bytes()
    run(noise_corpus, runs, out)
    assert out.read_bytes() == before
    monkeypatch.setattr(teaching, "STEPS", 3)
    with pytest.raises(TalkerError, match="results of other settings"):
        run(noise_corpus, runs, out)


def test_a_loss_that_is_not_finite_is_a_result(noise_corpus, made, monkeypatch):
    runs, _ = made
    shrink(monkeypatch)
    monkeypatch.setattr(listening, "train_trial", lambda config: "a loss is not finite")
    row = listening.examine("strong", noise_corpus, runs, [], None)
    assert row["problem"] == "a loss is not finite" and "per_clip" not in row
    assert {claim["verdict"] for claim in summarised({"strong": row})["claims"]} == {"undecided"}


def test_claims_ask_for_less_confidence_and_more_errors_without_the_loss():
    def row(confidence: float, wer: float) -> dict:
        values = {"av_confidence": confidence, "wer": wer}
        columns = {name: [values.get(name, 0.5)] * 4 for name in MEASURES}
        return {"per_clip": {"clip": ["a/1", "a/2", "b/1", "c/1"]} | columns}

    rows = {"taught": row(0.9, 0.2), "strong": row(0.7, 0.4), "without": row(0.8, 0.3)}
    told = summarised(rows)["claims"]
    assert [(c["measure"], c["against"][c["decided_by"]]["verdict"]) for c in told] == [
        ("av_confidence", "reproduced"),
        ("wer", "reproduced"),
        ("av_confidence", "not reproduced"),
        ("wer", "not reproduced"),
    ]


def test_the_figure_shows_every_generator_what_judges_hear_and_every_claim(tmp_path):
    dice, rows = np.random.default_rng(0), {}
    for name in VARIANTS:
        clips = ["a/1", "a/2", "b/1"]
        columns = {measure: dice.uniform(0.2, 0.9, 3).tolist() for measure in MEASURES}
        values = {measure: few(columns[measure]) for measure in MEASURES}
        rows[name] = {"per_clip": {"clip": clips} | columns, "values": values}
        if name in TRAINED:
            rows[name]["hearing"] = {"auc": float(dice.uniform(0.5, 1))}
    results = {
        "runs": rows,
        "real": {"values": {"av_confidence": few([0.9, 1.0]), "wer": few([0.1, 0.0])}},
        "hearing": {"taught": {"auc": 0.9}, "untaught": {"auc": 0.5}},
        "circumstances": {"clips": 3, "speakers": 2, "steps": 7},
        **summarised(rows),
    }
    script = load_script("fig_listening")
    figure = drawn_twice(script.draw, results, folder=tmp_path)
    *panels, heard, told = figure.axes
    for axes, name in zip(panels, script.PANELS, strict=True):
        dots = [line for line in axes.lines if line.get_marker() == "o"]
        assert len(dots) == len(VARIANTS) + (name in results["real"]["values"])
    dots = [line for line in heard.lines if line.get_marker() == "o"]
    assert len(dots) == 2 * len(TRAINED)  # before and after
    said = [text.get_text() for text in told.texts]
    assert said.count("without the sync loss WER rises") == 1
    assert said.count("the same, with five times its weight") == 2
