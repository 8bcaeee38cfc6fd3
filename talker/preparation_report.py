"""What became of a corpus in preparation: report.json, and contact_sheet.png to look at."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from talker.corpora.clip import SPLITS, Clip
from talker.faces import CANONICAL, CANONICAL_SIZE
from talker.files import replacing
from talker.media import write_image
from talker.store import FPS, beside, read_frames

_ROWS, _COLUMNS = 40, 8  # speakers and clips on the contact sheet; GRID has 33 speakers
_LABEL = 64  # pixels on the left for the speaker's name


def write_report(out: Path, clips: list[Clip]) -> dict:
    """Gather what is stored of these clips in `out`, write report.json and the sheet, return it.

    Holds some numbers for each clip, never its pictures. The report says, in this order: how many
    clips there were, were kept (by split) and rejected; every rejected clip with its reason; every
    clip that was kept with something odd about it, such as a length that nearly no other clip has;
    how many clips have how many frames; and over the clips that were kept, as median, 5th and 95th
    percentile, how large faces were and how steady they are:

    detection_rate: share of frames in which the face was seen; filled: frames interpolated;
    inter_ocular: pixels of the recording between the outer eye corners; jitter: pixels of the crop
    that nose base and eye corners move from one frame to the next.
    """
    splits, lengths, speakers = Counter(), {}, {}
    rejected, odd = {}, {}
    frames = filled = 0
    measured: dict[str, list[float]] = {"inter_ocular": [], "jitter": []}
    for clip in clips:
        stem = out / clip.name
        if beside(stem, ".rejected").exists():
            rejected[clip.name] = beside(stem, ".rejected").read_text(encoding="utf-8").strip()
            continue
        truth = json.loads(beside(stem, ".json").read_text(encoding="utf-8"))
        preparation = truth["preparation"]
        splits[truth["split"]] += 1
        lengths[clip.name] = truth["frames"]
        speakers.setdefault(truth["speaker"], []).append(stem)
        frames, filled = frames + truth["frames"], filled + sum(preparation["gaps"])
        for name, values in measured.items():
            values.append(preparation[name])
        if preparation["notes"]:
            odd[clip.name] = list(preparation["notes"])
    counted = Counter(lengths.values())
    for name, note in _unusual(lengths, counted):
        odd.setdefault(name, []).append(note)
    report = {
        "clips": len(clips),
        "kept": {split: splits[split] for split in SPLITS} | {"all": len(lengths)},
        "rejected": rejected,
        "odd": odd,
        "frames": {str(length): counted[length] for length in sorted(counted)},
        "landmarks": {
            "detection_rate": round(1 - filled / frames, 5) if frames else None,
            "filled": filled,
            **{name: _spread(values) for name, values in measured.items()},
        },
    }
    with replacing(out / "report.json") as path:
        path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    if speakers:
        write_image(out / "contact_sheet.png", contact_sheet(speakers))
    return report


def _unusual(lengths: dict[str, int], counted: Counter) -> Iterable[tuple[str, str]]:
    """Clips of another length, where nearly all clips of a corpus have one."""
    if counted:
        usual, count = counted.most_common(1)[0]
        if count >= 0.9 * len(lengths):
            for name, length in lengths.items():
                if length != usual:
                    note = f"{length} frames where others have {usual}: the sound is cut to"
                    yield name, f"{note} {length / FPS:.2f} s"


def _spread(values: list[float]) -> dict[str, float] | None:
    if not values:
        return None
    low, middle, high = np.percentile(values, [5, 50, 95])
    return {"p5": round(low, 3), "median": round(middle, 3), "p95": round(high, 3)}


def contact_sheet(speakers: dict[str, list[Path]]) -> np.ndarray:
    """One row for each of up to 40 speakers, uint8 (H, W, 3).

    speakers: the stems of each one's clips. A row shows eight frames, of as many clips as there
    are, then the mean over these clips, sharp where nothing wobbles, and four times the deviation,
    dark where nothing moves. Lines mark where outer eye corners and nose base have to be.
    """
    chosen = _spaced(sorted(speakers), _ROWS)
    return np.concatenate([_row(name, sorted(speakers[name])) for name in chosen])


def _spaced(items: list, most: int) -> list:
    """At most so many of them, evenly spaced."""
    picked = np.linspace(0, len(items) - 1, min(most, len(items))).round().astype(int)
    return [items[number] for number in picked]


def _row(name: str, stems: list[Path]) -> np.ndarray:
    height, width = CANONICAL_SIZE
    label = np.full((height, _LABEL, 3), 255, np.uint8)
    cv2.putText(label, name[:8], (2, height // 2), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 0, 0), 1)
    videos = [read_frames(beside(stem, ".mp4")) for stem in _spaced(stems, _COLUMNS)]
    pictures = []
    for column in range(_COLUMNS):
        frames = videos[column % len(videos)]
        pictures.append(frames[column * (len(frames) - 1) // (_COLUMNS - 1)])
    seen = [frames[::5].astype(np.float32) for frames in videos]
    every = np.concatenate(seen)
    mean, deviation = every.mean(axis=0), 4 * every.std(axis=0)
    for image in (mean, deviation):
        pictures.append(image.clip(0, 255).round().astype(np.uint8))
    return np.concatenate([label, *[_marked(picture) for picture in pictures]], axis=1)


def _marked(picture: np.ndarray) -> np.ndarray:
    """With thin lines through the eye corners and the nose base of the canonical face."""
    marked = picture.copy()
    (nose_x, nose_y), (left, eyes), (right, _) = CANONICAL[[0, 1, 4]].round().astype(int)
    green = np.array((0, 255, 0), np.uint8)
    marked[eyes, ::3] = marked[nose_y, ::3] = green
    marked[::3, left] = marked[::3, right] = marked[::3, nose_x] = green
    return marked
