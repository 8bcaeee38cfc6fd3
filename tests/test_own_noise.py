"""Blinks left to the sequence loss: where the runs start, what reaches the noise, two steps."""

import json

import numpy as np
import pytest
import torch
from figure_scripts import drawn_twice, load_script
from safetensors.torch import load_file
from small_training import SMOKE, settings, started

from talker import train as loop
from talker.checkpoint import load_generator
from talker.errors import TalkerError
from talker.experiments import own_noise
from talker.experiments.own_noise import (
    MEASURES,
    TRAINED,
    VARIANTS,
    begin,
    configured,
    of_eyes,
    run,
    summarised,
)
from talker.trainer import Trainer


@pytest.fixture(scope="module")
def whole_start(start):
    """The small start with discriminators beside it."""
    Trainer(SMOKE).networks.save_companions(start)
    return start


def shrink(patch, start) -> None:
    for name, value in (("PRESET", "smoke"), ("STEPS", 2), ("SHIPPED", start), ("DRAWS", 2)):
        patch.setattr(own_noise, name, value)
    patch.setattr(own_noise.begin, "__defaults__", (start,))
    patch.setattr(own_noise, "DlibDetector", lambda: None)
    patch.setattr(own_noise, "seen", traces)
    patch.setattr(loop, "Validation", lambda *_: None)


def traces(frames: np.ndarray, _) -> tuple[np.ndarray, np.ndarray]:
    """Of the pixels, so that other films have other ones: noise has no face."""
    eyes, lips = (frames[:, rows].mean((1, 2, 3)) / 255 for rows in (slice(0, 64), slice(64, 128)))
    return eyes, lips


@pytest.fixture(scope="module")
def made(noise_corpus, whole_start, tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    with pytest.MonkeyPatch.context() as patch:
        shrink(patch, whole_start)
        run(noise_corpus, folder / "runs", folder / "own_noise.json")
    return folder / "runs", folder / "own_noise.json"


# ---- what is asked


def test_variants_differ_in_the_weights_of_two_losses_alone(tmp_path):
    told = {name: settings(configured(name, 0, tmp_path, tmp_path)) for name in TRAINED}
    differ = {
        key for name in TRAINED for key, value in told[name].items() if value != told["with"][key]
    }
    assert differ == {"losses.seq", "losses.img", "train.out"}
    weights = [told[name]["losses.seq"] for name in ("without", "with", "strong")]
    assert weights[0] == 0 < weights[1] < weights[2]
    without = {name for name in TRAINED if told[name]["losses.img"] == 0}
    assert without == {"no-frame", "neither"} and told["neither"]["losses.seq"] == 0


def test_only_the_noise_generator_of_the_start_is_drawn_anew(tmp_path, whole_start):
    begin(tmp_path / "a", 0, whole_start)
    begin(tmp_path / "b", 0, whole_start)
    begin(tmp_path / "other", 1, whole_start)
    weights = {n: load_generator(tmp_path / n).state_dict() for n in ("a", "b", "other")}
    first = load_generator(whole_start).state_dict()
    for name, value in first.items():
        same = torch.equal(weights["a"][name], value)
        assert same != (name.startswith("noise_generator") and value.abs().max() > 0), name
        assert torch.equal(weights["a"][name], weights["b"][name])
    name = "noise_generator.gru.weight_hh_l0"
    assert not torch.equal(weights["a"][name], weights["other"][name])
    a = (tmp_path / "a/companions.safetensors").read_bytes()
    assert a == (whole_start / "companions.safetensors").read_bytes()


def test_a_start_that_is_there_is_left_alone(tmp_path, whole_start):
    begin(tmp_path / "a", 0, whole_start)
    before = (tmp_path / "a/generator.safetensors").read_bytes()
    begin(tmp_path / "a", 1, whole_start)
    assert (tmp_path / "a/generator.safetensors").read_bytes() == before


@pytest.mark.parametrize("variant", ["with", "without"])
def test_the_sequence_loss_reaches_the_noise_generator_where_it_is_on(
    data, tmp_path, monkeypatch, variant
):
    monkeypatch.setattr(own_noise, "PRESET", "smoke")
    config = configured(variant, 0, tmp_path, tmp_path)
    trainer = started(config)
    (draw,) = trainer.draw(data, 2)  # every second one is of whole sequences
    scene = trainer.imagine(draw)
    assert not scene.snippets
    parameters = list(trainer.generator.noise_generator.parameters())
    _, row = trainer.persuade(scene)
    of_sequence = torch.autograd.grad(row["seq"], parameters, retain_graph=True)
    assert max(gradient.abs().max() for gradient in of_sequence) > 0
    all_of_it = torch.autograd.grad(trainer.persuade(scene)[0], parameters, retain_graph=True)
    lower = row["l1_lower"] + config.train.still_weight * row["l1_still"]
    img = torch.autograd.grad(
        config.losses.l1 * lower + config.losses.img * row["img"], parameters, retain_graph=True
    )
    pairs = zip(all_of_it, img, strict=True)
    without = all(torch.allclose(a, b, rtol=1e-3, atol=1e-6) for a, b in pairs)
    assert without == (variant == "without")


# ---- two steps


def test_every_run_is_made_and_measured_from_one_start(made, whole_start):
    runs, out = made
    told = json.loads(out.read_text())
    assert told["runs"].keys() == {"real", *(f"{name}-0" for name in VARIANTS)}
    weights = {name: row.get("weights") for name, row in told["runs"].items()}
    assert weights["shipped-0"] == json.loads((whole_start / "config.json").read_text())["sha256"]
    assert len({weights[f"{name}-0"] for name in VARIANTS}) == len(VARIANTS)
    first = load_file(runs / "start-0/generator.safetensors")
    for name in TRAINED:
        last = load_file(runs / f"{name}-0/generator/generator.safetensors")
        key = "noise_generator.gru.weight_hh_l0"
        assert not torch.equal(last[key], first[key])
        row = told["runs"][f"{name}-0"]
        assert row["seconds"] > 0 and "sequence_real - sequence_fake" in row["gaps"]
    assert told["values"].keys() == {"real", *VARIANTS}
    assert all(set(of) == set(MEASURES) for of in told["values"].values())
    assert len(told["claims"]) == 4 and told["clips"] == ["p022/p022_000"]


def test_what_is_done_is_left_alone(noise_corpus, made, whole_start, monkeypatch):
    runs, out = made
    shrink(monkeypatch, whole_start)
    monkeypatch.setattr(own_noise, "examine", lambda *_: pytest.fail("made again"))
    before = out.read_bytes()
    run(noise_corpus, runs, out)
    assert out.read_bytes() == before
    monkeypatch.setattr(own_noise, "STEPS", 3)
    with pytest.raises(TalkerError, match="results of other settings"):
        run(noise_corpus, runs, out)


def test_a_loss_that_is_not_finite_is_a_result(noise_corpus, made, tmp_path, monkeypatch):
    runs, _ = made
    monkeypatch.setattr(own_noise, "train_trial", lambda config: "a loss is not finite")
    monkeypatch.setattr(own_noise, "PRESET", "smoke")
    row = own_noise.examine("strong", 0, noise_corpus, runs, [])
    assert row["problem"] == "a loss is not finite" and "per_clip" not in row
    assert summarised({"strong-0": row})["values"] == {}


# ---- sums, by hand


def test_a_trace_with_one_dip_has_one_blink():
    ear = np.full(75, 0.6)
    ear[30:38] = [0.4, 0.2, 0.1, 0.1, 0.15, 0.3, 0.45, 0.55]
    told = of_eyes(ear)
    assert told["blinks_per_second"] == pytest.approx(1 / 3)
    assert told["ear_deviation"] == pytest.approx(ear.std())
    assert of_eyes(np.full(75, 0.6)) == {"blinks_per_second": 0, "ear_deviation": 0}


def test_half_of_the_blinks_is_the_bound():
    def row(variant: str, blinks: list[float]) -> dict:
        columns = {name: [0.1, 0.2] for name in MEASURES} | {"blinks_per_second": blinks}
        return {"variant": variant, "seed": 0, "per_clip": {"clip": ["a", "b"]} | columns}

    rows = {
        "with-0": row("with", [0.6, 0.6]),
        "strong-0": row("strong", [1.0, 1.0]),
        "without-0": row("without", [0.4, 0.4]),
        "no-frame-0": row("no-frame", [0.5, 0.5]),
        "neither-0": row("neither", [0.1, 0.1]),
    }
    told = summarised(rows)
    assert [claim["verdict"] for claim in told["claims"]] == [
        "not reproduced",  # by a third only
        "reproduced",
        "reproduced",
        "undecided",
    ]
    assert told["values"]["with"]["blinks_per_second"]["value"] == pytest.approx(0.6)


# ---- the figure


def test_the_figure_shows_every_generator_and_claim(tmp_path):
    dice, rows = np.random.default_rng(0), {}
    for name in ("real", *VARIANTS):
        columns = {measure: dice.uniform(0.2, 0.9, 3).tolist() for measure in MEASURES}
        rows[f"{name}-0"] = {
            "variant": name,
            "seed": 0,
            "per_clip": {"clip": ["a", "b", "c"]} | columns,
        }
    about = {"clips": 3, "speakers": 2, "films": 3, "steps": 7}
    script = load_script("fig_own_noise")
    figure = drawn_twice(script.draw, summarised(rows) | {"circumstances": about}, folder=tmp_path)
    *panels, told = figure.axes
    for axes, name in zip(panels, script.PANELS, strict=True):
        dots = [line for line in axes.lines if line.get_marker() == "o"]
        assert len(dots) == 1 + len(VARIANTS) - (name == "r_opening")
    said = [text.get_text() for text in told.texts]
    assert sum("without sequence loss" in text for text in said) == 2
