"""The adversarial loop on tiny clips: who learns from what, resuming, and what it refuses."""

import copy
import dataclasses
import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from talker import train as loop
from talker.checkpoint import load_generator, read_config
from talker.config import Config, LossWeights, preset
from talker.dataset import Clips
from talker.errors import TalkerError
from talker.media import write_audio, write_video
from talker.store import clips
from talker.train import run, train
from talker.trainer import Trainer, gather, shifted

SMOKE = preset("smoke")


def changed(config: Config, **settings) -> Config:
    return dataclasses.replace(config, train=dataclasses.replace(config.train, **settings))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Three clips of noise in the folders of a rendered corpus, the last of a test performer."""
    folder = tmp_path_factory.mktemp("corpus")
    draw = np.random.default_rng(0)
    for speaker in ("p000", "p001", "p022"):
        stem = folder / speaker / f"{speaker}_000"
        stem.parent.mkdir()
        coarse = draw.integers(0, 255, (75, 8, 6, 3), np.uint8)
        write_video(stem.with_suffix(".mp4"), coarse.repeat(16, 1).repeat(16, 2), 25)
        signal = (0.1 * draw.standard_normal(48000)).astype(np.float32)
        write_audio(stem.with_suffix(".wav"), signal, 16000)
        landmarks = draw.uniform(0, 96, (75, 68, 2)).tolist()
        stem.with_suffix(".json").write_text(json.dumps({"landmarks": landmarks}))
    (folder / "corpus.json").write_text('{"seed": 0}')
    return folder


@pytest.fixture(scope="module")
def data(corpus) -> Clips:
    return Clips(clips(corpus, "train"), SMOKE.model.audio)


def started(config: Config) -> Trainer:
    """A trainer whose generator no longer copies the still: at first only its last layer learns."""
    trainer = Trainer(config)
    torch.nn.init.normal_(trainer.generator.frame_decoder.blocks[-1].grow.weight, std=0.1)
    return trainer


def weights_of(trainer: Trainer) -> dict[str, dict[str, torch.Tensor]]:
    return {
        name: {key: value.clone() for key, value in module.state_dict().items()}
        for name, module in trainer.modules.items()
    }


def moved(trainer: Trainer, before: dict) -> set[str]:
    """The networks, and the generator's parts, that are no longer what they were."""
    names = set()
    for name, module in trainer.modules.items():
        for key, value in module.state_dict().items():
            if not torch.equal(value, before[name][key]):
                part = key.split(".")[0]
                names.add(part if name == "generator" else name)
    return names


# ---- a step of each phase


def test_the_warm_up_teaches_reconstruction_only(data):
    trainer = started(SMOKE)
    before = weights_of(trainer)
    trainer.set_rates(50, 10)
    log = trainer.warm_up_step(data, np.random.default_rng(0))
    assert moved(trainer, before) == {
        *("identity_encoder", "content_encoder", "frame_decoder", "average"),
        *("noise_encoder", "lip_reading"),
    }
    assert all(p.grad is None for p in trainer.generator.noise_generator.parameters())
    for name in ("frame", "sequence", "sync"):
        assert all(p.grad is None for p in trainer.modules[name].parameters())
    assert 0 < log["l1_lower"] < 2 and 0 < log["l1_upper"] < 2 and log["grad_generator"] > 0
    assert 0 < log["lips"] < 5


def test_lips_alone_teach_the_content_encoder_and_nothing_that_paints(data):
    trainer = started(dataclasses.replace(SMOKE, losses=LossWeights(0, 0, 0, 0)))
    trainer.warm_up_step(data, np.random.default_rng(0))
    felt = {
        name.split(".")[0]
        for name, p in trainer.generator.named_parameters()
        if p.grad is not None and p.grad.abs().max() > 0
    }
    assert felt == {"content_encoder"}


def test_half_precision_computes_nearly_the_same(data):
    logs = []
    for precision in ("fp32", "bf16"):
        trainer = started(changed(SMOKE, precision=precision))
        with trainer.autocast():
            logs.append(trainer.warm_up_step(data, np.random.default_rng(0)))
    assert logs[0] != logs[1]
    assert logs[0] == pytest.approx(logs[1], rel=0.05)


def test_reconstruction_gets_better(data):
    bright = copy.copy(data)
    bright.frames = [np.full_like(frames, 200) for frames in data.frames]
    trainer = Trainer(changed(SMOKE, warm_up=1000, warm_up_rate=5e-3))
    history = []
    for step in range(20):
        trainer.set_rates(step + 100, 10)
        log = trainer.warm_up_step(bright, np.random.default_rng(step))
        history.append(log["l1_lower"] + log["l1_upper"])
    assert np.mean(history[-3:]) < 0.5 * history[0]


@pytest.mark.parametrize(("step", "critics"), [(0, {"frame", "sequence"}), (1, {"frame", "sync"})])
def test_an_adversarial_step_teaches_the_generator_and_its_critics(data, step, critics):
    trainer = started(SMOKE)
    trainer.set_rates(1000, 1000)
    before = weights_of(trainer)
    log = trainer.adversarial_step(data, np.random.default_rng(0), step)
    parts = {"identity_encoder", "content_encoder", "frame_decoder"}
    assert moved(trainer, before) == parts | critics | {"noise_encoder", "lip_reading", "average"}
    for name in critics:
        assert 0 < log[f"{name}_real"] < 1 and 0 < log[f"{name}_fake"] < 1
    assert ("sync_shifted" in log) == ("sync" in critics)


@pytest.mark.parametrize("warm_up", [0, 2])
@pytest.mark.parametrize(("term", "step"), [("img", 1), ("sync", 1), ("seq", 0), ("l1", 1)])
def test_every_term_of_equation_7_reaches_the_generator(data, term, step, warm_up):
    """In other people's attempts, sync and L1 terms never did."""
    weights = dataclasses.replace(LossWeights(0, 0, 0, 0), **{term: 1.0})
    config = changed(SMOKE, warm_up=warm_up, lips_weight=0.0)
    trainer = started(dataclasses.replace(config, losses=weights))
    trainer.set_rates(1000, 1000)
    trainer.adversarial_step(data, np.random.default_rng(0), step)
    felt = {
        name.split(".")[0]
        for name, p in trainer.generator.named_parameters()
        if p.grad is not None and p.grad.abs().max() > 0
    }
    # After a warm-up the noise generator has had its own adversary, and L1 has the encoder's z_n.
    expected = {"identity_encoder", "content_encoder", "frame_decoder"}
    assert felt == (expected if warm_up else expected | {"noise_generator"})
    encoder = [p.grad for p in trainer.modules["noise_encoder"].parameters()]
    learns = any(g is not None and g.abs().max() > 0 for g in encoder)
    assert learns == (term == "l1" and warm_up > 0)


def test_the_saved_generator_is_an_average_of_the_trained_ones(data):
    trainer = Trainer(changed(SMOKE, average_decay=0.75))
    trainer.set_rates(50, 10)
    start = weights_of(trainer)["generator"]
    trainer.warm_up_step(data, np.random.default_rng(0))
    for key, kept in trainer.average.named_parameters():
        expected = 0.75 * start[key] + 0.25 * trainer.generator.get_parameter(key)
        assert torch.allclose(kept, expected, atol=1e-6)
        assert not kept.requires_grad


def test_gradients_are_clipped_to_their_norm(data):
    trainer = Trainer(changed(SMOKE, clip_norm=1e-3))
    log = trainer.warm_up_step(data, np.random.default_rng(0))
    grads = [p.grad for p in trainer.optimisers["generator"].param_groups[0]["params"]]
    norm = torch.stack([g.norm() for g in grads if g is not None]).norm()
    assert log["grad_generator"] > 2e-3 and norm == pytest.approx(1e-3, rel=0.01)


def test_batch_norm_is_calibrated_once_and_then_frozen(data):
    model = dataclasses.replace(SMOKE.model, normalisation="batch", audio_normalisation="batch")

    def statistics(trainer: Trainer) -> dict[str, torch.Tensor]:
        return {k: v.clone() for k, v in trainer.generator.named_buffers() if "running" in k}

    def same(a: dict, b: dict) -> bool:
        return all(torch.equal(value, b[key]) for key, value in a.items())

    calibrated = []
    for _ in range(2):
        trainer = Trainer(dataclasses.replace(SMOKE, model=model))
        start = statistics(trainer)
        trainer.calibrate(data)
        trainer.freeze()
        calibrated.append(statistics(trainer))
    assert not same(start, calibrated[0]) and same(*calibrated)
    trainer.warm_up_step(data, np.random.default_rng(0))
    trainer.adversarial_step(data, np.random.default_rng(0), 1)
    assert same(calibrated[0], statistics(trainer))
    averaged = dict(trainer.average.named_buffers())
    assert all(torch.equal(v, averaged[k]) for k, v in calibrated[0].items())  # what is saved


def test_learning_rates(data):
    trainer = Trainer(changed(SMOKE, warm_up=1000, warm_up_rate=1e-3))

    def rates(step: int) -> dict[str, float]:
        trainer.set_rates(step, epoch_steps=10)
        return {k: o.param_groups[0]["lr"] for k, o in trainer.optimisers.items()}

    assert rates(0)["generator"] < 2e-5  # a ramp of 100 steps
    assert rates(120)["generator"] > 0.9e-3 > rates(500)["generator"] > rates(990)["generator"]
    paper = {"generator": 1e-4, "frame": 1e-4, "sequence": 1e-5, "sync": 1e-5}
    assert rates(1000) == rates(1099) == pytest.approx(paper)
    decayed = {"generator": 0.98e-4, "frame": 0.9e-4, "sequence": 0.9e-5, "sync": 0.9e-5}
    assert rates(1100) == pytest.approx(decayed)  # after ten epochs: 2 % and 10 %


# ---- its parts


def test_shifted_is_always_out_of_sync():
    rng = np.random.default_rng(0)
    at = torch.arange(20).repeat(50)
    away = shifted(at, 20, 5, rng)
    assert ((away - at).abs() >= 5).all() and away.min() == 0 and away.max() == 19
    assert set(shifted(torch.full((500,), 10), 20, 5, rng).tolist()) == {*range(6), *range(15, 20)}
    with pytest.raises(ValueError, match="9 frames leave no room for a shift of 5"):
        shifted(torch.tensor([4]), 9, 5, rng)


def test_gather_by_hand():
    sequence = torch.arange(12.0).reshape(2, 3, 2)
    picked = gather(sequence, torch.tensor([[2, 0], [1, 1]]))
    assert picked.tolist() == [[[4, 5], [0, 1]], [[8, 9], [8, 9]]]


def test_noise_sequences_are_read_off_whole_clips(data):
    trainer = Trainer(SMOKE)
    sequences = trainer.noise_sequences(data, 400)
    assert sequences.shape == (2, 75, 10) and sequences.abs().max() <= 1
    assert not sequences.requires_grad
    assert trainer.noise_sequences(data, 1).shape == (1, 75, 10)


def test_fitting_the_noise_moves_the_noise_generator_alone(data):
    trainer = Trainer(SMOKE)
    before = weights_of(trainer)
    distance = trainer.fit_noise(data, 3)
    assert np.isfinite(distance)
    assert moved(trainer, before) == {"noise_generator", "average"}
    for name, value in trainer.average.noise_generator.state_dict().items():
        assert torch.equal(value, trainer.generator.noise_generator.state_dict()[name])


# ---- the loop


def journal(out) -> list[dict]:
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory):
    """Six steps in one go: two of warm-up, four adversarial."""
    out = tmp_path_factory.mktemp("whole")
    assert run(changed(SMOKE, steps=6), data, out) == out / "generator"
    return out


@pytest.mark.parametrize("stops", [(2,), (1, 3, 4)])
def test_a_run_in_pieces_ends_with_the_same_bytes(data, whole, tmp_path, stops):
    for steps in (*stops, 6):
        run(changed(SMOKE, steps=steps), data, tmp_path)
    for name in ("state.safetensors", "generator/generator.safetensors"):
        assert (tmp_path / name).read_bytes() == (whole / name).read_bytes()
    assert [row["step"] for row in journal(tmp_path)] == [1, 2, 3, 4, 5, 6]


def test_the_log_tells_both_phases(whole):
    rows = journal(whole)
    assert all({"l1_lower", "l1_upper", "grad_generator", "seconds"} <= row.keys() for row in rows)
    assert [("img" in row) for row in rows] == [False] * 2 + [True] * 4
    assert [("seq" in row, "sync" in row) for row in rows[2:]] == [(True, False), (False, True)] * 2


def test_the_saved_generator_loads_and_makes_frames(whole):
    generator = load_generator(whole / "generator")
    assert generator.config == SMOKE.model
    state = load_file(whole / "state.safetensors")
    for name, value in generator.state_dict().items():  # the average's, in half precision
        assert torch.equal(value, state[f"module/average/{name}"].half().to(value.dtype))
    audio = torch.zeros(1, 4, generator.config.audio.samples)
    noise = generator.noise_generator.draw(1, 4, torch.Generator().manual_seed(0))
    frames = generator(torch.zeros(1, 3, 128, 96), audio, noise)
    assert frames.shape == (1, 4, 3, 128, 96) and frames.isfinite().all()
    extra = read_config(whole / "generator")["extra"]
    assert extra["step"] == 6 and extra["seed"] == 0 and extra["train"]["warm_up"] == 2
    assert {p.name for p in whole.iterdir()} == {
        *("config.json", "generator", "log.jsonl", "state.safetensors"),
    }


def test_another_seed_is_another_generator(data, whole, tmp_path):
    run(changed(SMOKE, steps=3, seed=1), data, tmp_path)
    assert journal(tmp_path)[0]["l1_lower"] != journal(whole)[0]["l1_lower"]


def test_without_resume_a_run_starts_afresh(data, whole, tmp_path):
    run(changed(SMOKE, steps=1), data, tmp_path)
    first = (tmp_path / "state.safetensors").read_bytes()
    run(changed(SMOKE, steps=1), data, tmp_path, resume=False)
    assert (tmp_path / "state.safetensors").read_bytes() == first


def test_minutes_end_a_run(data, tmp_path):
    run(changed(SMOKE, steps=None, minutes=1e-9), data, tmp_path)
    assert journal(tmp_path) == []  # the time was over before the first step
    load_generator(tmp_path / "generator")


def test_the_state_is_saved_on_the_way(data, tmp_path, monkeypatch):
    class Cut(Exception):
        pass

    def cut(*_):
        raise Cut

    monkeypatch.setattr(loop, "SAVE_SECONDS", 0)
    monkeypatch.setattr(Trainer, "adversarial_step", cut)
    with pytest.raises(Cut):
        run(changed(SMOKE, steps=6), data, tmp_path)
    monkeypatch.undo()
    run(changed(SMOKE, steps=3), data, tmp_path)
    assert [row["step"] for row in journal(tmp_path)] == [1, 2, 3]  # on from the second


def test_a_loss_that_is_not_finite_ends_the_run_with_a_sentence(corpus, tmp_path):
    broken = Clips(clips(corpus, "train"), SMOKE.model.audio)
    broken.signals = [np.full_like(signal, np.nan) for signal in broken.signals]
    with pytest.raises(TalkerError, match="a loss is not finite at step 1: .*lower learning rates"):
        run(SMOKE, broken, tmp_path)
    assert not (tmp_path / "generator").exists()
    assert not (tmp_path / "state.safetensors").exists()  # and does not replace a good state


def test_a_state_of_other_networks_is_refused(data, whole, tmp_path):
    (tmp_path / "state.safetensors").write_bytes((whole / "state.safetensors").read_bytes())
    wider = dataclasses.replace(SMOKE, model=dataclasses.replace(SMOKE.model, width=5))
    with pytest.raises(TalkerError, match="holds a run with other settings"):
        run(wider, data, tmp_path)
    assert not (tmp_path / "config.json").exists()


def test_train_reads_the_training_performers_of_a_corpus(corpus, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(loop, "run", lambda *arguments: seen.append(arguments))
    asked = changed(SMOKE, corpus=str(corpus), out=str(tmp_path / "run"), alter_voices=False)
    train(asked, resume=False)
    ((config, data, out, resume),) = seen
    assert data.names == ["p000/p000_000", "p001/p001_000"]  # p022 is for the test
    assert config == asked and (data.voices, data.pictures) == (False, True)
    assert out == tmp_path / "run" and resume is False


def test_a_run_goes_on_from_the_weights_of_another(data, whole, tmp_path):
    start = str(whole / "generator")
    out = run(changed(SMOKE, steps=0, start=start), data, tmp_path)
    blob = (out / "generator.safetensors").read_bytes()
    noise = {
        name for name in load_file(whole / "generator/generator.safetensors") if "noise" in name
    }
    before, after = (load_file(p / "generator.safetensors") for p in (whole / "generator", out))
    assert noise and all(torch.equal(after[name], before[name]) for name in before.keys() - noise)
    for steps in (1, 3):  # and, resumed, does not go back to them
        run(changed(SMOKE, steps=steps, start=start), data, tmp_path)
    assert [row["step"] for row in journal(tmp_path)] == [1, 2, 3]
    assert (out / "generator.safetensors").read_bytes() != blob
    other = changed(
        dataclasses.replace(SMOKE, model=dataclasses.replace(SMOKE.model, width=5)), start=start
    )
    with pytest.raises(TalkerError, match="a generator of another shape"):
        run(other, data, tmp_path / "other")


def test_train_names_what_is_missing(tmp_path):
    with pytest.raises(TalkerError, match="holds no corpus"):
        train(changed(SMOKE, corpus=str(tmp_path), out=str(tmp_path / "run")))
    assert not (tmp_path / "run").exists()
