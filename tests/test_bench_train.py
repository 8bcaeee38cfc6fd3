"""The reference computes the same numbers as the trainer, and the benchmark measures every part."""

import json

import pytest
import torch
from small_training import SMOKE, started

from talker import bench_train as measured
from talker.bench import bench
from talker.config import ModelConfig
from talker.models.generator import Generator
from talker.reference import as_reference, decode

PLAIN = ModelConfig(width=4, audio_width=4, identity_dim=16, content_dim=16)


@pytest.mark.parametrize("model", [PLAIN, SMOKE.model])
def test_the_plain_decoder_makes_the_same_frames(model):
    generator = Generator(model).eval()
    if model.composition:
        torch.nn.init.normal_(generator.frame_decoder.blocks[-1].grow.weight, std=0.1)
    source = torch.Generator().manual_seed(0)
    z_c = torch.randn(2, 3, model.content_dim, generator=source)
    z_n = torch.randn(2, 3, model.noise_dim, generator=source)
    code = generator.encode_still(torch.rand(2, 3, 128, 96, generator=source) * 2 - 1)
    ours = generator.decode(code, z_c, z_n)
    assert ours.std() > 1e-3
    assert torch.allclose(decode(generator.frame_decoder, code, z_c, z_n), ours, atol=1e-5)


def test_the_reference_takes_the_same_steps(data):
    logs = []
    for make in (lambda trainer: trainer, as_reference):
        trainer = make(started(SMOKE))
        trainer.freeze()
        log = trainer.warm_up_step(trainer.draw(data, 0))
        for step in (2, 3):
            log |= trainer.adversarial_step(trainer.draw(data, step))
        logs.append(log)
    assert logs[0] == pytest.approx(logs[1], rel=1e-3)
    weight = trainer.generator.frame_decoder.blocks[0].grow.weight
    assert weight.is_contiguous() and not trainer.networks.optimisers["frame"].defaults["fused"]


def test_every_part_of_training_is_measured(noise_corpus, tmp_path, monkeypatch, capsys):
    fast = measured.bench_train
    monkeypatch.setattr(measured, "bench_train", lambda corpus: fast(corpus, ("smoke",), rounds=1))
    rows = bench("train", [noise_corpus], tmp_path / "train.json")
    assert json.loads((tmp_path / "train.json").read_text()) == rows
    assert [row["way"] for row in rows] == ["every frame", "reference", "fp32", "bf16"]
    parts = {
        *("data", "generator forward", "generator's losses", "generator backward", "optimisers"),
        *(f"{name} discriminator" for name in ("frame", "sequence", "sync")),
    }
    for row in rows:
        assert parts <= row.keys() and min(row[part] for part in parts) > 0
        # Warm-up of 4 clips, a snippet of each of 4, and a whole clip.
        assert row["frames"] == (
            4 * 20 + 4 * 5 + 75 if row["way"] == "every frame" else 4 * 3 + 4 * 5 + 25
        )
        assert 0 < row["data_share"] < 1
        whole = sum(row["frames"] / row[part] for part in parts)
        assert row["frames"] / whole == pytest.approx(row["frames_per_second"], rel=0.1)
    assert rows[0]["step_speed_up"] == rows[1]["speed_up"] == 1
    assert len(capsys.readouterr().out.splitlines()) == 5
