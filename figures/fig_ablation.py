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

from talker.experiments.report import manifest, write_results
from talker.plots import BLUE, GREEN, INK, STYLE, VERMILION, WIDTH

HERE = Path(__file__).parent
NAMES = {
    "real": "real videos",
    "full": "full model",
    "no-adv": r"no $L_{adv}$",
    "no-l1": r"no $L_{L1}$",
    "no-img": r"no $L_{img}$",
    "no-sync": r"no $L_{sync}$",
    "no-seq": r"no $L_{seq}$",
}
PANELS = (
    *("psnr", "ssim", "cpbd", "acd", "wer", "av_confidence", "av_offset", "blinks"),
    "blink_duration",
)
# Distances in embeddings of one's own: only their ratio to what real videos have compares.
RATIOS = ("acd", "av_confidence")
COLUMNS = 3
# A verdict has a sign, too: colours are not for everybody.
SIGNS = {
    "reproduced": ("✓", GREEN),
    "not reproduced": ("✗", VERMILION),
    "undecided": ("?", INK),
}
SMALL, GREY = 7.5, "#bbbbbb"


def _panel(axes: Axes, results: dict, name: str, named: bool) -> None:
    """A column of Table 5: a row for each variant, ours with its interval, the paper's hollow."""
    ours = {each: about["values"] for each, about in results["variants"].items()}
    ours["real"] = results["real"]["values"]
    paper, about = results["paper"], results["metrics"][name]
    units = {"ours": 1.0, "paper": 1.0}
    if name in RATIOS:
        units = {"ours": ours["real"][name]["value"], "paper": paper["real"][name]}
    for place, variant in enumerate(reversed(NAMES)):
        value = ours.get(variant, {}).get(name)
        if value is not None and value["value"] is not None and units["ours"]:
            low, middle, high = (value[key] / units["ours"] for key in ("low", "value", "high"))
            colour = INK if variant == "real" else BLUE
            axes.plot([low, high], [place + 0.12] * 2, color=colour, linewidth=1.6)
            axes.plot(middle, place + 0.12, "o", color=colour, markersize=4)
            if variant == "full":
                axes.axvline(middle, color=GREY, linewidth=0.8, zorder=0)
        theirs = paper.get(variant, {}).get(name)
        # SSIM of real videos with themselves is 1 by definition, and would only push the others
        # together.
        if theirs is not None and not (name == "ssim" and variant == "real"):
            at = theirs / units["paper"]
            axes.plot(at, place - 0.16, "o", markersize=4, mfc="white", mec=VERMILION, mew=1.1)
    axes.set_yticks(range(len(NAMES)), list(reversed(NAMES.values())) if named else [])
    axes.tick_params(axis="y", length=0, labelsize=8)
    axes.tick_params(axis="x", labelsize=SMALL)
    axes.locator_params(axis="x", nbins=4)
    axes.margins(x=0.08)
    axes.set_ylim(-0.6, len(NAMES) - 0.4)
    unit = "real = 1" if name in RATIOS else about["unit"]
    within = not unit or unit in about["column"] or name in ("blinks", "blink_duration")
    axes.set_title(about["column"] if within else f"{about['column']}, {unit}", fontsize=8.5)


def _said(claim: dict) -> str:
    """The difference that decides a claim, with its interval."""
    effect = claim["against"][claim["decided_by"]]["effect"]
    if effect["value"] is None:
        return "nothing to measure"
    middle, low, high = (f"{effect[key]:+.3g}" for key in ("value", "low", "high"))
    return f"{middle} [{low}, {high}]".replace("-", "−")


def _claims(axes: Axes, results: dict) -> None:
    """The paper's claims, a line each: what is said, our difference, our verdict."""
    claims, metrics = results["claims"], results["metrics"]
    axes.set(xlim=(0, 1), ylim=(-0.7, len(claims) + 0.4))
    axes.set_axis_off()
    titles = (
        (0.0, "the paper's claim"),
        (0.435, "by"),
        (0.56, "difference [95 %]"),
        (0.84, "verdict"),
    )
    for at, title in titles:
        axes.text(at, len(claims) - 0.1, title, va="center", fontsize=8, weight="bold")
    for row, claim in enumerate(claims):
        y = len(claims) - 1 - row
        sign, colour = SIGNS[claim["verdict"]]
        measure = metrics[claim["measure"]]["column"]
        if claim["less"]:
            measure = f"{measure} – lower"
        texts = (claim["says"], measure, _said(claim))
        for (at, _), text in zip(titles, texts, strict=False):
            axes.text(at, y, text, va="center", fontsize=SMALL)
        axes.text(0.84, y, sign, va="center", fontsize=9, color=colour, weight="bold")
        axes.text(0.867, y, claim["verdict"], va="center", fontsize=SMALL, color=colour)


def draw(results: dict) -> Figure:
    """The figure for the content of ablation.json."""
    lines = -(-len(PANELS) // COLUMNS)
    heights = [1.35] * lines + [0.19 * len(results["claims"]) + 0.25]
    figure = plt.figure(figsize=(WIDTH, sum(heights) + 1.0))
    grid = figure.add_gridspec(lines + 1, COLUMNS, height_ratios=heights)
    for place, name in enumerate(PANELS):
        axes = figure.add_subplot(grid[place // COLUMNS, place % COLUMNS])
        _panel(axes, results, name, place % COLUMNS == 0)
    _claims(figure.add_subplot(grid[lines, :]), results)
    about = results["circumstances"]
    seeds = sorted({seed for each in results["variants"].values() for seed in each["seeds"]})
    note = (
        f"Filled: ours, means (medians of AV Off. and blink dur.) over {about['clips']} clips of "
        f"{about['speakers']} speakers with 95 % intervals, each clip averaged over "
        f"{len(seeds)} training{'s' * (len(seeds) != 1)}; grey line: our full model. Hollow: the "
        "paper's, of GRID. A difference is of the variant that the claim names and the one that "
        "speaks most against it."
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
