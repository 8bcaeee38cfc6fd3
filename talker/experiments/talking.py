"""Does it talk? Held-out performers and sentences: lips against the true ones, blinks, pictures.

    python -m talker.experiments.talking CORPUS WEIGHTS figures/results/talking.json

Landmarks of real and generated frames are dlib's on the same 3x enlarged crops; the rendered
performers' own, from the mesh, are compared with too. Two baselines give the scale: copying the
still (pictures), and the mouth of another clip of the same speaker (lips).
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torchmetrics.functional.image import structural_similarity_index_measure as ssim
from tqdm import tqdm

from talker.animate import enlarge, to_pictures, to_tensor
from talker.audio import audio_frames
from talker.checkpoint import load_generator, read_config
from talker.experiments.report import bootstrap, circumstances, write_results
from talker.faces import DlibDetector
from talker.files import replacing
from talker.media import read_audio, read_video, write_image
from talker.metrics.blinks import find_blinks
from talker.metrics.landmarks import eye_aspect_ratio, inner_lip_distance, mouth_width
from talker.models.generator import Generator
from talker.store import StoredClip
from talker.store import clips as stored_clips

FPS = 25


def track(detector: DlibDetector, frames: np.ndarray) -> np.ndarray:
    """Landmarks (T, 68, 2) of aligned frames (T, H, W, 3); NaN where no face is found."""
    rows = []
    for frame in frames:
        faces = detector.detect(frame)
        rows.append(faces[0].landmarks if faces else np.full((68, 2), np.nan))
    return np.stack(rows)


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Pearson r of two traces over the frames that both have; NaN where either is constant."""
    both = np.isfinite(a) & np.isfinite(b)
    if both.sum() < 3 or a[both].std() == 0 or b[both].std() == 0:
        return float("nan")
    return float(np.corrcoef(a[both], b[both])[0, 1])


def generate(generator: Generator, still: np.ndarray, signal: np.ndarray, seed: int) -> np.ndarray:
    """Frames (T, H, W, 3) uint8 for a still (H, W, 3) uint8 and a signal (S,) at 16 kHz."""
    cut = audio_frames(torch.from_numpy(signal), generator.config.audio)[None]
    draw = torch.Generator().manual_seed(seed)
    noise = generator.noise_generator.draw(1, cut.shape[1], draw)
    with torch.inference_mode():
        return to_pictures(generator(to_tensor(still), cut, noise)[0])


def psnr(real: np.ndarray, made: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB of a whole clip, uint8, data range 255."""
    error = np.mean((real.astype(np.float32) - made.astype(np.float32)) ** 2)
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


def sharpness(frames: np.ndarray) -> float:
    """Variance of the Laplacian of luminance, the mean over frames."""
    import cv2

    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames]
    return float(np.mean([cv2.Laplacian(image, cv2.CV_64F).var() for image in grey]))


def _similarity(real: np.ndarray, made: np.ndarray) -> float:
    """SSIM of a clip, colour, data range 1, mean over frames."""
    a, b = (torch.from_numpy(x).movedim(-1, 1).float() / 255 for x in (made, real))
    return float(ssim(a, b, data_range=1.0))


def _blinks(landmarks: np.ndarray) -> tuple[int, list[float], list[float]]:
    """Count, durations in seconds and depths of the blinks of a clip."""
    found = find_blinks(eye_aspect_ratio(landmarks), FPS)
    return len(found), [(b.end - b.start) / FPS for b in found], [b.depth for b in found]


def strip(real: np.ndarray, made: np.ndarray, count: int = 11) -> np.ndarray:
    """The still, then `count` real frames above the generated ones of the same moments."""
    at = np.linspace(8, len(real) - 8, count).round().astype(int)
    above = np.concatenate([real[0], *real[at]], axis=1)
    below = np.concatenate([np.full_like(real[0], 255), *made[at]], axis=1)
    return np.concatenate([above, below])


def moving_picture(path: Path, clips: list[np.ndarray], scale: int = 2) -> None:
    """Clips (T, H, W, 3) side by side as an animated WebP at 25 fps, for the README."""
    wide = np.concatenate(clips, axis=2)
    pictures = [Image.fromarray(enlarge(frame, scale)) for frame in wide]
    with replacing(path) as temporary:
        pictures[0].save(
            temporary,
            format="WEBP",
            save_all=True,
            append_images=pictures[1:],
            duration=1000 // FPS,
            loop=0,
            quality=70,
            method=4,
        )


def measure(
    generator: Generator, clips: list[StoredClip], seed: int
) -> tuple[dict, dict[str, tuple[np.ndarray, np.ndarray]]]:
    """Per-clip values of every measure, lists in the order of `clips`.

    Also the frames, real and made, of each speaker's first clip.
    """
    shown: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    detector = DlibDetector()
    seen = {}
    for clip in tqdm(clips, desc="real clips", unit="clip"):
        frames, signal = read_video(clip.video)[0], read_audio(clip.audio)[0]
        seen[clip.name] = (frames, signal, track(detector, frames))
    rows: dict[str, list] = {}

    def add(**values) -> None:
        for name, value in values.items():
            rows.setdefault(name, []).append(value)

    for number, clip in enumerate(tqdm(clips, desc="generated clips", unit="clip")):
        frames, signal, truth = seen[clip.name]
        others = [c for c in clips if c.speaker == clip.speaker and c.name != clip.name]
        other = seen[others[number % len(others)].name][2]
        made = generate(generator, frames[0], signal, seed + number)
        marks = track(detector, made)
        shown.setdefault(clip.speaker, (frames, made))
        copied = np.broadcast_to(frames[:1], frames.shape)
        half = frames.shape[1] // 2
        opening, width = inner_lip_distance(truth), mouth_width(truth)
        mesh = inner_lip_distance(np.asarray(clip.truth["landmarks"]))
        real_blinks, made_blinks = _blinks(truth), _blinks(marks)
        seconds = len(frames) / FPS
        add(
            clip=clip.name,
            r_opening=correlation(inner_lip_distance(marks), opening),
            r_opening_mismatched=correlation(inner_lip_distance(other), opening),
            r_opening_mesh=correlation(inner_lip_distance(marks), mesh),
            r_opening_detector=correlation(opening, mesh),
            r_width=correlation(mouth_width(marks), width),
            r_width_mismatched=correlation(mouth_width(other), width),
            psnr=psnr(frames, made),
            psnr_still=psnr(frames, copied),
            psnr_lower=psnr(frames[:, half:], made[:, half:]),
            psnr_lower_still=psnr(frames[:, half:], copied[:, half:]),
            ssim=_similarity(frames, made),
            ssim_still=_similarity(frames, copied),
            sharpness=sharpness(made),
            sharpness_real=sharpness(frames),
            blinks_per_second=made_blinks[0] / seconds,
            blinks_per_second_real=real_blinks[0] / seconds,
            blinks_per_second_truth=len(clip.truth["blinks"]) / seconds,
            ear_deviation=float(np.nanstd(eye_aspect_ratio(marks))),
            ear_deviation_real=float(np.nanstd(eye_aspect_ratio(truth))),
            faces_found=float(np.isfinite(marks[:, 0, 0]).mean()),
            blink_seconds=made_blinks[1],
            blink_seconds_real=real_blinks[1],
            blink_depths=made_blinks[2],
            blink_depths_real=real_blinks[2],
        )
    return rows, shown


def main(corpus: Path, weights: Path, out: Path, seed: int = 0) -> None:
    """Measure the weights on the held-out performers of the corpus and write the results file."""
    began = time.monotonic()
    held_out = stored_clips(corpus, "validation") + stored_clips(corpus, "test")
    rows, shown = measure(load_generator(weights), held_out, seed)
    pooled = {
        name: rows.pop(name) for name in list(rows) if name.startswith(("blink_s", "blink_d"))
    }
    names = rows.pop("clip")
    values = {
        name: bootstrap(column, np.mean if name.startswith("blinks") else np.median)
        for name, column in rows.items()
    }
    for name, lists in pooled.items():
        flat = [value for per_clip in lists for value in per_clip]
        values[name] = bootstrap(flat) if flat else None
    results = {
        "values": values,
        "per_clip": {"clip": names, **rows, **pooled},
        "seed": seed,
        "weights": read_config(weights)["extra"],
        "circumstances": circumstances(
            time.monotonic() - began, corpus="rendered, performers held out", clips=len(names)
        ),
    }
    write_results(out, results)
    chosen = list(shown.values())[:: max(1, len(shown) // 3)][:3]
    write_image(
        out.with_name(f"{out.stem}_strip.png"), np.concatenate([strip(*pair) for pair in chosen])
    )
    moving_picture(out.with_name(f"{out.stem}_moving.webp"), [made for _, made in chosen])
    for name, value in values.items():
        print(
            f"{name:26}",
            value and f"{value['value']:.3f}  [{value['low']:.3f}, {value['high']:.3f}]",
        )


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:4]))
