"""The figure of the ablation, drawn from made-up results: everything is in it, twice the same."""

import functools
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from figure_scripts import drawn_twice, load_script

from talker.experiments import ablation, claims
from talker.experiments.ablation import IN_PAPER, TABLE, VARIANTS
from talker.experiments.paper import COLUMNS, read_table
from talker.metrics.intervals import bootstrap
from talker.metrics.registry import METRICS
from talker.plots import STYLE

SCRIPT = Path(__file__).parents[1] / "figures/fig_ablation.py"


@pytest.fixture(scope="module")
def figure_script():
    return load_script("fig_ablation")


@pytest.fixture(scope="module")
def results() -> dict:
    """Noise around the paper's numbers, of two seeds; no word is ever read."""
    dice = np.random.default_rng(0)
    paper = {IN_PAPER[row["method"]]: row for row in read_table(TABLE)}

    def columns(row: dict) -> dict[str, list]:
        drawn = {"clip": [f"p{n}" for n in range(14)]} | {name: [None] * 14 for name in METRICS}
        for name, value in row.items():
            if name in METRICS and value is not None and name != "wer":
                drawn[name] = (value * dice.normal(1, 0.05, 14)).tolist()
        lower = [value - 2 for value in drawn["psnr"]] if drawn["psnr"][0] else [None] * 14
        return drawn | {"psnr_lower": lower}

    few = functools.partial(bootstrap, draws=50)
    runs = {name: {seed: columns(paper[name]) for seed in (0, 1)} for name in VARIANTS}
    real = columns(paper["real"])
    alone = [name for name, metric in METRICS.items() if not metric.compares]
    of_real = {name: few(np.array(real[name], float), np.mean) for name in alone}
    with pytest.MonkeyPatch.context() as patch:
        for module in (ablation, claims):
            patch.setattr(module, "bootstrap", few)
        values = {name: ablation.pooled(each) for name, each in runs.items()}
        decided = claims.decide_all(runs)
    return {
        "variants": {name: {"seeds": [0, 1], "values": each} for name, each in values.items()},
        "real": {"values": of_real},
        "paper": {n: {m: row[m] for m, _ in COLUMNS.values()} for n, row in paper.items()},
        "claims": decided,
        "metrics": {n: {"column": m.column, "unit": m.unit} for n, m in METRICS.items()},
        "circumstances": {"clips": 14, "speakers": 14},
    }


def test_every_column_claim_and_number_is_drawn(figure_script, results, tmp_path):
    figure = drawn_twice(figure_script.draw, results, folder=tmp_path)
    *panels, told = figure.axes
    assert len(panels) == len(figure_script.PANELS)
    for axes, name in zip(panels, figure_script.PANELS, strict=True):
        hollow = [line for line in axes.lines if line.get_markerfacecolor() == "white"]
        filled = [line for line in axes.lines if line.get_marker() == "o" and line not in hollow]
        without = {"psnr", "ssim"}  # which compare with the real video
        assert len(hollow) == 6 + (name not in without)
        assert len(filled) == (0 if name == "wer" else 6 + (name not in without))
    said = [text.get_text() for text in told.texts]
    for claim in results["claims"]:
        assert claim["says"] in said and claim["verdict"] in said
    assert said.count("nothing to measure") == sum(c["measure"] == "wer" for c in results["claims"])


def test_ratios_are_to_the_real_videos(figure_script, results):
    with plt.rc_context(STYLE):
        figure = figure_script.draw(results)
        plt.close(figure)
    axes = figure.axes[figure_script.PANELS.index("acd")]
    xs = [line.get_xdata()[0] for line in axes.lines if line.get_markerfacecolor() == "white"]
    assert 1.0 in xs and max(xs) == pytest.approx(1.96 / 0.98)
