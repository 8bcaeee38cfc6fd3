"""Fig. 4: what the skip connections are for: the same network with them, and with zeros instead.

    talker experiments run skips --corpus CORPUS
    talker experiments run skips --corpus CORPUS --runs runs/departures

"A U-Net architecture is used with skip connections between the Identity Encoder and the Frame
Decoder to preserve the identity of the subject" (section 3.1.4). Two networks of the same layers
and first weights learn reconstruction for as many steps, on the same clips in the same order.
Neither has `composition`, which carries the still's own pixels past the skips. "with" is the
variant "no-composition" of `talker.experiments.departures`: in its folder it is not trained again,
and in another one it is. Both run for a small part of a full training and without discriminators,
whereas the paper does not say how its two networks were trained.

Each generator makes the clips of the test split, whose performers nobody has trained on, and
`talker.evaluate` measures ACD (distance to the still in a face embedding), PSNR, SSIM and how the
mouth's opening follows the real one. `effects` are "without" minus "with", clip by clip, means with
95 % intervals over clips. Frames without a face have no embedding: clips without any are
`left_out`, which spares whichever network draws no face.

RUNS/no-composition and RUNS/no-skips are the folders of the runs, with `generator/`, the `clips/`
that it made and `evaluation.json`; beside the results file is _frames.png. What is in the results
file is not made again, and a run that was cut off goes on, so the same command continues after an
interruption.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from talker.checkpoint import load_generator, read_config
from talker.config import Config, to_json
from talker.experiments import departures
from talker.experiments.claims import Claim, Runs, decide
from talker.experiments.made import both, by_generator, film, measured
from talker.experiments.report import circumstances, write_results
from talker.experiments.trials import (
    Row,
    changed,
    held,
    make_all,
    seconds_of,
    train_trial,
)
from talker.media import write_image
from talker.metrics.reconstruction import lower_half
from talker.store import StoredClip, beside, read_frames
from talker.store import clips as stored_clips

WITH, WITHOUT = VARIANTS = ("with", "without")
SHARED = "no-composition"  # of the departures: "with"
NOISE_SEED = 0  # of the noise that clips are made with, the same for both
MEASURES = ("acd", "psnr", "ssim", "opening")
SHOWN = 8  # performers in the picture

_UNLIKE = (
    "The frames obtained without skip connections ... do not resemble the person in the ground "
    "truth video ... Adding skip connections ensures that the identity is preserved"
)
CLAIMS = (
    Claim("without skips: less like the person", _UNLIKE, "acd", WITHOUT, "higher", (WITH,)),
    Claim("without skips: worse PSNR", _UNLIKE, "psnr", WITHOUT, "lower", (WITH,)),
    Claim("without skips: worse SSIM", _UNLIKE, "ssim", WITHOUT, "lower", (WITH,)),
)


def configured(variant: str, corpus: Path, runs: Path) -> Config:
    """The settings of a variant's run."""
    shared = departures.configured(SHARED, corpus, runs)
    if variant == WITH:
        return shared
    return changed(shared, {"train.out": str(runs / "no-skips"), "model.skips": False})


def examine(variant: str, corpus: Path, runs: Path, clips: list[StoredClip]) -> Row:
    """Train and measure a variant; what the results file says of it, and of the real videos."""
    config = configured(variant, corpus, runs)
    problem = train_trial(config)
    out = Path(config.train.out)
    row = {"seconds": round(seconds_of(out), 1)}
    if problem is not None:
        return row | {"problem": problem}
    film(by_generator(load_generator(out / "generator"), NOISE_SEED), clips, out / "clips")
    found = measured(out / "clips", corpus, clips, out / "evaluation.json", metrics=MEASURES)
    return row | {"weights": read_config(out / "generator")["sha256"]} | both(found)


def summarised(done: Mapping[str, Row]) -> dict[str, Any]:
    """Of the variants that are made: effects and the paper's claims."""
    runs: Runs = {name: {0: row["per_clip"]} for name, row in done.items() if "per_clip" in row}
    effects = {
        name: decide(Claim("", "", name, WITHOUT, "higher", (WITH,)), runs)["against"][WITH]
        for name in MEASURES
    }
    return {
        "effects": {name: against["effect"] for name, against in effects.items()},
        "claims": [decide(claim, runs) for claim in CLAIMS],
    }


def write_frames(
    out: Path, done: Mapping[str, Row], folders: Mapping[str, Path], clips: list[StoredClip]
) -> list[str]:
    """A column for each performer's first clip, at its frame whose lower half has moved most.

    Rows are the still, that frame, and the same of each variant of `done`; returns their names.
    folders: of the clips that each variant made.
    """
    made = [name for name in VARIANTS if "per_clip" in done.get(name, {})]
    first = {clip.speaker: clip for clip in reversed(clips)}
    columns = []
    for speaker in sorted(first)[:SHOWN]:
        clip = first[speaker]
        real = read_frames(clip.video)
        lower = lower_half(real).astype(np.int16)
        at = int(np.abs(lower - lower[0]).mean((1, 2, 3)).argmax())
        films = [beside(folders[name] / clip.name, ".mp4") for name in made]
        cells = [real[0], real[at], *(read_frames(path, [at])[0] for path in films)]
        columns.append(np.concatenate(cells))
    write_image(out.with_name(f"{out.stem}_frames.png"), np.concatenate(columns, axis=1))
    return ["still", "real", *made]


def run(corpus: Path, runs: Path, out: Path) -> None:
    """Make the runs that the results file does not have yet, and write it after each of them.

    Raises:
        TalkerError: no corpus, no clip to test on, or a results file or a run of other settings.
    """
    clips = stored_clips(corpus, "test")
    configs = {name: configured(name, corpus, runs) for name in VARIANTS}
    settings = {
        "config": {name: to_json(config) for name, config in configs.items()},
        "clips": [clip.name for clip in clips],
    }
    earlier = held(out, settings)
    done, known = earlier.get("runs", {}), {"real": earlier.get("real")}

    def make(name: str) -> Row:
        row = examine(name, corpus, runs, clips)
        known["real"] = row.pop("real", known["real"])
        return row

    def write(rows: dict[str, Row]) -> None:
        about = circumstances(
            sum(row["seconds"] for row in rows.values()),
            clips=len(clips),
            speakers=len({clip.speaker for clip in clips}),
            steps=departures.STEPS_A,
        )
        told = {"runs": rows, "seed": NOISE_SEED, "circumstances": about}
        folders = {name: Path(config.train.out) / "clips" for name, config in configs.items()}
        told["frames"] = write_frames(out, rows, folders, clips)
        write_results(out, told | known | settings | summarised(rows))

    make_all(VARIANTS, done, make, write)
