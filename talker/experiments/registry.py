"""Experiments by name: a new one is a module with a function `run` and one line in EXPERIMENTS.

    def run(corpus: Path, runs: Path, out: Path, **options) -> None

`corpus` is the folder of a stored corpus, `runs` the folder for what is trained, `out` the results
file to write. Options are keyword arguments with defaults, those of `talker experiments run` that
the experiment has a use for. A module is imported when its experiment is run.
"""

from __future__ import annotations

import importlib
import inspect
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from talker.errors import TalkerError

RESULTS = Path("figures/results")  # in the folder of the repository


@dataclass(frozen=True)
class Experiment:
    """remakes: what of the paper; module: where it is."""

    remakes: str
    module: str


EXPERIMENTS = {
    "ablation": Experiment(
        "Table 5: the full model, and without each term of the loss", "talker.experiments.ablation"
    ),
    "blink_distributions": Experiment(
        "Fig. 9 and 12: how often and how long faces blink",
        "talker.experiments.blink_distributions",
    ),
    "comparison": Experiment(
        "Table 6: against the static baseline, Speech2Vid and ATVGNet",
        "talker.experiments.comparison",
    ),
    "departures": Experiment(
        "none: what our departures from the paper are worth", "talker.experiments.departures"
    ),
    "emotions": Experiment(
        "Fig. 14 and 15: one still under six emotions, and what a classifier says of them",
        "talker.experiments.emotions",
    ),
    "generated_sharpness": Experiment(
        "Table 5, sharpness: of the mouths that the ablation's generators made",
        "talker.experiments.generated_sharpness",
    ),
    "identities": Experiment(
        "Fig. 13 and 16: one sentence in many mouths, unseen ones", "talker.experiments.identities"
    ),
    "identity": Experiment(
        "Fig. 11: what the identity code knows of a person", "talker.experiments.identity"
    ),
    "listening": Experiment(
        "Table 5, L_sync: with a judge that was taught to listen first",
        "talker.experiments.listening",
    ),
    "motion_maps": Experiment(
        "Fig. 14 and 20: where and which way a face moves", "talker.experiments.motion_maps"
    ),
    "own_noise": Experiment(
        "Table 5 and Fig. 12: blinks when the noise learns from the judges, with and without each",
        "talker.experiments.own_noise",
    ),
    "silence": Experiment(
        "Fig. 17: whether the mouth rests when nobody speaks", "talker.experiments.silence"
    ),
    "skips": Experiment(
        "Fig. 4: the same network with skip connections and without", "talker.experiments.skips"
    ),
    "speed": Experiment(
        "section 6: time for a frame and for a clip of 75, on this machine",
        "talker.experiments.speed",
    ),
    "talking": Experiment(
        "section 6: lips, eyes and pictures of unseen speakers", "talker.experiments.talking"
    ),
    "whole_frame": Experiment(
        "Fig. 10: L1 alone over the whole frame, against the proposed loss",
        "talker.experiments.whole_frame",
    ),
}


def overview() -> str:
    """A line for each experiment: its name, and what of the paper it remakes."""
    width = max(map(len, EXPERIMENTS))
    return "\n".join(f"{name:{width}}  {each.remakes}" for name, each in EXPERIMENTS.items())


def run(
    name: str, corpus: Path, runs: Path | None = None, out: Path | None = None, **options: Any
) -> Path:
    """Run an experiment; returns its results file.

    runs: runs/NAME where it is None. out: figures/results/NAME.json in the folder of the
    repository, NAME.json in any other. Raises TalkerError: there is no such experiment, it has no
    use for an option, or it cannot be run.
    """
    if name not in EXPERIMENTS:
        raise TalkerError(f"there is no experiment {name!r}: choose from {', '.join(EXPERIMENTS)}.")
    if out is None:
        out = RESULTS / f"{name}.json" if RESULTS.is_dir() else Path(f"{name}.json")
    make = importlib.import_module(EXPERIMENTS[name].module).run
    for option in options:
        if option not in inspect.signature(make).parameters:
            raise TalkerError(f"the experiment {name} has no use for --{option}: leave it out.")
    make(corpus, runs or Path("runs") / name, out, **options)
    return out
