"""A long log made short, by hand, and the figure that is drawn from it."""

import json
import runpy
from pathlib import Path

import matplotlib
import numpy as np
import pytest

from talker.config import preset, to_json
from talker.errors import TalkerError
from talker.experiments.training_log import main, read_log, shortened, summary

matplotlib.use("Agg")
FIGURE = Path(__file__).parents[1] / "figures" / "fig_training.py"


def row(step: int, warm_up: int = 20) -> dict:
    """What a run says of a step: a sequence at every fourth of the adversarial phase."""
    told = {"l1_lower": step / 100, "lips": 1.0, "seconds": 3.6, "step": step}
    if step > warm_up:
        told |= {"img": 0.5, "frame_real": 0.8, "frame_fake": 0.3, "l1_to_adversarial": 4.0}
        critic = "sequence" if step % 4 == 0 else "sync"
        told |= {f"{critic}_real": 0.7, f"{critic}_fake": 0.4}
        if critic == "sync":
            told["sync_shifted"] = 0.6
    if step % 15 == 0:
        told |= {"validation_l1": 0.03, "validation_sync": 0.5 + step / 1000}
        told["validation_sync_real"] = 0.9
    return told


LOG = [row(step) for step in range(1, 61)]


def test_blocks_are_means_and_do_not_mix_the_phases():
    short = shortened(LOG, count=10)  # blocks of 6 steps
    blocks = [r for r in short if "l1_lower" in r]
    assert [r["step"] for r in blocks] == [6, 12, 18, 20, 26, 32, 38, 44, 50, 56, 60]
    assert blocks[0]["l1_lower"] == pytest.approx(np.mean([1, 2, 3, 4, 5, 6]) / 100)
    assert ["img" in r for r in blocks] == [False] * 4 + [True] * 7
    assert blocks[3]["l1_lower"] == pytest.approx(0.195)  # the rest of the phase: 19 and 20
    # Steps without the column do not count as 0.
    assert blocks[4]["sequence_real"] == blocks[4]["sync_real"] == 0.7
    assert not any(name.startswith("validation") for r in blocks for name in r)


def test_validations_are_kept_as_they_are():
    short = shortened(LOG, count=10)
    kept = [r for r in short if "l1_lower" not in r]
    assert kept == [
        {name: value for name, value in row(s).items() if name.startswith(("val", "step"))}
        for s in (15, 30, 45, 60)
    ]
    steps = [r["step"] for r in short if "l1_lower" in r]
    assert short[steps.index(18) + 1]["step"] == 15  # after the block that it falls in
    assert [r for r in shortened(LOG, count=10**6) if "l1_lower" in r] == [
        {k: v for k, v in r.items() if not k.startswith("val")} for r in LOG
    ]


def test_the_summary_by_hand():
    told = summary(LOG)
    assert (told["steps"], told["adversarial_from"], told["hours"]) == (60, 21, 0.06)
    assert told["ratio"] == 4 and told["validations"] == 4
    assert told["best"] == {
        "step": 60,
        "validation_l1": 0.03,
        "validation_sync": 0.56,
        "validation_sync_real": 0.9,
    }
    assert told["gaps"] == {
        "frame_real - frame_fake": 0.5,
        "sequence_real - sequence_fake": 0.3,
        "sync_real - sync_shifted": 0.1,
        "sync_real - sync_fake": 0.3,
    }
    early = summary(LOG[:20])
    assert early["adversarial_from"] is early["ratio"] is early["best"] is None
    assert early["validations"] == 1 and set(early["gaps"].values()) == {None}


def test_a_log_that_is_none(tmp_path):
    with pytest.raises(TalkerError, match="cannot be read as the log of a run"):
        read_log(tmp_path / "log.jsonl")
    (tmp_path / "log.jsonl").write_text('{"step": 1, "l1')
    with pytest.raises(TalkerError, match="no steps"):
        read_log(tmp_path / "log.jsonl")
    (tmp_path / "log.jsonl").write_text('{"step": 1}\n{"step": 2, "l1')
    assert read_log(tmp_path / "log.jsonl") == [{"step": 1}]
    with pytest.raises(TalkerError, match="has no configuration"):
        main(tmp_path, tmp_path / "short.jsonl")


@pytest.mark.parametrize("count", [60, 20])  # with and without an adversarial phase
def test_results_and_figure_of_a_run(tmp_path, count):
    run = tmp_path / "run"
    run.mkdir()
    (run / "log.jsonl").write_text("".join(json.dumps(r) + "\n" for r in LOG[:count]))
    (run / "config.json").write_text(json.dumps(to_json(preset("smoke"))))
    main(run, tmp_path / "results" / "training_log.jsonl", rows=10)
    results = json.loads((tmp_path / "results" / "training.json").read_text())
    short = read_log(tmp_path / "results" / "training_log.jsonl")
    assert short == shortened(LOG[:count], 10)
    assert results["values"] == summary(LOG[:count])
    assert results["seed"] == 0 and results["config"] == to_json(preset("smoke"))
    assert results["circumstances"]["rows"] == len(short)
    assert {"commit", "versions", "seconds"} <= results["circumstances"].keys()

    script = runpy.run_path(str(FIGURE))
    figure = script["draw"](short, results["values"])
    titles = [cell.get_title(loc="center") or cell.get_title(loc="left") for cell in figure.axes]
    assert titles[3:6] == ["D frame", "D sequence", "D sync"]
    marked = [
        line for cell in figure.axes for line in cell.lines if list(line.get_xdata()) == [0.021] * 2
    ]
    assert len(marked) == (len(figure.axes) if count == 60 else 0)
    if count == 60:
        (ratio,) = figure.axes[6].lines[:1]
        assert set(ratio.get_ydata()) == {4.0}
        figure.savefig(tmp_path / "figure.png")
    matplotlib.pyplot.close(figure)


def test_a_long_curve_is_drawn_as_means():
    script = runpy.run_path(str(FIGURE))
    steps, values = script["curve"]([{"step": s, "x": s % 2} for s in range(100)], "x", points=50)
    assert steps.tolist() == [2 * s + 0.5 for s in range(50)] and set(values) == {0.5}
    assert [len(column) for column in script["curve"]([], "x")] == [0, 0]
