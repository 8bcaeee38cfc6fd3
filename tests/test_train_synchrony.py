"""Training the synchrony evaluator: its loss by hand, whom it sees, and recovery after a kill."""

import functools
import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from small_training import write_corpus

from talker.cli import main
from talker.errors import TalkerError
from talker.evaluators import train_synchrony
from talker.evaluators.synchrony import SyncNet, SyncNetConfig, find_synchrony
from talker.evaluators.train_synchrony import (
    Talks,
    calibrated,
    confidences,
    contrastive_loss,
    embedded,
    train,
    unrelated,
)
from talker.media import write_audio
from talker.store import clips, read_frames, read_sound
from talker.video import write_video

SMALL = functools.partial(SyncNetConfig, width=2, audio_width=4)
SPLITS = {"p0": "train", "p1": "train", "p2": "validation", "p3": "validation", "p4": "test"}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Path:
    """Five speakers of noise."""
    return write_corpus(tmp_path_factory.mktemp("speakers") / "corpus", SPLITS)


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(train_synchrony, "CLIPS", 2)
    monkeypatch.setattr(train_synchrony, "SyncNetConfig", SMALL)


def test_the_loss_by_hand():
    """Two orthogonal directions: squared distances 0 and 2, logits apart by 20."""
    both = torch.eye(2)[None]
    loss, share = contrastive_loss(both, both)
    assert loss.item() == pytest.approx(math.log(1 + math.exp(-20)), abs=1e-6)
    assert share == 1
    loss, share = contrastive_loss(both, both.flip(1))
    assert loss.item() == pytest.approx(20 + math.log(1 + math.exp(-20)))
    alike = torch.ones(1, 6, 1)
    assert contrastive_loss(alike, alike)[0].item() == pytest.approx(math.log(6))
    backwards = torch.eye(6)[None].flip(1)  # the nearest is 5, 3, 1, 1, 3 and 5 frames off
    assert contrastive_loss(torch.eye(6)[None], backwards)[1] == pytest.approx(2 / 6)


def test_a_batch_holds_windows_in_step(corpus):
    """A mouth and a sound that change together in one frame still do, whatever is altered."""
    data = Talks(clips(corpus, "train")[:1])
    data.mouths = [np.full((60, 60, 60, 3), 60, np.uint8)]
    data.mouths[0][30:, ::2] = 200  # stripes appear with frame 30
    loud = np.full(60 * 640, 1e-3, np.float32) * np.random.default_rng(0).standard_normal(60 * 640)
    loud[30 * 640 :] *= 300
    data.sounds = [loud.astype(np.float32)]
    for seed in range(8):
        seen, heard = data.batch(np.random.default_rng(seed))
        assert seen.shape == (2, 40, 5, 48, 48) and heard.shape == (2, 40, 13, 20)
        for shown, sound in zip(seen[:, :, 2], heard, strict=True):  # the middle frame
            contrast = shown.std(dim=(1, 2))
            loudness = sound[:, 0, 9:11].mean(dim=1)  # the middle of 20 steps
            appears = int((contrast > contrast.mean()).nonzero()[0])
            sounds = int((loudness > loudness.mean()).nonzero()[0])
            assert abs(appears - sounds) <= 1


def test_a_killed_run_ends_with_the_bytes_of_one_that_ran_through(corpus, tmp_path, monkeypatch):
    whole = train([corpus], tmp_path / "whole", steps=3)
    assert whole == tmp_path / "whole" / "synchrony.safetensors"

    rate, dead = train_synchrony._rate, []

    def dies_once(step: int, steps: int) -> float:
        if step == 2 and not dead:
            dead.append(step)
            raise KeyboardInterrupt
        return rate(step, steps)

    monkeypatch.setattr(train_synchrony, "_rate", dies_once)
    monkeypatch.setattr(train_synchrony, "SAVE_SECONDS", -1)
    with pytest.raises(KeyboardInterrupt):
        train([corpus], tmp_path / "cut", steps=3)
    assert not (tmp_path / "cut" / "synchrony.safetensors").exists()
    again = train([corpus], tmp_path / "cut", steps=3)
    for ending in (".safetensors", ".json"):
        assert again.with_suffix(ending).read_bytes() == whole.with_suffix(ending).read_bytes()
    steps = [json.loads(row)["step"] for row in (tmp_path / "cut/log.jsonl").open()]
    assert steps == [1, 2, 3]


def test_another_run_is_not_continued(corpus, tmp_path):
    train([corpus], tmp_path, steps=1)
    with pytest.raises(TalkerError, match="another --out"):
        train([corpus], tmp_path, steps=1, seed=1)
    other = write_corpus(tmp_path / "other", SPLITS)
    with pytest.raises(TalkerError, match="another --out"):
        train([other], tmp_path, steps=1)
    with pytest.raises(TalkerError, match="another --out"):
        train([corpus, other], tmp_path, steps=1)


def test_minutes_end_a_call_and_the_same_command_goes_on(corpus, tmp_path):
    train([corpus], tmp_path, steps=2, minutes=0)
    described = json.loads((tmp_path / "synchrony.json").read_text())["extra"]
    assert described["step"] == 0 and described["speakers"] == 2
    train([corpus], tmp_path, steps=2)
    assert json.loads((tmp_path / "synchrony.json").read_text())["extra"]["step"] == 2


def test_the_weights_depend_on_training_speakers_only(corpus, tmp_path):
    before = train([corpus], tmp_path / "before", steps=2)
    corpus = shutil.copytree(corpus, tmp_path / "corpus")
    for clip in clips(corpus):
        if clip.split == "test":
            clip.video.unlink()
    changed = clips(corpus, "validation")[0].audio
    with changed.open("r+b") as file:
        file.seek(44)
        file.write(bytes(40000))
    after = train([corpus], tmp_path / "after", steps=2)
    assert before.read_bytes() == after.read_bytes()
    scales = [find_synchrony(path).config.scale for path in (before, after)]
    assert scales[0] != scales[1]


def test_unrelated_pairs_are_of_different_speakers(corpus):
    held = clips(corpus)
    pairs = unrelated(held)
    assert len(pairs) == 3 * len(held) == len(set(pairs))
    assert all(held[a].speaker != held[b].speaker for a, b in pairs)


def test_the_scale_puts_unrelated_clips_below_half(corpus):
    held = clips(corpus)
    network = calibrated(SyncNet(SMALL()).eval(), held)
    measured = confidences(embedded(network, held), unrelated(held))
    assert np.quantile(measured, 0.975) == pytest.approx(0.5, abs=1e-3)
    with pytest.raises(TalkerError, match="two speakers"):
        calibrated(network, held[:1])


@pytest.mark.parametrize(
    ("splits", "cut", "sentence"),
    [
        (SPLITS | {"p3": "test"}, "", "two speakers"),
        (SPLITS, "p3", "two speakers"),
        (SPLITS, "p0 p1", "no clip for training has 44 frames"),
    ],
)
def test_what_is_too_little_is_said_before_training(tmp_path, monkeypatch, splits, cut, sentence):
    few = write_corpus(tmp_path / "few", splits)
    for clip in clips(few):
        if clip.speaker in cut.split():
            write_video(clip.video, read_frames(clip.video)[:33], 25)
            write_audio(clip.audio, read_sound(clip.audio)[: 33 * 640], 16000)
    monkeypatch.setattr(train_synchrony, "_step", lambda *given: pytest.fail("it began to train"))
    with pytest.raises(TalkerError, match=sentence):
        train([few], tmp_path / "run", steps=1)


def test_the_command(corpus, tmp_path, capsys):
    where = ["--out", str(tmp_path), "--steps", "1"]
    assert main(["train-evaluator", "sync", str(corpus), *where]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "synchrony.safetensors")
    assert main(["train-evaluator", "sync", str(tmp_path / "none"), *where]) == 2
    assert "holds no corpus" in capsys.readouterr().err
