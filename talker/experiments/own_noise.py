"""Does the sequence loss teach blinking? The claim of Table 5 and Fig. 12, put to it again.

    talker experiments run own_noise --corpus CORPUS --runs RUNS

"Removing the sequence discriminator drastically reduces blink generation." In the preset `laptop`,
and so in `talker.experiments.ablation`, the noise generator learns from a noise encoder and is left
alone in the adversarial phase: whether there is a sequence loss cannot matter to it. Here it is as
in the paper. The shipped weights, whose decoder knows what to do with z_n, get a noise generator of
random weights and no encoder; all of Eq. 7 reaches z_n, from the first step on. Where blinks then
come back, the discriminators have taught them.

"with" has the lambda of the paper, "strong" five times that, "without" none. Should blinks come
without it, too, then another judge has taught them: "no-frame" has no frame loss, and "neither" has
neither; what is left, L_sync and L1, does not look at eyes. Else they are alike, and start from the
same bytes, discriminators included. The sequence discriminator judges in every second step, as
often as in the preset `paper`. Of each generator `DRAWS` films of every test clip are made, which
differ in noise only. "start" is the generator before any step, "shipped" the one that comes with
the package, with its own noise generator: what blinking would look like. Eyes and lips are found in
the films and in the real clips by the same detector.

RUNS/start-SEED is the start, RUNS/NAME-SEED the folder of a run. What is in the results file is not
made again, and a run that was cut off goes on, so the same command continues after an interruption.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from talker.checkpoint import SHIPPED, load_generator, read_config, save_generator
from talker.config import Config, preset, to_json
from talker.experiments.claims import HALF, Claim, Runs, decide, pooled
from talker.experiments.held_out import as_stored
from talker.experiments.report import circumstances, write_results
from talker.experiments.talking import generate
from talker.experiments.training_log import read_log, summary
from talker.experiments.trials import (
    Changes,
    Row,
    changed,
    equally_long,
    held,
    make_all,
    seconds_of,
    train_trial,
)
from talker.faces import DlibDetector
from talker.metrics.blinks import find_blinks
from talker.metrics.landmarks import correlation, eye_aspect_ratio, inner_lip_distance
from talker.models.generator import Generator
from talker.models.noise_generator import NoiseGenerator
from talker.networks import COMPANIONS_ABOUT, COMPANIONS_TENSORS
from talker.store import FPS, StoredClip, read_frames, read_sound
from talker.store import clips as stored_clips
from talker.tracking import fit_crops

PRESET = "laptop"
PRECISION = "fp32"  # what every processor has: bfloat16 without instructions for it is slower
STEPS = 1000
SEEDS = (0,)
DRAWS = 3  # films of a clip
NOISE_SEED = 0  # of the first of them
REAL, SHIPPED_NAME, START = "real", "shipped", "start"
WITH, STRONG, WITHOUT = "with", "strong", "without"
NO_FRAME, NEITHER = "no-frame", "neither"

TRAINED: dict[str, Changes] = {
    WITH: {},
    STRONG: {"losses.seq": 1.0},
    WITHOUT: {"losses.seq": 0.0},
    NO_FRAME: {"losses.img": 0.0},
    NEITHER: {"losses.img": 0.0, "losses.seq": 0.0},
}
VARIANTS = (SHIPPED_NAME, START, *TRAINED)
MEASURES = ("blinks_per_second", "ear_deviation", "r_opening")

_BLINKS = "removing the sequence discriminator drastically reduces blink generation"
CLAIMS = (
    Claim(
        "without sequence loss blinks halve",
        _BLINKS,
        "blinks_per_second",
        WITHOUT,
        "lower",
        (WITH,),
        least=HALF,
    ),
    Claim(
        "the same, with five times its weight",
        _BLINKS,
        "blinks_per_second",
        WITHOUT,
        "lower",
        (STRONG,),
        least=HALF,
    ),
    # Two judges can stand in for each other, so it is asked again where the other one is silent.
    Claim(
        "the same, where there is no frame loss",
        _BLINKS,
        "blinks_per_second",
        NEITHER,
        "lower",
        (NO_FRAME,),
        least=HALF,
    ),
    Claim(
        "without sequence loss eyes move less",
        _BLINKS,
        "ear_deviation",
        WITHOUT,
        "lower",
        (WITH,),
    ),
)


def configured(variant: str, seed: int, corpus: Path, runs: Path) -> Config:
    """The settings of a variant's run."""
    config = equally_long(preset(PRESET), corpus, runs / f"{variant}-{seed}", STEPS, 0)
    shared = {
        "train.seed": seed,
        "train.precision": PRECISION,
        "train.start": os.path.relpath(runs / f"{START}-{seed}"),
        "train.sequence_every": 2,
        # With no encoder of the noise, eyes' L1 would ask dice for the real clip's blinks.
        "train.eyes_weight": 0.0,
    }
    return changed(config, shared | TRAINED[variant])


def begin(folder: Path, seed: int, start: Path = SHIPPED) -> None:
    """Write the start into a folder that is not there yet: `start` with a noise generator redrawn.

    The discriminators of `start` come along.
    """
    if (folder / "config.json").exists():
        return
    generator = load_generator(start)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        drawn = NoiseGenerator(generator.config)
    generator.noise_generator.load_state_dict(drawn.state_dict())
    folder.mkdir(parents=True, exist_ok=True)
    for name in (COMPANIONS_TENSORS, COMPANIONS_ABOUT):
        shutil.copyfile(start / name, folder / name)
    # Last, for it is what says that the folder is complete.
    save_generator(folder, generator, {"noise_generator": "random", "seed": seed})


def seen(frames: np.ndarray, detector: DlibDetector) -> tuple[np.ndarray, np.ndarray]:
    """How open eyes (EAR) and lips are in crops uint8 (T, H, W, 3): (T,) and (T,)."""
    landmarks = fit_crops(frames, detector)
    return eye_aspect_ratio(landmarks), inner_lip_distance(landmarks)


def of_eyes(ear: np.ndarray) -> dict[str, float]:
    """The measures of a trace (T,) of EAR."""
    blinks = len(find_blinks(ear, FPS)) * FPS / len(ear)
    return {"blinks_per_second": blinks, "ear_deviation": float(np.nanstd(ear))}


def watch(generator: Generator | None, clips: Sequence[StoredClip]) -> dict[str, list]:
    """Each of `MEASURES` for each clip, over its films by the generator; None: of the real clip."""
    detector = DlibDetector()
    columns: dict[str, list] = {"clip": [], **{name: [] for name in MEASURES}}
    for number, clip in enumerate(tqdm(clips, desc="films", unit="clip")):
        frames, rows = read_frames(clip.video), []
        ear, opening = seen(frames, detector)
        if generator is None:
            rows.append(of_eyes(ear) | {"r_opening": 1.0})
        else:
            signal = read_sound(clip.audio)
            for draw in range(DRAWS):
                noise = NOISE_SEED + draw * len(clips) + number
                made = generate(generator, frames[0], signal, noise)[: len(frames)]
                eyes, lips = seen(as_stored(made), detector)
                rows.append(of_eyes(eyes) | {"r_opening": correlation(lips, opening)})
        columns["clip"].append(clip.name)
        for name in MEASURES:
            columns[name].append(round(float(np.mean([row[name] for row in rows])), 5))
    return columns


def examine(variant: str, seed: int, corpus: Path, runs: Path, clips: Sequence[StoredClip]) -> Row:
    """Train a variant where there is something to train, and watch it."""
    row: Row = {"variant": variant, "seed": seed}
    folder = {SHIPPED_NAME: SHIPPED, START: runs / f"{START}-{seed}"}.get(variant)
    if variant in TRAINED:
        config = configured(variant, seed, corpus, runs)
        problem = train_trial(config)
        out = Path(config.train.out)
        late = summary(read_log(out / "log.jsonl"))
        row |= {"changes": TRAINED[variant], "seconds": round(seconds_of(out), 1)}
        row |= {"gaps": late["gaps"], "ratio": late["ratio"]}
        if problem is not None:
            return row | {"problem": problem}
        folder = out / "generator"
    if variant == REAL:
        return row | {"per_clip": watch(None, clips)}
    weights = read_config(folder)["sha256"]
    return row | {"weights": weights, "per_clip": watch(load_generator(folder), clips)}


def summarised(done: Mapping[str, Row]) -> dict[str, Any]:
    """Of all runs: means over clips with 95 % intervals, a clip's averaged over seeds; claims."""
    runs: Runs = {}
    for row in done.values():
        if "per_clip" in row:
            runs.setdefault(row["variant"], {})[row["seed"]] = row["per_clip"]
    measures = dict(zip(MEASURES, MEASURES, strict=True))
    values = {variant: pooled(of, measures) for variant, of in runs.items()}
    return {"values": values, "claims": [decide(claim, runs) for claim in CLAIMS]}


def run(corpus: Path, runs: Path, out: Path, seeds: tuple[int, ...] = SEEDS) -> None:
    """Make the runs that the results file does not have yet, and write it after each of them.

    Raises:
        TalkerError: no corpus, no clip to test on, or a results file or a run of other settings.
    """
    clips = stored_clips(corpus, "test")
    settings = {
        "config": to_json(configured(WITH, 0, corpus, runs)),
        "start": read_config(SHIPPED)["sha256"],
        "clips": [clip.name for clip in clips],
    }
    done = held(out, settings).get("runs", {})
    for seed in seeds:
        begin(runs / f"{START}-{seed}", seed)
    names = {f"{variant}-{seed}": (variant, seed) for seed in seeds for variant in VARIANTS}
    names = {REAL: (REAL, seeds[0])} | names

    def make(name: str) -> Row:
        return examine(*names[name], corpus, runs, clips)

    def write(rows: dict[str, Row]) -> None:
        about = circumstances(
            sum(row.get("seconds", 0.0) for row in rows.values()),
            clips=len(clips),
            speakers=len({clip.speaker for clip in clips}),
            films=DRAWS,
            steps=STEPS,
        )
        told = {"runs": rows, "seed": NOISE_SEED, "circumstances": about}
        write_results(out, told | settings | summarised(rows))

    make_all(list(names), done, make, write)
