"""How fast the metrics are on this machine: `talker bench evaluate`."""

from __future__ import annotations

import multiprocessing
import resource
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from talker.errors import TalkerError

COUNTS = (1, 4, 16)  # clips: if memory grew with them, it would show


def bench_evaluate(paths: list[Path]) -> list[dict]:
    """Evaluate 1, 4 and 16 of these videos, each against itself, each count in its own process.

    paths: files, or folders with files at any depth. Returns for each count that they allow, and
    for all of them where they are fewer than 16: clips, frames of them, clips_per_minute of 75
    frames on one core (a process uses one; two cores do twice as many), and of the process
    peak_megabytes and, before the first clip, networks_megabytes. Loading the networks is not
    counted as time. Raises TalkerError when there is no video, one cannot be evaluated, or a
    process dies.
    """
    from talker.evaluate import in_worker

    files = _videos(paths)
    if not files:
        raise TalkerError("there is no file to evaluate: name some videos with a face.")
    counts = [count for count in COUNTS if count < len(files)]
    context = multiprocessing.get_context("spawn")  # memory of one count must not show in the next
    rows = []
    for count in [*counts, min(len(files), COUNTS[-1])]:
        with ProcessPoolExecutor(1, mp_context=context, initializer=in_worker) as pool:
            try:
                rows.append(pool.submit(_evaluate_some, files[:count]).result())
            except BrokenProcessPool as error:  # a Pool would wait for ever
                raise TalkerError(
                    f"the process that evaluated {count} clips died: free some memory, and run "
                    "the same command again."
                ) from error
    return rows


def _videos(paths: list[Path]) -> list[Path]:
    from talker.metrics.files import videos

    files = []
    for path in paths:
        files += videos(path) if path.is_dir() else [path]
    return files


def _evaluate_some(files: list[Path]) -> dict:
    from talker.evaluate import measure_files
    from talker.evaluators.face_embedding import find_embedding
    from talker.evaluators.lip_reader import find_lip_reader
    from talker.evaluators.synchrony import find_synchrony
    from talker.faces import find_detector

    # Once a process, not once a clip.
    find_detector(), find_embedding(), find_synchrony(), find_lip_reader()
    networks = _peak()
    frames, began = 0, time.process_time()
    for file in files:
        found = measure_files((file.stem, file, file))
        if found.generated is None:
            raise TalkerError(found.notes[0])
        frames += found.frames
    seconds = time.process_time() - began
    return {
        "clips": len(files),
        "frames": frames,
        "clips_per_minute": round(60 * frames / 75 / seconds, 1),
        "networks_megabytes": networks,
        "peak_megabytes": _peak(),
    }


def _peak() -> int:
    """The most memory that this process ever held, in MB."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
