"""One person's clips as a corpus of its own: sentences held out where else speakers are.

    talker prepare grid GRID --out data/grid
    python -m talker.experiments.one_speaker data/grid s1 data/grid-s1
    talker train --corpus data/grid-s1 --out runs/grid-s1 --start talker/weights
    python -m talker.experiments.talking data/grid-s1 runs/grid-s1/best RESULTS.json

Videos and sounds are linked, not copied.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np

from talker.errors import TalkerError
from talker.files import replacing
from talker.store import clips, write_truth

TRAIN, VALIDATION, TEST = 100, 5, 20


def extract(corpus: Path, speaker: str, out: Path, seed: int = 0) -> dict[str, list[str]]:
    """Make the corpus `out` of a speaker's clips; the names of the clips in each split.

    125 of them, drawn by `seed`: 100 for training, 5 for validation and 20 for the test.

    Raises:
        TalkerError: the speaker has fewer clips, or `out` is no new folder.
    """
    own = [clip for clip in clips(corpus) if clip.speaker == speaker]
    sizes = {"train": TRAIN, "validation": VALIDATION, "test": TEST}
    if len(own) < sum(sizes.values()):
        raise TalkerError(
            f"{corpus} has {len(own)} clips of {speaker!r}, fewer than {sum(sizes.values())}: "
            "prepare more, or choose another speaker"
        )
    if out.exists():
        raise TalkerError(f"{out} exists: choose a new folder.")
    drawn = iter(np.random.default_rng(seed).permutation(len(own)))
    names: dict[str, list[str]] = {}
    for split, size in sizes.items():
        chosen = sorted((own[next(drawn)] for _ in range(size)), key=lambda clip: clip.name)
        names[split] = [clip.name for clip in chosen]
        for clip in chosen:
            stem = out / clip.name
            stem.parent.mkdir(parents=True, exist_ok=True)
            for path in (clip.video, clip.audio):
                os.symlink(path.resolve(), stem.parent / path.name)
            write_truth(stem, clip.truth | {"split": split})
    with replacing(out / "corpus.json") as path:
        about = {"kind": "one speaker", "of": str(corpus), "speaker": speaker, "seed": seed}
        path.write_text(json.dumps(about), encoding="utf-8")
    return names


if __name__ == "__main__":
    extract(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
