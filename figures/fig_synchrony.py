"""The synchrony evaluator: distances by offset, and confidences of clips in step and unrelated.

Reads results/synchrony.json, writes fig_synchrony.png.
"""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from talker.experiments.report import manifest, write_results
from talker.plots import BLUE, INK, STYLE, VERMILION, WIDTH

HERE = Path(__file__).parent
KINDS = (("in_step", "in step", BLUE), ("unrelated", "sound of another clip", INK))


def _show(curves, counts, part: dict, title: str) -> None:
    """Mean distance by offset above, confidences of single clips below."""
    told = part["per_clip"]
    for (name, label, colour), values in zip(
        KINDS, (told["confidence"], np.ravel(told["unrelated"])), strict=True
    ):
        curves.plot(part["curves"]["offsets"], part["curves"][name], color=colour, label=label)
        shares = np.full(len(values), 1 / len(values))
        counts.hist(
            values, np.arange(0, 1.5, 0.05), weights=shares, color=colour, alpha=0.6, label=label
        )
    counts.axvline(0.5, color=VERMILION, linewidth=1, label="the paper's 0.5")
    curves.set(title=f"{title}, {len(told['clip'])} clips", xlabel="offset in frames")
    counts.set(xlabel=f"confidence; AUC {part['auc']['value']:.3f}")


def main() -> None:
    """Draw the figure."""
    results = json.loads((HERE / "results/synchrony.json").read_text(encoding="utf-8"))
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(2, 2, figsize=(WIDTH, 4.6), sharey="row")
        _show(*axes[:, 0], results["confidences"], "rendered test performers")
        _show(*axes[:, 1], results["real"], "recorded (GRID, mostly one man)")
        axes[0, 0].set_ylabel("mean distance")
        axes[1, 0].set_ylabel("share of clips")
        axes[0, 1].legend(loc="lower left")
        axes[1, 1].legend(loc="upper right")
        figure.savefig(HERE / "fig_synchrony.png", dpi=150, metadata={"Software": None})
    write_results(HERE / "manifest.json", manifest(HERE))


if __name__ == "__main__":
    main()
