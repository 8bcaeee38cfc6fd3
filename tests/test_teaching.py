"""Teaching a judge to listen: pairs, losses by hand, what hearing means, runs that are cut off."""

import dataclasses
import json
import math

import numpy as np
import pytest
import torch
from small_training import SMOKE, changed

from talker.errors import TalkerError
from talker.experiments import teaching
from talker.experiments.teaching import (
    beliefs,
    contrast,
    distances,
    embedded,
    hearing,
    shifted_pairs,
    teach,
    windows,
)
from talker.models.sync_discriminator import SyncDiscriminator

SNIPPET = SMOKE.model.audio.snippet
FEW = 14  # snippets in a window


@pytest.fixture(autouse=True)
def small(monkeypatch):
    for name, value in {"STEPS": 4, "CLIPS": 2, "SNIPPETS": FEW, "HELD_OUT": (2, 2)}.items():
        monkeypatch.setattr(teaching, name, value)


@pytest.fixture
def judge():
    torch.manual_seed(0)
    return SyncDiscriminator(SMOKE.model, SMOKE.discriminators)


def test_pairs_are_those_that_the_discriminator_sees_itself(judge, data):
    batch = windows(data, np.random.default_rng(0), 2, SNIPPET)
    assert batch.frames.shape[:2] == batch.audio_frames.shape[:2] == (2, FEW + SNIPPET - 1)
    with torch.no_grad():
        apart = distances(*embedded(judge, batch, SNIPPET))
        assert apart.shape == (2, FEW, FEW)
        for i, j in ((0, 0), (3, 3), (3, 9), (FEW - 1, 0)):
            snippet = batch.frames[:, i : i + SNIPPET]
            own = judge.distance(snippet, batch.audio_frames[:, j + SNIPPET // 2])
            torch.testing.assert_close(apart[:, i, j], own, rtol=1e-4, atol=1e-4)


def test_wrong_pairs_are_at_least_a_snippet_apart():
    far = shifted_pairs(FEW, SNIPPET)
    for i in range(FEW):
        for j in range(FEW):
            assert far[i, j] == (abs(i - j) >= SNIPPET)


def test_contrast_by_hand():
    apart = 3.0 * (1 - torch.eye(4)).expand(2, 4, 4)
    wanted = math.log(1 + 3 * math.exp(-9 * teaching.SHARPNESS))
    assert contrast(apart).item() == pytest.approx(wanted, rel=1e-5)
    assert contrast(torch.ones(1, 4, 4)).item() == pytest.approx(math.log(4), rel=1e-5)
    # Both ways: a sound that is near to every snippet confuses the snippets, not the sounds.
    near = apart[:1].clone()
    near[:, :, 0] = 0
    snippets = (3 * math.log(2 + 2 * math.exp(-9 / 8)) + math.log(1 + 3 * math.exp(-9 / 8))) / 4
    sounds = (math.log(4) + 3 * math.log(1 + 3 * math.exp(-9 / 8))) / 4
    assert contrast(near).item() == pytest.approx((snippets + sounds) / 2, rel=1e-5)


@pytest.mark.parametrize("listens", [True, False])
def test_hearing_of_one_that_listens_and_of_one_that_does_not(judge, data, listens, monkeypatch):
    dice = torch.Generator().manual_seed(0)

    def one_hot(_, batch, snippet):
        count = batch.frames.shape[1] - snippet + 1
        seen = 6 * torch.eye(count).expand(len(batch.frames), -1, -1)
        heard = seen if listens else 6 * torch.rand(seen.shape, generator=dice)
        return seen, heard

    monkeypatch.setattr(teaching, "embedded", one_hot)
    told = hearing(judge, data)
    if listens:
        assert told["auc"] == told["within_one"] == 1 and told["in_sync"] > 0.8 > told["shifted"]
    else:
        assert told["auc"] == pytest.approx(0.5, abs=0.15) and told["within_one"] < 0.6
        assert told["in_sync"] == pytest.approx(told["shifted"], abs=0.05)


def test_lessons_bring_pairs_together(judge, data):
    batch = windows(data, np.random.default_rng(0), 2, SNIPPET)
    adam = torch.optim.Adam(judge.parameters(), 1e-2)
    rows = [teaching._step(judge, adam, batch, SNIPPET) for _ in range(25)]
    assert rows[0]["contrast"] == pytest.approx(math.log(FEW), abs=0.2)
    assert rows[-1]["contrast"] < 0.8 * rows[0]["contrast"]
    apart = distances(*embedded(judge, batch, SNIPPET)).detach()
    in_sync, moved = beliefs(judge, apart, SNIPPET)
    assert in_sync.shape == (2, FEW) and moved.shape == (2, int(shifted_pairs(FEW, SNIPPET).sum()))
    assert in_sync.mean() > moved.mean()


def test_beliefs_are_no_lesson_for_the_streams(judge, data, monkeypatch):
    monkeypatch.setattr(teaching, "SHARPNESS", 0.0)  # the contrast says nothing
    before = {key: value.clone() for key, value in judge.state_dict().items()}
    adam = torch.optim.Adam(judge.parameters(), 1e-2)
    teaching._step(judge, adam, windows(data, np.random.default_rng(0), 2, SNIPPET), SNIPPET)
    moved = {
        key for key, value in judge.state_dict().items() if not torch.equal(value, before[key])
    }
    assert moved == {"perceptron.weight", "perceptron.bias"}


def test_lessons_that_were_cut_off_go_on_to_the_same_bytes(noise_corpus, tmp_path, monkeypatch):
    config = changed(SMOKE, corpus=str(noise_corpus))
    judge = teach(config, tmp_path / "whole")
    with monkeypatch.context() as patch:
        patch.setattr(teaching, "SAVE_SECONDS", 0)
        patch.setattr(teaching, "not_finite", lambda row, step, out: "cut" if step == 3 else None)
        with pytest.raises(TalkerError, match="cut"):
            teach(config, tmp_path / "cut")
    assert not (tmp_path / "cut/judge.json").exists()
    teach(config, tmp_path / "cut")
    whole, cut = (tmp_path / name / "judge.safetensors" for name in ("whole", "cut"))
    assert whole.read_bytes() == cut.read_bytes()
    rows = (tmp_path / "cut/log.jsonl").read_text().splitlines()
    assert [json.loads(row)["step"] for row in rows] == [1, 2, 3, 4]
    untaught = teaching._untaught(config).state_dict()
    assert any(not torch.equal(v, untaught[k]) for k, v in judge.state_dict().items())


def test_what_is_taught_is_taken_as_it_is(noise_corpus, tmp_path, monkeypatch):
    config = changed(SMOKE, corpus=str(noise_corpus))
    first = teach(config, tmp_path)
    monkeypatch.setattr(teaching, "_lessons", lambda *_: pytest.fail("taught again"))
    again = teach(config, tmp_path)
    pairs = zip(first.state_dict().values(), again.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_lessons_of_other_settings_are_refused(noise_corpus, tmp_path, monkeypatch):
    config = changed(SMOKE, corpus=str(noise_corpus))
    teach(config, tmp_path)
    (tmp_path / "judge.json").unlink()
    with pytest.raises(TalkerError, match="other settings"):
        teach(changed(config, seed=3), tmp_path)
    teach(config, tmp_path)
    with pytest.raises(TalkerError, match="judge.safetensors"):
        wide = dataclasses.replace(config.discriminators, embedding_dim=24)
        teach(dataclasses.replace(config, discriminators=wide), tmp_path)
