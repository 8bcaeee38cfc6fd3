"""Benchmarks: what they measure, never how fast."""

import json
import os
from functools import partial

import numpy as np
import pytest
from small_corpus import record

from talker import bench as measured
from talker import bench_evaluate
from talker.bench import bench
from talker.errors import TalkerError
from talker.store import write_clip


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    draw = np.random.default_rng(0)
    for number in range(2):
        frames = draw.integers(0, 255, (20, 8, 6, 3), np.uint8).repeat(8, 1).repeat(8, 2)
        sound = (0.1 * draw.standard_normal(20 * 640)).astype(np.float32)
        truth = {"speaker": "s1", "split": "train"}
        write_clip(folder / "s1" / f"a{number}", frames, sound, truth)
    (folder / "corpus.json").write_text("{}")
    return folder


def test_ways_to_store_are_compared(corpus, tmp_path, capsys):
    rows = bench("store", [corpus], tmp_path / "store.json")
    assert json.loads((tmp_path / "store.json").read_text()) == rows
    ways = {row["way"]: row for row in rows}
    assert len(ways) == 7 and ways["raw, memory-mapped"]["kilobytes"] > 180
    assert ways["raw, memory-mapped"]["psnr"] > 100 > ways["H.264, key frame every 12"]["psnr"] > 30
    for row in rows:
        assert min(row["windows"], row["training_windows"], row["kilobytes"]) > 0
    assert len(capsys.readouterr().out.splitlines()) == 8
    with pytest.raises(TalkerError, match="takes one folder"):
        bench("store", [corpus, corpus])


@pytest.mark.slow
def test_preparation_is_measured_over_growing_counts(tmp_path):
    films = [record(tmp_path / f"{number}.mp4") for number in range(2)]
    rows = bench("prepare", [*films])
    assert [(row["clips"], row["frames"]) for row in rows] == [(1, 15), (2, 30)]
    for row in rows:
        assert row["frames_per_second"] > 0 and 100 < row["peak_megabytes"] < 4000
    with pytest.raises(TalkerError, match="no file to prepare"):
        bench("prepare", [])


def test_files_that_cannot_be_prepared_are_named(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"not a film")
    with pytest.raises(TalkerError, match="none of the files can be prepared: .*a.mp4 cannot be"):
        measured._prepare_some([tmp_path / "a.mp4"])


def dies(files):
    os._exit(1)


def test_a_process_that_dies_while_it_evaluates_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(bench_evaluate, "_evaluate_some", dies)
    with pytest.raises(TalkerError, match="the process that evaluated 1 clips died"):
        bench("evaluate", [tmp_path / "a.mp4"])


@pytest.mark.slow
def test_rendering_is_measured_stage_by_stage(tmp_path, monkeypatch):
    monkeypatch.setattr(measured, "bench_render", partial(measured.bench_render, performers=1))
    (row,) = bench("render", [], tmp_path / "render.json")
    assert json.loads((tmp_path / "render.json").read_text()) == [row]
    assert row["frames"] == 75 and row["frames_per_second_core"] > 0
    with pytest.raises(TalkerError, match="takes no files"):
        bench("render", [tmp_path])
