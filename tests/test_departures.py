"""What departures are worth: two steps of variants of the smallest preset, and no landmarks."""

import dataclasses
import functools
import json

import numpy as np
import pytest
import torch

from talker import train as loop
from talker.checkpoint import load_generator
from talker.config import preset
from talker.errors import TalkerError
from talker.experiments import departures, talking_tables, trials
from talker.experiments.departures import (
    ADVERSARIAL,
    MEASURES,
    SCALE,
    SCRATCH,
    VARIANTS,
    configured,
    differences,
    main,
    planned,
)
from talker.experiments.trials import changed
from talker.metrics.intervals import bootstrap
from talker.trainer import Trainer


def setting(config, path: str):
    section, name = path.split(".")
    return getattr(getattr(config, section), name)


def journal(run) -> list[dict]:
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


def stub(generator, clips, seed):
    """Rows that depend on the weights and the clip, as those of `talking.measure` do."""
    mark = float(generator.content_encoder.state_dict()["gru.weight_hh_l0"].abs().mean())
    rows = []
    for number, clip in enumerate(clips):
        lists = {name: [mark, number] for name in ("blink_seconds", "blink_seconds_real")}
        numbers = {name: mark + number for name in (*MEASURES, *SCALE) if name not in lists}
        about = {"clip": clip.name, "speaker": clip.speaker, "split": clip.split, "skin": None}
        rows.append(about | {"closures": 2} | numbers | lists)
    return rows, {}


def shrink(patch, start) -> None:
    """The smallest preset for two steps of each phase."""
    small = {"PRESET": "smoke", "STEPS_A": 2, "STEPS_B": 2, "START": start}
    for name, value in small.items():
        patch.setattr(departures, name, value)
    patch.setattr(departures, "measure", stub)
    # What takes seconds and has tests of its own.
    patch.setattr(loop, "Validation", lambda *_: None)
    few = functools.partial(bootstrap, draws=50)
    for module in (departures, talking_tables):
        patch.setattr(module, "bootstrap", few)


@pytest.fixture(autouse=True)
def small(monkeypatch, start):
    shrink(monkeypatch, start)


@pytest.fixture(scope="module")
def made(noise_corpus, start, tmp_path_factory):
    """The folder of runs and the results of five variants."""
    folder = tmp_path_factory.mktemp("departures")
    out = folder / "departures.json"
    with pytest.MonkeyPatch.context() as patch:
        shrink(patch, start)
        main(noise_corpus, folder / "runs", out, "no-skip-64", "l1-600", "no-warm-up")
    return folder / "runs", out


# ---- settings


@pytest.mark.parametrize("name", VARIANTS)
def test_every_setting_exists_and_differs_from_the_preset(name):
    laptop = preset("laptop")
    for path, value in VARIANTS[name].items():
        held = setting(laptop, path)
        assert value != held and type(value) is type(held)
        assert setting(changed(laptop, VARIANTS[name]), path) == value


def test_only_what_is_named_changes():
    laptop = preset("laptop")
    new = changed(laptop, {"model.injection": False, "losses.l1": 600.0})
    model = dataclasses.replace(laptop.model, injection=False)
    weights = dataclasses.replace(laptop.losses, l1=600.0)
    assert new == dataclasses.replace(laptop, model=model, losses=weights)
    for misspelt in ("model.injections", "lamps.l1"):
        with pytest.raises((TypeError, AttributeError)):
            changed(laptop, {misspelt: 1})


def test_runs_differ_in_their_changes_alone(tmp_path):
    for family, first in ((SCRATCH, "base"), (ADVERSARIAL, "adversarial-base")):
        base = configured(first, tmp_path, tmp_path)
        for name, changes in family.items():
            config = configured(name, tmp_path, tmp_path)
            assert config == changed(base, {"train.out": str(tmp_path / name)} | changes)


def test_what_goes_on_from_trained_weights_has_networks_of_their_shapes(tmp_path):
    base = configured("adversarial-base", tmp_path, tmp_path)
    for name, changes in ADVERSARIAL.items():
        config = configured(name, tmp_path, tmp_path)
        assert (config.model, config.discriminators) == (base.model, base.discriminators)
        assert config.train.warm_up == 1 and "train.warm_up" not in changes


@pytest.mark.parametrize("name", SCRATCH)
def test_networks_of_every_variant_can_be_built_and_take_a_step(name, data, tmp_path):
    trainer = Trainer(configured(name, tmp_path, tmp_path))
    row = trainer.warm_up_step(trainer.draw(data, 0))
    assert all(np.isfinite(value) for value in row.values())


def test_bases_come_first_and_what_is_done_does_not_come():
    assert planned((), {}) == list(VARIANTS)
    assert planned(("no-lips",), {}) == ["base", "no-lips"]
    assert planned(("no-eyes",), {}) == ["adversarial-base", "no-eyes"]
    assert planned(("no-eyes", "no-lips"), {"base": {}, "no-eyes": {}}) == [
        "no-lips",
        "adversarial-base",
    ]
    with pytest.raises(TalkerError, match="no variant lips: use some of base,"):
        planned(("lips", "no-lips"), {})


# ---- paired differences, by hand


def columns_of(**more) -> dict:
    """Three clips; every measure 0 where nothing else is said."""
    blank = {name: [0.0, 0.0, 0.0] for name in MEASURES} | {"blink_seconds": [[], [], []]}
    about = {"clip": ["a", "b", "c"], "speaker": ["p", "q", "r"], "closures": [2, 0, 3]}
    return about | blank | more


def test_differences_are_of_the_same_clip():
    base = columns_of(
        r_opening=[0.9, 0.8, None],
        blinks_per_second=[0.5, 0.0, 1.0],
        blink_seconds=[[0.2, 0.4, 0.9], [0.3], []],
        closed=[2.0, 0.0, 2.0],
    )
    variant = columns_of(
        r_opening=[0.5, 0.6, 0.1],
        blinks_per_second=[0.5, 0.3, 0.0],
        blink_seconds=[[0.1], [], [0.2]],
        closed=[1.0, 0.0, 0.0],
    )
    found = differences(base, variant)
    assert list(found) == list(MEASURES)
    opening = found["r_opening"]  # the median of 0.4 and 0.2
    assert (opening["value"], opening["low"], opening["high"]) == (0.3, 0.2, 0.4)
    assert (opening["clips"], opening["left_out"]) == (2, 1)
    assert found["blinks_per_second"]["value"] == pytest.approx(0.7 / 3, abs=1e-5)  # a mean
    length = found["blink_seconds"]  # 0.4 - 0.1 of the only clip where both blink
    assert (length["value"], length["clips"], length["left_out"]) == (0.3, 1, 2)
    closed = found["closed"]  # 4 of 5 against 1 of 5
    assert (closed["value"], closed["clips"], closed["closures"]) == (0.6, 2, 5)
    assert found["cpbd_ratio"]["value"] == 0


def test_other_clips_are_refused():
    with pytest.raises(TalkerError, match="on other clips"):
        differences(columns_of(), columns_of(clip=["a", "b", "d"]))


# ---- runs


def test_adversarial_variants_begin_with_the_trained_weights(noise_corpus, start, tmp_path):
    """What the warm-up's one step leaves of them: each weight within Adam's tiny first step."""
    config = configured("l1-600", noise_corpus, tmp_path)
    loop.train(changed(config, {"train.steps": 1}))
    begun, given = (load_generator(path) for path in (tmp_path / "l1-600" / "generator", start))
    theirs = given.state_dict()
    for name, value in begun.state_dict().items():
        near = value.half() if value.is_floating_point() else value  # weights are kept in fp16
        assert torch.allclose(near.float(), theirs[name].float(), rtol=1e-3, atol=1e-5), name


def test_runs_have_the_steps_that_they_should(made):
    runs, out = made
    told = json.loads(out.read_text())["variants"]
    assert [row["step"] for row in journal(runs / "base")] == [1, 2]
    for name in ("adversarial-base", "l1-600"):
        first, *rest = journal(runs / name)
        assert "frame_loss" not in first and len(rest) == 2
        assert all({"frame_loss", "grad_frame"} <= row.keys() for row in rest)
    assert json.loads((runs / "l1-600" / "config.json").read_text())["losses"]["l1"] == 600
    alone = journal(runs / "no-warm-up")
    assert alone[0]["step"] == 1 and "frame_loss" in alone[0]
    before = told["no-warm-up"]["seconds"] - alone[-1]["seconds"]
    assert before <= told["base"]["seconds"] + 0.1


def test_the_results_say_what_was_changed_and_what_came_of_it(noise_corpus, made):
    told = json.loads(made[1].read_text())
    assert told["config"]["scratch"]["train"]["start"] is None
    assert told["config"]["adversarial"]["train"]["start"].endswith("start0")
    assert told["circumstances"]["clips"] == 1
    names = {"base", "no-skip-64", "no-warm-up", "adversarial-base", "l1-600"}
    assert told["variants"].keys() == names
    for name, row in told["variants"].items():
        assert row["changes"] == VARIANTS[name] and row["seconds"] > 0
        assert row["values"].keys() == {*MEASURES, *SCALE}
        assert row["per_clip"]["clip"] == ["p002/p002_000"]
        assert ("difference" in row) == (name not in ("base", "adversarial-base"))
        assert row["family"] == ("scratch" if name in SCRATCH else "adversarial")
        rebuilt = name in ("base", "no-skip-64")
        assert ("noise_distance" in row) == rebuilt and ("gaps" in row) != rebuilt
    for name, first in (("no-skip-64", "base"), ("l1-600", "adversarial-base")):
        values = (told["variants"][which]["values"]["r_width"]["value"] for which in (first, name))
        found = told["variants"][name]["difference"]["r_width"]["value"]
        assert found == pytest.approx(np.subtract(*values), abs=2e-5)
    gaps = told["variants"]["l1-600"]["gaps"]
    late = journal(made[0] / "l1-600")[-1]  # the last quarter of three steps
    assert gaps["frame_real - frame_fake"] == pytest.approx(
        late["frame_real"] - late["frame_fake"], abs=1e-4
    )


def test_what_is_done_is_left_alone(noise_corpus, made, monkeypatch):
    def never(*_):
        raise AssertionError("trained again")

    runs, out = made
    before = out.read_bytes()
    monkeypatch.setattr(trials, "train", never)
    main(noise_corpus, runs, out, "base", "l1-600", "no-warm-up")
    assert out.read_bytes() == before
    with pytest.raises(AssertionError, match="trained again"):
        main(noise_corpus, runs, out, "no-eyes")
    assert out.read_bytes() == before


def test_what_another_call_wrote_meanwhile_stays(noise_corpus, made, tmp_path, monkeypatch):
    runs, out = made
    both = tmp_path / "both.json"
    told = json.loads(out.read_text())
    adversarial = {name: row for name, row in told["variants"].items() if name in ADVERSARIAL}

    def meanwhile(name, *_):
        both.write_text(json.dumps(told | {"variants": adversarial}))
        return told["variants"][name]

    monkeypatch.setattr(departures, "examine", meanwhile)
    main(noise_corpus, runs, both, "base")
    assert json.loads(both.read_text())["variants"].keys() == {"base", *adversarial}


def test_results_of_other_settings_are_refused(noise_corpus, made, tmp_path, monkeypatch):
    told = json.loads(made[1].read_text())
    for name, value in (("start", "0" * 64), ("clips", ["p009/p009_000"])):
        out = tmp_path / f"{name}.json"
        out.write_text(json.dumps(told | {name: value}))
        with pytest.raises(TalkerError, match="results of other settings"):
            main(noise_corpus, made[0], out)
    monkeypatch.setattr(departures, "STEPS_A", 3)
    with pytest.raises(TalkerError, match="results of other settings"):
        main(noise_corpus, *made)


def test_a_pause_is_no_training():
    assert departures.paced([{"seconds": value} for value in (1.0, 2.0, 900.0)]) == 6.0


def test_a_loss_that_is_not_finite_is_a_result(noise_corpus, tmp_path, monkeypatch):
    def diverges(config):
        out = tmp_path / "no-lips"
        out.mkdir()
        (out / "log.jsonl").write_text('{"l1_lower": NaN, "seconds": 0.5, "step": 1}\n')
        raise TalkerError("a loss is not finite")

    monkeypatch.setattr(trials, "train", diverges)
    row = departures.examine("no-lips", noise_corpus, tmp_path, [], {})
    assert row["problem"].startswith("a loss is not finite at step 1 (l1_lower = nan)")
    assert (row["steps"], row["seconds"]) == (1, 0.5)


def test_any_other_error_is_an_error(tmp_path):
    with pytest.raises(TalkerError, match="no corpus"):
        departures.train_variant("base", tmp_path / "nowhere", tmp_path, 0.0)
