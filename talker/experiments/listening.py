"""What is the synchronization loss for? Table 5, put again to a judge that listens.

    talker experiments run listening --corpus CORPUS --runs RUNS

"The effect of the synchronization discriminator is reflected in the low WER and high AV confidence
values." In `talker.experiments.ablation` its loss could hardly do anything: that judge does not
tell pairs in sync from shifted ones, and the generator that it judges has finished lips. Here it is
taught on real pairs first (`talker.experiments.teaching`), and learns on by Eq. 3; and the
generator is young, the "base" of `talker.experiments.departures`, after its reconstruction.

"taught" has lambda_sync of the paper and the taught judge, "strong" five times that, "without" has
no L_sync, "untaught" has the judge as it is drawn. Else they are alike: the same bytes to start
from, the same clips in the same order, all other terms of Eq. 7. "start" is the generator before.
Each makes the clips of the test split, as files, and `talker.evaluate` measures them. The evaluator
behind AV confidence was taught in the same way as the judge, on the same training performers; WER
is of a lip reader, which was not. `hearing` says what each judge makes of real pairs of the
validation split, before and after.

RUNS/judge is the folder of the lessons, RUNS/base that of the young generator: it is trained where
it is not there, and may be a link to the run of the departures. RUNS/NAME are those of the runs.
What is in the results file is not made again, and a run that was cut off goes on, so the same
command continues after an interruption.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from talker.checkpoint import load_generator, read_config, save_generator
from talker.config import Config, preset, to_json
from talker.dataset import Clips
from talker.devices import Devices
from talker.errors import TalkerError
from talker.experiments import departures, teaching
from talker.experiments.claims import Claim, Runs, decide
from talker.experiments.made import about_metrics, both, by_generator, film, measured
from talker.experiments.report import circumstances, write_results
from talker.experiments.training_log import read_log, summary
from talker.experiments.trials import (
    Changes,
    Row,
    changed,
    held,
    make_all,
    seconds_of,
    train_trial,
)
from talker.models.sync_discriminator import SyncDiscriminator
from talker.networks import Networks
from talker.store import StoredClip
from talker.store import clips as stored_clips

PRESET = "laptop"
PRECISION = "fp32"  # what every processor has: bfloat16 without instructions for it is slower
STEPS = 1000
SEED = 0  # of trainings, lessons, and of the noise that clips are made with
START, TAUGHT, STRONG = "start", "taught", "strong"
WITHOUT, UNTAUGHT = "without", "untaught"
TRAINED: dict[str, Changes] = {
    TAUGHT: {},
    WITHOUT: {"losses.sync": 0.0},
    UNTAUGHT: {},
    STRONG: {"losses.sync": 4.0},
}
VARIANTS = (START, *TRAINED)
MEASURES = ("av_confidence", "wer", "opening", "width", "psnr_lower", "cpbd")

_SYNC = (
    "The effect of the synchronization discriminator is reflected in the low WER and high AV "
    "confidence values"
)
_AGAIN = "the same, with five times its weight"
CLAIMS = tuple(
    Claim(again or says, _SYNC, measure, WITHOUT, direction, (other,))
    for other, again in ((TAUGHT, ""), (STRONG, _AGAIN))
    for says, measure, direction in (
        ("without the sync loss AV confidence falls", "av_confidence", "lower"),
        ("without the sync loss WER rises", "wer", "higher"),
    )
)


def young(runs: Path) -> Path:
    """The folder of the generator that all start from."""
    return runs / departures.BASE / "generator"


def configured(variant: str, corpus: Path, runs: Path) -> Config:
    """The settings of a variant's run."""
    start = young(runs) if variant == UNTAUGHT else runs / "taught-start"
    config = departures.judged_alone(preset(PRESET), corpus, runs / variant, STEPS, start)
    shared = {"train.seed": SEED, "train.precision": PRECISION}
    return changed(config, shared | TRAINED[variant])


def begin(config: Config, base: Path, judge: SyncDiscriminator) -> None:
    """Write the folder that `config` starts from: all of the folder `base`, but for the judge."""
    folder = Path(config.train.start)
    if (folder / "config.json").exists():
        return
    networks = Networks(config, Devices(config.train))
    if not networks.start_from(base):
        raise TalkerError(f"{base} has no discriminators of these settings: train it anew.")
    networks.modules["sync"].load_state_dict(judge.state_dict())
    networks.save_companions(folder)
    # Last, for it is what says that the folder is complete.
    save_generator(folder, networks.average, {"sync": "taught", "seed": config.train.seed})


def judge_of(config: Config, folder: Path) -> SyncDiscriminator:
    """The synchronization discriminator beside a generator, on the CPU."""
    networks = Networks(config, Devices(config.train))
    networks.start_from(folder)
    return networks.modules["sync"].cpu().eval()


def examine(
    variant: str, corpus: Path, runs: Path, clips: Sequence[StoredClip], held_out: Clips
) -> Row:
    """Train a variant where there is something to train, and measure it; beside it real videos."""
    row: Row = {"variant": variant}
    out, generator = runs / variant, young(runs)
    if variant in TRAINED:
        config = configured(variant, corpus, runs)
        problem = train_trial(config)
        late = summary(read_log(out / "log.jsonl"))
        row |= {"changes": TRAINED[variant], "seconds": round(seconds_of(out), 1)}
        row |= {"gaps": late["gaps"], "ratio": late["ratio"]}
        if problem is not None:
            return row | {"problem": problem}
        generator = out / "generator"
        row["hearing"] = teaching.hearing(judge_of(config, generator), held_out)
    film(by_generator(load_generator(generator), SEED), clips, out / "clips")
    found = measured(out / "clips", corpus, clips, out / "evaluation.json", metrics=MEASURES)
    return row | {"weights": read_config(generator)["sha256"]} | both(found)


def summarised(done: Mapping[str, Row]) -> dict[str, Any]:
    """Of the variants that are made: the paper's claims."""
    runs: Runs = {name: {SEED: row["per_clip"]} for name, row in done.items() if "per_clip" in row}
    return {"claims": [decide(claim, runs) for claim in CLAIMS], "metrics": about_metrics()}


def run(corpus: Path, runs: Path, out: Path) -> None:
    """Make the runs that the results file does not have yet, and write it after each of them.

    Raises:
        TalkerError: no corpus, no clip to test on, a loss of the base or of the lessons that is not
            finite, or a results file or a run of other settings.
    """
    clips = stored_clips(corpus, "test")
    config = configured(TAUGHT, corpus, runs)
    problem = train_trial(departures.configured(departures.BASE, corpus, runs))
    if problem is not None:
        raise TalkerError(problem)
    settings = {
        "config": to_json(config),
        "base": read_config(young(runs))["sha256"],
        "lessons": {"steps": teaching.STEPS, "clips": teaching.CLIPS},
        "clips": [clip.name for clip in clips],
    }
    earlier = held(out, settings)
    done, known = earlier.get("runs", {}), {"real": earlier.get("real")}
    held_out = Clips(stored_clips(corpus, "validation"), config.model.audio)
    judge = teaching.teach(config, runs / "judge")
    begin(config, young(runs), judge)
    hearing = earlier.get("hearing") or {
        TAUGHT: teaching.hearing(judge, held_out),
        UNTAUGHT: teaching.hearing(judge_of(config, young(runs)), held_out),
    }

    def make(name: str) -> Row:
        row = examine(name, corpus, runs, clips, held_out)
        known["real"] = row.pop("real", known["real"])
        return row

    def write(rows: dict[str, Row]) -> None:
        spent = sum(row.get("seconds", 0.0) for row in rows.values())
        about = circumstances(
            spent + seconds_of(runs / "judge") + seconds_of(young(runs).parent),
            clips=len(clips),
            speakers=len({clip.speaker for clip in clips}),
            steps=STEPS,
        )
        told = {"runs": rows, "hearing": hearing, "seed": SEED, "circumstances": about}
        write_results(out, told | known | settings | summarised(rows))

    make_all(VARIANTS, done, make, write)
