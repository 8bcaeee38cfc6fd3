"""What moves which way (Fig. 14): flow above the frames of a blink and of speech, and the wheel.

Reads results/motion_maps.json and results/motion_maps_example.png, writes fig_motion.png.
"""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from PIL import Image

from talker.experiments.drawn import film_rows, wheel
from talker.experiments.report import manifest, write_results
from talker.plots import STYLE, WIDTH

HERE = Path(__file__).parent


def strip(axes: Axes, picture: np.ndarray, films: list[str]) -> None:
    """The films, two rows each, named at their left."""
    height = film_rows(axes, picture, films)
    for place in range(1, len(films)):
        axes.axhline(height * place - 0.5, color="white", linewidth=2)
    axes.axvline(picture.shape[1] / 2 - 0.5, color="white", linewidth=2)
    for place, title in ((0.25, "a blink of each"), (0.75, "speech, the same moments")):
        axes.text(place, 1.02, title, ha="center", va="bottom", transform=axes.transAxes)


def main() -> None:
    """Draw the figure."""
    results = json.loads((HERE / "results/motion_maps.json").read_text(encoding="utf-8"))
    example = results["example"]
    picture = np.asarray(Image.open(HERE / "results/motion_maps_example.png"))
    with plt.rc_context(STYLE):
        films = [name for name in results["columns"] if name in example["starts"]]
        height = 0.88 * WIDTH * picture.shape[0] / picture.shape[1] + 0.1
        figure, (left, right) = plt.subplots(
            1, 2, figsize=(WIDTH, height), width_ratios=(0.88, 0.12)
        )
        strip(left, picture, films)
        wheel(right, example["longest"], "pixels\na frame or more")
        figure.savefig(HERE / "fig_motion.png", dpi=200, metadata={"Software": None})
        plt.close(figure)
    write_results(HERE / "manifest.json", manifest(HERE))


if __name__ == "__main__":
    main()
