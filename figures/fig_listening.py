"""What the sync loss is for, with a judge that listens and with one that does not.

Reads results/listening.json, writes fig_listening.png.
"""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from talker.experiments.listening import TRAINED, UNTAUGHT
from talker.experiments.panels import SMALL, Line, claim_lines, value_panel
from talker.experiments.report import manifest, write_results
from talker.plots import BLUE, INK, STYLE, WIDTH

HERE = Path(__file__).parent
NAMES = {
    "real": "real videos",
    "start": "start, step 0",
    "taught": r"$L_{sync}$, judge taught",
    "strong": r"$5 L_{sync}$, judge taught",
    "without": r"no $L_{sync}$",
    "untaught": r"$L_{sync}$, untaught",
}
PANELS = {"av_confidence": "AV Conf.", "wer": "WER", "opening": "r opening"}


def draw(results: dict) -> Figure:
    """The figure for the content of listening.json."""
    heights = [1.4, 0.19 * len(results["claims"]) + 0.25]
    figure = plt.figure(figsize=(WIDTH, sum(heights) + 1.1))
    grid = figure.add_gridspec(2, len(PANELS) + 1, height_ratios=heights)
    runs = results["runs"]
    values = {
        name: row.get("values", {}) for name, row in (runs | {"real": results["real"]}).items()
    }
    for place, (name, title) in enumerate(PANELS.items()):
        lines = [
            Line(label, BLUE if each in TRAINED else INK, values.get(each, {}).get(name))
            for each, label in NAMES.items()
        ]
        value_panel(figure.add_subplot(grid[0, place]), lines, title, place == 0)
    lines = []
    for each, label in NAMES.items():
        after, before = runs.get(each, {}).get("hearing"), []
        if after is not None:
            first = results["hearing"]["untaught" if each == UNTAUGHT else "taught"]
            before, after = (
                [(first["auc"], "o")],
                dict.fromkeys(("low", "value", "high"), after["auc"]),
            )
        lines.append(Line(label, BLUE, after, before))
    axes = figure.add_subplot(grid[0, len(PANELS)])
    axes.axvline(0.5, color=INK, linewidth=0.6, linestyle=":", zorder=0)
    value_panel(axes, lines, "its judge's AUC", False)
    claim_lines(figure.add_subplot(grid[1, :]), results["claims"], PANELS)
    about = results["circumstances"]
    note = (
        f"Means over {about['clips']} clips of {about['speakers']} speakers, with 95 % intervals "
        f"over speakers, after {about['steps']} adversarial steps from one young generator. AUC: "
        "how often a judge believes more in a pair in sync than in one that is not, on real "
        "performers it has not learnt from; hollow before these steps, 0.5 is guessing. "
        "Differences are of the same clip."
    )
    figure.supxlabel(textwrap.fill(note, 120), fontsize=SMALL, x=0.01, ha="left")
    return figure


def main() -> None:
    """Draw the figure."""
    results = json.loads((HERE / "results/listening.json").read_text(encoding="utf-8"))
    with plt.rc_context(STYLE):
        figure = draw(results)
        figure.savefig(HERE / "fig_listening.png", dpi=150, metadata={"Software": None})
        plt.close(figure)
    write_results(HERE / "manifest.json", manifest(HERE))


if __name__ == "__main__":
    main()
