"""The main job on a still and a sentence that come with the package."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from talker.animate import animate, load_still
from talker.checkpoint import load_generator
from talker.errors import TalkerError
from talker.media import write_image
from talker.models.generator import Generator
from talker.video import read_video

ASSETS = Path(__file__).parent / "assets"


def demo(
    out: Path = Path("talker-demo"),
    *,
    still: Path = ASSETS / "still.png",
    sentence: Path = ASSETS / "sentence.wav",
    generator: Generator | None = None,
    seed: int = 0,
) -> tuple[Path, Path]:
    """Animate the aligned `still` with `sentence`; print where things are and how long they took.

    Writes demo.mp4 and contact_sheet.png into the folder `out` and returns their paths. Raises
    TalkerError when an input is missing or cannot be used.
    """
    video, sheet = Path(out) / "demo.mp4", Path(out) / "contact_sheet.png"
    for asset in (still, sentence):
        if not Path(asset).is_file():
            raise TalkerError(f"{asset} is missing from the package: install talker again.")
    if generator is None:
        with _timed("load the generator"):
            generator = load_generator()
    with _timed("animate the still"):
        animate(still, sentence, video, generator=generator, aligned=True, seed=seed)
    with _timed("make the contact sheet"):
        frames, fps = read_video(video)
        write_image(sheet, contact_sheet(load_still(still, aligned=True), frames, float(fps)))
    print(f"video          {video}\ncontact sheet  {sheet}")
    return video, sheet


@contextmanager
def _timed(step: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    print(f"{time.perf_counter() - start:6.2f} s  {step}", flush=True)


def contact_sheet(
    still: np.ndarray, frames: np.ndarray, fps: float, every: float = 0.2, columns: int = 6
) -> np.ndarray:
    """A grid that shows a whole clip at a glance: the still, then a frame every `every` seconds.

    still: uint8 (h, w, 3), shown at the frames' size; frames: uint8 (T, H, W, 3). Each picture has
    its time under it. Returns uint8 (H', W', 3) on white.
    """
    height, width = frames.shape[1:3]
    step = max(1, round(every * fps))
    resized = np.array(Image.fromarray(still).resize((width, height), Image.Resampling.LANCZOS))
    pictures = [("still", resized)]
    pictures += [(f"{t / fps:.1f} s", frames[t]) for t in range(0, len(frames), step)]
    gap, label = max(4, width // 24), max(14, height // 12)
    rows = -(-len(pictures) // columns)
    used = min(columns, len(pictures))
    sheet = Image.new(
        "RGB", (used * (width + gap) + gap, rows * (height + label + gap) + gap), "white"
    )
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=label * 0.7)
    for place, (text, picture) in enumerate(pictures):
        row, column = divmod(place, columns)
        left, top = gap + column * (width + gap), gap + row * (height + label + gap)
        sheet.paste(Image.fromarray(picture), (left, top))
        middle = (left + width / 2, top + height + label / 2)
        draw.text(middle, text, fill=(70, 70, 70), font=font, anchor="mm")
    return np.array(sheet)
