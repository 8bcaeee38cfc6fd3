"""Test performers: how the lips follow, how the eyes blink, what the pictures look like.

Reads results/talking.json and results/talking_strip.png, writes fig_talking.png.
"""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

from talker.experiments.report import manifest, write_results
from talker.experiments.talking_panels import draw_measures
from talker.plots import STYLE, WIDTH

HERE = Path(__file__).parent


def main() -> None:
    """Draw the figure."""
    results = json.loads((HERE / "results/talking.json").read_text(encoding="utf-8"))
    strip = np.asarray(Image.open(HERE / "results/talking_strip.png"))
    with plt.rc_context(STYLE):
        height = WIDTH * strip.shape[0] / strip.shape[1]
        figure = plt.figure(figsize=(WIDTH, height + 2.3))
        grid = figure.add_gridspec(2, 3, height_ratios=[height, 2.0], width_ratios=[1, 1, 1])
        top = figure.add_subplot(grid[0, :])
        top.imshow(strip)
        top.set_axis_off()
        top.set_title("still, then real frames above the generated ones of the same moments")
        draw_measures([figure.add_subplot(grid[1, column]) for column in range(3)], results)
        figure.savefig(HERE / "fig_talking.png", dpi=150, metadata={"Software": None})
    write_results(HERE / "manifest.json", manifest(HERE))


if __name__ == "__main__":
    main()
