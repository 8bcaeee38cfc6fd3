"""Table 5: the full model and five runs each without a term, the paper's beside ours; its claims.

Reads results/ablation.json, writes fig_ablation.png.
"""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from talker.experiments.panels import (
    ABLATED,
    GREY,
    SMALL,
    Line,
    claim_lines,
    in_units,
    metric_title,
    value_panel,
)
from talker.experiments.report import manifest, write_results
from talker.plots import BLUE, INK, STYLE, WIDTH

HERE = Path(__file__).parent
PANELS = (
    *("psnr", "ssim", "cpbd", "acd", "wer", "av_confidence", "av_offset", "blinks"),
    "blink_duration",
)
# Distances in embeddings of one's own: only their ratio to what real videos have compares.
RATIOS = ("acd", "av_confidence")
COLUMNS = 3


def _panel(axes: Axes, results: dict, name: str, named: bool) -> None:
    """A column of Table 5: a row for each variant, ours with its interval, the paper's hollow."""
    ours = {each: about["values"] for each, about in results["variants"].items()}
    ours["real"] = results["real"]["values"]
    paper, units = results["paper"], {"ours": 1.0, "paper": 1.0}
    if name in RATIOS:
        units = {"ours": ours["real"][name]["value"], "paper": paper["real"][name]}
    lines = []
    for variant, label in ABLATED.items():
        value = in_units(ours.get(variant, {}).get(name), units["ours"])
        theirs = paper.get(variant, {}).get(name)
        # SSIM of real videos with themselves is 1 by definition, and would only push the others
        # together.
        hidden = theirs is None or (name == "ssim" and variant == "real")
        points = [] if hidden else [(theirs / units["paper"], "o")]
        lines.append(Line(label, INK if variant == "real" else BLUE, value, points))
        if variant == "full" and value is not None:
            axes.axvline(value["value"], color=GREY, linewidth=0.8, zorder=0)
    title = metric_title(name, results["metrics"][name], "real" if name in RATIOS else None)
    value_panel(axes, lines, title, named)


def draw(results: dict) -> Figure:
    """The figure for the content of ablation.json."""
    lines = -(-len(PANELS) // COLUMNS)
    heights = [1.35] * lines + [0.19 * len(results["claims"]) + 0.25]
    figure = plt.figure(figsize=(WIDTH, sum(heights) + 1.0))
    grid = figure.add_gridspec(lines + 1, COLUMNS, height_ratios=heights)
    for place, name in enumerate(PANELS):
        axes = figure.add_subplot(grid[place // COLUMNS, place % COLUMNS])
        _panel(axes, results, name, place % COLUMNS == 0)
    measures = {name: about["column"] for name, about in results["metrics"].items()}
    claim_lines(figure.add_subplot(grid[lines, :]), results["claims"], measures)
    about = results["circumstances"]
    seeds = sorted({seed for each in results["variants"].values() for seed in each["seeds"]})
    note = (
        f"Filled: ours, means (medians of AV Off. and blink dur.) over {about['clips']} clips of "
        f"{about['speakers']} speakers with 95 % intervals over speakers, each clip averaged over "
        f"{len(seeds)} training{'s' * (len(seeds) != 1)}; grey line: our full model. Hollow: the "
        "paper's, of GRID. A difference is of the variant that the claim names and the one that "
        "speaks most against it, in the measure's own unit. No interval knows what another seed "
        "would change. Not tested: there the noise is cut off from the judges, so that all blink "
        "by the same dice; own_noise asks it once more."
    )
    figure.supxlabel(textwrap.fill(note, 120), fontsize=SMALL, x=0.01, ha="left")
    return figure


def main() -> None:
    """Draw the figure."""
    results = json.loads((HERE / "results/ablation.json").read_text(encoding="utf-8"))
    with plt.rc_context(STYLE):
        figure = draw(results)
        figure.savefig(HERE / "fig_ablation.png", dpi=150, metadata={"Software": None})
        plt.close(figure)
    write_results(HERE / "manifest.json", manifest(HERE))


if __name__ == "__main__":
    main()
