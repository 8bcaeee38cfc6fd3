"""From speech to a face's movements: mouth, lids, brows, gaze and head at each video frame.

The mouth blends overlapping targets by dominance functions (Cohen and Massaro, "Modeling
coarticulation in synthetic visual speech", 1993), so that rounding begins before its sound.
Frame i is sampled at (i + 0.5) / fps seconds, where its audio frame is centred (Eq. 1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from talker.errors import TalkerError
from talker.studio import idle
from talker.studio.speech import Phoneme, Speech
from talker.studio.visemes import (
    BILABIAL_STOPS,
    BILABIALS,
    MOUTH,
    VOWELS,
    target_table,
    visemes_of,
)

# ARKit's 52 facial actions in `anny`'s order, and the tongue's tip raised to the teeth.
ACTIONS: tuple[str, ...] = (
    *("browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight"),
    *("cheekPuff", "cheekSquintLeft", "cheekSquintRight", "eyeBlinkLeft", "eyeBlinkRight"),
    *("eyeLookDownLeft", "eyeLookDownRight", "eyeLookInLeft", "eyeLookInRight"),
    *("eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight"),
    *("eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight", "jawForward"),
    *("jawLeft", "jawOpen", "jawRight", "mouthClose", "mouthDimpleLeft", "mouthDimpleRight"),
    *("mouthFrownLeft", "mouthFrownRight", "mouthFunnel", "mouthLeft", "mouthLowerDownLeft"),
    *("mouthLowerDownRight", "mouthPressLeft", "mouthPressRight", "mouthPucker", "mouthRight"),
    *("mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper"),
    *("mouthSmileLeft", "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight"),
    *("mouthUpperUpLeft", "mouthUpperUpRight", "noseSneerLeft", "noseSneerRight", "tongueOut"),
    "tongueUp",
)
_COLUMN = {name: i for i, name in enumerate(ACTIONS)}
_ROW = {name: i for i, name in enumerate(MOUTH)}
_PAIRED = tuple(name for name in MOUTH if name not in _COLUMN)


# On this mesh a full pucker makes the lips overlap by what this much jawOpen parts them.
PUCKER_OVERLAP = 0.07


@dataclass(frozen=True)
class Style:
    """How a performer moves.

    articulation: gain of the mouth's movements, 0.8-1.2; rounding: gain of pucker and funnel;
    asymmetry: left side's gain minus the right's, in [-0.2, 0.2]; smile: at rest, 0-0.1;
    blink_rate: blinks a second; brows: chance of a raise on a stressed word; nod: degrees of nod
    on it; sway: deviation of the head's angles in degrees; gaze: saccades a second.
    """

    articulation: float = 1.0
    rounding: float = 1.0
    asymmetry: float = 0.0
    smile: float = 0.0
    blink_rate: float = 0.4
    brows: float = 0.25
    nod: float = 0.3
    sway: float = 0.5
    gaze: float = 0.8

    def __post_init__(self) -> None:
        if not 0 <= self.blink_rate <= idle.FASTEST_BLINKING:
            raise TalkerError(
                f"a blink rate of {self.blink_rate} per second is not possible; "
                f"choose 0 to {idle.FASTEST_BLINKING}."
            )


def style_for(rng: np.random.Generator, blink_rate: float = 0.4) -> Style:
    """A performer's way of moving; everything but the blink rate is drawn."""
    return Style(
        articulation=float(rng.uniform(0.8, 1.2)),
        rounding=float(rng.uniform(0.9, 1.1)),
        asymmetry=float(np.clip(rng.normal(0, 0.06), -0.15, 0.15)),
        smile=float(rng.uniform(0, 0.08)),
        blink_rate=blink_rate,
        brows=float(rng.uniform(0.1, 0.4)),
        nod=float(rng.uniform(0.1, 0.5)),
        sway=float(rng.uniform(0.4, 0.6)),
        gaze=float(rng.uniform(0.4, 1.1)),
    )


@dataclass(frozen=True)
class Performance:
    """A clip's movements, one row a frame, and the truth about them.

    actions: float32 (T, 53), columns named by ``ACTIONS``; head: float32 (T, 6), degrees of pitch
    (up), yaw and roll, then cm of x, y, z; gaze: float32 (T, 2), degrees of yaw and pitch (up);
    closure: float32 (T,), 1 where the lips are pressed together for /p b m/; blinks: half-open
    frame intervals in which the lids move; phonemes: in seconds of the clip.
    """

    actions: np.ndarray
    head: np.ndarray
    gaze: np.ndarray
    closure: np.ndarray
    blinks: list[tuple[int, int]]
    phonemes: tuple[Phoneme, ...]
    fps: float

    def action(self, name: str) -> np.ndarray:
        """One action over time, float32 (T,)."""
        return self.actions[:, _COLUMN[name]]


def frame_times(frames: int, fps: float) -> np.ndarray:
    """Seconds at the middle of each frame, where Eq. 1 centres its audio frame; (T,)."""
    return (np.arange(frames) + 0.5) / fps


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


def _smooth_step(x: np.ndarray) -> np.ndarray:
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
        row = _ROW[name]
        reach[:, :, row] = np.where(targets[:, row] > 0.5, rounded, near)
    weight = reach * dominances
    shape = (weight * targets).sum(1) / (weight.sum(1) + _REST)
    opening = _smooth_step((times - phonemes[0].start + _EARLY) / (0.7 * _EARLY))
    closing = _smooth_step((phonemes[-1].end + _LATE - times) / (0.8 * _LATE))
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
        closure = np.maximum(closure, _smooth_step(1 - outside / ramp))
    return closure


def loudness(speech: Speech, times: np.ndarray) -> np.ndarray:
    """RMS of the 100 ms around each time, relative to the loudest, (T,) in [0, 1]."""
    power = np.concatenate([[0.0], np.cumsum(speech.signal.astype(np.float64) ** 2)])
    edges = [np.clip(times + d, 0, speech.duration) for d in (-0.05, 0.05)]
    low, high = (np.round(e * speech.rate).astype(int) for e in edges)
    rms = np.sqrt((power[high] - power[low]) / np.maximum(high - low, 1))
    return rms / max(rms.max(), 1e-6)


def _shape_mouth(speech: Speech, style: Style, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mouth (T, M) with the performer's style and its lips shut where they must be, and the
    closure (T,)."""
    shape = blend(speech.phonemes, times) * style.articulation
    rounding = [_ROW["mouthPucker"], _ROW["mouthFunnel"]]
    shape[:, rounding] *= style.rounding
    jaw = shape[:, _ROW["jawOpen"]]
    jaw *= 0.8 + 0.25 * loudness(speech, times)
    closure = closures(speech.phonemes, times)
    jaw *= 1 - 0.5 * closure
    # Whatever parts the lips is undone as they shut; mouthClose undoes as much jawOpen as it has,
    # less what puckered lips overlap.
    overlap = PUCKER_OVERLAP * shape[:, _ROW["mouthPucker"]]
    np.maximum(jaw, closure * overlap, out=jaw)
    for name in ("mouthFunnel", "mouthUpperUp", "mouthLowerDown", "tongueOut", "mouthClose"):
        shape[:, _ROW[name]] *= 1 - closure
    shape[:, _ROW["mouthClose"]] += closure * np.maximum(jaw - overlap, 0)
    for name, least in (("mouthRollLower", 0.2), ("mouthRollUpper", 0.2), ("mouthPress", 0.15)):
        shape[:, _ROW[name]] = np.maximum(shape[:, _ROW[name]], closure * least)
    return shape, closure


def _accents(
    speech: Speech, style: Style, times: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Brow raise and nod (T,) each, bumps on some of the stressed vowels."""
    brows, nods = np.zeros(len(times)), np.zeros(len(times))
    for phoneme in speech.phonemes:
        if phoneme.stress < 2 or phoneme.symbol not in VOWELS:
            continue
        middle = 0.5 * (phoneme.start + phoneme.end)
        raised, height = rng.random() < style.brows, rng.uniform(0.15, 0.45)
        if raised:
            brows = np.maximum(brows, height * np.exp(-0.5 * ((times - middle) / 0.14) ** 2))
        nods -= style.nod * rng.uniform(0, 1) * np.exp(-0.5 * ((times - middle) / 0.12) ** 2)
    return brows, nods


def act(
    speech: Speech,
    rng: np.random.Generator,
    style: Style,
    frames: int | None = None,
    fps: float = 25,
) -> Performance:
    """What the face does while it says ``speech``; T is ``frames``, or the speech's own length.

    The first frame is a still to draw from: eyes open, and the mouth shut if the speech begins
    after 0.25 s. The same speech, generator state and style give the same performance.

    Raises:
        TalkerError: for a phoneme without a mouth shape.
    """
    count = max(1, round(speech.duration * fps)) if frames is None else frames
    times = frame_times(count, fps)
    mouth, closure = _shape_mouth(speech, style, times)
    lids, blinks = idle.blink(times, fps, style.blink_rate, rng)
    gaze = idle.look_around(times, fps, style.gaze, rng)
    head = idle.sway(count, fps, style.sway, rng)
    brows, nods = _accents(speech, style, times, rng)
    head[:, 0] += nods

    actions = np.zeros((count, len(ACTIONS)))

    def put(name: str, left: np.ndarray, right: np.ndarray) -> None:
        actions[:, _COLUMN[name + "Left"]] = left
        actions[:, _COLUMN[name + "Right"]] = right

    mouth[:, _ROW["mouthSmile"]] += style.smile
    for name, row in _ROW.items():
        if name in _PAIRED:
            half = 0.5 * style.asymmetry
            put(name, mouth[:, row] * (1 + half), mouth[:, row] * (1 - half))
        else:
            actions[:, _COLUMN[name]] = mouth[:, row]
    # Upper lids follow the eyes: 4 degrees down lower them by a tenth.
    down, up = np.maximum(-gaze[:, 1], 0), np.maximum(gaze[:, 1], 0)
    lowered = np.minimum(lids + (1 - lids) * 0.025 * down, 1.0)
    put("eyeBlink", lowered, lowered)
    put("eyeWide", (1 - lids) * 0.03 * up, (1 - lids) * 0.03 * up)
    put("eyeSquint", 0.15 * lids, 0.15 * lids)
    actions[:, _COLUMN["browInnerUp"]] = brows
    put("browOuterUp", 0.8 * brows, 0.8 * brows)

    def single(a: np.ndarray) -> np.ndarray:
        return a.astype(np.float32)

    return Performance(
        single(actions), single(head), single(gaze), single(closure), blinks, speech.phonemes, fps
    )
