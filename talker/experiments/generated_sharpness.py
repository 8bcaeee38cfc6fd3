"""Table 5's claims on sharpness once more, by those pixels that a generator has to make up.

    talker experiments run generated_sharpness --corpus CORPUS --runs RUNS_OF_THE_ABLATION

CPBD of a whole frame is what the paper reports. A generator with `composition` takes most of a
frame from the still, whose sharpness no loss has earned, so that six trainings may differ little by
it and still differ in the mouth. Here the films that `talker.experiments.ablation` has made are
measured where they are generated:

    cpbd_lower        CPBD of the lower half
    laplacian_mouth   variance of the Laplacian within the mouth's rectangle, as a share of that of
                      the real clip; 1 is as much detail as there really is, noise raises it

and the claims are decided as there, clip by clip. Beside the results file is _mouths.png: of the
first clip of each speaker the frame in which the real mouth is widest open, real and by every
variant of the first seed. Nothing is trained; the ablation has to have run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from talker.emphasis import MOUTH, rectangle
from talker.errors import TalkerError
from talker.experiments.ablation import SEEDS
from talker.experiments.claims import NAMES, Claim, Columns, Runs, decide, pooled
from talker.experiments.report import circumstances, write_results
from talker.media import write_image
from talker.metrics.landmarks import inner_lip_distance
from talker.metrics.reconstruction import lower_half
from talker.metrics.sharpness import EVERY, cpbd, laplacian_variance, looked_at
from talker.store import StoredClip, beside, read_frames
from talker.store import clips as stored_clips

REAL = "real"
MEASURES = ("cpbd_lower", "laplacian_mouth")
SHOWN = 8  # speakers in the picture

_SHARPENS = (
    "The blurriness is minimized when using the frame adversarial loss as indicated by the higher "
    "CPBD scores"
)
_BLURRY = "We also notice that it results in the most blurry images"
CLAIMS = tuple(
    Claim(f"{says}: {where}", quoted, measure, variant, "lower", others)
    for measure, where in zip(MEASURES, ("lower half", "mouth"), strict=True)
    for says, quoted, variant, others in (
        ("the frame loss sharpens", _SHARPENS, "no-img", ("full",)),
        ("L1 alone is more blurred", _BLURRY, "no-adv", ("full",)),
    )
)


def mouths(frames: np.ndarray) -> np.ndarray:
    """The mouth's rectangle of frames (T, H, W, 3)."""
    rows, columns = rectangle(MOUTH, *frames.shape[1:3])
    return frames[:, rows, columns]


def examine(
    clips: Sequence[StoredClip], film_of: Callable[[StoredClip], Path]
) -> tuple[Columns, list[np.ndarray]]:
    """`MEASURES` of each clip's film, and the mouths of those that are shown, (h, w, 3) each.

    The second is the detail itself, squared grey levels; what it is a share of comes after.
    """
    columns: Columns = {"clip": [], **{name: [] for name in MEASURES}}
    shown, seen = [], set()
    for clip in tqdm(clips, unit="clip"):
        frames = read_frames(film_of(clip))
        columns["clip"].append(clip.name)
        columns["cpbd_lower"].append(round(cpbd(lower_half(frames)), 5))
        columns["laplacian_mouth"].append(laplacian_variance(mouths(looked_at(frames, EVERY))))
        if clip.speaker not in seen and len(seen) < SHOWN:
            seen.add(clip.speaker)
            opening = inner_lip_distance(np.asarray(clip.truth["landmarks"]))[: len(frames)]
            shown.append(mouths(frames)[int(np.nanargmax(opening))])
    return columns, shown


def run(corpus: Path, runs: Path, out: Path, seeds: tuple[int, ...] = SEEDS) -> None:
    """Measure the films of all variants that were made, and write the results file.

    Raises:
        TalkerError: no corpus, no clip to test on, or no films of the ablation in `runs`.
    """
    began = time.monotonic()
    clips = stored_clips(corpus, "test")
    folders = {
        (variant, seed): runs / f"{variant}-{seed}" / "clips"
        for variant in NAMES
        for seed in seeds
        if (runs / f"{variant}-{seed}" / "clips").is_dir()
    }
    if not folders:
        raise TalkerError(f"there are no films in {runs}: run the ablation first, with --runs.")
    of_real, picture = examine(clips, lambda clip: clip.video)
    found: Runs = {REAL: {0: of_real}}
    rows, names = [np.concatenate(picture, axis=1)], [REAL]
    for (variant, seed), folder in folders.items():
        columns, shown = examine(
            clips, lambda clip, folder=folder: beside(folder / clip.name, ".mp4")
        )
        found.setdefault(variant, {})[seed] = columns
        if variant not in names:
            rows.append(np.concatenate(shown, axis=1))
            names.append(variant)
    write_image(out.with_name(f"{out.stem}_mouths.png"), np.concatenate(rows))
    real = np.array(of_real["laplacian_mouth"])
    for columns in (columns for of in found.values() for columns in of.values()):
        shares = np.array(columns["laplacian_mouth"]) / real
        columns["laplacian_mouth"] = [round(float(share), 5) for share in shares]
    measures = dict(zip(MEASURES, MEASURES, strict=True))
    write_results(
        out,
        {
            "values": {variant: pooled(of, measures) for variant, of in found.items()},
            "claims": [decide(claim, found) for claim in CLAIMS],
            "per_clip": {
                f"{variant}-{seed}": columns
                for variant, of in found.items()
                for seed, columns in of.items()
            },
            "pictures": names,
            "circumstances": circumstances(
                time.monotonic() - began,
                clips=len(clips),
                speakers=len({clip.speaker for clip in clips}),
                seeds=sorted({seed for _, seed in folders}),
            ),
        },
    )
