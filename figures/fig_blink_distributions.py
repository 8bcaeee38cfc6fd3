"""How often and how long faces blink (Fig. 9 and 12): real, and generated.

Reads results/blink_distributions.json, writes fig_blink_distributions.png.
"""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from talker.experiments.blink_distributions import averages, counts
from talker.experiments.drawn import film_colours
from talker.experiments.held_out import REAL
from talker.experiments.panels import ABLATED, SMALL
from talker.experiments.report import manifest, write_results
from talker.plots import STYLE, WIDTH

HERE = Path(__file__).parent
CONTROLS = {"truth": "#999999"}
NAMES = {
    "truth": "real, by the renderer",
    REAL: "real, detected",
    "full-0": ABLATED["full"],
    "no-seq-0": ABLATED["no-seq"],
}
NOTE = (
    "The tests take videos for independent; those of one face are not, so p is rather too small. "
    "The intervals draw performers. In full model and no L_seq no judge teaches the noise."
)


def many(axes: Axes, films: dict[str, dict], colours: dict[str, str], values: dict) -> None:
    """The share of videos with 0, 1, 2 ... blinks; films side by side."""
    most = max(int(counts(film).max()) for film in films.values())
    wide = 0.8 / len(films)
    for place, (name, film) in enumerate(films.items()):
        shares = 100 * np.bincount(counts(film), minlength=most + 1) / len(film["clip"])
        at = np.arange(most + 1) + (place - (len(films) - 1) / 2) * wide
        told = values[name]["blinks"]
        axes.bar(
            at,
            shares,
            0.9 * wide,
            color=colours[name],
            label=f"{NAMES.get(name, name)}: {_valued(told)}",
        )
    axes.set_xticks(range(most + 1))
    axes.set(xlabel="blinks in a video of 3 s", ylabel="% of videos")
    axes.set_ylim(0, (1.2 + 0.18 * len(films)) * axes.get_ylim()[1])  # room for the legend
    axes.legend(
        loc="upper right",
        title="mean (95 % interval)",
        fontsize=8,
        title_fontsize=8,
        alignment="left",
    )


def long(axes: Axes, films: dict[str, dict], colours: dict[str, str], values: dict) -> None:
    """The share of videos whose blinks are no longer on average: the curves that are tested."""
    for name, film in films.items():
        seconds = np.sort(averages(film))
        told = values[name]["seconds"]
        axes.ecdf(seconds, color=colours[name], label=_valued(told))
    axes.set(xlabel="mean seconds of a video's blinks", ylabel="share of videos up to there")
    axes.set_xlim(0, 1.5 * max(averages(film).max() for film in films.values()))  # likewise
    axes.legend(
        loc="lower right",
        title="median (95 % interval)",
        fontsize=8,
        title_fontsize=8,
        alignment="left",
    )


def _valued(told: dict) -> str:
    """A value and its interval."""
    return f"{told['value']:.2f} ({told['low']:.2f} to {told['high']:.2f})"


def said(tests: dict, name: str, measure: str) -> str:
    """Both tests of a film against the real one in a line."""
    row = tests[name][measure]
    p = {test: row[test]["p"] for test in ("kolmogorov_smirnov", "mann_whitney")}
    return "{} and real: KS p = {:.2g}, MW p = {:.2g}".format(NAMES.get(name, name), *p.values())


def main() -> None:
    """Draw the figure."""
    text = (HERE / "results/blink_distributions.json").read_text(encoding="utf-8")
    results = json.loads(text)
    methods = list(results["weights"])
    films = {name: results["films"][name] for name in ("truth", REAL, *methods)}
    colours = film_colours(methods, CONTROLS)
    with plt.rc_context(STYLE):
        figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 3.5))
        many(left, films, colours, results["values"])
        long(right, films, colours, results["values"])
        for axes, measure in ((left, "blinks"), (right, "seconds")):
            lines = (said(results["tests"], name, measure) for name in methods)
            axes.set_title("\n".join(lines), fontsize=8)
        figure.supxlabel(textwrap.fill(NOTE, 120), fontsize=SMALL, x=0.01, ha="left")
        figure.savefig(HERE / "fig_blink_distributions.png", dpi=150, metadata={"Software": None})
        plt.close(figure)
    write_results(HERE / "manifest.json", manifest(HERE))


if __name__ == "__main__":
    main()
