"""Every metric by name: a new one is a function in a file of its own and one line in METRICS.

A metric's function takes a `Pair` and returns a float, NaN where there is nothing to measure: no
motion or blink in a single frame, no identity, eyes or lips without a face, no word error rate
without a transcript, no synchrony without sound. It finds in the pair

    pair.generated, pair.real       `Footage`, equally long
        .frames                     uint8 (T, 128, 96, 3) RGB, aligned crops at .fps = 25
        .audio                      float32 (640 T,) mono, 16 kHz, or None
        .landmarks                  (T, 68, 2) pixels of the crop, NaN in frames without a face
        .ear, .still, .embeddings   see there
        .once(function, *more)      function(footage, *more), shared by metrics that need the same
    pair.transcript                 "bin blue at f two now", or None
    pair.weights                    files for evaluator networks, None for those of the package

and measures `pair.generated` alone, unless it `compares`. For the row of real videos
`measure_real` puts the real video in the generated one's place. A network is loaded once a process
by a cached function of its own module, as `talker.evaluators.face_embedding.find_embedding`, and
not at import; two columns of one network's answer share it:

    # talker/metrics/synchrony.py
    def av_offset(pair: Pair) -> float:
        return pair.generated.once(_offset_and_confidence, pair.weights.synchrony)[0]

    # here
    "av_offset": Metric("AV Off.", "frames", "real", synchrony.av_offset),

Tables, intervals, the command line and the figure of corruptions take every line from here.
`HEARING` names those that listen: whatever the sound, all others say the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from talker.errors import TalkerError
from talker.metrics import (
    blinks,
    identity,
    lipreading,
    motion,
    reconstruction,
    sharpness,
    synchrony,
)
from talker.metrics.landmarks import correlation, inner_lip_distance, mouth_width
from talker.metrics.pair import Pair


@dataclass(frozen=True)
class Metric:
    """column: its name in tables, the paper's where it has one; unit: of the value.

    best: "higher", "lower", or "real" where the nearest to real videos is best. compares: whether
    it compares frames with the real ones, so that it says nothing about the real video itself.
    statistic: over clips.
    """

    column: str
    unit: str
    best: str
    function: Callable[[Pair], float]
    compares: bool = False
    statistic: Callable = np.mean

    @property
    def about(self) -> dict[str, str]:
        """What a results file says of its values."""
        return {"column": self.column, "unit": self.unit, "best": self.best}


def _psnr(pair: Pair) -> float:
    return reconstruction.psnr(pair.generated.frames, pair.real.frames)


def _psnr_lower(pair: Pair) -> float:
    lower = reconstruction.lower_half
    return reconstruction.psnr(lower(pair.generated.frames), lower(pair.real.frames))


def _ssim(pair: Pair) -> float:
    return reconstruction.ssim(pair.generated.frames, pair.real.frames)


def _ssim_lower(pair: Pair) -> float:
    lower = reconstruction.lower_half
    return reconstruction.ssim(lower(pair.generated.frames), lower(pair.real.frames))


def _acd(pair: Pair) -> float:
    return identity.average_content_distance(pair.real.still, pair.generated.embeddings)


def _opening(pair: Pair) -> float:
    return correlation(*(inner_lip_distance(f.landmarks) for f in (pair.generated, pair.real)))


def _width(pair: Pair) -> float:
    return correlation(*(mouth_width(f.landmarks) for f in (pair.generated, pair.real)))


def _blink_rate(pair: Pair) -> float:
    return blinks.blinks_per_second(pair.generated.ear, pair.generated.fps)


def _blink_duration(pair: Pair) -> float:
    return blinks.blink_duration(pair.generated.ear, pair.generated.fps)


METRICS: dict[str, Metric] = {
    "psnr": Metric("PSNR", "dB", "higher", _psnr, compares=True),
    "psnr_lower": Metric("PSNR lower", "dB", "higher", _psnr_lower, compares=True),
    "ssim": Metric("SSIM", "", "higher", _ssim, compares=True),
    "ssim_lower": Metric("SSIM lower", "", "higher", _ssim_lower, compares=True),
    "cpbd": Metric("CPBD", "", "real", lambda pair: sharpness.cpbd(pair.generated.frames)),
    "laplacian": Metric(
        "Laplacian",
        "squared grey levels",
        "real",
        lambda pair: sharpness.laplacian_variance(pair.generated.frames),
    ),
    "acd": Metric("ACD", "embedding distance", "lower", _acd),
    "av_offset": Metric("AV Off.", "frames", "real", synchrony.av_offset, statistic=np.median),
    "av_confidence": Metric("AV Conf.", "", "higher", synchrony.av_confidence),
    "opening": Metric("r opening", "Pearson r", "higher", _opening, compares=True),
    "width": Metric("r width", "Pearson r", "higher", _width, compares=True),
    "wer": Metric("WER", "share of words", "lower", lipreading.wer),
    "blinks": Metric("blinks/sec", "1/s", "real", _blink_rate),
    "blink_duration": Metric("blink dur. (sec)", "s", "real", _blink_duration, statistic=np.median),
    "motion": Metric(
        "motion", "pixels a frame", "real", lambda pair: motion.motion(pair.generated.frames)
    ),
    "horizontal_motion": Metric(
        "rightward",
        "pixels a frame",
        "real",
        lambda pair: motion.horizontal_motion(pair.generated.frames),
    ),
}


HEARING = ("av_offset", "av_confidence")


def chosen(names: tuple[str, ...]) -> dict[str, Metric]:
    """The metrics of these names, all where none is named, in the registry's order.

    Raises TalkerError for a name that is none.
    """
    for name in names:
        if name not in METRICS:
            raise TalkerError(f"there is no metric {name!r}: choose from {', '.join(METRICS)}.")
    return {name: metric for name, metric in METRICS.items() if not names or name in names}


def measure(pair: Pair, metrics: dict[str, Metric]) -> dict[str, float]:
    """The values of these metrics for one pair."""
    return {name: metric.function(pair) for name, metric in metrics.items()}


def measure_real(pair: Pair, metrics: dict[str, Metric]) -> dict[str, float]:
    """What they say of the real video in the place of the generated one, those that compare aside.

    The row "ground truth" of the paper's tables.
    """
    own = {name: metric for name, metric in metrics.items() if not metric.compares}
    return measure(replace(pair, generated=pair.real), own)
