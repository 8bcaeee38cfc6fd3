"""Table 6: the proposed model against the static baseline, Speech2Vid and ATVGNet.

    talker experiments run comparison --corpus CORPUS --runs RUNS

The three others are built after their own papers (`talker.baselines`) and learn from the training
split of the same corpus, each for the same time on the same machine; the paper takes the last two
with the weights that their authors published. "equal" is the proposed model, preset `laptop` from
random weights, for the same time, and what the others are to be held against. "proposed" is a
finished generator, that of the package or of another folder: it shows what more time is worth, and
how long it was trained is in its own description, which stands in the results beside the steps and
seconds of the others.

Each method makes the clips of the test split from their first frames, as video files with sound,
stored like the real ones so that compression blurs both alike, and `talker.evaluate` measures them
with every metric. ATVGNet gets the landmarks of the still from the corpus, as in its training. The
paper's table stands beside it; its metrics come from other networks and corpora, so that methods
compare within a table and not between the two. `claims` says where "equal" and "proposed" are ahead
of the others, clip by clip.

RUNS/METHOD is the folder of a method, with its weights, the `clips/` that it made and
`evaluation.json`. Beside the results file are _frames.png, moments of a few clips in every method,
and _moving.webp, one of these clips: above real, "proposed" and "equal", below the three others.
What is in the results file is not made again, and a training that was cut off goes on, so the same
command continues after an interruption. Where a folder of RUNS was lost since, its method keeps its
row, and the pictures do without it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from talker.baselines.baseline import Settings
from talker.baselines.static import StaticSettings
from talker.baselines.training import (
    ABOUT,
    METHODS,
    Budget,
    Progress,
    build,
    described,
    load_baseline,
    train,
)
from talker.checkpoint import SHIPPED, load_generator, read_config, read_description
from talker.config import preset
from talker.errors import TalkerError
from talker.experiments.claims import Claim, decide
from talker.experiments.held_out import REAL
from talker.experiments.made import (
    Speak,
    about_metrics,
    both,
    by_generator,
    film,
    measured,
)
from talker.experiments.paper import read_table
from talker.experiments.report import circumstances, write_results
from talker.experiments.talking_pictures import moving_picture
from talker.experiments.training_log import read_log
from talker.experiments.trials import (
    NEVER,
    Row,
    changed,
    equally_long,
    held,
    limited,
    make_all,
    seconds_of,
    train_trial,
)
from talker.experiments.whole_frame import SHOWN, frames_of
from talker.media import write_image
from talker.store import StoredClip, beside, read_frames
from talker.store import clips as stored_clips

PROPOSED, EQUAL = "proposed", "equal"
# The finished one first: should the corpus or an evaluator be at fault, it shows in minutes.
ORDER = (PROPOSED, EQUAL, *METHODS)
IN_PAPER = {
    "proposed": PROPOSED,
    "baseline": "static",
    "Speech2Vid": "speech2vid",
    "ATVGNet": "atvgnet",
}
TABLE = "paper_table6.csv"
MINUTES = 40.0  # of steps, for each of the three and for "equal"
PRESET = "laptop"  # of "equal"
PRECISION = "fp32"  # what every processor has: bfloat16 without instructions for it is slower
WARM_UP = StaticSettings.warm_up  # of "equal" as well
SEED = 0  # of trainings, and of the noise that the proposed model's clips are made with
# Of the film: what is above and what below it, from left to right.
LAYOUT = ((REAL, "static"), (PROPOSED, "speech2vid"), (EQUAL, "atvgnet"))

_OUTPERFORMS = "our method outperforms other approaches in both frame quality and content accuracy"
_BLINKS = "the Speech2Vid and ATVGNet methods are not capable of generating any blinks"
# What the paper concludes, by measure.
CONCLUSIONS: dict[str, tuple[Literal["higher", "lower"], str]] = {
    **dict.fromkeys(("psnr", "ssim", "cpbd"), ("higher", _OUTPERFORMS)),
    **dict.fromkeys(("acd", "wer"), ("lower", _OUTPERFORMS)),
    "av_confidence": ("higher", _OUTPERFORMS),
    "blinks": ("higher", _BLINKS),
}


def speaking(name: str, runs: Path, generator: Path | None) -> Speak:
    """How a method makes a clip: a trained baseline in RUNS/NAME, or the proposed generator."""
    if name in (PROPOSED, EQUAL):
        folder = generator if name == PROPOSED else runs / EQUAL / "generator"
        return by_generator(load_generator(folder), SEED)
    baseline = load_baseline(runs / name)
    baseline.maker.to("cuda" if torch.cuda.is_available() else "cpu")

    def speak(clip: StoredClip, still: np.ndarray, signal: np.ndarray, number: int) -> np.ndarray:
        return baseline.animate(still, signal, np.asarray(clip.truth["landmarks"][0]))

    return speak


def train_equal(corpus: Path, runs: Path, budget: Budget) -> Progress:
    """Train the proposed model from random weights, or go on; returns how far it has come.

    Raises TalkerError when a loss is not finite.
    """
    out = runs / EQUAL
    config = equally_long(preset(PRESET), corpus, out, budget.steps or NEVER, WARM_UP)
    config = changed(config, {"train.precision": PRECISION, "train.seed": SEED})
    if budget.minutes is not None:
        config = limited(config, 60 * budget.minutes)
    problem = train_trial(config)
    if problem is not None:
        raise TalkerError(problem)
    return Progress(read_log(out / "log.jsonl")[-1]["step"], seconds_of(out))


def examine(
    name: str,
    corpus: Path,
    runs: Path,
    clips: Sequence[StoredClip],
    generator: Path | None,
    learn: Callable[[str], Progress],
    options: Mapping[str, Any],
) -> Row:
    """Train and measure a method; what the results file says of it, and of the real videos.

    learn: trains a method; returns how far it has come. options: those of `evaluate`.
    """
    folder = runs / name
    if name == PROPOSED:
        about = read_config(generator or SHIPPED)
        row = {"training": about["extra"], "weights": about["sha256"]}
    else:
        progress = learn(name)
        training = {"step": progress.step, "seconds": round(progress.seconds, 1)}
        own = name == EQUAL
        about = read_config(folder / "generator") if own else read_description(folder / ABOUT)
        row = {"training": training, "weights": about["sha256"]}
    film(speaking(name, runs, generator), clips, folder / "clips")
    found = measured(folder / "clips", corpus, clips, folder / "evaluation.json", **options)
    return row | both(found)


def concluded(rows: Mapping[str, Row]) -> list[dict[str, Any]]:
    """Each of `CONCLUSIONS` for "equal", then for "proposed", against all rivals that there are.

    What is decided against each rival stands under `against`; see `talker.experiments.claims`.
    """
    runs = {name: {SEED: row["per_clip"]} for name, row in rows.items()}
    rivals = tuple(name for name in METHODS if name in rows)
    claims = [
        Claim(f"{ours}: {direction} {measure}", paper, measure, ours, direction, rivals)
        for ours in (EQUAL, PROPOSED)
        for measure, (direction, paper) in CONCLUSIONS.items()
        if ours in rows and measure in rows[ours]["per_clip"]
    ]
    return [decide(claim, runs) for claim in claims if rivals]


def write_pictures(
    out: Path, runs: Path, methods: Sequence[str], clips: Sequence[StoredClip]
) -> list[str]:
    """Frames of some speakers' first clips, a row for each method; returns the names of the rows.

    The first row is of the real videos. Of methods whose films are gone there is none. With all of
    `LAYOUT`, one clip is written as a film, too.
    """
    first = {clip.speaker: clip for clip in reversed(clips)}
    shown = [first[speaker] for speaker in sorted(first)[: SHOWN[0]]]
    films = {REAL: [read_frames(clip.video) for clip in shown]}
    for name in methods:
        videos = [beside(runs / name / "clips" / clip.name, ".mp4") for clip in shown]
        if all(video.is_file() for video in videos):  # runs may be gone, results are kept
            films[name] = [read_frames(video) for video in videos]
    rows = np.concatenate([frames_of(row) for row in films.values()])
    write_image(out.with_name(f"{out.stem}_frames.png"), rows)
    if all(name in films for pair in LAYOUT for name in pair):
        pairs = [(films[above][0], films[below][0]) for above, below in LAYOUT]
        moving_picture(out.with_name(f"{out.stem}_moving.webp"), pairs)
    return list(films)


def main(
    corpus: Path,
    runs: Path,
    out: Path,
    budget: Budget,
    generator: Path | None = None,
    settings: Mapping[str, Settings] | None = None,
    **options: Any,
) -> None:
    """Make the methods that the results file does not have yet, and write it after each of them.

    generator: the folder of the proposed one; None takes that of the package. settings: of
    baselines by name, instead of their own; options: those of `talker.evaluate`.

    Raises:
        TalkerError: no corpus, no clip to test on, no generator, a loss that is not finite, or a
            results file or a run of other settings.
    """
    paper = read_table(TABLE)  # if it is missing, rather now than after the first training
    clips, given = stored_clips(corpus, "test"), settings or {}
    about = {
        "budget": asdict(budget),
        "baselines": {
            name: described(name, build(name, given.get(name)).settings) for name in METHODS
        },
        "proposed": read_config(generator or SHIPPED)["sha256"],
        "clips": [clip.name for clip in clips],
    }
    earlier = held(out, about)
    done, known = earlier.get("methods", {}), {"real": earlier.get("real")}

    def learn(name: str) -> Progress:
        if name == EQUAL:
            return train_equal(corpus, runs, budget)
        return train(name, corpus, runs / name, budget, given.get(name), SEED)

    def make(name: str) -> Row:
        row = examine(name, corpus, runs, clips, generator, learn, options)
        known["real"] = row.pop("real")
        return row

    def write(rows: dict[str, Row]) -> None:
        seconds = sum(row["training"].get("seconds", 0.0) for row in rows.values())
        speakers = len({clip.speaker for clip in clips})
        told = {
            "methods": rows,
            "seed": SEED,
            "metrics": about_metrics(),
            "paper": [row | {"method": IN_PAPER[row["method"]]} for row in paper],
            "claims": concluded(rows),
            "circumstances": circumstances(seconds, clips=len(clips), speakers=speakers),
        }
        made = [name for name in ORDER if name in rows]
        shown = {"frames": write_pictures(out, runs, made, clips)}
        write_results(out, told | shown | known | about)

    make_all(ORDER, done, make, write)


def run(
    corpus: Path,
    runs: Path,
    out: Path,
    minutes: float | None = MINUTES,
    steps: int | None = None,
    generator: Path | None = None,
) -> None:
    """The comparison, for `talker experiments run comparison`.

    minutes, steps: what each of those that learn may take, whichever ends first. See `main`.
    """
    main(corpus, runs, out, Budget(steps, minutes), generator)
