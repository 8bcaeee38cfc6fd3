"""Do a detector and an embedding that know photographs take the performers for faces and people?

Reads results/performers.json, writes fig_performers.png.
"""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from talker.experiments.report import manifest, write_results
from talker.plots import BLUE, INK, ORANGE, STYLE, VERMILION, WIDTH

HERE = Path(__file__).parent
LAST = 8  # percent; what is above shares one bin beside it
EDGES = np.arange(1.5, LAST + 0.26, 0.25)
SAME_PERSON = 0.6  # the distance under which dlib calls two photographs one person


def _errors(axes, results) -> None:
    """Landmark error of each clip, the median over clips, and the line that it must not cross."""
    errors = 100 * np.array(results["per_clip"]["error"], float)
    shown = errors[np.isfinite(errors)].clip(EDGES[0], EDGES[-1])  # no clip is left out
    axes.hist(shown, EDGES, color=BLUE)
    axes.set_xticks([*range(2, LAST), EDGES[-2:].mean()], [*range(2, LAST), f"> {EDGES[-2]:g}"])
    median = {key: 100 * results["values"]["error"][key] for key in ("value", "low", "high")}
    most, over = 100 * results["most_error"], 100 * results["values"]["over"]["value"]
    axes.axvline(most, color=VERMILION, linestyle="--")
    top = 1.32 * axes.get_ylim()[1]
    axes.set_ylim(0, top)
    above = f"our aim, {most:.0f} %: {over:.0f} % of clips are above"
    axes.text(most + 0.1, 0.97 * top, above, color=VERMILION, va="top", fontsize=8)
    axes.plot(median["value"], 0.82 * top, "v", color=INK)
    axes.text(
        most + 0.1,
        0.82 * top,
        f"median {median['value']:.2f} % ({median['low']:.2f} to {median['high']:.2f})",
        va="center",
        fontsize=8,
    )
    axes.set(xlabel="% of the distance between the eyes", ylabel="clips")
    found = 100 * results["values"]["found"]["value"]
    axes.set_title(f"face found in {found:.1f} % of frames; landmark error")


def _distances(axes, results) -> None:
    """How far apart embeddings of one performer and of two are, as shares of all such pairs."""
    edges = np.array(results["histogram"]["bins"])
    for key, colour, label in (
        ("same", BLUE, "one performer"),
        ("different", ORANGE, "two performers"),
    ):
        counts = np.array(results["histogram"][key], float)
        axes.stairs(100 * counts / counts.sum(), edges, color=colour, label=label, linewidth=1.6)
    axes.axvline(SAME_PERSON, color="#999999", linestyle=":", linewidth=1)
    axes.set_xlim(0, 1.05)
    top = 1.3 * axes.get_ylim()[1]
    axes.set_ylim(0, top)
    grey = {"fontsize": 8, "color": "#777777", "va": "top"}
    axes.text(SAME_PERSON + 0.015, 0.97 * top, "dlib's threshold\nfor photographs", **grey)
    axes.legend(loc="upper left")
    axes.set(xlabel=f"distance of {results['embedding']} embeddings", ylabel="% of pairs")
    auc = results["values"]["auc"]
    axes.set_title(f"ROC AUC {auc['value']:.4f} ({auc['low']:.4f} to {auc['high']:.4f})")


def main() -> None:
    """Draw the figure."""
    results = json.loads((HERE / "results/performers.json").read_text(encoding="utf-8"))
    with plt.rc_context(STYLE):
        figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 2.7))
        _errors(left, results)
        _distances(right, results)
        figure.savefig(HERE / "fig_performers.png", dpi=150, metadata={"Software": None})
    write_results(HERE / "manifest.json", manifest(HERE))


if __name__ == "__main__":
    main()
