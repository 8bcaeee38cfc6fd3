"""One still under six emotions (Fig. 14 and 15), and whether a classifier can tell them apart.

    talker render --out data/emotional --sentences cremad --performers 28 --splits train
    talker render --out data/emotional --sentences cremad --performers 72 --splits test
    talker experiments run emotions --corpus data/emotional

makes 24 performers to train on and 6 others to test on, with two clips of each of CREMA-D's six
emotions, and trains the generator that comes with the package on the former, twice. It has only
heard neutral sentences. Voices stay as they are, because their height and loudness, which the
preset varies, are how an emotion is heard.

`talker.evaluators.emotion_classifier` learns from the real clips of the training performers, and
is asked about films of the test performers. `values` has the share of films that it puts right, by
what it sees: the whole face, brows and lids, or nose, mouth and chin. Rows:

real           the real clips: with their expressions acted, which is the most it can tell
ours           the generator that comes with the package, from each clip's first frame and sound
emotional      the generator trained here with the preset's phases, the same: while it
               reconstructs, the noise encoder tells the decoder what the upper half of the real
               frame shows, frowns included, so that sound need not say anything of them
blind          the generator trained here for as many steps, all of Eq. 7, with the noise
               generator's z_n from the first on, which knows nothing of the frame, and an L1 of the
               eyes with brows of weight 1: what a face does must come from the sound
NAME, other sound    films of either by the same stills, each with a sound of another emotion by
                     the same performer; what is right is the emotion of the sound
NAME, other still    the same films; what is called right is the emotion of the clip that the still
                     is of, so that whatever a neutral first frame gives away would show here

`chance` is a sixth. `difference` has each of the two less "ours" and less its "other still", paired
by performers. `confusion` has the films by the emotion of their sound (rows) and by what the
classifier says of the whole face (columns), in the order of `emotions`. Intervals of 95 % are over
performers.

The results file is written after each of the four, and what is in it is not made again; a training
that was cut off goes on. Beside it: _strip.png, of "blind", for which
`talker.experiments.emotional_films` says what it shows.
"""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from talker.checkpoint import SHIPPED, load_generator, read_config
from talker.config import Config, preset, to_json
from talker.errors import TalkerError
from talker.evaluators.emotion_classifier import EMOTIONS, REGIONS, EmotionClassifier, fit
from talker.experiments.departures import judged_alone
from talker.experiments.emotional_films import exchanged, of_generated, of_real, picture
from talker.experiments.held_out import OURS, REAL, Method, over_performers
from talker.experiments.motion_maps import by_performer
from talker.experiments.report import circumstances, write_results
from talker.experiments.talking import generate
from talker.experiments.trials import (
    Row,
    changed,
    equally_long,
    held,
    make_all,
    seconds_of,
    train_trial,
)
from talker.faces import DlibDetector
from talker.store import StoredClip
from talker.store import clips as stored_clips

PRESET = "laptop"
START = SHIPPED
WARM_UP = 800  # steps of reconstruction
STEPS = 600  # adversarial, after them
PRECISION = "fp32"  # bf16 is faster where a processor has it, and much slower where it has not
NOISE_SEED = 0
TRAINED = EMOTIONAL, BLIND = "emotional", "blind"
OTHER_SOUND, OTHER_STILL = "other sound", "other still"
PLAN = (REAL, OURS, *TRAINED)


def configured(name: str, corpus: Path, runs: Path) -> Config:
    """The settings of one of the two trainings, in the folder `runs`/`name`."""
    steps, own = WARM_UP + STEPS, {"train.precision": PRECISION, "train.alter_voices": False}
    if name == BLIND:
        config = judged_alone(preset(PRESET), corpus, runs / name, steps, START)
        return changed(config, own | {"train.generator_rate": 3e-4, "train.eyes_weight": 1.0})
    config = equally_long(preset(PRESET), corpus, runs / name, steps, WARM_UP)
    start = os.path.relpath(START)  # one's own folders stay out of the results
    return changed(config, own | {"train.start": start, "train.warm_up_rate": 5e-4})


def acted(clips: Sequence[StoredClip], corpus: Path) -> list[str]:
    """The emotion of each clip. Raises TalkerError where not all six are acted by somebody."""
    emotions = [clip.truth.get("emotion", "neutral") for clip in clips]
    if set(emotions) != set(EMOTIONS):
        raise TalkerError(
            f"{corpus} has not all six emotions in its split {clips[0].split}: make a corpus with "
            "'talker render --sentences cremad' and at least 6 clips, and name it with --corpus."
        )
    return emotions


def right(said: Sequence[str], wanted: Sequence[str], speakers: Sequence[str]) -> np.ndarray:
    """Each performer's share of films (P,) of which is `said` what is `wanted`."""
    told = np.array([a == b for a, b in zip(said, wanted, strict=True)], float)
    return by_performer(told, speakers)[1]


def confusion(said: Sequence[str], sound: Sequence[str]) -> list[list[int]]:
    """Counts of films, emotion of the sound by what is said, in the order of `EMOTIONS`."""
    pairs = list(zip(sound, said, strict=True))
    return [[pairs.count((row, column)) for column in EMOTIONS] for row in EMOTIONS]


def summarised(
    done: dict[str, Row], emotions: Sequence[str], sounds: Sequence[int], speakers: Sequence[str]
) -> dict[str, Any]:
    """Of what was said of the rows that are done: `values`, `difference` and `confusion`.

    emotions, speakers: of each test clip; sounds: see `emotional_films.exchanged`.
    """
    other = [emotions[sound] for sound in sounds]
    asked = {name: (row["said"], emotions) for name, row in done.items() if "said" in row}
    learnt = [name for name in TRAINED if name in asked]
    for name in learnt:
        said = done[name]["other"]
        asked |= {
            f"{name}, {OTHER_SOUND}": (said, other),
            f"{name}, {OTHER_STILL}": (said, emotions),
        }
    shares = {
        name: {region: right(said[region], wanted, speakers) for region in REGIONS}
        for name, (said, wanted) in asked.items()
    }
    pairs = [(name, than) for name in learnt for than in (OURS, f"{name}, {OTHER_STILL}")]
    return {
        "values": {
            name: {region: over_performers(each, np.mean) for region, each in row.items()}
            for name, row in shares.items()
        },
        "difference": {
            f"{first} - {second}": {
                region: over_performers(shares[first][region] - shares[second][region], np.mean)
                for region in REGIONS
            }
            for first, second in pairs
            if second in shares
        },
        "confusion": {
            name: confusion(said["face"], wanted)
            for name, (said, wanted) in asked.items()
            if not name.endswith(OTHER_STILL)
        },
        "chance": round(1 / len(EMOTIONS), 5),
        "emotions": list(EMOTIONS),
    }


class Panel:
    """The films that are asked about, of the test split of a corpus, and who is asked.

    Raises TalkerError: no corpus, a split without all six emotions, or a performer to test on with
    one of them only.
    """

    def __init__(self, corpus: Path) -> None:
        self.taught, self.clips = stored_clips(corpus, "train"), stored_clips(corpus, "test")
        self._learnt, self.emotions = acted(self.taught, corpus), acted(self.clips, corpus)
        self.speakers = [clip.speaker for clip in self.clips]
        self.sounds = exchanged(self.speakers, self.emotions)
        self._detector = DlibDetector()

    @functools.cached_property
    def _classifiers(self) -> list[EmotionClassifier]:
        features = of_real(self.taught, self._detector)
        return [fit(features, self._learnt, region) for region in REGIONS]

    def _say(self, features: np.ndarray) -> dict[str, list[str]]:
        return {each.region: each.tell(features) for each in self._classifiers}

    def real(self) -> dict[str, list[str]]:
        """What is said of the real clips, by region."""
        return self._say(of_real(self.clips, self._detector))

    def films(self, method: Method, sounds: Sequence[int] | None = None) -> dict[str, list[str]]:
        """What is said of the films of a method, with each clip's own sound or that of another."""
        own = range(len(self.clips))
        sounds = own if sounds is None else sounds
        return self._say(of_generated(method, self.clips, sounds, NOISE_SEED, self._detector))


def trained(name: str, panel: Panel, corpus: Path, runs: Path, out: Path) -> Row:
    """Train, or go on, and ask; what the results file `out` says of it. "blind" draws, too."""
    config = configured(name, corpus, runs)
    problem = train_trial(config)
    row: Row = {"training_seconds": round(seconds_of(Path(config.train.out)), 1)}
    if problem is not None:
        return row | {"problem": problem}
    weights = Path(config.train.out) / "generator"
    method = functools.partial(generate, load_generator(weights))
    row |= {
        "weights": read_config(weights)["sha256"],
        "said": panel.films(method),
        "other": panel.films(method, panel.sounds),
    }
    if name == BLIND:
        row["example"] = picture(method, panel.clips, panel.emotions, NOISE_SEED, out)
    return row


def main(corpus: Path, runs: Path, out: Path) -> None:
    """Make the rows that the results file does not have yet, and write it after each of them.

    Raises:
        TalkerError: what `Panel` does, no start, or results or a run of other settings.
    """
    panel = Panel(corpus)
    settings = {
        "config": {name: to_json(configured(name, corpus, runs)) for name in TRAINED},
        "start": read_config(START)["sha256"],
        "clips": [clip.name for clip in panel.clips],
        "taught": [clip.name for clip in panel.taught],
    }
    done = held(out, settings).get("rows", {})

    def make(name: str) -> Row:
        began = time.monotonic()
        if name == REAL:
            row = {"said": panel.real()}
        elif name == OURS:
            row = {"said": panel.films(functools.partial(generate, load_generator(START)))}
        else:
            row = trained(name, panel, corpus, runs, out)
        return row | {"seconds": round(time.monotonic() - began, 1)}

    def write(rows: dict[str, Row]) -> None:
        about = circumstances(
            sum(row["seconds"] for row in rows.values()),
            clips=len(panel.clips),
            performers=len(set(panel.speakers)),
            clips_trained=len(panel.taught),
            performers_trained=len({clip.speaker for clip in panel.taught}),
            warm_up=WARM_UP,
            steps=STEPS,
        )
        told = {"rows": rows, "seed": NOISE_SEED, "circumstances": about} | settings
        write_results(out, told | summarised(rows, panel.emotions, panel.sounds, panel.speakers))

    make_all(PLAN, done, make, write)


def run(corpus: Path, runs: Path, out: Path) -> None:
    """The films and the classifier, for `talker experiments run emotions`; see `main`."""
    main(corpus, runs, out)
