"""How fast things are on this machine: `talker bench prepare`, `store`, `render` and others.

`train` and `evaluate` are in modules of their own. But for `train`, seconds are those of the
processor and not of the clock, so that other work on the machine changes them little; "a core" is
one that does nothing else.
"""

from __future__ import annotations

import functools
import json
import multiprocessing
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from talker.corpora.clip import Clip, Corpus
from talker.errors import TalkerError
from talker.files import replacing
from talker.store import CRF, FPS, KEYFRAMES, RATE, clips, read_frames, read_sound
from talker.video import write_video

_MOST_CLIPS = 32
# What the warm-up of preset `laptop` reads of a clip: 3 random frames of a window of 25.
WINDOW, DECODED = 25, 3


def bench_prepare(files: list[Path]) -> list[dict]:
    """Prepare 1, 2, 4 ... clips of these video files, each count in a process of its own.

    Returns for each count: clips, frames that were kept, frames_per_second of one core, and peak
    memory of the process in MB. Raises TalkerError when no file is given, none can be prepared, or
    a process dies.
    """
    if not files:
        raise TalkerError("there is no file to prepare: name some videos with a face and sound.")
    counts = [2**power for power in range(_MOST_CLIPS.bit_length())]
    context = multiprocessing.get_context("spawn")  # memory of one count must not show in the next
    rows = []
    for count in counts:
        if count <= max(1, len(files)):
            with ProcessPoolExecutor(1, mp_context=context) as pool:
                try:
                    rows.append(pool.submit(_prepare_some, files[:count]).result())
                except BrokenProcessPool as error:  # a Pool would wait for ever
                    raise TalkerError(
                        f"the process that prepared {count} clips died: free some memory, and "
                        "run the same command again."
                    ) from error
    return rows


def _prepare_some(files: list[Path]) -> dict:
    from talker.faces import find_detector
    from talker.prepare import prepare

    names = [f"bench/{number:04d}" for number in range(len(files))]
    listed = [
        Clip("bench", name, "bench", "train", Path(file).absolute(), Path(file).absolute())
        for name, file in zip(names, files, strict=True)
    ]
    corpus = Corpus("bench", "", "", "", "", "", lambda root: listed)
    find_detector()  # its model is loaded once a process, not once a clip
    with tempfile.TemporaryDirectory() as folder:
        began = time.process_time()
        report = prepare(corpus, folder, Path(folder) / "out", workers=1)
        seconds = time.process_time() - began
    frames = sum(int(length) * count for length, count in report["frames"].items())
    if not frames:
        raise TalkerError(f"none of the files can be prepared: {report['rejected'][names[0]]}.")
    return {
        "clips": report["kept"]["all"],
        "frames": frames,
        "frames_per_second": round(frames / seconds, 1),
        "peak_megabytes": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def bench_store(corpus: Path, count: int = 8, repeats: int = 5) -> list[dict]:
    """Write `count` clips of a stored corpus in several ways, and read random windows of each.

    Returns for each way: kilobytes a clip (pictures and the sound that is played with them), psnr
    in dB of what is read against what was written, and how many windows a second one core reads:
    whole windows of 25 frames, and what a training step needs of one, its 3 frames and the still.
    """
    stored = clips(corpus)[:count]
    pictures = [read_frames(clip.video) for clip in stored]
    sounds = [read_sound(clip.audio) for clip in stored]
    ways: dict[str, tuple[str, Callable, Callable]] = {
        f"H.264, key frame every {keyframes}": (
            ".mp4",
            functools.partial(_write_h264, keyframes=keyframes),
            read_frames,
        )
        for keyframes in (250, 25, KEYFRAMES, 5, 1)
    }
    ways["Motion JPEG"] = (".mp4", _write_jpeg, read_frames)
    ways["raw, memory-mapped"] = (".npy", lambda path, frames, _: np.save(path, frames), _read_raw)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for way, (ending, write, read) in ways.items():
            paths = [Path(folder) / f"{number}{ending}" for number in range(len(stored))]
            for path, frames, sound in zip(paths, pictures, sounds, strict=True):
                write(path, frames, sound)
            error = np.mean(
                [
                    np.square(read(path, range(len(frames))).astype(np.float32) - frames).mean()
                    for path, frames in zip(paths, pictures, strict=True)
                ]
            )
            rows.append(
                {
                    "way": way,
                    "kilobytes": round(np.mean([path.stat().st_size for path in paths]) / 1000, 1),
                    "psnr": round(float(10 * np.log10(255**2 / max(error, 1e-9))), 1),
                    "windows": _speed(read, paths, pictures, repeats, _whole),
                    "training_windows": _speed(read, paths, pictures, repeats, _for_training),
                }
            )
    return rows


def _write_h264(path: Path, frames: np.ndarray, sound: np.ndarray, keyframes: int) -> None:
    write_video(path, frames, FPS, sound, RATE, CRF, keyframes=keyframes)


def _write_jpeg(path: Path, frames: np.ndarray, sound: np.ndarray) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=FPS, options={"qmin": "3", "qmax": "3"})
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuvj420p"
        for number, frame in enumerate(frames):
            picture = av.VideoFrame.from_ndarray(frame, format="rgb24").reformat(format="yuvj420p")
            picture.pts, picture.time_base = number, Fraction(1, FPS)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))


def _read_raw(path: Path, numbers) -> np.ndarray:
    return np.load(path, mmap_mode="r")[list(numbers)]


def _whole(rng: np.random.Generator, start: int) -> list[int]:
    return list(range(start, start + WINDOW))


def _for_training(rng: np.random.Generator, start: int) -> list[int]:
    return [0, *(start + np.sort(rng.choice(WINDOW, DECODED, replace=False))).tolist()]


def _speed(
    read: Callable, paths: list[Path], pictures: list[np.ndarray], repeats: int, wish: Callable
) -> float:
    """Windows a second of processor time, over all clips so many times."""
    rng = np.random.default_rng(0)
    began = time.process_time()
    for _ in range(repeats):
        for path, frames in zip(paths, pictures, strict=True):
            start = int(rng.integers(max(1, len(frames) - WINDOW + 1)))
            read(path, [number for number in wish(rng, start) if number < len(frames)])
    return round(repeats * len(paths) / (time.process_time() - began), 1)


def bench_render(performers: int = 2) -> list[dict]:
    """Render and store one clip by each of so many performers, in this process.

    Returns for each performer: name, seconds to make it up (once for all of its clips), frames,
    frames_per_second by the clock and by the processor (`..._core`), and what of the processor's
    milliseconds for a frame goes where: posing the mesh, building the ray tracer's tree, tracing
    the camera's rays, light (its rays too), shading, and writing video and sound; the rest is
    speech, acting and small change. One more performer's clip comes first and is not counted: it
    loads what a process needs once.
    """
    from talker.corpora import rendered
    from talker.studio.camera import Camera
    from talker.studio.subject import Subject
    from talker.studio.trace import Scene

    def build(scene: Scene, *arguments) -> None:
        made(scene, *arguments)
        scene.blocked(np.zeros((1, 3)), np.ones((1, 3)))  # Embree builds when the first ray comes

    made = Scene.__init__
    stages = {
        "pose": (Camera, "posed", Camera.posed),
        "build": (Scene, "__init__", build),
        "trace": (Scene, "first_hit", Scene.first_hit),
        "light": (Subject, "light", Subject.light),
        "shade": (Camera, "_shade", Camera._shade),
        "write": (rendered, "write_clip", rendered.write_clip),
    }
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        rendered.render_to_disk((Path(folder), 0, performers, {0: "grid"}))
    for number in range(performers):
        began = time.process_time()
        rendered._on_set(number, 0)
        ready = time.process_time()
        with tempfile.TemporaryDirectory() as folder, _clocked(stages) as seconds:
            clock, processor = time.perf_counter(), time.process_time()
            rendered.render_to_disk((Path(folder), 0, number, {0: "grid"}))
            clock, processor = time.perf_counter() - clock, time.process_time() - processor
        each = {name: 1000 * seconds[name] / rendered.FRAMES for name in stages}
        each["rest"] = 1000 * processor / rendered.FRAMES - sum(each.values())
        rows.append(
            {
                "performer": f"p{number:03d}",
                "make_up_seconds": round(ready - began, 2),
                "frames": rendered.FRAMES,
                "frames_per_second": round(rendered.FRAMES / clock, 1),
                "frames_per_second_core": round(rendered.FRAMES / processor, 1),
                **{f"{name}_ms": round(value, 2) for name, value in each.items()},
            }
        )
    return rows


@contextmanager
def _clocked(stages: dict[str, tuple[object, str, Callable]]) -> Iterator[Counter]:
    """Seconds of processor time spent in some functions, each without the others that it calls.

    stages: name -> (the class or module, the function's name there, what is called for it).
    """
    seconds, inner = Counter(), [0.0]

    def clocked(name: str, function: Callable) -> Callable:
        @functools.wraps(function)
        def call(*arguments, **options):
            inner.append(0.0)
            began = time.process_time()
            try:
                return function(*arguments, **options)
            finally:
                taken = time.process_time() - began
                seconds[name] += taken - inner.pop()
                inner[-1] += taken

        return call

    before = {name: getattr(owner, at) for name, (owner, at, _) in stages.items()}
    for name, (owner, at, function) in stages.items():
        setattr(owner, at, clocked(name, function))
    try:
        yield seconds
    finally:
        for name, (owner, at, _) in stages.items():
            setattr(owner, at, before[name])


def bench(what: str, paths: list[Path], out: Path | None = None) -> list[dict]:
    """Measure "prepare" or "evaluate" on video files, "store" or "train" on a corpus, or "render".

    Prints rows, and writes them to `out` as JSON where that is given. Raises TalkerError as these
    do.
    """
    if what in ("store", "train") and len(paths) != 1:
        raise TalkerError(f"`talker bench {what}` takes one folder with a corpus.")
    if what == "render" and paths:
        raise TalkerError("`talker bench render` takes no files: it makes its own.")
    if what == "prepare":
        rows = bench_prepare(paths)
    elif what == "store":
        rows = bench_store(paths[0])
    elif what == "render":
        rows = bench_render()
    elif what == "evaluate":
        from talker.bench_evaluate import bench_evaluate

        rows = bench_evaluate(paths)
    else:
        from talker.bench_train import bench_train

        rows = bench_train(paths[0])
    print("  ".join(rows[0]))
    for row in rows:
        print("  ".join(str(value) for value in row.values()))
    if out is not None:
        with replacing(out) as temporary:
            temporary.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return rows
