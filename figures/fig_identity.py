"""Who it is, in the identity code (Fig. 11): a plane of codes, and what is counted in the code.

Reads results/identity.json and results/identity_points.npy, writes fig_identity.png.
"""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from talker.experiments.report import manifest, write_results
from talker.plots import BLUE, GREEN, INK, ORANGE, PURPLE, SKY, STYLE, VERMILION, WIDTH

HERE = Path(__file__).parent
# A woman and a man share a colour, so that eight are enough to tell sixteen people apart.
COLOURS = (BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY, INK, "#F0E442")
MARKERS = {"female": "o", "male": "^"}
ROWS = {
    "purity": "nearest frame of\nanother clip is of\nthe same performer",
    "gender": "woman or man,\nlearnt from others\nheld out",
    "gender_from_training": "woman or man,\nlearnt from training\nperformers",
}
SPACES = {"z_id": (BLUE, "$z_{id}$"), "pixels": (ORANGE, "pixels")}


def plane(axes: Axes, per_clip: dict[str, list], points: np.ndarray) -> None:
    """A marker for each frame: its colour and shape say whose it is."""
    speakers, genders = np.array(per_clip["speaker"]), np.array(per_clip["gender"])
    clips = np.split(points, np.cumsum(per_clip["frames"])[:-1])
    entries: dict[str, list[Line2D]] = {kind: [] for kind in MARKERS}
    for name in dict.fromkeys(speakers.tolist()):
        own = [clips[number] for number in np.flatnonzero(speakers == name)]
        kind = genders[speakers == name][0]
        colour = COLOURS[len(entries[kind]) % len(COLOURS)]
        look = {"marker": MARKERS[kind], "color": colour}
        axes.scatter(*np.concatenate(own).T, s=9, edgecolors=INK, linewidths=0.15, **look)
        entry = Line2D([], [], linestyle="", markersize=4, label=name, **look)
        entries[kind].append(entry)
    # Legends are filled column by column: a woman above a man, or the other way round.
    both = [entry for pair in zip(*entries.values(), strict=True) for entry in pair]
    axes.legend(
        handles=both,
        loc="upper center",
        bbox_to_anchor=(0.5, 0.02),
        ncols=(len(both) + 3) // 4,
        fontsize=7,
        handletextpad=0.1,
        columnspacing=0.8,
    )
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    axes.set_title(f"t-SNE of $z_{{id}}$, {len(points)} frames; circles: women, triangles: men")


def counted(axes: Axes, values: dict[str, dict]) -> None:
    """Shares with their 95 % intervals, and grey bars where 95 % of random labels lie."""
    for place, key in enumerate(ROWS):
        y = len(ROWS) - 1 - place
        for offset, (space, (colour, name)) in zip((0.17, -0.17), SPACES.items(), strict=True):
            row, luck = values[space][key], values[space].get(f"{key}_chance")
            if luck:
                span = 100 * (luck["high"] - luck["low"])
                axes.barh(y + offset, span, 0.2, 100 * luck["low"], color="#dddddd")
            axes.plot([100 * row["low"], 100 * row["high"]], [y + offset] * 2, color=colour)
            axes.plot(100 * row["value"], y + offset, "o", color=colour, markersize=4.5)
            said = f"{name} {100 * row['value']:.1f}"
            axes.text(104, y + offset, said, va="center", fontsize=8, color=colour)
    axes.axvline(50, color="#999999", linestyle=":", linewidth=1)
    axes.set_yticks(range(len(ROWS)), list(reversed(ROWS.values())), fontsize=8)
    axes.set(xlim=(0, 101), ylim=(-0.5, len(ROWS) - 0.5), xlabel="% of frames; grey: random labels")
    axes.tick_params(axis="y", length=0)
    axes.set_title("counted in all dimensions")


def main() -> None:
    """Draw the figure."""
    results = json.loads((HERE / "results/identity.json").read_text(encoding="utf-8"))
    points = np.load(HERE / "results/identity_points.npy")
    with plt.rc_context(STYLE):
        figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 3.9), width_ratios=(1.6, 1))
        plane(left, results["per_clip"], points)
        counted(right, results["values"])
        figure.savefig(HERE / "fig_identity.png", dpi=150, metadata={"Software": None})
        plt.close(figure)
    write_results(HERE / "manifest.json", manifest(HERE))


if __name__ == "__main__":
    main()
