"""The figure of the comparison, drawn from made-up results: everything is in it, twice the same."""

import functools
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from figure_scripts import load_script

from talker.experiments.comparison import EQUAL, IN_PAPER, ORDER, PROPOSED, TABLE
from talker.experiments.paper import read_table
from talker.metrics.intervals import bootstrap
from talker.metrics.registry import METRICS
from talker.plots import STYLE

SCRIPT = Path(__file__).parents[1] / "figures/fig_comparison.py"


@pytest.fixture(scope="module")
def figure_script():
    return load_script("fig_comparison")


@pytest.fixture
def results() -> dict:
    """Noise around the paper's numbers of LRW, where it has all four methods; no word is read."""
    dice, few = np.random.default_rng(0), functools.partial(bootstrap, draws=50)
    paper = [row | {"method": IN_PAPER[row["method"]]} for row in read_table(TABLE)]
    methods = {}
    for row in paper:
        if row["dataset"] == "LRW":
            drawn = {
                name: few([] if row.get(name) is None else row[name] * dice.normal(1, 0.05, 14))
                for name in METRICS
            }
            told = {} if row["method"] == PROPOSED else {"step": 900, "seconds": 10800.0}
            methods[row["method"]] = {"values": drawn, "training": told}
    given = {"step": 3000, "seconds": 10800.0}
    methods[EQUAL] = {"values": methods[PROPOSED]["values"], "training": given}
    alone = {name: few(dice.normal(0.5, 0.1, 14)) for name, m in METRICS.items() if not m.compares}
    return {
        "methods": methods,
        "frames": ["real", *ORDER],
        "real": {"values": alone},
        "paper": paper,
        "metrics": {name: metric.about for name, metric in METRICS.items()},
        "circumstances": {"clips": 14, "speakers": 7},
    }


def drawn(figure_script, results, path=None):
    """The panels by metric: places (x, y) of our values, and of the paper's."""
    with plt.rc_context(STYLE):
        picture = np.zeros((128 * len(results["frames"]), 9 * 96, 3), np.uint8)
        figure = figure_script.draw(results, picture)
        if path is not None:
            figure.savefig(path, dpi=150, metadata={"Software": None})
        plt.close(figure)
    panels = {}
    for name, axes in zip(figure_script.PANELS, figure.axes[1:], strict=True):
        marks = [line for line in axes.lines if line.get_marker() not in ("None", "")]
        hollow = [line for line in marks if line.get_markerfacecolor() == "white"]
        filled = [line for line in marks if line not in hollow]
        panels[name] = [
            [(float(line.get_xdata()[0]), round(line.get_ydata()[0])) for line in part]
            for part in (filled, hollow)
        ]
    return panels


def test_every_method_is_drawn_with_all_that_the_paper_has(figure_script, results, tmp_path):
    panels = drawn(figure_script, results, tmp_path / "a.png")
    drawn(figure_script, results, tmp_path / "b.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    for name, (ours, theirs) in panels.items():
        assert len(theirs) == (3 if name == "wer" else 13)  # words are read of GRID alone
        methods = 0 if name == "wer" else 5
        assert len(ours) == methods + (not METRICS[name].compares)
    atvgnet = [x for x, y in panels["psnr"][1] if y == 0]
    assert atvgnet == [20.107]
    value = results["methods"]["atvgnet"]["values"]["psnr"]["value"]
    assert panels["psnr"][0][0] == (value, 0)


def test_distances_are_ratios_to_the_proposed_model_of_the_same_corpus(figure_script, results):
    ours, theirs = drawn(figure_script, results)["acd"]
    proposed = [x for x, y in ours + theirs if y == 4]
    assert proposed == [1.0] * 5
    assert [x for x, y in theirs if y == 0] == [pytest.approx(2.14 / 1.53)]


def test_a_comparison_that_is_not_finished_is_drawn_as_far_as_it_is(figure_script, results):
    """And where the proposed model has no value, nobody's ratio to it is known."""
    del results["methods"]["atvgnet"]
    results["methods"][PROPOSED]["values"]["acd"] = bootstrap([])
    panels = drawn(figure_script, results)
    assert len(panels["psnr"][0]) == 4
    assert panels["acd"][0] == []
