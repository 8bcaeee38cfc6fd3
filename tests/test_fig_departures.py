"""The figure of the departures, drawn from made-up results: every variant is in its place."""

import numpy as np
import pytest
from figure_scripts import drawn_twice, load_script

from talker.experiments.departures import ADVERSARIAL_BASE, BASE, MEASURES, VARIANTS
from talker.metrics.intervals import bootstrap


@pytest.fixture(scope="module")
def figure_script():
    return load_script("fig_departures")


@pytest.fixture
def results() -> dict:
    """Differences around 1 for "no-lips", around -1 for "no-still", around 0 for the others."""
    dice, middle = np.random.default_rng(0), {"no-lips": 1.0, "no-still": -1.0}
    variants = {}
    for name in VARIANTS:
        drawn = dice.normal(0, 0.2, (len(MEASURES), 24))
        drawn += middle.get(name, 0) - drawn.mean(1, keepdims=True)
        found = zip(MEASURES, drawn, strict=True)
        variants[name] = {"difference": {m: bootstrap(row, np.mean, draws=50) for m, row in found}}
    for name in (BASE, ADVERSARIAL_BASE):
        variants[name] = {}
    return {"variants": variants, "circumstances": {"clips": 24, "speakers": 8}}


def panels_of(figure):
    """Axes by (family, measure), their names from top to bottom, and marks by name."""
    return {
        (row, title): axes
        for row, start in enumerate(range(0, len(figure.axes), 6))
        for axes in figure.axes[start : start + 6]
        for title in [axes.get_title(loc="center")]
    }


def marks_of(axes):
    """(shape, filled) of each row's mark, from the bottom up."""
    points = [line for line in axes.lines if line.get_marker() not in ("None", "")]
    return {
        round(line.get_ydata()[0]): (line.get_marker(), line.get_markerfacecolor() != "white")
        for line in points
    }


def test_every_departure_has_a_name_and_a_row(figure_script, results, tmp_path):
    assert figure_script.NAMES.keys() == VARIANTS.keys() - {BASE, ADVERSARIAL_BASE}
    figure = drawn_twice(figure_script.draw, results, folder=tmp_path)
    for row, family in enumerate(figure_script.FAMILIES.values()):
        axes = panels_of(figure)[row, "r opening"]
        shown = [label.get_text() for label in axes.get_yticklabels()][::-1]
        assert shown == [figure_script.NAMES[name] for name in list(family)[1:]]
        assert len(marks_of(axes)) == len(family) - 1


def test_what_helps_and_what_harms_point_apart(figure_script, results, tmp_path):
    panels = panels_of(drawn_twice(figure_script.draw, results, folder=tmp_path))
    rows = [list(family)[1:][::-1] for family in figure_script.FAMILIES.values()]
    helps = marks_of(panels[0, "r opening"])[rows[0].index("no-lips")]
    harms = marks_of(panels[1, "r opening"])[rows[1].index("no-still")]
    assert (helps, harms) == ((">", True), ("<", True))
    # More blinks are not better, and an interval around 0 says nothing.
    assert marks_of(panels[0, "blinks/sec"])[rows[0].index("no-lips")] == ("o", True)
    assert marks_of(panels[0, "r opening"])[rows[0].index("no-skip-64")] == ("o", False)


def test_what_is_not_made_yet_or_diverged_leaves_its_row_out(figure_script, results, tmp_path):
    variants = results["variants"]
    results["variants"] = {name: variants[name] for name in (BASE, "another-seed")}
    results["variants"]["no-lips"] = {"problem": "loss is nan"}
    figure = drawn_twice(figure_script.draw, results, folder=tmp_path)
    assert len(figure.axes) == 6 and len(marks_of(figure.axes[0])) == 1
    assert figure_script.NAMES["no-lips"] in figure.get_supxlabel().replace("\n", " ")
