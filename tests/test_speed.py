"""Times of a generator: the films that are timed, what is counted, and the table."""

import itertools
import json

import numpy as np
import pytest
import torch

from talker.config import preset
from talker.experiments import speed
from talker.models.generator import Generator

SMOKE = preset("smoke")


@pytest.fixture
def generator():
    made = Generator(SMOKE.model).eval()
    torch.nn.init.normal_(made.frame_decoder.blocks[-1].grow.weight, std=1.0)
    return made


@pytest.fixture
def still():
    return torch.rand(1, 3, 128, 96) * 2 - 1


def test_a_stream_makes_the_film_of_the_whole_clip(generator, still):
    """So both times are of the same work, and a frame of a stream hears its neighbours."""
    signal = np.random.default_rng(0).normal(0, 0.1, 75 * 640).astype(np.float32)
    at_once = speed.whole_clip(generator, still, signal)
    with torch.inference_mode():
        code = generator.encode_still(still)
    frames = np.concatenate([*itertools.islice(speed.stream(generator, code, signal, 75), 70)])
    assert at_once.shape == (75, 128, 96, 3) and np.ptp(at_once, axis=0).max() > 20
    assert np.abs(frames.astype(int) - at_once[:70]).max() <= 1


def test_warm_calls_are_not_counted(monkeypatch):
    """A clock on which calls take 100, 1, 2, 4 and 3 seconds, the first to be left out."""
    ticks = itertools.accumulate([0, 100, 0, 1, 0, 2, 0, 4, 0, 3])
    monkeypatch.setattr(speed.time, "perf_counter", lambda: next(ticks))
    calls = []
    told = speed.timed(lambda: calls.append(1), counted=4, before=1, unit=1000)
    assert told["value"] == 2500 and 1000 <= told["low"] < told["high"] <= 4000
    assert told["counted"] == 4 and len(calls) == 5


def test_threads_are_given_back():
    before = torch.get_num_threads()
    with pytest.raises(KeyError), speed.threads(before + 1):
        assert torch.get_num_threads() == before + 1
        raise KeyError
    assert torch.get_num_threads() == before


def test_every_generator_is_measured_with_one_and_with_all_threads(
    tmp_path, monkeypatch, generator, capsys
):
    for name, value in (("FRAMES", 3), ("CLIPS", 2), ("WARM", 1)):
        monkeypatch.setattr(speed, name, value)
    monkeypatch.setattr(speed, "load_generator", lambda: generator)
    monkeypatch.setattr(speed, "preset", lambda name: SMOKE)
    monkeypatch.setattr(speed, "cores", lambda: 2)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    speed.run(tmp_path, tmp_path, tmp_path / "speed.json")
    told = json.loads((tmp_path / "speed.json").read_text())
    named = [(row["generator"], row["threads"]) for row in told["rows"]]
    assert named == [("shipped", 1), ("shipped", 2), ("paper's width", 1), ("paper's width", 2)]
    for row in told["rows"]:
        assert row["processor"] and row["parameters"] == told["rows"][0]["parameters"] > 1000
        for which, count in (("still", 2), ("frame", 3), ("clip", 2)):
            value = row[which]
            assert 0 < value["low"] <= value["value"] <= value["high"]
            assert value["counted"] == count
    assert [row["frame_ms"] for row in told["paper"]] == [7, 1000]
    assert "2 processors" in told["circumstances"]["machine"]
    assert capsys.readouterr().out == speed.markdown(told) + "\n"


def test_the_papers_times_stand_above_ours():
    def value(middle):
        return {"value": middle, "low": middle - 0.5, "high": 2 * middle}

    row = {"generator": "shipped", "parameters": 3_260_000, "processor": "a CPU", "threads": 2}
    times = {"still": value(4.25), "frame": value(12.345), "clip": value(1.5)}
    results = {"rows": [row | times], "paper": [{"processor": "p", "frame_ms": 7, "clip_s": 0.5}]}
    lines = speed.markdown(results).splitlines()
    assert lines[0] == "| " + " | ".join(speed.TITLES) + " |"
    assert lines[2] == "| the paper's | p |  |  | 7 | 0.5 |"
    ours = "| 4.25 [3.75, 8.5] | 12.3 [11.8, 24.7] | 1.5 [1, 3] |"
    assert lines[3] == "| shipped, 3.3 M parameters | a CPU | 2 " + ours
