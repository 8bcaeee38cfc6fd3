"""Does the mouth rest in silence (Fig. 17)? Frames, the motion of one clip, and of all.

Reads results/silence.json and results/silence_strip.png, writes fig_silence.png.
"""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from PIL import Image

from talker.experiments.drawn import film_colours, film_rows
from talker.experiments.report import manifest, write_results
from talker.plots import STYLE, WIDTH
from talker.store import FPS

HERE = Path(__file__).parent
NAMES = {
    "speech2vid": "Speech2Vid",
    "atvgnet": "ATVGNet",
    "still": "the still",
    "mesh": "real, by its mesh",
}
CONTROLS = {"still": "#777777", "mesh": "#777777"}
SHADE = "#e4e4e4"


def strip(axes: Axes, picture: np.ndarray, films: list[str], first: int) -> None:
    """Consecutive lower halves of one silence."""
    film_rows(axes, picture, [NAMES.get(name, name) for name in films])
    axes.set_title(f"lower halves in silence, frame by frame from {first / FPS:.2f} seconds on")


def trace(axes: Axes, example: dict, films: list[str], colours: dict[str, str]) -> None:
    """Motion of the mouth over the time of the clip above; silence is grey."""
    for start, end in example["silent"]:
        axes.axvspan(start / FPS, end / FPS, color=SHADE, linewidth=0)
    for name in films:
        values = example["mouth"][name]
        axes.plot(
            (np.arange(len(values)) + 1) / FPS,
            values,
            color=colours[name],
            label=NAMES.get(name, name),
        )
    axes.set(xlabel="seconds", ylabel="pixels a frame", xlim=(0, (len(values) + 1) / FPS))
    axes.set_ylim(0, 1.2 * axes.get_ylim()[1])
    axes.legend(loc="upper right", ncols=len(films))
    axes.set_title("motion of the mouth, without the head's, in that clip; grey: silence")


def compared(
    axes: Axes, results: dict, measure: str, colours: dict[str, str], title: str, unit: str
) -> None:
    """Silence (filled) and speech (open) of each film, with 95 % intervals."""
    values = results["values"]
    known = [results["films"][0], "mesh", *results["films"][1:]]
    shown = [name for name in known if measure in values[name]]
    beside = {"fontsize": 8, "transform": axes.get_yaxis_transform()}
    for place, name in enumerate(reversed(shown)):
        row = values[name][measure]
        for key, fill in (("speech", "white"), ("silence", colours[name])):
            value = row[key]
            axes.plot([value["low"], value["high"]], [place] * 2, color=colours[name])
            axes.plot(value["value"], place, "o", color=colours[name], mfc=fill, markersize=5)
        if name != "still":  # what moves there is compression
            axes.text(1.02, place, f"{100 * row['ratio']['value']:.0f} %", **beside, va="center")
    axes.text(1.02, len(shown) - 0.45, "ratio", **beside, va="bottom")
    axes.set_yticks(range(len(shown)), [NAMES.get(name, name) for name in reversed(shown)])
    axes.tick_params(axis="y", length=0)
    axes.set(xlabel=unit, ylim=(-0.5, len(shown) - 0.5))
    axes.set_xlim(0, None)
    axes.set_title(title)


def main() -> None:
    """Draw the figure."""
    results = json.loads((HERE / "results/silence.json").read_text(encoding="utf-8"))
    picture = np.asarray(Image.open(HERE / "results/silence_strip.png"))
    films = [name for name in results["films"] if name in results["example"]["mouth"]]
    colours = film_colours(films, CONTROLS)
    with plt.rc_context(STYLE):
        height = WIDTH * picture.shape[0] / picture.shape[1]
        figure = plt.figure(figsize=(WIDTH, height + 3.6))
        grid = figure.add_gridspec(3, 1, height_ratios=[height, 1.4, 1.5])
        strip(figure.add_subplot(grid[0]), picture, films, results["example"]["first"])
        trace(figure.add_subplot(grid[1]), results["example"], films, colours)
        bottom = grid[2].subgridspec(1, 2)
        for place, (measure, title, unit) in enumerate(
            (
                ("mouth", "mouth; filled: silence", "pixels a frame, without the head's"),
                ("jitter", "trembling of the lips, as detected", "‰ of the distance of the eyes"),
            )
        ):
            axes = figure.add_subplot(bottom[place])
            compared(axes, results, measure, colours, title, unit)
        figure.savefig(HERE / "fig_silence.png", dpi=150, metadata={"Software": None})
        plt.close(figure)
    write_results(HERE / "manifest.json", manifest(HERE))


if __name__ == "__main__":
    main()
