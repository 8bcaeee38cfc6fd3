"""How long the generator takes: for one frame at a time, as in a stream, and for a clip of 75.

    talker experiments run speed

Of the generator that comes with the package, and of one of the paper's width (preset `paper`) with
random weights: how long a product takes does not depend on what is multiplied. Both in float32,
with one thread and with as many as the machine has processors, and on a GPU where there is one.
Times are of the clock, so the machine should have nothing else to do. No corpus and no runs are
needed: still and sentence come with the package.

still    milliseconds to encode the still, once for a face; in neither of the next but in `clip`
frame    milliseconds from samples to a picture, frame by frame, the GRUs' states carried along
clip     seconds for still and sound of a clip of 75 frames, in one call of the decoder

Medians with 95 % intervals over frames, and over repetitions of still and clip; the first few are
not counted. A stream is late by more than that: a frame has to hear 0.1 s of sound after itself.

The paper says neither which CPU it used nor whether its times include the still.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from talker.animate import generate, load_still, stream_audio_frames, to_tensor
from talker.audio import audio_frames
from talker.checkpoint import load_generator
from talker.cluster import cores
from talker.config import preset
from talker.demo import ASSETS
from talker.experiments.paper import read_table
from talker.experiments.report import circumstances, write_results
from talker.media import read_audio
from talker.metrics.intervals import bootstrap
from talker.models.generator import Generator
from talker.models.identity_encoder import IdentityCode

CLIP = 75  # frames
FRAMES = 300  # of a stream that are counted
CLIPS = 15  # repetitions of still and clip that are counted
WARM = 3  # repetitions before that which are not, and ten times as many frames
TABLE = "paper_speed.csv"
TITLES = ("generator", "processor", "threads", "still, ms", "one frame, ms", "75 frames, s")


@contextmanager
def threads(count: int) -> Iterator[None]:
    """PyTorch with so many threads within an operation."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def stream(
    generator: Generator, code: IdentityCode, signal: np.ndarray, frames: int
) -> Iterator[np.ndarray]:
    """Frames uint8 (1, H, W, 3) one by one, of a signal (S,) that comes a frame's stride at once.

    code: of the still; signal: float32 at 16 kHz, repeated if it is too short.
    """
    audio = generator.config.audio
    blocks = np.resize(signal, (frames + audio.snippet, audio.stride))
    yield from generate(generator, code, stream_audio_frames(blocks, audio, frames, chunk=1), 0)


@torch.inference_mode()
def whole_clip(generator: Generator, still: torch.Tensor, signal: np.ndarray) -> np.ndarray:
    """Frames uint8 (75, H, W, 3) of a still (1, 3, H, W) and of 3 s of a signal (S,), at once."""
    audio = generator.config.audio
    heard = audio_frames(torch.from_numpy(np.resize(signal, CLIP * audio.stride)), audio, CLIP)
    return next(generate(generator, generator.encode_still(still), [heard[None]], 0))


def timed(call: Callable[[], Any], counted: int, before: int, unit: float) -> dict[str, float]:
    """Median time of `counted` calls with its 95 % interval; `before` calls come first.

    unit: how many make a second.
    """
    taken = []
    for _ in range(before + counted):
        began = time.perf_counter()
        call()
        taken.append(unit * (time.perf_counter() - began))
    told = bootstrap(taken[before:], np.median)
    return {key: told[key] for key in ("value", "low", "high")} | {"counted": counted}


def examine(generator: Generator, still: torch.Tensor, signal: np.ndarray) -> dict[str, dict]:
    """`still`, `frame` and `clip` of the module's docstring, where the generator is."""
    still = still.to(next(generator.parameters()).device)

    @torch.inference_mode()
    def encode() -> IdentityCode:
        code = generator.encode_still(still)
        code.z_id.cpu()  # a GPU has not ended when the call returns
        return code

    film = stream(generator, encode(), signal, FRAMES + 10 * WARM)
    return {
        "still": timed(encode, CLIPS, WARM, 1000),
        "frame": timed(lambda: next(film), FRAMES, 10 * WARM, 1000),
        "clip": timed(lambda: whole_clip(generator, still, signal), CLIPS, WARM, 1),
    }


def processor() -> str:
    """The name of this machine's CPU."""
    about = Path("/proc/cpuinfo")
    lines = about.read_text(encoding="utf-8").splitlines() if about.is_file() else []
    named = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


def markdown(results: dict[str, Any]) -> str:
    """The table of the results: the paper's rows, then ours with their intervals."""
    rows = [("the paper's", r["processor"], "", "", *_theirs(r)) for r in results["paper"]]
    for row in results["rows"]:
        name = f"{row['generator']}, {row['parameters'] / 1e6:.1f} M parameters"
        times = (_interval(row[which]) for which in ("still", "frame", "clip"))
        rows.append((name, row["processor"], row["threads"], *times))
    lines = [TITLES, ("---",) * len(TITLES), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def _theirs(row: dict[str, Any]) -> tuple[str, str]:
    return f"{row['frame_ms']:g}", f"{row['clip_s']:g}"


def _interval(value: dict[str, float]) -> str:
    middle, low, high = (f"{value[key]:.3g}" for key in ("value", "low", "high"))
    return f"{middle} [{low}, {high}]"


def run(corpus: Path, runs: Path, out: Path) -> None:
    """Measure on this machine, without `corpus` and `runs`; write the results, print the table.

    Raises:
        TalkerError: the package's weights, or the paper's table, are missing.
    """
    began = time.monotonic()
    paper = [
        row | {name: float(row[name]) for name in ("frame_ms", "clip_s")}
        for row in read_table(TABLE)
    ]
    still = to_tensor(load_still(ASSETS / "still.png", aligned=True))
    signal, _ = read_audio(ASSETS / "sentence.wav")
    torch.manual_seed(0)
    generators = {
        "shipped": load_generator(),
        "paper's width": Generator(preset("paper").model).eval(),
    }
    count, rows = cores(), []
    for name, generator in generators.items():
        size = sum(parameter.numel() for parameter in generator.parameters())
        about = {"generator": name, "parameters": size}
        for number in sorted({1, count}):
            with threads(number):
                times = examine(generator, still, signal)
            rows.append(about | {"processor": processor(), "threads": number} | times)
        if torch.cuda.is_available():
            times = examine(generator.to("cuda"), still, signal)
            rows.append(about | {"processor": torch.cuda.get_device_name(), "threads": ""} | times)
    results = {
        "rows": rows,
        "paper": paper,
        "precision": "float32",
        "frames_of_a_clip": CLIP,
        "circumstances": circumstances(
            time.monotonic() - began,
            machine=f"{platform.machine()}, {platform.system()}, {count} processors: {processor()}",
        ),
    }
    write_results(out, results)
    print(markdown(results))
