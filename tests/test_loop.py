"""The training loop on tiny clips: what it writes, resuming, and what it refuses."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from small_training import SMOKE, changed

from talker import train as loop
from talker.checkpoint import load_generator, read_config
from talker.dataset import Clips
from talker.errors import TalkerError
from talker.run_state import load_state, save_state
from talker.store import alone_in, clips, write_clip
from talker.train import run, train
from talker.trainer import Trainer


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
    always = {"l1_lower", "l1_upper", "lips", "grad_generator", "seconds", "frames_per_second"}
    assert all(always <= row.keys() and 0 < row["data_share"] < 1 for row in rows)
    adversarial = {"img", "frame_loss", "frame_real", "frame_fake", "grad_frame"}
    adversarial |= {"l1_to_adversarial"}
    for row in rows[:2]:
        assert not adversarial & row.keys()
    for row in rows[2:]:
        assert adversarial <= row.keys()
        critic, other = ("sequence", "sync") if "seq" in row else ("sync", "sequence")
        assert {f"{critic}_{what}" for what in ("loss", "real", "fake")} <= row.keys()
        assert f"grad_{critic}" in row and f"grad_{other}" not in row
        total = row["img"] + 0.8 * 2 * row.get("sync", 0) + 0.2 * 2 * row.get("seq", 0)
        ratio = SMOKE.losses.l1 * row["l1_lower"] / total
        assert row["l1_to_adversarial"] == pytest.approx(ratio, rel=0.01)
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
        *("config.json", "generator", "log.jsonl", "state.safetensors", "tensorboard", "samples"),
    }


def test_an_epoch_counts_the_clips_that_are_seen_and_rates_fall_by_it(data, tmp_path):
    mixed = changed(SMOKE, adversarial_clips=4, sequence_clips=1, sequence_every=4).train
    assert loop.steps_of_epoch(mixed, 325, 1) == 100  # (3 * 4 + 1) / 4 clips a step
    twice = dataclasses.replace(mixed, accumulate=2)
    assert loop.steps_of_epoch(twice, 325, 1) == loop.steps_of_epoch(mixed, 325, 2) == 50
    assert loop.steps_of_epoch(mixed, 1, 1) == 1
    run(changed(SMOKE, steps=5, adversarial_clips=1, decay_epochs=1), data, tmp_path)
    rates = [row["rate_frame"] for row in journal(tmp_path) if "rate_frame" in row]
    assert len(data) == 2  # and one clip a step: an epoch is two steps
    assert rates == pytest.approx([1e-4, 1e-4, 0.9e-4])


def test_another_seed_is_another_generator(data, whole, tmp_path):
    run(changed(SMOKE, steps=3, seed=1), data, tmp_path)
    assert journal(tmp_path)[0]["l1_lower"] != journal(whole)[0]["l1_lower"]


def test_without_resume_a_run_starts_afresh(data, whole, tmp_path):
    run(changed(SMOKE, steps=2), data, tmp_path)
    run(changed(SMOKE, steps=1, seed=1), data, tmp_path, resume=False)
    (row,) = journal(tmp_path)
    assert row["step"] == 1 and row["l1_lower"] != journal(whole)[0]["l1_lower"]


def test_a_fresh_start_that_is_cut_off_leaves_nothing_of_the_old_run(data, tmp_path, monkeypatch):
    run(changed(SMOKE, steps=3), data, tmp_path)

    def cut(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(loop, "_step", cut)
    with pytest.raises(KeyboardInterrupt):
        run(changed(SMOKE, steps=3, seed=1), data, tmp_path, resume=False)
    monkeypatch.undo()
    assert not (tmp_path / "generator").exists() and not (tmp_path / "state.safetensors").exists()
    run(changed(SMOKE, steps=1, seed=1), data, tmp_path)
    assert [row["step"] for row in journal(tmp_path)] == [1]


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


def test_what_a_killed_process_left_half_written_goes(data, tmp_path):
    half = tmp_path / ".state.123.part.safetensors"
    half.write_bytes(b"half")
    run(changed(SMOKE, steps=1), data, tmp_path)
    assert not half.exists() and (tmp_path / "state.safetensors").exists()


def test_runs_within_a_run_are_left_alone(data, tmp_path):
    """Another process may be writing there."""
    inner = tmp_path / "other" / ".state.abc.part.safetensors"
    inner.parent.mkdir()
    inner.touch()
    run(changed(SMOKE, steps=1), data, tmp_path)
    assert inner.exists()


def test_two_processes_do_not_train_in_one_folder(data, tmp_path):
    with alone_in(tmp_path), pytest.raises(TalkerError, match="another process is writing"):
        run(changed(SMOKE, steps=1), data, tmp_path)
    assert not (tmp_path / "state.safetensors").exists()
    run(changed(SMOKE, steps=1), data, tmp_path)


def test_a_run_does_not_go_on_with_other_clips(noise_corpus, data, tmp_path):
    run(changed(SMOKE, steps=1), data, tmp_path)
    moved = shutil.copytree(noise_corpus, tmp_path / "elsewhere")
    run(changed(SMOKE, steps=2), Clips(clips(moved, "train"), SMOKE.model.audio), tmp_path)
    fewer = Clips(clips(noise_corpus, "train")[:1], SMOKE.model.audio)
    with pytest.raises(TalkerError, match="has learnt from other clips"):
        run(changed(SMOKE, steps=3), fewer, tmp_path)
    run(changed(SMOKE, steps=3), fewer, tmp_path, resume=False)


def test_clips_that_are_too_short_are_refused_before_the_first_step(noise_corpus, tmp_path):
    frames = np.zeros((9, 128, 96, 3), np.uint8)
    marks = np.random.default_rng(0).uniform(0, 96, (9, 68, 2)).tolist()
    truth = {"speaker": "p000", "split": "train", "landmarks": marks}
    folder = shutil.copytree(noise_corpus, tmp_path / "corpus")
    write_clip(folder / "p000" / "p000_001", frames, np.zeros(5760, np.float32), truth)
    short = Clips(clips(folder, "train"), SMOKE.model.audio)
    with pytest.raises(TalkerError, match="p000/p000_001 has 9 frames and training needs 10"):
        run(changed(SMOKE, steps=1), short, tmp_path / "run")


def test_clips_have_the_frame_rate_that_audio_is_cut_for(noise_corpus):
    audio = dataclasses.replace(SMOKE.model.audio, fps=50)
    with pytest.raises(TalkerError, match="audio.fps is 50: stored clips have 25"):
        Clips(clips(noise_corpus, "train"), audio)


def test_a_run_of_an_earlier_version_goes_on(data, tmp_path):
    """Its config.json lacks the settings that are newer, its state what is counted since."""
    run(changed(SMOKE, steps=2), data, tmp_path)
    described = json.loads((tmp_path / "config.json").read_text())
    for name in ("accumulate", "compile", "patience", "devices"):
        del described["train"][name]
    (tmp_path / "config.json").write_text(json.dumps(described))
    trainer = Trainer(SMOKE)
    networks, state = trainer.networks, tmp_path / "state.safetensors"
    load_state(state, networks.modules, networks.optimisers)
    save_state(state, networks.modules, networks.optimisers, {"step": 2})
    run(changed(SMOKE, steps=3), data, tmp_path)
    assert [row["step"] for row in journal(tmp_path)] == [1, 2, 3]


def test_a_run_goes_on_on_other_devices_and_not_with_other_batches(data, tmp_path):
    run(changed(SMOKE, steps=1), data, tmp_path)
    run(changed(SMOKE, steps=2, accelerator="cpu", devices=1, patience=9), data, tmp_path)
    with pytest.raises(TalkerError, match="holds a run with other settings"):
        run(changed(SMOKE, steps=3, accumulate=2), data, tmp_path)


def test_a_loss_that_is_not_finite_ends_the_run_with_a_sentence(noise_corpus, tmp_path):
    broken = Clips(clips(noise_corpus, "train"), SMOKE.model.audio)
    broken.signals = [np.full_like(signal, np.nan) for signal in broken.signals]
    with pytest.raises(TalkerError, match=r"not finite at step 1 \(.*lips = nan.*begin again"):
        run(SMOKE, broken, tmp_path)
    (row,) = journal(tmp_path)
    assert row["lips"] is None and row["data_share"] > 0  # the log has what it points to
    assert not (tmp_path / "generator").exists()
    assert not (tmp_path / "state.safetensors").exists()  # and does not replace a good state


def test_a_state_of_other_networks_is_refused(data, whole, tmp_path):
    (tmp_path / "state.safetensors").write_bytes((whole / "state.safetensors").read_bytes())
    wider = dataclasses.replace(SMOKE, model=dataclasses.replace(SMOKE.model, width=5))
    with pytest.raises(TalkerError, match="holds a run with other settings"):
        run(wider, data, tmp_path)
    assert not (tmp_path / "config.json").exists()


def test_train_reads_the_training_performers_of_a_corpus(noise_corpus, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(loop, "run", lambda *arguments: seen.append(arguments[:5]))
    asked = changed(SMOKE, corpus=str(noise_corpus), out=str(tmp_path / "run"), alter_voices=False)
    train(asked, resume=False)
    ((config, data, out, held_out, resume),) = seen
    assert data.names == ["p000/p000_000", "p001/p001_000"]  # p022 is for the test
    assert held_out.names == ["p002/p002_000"] and not held_out.voices
    assert config == asked and (data.voices, data.pictures) == (False, True)
    assert out == tmp_path / "run" and resume is False


def test_a_run_goes_on_from_the_weights_of_another(data, whole, tmp_path, capsys):
    start = str(shutil.copytree(whole / "generator", tmp_path / "start"))
    (tmp_path / "start/companions.json").unlink()  # as it is where they were not passed on
    out = run(changed(SMOKE, steps=0, start=start), data, tmp_path)
    assert "begin at random" in capsys.readouterr().out
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
    begun = read_config(tmp_path / "start")["sha256"]
    assert read_config(out)["extra"]["start_sha256"] == begun
    other = changed(
        dataclasses.replace(SMOKE, model=dataclasses.replace(SMOKE.model, width=5)), start=start
    )
    with pytest.raises(TalkerError, match="a generator of another shape"):
        run(other, data, tmp_path / "other")


def test_a_run_goes_on_with_the_judges_and_the_encoder_of_another(data, whole, tmp_path, capsys):
    start = str(whole / "generator")
    out = run(changed(SMOKE, steps=0, start=start), data, tmp_path / "same")
    assert "begin at random" not in capsys.readouterr().out
    before, after = (load_file(p / "companions.safetensors") for p in (whole / "generator", out))
    parts = {name.split(".")[0] for name in before}
    assert parts == {"noise_encoder", "lip_reading", "frame", "sequence", "sync"}
    assert all(torch.equal(after[name], before[name]) for name in before)
    critics = dataclasses.replace(SMOKE.discriminators, frame_width=6)
    other = dataclasses.replace(changed(SMOKE, steps=0, start=start), discriminators=critics)
    out = run(other, data, tmp_path / "other")
    assert "begin at random" in capsys.readouterr().out
    ours = load_file(out / "generator.safetensors")
    theirs = load_file(whole / "generator/generator.safetensors")
    name = "frame_decoder.first.weight"
    assert torch.equal(ours[name], theirs[name])


# ---- validation


class Scores:
    """Stands in for `Validation`: scores that are given, and what each step's weights were."""

    def __init__(self, scores: list[float]) -> None:
        self.scores, self.seen = scores, []

    def __call__(self, *_):
        return self

    def measure(self, generator, moving) -> dict[str, float]:
        self.seen.append(next(generator.parameters()).clone())
        return {"validation_sync": self.scores[len(self.seen) - 1]}


@pytest.fixture
def held_out(noise_corpus) -> Clips:
    return Clips(clips(noise_corpus, "validation"), SMOKE.model.audio)


def validated(monkeypatch, data, held_out, out, scores: list[float], **settings) -> Scores:
    given = Scores(scores)
    monkeypatch.setattr(loop, "Validation", given)
    run(changed(SMOKE, sample_every=99, **settings), data, out, held_out)
    return given


def test_the_best_weights_are_kept_and_patience_ends_a_run(monkeypatch, data, held_out, tmp_path):
    scores = [0.9, 0.5, 0.7, 0.6, 0.7, 0.8]  # the first is of the warm-up and does not count
    settings = {"steps": 20, "warm_up": 1, "validate_every": 1, "patience": 2}
    given = validated(monkeypatch, data, held_out, tmp_path, scores, **settings)
    rows = journal(tmp_path)
    assert [row["validation_sync"] for row in rows] == scores[:5]  # two in a row without a better
    best = read_config(tmp_path / "best")["extra"]
    assert (best["step"], best["validation_sync"]) == (3, 0.7)
    assert best["losses"]["seq"] == 0.2 and best["discriminators"]["frame_width"] == 4
    weight = next(load_generator(tmp_path / "best").parameters())
    assert torch.equal(weight, given.seen[2].half().float())
    assert read_config(tmp_path / "generator")["extra"]["step"] == 5
    validated(monkeypatch, data, held_out, tmp_path, [1.0], **settings)  # it has ended
    assert len(journal(tmp_path)) == 5


def test_a_resumed_run_remembers_the_best_and_its_patience(monkeypatch, data, held_out, tmp_path):
    settings = {"warm_up": 1, "validate_every": 1, "patience": 3}
    validated(monkeypatch, data, held_out, tmp_path, [0, 0.5, 0.6, 0.4], steps=4, **settings)
    validated(monkeypatch, data, held_out, tmp_path, [0.55, 0.6, 0.9], steps=20, **settings)
    assert [row["validation_sync"] for row in journal(tmp_path)] == [0, 0.5, 0.6, 0.4, 0.55, 0.6]
    assert read_config(tmp_path / "best")["extra"]["step"] == 3


def test_without_a_setting_validation_comes_every_epoch(monkeypatch, data, held_out, tmp_path):
    settings = {"steps": 4, "adversarial_clips": 1, "validate_every": 0}
    validated(monkeypatch, data, held_out, tmp_path, [0.1, 0.2], **settings)
    rows = journal(tmp_path)
    assert ["validation_sync" in row for row in rows] == [False, True, False, True]  # two clips


def test_validated_runs_in_pieces_end_with_the_same_bytes(data, held_out, tmp_path):
    for name, stops in (("whole", [4]), ("pieces", [3, 4])):
        for steps in stops:
            run(changed(SMOKE, steps=steps), data, tmp_path / name, held_out)
    for name in ("state.safetensors", "best/generator.safetensors", "samples/step_000004.png"):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "pieces" / name).read_bytes()
    first, last = (journal(tmp_path / name)[3] for name in ("whole", "pieces"))
    assert first["validation_sync"] == last["validation_sync"]


# ---- what is logged


def test_tensorboard_has_the_curves(whole):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    curves = EventAccumulator(str(whole / "tensorboard"))
    curves.Reload()
    rows = journal(whole)
    assert set(curves.Tags()["scalars"]) == {name for row in rows for name in row} - {"step"}
    read = {event.step: event.value for event in curves.Scalars("l1_lower")}
    assert read == pytest.approx({row["step"]: row["l1_lower"] for row in rows}, abs=1e-5)


def test_train_names_what_is_missing(tmp_path):
    with pytest.raises(TalkerError, match="holds no corpus"):
        train(changed(SMOKE, corpus=str(tmp_path), out=str(tmp_path / "run")))
    assert not (tmp_path / "run").exists()
