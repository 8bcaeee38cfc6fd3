"""The ablation on two steps of the smallest preset: starts, gradients, results, interruptions."""

import functools
import json
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from small_training import SMOKE, settings, started

from talker import evaluate as evaluation
from talker import train as loop
from talker.checkpoint import save_generator
from talker.config import preset
from talker.errors import TalkerError
from talker.experiments import ablation, claims, trials
from talker.experiments import made as films
from talker.experiments.ablation import VARIANTS, base, configured, examine, main, pooled
from talker.experiments.trials import branch, changed
from talker.media import read_audio
from talker.metrics.intervals import bootstrap
from talker.metrics.reconstruction import psnr
from talker.metrics.registry import METRICS
from talker.models.generator import Generator
from talker.store import clips
from talker.trainer import Trainer
from talker.video import read_video

# Without landmarks, networks and blocks, which take seconds a clip and have tests of their own.
CHEAP = ("psnr", "psnr_lower", "ssim", "ssim_lower", "laplacian")
LAMBDAS = {
    "full": set(),
    "no-adv": {"losses.img", "losses.sync", "losses.seq"},
    "no-l1": {"losses.l1"},
    "no-img": {"losses.img"},
    "no-sync": {"losses.sync"},
    "no-seq": {"losses.seq"},
}
CLIP = "p022/p022_000"  # the noise corpus's only one to test on
few = functools.partial(bootstrap, draws=50)


def quick(generated, real, out):
    """`evaluate` for what is cheap; of the rest nothing is known."""
    evaluation.evaluate(generated, real, out, CHEAP, workers=1)
    found = json.loads(out.read_text())
    for name in METRICS.keys() - set(CHEAP):
        found["metrics"][name] = {"generated": few([]), "real": few([])}
        for side in ("generated", "real"):
            found["per_clip"][side][name] = [None] * len(found["per_clip"]["clip"])
    out.write_text(json.dumps(found))


def shrink(patch, start: Path) -> None:
    """The smallest preset for two steps of each phase: a whole sequence, then snippets."""
    for name, value in (("PRESET", "smoke"), ("WARM_UP", 2), ("STEPS", 2), ("PRECISION", "fp32")):
        patch.setattr(ablation, name, value)
    patch.setattr(ablation, "START", start)
    patch.setattr(films, "evaluate", quick)
    patch.setattr(loop, "Validation", lambda *_: None)
    for module in (ablation, claims):
        patch.setattr(module, "bootstrap", few)


@pytest.fixture(autouse=True)
def small(monkeypatch, start):
    shrink(monkeypatch, start)


@pytest.fixture(scope="module")
def made(noise_corpus, start, tmp_path_factory) -> tuple[Path, Path]:
    """The folder of the runs of seed 0, and the results."""
    folder = tmp_path_factory.mktemp("ablation")
    with pytest.MonkeyPatch.context() as patch:
        shrink(patch, start)
        main(noise_corpus, folder / "runs", folder / "ablation.json", seeds=(0,))
    return folder / "runs", folder / "ablation.json"


def journal(run: Path) -> list[dict]:
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


# ---- settings


@pytest.mark.parametrize("name", VARIANTS)
def test_variants_differ_in_exactly_the_lambdas_that_they_name(name, monkeypatch, tmp_path):
    for which in ("laptop", "smoke"):
        monkeypatch.setattr(ablation, "PRESET", which)
        ours = settings(configured(name, 1, tmp_path, tmp_path))
        full = settings(configured("full", 1, tmp_path, tmp_path))
        differ = {key for key in full if ours[key] != full[key]}
        assert differ - {"train.out"} == LAMBDAS[name]
        assert all(ours[key] == 0 and full[key] > 0 for key in LAMBDAS[name])
        first = settings(base(1, tmp_path, tmp_path))
        changed_since = {key for key in full if first[key] != full[key]}
        assert changed_since == {"train.out", "train.steps"}


def test_the_preset_is_kept_but_for_what_makes_runs_equally_long(monkeypatch, tmp_path):
    monkeypatch.setattr(ablation, "PRESET", "laptop")
    full, laptop = (
        settings(c) for c in (configured("full", 0, tmp_path, tmp_path), preset("laptop"))
    )
    differ = {key.removeprefix("train.") for key in full if full[key] != laptop[key]}
    length = {"steps", "minutes", "warm_up", "sample_every", "validate_every", "patience"}
    assert differ - length == {"corpus", "out", "start"}  # precision: as `shrink` set it


# ---- gradients


def pull(trainer: Trainer, data, step: int) -> tuple[list[torch.Tensor], dict, float]:
    """The gradient of Eq. 7 in the generator, its terms and the loss."""
    (draw,) = trainer.draw(data, step)
    loss, row = trainer.persuade(trainer.imagine(draw))
    parameters = list(trainer.generator.parameters())
    gradient = torch.autograd.grad(loss, parameters, allow_unused=True)
    kept = [g for g in gradient if g is not None]
    return kept, {name: value.item() for name, value in row.items()}, loss.item()


@pytest.mark.parametrize(
    ("name", "judges", "step"),
    [
        ("no-adv", ("frame", "sequence", "sync"), 2),
        ("no-adv", ("frame", "sequence", "sync"), 3),
        ("no-img", ("frame",), 2),
        ("no-img", ("frame",), 3),
        ("no-seq", ("sequence",), 2),
        ("no-sync", ("sync",), 3),
    ],
)
def test_a_judge_without_weight_pulls_at_nothing(name, judges, step, data, tmp_path):
    """Whatever it believes, the generator's gradient is bit for bit the same; not so in "full"."""
    for which, same in ((name, True), ("full", False)):
        trainer = started(configured(which, 0, tmp_path, tmp_path))
        trainer.freeze()
        before, _, _ = pull(trainer, data, step)
        for judge in judges:
            for parameter in trainer.modules[judge].parameters():
                torch.nn.init.normal_(parameter, std=0.2)
        after, _, _ = pull(trainer, data, step)
        assert any(gradient.abs().max() > 0 for gradient in before)
        assert all(torch.equal(*pair) for pair in zip(before, after, strict=True)) == same


def test_without_l1_only_judges_and_the_reading_of_lips_are_left(data, tmp_path):
    for name, left in (("no-l1", True), ("full", False)):
        config = configured(name, 0, tmp_path, tmp_path)
        trainer = started(config)
        trainer.freeze()
        _, row, loss = pull(trainer, data, 3)
        weights, every = config.losses, config.train.sequence_every
        judged = weights.img * row["img"] + weights.sync * row["sync"] * every / (every - 1)
        rest = loss - judged - config.train.lips_weight * row["lips"]
        assert (abs(rest) < 1e-4) == left


# ---- runs


def test_all_runs_of_a_seed_start_with_the_same_bytes(noise_corpus, made, tmp_path):
    runs, _ = made
    first = base(0, noise_corpus, runs)
    bytes_of_warm_up = (runs / "warm-up-0" / "state.safetensors").read_bytes()
    for name in VARIANTS:
        config = changed(
            configured(name, 0, noise_corpus, runs), {"train.out": str(tmp_path / name)}
        )
        branch(config, first)
        assert (tmp_path / name / "state.safetensors").read_bytes() == bytes_of_warm_up
    assert [row["step"] for row in journal(runs / "warm-up-0")] == [1, 2]


def test_first_steps_are_alike_and_what_is_learnt_is_not(made):
    """The first adversarial losses come before a lambda can matter; the last weights after."""
    runs, _ = made
    logs = {name: journal(runs / f"{name}-0") for name in VARIANTS}
    for name, log in logs.items():
        assert [row["step"] for row in log] == [3, 4]
        for term in ("img", "seq", "l1_lower", "lips", "frame_loss", "sequence_loss"):
            assert log[0][term] == logs["full"][0][term], (name, term)
    weights = {
        tuple(
            value.sum().item() for key, value in sorted(held.items()) if "module/generator/" in key
        )
        for held in (load_file(runs / f"{name}-0" / "state.safetensors") for name in VARIANTS)
    }
    assert len(weights) == len(VARIANTS)


def test_a_seed_has_a_start_of_its_own(tmp_path):
    assert base(0, tmp_path, tmp_path).train.out != base(1, tmp_path, tmp_path).train.out
    assert base(1, tmp_path, tmp_path).train.seed == 1


def test_clips_are_films_with_sound_that_say_what_they_are(noise_corpus, made):
    path = made[0] / "full-0" / "clips" / f"{CLIP}.mp4"
    frames, fps = read_video(path)
    real, _ = read_video(noise_corpus / f"{CLIP}.mp4")
    assert frames.shape == real.shape and fps == 25 and not np.array_equal(frames, real)
    heard, rate = read_audio(path)
    assert len(heard) / rate == pytest.approx(3, abs=0.05) and np.abs(heard).max() > 0.01
    with av.open(str(path)) as container:
        assert "Synthetic video" in container.metadata["comment"]


def test_the_results_hold_runs_variants_and_the_paper(noise_corpus, made):
    told = json.loads(made[1].read_text())
    assert list(told["runs"]) == sorted(f"{name}-0" for name in VARIANTS)
    real = read_video(noise_corpus / f"{CLIP}.mp4")[0]
    for name, changes in VARIANTS.items():
        row = told["runs"][f"{name}-0"]
        assert (row["changes"], row["seed"], row["steps"]) == (changes, 0, 2)
        assert row["seconds"] > 0 and row["commit"] and row["per_clip"]["clip"] == [CLIP]
        films = read_video(made[0] / f"{name}-0" / "clips" / f"{CLIP}.mp4")[0]
        assert row["per_clip"]["psnr"] == [pytest.approx(psnr(films, real), abs=1e-4)]
        assert (
            row["per_clip"].keys() == row["values"].keys() | {"clip"} == METRICS.keys() | {"clip"}
        )
        variant = told["variants"][name]
        assert variant["seeds"] == [0] and variant["values"]["psnr"]["clips"] == 1
        assert variant["values"]["psnr"]["value"] == row["values"]["psnr"]["value"]
    assert told["paper"]["no-adv"]["psnr"] == 28.467 and told["paper"]["no-l1"]["wer"] == 0.564
    assert told["paper"]["real"]["psnr"] is None and told["paper"].keys() == {*VARIANTS, "real"}
    assert told["real"]["values"]["laplacian"]["value"] > 0 and "psnr" not in told["real"]["values"]
    assert told["clips"] == [CLIP] and told["circumstances"]["clips"] == 1


def test_claims_rest_on_the_values_of_the_runs(made):
    told = json.loads(made[1].read_text())
    assert [row["says"] for row in told["claims"]] == [claim.says for claim in claims.CLAIMS]
    psnrs = {name: told["runs"][f"{name}-0"]["per_clip"]["psnr"][0] for name in VARIANTS}
    best = told["claims"][0]
    for other, found in best["against"].items():
        assert found["effect"]["value"] == pytest.approx(psnrs["no-adv"] - psnrs[other], abs=2e-5)
    undefined = [row for row in told["claims"] if row["measure"] == "wer"]
    assert undefined and all(row["verdict"] == "undecided" for row in undefined)


def test_values_of_a_clip_are_averaged_over_seeds_before_clips_are_drawn():
    blank = {"clip": ["a/1", "b/1"]} | {name: [None, None] for name in METRICS}
    runs = {0: blank | {"psnr": [20.0, 30.0], "blink_duration": [0.2, None]}}
    runs[1] = blank | {"psnr": [24.0, 14.0], "blink_duration": [0.4, None]}
    values = pooled(runs)
    assert [values["psnr"][key] for key in ("value", "low", "high")] == [22, 22, 22]
    length = values["blink_duration"]
    assert (length["value"], length["clips"], length["left_out"]) == (0.3, 1, 1)
    assert values["wer"]["value"] is None


def test_what_is_done_is_left_alone(noise_corpus, made, monkeypatch):
    def never(*_):
        raise AssertionError("trained again")

    runs, out = made
    before = out.read_bytes()
    monkeypatch.setattr(trials, "train", never)
    main(noise_corpus, runs, out, seeds=(0,))
    assert out.read_bytes() == before
    with pytest.raises(AssertionError, match="trained again"):
        main(noise_corpus, runs, out, seeds=(0, 1))
    assert out.read_bytes() == before


def test_an_interrupted_run_goes_on_to_the_same_weights(noise_corpus, made, tmp_path, monkeypatch):
    whole = trials.train

    def cut_off(config):
        if config.train.out.endswith("no-l1-0"):
            whole(changed(config, {"train.steps": 3}))
            raise KeyboardInterrupt
        return whole(config)

    runs, out = tmp_path / "runs", tmp_path / "ablation.json"
    two = {name: VARIANTS[name] for name in ("full", "no-l1")}
    monkeypatch.setattr(ablation, "VARIANTS", two)
    monkeypatch.setattr(trials, "train", cut_off)
    with pytest.raises(KeyboardInterrupt):
        main(noise_corpus, runs, out, seeds=(0,))
    assert list(json.loads(out.read_text())["runs"]) == ["full-0"]
    assert [row["step"] for row in journal(runs / "no-l1-0")] == [3]
    monkeypatch.setattr(trials, "train", whole)
    main(noise_corpus, runs, out, seeds=(0,))
    assert [row["step"] for row in journal(runs / "no-l1-0")] == [3, 4]
    again, before = (json.loads(path.read_text())["runs"]["no-l1-0"] for path in (out, made[1]))
    assert again["weights"] == before["weights"] and again["per_clip"] == before["per_clip"]


@pytest.mark.parametrize(("name", "value"), [("STEPS", 3), ("WARM_UP", 3)])
def test_results_of_other_settings_are_refused(noise_corpus, made, monkeypatch, name, value):
    monkeypatch.setattr(ablation, name, value)
    with pytest.raises(TalkerError, match="results of other settings"):
        main(noise_corpus, *made)


def test_results_of_another_start_are_refused(noise_corpus, made, monkeypatch, start):
    torch.manual_seed(6)
    before = {path: path.read_bytes() for path in start.iterdir()}
    save_generator(start, Generator(SMOKE.model), {})
    try:
        with pytest.raises(TalkerError, match="results of other settings"):
            main(noise_corpus, *made)
    finally:
        for path, content in before.items():
            path.write_bytes(content)


def test_a_loss_that_is_not_finite_is_a_result(noise_corpus, tmp_path, monkeypatch):
    def diverges(config):
        out = Path(config.train.out)
        out.mkdir(exist_ok=True)
        (out / "state.safetensors").touch()
        (out / "log.jsonl").write_text('{"img": NaN, "seconds": 0.5, "step": 3}\n')
        if "warm-up" not in out.name:
            raise TalkerError("a loss is not finite")

    monkeypatch.setattr(trials, "train", diverges)
    row = examine("no-l1", 0, noise_corpus, tmp_path, clips(noise_corpus, "test"))
    assert row["problem"].startswith("a loss is not finite at step 3 (img = nan)")
    assert (row["steps"], row["seconds"]) == (1, 0.5) and "per_clip" not in row
    told = ablation.summarised({"no-l1-0": row})
    assert told["variants"] == {}
    assert {c["verdict"] for c in told["claims"] if not c["untested"]} == {"undecided"}


def test_a_clip_that_cannot_be_measured_is_an_error(noise_corpus, tmp_path, monkeypatch):
    """Variants are compared clip by clip: none may lack one."""

    def forgets(generated, real, out):
        out.write_text('{"per_clip": {"clip": []}}')

    monkeypatch.setattr(films, "evaluate", forgets)
    with pytest.raises(TalkerError, match=f"{CLIP} in {tmp_path} could not be measured"):
        told = tmp_path / "evaluation.json"
        films.measured(tmp_path, noise_corpus, clips(noise_corpus, "test"), told)
