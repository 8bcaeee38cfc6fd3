"""L1 over the whole frame: what its runs are asked for, two steps of them, claims, the figure."""

import functools
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from figure_scripts import drawn_twice, load_script
from safetensors.torch import load_file
from small_training import settings, started

from talker import train as loop
from talker.errors import TalkerError
from talker.experiments import ablation, claims, trials, whole_frame
from talker.experiments.ablation import base
from talker.experiments.trials import train_trial
from talker.experiments.whole_frame import (
    MEASURES,
    REAL,
    VARIANTS,
    configured,
    frames_of,
    run,
    summarised,
    write_frames,
)
from talker.media import read_image, write_image
from talker.metrics.intervals import bootstrap

SCRIPT = Path(__file__).parents[1] / "figures/fig_whole_frame.py"
few = functools.partial(bootstrap, draws=50)


def stub(generator, clips, seed):
    """Rows that depend on the weights and the clip, as those of `talking.measure` do."""
    mark = float(sum(p.detach().double().abs().mean() for p in generator.parameters()))
    rows = []
    for number, clip in enumerate(clips):
        values = {name: mark + number for name in MEASURES}
        about = {"clip": clip.name, "speaker": clip.speaker}
        rows.append(about | values | {f"{name}_real": 0.5 + number for name in REAL})
    film = np.full((75, 128, 96, 3), 9, np.uint8)
    return rows, {clip.speaker: (film, film + 100) for clip in clips}


def shrink(patch, start: Path) -> None:
    """The smallest preset for two steps of each phase."""
    for name, value in (("PRESET", "smoke"), ("WARM_UP", 2), ("STEPS", 2), ("PRECISION", "fp32")):
        patch.setattr(ablation, name, value)
    patch.setattr(ablation, "START", start)
    patch.setattr(whole_frame, "measure", stub)
    patch.setattr(loop, "Validation", lambda *_: None)
    patch.setattr(claims, "bootstrap", few)


@pytest.fixture(autouse=True)
def small(monkeypatch, start):
    shrink(monkeypatch, start)


@pytest.fixture(scope="module")
def made(noise_corpus, start, tmp_path_factory) -> tuple[Path, Path]:
    """The folder of the runs of seed 0, among them "full" as the ablation trains it; results."""
    folder = tmp_path_factory.mktemp("whole")
    runs, out = folder / "runs", folder / "whole_frame.json"
    with pytest.MonkeyPatch.context() as patch:
        shrink(patch, start)
        of_ablation = ablation.configured("full", 0, noise_corpus, runs)
        trials.branch(of_ablation, base(0, noise_corpus, runs))
        assert train_trial(of_ablation) is None
        run(noise_corpus, runs, out, seeds=(0,))
    return runs, out


def journal(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


# ---- what is asked


def test_variants_are_the_ablations_or_differ_from_its_full_model_as_told(tmp_path):
    full = settings(ablation.configured("full", 0, tmp_path, tmp_path))
    for name in ("full", "no-adv"):
        assert configured(name, 0, tmp_path, tmp_path) == ablation.configured(
            name, 0, tmp_path, tmp_path
        )
    lambdas = {"losses.img", "losses.sync", "losses.seq"}
    differ = {
        name: {
            k for k, v in settings(configured(name, 0, tmp_path, tmp_path)).items() if v != full[k]
        }
        for name in ("whole", "blind")
    }
    assert differ["whole"] == {"train.out", "train.warm_up", "train.warm_up_rate"}
    assert differ["blind"] == lambdas | {"train.out", "train.warm_up", "train.eyes_weight"}
    assert all(settings(configured("blind", 0, tmp_path, tmp_path))[key] == 0 for key in lambdas)


def test_blind_l1_is_of_frames_with_the_generators_own_noise(data, tmp_path):
    """It reaches the noise generator, and is the lower half, the eyes and some of the still."""
    config = configured("blind", 0, tmp_path, tmp_path)
    for step in (2, 3):
        trainer = started(config)
        (draw,) = trainer.draw(data, step)
        loss, row = trainer.persuade(trainer.imagine(draw))
        l1 = row["l1_lower"] + row["l1_eyes"] + config.train.still_weight * row["l1_still"]
        assert loss.item() == pytest.approx(config.losses.l1 * l1.item(), rel=1e-5)
        loss.backward()
        noise = [p.grad for p in trainer.generator.noise_generator.parameters()]
        assert any(gradient is not None and gradient.abs().max() > 0 for gradient in noise)
        encoder = trainer.modules["noise_encoder"].parameters()
        assert all(parameter.grad is None for parameter in encoder)


# ---- runs


def test_runs_go_on_from_one_warm_up_for_as_many_steps(made):
    runs, _ = made
    for name in VARIANTS:
        log = journal(runs / f"{name}-0")
        assert [row["step"] for row in log] == [3, 4]
        assert all(("img" in row) == (name != "whole") for row in log)
    first, whole, blind = (
        load_file(runs / f"{name}-0" / "state.safetensors")
        for name in ("warm-up", "whole", "blind")
    )
    judge = [key for key in first if key.startswith("module/frame/")]
    assert judge and all(torch.equal(first[key], whole[key]) for key in judge)
    noise = [key for key in first if key.startswith("module/noise_encoder/")]
    assert any(not torch.equal(first[key], whole[key]) for key in noise)
    assert all(torch.equal(first[key], blind[key]) for key in noise)


def test_results_hold_values_effects_claims_and_frames(noise_corpus, made):
    runs, out = made
    told = json.loads(out.read_text())
    assert told["runs"].keys() == {f"{name}-0" for name in VARIANTS}
    marks = {name: row["per_clip"]["psnr"][0] for name, row in told["runs"].items()}
    assert len(set(marks.values())) == len(VARIANTS)
    for name in VARIANTS:
        assert told["variants"][name]["psnr"]["value"] == pytest.approx(
            marks[f"{name}-0"], abs=1e-4
        )
        if name != "full":
            effect = told["effects"][name]["psnr"]["value"]
            assert effect == pytest.approx(marks[f"{name}-0"] - marks["full-0"], abs=2e-5)
    assert told["real"]["cpbd"]["value"] == 0.5 and told["real"].keys() == set(REAL)
    assert len(told["claims"]) == 8 and told["clips"] == ["p022/p022_000"]
    assert told["frames"] == ["real", *VARIANTS]
    picture = read_image(out.with_name("whole_frame_frames.png"))
    assert picture.shape == (5 * 128, 3 * 96, 3)
    assert (picture[:128] == 9).all() and (picture[128:] == 109).all()


def test_what_is_done_is_left_alone(noise_corpus, made, monkeypatch):
    runs, out = made
    before = out.read_bytes()
    monkeypatch.setattr(whole_frame, "examine", lambda *_: pytest.fail("made again"))
    run(noise_corpus, runs, out, seeds=(0,))
    assert out.read_bytes() == before
    monkeypatch.setattr(ablation, "STEPS", 3)
    with pytest.raises(TalkerError, match="results of other settings"):
        run(noise_corpus, runs, out, seeds=(0,))


def test_a_loss_that_is_not_finite_is_a_result(noise_corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(whole_frame, "branch", lambda config, first: None)
    monkeypatch.setattr(whole_frame, "train_trial", lambda config: "a loss is not finite")
    row = whole_frame.examine("whole", 0, noise_corpus, tmp_path, [])
    assert row["problem"] == "a loss is not finite" and "per_clip" not in row
    told = summarised({"whole-0": row})
    assert told["variants"] == told["real"] == told["effects"] == {}
    assert {claim["verdict"] for claim in told["claims"]} == {"undecided"}


# ---- sums, by hand


def columns_of(**more) -> dict:
    names = (*MEASURES, *(f"{name}_real" for name in REAL))
    return {"clip": ["a", "b"]} | {name: [1.0, 2.0] for name in names} | more


def test_effects_and_claims_are_of_the_same_clip_averaged_over_seeds():
    rows = {
        "full-0": columns_of(cpbd=[0.30, 0.50], blinks_per_second=[0.4, 0.4]),
        "full-1": columns_of(cpbd=[0.40, 0.60], blinks_per_second=[0.4, 0.4]),
        "no-adv-0": columns_of(blinks_per_second=[0.1, 0.1]),
        "no-adv-1": columns_of(blinks_per_second=[0.1, 0.1]),
        "whole-0": columns_of(cpbd=[0.10, 0.30], blinks_per_second=[0.2, 0.2], psnr=[2.0, 1.0]),
        "whole-1": columns_of(cpbd=[0.30, 0.50], blinks_per_second=[0.2, 0.2], psnr=[2.0, 1.0]),
    }
    done = {}
    for name, per_clip in rows.items():
        variant, seed = name.rsplit("-", 1)
        done[name] = {"variant": variant, "seed": int(seed), "per_clip": per_clip}
    told = summarised(done)
    effect = told["effects"]["whole"]["cpbd"]  # of both clips -0.2 with one seed, -0.1 with another
    assert [effect[key] for key in ("value", "low", "high")] == [-0.15] * 3
    assert told["variants"]["full"]["cpbd"]["value"] == 0.45
    verdicts = {claim["says"]: claim["verdict"] for claim in told["claims"]}
    assert verdicts["whole frame: blurred"] == "reproduced"
    assert verdicts["whole frame: better PSNR"] == "undecided"  # +1 and -1
    assert verdicts["whole frame: fewer blinks than proposed"] == "reproduced"
    assert verdicts["whole frame: fewer blinks than lower half"] == "not reproduced"
    assert verdicts["eyes too, blind: blurred"] == "undecided"  # not made yet


def test_frames_stand_in_the_order_of_the_variants(tmp_path):
    """Also after an interruption, when results come sorted by name; of each the first seed."""
    film = np.arange(75, dtype=np.uint8)[:, None, None, None] * np.ones((1, 8, 6, 3), np.uint8)
    row = frames_of([film, film + 1, film + 2, film + 3])
    assert row.shape == (8, 9 * 6, 3)
    assert row[0, ::6, 0].tolist() == [8, 38, 67, 9, 39, 68, 10, 40, 69]
    done = {}
    for level, name in enumerate(("blind-0", "full-0", "full-1", "whole-0")):
        picture = np.stack([row, row + level]).reshape(16, -1, 3)
        write_image(tmp_path / name / "shown.png", picture)
        done[name] = {"variant": name.rsplit("-", 1)[0], "per_clip": {}}
    done["no-adv-0"] = {"variant": "no-adv", "problem": "a loss is not finite"}
    names = write_frames(tmp_path / "w.json", done, tmp_path)
    assert names == ["real", "full", "whole", "blind"]
    levels = read_image(tmp_path / "w_frames.png")[::8, 0, 0].tolist()
    assert levels == [8, 9, 11, 8]


# ---- the figure


def test_the_figure_shows_frames_values_and_claims(tmp_path):
    script = load_script("fig_whole_frame")
    dice, done = np.random.default_rng(0), {}
    for name in VARIANTS:
        per_clip = {key: dice.uniform(0.2, 0.9, 2).tolist() for key in columns_of()}
        done[f"{name}-0"] = {
            "variant": name,
            "seed": 0,
            "per_clip": per_clip | {"clip": ["a", "b"]},
        }
    circumstances = {"clips": 2, "speakers": 2, "steps": 7}
    results = summarised(done) | {"frames": ["real", *VARIANTS], "circumstances": circumstances}
    picture = dice.integers(0, 255, (5 * 128, 9 * 96, 3), np.uint8)
    figure = drawn_twice(script.draw, results, picture, folder=tmp_path)
    strip, *panels, told = figure.axes
    assert [label.get_text() for label in strip.get_yticklabels()] == [*script.NAMES.values()]
    for axes, name in zip(panels, script.PANELS, strict=True):
        dots = [line for line in axes.lines if line.get_marker() == "o"]
        assert len(dots) == 4 + (name in REAL)
    said = [text.get_text() for text in told.texts]
    assert all(claim["says"] in said for claim in results["claims"])
