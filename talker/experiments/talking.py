"""Does it talk? Held-out performers and sentences: lips against the true ones, blinks, pictures.

    python -m talker.experiments.talking CORPUS WEIGHTS figures/results/talking.json

The test performers are the answer (`values`). Those of the validation split, by which the best
weights of a run are chosen, are told apart (`validation`), and so is everybody (`performers`).

Landmarks of real and generated frames are dlib's, fitted to crops alike (`fit_crops`); the rendered
performers' own, from the mesh, are compared with too. Two baselines give the scale: copying the
still (pictures, closures), and the mouth of another clip of the same speaker (lips). Every third
clip is made twice, with other noise: eyes should differ, and lips agree.

On recordings of people what only a rendering knows (blinks, when lips are closed) is left out, and
no pictures are written, since those may not be passed on; "mesh" are then the landmarks of
`talker prepare`.
"""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from tqdm import tqdm

from talker.animate import to_pictures, to_tensor
from talker.audio import audio_frames
from talker.checkpoint import SHIPPED, load_generator, read_config
from talker.experiments.report import circumstances, write_results
from talker.experiments.talking_pictures import write_pictures
from talker.experiments.talking_tables import columns, performers, table
from talker.faces import Detector, DlibDetector
from talker.media import read_audio
from talker.metrics.blinks import find_blinks
from talker.metrics.closure import closed_below, closures, while_speaking
from talker.metrics.landmarks import (
    correlation,
    eye_aspect_ratio,
    inner_lip_distance,
    mouth_width,
)
from talker.metrics.reconstruction import lower_half, psnr, ssim
from talker.metrics.sharpness import cpbd, laplacian_variance
from talker.models.generator import Generator
from talker.store import FPS, StoredClip
from talker.store import clips as stored_clips
from talker.tracking import fit_crops
from talker.video import read_video

TWICE = 3  # of so many clips one is made twice
NAN = float("nan")


class Seen(NamedTuple):
    """A clip as it is seen: frames uint8 (T, H, W, 3), its landmarks (T, 68, 2) as dlib has them,
    and its signal float32 (S,) at 16 kHz."""

    frames: np.ndarray
    landmarks: np.ndarray
    signal: np.ndarray


def generate(generator: Generator, still: np.ndarray, signal: np.ndarray, seed: int) -> np.ndarray:
    """Frames (T, H, W, 3) uint8 for a still (H, W, 3) uint8 and a signal (S,) at 16 kHz."""
    cut = audio_frames(torch.from_numpy(signal), generator.config.audio)[None]
    draw = torch.Generator().manual_seed(seed)
    noise = generator.noise_generator.draw(1, cut.shape[1], draw)
    with torch.inference_mode():
        return to_pictures(generator(to_tensor(still), cut, noise)[0])


def l1(made: np.ndarray, real: np.ndarray) -> float:
    """Mean absolute difference of frames uint8 (T, H, W, 3), in 255ths."""
    return float(np.abs(made.astype(np.int16) - real).mean())


def skin_tone(truth: dict) -> int | None:
    """The level on Monk's scale, 1 (lightest) to 10, that a rendered performer wears."""
    level = re.search(r"\d+", str(truth.get("wears", {}).get("skin", "")))
    return int(level.group()) if level else None


def _lips(made: np.ndarray, real: np.ndarray, other: np.ndarray | None, mesh: np.ndarray) -> dict:
    """How mouths (landmarks (T, 68, 2)) follow the real one; other: None where there is none."""
    row = {
        "r_opening_mesh": correlation(inner_lip_distance(made), inner_lip_distance(mesh)),
        "r_opening_detector": correlation(inner_lip_distance(real), inner_lip_distance(mesh)),
    }
    for name, measure_of in (("r_opening", inner_lip_distance), ("r_width", mouth_width)):
        true = measure_of(real)
        row[name] = correlation(measure_of(made), true)
        row[f"{name}_mismatched"] = NAN if other is None else correlation(measure_of(other), true)
    return row


def _closures(
    made: np.ndarray, real: np.ndarray, other: np.ndarray | None, truth: dict
) -> dict[str, float]:
    """`closures`: how many /p b m/ a clip has, and how often lips close at them; openings (T,).

    The real ones' number is what the detector can see at best, that of another clip is chance, and
    that of holding the still's mouth is 0 as long as the measure asks for a movement. No closures
    where nobody knows when they should be, or the threshold cannot be found.
    """
    closed = np.asarray(truth.get("lips_closed", np.zeros(len(real)))) > 0.5
    speaking = while_speaking(truth.get("words", []), len(real), FPS)
    below = closed_below(real, closed, speaking)
    rows = {
        "closed": made,
        "closed_real": real,
        "closed_still": np.full(len(real), real[0]),
        "closed_mismatched": np.full(len(real), np.nan) if other is None else other,
    }
    counts = {name: closures(row, closed, below) for name, row in rows.items()}
    wanted = len(counts["closed"]) if np.isfinite(below) else 0
    found = {name: float(made.sum()) for name, made in counts.items()}
    return {"closures": wanted} | found | ({"closed_mismatched": NAN} if other is None else {})


def _again(first: np.ndarray, second: np.ndarray) -> dict[str, float]:
    """How alike lips and eyes are in two clips (landmarks (T, 68, 2)) that differ in noise only."""
    return {
        "r_opening_two_noises": correlation(inner_lip_distance(first), inner_lip_distance(second)),
        "r_eyes_two_noises": correlation(eye_aspect_ratio(first), eye_aspect_ratio(second)),
    }


def _pictures(made: np.ndarray, real: np.ndarray) -> dict[str, float]:
    """Frames uint8 (T, H, W, 3) against the real ones and, the same clip, against the still.

    A gain is what generating is better by than copying the still, clip by clip: positive is better,
    and its interval is narrower than those of the two, because clips differ more than they do.
    """
    copied = np.broadcast_to(real[:1], real.shape)
    lower, lower_copied, lower_real = (lower_half(frames) for frames in (made, copied, real))
    row = {
        "psnr": psnr(made, real),
        "psnr_still": psnr(copied, real),
        "psnr_lower": psnr(lower, lower_real),
        "psnr_lower_still": psnr(lower_copied, lower_real),
        "l1_lower": l1(lower, lower_real),
        "l1_lower_still": l1(lower_copied, lower_real),
        "ssim": ssim(made, real),
        "ssim_still": ssim(copied, real),
        "cpbd": cpbd(made),
        "cpbd_real": cpbd(real),
        "sharpness": laplacian_variance(made),
        "sharpness_real": laplacian_variance(real),
    }
    row["psnr_lower_gain"] = row["psnr_lower"] - row["psnr_lower_still"]
    row["l1_lower_gain"] = row["l1_lower_still"] - row["l1_lower"]
    row["cpbd_ratio"] = row["cpbd"] / row["cpbd_real"] if row["cpbd_real"] else NAN
    return row


def _eyes(landmarks: np.ndarray, ending: str) -> dict[str, float | list[float]]:
    """Blinks a second, the seconds and depths of each, and how much the eyes' opening varies."""
    ear = eye_aspect_ratio(landmarks)
    found = find_blinks(ear, FPS)
    row = {
        "blinks_per_second": len(found) * FPS / len(ear),
        "ear_deviation": float(np.nanstd(ear)),
        "blink_seconds": [(blink.end - blink.start) / FPS for blink in found],
        "blink_depths": [blink.depth for blink in found],
    }
    return {name + ending: value for name, value in row.items()}


def measure(
    generator: Generator, clips: list[StoredClip], seed: int
) -> tuple[list[dict], dict[str, tuple[np.ndarray, np.ndarray]]]:
    """A row of every measure for each clip, in the order of `clips`.

    Also the frames, real and made, of each speaker's first clip.
    """
    detector = DlibDetector()
    seen = {clip.name: _see(clip, detector) for clip in tqdm(clips, desc="real", unit="clip")}
    shown: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    rows = []
    for number, clip in enumerate(tqdm(clips, desc="generated", unit="clip")):
        real, truth = seen[clip.name], clip.truth
        length = len(real.frames)
        made = generate(generator, real.frames[0], real.signal, seed + number)
        marks = fit_crops(made, detector)
        others = [
            seen[c.name].landmarks[:length]
            for c in clips
            if c.speaker == clip.speaker and c.name != clip.name
            if len(seen[c.name].landmarks) >= length
        ]
        other = others[number % len(others)] if others else None
        again = dict.fromkeys(_again(marks, marks), NAN)
        if number % TWICE == 0:
            twin = generate(generator, real.frames[0], real.signal, seed + len(clips) + number)
            again = _again(marks, fit_crops(twin, detector))
        openings = (m if m is None else inner_lip_distance(m) for m in (marks, real[1], other))
        blinks = len(truth["blinks"]) * FPS / length if "blinks" in truth else NAN
        rows.append(
            {
                "clip": clip.name,
                "speaker": clip.speaker,
                "split": clip.split,
                "skin": skin_tone(truth),
                **_lips(marks, real.landmarks, other, np.asarray(truth["landmarks"])),
                **_closures(*openings, truth),
                **again,
                **_pictures(made, real.frames),
                **_eyes(marks, ""),
                **_eyes(real.landmarks, "_real"),
                "blinks_per_second_truth": blinks,
            }
        )
        shown.setdefault(clip.speaker, (real.frames, made))
    return rows, shown


def _see(clip: StoredClip, detector: Detector) -> Seen:
    frames = read_video(clip.video)[0]
    return Seen(frames, fit_crops(frames, detector), read_audio(clip.audio)[0])


def main(corpus: Path, weights: Path, out: Path, seed: int = 0) -> None:
    """Measure the weights on the held-out performers of the corpus and write the results file.

    Raises:
        TalkerError: the corpus has no test performer, or the weights cannot be read.
    """
    began = time.monotonic()
    test = stored_clips(corpus, "test")
    validation = [clip for clip in stored_clips(corpus) if clip.split == "validation"]
    kind = test[0].truth.get("corpus", "unknown")
    rows, shown = measure(load_generator(weights), validation + test, seed)
    of_test = [row for row in rows if row["split"] == "test"]
    about = read_config(weights)  # loading has compared its hash with the weights' file
    results = {
        "values": table(of_test),
        "validation": table([row for row in rows if row["split"] == "validation"]),
        "performers": performers(rows),
        "per_clip": columns(rows),
        "seed": seed,
        "weights": about["extra"] | {"sha256": about["sha256"]},
        "circumstances": circumstances(
            time.monotonic() - began,
            corpus=f"{kind}, held out",
            clips=len(of_test),
            clips_validation=len(validation),
            speakers=len({clip.speaker for clip in test}),
            speakers_validation=len({clip.speaker for clip in validation}),
        ),
    }
    write_results(out, results)
    if kind == "rendered":
        names = list(dict.fromkeys(clip.speaker for clip in test))
        write_pictures(out, [shown[name] for name in names])
    for name, value in results["values"].items():
        if value["value"] is not None:
            print(f"{name:26} {value['value']:.3f}  [{value['low']:.3f}, {value['high']:.3f}]")


def run(corpus: Path, runs: Path, out: Path) -> None:
    """Of the weights that come with the package, so without `runs`; for `talker experiments run`.

    See `main`.
    """
    main(corpus, SHIPPED, out)


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:4]))
