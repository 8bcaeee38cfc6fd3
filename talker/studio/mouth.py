"""What the mouth does while somebody speaks: overlapping visemes, closed lips, an expression.

Targets are blended by dominance functions (Cohen and Massaro, "Modeling coarticulation in
synthetic visual speech", 1993), so that rounding begins before its sound.
"""

from __future__ import annotations

import numpy as np

from talker.studio.speech import Phoneme, Speech
from talker.studio.visemes import BILABIAL_STOPS, BILABIALS, MOUTH, target_table, visemes_of

ROW = {name: i for i, name in enumerate(MOUTH)}
# On this mesh a full pucker makes the lips overlap by what this much jawOpen parts them.
PUCKER_OVERLAP = 0.07

# Dominance falls as a Gaussian whose deviation is this share of the sound plus this constant.
_SHARE, _SPREAD = 0.3, 0.018
# Rounding starts early: its dominance reaches this much further back than forward.
_ANTICIPATION = 2.2
# The resting mouth pulls everywhere with this dominance, and all the more beyond these seconds
# before the first sound and after the last.
_REST, _EARLY, _LATE = 0.08, 0.22, 0.3


def _segments(phonemes: tuple[Phoneme, ...]) -> tuple[np.ndarray, ...]:
    """Each viseme in turn: centres (K,), widths (K,), targets (K, M), dominances (K, M)."""
    table = target_table()
    centres, widths, targets, dominances = [], [], [], []
    for phoneme in phonemes:
        names = visemes_of(phoneme.symbol)
        each = (phoneme.end - phoneme.start) / len(names)
        for i, name in enumerate(names):
            centres.append(phoneme.start + (i + 0.5) * each)
            widths.append(each)
            targets.append(table[name][0])
            dominances.append(table[name][1])
    return np.array(centres), np.array(widths), np.stack(targets), np.stack(dominances)


def smooth_step(x: np.ndarray) -> np.ndarray:
    """0 below 0, 1 above 1, and a cubic without corners between."""
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


def blend(phonemes: tuple[Phoneme, ...], times: np.ndarray) -> np.ndarray:
    """The mouth's shape (T, M) at ``times``, in the order of ``MOUTH``: sum(D T) / sum(D)."""
    centres, widths, targets, dominances = _segments(phonemes)
    distance = times[:, None] - centres  # (T, K)
    deviation = _SHARE * widths + _SPREAD
    near = np.exp(-0.5 * (distance / deviation) ** 2)
    early = np.where(distance < 0, deviation * _ANTICIPATION, deviation)
    rounded = np.exp(-0.5 * (distance / early) ** 2)
    reach = np.repeat(near[:, :, None], len(MOUTH), axis=2)  # (T, K, M)
    # Only sounds that are themselves rounded reach further back.
    for name in ("mouthPucker", "mouthFunnel"):
        row = ROW[name]
        reach[:, :, row] = np.where(targets[:, row] > 0.5, rounded, near)
    weight = reach * dominances
    shape = (weight * targets).sum(1) / (weight.sum(1) + _REST)
    opening = smooth_step((times - phonemes[0].start + _EARLY) / (0.7 * _EARLY))
    closing = smooth_step((phonemes[-1].end + _LATE - times) / (0.8 * _LATE))
    return shape * (1 + _REST) * (opening * closing)[:, None]


def closure_interval(phoneme: Phoneme) -> tuple[float, float]:
    """When the lips of a bilabial are shut, in seconds.

    espeak-ng starts a stop at its burst, so /p/ and /b/ are shut in the 50 ms before; /m/ is shut
    for as long as it sounds.
    """
    if phoneme.symbol in BILABIAL_STOPS:
        return phoneme.start - 0.05, phoneme.start + 0.005
    return phoneme.start + 0.005, phoneme.end - 0.005


def closures(phonemes: tuple[Phoneme, ...], times: np.ndarray, ramp: float = 0.06) -> np.ndarray:
    """Lip closure (T,) in [0, 1] for /p b m/: 1 at no fewer than one frame of each.

    A closure that falls between two frames is widened to the nearer one.
    """
    closure = np.zeros(len(times))
    for phoneme in phonemes:
        if phoneme.symbol not in BILABIALS:
            continue
        start, end = closure_interval(phoneme)
        nearest = times[np.abs(times - 0.5 * (start + end)).argmin()]
        start, end = min(start, nearest), max(end, nearest)
        outside = np.maximum(np.maximum(start - times, times - end), 0)
        closure = np.maximum(closure, smooth_step(1 - outside / ramp))
    return closure


def loudness(speech: Speech, times: np.ndarray) -> np.ndarray:
    """RMS of the 100 ms around each time, relative to the loudest, (T,) in [0, 1]."""
    power = np.concatenate([[0.0], np.cumsum(speech.signal.astype(np.float64) ** 2)])
    edges = [np.clip(times + d, 0, speech.duration) for d in (-0.05, 0.05)]
    low, high = (np.round(e * speech.rate).astype(int) for e in edges)
    rms = np.sqrt((power[high] - power[low]) / np.maximum(high - low, 1))
    return rms / max(rms.max(), 1e-6)


def shape_mouth(
    speech: Speech,
    times: np.ndarray,
    articulation: float,
    rounding: float,
    added: dict[str, np.ndarray],
) -> tuple[np.ndarray, np.ndarray]:
    """The mouth (T, M) with its lips shut where they must be, and the closure (T,).

    articulation: gain of all movements; rounding: gain of pucker and funnel; added: what an
    expression adds, (T,) of an entry of ``MOUTH``.
    """
    shape = blend(speech.phonemes, times) * articulation
    shape[:, [ROW["mouthPucker"], ROW["mouthFunnel"]]] *= rounding
    jaw = shape[:, ROW["jawOpen"]]
    jaw *= 0.8 + 0.25 * loudness(speech, times)
    _add(shape, added)
    closure = closures(speech.phonemes, times)
    jaw *= 1 - 0.5 * closure
    # Whatever parts the lips is undone as they shut; mouthClose undoes as much jawOpen as it has,
    # less what puckered lips overlap.
    overlap = PUCKER_OVERLAP * shape[:, ROW["mouthPucker"]]
    np.maximum(jaw, closure * overlap, out=jaw)
    for name in ("mouthFunnel", "mouthUpperUp", "mouthLowerDown", "tongueOut", "mouthClose"):
        shape[:, ROW[name]] *= 1 - closure
    shape[:, ROW["mouthClose"]] += closure * np.maximum(jaw - overlap, 0)
    for name, least in (("mouthRollLower", 0.2), ("mouthRollUpper", 0.2), ("mouthPress", 0.15)):
        shape[:, ROW[name]] = np.maximum(shape[:, ROW[name]], closure * least)
    return shape, closure


# What of an expression gives way to the sounds: spread lips to rounded ones, pressed ones to open.
_SPREADING = ("mouthSmile", "mouthStretch")
_SHUTTING = ("mouthPress", "mouthRollLower", "mouthRollUpper")


def openness(shape: np.ndarray) -> np.ndarray:
    """How much a mouth (T, M) is opened by its sounds, (T,) in [0, 1]."""
    return smooth_step(shape[:, ROW["jawOpen"]] / 0.2)


def _add(shape: np.ndarray, added: dict[str, np.ndarray]) -> None:
    rounded = shape[:, ROW["mouthPucker"]].clip(0, 1)
    opened = openness(shape)
    for name, weight in added.items():
        if name in _SPREADING:
            weight = weight * (1 - 0.6 * rounded)
        elif name in _SHUTTING:
            weight = weight * (1 - 0.85 * opened)
        column = shape[:, ROW[name]]
        column += weight * (1 - column.clip(0, 1))  # what is there already is not added twice
