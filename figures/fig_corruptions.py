"""Every metric's answer to every corruption, as small multiples.

Reads results/corruptions.json, writes fig_corruptions.png.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from talker.experiments.report import manifest, write_results
from talker.plots import BLUE, GREEN, INK, ORANGE, PURPLE, SKY, STYLE, VERMILION, WIDTH

HERE = Path(__file__).parent
COLUMNS = 3
COLOURS = {
    "none": INK,
    "blur": BLUE,
    "noise": ORANGE,
    "JPEG": GREEN,
    "sound earlier": VERMILION,
    "other sound": VERMILION,
    "shuffled sound": VERMILION,
    "frozen": PURPLE,
    "mirrored": SKY,
    "other person": INK,
}
DIRECTION = "horizontal_motion"
GREY, SMALL = "#bbbbbb", 7.5


def _places(rows: list[dict]) -> dict[str, list[float]]:
    """Where the points of each corruption stand: stronger to the right, groups apart."""
    places: dict[str, list[float]] = {}
    place = 0.0
    for row in rows:
        corruption = row["corruption"]
        place += 0.5 if corruption in places else 1.1
        places.setdefault(corruption, []).append(place)
    return places


def _panel(axes: Axes, rows: list[dict], name: str, about: dict, named: bool) -> None:
    """One metric: a point with its interval a level; a line where the real video lies."""
    places = _places(rows)
    left = {corruption: iter(each) for corruption, each in places.items()}
    told = set()  # a sign for each group, as several would run into each other
    for row in rows:
        value, colour = row["values"][name], COLOURS[row["corruption"]]
        place = next(left[row["corruption"]])
        if value["value"] is None:
            infinite, middle = name.startswith("psnr"), places[row["corruption"]]
            if row["corruption"] in told:
                continue
            told.add(row["corruption"])
            axes.text(
                sum(middle) / len(middle),
                0.04,
                "∞" if infinite else "–",
                transform=axes.get_xaxis_transform(),
                ha="center",
                fontsize=10 if infinite else SMALL,
                color=colour,
            )
            continue
        axes.plot([place, place], [value["low"], value["high"]], color=colour)
        axes.plot(place, value["value"], "o", color=colour, markersize=3.2)
        if row["corruption"] == "none":
            axes.axhline(value["value"], color=GREY, linewidth=0.8, zorder=0)
    ticks = [sum(each) / len(each) for each in places.values()]
    axes.set_xticks(ticks, list(places) if named else [], rotation=60, ha="right")
    for label in axes.get_xticklabels():
        label.set(rotation_mode="anchor", fontsize=SMALL)
    axes.tick_params(axis="y", labelsize=SMALL)
    axes.tick_params(axis="x", length=0, pad=1)
    axes.locator_params(axis="y", nbins=4)
    axes.margins(y=0.14)
    axes.set_xlim(0.5, max(each[-1] for each in places.values()) + 0.6)
    unit = f", {about['unit']}" if about["unit"] and about["unit"] not in about["column"] else ""
    axes.set_title(f"{about['column']}{unit}", fontsize=8.5)


def _flipped(axes: Axes, rows: list[dict], about: dict) -> None:
    """Motion to the right of each clip, as it is and mirrored: who changes sign lies on the line.

    Heads sway about one place, so that the mean over clips is next to 0 whatever is done to them.
    """
    by_name = {row["corruption"]: row["per_clip"][DIRECTION] for row in rows}
    plain, mirrored = by_name["none"], by_name["mirrored"]
    most = 1.15 * max(map(abs, plain + mirrored))
    axes.plot([-most, most], [most, -most], color=GREY, linewidth=0.8)
    axes.plot(plain, mirrored, "o", color=COLOURS["mirrored"], markersize=3.2)
    axes.set(xlim=(-most, most), ylim=(-most, most))
    axes.set_xlabel("as it is", fontsize=SMALL, labelpad=1)
    axes.set_ylabel("mirrored", fontsize=SMALL, labelpad=1)
    axes.tick_params(labelsize=SMALL)
    axes.locator_params(nbins=3)
    axes.set_title(f"{about['column']}, {about['unit']}", fontsize=8.5)


def _levels(results: dict) -> str:
    """What the points of each group mean, and what the others are."""
    levels: dict[str, list[str]] = {}
    for row in results["rows"]:
        if row["level"] is not None:
            levels.setdefault(row["corruption"], []).append(f"{row['level']:g}")
    lines = [f"{n}: {', '.join(e)} ({results['units'][n]})" for n, e in levels.items()]
    lines += [
        "other sound: of another clip",
        "shuffled: its own 0.2 s in another order",
        "frozen: the first frame throughout",
        "mirrored: both videos",
        "other person: another performer's clip",
        "",
        "line: the real video itself (none)",
        "– : nothing to measure; ∞: no error",
        f"95 % intervals over {len(results['clips'])} clips",
    ]
    return "\n".join(lines)


def main() -> None:
    """Draw the figure."""
    results = json.loads((HERE / "results/corruptions.json").read_text(encoding="utf-8"))
    names = [name for name in results["order"] if name != DIRECTION]
    lines = math.ceil((len(names) + 2) / COLUMNS)
    with plt.rc_context(STYLE):
        size = (WIDTH, 1.25 * lines + 0.7)
        figure, grid = plt.subplots(lines, COLUMNS, figsize=size)
        cells = list(grid.flat)
        for place, (axes, name) in enumerate(zip(cells, names, strict=False)):
            last = place + COLUMNS >= len(names)
            _panel(axes, results["rows"], name, results["metrics"][name], last)
        _flipped(cells[len(names)], results["rows"], results["metrics"][DIRECTION])
        for axes in cells[len(names) + 1 :]:
            axes.set_axis_off()
        cells[len(names) + 1].text(0, 1, _levels(results), va="top", fontsize=SMALL)
        figure.savefig(HERE / "fig_corruptions.png", dpi=150, metadata={"Software": None})
        plt.close(figure)
    write_results(HERE / "manifest.json", manifest(HERE))


if __name__ == "__main__":
    main()
