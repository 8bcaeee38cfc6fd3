"""Measures, intervals, and figures that belong to their results."""

import json
import runpy
import subprocess
from pathlib import Path

import numpy as np
import pytest

from talker.experiments.report import commit, drawn_from, write_results
from talker.metrics.intervals import bootstrap
from talker.metrics.landmarks import correlation

FIGURES = Path(__file__).parents[1] / "figures"


def test_every_figure_was_drawn_from_the_results_beside_it():
    """After a change of a result or a script: run that figures/fig_*.py again.

    What waits for results that nobody has made yet has to be told of as such.
    """
    scripts = [path.name for path in FIGURES.glob("fig_*.py")]
    entries = {script: drawn_from(FIGURES, script) for script in scripts}
    now = {name: entry for name, entry in entries.items() if entry["results"] or entry["figures"]}
    assert json.loads((FIGURES / "manifest.json").read_text()) == now
    assert all(entry["results"] and entry["figures"] for entry in now.values())
    told = (FIGURES / "README.md").read_text().split("has not been run")[1]
    assert all(f"`{script}`" in told for script in entries.keys() - now.keys())


def test_a_script_vouches_for_its_own_figure_only(tmp_path):
    """When one figure is drawn again, the other one is still known to be stale."""
    code = "from pathlib import Path\n"
    code += "from talker.experiments.report import manifest, write_results\n"
    code += "HERE = Path(__file__).parent\n"
    code += "(HERE / '{0}.png').write_bytes((HERE / 'results' / '{0}.json').read_bytes())\n"
    code += "write_results(HERE / 'manifest.json', manifest(HERE))\n"
    (tmp_path / "results").mkdir()
    for name in ("a", "b"):
        (tmp_path / "results" / f"{name}.json").write_text("1")
        (tmp_path / f"fig_{name}.py").write_text(code.format(name))
        runpy.run_path(str(tmp_path / f"fig_{name}.py"))

    def fresh() -> dict[str, bool]:
        held = json.loads((tmp_path / "manifest.json").read_text())
        return {script: held[script] == drawn_from(tmp_path, script) for script in sorted(held)}

    assert fresh() == {"fig_a.py": True, "fig_b.py": True}
    held = json.loads((tmp_path / "manifest.json").read_text())
    assert list(held["fig_a.py"]["results"]) == ["a.json"]
    assert list(held["fig_a.py"]["figures"]) == ["a.png"]
    for name in ("a", "b"):
        (tmp_path / "results" / f"{name}.json").write_text("2")
    runpy.run_path(str(tmp_path / "fig_a.py"))
    assert fresh() == {"fig_a.py": True, "fig_b.py": False}
    (tmp_path / "fig_b.py").unlink()
    runpy.run_path(str(tmp_path / "fig_a.py"))
    assert fresh() == {"fig_a.py": True}


def test_bootstrap_interval_covers_the_median_and_shrinks_with_more_clips():
    rng = np.random.default_rng(3)
    few, many = bootstrap(rng.normal(5, 1, 10)), bootstrap(rng.normal(5, 1, 1000))
    assert many["low"] < 5 < many["high"]
    assert many["high"] - many["low"] < few["high"] - few["low"]


def test_bootstrap_counts_what_it_leaves_out():
    found = bootstrap([1.0, float("nan"), 3.0], np.mean)
    assert (found["value"], found["clips"], found["left_out"]) == (2.0, 2, 1)


def test_correlation_ignores_frames_without_a_face_and_refuses_constants():
    a = np.array([0.0, 1, 2, np.nan, 4])
    assert correlation(a, 2 * a + 1) == pytest.approx(1)
    assert np.isnan(correlation(a, np.ones(5)))


def test_a_commit_is_dirty_when_code_differs_from_it(tmp_path):
    def git(*arguments: str) -> str:
        who = ["-c", "user.name=a", "-c", "user.email=a@b"]
        run = subprocess.run(["git", "-C", tmp_path, *who, *arguments], capture_output=True)
        return run.stdout.decode().strip()

    assert commit(tmp_path) == "unknown"
    git("init")
    for name in ("code.py", "figures/results/a.json", "chapters/a.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1")
    git("add", ".")
    git("commit", "-m", "all")
    short = git("rev-parse", "--short", "HEAD")
    for name in ("figures/results/a.json", "chapters/a.py", "untracked.py"):
        (tmp_path / name).write_text("2")
    assert len(short) >= 7 and commit(tmp_path) == short
    (tmp_path / "code.py").write_text("2")
    assert commit(tmp_path) == f"{short}-dirty"


def test_results_appear_whole_and_read_back(tmp_path):
    write_results(tmp_path / "results/x.json", {"b": 1, "a": [2.5]})
    assert json.loads((tmp_path / "results/x.json").read_text()) == {"a": [2.5], "b": 1}
    assert [p.name for p in (tmp_path / "results").iterdir()] == ["x.json"]


def test_storage_is_measured_by_the_bench_and_written_with_its_circumstances(monkeypatch, tmp_path):
    from talker.experiments import storage

    row = {"way": "raw", "kilobytes": 2.0, "psnr": 40.0, "windows": 3.0, "training_windows": 4.0}
    monkeypatch.setattr(storage, "bench_store", lambda corpus: [row])
    steps = [{"seconds": 0.5, "data_share": 0.2}] * 3 + [{"img": 1, "seconds": 9, "data_share": 0}]
    log = [json.dumps(told | {"step": number}) for number, told in enumerate(steps, start=1)]
    (tmp_path / "training_log.jsonl").write_text("\n".join(log) + "\n")
    storage.main(tmp_path / "corpus", tmp_path / "storage.json")
    written = json.loads((tmp_path / "storage.json").read_text())
    assert written["ways"] == [row] and written["windows_needed"] == 30  # 12 clips in 0.4 s
    assert written["circumstances"]["corpus"] == "corpus" and "commit" in written["circumstances"]
