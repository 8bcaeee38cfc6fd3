"""Does the lip reader read lips? Held-out performers, and the same with less and less to read.

    python -m talker.experiments.lipreading CORPUS figures/results/lipreading.json [RECORDED]

Every clip of performers that the network has not learnt from is read as it is, blurred, with its
mouth standing still for a share of its length, and with another clip of the same performer in
place of such a share. The fewer lips there are to read, the more words must be wrong. RECORDED, a
prepared corpus of people who say sentences of GRID, is read as it is: no such face has been seen.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from tqdm import tqdm

from talker.checkpoint import read_description
from talker.evaluators.lip_reader import NAME, LipReader, find_lip_reader
from talker.evaluators.weights import shipped
from talker.experiments.corruptions import blurred
from talker.experiments.report import circumstances, write_results
from talker.metrics.intervals import bootstrap
from talker.metrics.lipreading import is_readable, word_error_rate
from talker.store import StoredClip, clips, read_frames
from talker.studio.grammar import SLOTS

KINDS = ("command", "colour", "preposition", "letter", "digit", "adverb")


def frozen(frames: np.ndarray, share: float) -> np.ndarray:
    """The mouth stands still for the last `share` of the clip (T, H, W, 3)."""
    last = len(frames) - 1 - round(share * (len(frames) - 1))
    return frames[np.minimum(np.arange(len(frames)), last)]


def swapped(frames: np.ndarray, other: np.ndarray, share: float) -> np.ndarray:
    """The last `share` of the clip is of another clip; both (T, H, W, 3)."""
    kept = len(frames) - round(share * len(frames))
    return np.concatenate([frames[:kept], other[kept:]])


SPOILT: dict[str, tuple[str, tuple[float, ...], Callable]] = {
    "blurred": (
        "pixels",
        (1, 2, 3, 4, 6, 8, 12),
        lambda frames, other, level: blurred(frames, level),
    ),
    "frozen": ("share", (0.25, 0.5, 0.75, 1), lambda frames, other, level: frozen(frames, level)),
    "swapped": ("share", (0.25, 0.5, 0.75, 1), swapped),
}


def read_all(reader: LipReader, held_out: list[StoredClip]) -> dict[str, list]:
    """What is said in each clip, what is read in it, and in it spoilt: lists in order of clips.

    "blurred 2" and the like are the spoilt ones; "without grammar" is read off the most probable
    path. Swapped clips get the frames of the same performer's next clip.
    """
    texts = [clip.truth.get("text") for clip in held_out]
    held_out = [clip for clip, text in zip(held_out, texts, strict=True) if is_readable(text)]
    rows: dict[str, list] = {"said": [text for text in texts if is_readable(text)]}
    groups: dict[str, list[StoredClip]] = {}
    for clip in held_out:
        groups.setdefault(clip.speaker, []).append(clip)

    def add(name: str, value: str) -> None:
        rows.setdefault(name, []).append(value)

    for clip in tqdm(held_out, desc="reading", unit="clip"):
        own = groups[clip.speaker]
        frames = read_frames(clip.video)
        other = read_frames(own[(own.index(clip) + 1) % len(own)].video)[: len(frames)]
        values = reader.log_probabilities(frames)
        add("clip", clip.name)
        add("real", reader.sentence(values))
        add("without grammar", reader.words(values))
        for name, (_, levels, spoil) in SPOILT.items():
            for level in levels:
                add(f"{name} {level:g}", reader.read(spoil(frames, other, level)))
    return rows


def confusions(said: list[str], read: list[str], slot: int) -> list[list[int]]:
    """How often each word of a slot (rows) was read as each (columns), in the grammar's order."""
    table = np.zeros((len(SLOTS[slot]),) * 2, int)
    for one, other in zip(said, read, strict=True):
        table[tuple(SLOTS[slot].index(text.split()[slot]) for text in (one, other))] += 1
    return table.tolist()


def by_slot(said: list[str], read: list[str], seed: int) -> dict[str, dict]:
    """Share of wrong words at each place of the sentence, with intervals over clips."""
    wrong = np.array([a.split() for a in said]) != np.array([b.split() for b in read])
    return {
        kind: bootstrap(column, np.mean, seed=seed)
        for kind, column in zip(KINDS, wrong.T, strict=True)
    }


def rates(said: list[str], read: list[str]) -> list[float]:
    """Word error rate of each clip."""
    return [round(word_error_rate(*pair), 5) for pair in zip(said, read, strict=True)]


def on_recordings(reader: LipReader, corpus: Path, seed: int) -> dict:
    """The same for recorded people, as they are: their error rates and how many they are."""
    said, read, speakers = [], [], set()
    for clip in tqdm(clips(corpus), desc="recordings", unit="clip"):
        text = clip.truth.get("text")
        if is_readable(text):
            said.append(text)
            read.append(reader.read(read_frames(clip.video)))
            speakers.add(clip.speaker)
    return {
        "value": bootstrap(rates(said, read), np.mean, seed=seed),
        "by_slot": by_slot(said, read, seed),
        "speakers": sorted(speakers),
        "corpus": corpus.name,
    }


def main(corpus: Path, out: Path, recorded: Path | None = None, seed: int = 0) -> None:
    """Read the held-out clips in every condition and write the results file."""
    began = time.monotonic()
    reader = find_lip_reader()
    rows = read_all(reader, [clip for clip in clips(corpus) if clip.split != "train"])
    said, names = rows.pop("said"), rows.pop("clip")
    per_clip = {name: rates(said, read) for name, read in rows.items()}
    speakers = np.array([name.split("/")[0] for name in names])
    real = np.array(per_clip["real"])
    results = {
        "values": {name: bootstrap(rate, np.mean, seed=seed) for name, rate in per_clip.items()},
        "by_slot": by_slot(said, rows["real"], seed),
        "by_performer": {
            str(one): round(float(real[speakers == one].mean()), 4) for one in set(speakers)
        },
        "confusions": {
            kind: {"words": list(words), "counts": confusions(said, rows["real"], slot)}
            for slot, (kind, words) in enumerate(zip(KINDS, SLOTS, strict=True))
        },
        "conditions": {
            name: {"unit": unit, "levels": list(levels)}
            for name, (unit, levels, _) in SPOILT.items()
        },
        "recorded": recorded and on_recordings(reader, recorded, seed),
        "per_clip": {"clip": names, "said": said, "read": rows["real"], **per_clip},
        "seed": seed,
        "weights": read_description(shipped(NAME).with_suffix(".json")),
        "circumstances": circumstances(
            time.monotonic() - began, corpus="rendered, performers held out", clips=len(names)
        ),
    }
    write_results(out, results)
    for name, value in (results["values"] | results["by_slot"]).items():
        print(f"{name:16} {value['value']:.3f}  [{value['low']:.3f}, {value['high']:.3f}]")


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:4]))
