"""Which parts of a face move (Fig. 20), and which way (Fig. 14): optical flow, real and generated.

    python -m talker.experiments.motion_maps CORPUS RUNS figures/results/motion_maps.json [NAME ...]

With "data/rendered runs/comparison" and the names "ours static speech2vid atvgnet", the baselines
that `talker.experiments.comparison` has trained stand beside ours, as in Fig. 20.

A map is the mean length of motion at each pixel, of all clips of a performer held out: the paper
takes 20 videos of a subject, and here are as many as the corpus has of each. The pooled map is the
mean of the performers'. Columns are the real clips, the methods named (see
`talker.experiments.held_out`; "ours" where none is) and two controls that know nothing of faces:

still    copies of the still, so that what is left is compression
sway     the still going round as a whole, as fast as points of the real clip move on average

values, for each column: motion, mean length in pixels a frame; ratio, of that to the real one; r,
the correlation over pixels with the same performer's real map, mean over performers; r_pooled, that
of the pooled maps. The rows "another clip" and "other performers" of `scale` say what r can be at
best, when a performer's real clips are set against each other, and what any face has, when the real
maps of everybody else are. Intervals of 95 % are over performers.

Beside the results file: _pixels.npy, float16 (R, C, H, W), maps of `rows` and `columns`; and
_example.png, flow above frames of a blink and of speech, for the real clip and the first method
(the others need not blink).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from talker.errors import TalkerError
from talker.experiments.held_out import (
    OURS,
    REAL,
    Method,
    about_weights,
    as_stored,
    films,
    held_out,
    methods,
    over_performers,
    save_array,
)
from talker.experiments.report import circumstances, write_results
from talker.faces import DlibDetector
from talker.media import write_image
from talker.metrics.blinks import find_blinks
from talker.metrics.closure import while_speaking
from talker.metrics.landmarks import correlation, eye_aspect_ratio
from talker.metrics.motion import flow_picture, lower_half_motion, magnitude_map, optical_flow
from talker.store import FPS, StoredClip
from talker.tracking import fit_crops

CONTROLS = ("still", "sway")
RADIUS = 2.0  # pixels of the circle on which "sway" goes round
SHOWN = 6  # frames of a blink, and of speech
LONGEST = 2.0  # pixels a frame: the brightest colour of flow


def sway(still: np.ndarray, frames: int, speed: float) -> np.ndarray:
    """A still (H, W, 3) uint8 that goes round as a whole by `speed` pixels a frame: (T, H, W, 3).

    Its edges are repeated where it leaves room. The first frame is the still.
    """
    import cv2

    rows = []
    for turn in np.arange(frames) * speed / RADIUS:
        shift = [[1, 0, RADIUS * (np.cos(turn) - 1)], [0, 1, RADIUS * np.sin(turn)]]
        size, edge = still.shape[1::-1], cv2.BORDER_REPLICATE
        rows.append(cv2.warpAffine(still, np.array(shift), size, borderMode=edge))
    return np.stack(rows)


def clip_maps(shown: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Maps (H, W) of the films of a clip, the real one among them, and of its controls."""
    maps = {name: magnitude_map(optical_flow(frames)) for name, frames in shown.items()}
    real = shown[REAL]
    still = np.broadcast_to(real[:1], real.shape)
    moved = sway(real[0], len(real), float(maps[REAL].mean()))
    for name, frames in zip(CONTROLS, (still, moved), strict=True):
        maps[name] = magnitude_map(optical_flow(as_stored(frames)))
    return maps


def alike(a: np.ndarray, b: np.ndarray) -> float:
    """Pearson's r of two maps over their pixels."""
    return correlation(a.ravel(), b.ravel())


def by_performer(maps: np.ndarray, speakers: Sequence[str]) -> tuple[list[str], np.ndarray]:
    """Names of the P performers, and for each the mean of their clips' maps (N, ...): (P, ...)."""
    owner = np.array(speakers)
    names = list(dict.fromkeys(speakers))
    return names, np.stack([maps[owner == name].mean(axis=0) for name in names])


def compared(people: np.ndarray, columns: Sequence[str], seed: int) -> dict[str, dict]:
    """For each column its `motion` and how like the real maps it is, see above.

    people: maps (P, C, H, W) of performers; the first column is the real one.
    """
    told = {}
    for place, name in enumerate(columns):
        speed = people[:, place].mean(axis=(1, 2))
        row = {"motion": over_performers(speed, np.mean, seed=seed)}
        if place:
            pair = people[:, [place, 0]]
            each = np.array([alike(*maps) for maps in pair])
            row["ratio"] = over_performers(
                pair.mean(axis=(2, 3)), lambda rows: np.divide(*rows.mean(axis=0)), seed=seed
            )
            row["r"] = over_performers(each, np.mean, seed=seed)
            row["r_pooled"] = over_performers(
                pair, lambda rows: alike(*rows.mean(axis=0)), draws=500, seed=seed
            )
        told[name] = row
    return told


def scale(maps: np.ndarray, speakers: Sequence[str], seed: int) -> dict[str, dict]:
    """What r is for the real clips (N, H, W) of each other: the two rows described above.

    Performers of one clip only do not count in "another clip".
    """
    owner = np.array(speakers)
    names, people = by_performer(maps, speakers)
    again, others = [], []
    for place, name in enumerate(names):
        own = maps[owner == name]
        rest = (own.sum(axis=0) - own) / max(1, len(own) - 1)
        if len(own) > 1:
            again.append(np.mean([alike(*pair) for pair in zip(own, rest, strict=True)]))
        if len(people) > 1:
            others.append(alike(people[place], np.delete(people, place, axis=0).mean(axis=0)))
    rows = {"another clip": again, "other performers": others}
    return {name: over_performers(row, np.mean, seed=seed) for name, row in rows.items() if row}


def spread(values: Sequence[float]) -> list[int]:
    """The places of the lowest, the middle and the highest value."""
    order = np.argsort(values, kind="stable")
    return [int(order[0]), int(order[len(order) // 2]), int(order[-1])]


def blinking(frames: np.ndarray, detector: DlibDetector) -> int | None:
    """The frame at which the first whole blink of a film begins; None without one."""
    found = find_blinks(eye_aspect_ratio(fit_crops(frames, detector)), FPS)
    starts = [blink.start for blink in found if 0 < blink.start < len(frames) - SHOWN - 1]
    return starts[0] if starts else None


def speaking(real: np.ndarray, words: list[dict]) -> int:
    """Where `SHOWN` frames of a clip begin in which the lower face moves most while it speaks."""
    energy = lower_half_motion(real) * while_speaking(words, len(real), FPS)[:-1]
    return int(np.convolve(energy, np.ones(SHOWN), "valid").argmax())


def filmstrip(frames: np.ndarray, starts: Sequence[int]) -> np.ndarray:
    """Flow above frames (T, H, W, 3), `SHOWN` of each from these starts on: one picture."""
    rows = []
    for start in starts:
        part = frames[start : start + SHOWN + 1]
        flow = [flow_picture(field, LONGEST) for field in optical_flow(part)]
        rows.append(np.stack([np.concatenate(flow, axis=1), np.concatenate(part[:-1], axis=1)]))
    return np.concatenate([np.concatenate(part, axis=1) for part in zip(*rows, strict=True)])


def example(found: Sequence[StoredClip], made: Mapping[str, Method], seed: int, out: Path) -> dict:
    """Write the picture of the first clip in which the real face and all others blink.

    Returns its name and, for each film, where the blink and the speech that are shown begin. Those
    of speech are the same frames for all. Raises TalkerError when there is no such clip.
    """
    detector = DlibDetector()
    for number, clip in enumerate(found):
        shown = films(clip, made, seed + number)
        blinks = {name: blinking(frames, detector) for name, frames in shown.items()}
        if None in blinks.values():
            continue
        spoken = speaking(shown[REAL], clip.truth["words"])
        starts = {name: [blink, spoken] for name, blink in blinks.items()}
        rows = [filmstrip(frames, starts[name]) for name, frames in shown.items()]
        write_image(out.with_name(f"{out.stem}_example.png"), np.concatenate(rows))
        return {"clip": clip.name, "starts": starts, "shown": SHOWN, "longest": LONGEST}
    raise TalkerError("no clip blinks in the real film and in all generated ones: add clips.")


def run(corpus: Path, runs: Path, out: Path, names: Sequence[str] = (OURS,), seed: int = 0) -> None:
    """Make the films, measure them, and write the results file and what goes beside it.

    Raises:
        TalkerError: no corpus, nobody held out, no such run, or nobody blinks.
    """
    began = time.monotonic()
    found, made = held_out(corpus), methods(names, runs)
    columns = (REAL, *names, *CONTROLS)
    rows = []
    for number, clip in enumerate(tqdm(found, desc="flow", unit="clip")):
        told = clip_maps(films(clip, made, seed + number))
        rows.append(np.stack([told[name] for name in columns]))
    maps, speakers = np.stack(rows), [clip.speaker for clip in found]
    people, of_people = by_performer(maps, speakers)
    values = compared(of_people, columns, seed)
    each = {
        name: [round(alike(*pair), 4) for pair in of_people[:, [place, 0]]]
        for place, name in enumerate(columns)
        if place
    }
    chosen, first = spread(each[names[0]]), {names[0]: made[names[0]]}
    held = np.stack([of_people.mean(axis=0), *of_people[chosen]]).astype(np.float16)
    save_array(out.with_name(f"{out.stem}_pixels.npy"), held)
    results = {
        "values": values,
        "scale": scale(maps[:, 0], speakers, seed),
        "columns": list(columns),
        "rows": ["pooled", *(people[place] for place in chosen)],
        "performers": people,
        "r": each,
        "example": example([c for c in found if c.split == "test"], first, seed, out),
        "seed": seed,
        "weights": about_weights(names, runs),
        "circumstances": circumstances(
            time.monotonic() - began,
            corpus="rendered, held out",
            clips=len(found),
            performers=len(people),
            clips_of_a_performer=sorted({speakers.count(name) for name in people}),
        ),
    }
    write_results(out, results)
    for name, row in (values | {n: {"r": v} for n, v in results["scale"].items()}).items():
        for measured, value in row.items():
            print(f"{name:16} {measured:9}", value)


if __name__ == "__main__":
    run(*(Path(argument) for argument in sys.argv[1:4]), sys.argv[4:] or (OURS,))
