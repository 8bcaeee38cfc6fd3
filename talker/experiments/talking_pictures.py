"""Pictures of what `talker.experiments.talking` measured: real frames above generated ones."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from talker.animate import enlarge
from talker.files import replacing
from talker.media import write_image
from talker.store import FPS

LARGEST = 1_000_000  # bytes of a moving picture on a page
QUALITIES = (70, 60, 50, 40, 30, 20)  # WebP's, the first that is small enough
_GAP = 4  # pixels of white between rows


def strip(real: np.ndarray, made: np.ndarray, count: int = 11) -> np.ndarray:
    """The still, then `count` real frames above the generated ones of the same moments."""
    at = np.linspace(8, len(real) - 8, count).round().astype(int)
    above = np.concatenate([real[0], *real[at]], axis=1)
    below = np.concatenate([np.full_like(real[0], 255), *made[at]], axis=1)
    return np.concatenate([above, below])


def above_each_other(pairs: list[tuple[np.ndarray, np.ndarray]], scale: int) -> np.ndarray:
    """Clips, real and made (T, H, W, 3), as one: the real side by side above the made, enlarged.

    As long as the shortest of them.
    """
    length = min(len(clip) for pair in pairs for clip in pair)
    above, below = (
        np.stack([enlarge(frame, scale) for frame in np.concatenate(row, axis=2)])
        for row in zip(*([clip[:length] for clip in pair] for pair in pairs), strict=True)
    )
    gap = np.full((length, _GAP, *above.shape[2:]), 255, np.uint8)
    return np.concatenate([above, gap, below], axis=1)


def moving_picture(
    path: Path, pairs: list[tuple[np.ndarray, np.ndarray]], scale: int = 2, largest: int = LARGEST
) -> None:
    """Real clips (T, H, W, 3) above the generated ones as an animated WebP at 25 fps.

    Of `QUALITIES` it has the first in which it takes no more than `largest` bytes, or the last.
    """
    pictures = [Image.fromarray(frame) for frame in above_each_other(pairs, scale)]
    for quality in QUALITIES:
        buffer = io.BytesIO()
        pictures[0].save(
            buffer,
            format="WEBP",
            save_all=True,
            append_images=pictures[1:],
            duration=1000 // FPS,
            loop=0,
            quality=quality,
            method=4,
        )
        if buffer.tell() <= largest:
            break
    with replacing(path) as temporary:
        temporary.write_bytes(buffer.getvalue())


def write_pictures(out: Path, pairs: list[tuple[np.ndarray, np.ndarray]], count: int = 3) -> None:
    """A strip and a moving picture of `count` of the pairs of clips, beside the results `out`."""
    chosen = pairs[:: max(1, len(pairs) // count)][:count]
    strips = np.concatenate([strip(*pair) for pair in chosen])
    write_image(out.with_name(f"{out.stem}_strip.png"), strips)
    moving_picture(out.with_name(f"{out.stem}_moving.webp"), chosen)
