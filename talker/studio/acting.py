"""From speech to a face's movements: mouth, lids, brows, gaze and head at each video frame.

Frame i is sampled at (i + 0.5) / fps seconds, where its audio frame is centred (Eq. 1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from talker.errors import TalkerError
from talker.studio import idle, prosody
from talker.studio.emotion import Expression
from talker.studio.mouth import ROW, openness, shape_mouth, smooth_step
from talker.studio.speech import Phoneme, Speech
from talker.studio.visemes import VOWELS

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
# Lids move together; of everything else the left side may do more than the right, or less.
_SYMMETRIC = ("eyeBlink", "eyeWide", "eyeSquint")
# Beyond this, less with an open jaw, the lower teeth of some come through the skin below the lip.
_BROADEST_SMILE = 0.5


@dataclass(frozen=True)
class Style:
    """How a performer moves.

    articulation: gain of the mouth's movements, 0.8-1.2; rounding: gain of pucker and funnel;
    asymmetry: left side's gain minus the right's, in [-0.2, 0.2]; smile: at rest, 0-0.1;
    blink_rate: blinks a second; blink_length: their median seconds; brows: chance of a raise on a
    stressed word; nod: degrees of nod on it; sway: deviation of the head's angles in degrees;
    coupling: correlation of the head's pitch with the voice's, nods aside; gaze: looks away for
    each second of looking at the camera.
    """

    articulation: float = 1.0
    rounding: float = 1.0
    asymmetry: float = 0.0
    smile: float = 0.0
    blink_rate: float = 0.39
    blink_length: float = 0.4
    brows: float = 0.25
    nod: float = 0.3
    sway: float = 0.5
    coupling: float = 0.3
    gaze: float = 0.32

    def __post_init__(self) -> None:
        if not 0 <= self.blink_rate <= idle.FASTEST_BLINKING:
            raise TalkerError(
                f"a blink rate of {self.blink_rate} per second is not possible; "
                f"choose 0 to {idle.FASTEST_BLINKING}."
            )


def style_for(
    rng: np.random.Generator, blink_rate: float = 0.39, blink_length: float = 0.4
) -> Style:
    """A performer's way of moving.

    The blink rate is a mean over performers, each of whom has a rate between half and one and
    a half of it, a range of ours. People differ widely: Bentivoglio et al., "Analysis of blink rate
    patterns in normal subjects" (1997), saw log-normal distributions over people, with means of 26
    a minute in conversation and 4.5 in reading. All other ranges are ours, too; `idle.sway` says
    how the head's compares with GRID's speakers. The same generator state gives the same performer
    at other rates and lengths.
    """
    return Style(
        articulation=float(rng.uniform(0.8, 1.2)),
        rounding=float(rng.uniform(0.9, 1.1)),
        asymmetry=float(np.clip(rng.normal(0, 0.06), -0.15, 0.15)),
        smile=float(rng.uniform(0, 0.08)),
        blink_rate=float(min(blink_rate * rng.uniform(0.5, 1.5), idle.FASTEST_BLINKING)),
        blink_length=blink_length,
        brows=float(rng.uniform(0.1, 0.4)),
        nod=float(rng.uniform(0.1, 0.5)),
        sway=float(rng.uniform(0.4, 0.6)),
        coupling=float(rng.uniform(0.2, 0.4)),
        gaze=float(rng.uniform(0.2, 0.45)),
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


# A brow begins to rise this long before the vowel that it marks, and takes so many seconds up and
# down. Raises tend to go with pitch accents and to come first (Gast, "The temporal alignment of
# speech-accompanying eyebrow movement and voice pitch", 2023, on earlier work); the times are ours.
_BROW_LEAD, _BROW_UP, _BROW_DOWN = 0.06, 0.16, 0.35


def _accents(
    speech: Speech, style: Style, times: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Brow raise and nod (T,) each, bumps on some of the stressed vowels.

    Of the quick raises that Cave et al., "About the relationship between eyebrow movements and F0
    variations" (1996), saw in ten speakers, 71 % went with a rise of F0: the link is not automatic.
    How often a stressed vowel gets a raise is a choice of ours (`Style.brows`).
    """
    brows, nods = np.zeros(len(times)), np.zeros(len(times))
    for phoneme in speech.phonemes:
        if phoneme.stress < 2 or phoneme.symbol not in VOWELS:
            continue
        middle = 0.5 * (phoneme.start + phoneme.end)
        raised, height = rng.random() < style.brows, rng.uniform(0.15, 0.45)
        if raised:
            since = times - (phoneme.start - _BROW_LEAD)
            left = _BROW_UP + _BROW_DOWN - since
            bump = smooth_step(since / _BROW_UP) * smooth_step(left / _BROW_DOWN)
            brows = np.maximum(brows, height * bump)
        nods -= style.nod * rng.uniform(0, 1) * np.exp(-0.5 * ((times - middle) / 0.12) ** 2)
    return brows, nods


def _head(
    speech: Speech, style: Style, times: np.ndarray, fps: float, rng: np.random.Generator
) -> np.ndarray:
    """The head (T, 6): sway, of which a part follows the height of the voice, up with up.

    Munhall et al., "Visual prosody and speech intelligibility" (2004), found the head motion of a
    talker strongly correlated with the height and loudness of the voice. One talker's way is not
    another's, so that the part that all performers share is weak here, a choice of ours.
    """
    from scipy.ndimage import gaussian_filter1d

    head = idle.sway(len(times), fps, style.sway, rng)
    voice = gaussian_filter1d(prosody.contour(speech, times), 0.08 * fps)  # a head has mass
    own, with_voice = np.sqrt(1 - style.coupling**2), style.coupling * 0.8 * style.sway
    head[:, 0] = own * head[:, 0] + with_voice * voice
    return head


def _course(speech: Speech, times: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """How much of an expression shows at each time, (T,) in [0, 1.1]: onset, apex, offset.

    It begins within the first 0.1 s, so that the first frame is neutral, and takes 0.3-0.6 s; it
    lasts, with slow changes of a tenth, to the end of the last word, and fades in 0.4-0.8 s. All
    these times are ours.
    """
    begins, rises = rng.uniform(0.04, 0.1), rng.uniform(0.3, 0.6)
    ends, fades = speech.phonemes[-1].end + rng.uniform(-0.1, 0.2), rng.uniform(0.4, 0.8)
    swell = 1 + 0.1 * np.sin(2 * np.pi * (times * rng.uniform(0.3, 0.7) + rng.random()))
    return (
        smooth_step((times - begins) / rises) * smooth_step((ends + fades - times) / fades) * swell
    )


def act(
    speech: Speech,
    rng: np.random.Generator,
    style: Style,
    frames: int | None = None,
    fps: float = 25,
    expression: Expression | None = None,
) -> Performance:
    """What the face does while it says ``speech``; T is ``frames``, or the speech's own length.

    The first frame is a still to draw from: eyes open, no expression, and the mouth shut if the
    speech begins after 0.25 s. The same speech, generator state and style give the same
    performance, to which an expression adds nothing but itself.

    Raises:
        TalkerError: for a phoneme without a mouth shape.
    """
    count = max(1, round(speech.duration * fps)) if frames is None else frames
    times = frame_times(count, fps)
    lids, blinks = idle.blink(times, fps, style.blink_rate, style.blink_length, rng)
    gaze = idle.look_around(times, fps, style.gaze, rng)
    head = _head(speech, style, times, fps, rng)
    brows, nods = _accents(speech, style, times, rng)
    course = _course(speech, times, rng)
    expression = expression or Expression()
    head[:, 0] += nods + expression.tilt * course
    shown = {name: weight * course for name, weight in expression.actions.items()}
    in_mouth = {name: shown.pop(name) for name in [*shown] if name in ROW}
    gain = style.articulation * expression.articulation
    mouth, closure = shape_mouth(speech, times, gain, style.rounding, in_mouth)

    # Upper lids follow the eyes: 4 degrees down lower them by a tenth.
    down, up = np.maximum(-gaze[:, 1], 0), np.maximum(gaze[:, 1], 0)
    open_eyed = 1 - lids
    moves = {name: mouth[:, row] for name, row in ROW.items()}
    broadest = _BROADEST_SMILE - 0.35 * moves["jawOpen"]
    moves["mouthSmile"] = np.minimum(moves["mouthSmile"] + style.smile, broadest)
    moves |= {
        "eyeBlink": lids + open_eyed * 0.025 * down,
        "eyeWide": open_eyed * (0.03 * up + shown.pop("eyeWide", 0)),
        "eyeSquint": 0.15 * lids + open_eyed * shown.pop("eyeSquint", 0),
        "browInnerUp": brows + shown.pop("browInnerUp", 0) * (1 - brows),
        "browOuterUp": 0.8 * brows + shown.pop("browOuterUp", 0) * (1 - 0.8 * brows),
    }
    if "mouthShrugLower" in shown:  # pushes the lower lip up, into the way of every vowel
        shown["mouthShrugLower"] *= 1 - 0.85 * openness(mouth)
    moves |= shown

    actions = np.zeros((count, len(ACTIONS)))
    half = 0.5 * style.asymmetry
    for name, weight in moves.items():
        if name in _COLUMN:
            actions[:, _COLUMN[name]] = weight
            continue
        sided = name not in _SYMMETRIC
        actions[:, _COLUMN[name + "Left"]] = weight * (1 + half * sided)
        actions[:, _COLUMN[name + "Right"]] = weight * (1 - half * sided)

    def single(a: np.ndarray) -> np.ndarray:
        return a.astype(np.float32)

    return Performance(
        single(actions), single(head), single(gaze), single(closure), blinks, speech.phonemes, fps
    )
