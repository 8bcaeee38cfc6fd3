"""The experiment on preparation: its measures on clips set by hand, its parts one by one."""

import json
from dataclasses import dataclass

import numpy as np
import pytest
from miniature import copy_clip

from talker.corpora import rendered
from talker.experiments import preparation
from talker.faces import CANONICAL


@dataclass
class Stored:
    speaker: str
    truth: dict


def posed(speaker: str, *angles: tuple) -> Stored:
    return Stored(speaker, {"pose": [list(row) for row in angles]})


def test_poses_by_hand():
    stored = [
        posed("s1", (0, 0, 0), (4, 2, 1), (30, 0, 0)),  # one frame looks up
        posed("s1", (12, 0, 0), (12, 0, 0), (12, 0, 0)),
        posed("s2", (0, -11, 0), (0, -11, 0), (0, -11, 0)),
    ]
    values = preparation.poses(stored, 10)
    assert values["refused_by_median"] == 2 and values["refused_by_any_frame"] == 3
    assert values["refused_by_axis"] == {"pitch": 1, "yaw": 1, "roll": 0}
    assert values["per_speaker"]["s1"] == {"pitch": 8, "yaw": 0, "roll": 0}
    assert values["median"]["pitch"]["value"] == 4 and values["median"]["yaw"]["value"] == 0
    assert values["deviation"]["pitch"]["value"] == 0  # of the three clips' 13.2, 0 and 0


def test_placement_by_hand():
    marks = np.zeros((2, 68, 2))
    marks[:, [33, 36, 39, 42, 45]] = CANONICAL
    away = marks.copy()
    away[:, 33, 0] += (2, 4)  # 3 pixels in the mean, one of ten points further
    stored = [Stored("s1", {"landmarks": each.tolist()}) for each in (marks, away)]
    stored[1].speaker = "s2"
    values = preparation.placement(stored)
    assert values == {"per_speaker": {"s1": 0.0, "s2": 3.0}, "over_3": 1 / 20}


@pytest.mark.slow
def test_recordings_are_prepared_and_measured(tmp_path, tmp_path_factory):
    root, out = tmp_path / "grid", tmp_path / "results.json"
    for path in ("s1/bbaf2n.mpg", "speakers/brbk7n.mpg"):
        copy_clip(root / path, tmp_path_factory.mktemp("encoded"), "grid")
    (root / "s1" / "lgbf8n.mpg").write_bytes(b"not a film")
    out.write_text('{"rendering": 1}')
    preparation.main("recordings", root, out)
    results = json.loads(out.read_text())
    assert results["rendering"] == 1  # another part is left alone
    report = results["grid"]
    assert report["clips"] == 3 and report["kept"]["all"] == 2
    assert "cannot be decoded" in report["rejected"]["s1/lgbf8n"]
    assert set(results["placement"]["per_speaker"]) == {"s1", "unknown-brbk7n"}
    assert max(results["placement"]["per_speaker"].values()) < 3
    assert results["circumstances"]["landmarks"] == "DlibDetector"


def test_speed_is_that_of_the_bench(tmp_path, monkeypatch):
    asked = []
    for path in ("s1/bbaf2n.mpg", "speakers/brbk7n.mpg"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).touch()
    monkeypatch.setattr(preparation, "bench_prepare", lambda files: asked.extend(files) or ["row"])
    preparation.main("speed", tmp_path, tmp_path / "out.json")
    assert [path.stem for path in asked] == ["bbaf2n", "brbk7n"]
    speed = json.loads((tmp_path / "out.json").read_text())["speed"]
    assert speed["counts"] == ["row"] and speed["circumstances"]["load"] >= 0


def test_rendering_is_timed_by_the_clock_and_by_stages(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(preparation, "bench_render", lambda: ["row"])
    monkeypatch.setattr(rendered, "render_corpus", lambda *a, **k: asked.append((*a[1:], k)))
    preparation.main("rendering", tmp_path / "out.json")
    assert asked == [(preparation.PERFORMERS, preparation.CLIPS, 0, {"workers": 2})]
    rendering = json.loads((tmp_path / "out.json").read_text())["rendering"]
    clock = rendering["wall_clock"]
    assert rendering["stages"] == ["row"] and clock["processes"] == 2
    assert clock["frames"] == 75 * clock["clips"] and clock["frames_per_second"] > 0
    assert rendering["circumstances"]["seed"] == 0
