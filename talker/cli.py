"""The command line: `talker animate`, `talker demo`, `talker corpora`, `talker train` and others.

Each command is one function below; tyro turns its signature and docstring into options and help,
so nothing is written twice. What a command needs is imported when it runs.
"""

from __future__ import annotations

import argparse
import functools
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Literal

import tyro
from tyro.conf import Positional, arg

from talker import __version__
from talker.config import PRESETS, Config
from talker.errors import TalkerError

DEFAULT_PRESET = "laptop"

# The Debian package of each system library that a wheel may look for and not bring.
DEBIAN_PACKAGES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libSM.so.6": "libsm6",
    "libX11.so.6": "libx11-6",
    "libXext.so.6": "libxext6",
    "libXrender.so.1": "libxrender1",
    "libatomic.so.1": "libatomic1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgomp.so.1": "libgomp1",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libstdc++.so.6": "libstdc++6",
    "libxcb.so.1": "libxcb1",
}


def animate(
    still: Positional[Annotated[Path, arg(metavar="STILL")]],
    audio: Positional[Annotated[Path, arg(metavar="AUDIO")]],
    out: Annotated[Path, arg(aliases=["-o"])] = Path("talking.mp4"),
    weights: Path | None = None,
    aligned: bool = False,
    face: int | None = None,
    seed: int = 0,
    scale: int = 2,
    variations: int = 1,
) -> None:
    """Make the face in a photograph say a recording.

    Args:
        still: A photograph with a face in it.
        audio: Any sound file, or a video whose sound is taken.
        out: The video to write (.mp4).
        weights: A folder with a trained generator, instead of the one in the package.
        aligned: The still is already a 96x128 crop of the canonical face.
        face: Which face, counted from 1 at the left; without it the largest is taken.
        seed: Of the noise that moves what speech does not: head, brows, blinks.
        scale: Enlargement of the 96x128 pixels; 1 is too small to watch on today's screens.
        variations: How many videos to make with different noise, numbered out-1.mp4 and on.
    """
    from talker.animate import animate as run

    paths = run(
        still,
        audio,
        out,
        weights=weights,
        aligned=aligned,
        face=face,
        seed=seed,
        scale=scale,
        variations=variations,
    )
    for path in paths:
        print(path)


def demo(out: Annotated[Path, arg(aliases=["-o"])] = Path("talker-demo"), seed: int = 0) -> None:
    """Animate the still and the sentence that come with the package.

    Args:
        out: The folder for the video and its contact sheet.
        seed: Of the noise.
    """
    from talker.demo import demo as run

    run(out, seed=seed)


def corpora(roots: Positional[Annotated[tuple[Path, ...], arg(metavar="[ROOT ...]")]] = ()) -> None:
    """List the corpora that can be used: where they are to be had, and what of them is here.

    Args:
        roots: Folders to look into.
    """
    from talker.corpora.overview import overview

    print(overview(roots))


def fetch(
    corpus: Positional[Literal["grid"]],
    out: Annotated[Path, arg(aliases=["-o"])],
    speakers: tuple[int, ...] = (),
    mirror: str | None = None,
) -> None:
    """Download a corpus that is free for all; the same command goes on where it was interrupted.

    Args:
        corpus: Its name.
        out: The folder for it.
        speakers: Numbers of the speakers to get (default: all 33, 13.6 GB).
        mirror: Address of a folder with copies of the archives, to use instead of Zenodo.
    """
    from talker.corpora.fetch import fetch_grid
    from talker.corpora.overview import summary
    from talker.corpora.registry import CORPORA

    root = fetch_grid(out, speakers, mirror=mirror)
    print(*summary(root, CORPORA[corpus].clips(root)), sep="\n")


def render(
    out: Annotated[Path, arg(aliases=["-o"])],
    performers: int = 24,
    clips: int = 12,
    seed: int = 0,
    scheduler: str | None = None,
    workers: int = 0,
    sentences: Literal["grid", "cremad", "rich", "all"] = "grid",
    splits: tuple[Literal["train", "validation", "test"], ...] = ("train", "validation", "test"),
) -> None:
    """Render a corpus of performers who speak.

    Run the same command again to go on with what was interrupted.

    Args:
        out: The folder for the corpus.
        performers: How many people.
        clips: How many sentences each of them says.
        seed: Of everything: the same seed gives the same corpus.
        scheduler: Address of a Dask scheduler (tcp://...); without it this machine does the work.
        workers: Processes on this machine; 0 means one for each core.
        sentences: GRID's commands; CREMA-D's sentences in six emotions; long phonetically rich
            ones; or all three in turn.
        splits: Only the performers of these splits, for more clips to test on, say.
    """
    from talker.corpora.rendered import render_corpus

    render_corpus(
        out=out,
        performers=performers,
        clips=clips,
        seed=seed,
        workers=workers,
        sentences=sentences,
        scheduler=scheduler,
        splits=splits,
    )


def prepare(
    corpus: Positional[Annotated[str, arg(metavar="CORPUS")]],
    root: Positional[Annotated[Path, arg(metavar="ROOT")]],
    out: Annotated[Path, arg(aliases=["-o"])],
    scheduler: str | None = None,
    workers: int = 0,
) -> None:
    """Prepare a corpus for training: faces found, aligned and cropped, sound in step.

    Run the same command again to go on with what was interrupted.

    Args:
        corpus: Its name, as `talker corpora` lists it.
        root: The folder that it was downloaded to.
        out: The folder for the clips, report.json and contact_sheet.png.
        scheduler: Address of a Dask scheduler (tcp://...); without it this machine does the work.
        workers: Processes on this machine; 0 means one for each core.
    """
    from talker.corpora.registry import CORPORA
    from talker.prepare import prepare as run

    if corpus not in CORPORA:
        raise TalkerError(f"there is no corpus {corpus!r}: choose one of {', '.join(CORPORA)}.")
    report = run(CORPORA[corpus], root, out, scheduler=scheduler, workers=workers)
    for name, reason in report["rejected"].items():
        print(f"rejected {name}: {reason}")
    print(
        f"{report['kept']['all']} of {report['clips']} clips are in {out}; see report.json there."
    )


def evaluate(
    generated: Path,
    real: Path,
    out: Annotated[Path | None, arg(aliases=["-o"])] = None,
    metrics: tuple[str, ...] = (),
    workers: int = 0,
    aligned: bool = False,
    sync_weights: Path | None = None,
    lip_weights: Path | None = None,
    seed: int = 0,
) -> None:
    """Measure generated videos against real ones: the columns of the paper's Tables 5 and 6.

    Args:
        generated: A folder with any system's videos.
        real: A folder with the real videos, of the same names, in any container.
        out: A JSON file for every clip's values, with 95 % intervals over clips.
        metrics: Names of metrics, such as psnr ssim cpbd acd blinks (default: all).
        workers: Processes to use; 0 means one for each core.
        aligned: Frames are crops of the canonical face already, whatever their size.
        sync_weights: Weights of the synchrony network, instead of those of this package.
        lip_weights: Weights of the lip reader, instead of those of this package.
        seed: Of the intervals.
    """
    from talker.evaluate import evaluate as run
    from talker.evaluate import table
    from talker.metrics.pair import Weights

    weights = Weights(sync_weights, lip_weights)
    results = run(generated, real, out, metrics, workers, aligned, weights, seed)
    for note in results["notes"]:
        print(f"talker: {note}", file=sys.stderr)
    print(table(results))


def bench(
    what: Positional[
        Annotated[Literal["prepare", "store", "render", "train", "evaluate"], arg(metavar="WHAT")]
    ],
    paths: Positional[Annotated[tuple[Path, ...], arg(metavar="[PATH ...]")]] = (),
    out: Annotated[Path | None, arg(aliases=["-o"])] = None,
) -> None:
    """Measure this machine's speed: preparing video, ways to store a corpus, rendering, training.

    Args:
        what: "prepare" or "evaluate" (on video files), "store" or "train" (on the folder of a
            corpus), "render".
        paths: The files, or the folder; none to render.
        out: A JSON file for the numbers.
    """
    from talker.bench import bench as run

    run(what=what, paths=list(paths), out=out)


def experiments(
    what: Positional[Annotated[Literal["list", "run"], arg(metavar="WHAT")]],
    name: Positional[Annotated[str, arg(metavar="[NAME]")]] = "",
    corpus: Path = Path("data/rendered"),
    runs: Path | None = None,
    out: Annotated[Path | None, arg(aliases=["-o"])] = None,
    seeds: tuple[int, ...] = (),
) -> None:
    """List the experiments that remake the paper's tables and figures, or run one.

    Run the same command again to go on with a training that was interrupted.

    Args:
        what: "list", or "run" and a name.
        name: The experiment, as the list has it.
        corpus: The folder of a rendered or prepared corpus.
        runs: The folder for what is trained (default: runs/NAME).
        out: The results file (default: figures/results/NAME.json in a copy of the repository,
            NAME.json in any other folder).
        seeds: Of the trainings, where an experiment repeats them (default: its own).
    """
    from talker.experiments.registry import overview
    from talker.experiments.registry import run as run_experiment

    if what == "list":
        print(overview())
        return
    print(run_experiment(name, corpus, runs, out, **({"seeds": seeds} if seeds else {})))


def train(
    config: Annotated[Config, arg(name="")],
    preset: Literal["paper", "laptop", "smoke"] = DEFAULT_PRESET,
    resume: bool = True,
) -> None:
    """Train a generator on a corpus.

    Args:
        config: Every setting of the preset can be given here.
        preset: What all other settings are unless they are given.
        resume: Whether to go on from the last checkpoint in the run's folder, or start again.
    """
    from talker.train import train as run

    run(config, resume)


def train_evaluator(
    which: Positional[Annotated[Literal["sync", "lips"], arg(metavar="WHICH")]],
    corpora: Positional[Annotated[tuple[Path, ...], arg(metavar="CORPUS ...")]],
    out: Annotated[Path, arg(aliases=["-o"])],
    steps: int | None = None,
    minutes: float | None = None,
    seed: int = 0,
) -> None:
    """Train a network that metrics ask: of synchrony ("sync") or of what lips say ("lips").

    Run the same command again to go on with what was interrupted.

    Args:
        which: The network.
        corpora: Folders of corpora; training sees their speakers for training only.
        out: The folder for the weights, the log and the state of the run.
        steps: How long; the learning rate falls to 0 over them (default: the network's own).
        minutes: At most so long now; the same command goes on.
        seed: Of everything: the same seed gives the same weights.
    """
    if which == "sync":
        from talker.evaluators.train_synchrony import train as run
    else:
        from talker.evaluators.train_lip_reader import train as run
    print(run(corpora, out, steps, minutes, seed))


def _preset_in(arguments: Sequence[str]) -> Config:
    """The preset that the arguments of `train` name: its settings are what tyro shows and fills."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--preset", default=DEFAULT_PRESET)
    try:
        name = parser.parse_known_args(arguments)[0].preset
    except argparse.ArgumentError:  # "--preset" and nothing after it: tyro says so
        name = DEFAULT_PRESET
    return PRESETS.get(name, PRESETS[DEFAULT_PRESET])  # another name: tyro lists those there are


COMMANDS: dict[str, Callable[..., None]] = {
    "animate": animate,
    "bench": bench,
    "demo": demo,
    "corpora": corpora,
    "evaluate": evaluate,
    "experiments": experiments,
    "fetch": fetch,
    "prepare": prepare,
    "render": render,
    "train": train,
    "train-evaluator": train_evaluator,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status: 0, 2 for unusable input, 130 when interrupted."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if arguments in (["--version"], ["version"]):
        print(f"talker {__version__}")
        return 0
    commands = COMMANDS | {"train": functools.partial(train, config=_preset_in(arguments))}
    try:
        tyro.extras.subcommand_cli_from_dict(
            commands,
            prog="talker",
            description="A face that talks, from one photograph and a recording. "
            "`talker --version` prints the version.",
            args=arguments,
            config=(tyro.conf.DisallowNone,),
        )
    except TalkerError as error:
        print(f"talker: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("talker: interrupted.", file=sys.stderr)
        return 130
    except (ImportError, OSError) as error:
        sentence = missing_library(error)
        if sentence is None:
            raise
        print(f"talker: {sentence}", file=sys.stderr)
        return 2
    return 0


def missing_library(error: Exception) -> str | None:
    """What to install when the loader did not find a system library; None for other errors."""
    found = re.search(r"(lib[\w.+-]+\.so[.\d]*): cannot open shared object file", str(error))
    if found is None:
        return None
    library = found[1]
    package = DEBIAN_PACKAGES.get(library)
    if package is None:
        return f"the system library {library} is missing: install the package that has it."
    return f"the system library {library} is missing: run `sudo apt-get install {package}`."
