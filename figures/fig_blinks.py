"""Measuring blinks: Eq. 8 on an eye, a trace with its blinks, and Table 3 with what makes it worse.

Reads results/blink_validation.json, _ear.npy and _eye.png, and blinks_grid.json; writes
fig_blinks.png.
"""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from PIL import Image

from talker.experiments.report import manifest, write_results
from talker.metrics.blinks import find_blinks
from talker.plots import BLUE, GREEN, INK, ORANGE, SKY, STYLE, VERMILION, WIDTH

HERE = Path(__file__).parent
FPS = 25
ROWS = {
    "accuracy": ("accuracy, %", 100),
    "precision": ("precision, %", 100),
    "recall": ("recall, %", 100),
    "mae_start": ("start, frames off", 1),
    "mae_end": ("end, frames off", 1),
}
SHADE = "#dddddd"


def eyes(axes: Axes, results: dict, picture: np.ndarray) -> None:
    """The paper's Fig. 7: the six landmarks of an eye, open and shut."""
    axes.imshow(picture, interpolation="bicubic")
    width = picture.shape[1] // 2
    for number, marks in enumerate(results["example"]["landmarks"]):
        marks = np.array(marks) + [number * width, 0]
        for a, b in ((0, 3), (1, 5), (2, 4)):
            axes.plot(*marks[[a, b]].T, color=SKY if (a, b) == (0, 3) else ORANGE, linewidth=1.2)
        axes.plot(*marks.T, "o", color="white", markersize=3)
        for index, mark in enumerate(marks, start=1):
            away = (0, 5 if index in (2, 3) else -11) if index not in (1, 4) else (0, 5)
            axes.annotate(
                f"$p_{index}$",
                mark,
                away,
                textcoords="offset points",
                ha="center",
                color="white",
                fontsize=8,
            )
    axes.axvline(width - 0.5, color="white", linewidth=2)
    axes.set_axis_off()
    axes.set_title("the eye in Eq. 8 (Fig. 7)")


def trace(axes: Axes, ear: np.ndarray, true: list[list[int]]) -> None:
    """The paper's Fig. 8: blue the blink, green its start, red its end; grey: the lid moves."""
    ear = ear[np.isfinite(ear)]
    for start, end in true:
        axes.axvspan(start / FPS, end / FPS, color=SHADE, linewidth=0)
    axes.plot(np.arange(len(ear)) / FPS, ear, color=INK)
    for blink in find_blinks(ear, FPS):
        for frame, colour in (
            (blink.lowest, BLUE),
            (blink.start, GREEN),
            (blink.end, VERMILION),
        ):
            axes.plot(frame / FPS, ear[frame], "o", color=colour, markersize=5)
    axes.set(xlabel="seconds", ylabel="EAR", xlim=(0, len(ear) / FPS), ylim=(0, None))
    axes.set_title("start, lowest point and end of blinks; grey: the true ones (Fig. 8)")


def table(axes: Axes, columns: dict[str, dict]) -> None:
    """Table 3: shares in %, errors in frames, with intervals where there are some."""
    axes.set(xlim=(0, 1), ylim=(-0.6, len(ROWS) + 0.9))
    axes.set_axis_off()
    axes.set_title("Table 3")
    for row, (name, (label, scale)) in enumerate(ROWS.items()):
        axes.text(0, len(ROWS) - 1 - row, label, va="center", fontsize=8)
        for at, (title, values) in zip((0.42, 0.71, 1.0), columns.items(), strict=True):
            if row == 0:
                axes.text(at, len(ROWS) + 0.3, title, ha="right", va="center", fontsize=8)
            value = values[name]
            said = f"{scale * value:.{1 if scale == 1 else 0}f}" if np.isscalar(value) else ""
            if not said:
                low, middle, high = (scale * value[k] for k in ("low", "value", "high"))
                digits = 1 if scale == 1 else 0
                said = f"{middle:.1f} ({low:.{digits}f}–{high:.{digits}f})"
            axes.text(at, len(ROWS) - 1 - row, said, ha="right", va="center", fontsize=8)
    axes.axhline(len(ROWS) - 0.4, color=INK, linewidth=0.8)


def harder(axes: Axes, results: dict) -> None:
    """Precision and recall when landmarks tremble."""
    noise = results["noise"]
    shares = [100 * row["noise"] for row in noise]
    for name, colour in (("precision", BLUE), ("recall", ORANGE)):
        for part in ("low", "high"):
            axes.plot(shares, [100 * row[name][part] for row in noise], color=colour, linewidth=0.5)
        axes.plot(shares, [100 * row[name]["value"] for row in noise], "o-", color=colour, ms=3.5)
        axes.annotate(
            name,
            (shares[-1], 100 * noise[-1][name]["value"]),
            (0, -12),
            textcoords="offset points",
            ha="right",
            color=colour,
            fontsize=8,
        )
    axes.set(xlabel="noise added to EAR, % of its median", ylabel="%", ylim=(0, 104))
    axes.set_title("when landmarks tremble")


def groups(axes: Axes, results: dict) -> None:
    """Precision and recall by motion of the head and by glasses."""
    rows = [
        (f"head sways by {low:.1f}–{high:.1f}° (SD)", row)
        for row in results["head_motion"]
        for low, high in (row["degrees"],)
    ]
    rows += [(f"{name} glasses", row) for name, row in results["glasses"].items()]
    for place, (_, row) in enumerate(reversed(rows)):
        for name, colour, shift in (("precision", BLUE, 0.13), ("recall", ORANGE, -0.13)):
            value = row[name]
            ends = [100 * value["low"], 100 * value["high"]]
            axes.plot(ends, [place + shift] * 2, color=colour)
            axes.plot(100 * value["value"], place + shift, "o", color=colour, markersize=4)
    axes.set_yticks(range(len(rows)), [name for name, _ in reversed(rows)], fontsize=8)
    axes.set(xlim=(80, 101), xlabel="%, from 80 on; colours as at the left")
    axes.set_title("heads that sway, and glasses")


def main() -> None:
    """Draw the figure."""
    results = json.loads((HERE / "results/blink_validation.json").read_text(encoding="utf-8"))
    grid = json.loads((HERE / "results/blinks_grid.json").read_text(encoding="utf-8"))
    ear = np.load(HERE / "results/blink_validation_ear.npy").astype(float)
    picture = np.asarray(Image.open(HERE / "results/blink_validation_eye.png"))
    columns = {
        "paper, GRID\n50 clips": results["paper"],
        f"ours, rendered\n{results['values']['clips']} clips": results["values"],
        f"ours, GRID\n{grid['values']['unseen']['clips']} clips": grid["values"]["unseen"],
    }
    example = results["example"]["clip"]
    with plt.rc_context(STYLE):
        figure = plt.figure(figsize=(WIDTH, 6.4))
        lines = figure.add_gridspec(3, 1, height_ratios=[1.1, 1.2, 1.3])
        top = lines[0].subgridspec(1, 2, width_ratios=[1, 1.45])
        bottom = lines[2].subgridspec(1, 2)
        eyes(figure.add_subplot(top[0]), results, picture)
        table(figure.add_subplot(top[1]), columns)
        trace(figure.add_subplot(lines[1]), ear[example], results["per_clip"]["blinks"][example])
        harder(figure.add_subplot(bottom[0]), results)
        groups(figure.add_subplot(bottom[1]), results)
        figure.savefig(HERE / "fig_blinks.png", dpi=150, metadata={"Software": None})
        plt.close(figure)
    write_results(HERE / "manifest.json", manifest(HERE))


if __name__ == "__main__":
    main()
