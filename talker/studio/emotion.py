"""What an emotion does to a voice and to a face.

Voice: directions as Murray and Arnott, "Toward the simulation of emotion in synthetic speech"
(1993), sum them up: anger and joy are higher, wider in range and louder, anger faster and joy
either way; fear is much higher and much faster; sadness lower, narrower, slower and softer; disgust
much lower and slower. The sizes are ours, in the parameters of espeak-ng.

Face: the action units (FACS) of the emotion's prototype. Units of Ekman and Friesen's prototypes
are everyone's. Of the others some people show some, as Du, Tao and Martinez, "Compound facial
expressions of emotion" (2014), found when they coded 230 people; the shares here are ours, after
their Table 1. Units become actions of the mesh by ``UNITS``. AU 16, of disgust's prototype, is left
out: it pulls down the lip that AU 17 pushes up.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from talker.errors import TalkerError
from talker.studio.espeak import Voice

# Of how much of the full emotion an intensity is the middle; each take lies within 0.08 of it.
STRENGTHS = {"low": 0.4, "medium": 0.7, "high": 1.0, "unspecified": 0.75}

# Action units by the mesh's actions, at full strength; an action of both sides without its side.
UNITS: dict[int, dict[str, float]] = {
    1: {"browInnerUp": 1.35},
    2: {"browOuterUp": 1.0},
    4: {"browDown": 1.35},
    5: {"eyeWide": 0.8},
    6: {"cheekSquint": 1.0, "eyeSquint": 0.4},
    7: {"eyeSquint": 0.55},
    9: {"noseSneer": 1.2},
    10: {"mouthUpperUp": 0.55, "noseSneer": 0.2},
    12: {"mouthSmile": 0.5},
    15: {"mouthFrown": 0.85},
    17: {"mouthShrugLower": 0.5},
    20: {"mouthStretch": 0.65},
    23: {"mouthRollUpper": 0.3, "mouthRollLower": 0.3},
    24: {"mouthPress": 0.5},
    25: {"mouthUpperUp": 0.2, "mouthLowerDown": 0.25},
    26: {"jawOpen": 0.1},
}
# What is left of AU 4 where AU 1 raises the inner brows against it: together they draw them up and
# in (FACS), and the mesh's two actions would cancel out.
_LOWERED_AND_RAISED = 0.35


@dataclass(frozen=True)
class Emotion:
    """An emotion at full strength, against the same person's neutral way.

    speed and range: factors of the voice's; pitch: added to espeak-ng's 0-99; level: dB louder;
    articulation: factor of the mouth's movements, whose range is larger in anger and smaller in
    sadness (Lee, Yildirim, Kazemzadeh and Narayanan, "An articulatory study of emotional speech
    production", 2005); tilt: degrees by which the head is raised, ours: it sinks in sadness; units:
    action unit -> share of people who show it.
    """

    speed: float = 1.0
    pitch: int = 0
    range: float = 1.0
    level: float = 0.0
    articulation: float = 1.0
    tilt: float = 0.0
    units: dict[int, float] = field(default_factory=dict)


EMOTIONS: dict[str, Emotion] = {
    "anger": Emotion(
        *(1.12, 13, 1.8, 4.0, 1.15, -1.0),
        {4: 1, 5: 1, 7: 1, 23: 1, 24: 1, 10: 0.26, 17: 0.52},
    ),
    "disgust": Emotion(
        *(0.88, -9, 1.0, -1.0, 0.95, 1.0),
        {9: 1, 10: 1, 15: 1, 17: 1, 4: 0.31, 24: 0.26},
    ),
    "fear": Emotion(
        *(1.2, 28, 1.2, 0.0, 1.0, 0.5),
        {1: 1, 2: 1, 4: 1, 5: 1, 20: 1, 25: 1, 26: 1},
    ),
    "happy": Emotion(
        *(1.06, 13, 1.8, 2.0, 1.08, 1.5),
        {6: 1, 12: 1, 25: 1},
    ),
    "neutral": Emotion(),
    "sad": Emotion(
        *(0.84, -9, 0.55, -4.0, 0.85, -4.0),
        {1: 1, 4: 1, 15: 1, 6: 0.5, 17: 0.67},
    ),
}


@dataclass(frozen=True)
class Expression:
    """What a face adds to speaking: weights of actions at its apex, named without sides, the
    factor of the mouth's movements, and degrees by which the head is raised.
    """

    actions: dict[str, float] = field(default_factory=dict)
    articulation: float = 1.0
    tilt: float = 0.0


def of(name: str) -> Emotion:
    """The emotion of that name; raises TalkerError when there is none."""
    if name not in EMOTIONS:
        raise TalkerError(f'there is no emotion "{name}"; choose one of {", ".join(EMOTIONS)}.')
    return EMOTIONS[name]


def strength(intensity: str, rng: np.random.Generator) -> float:
    """How strong one take of that intensity is, 0.32-1.08."""
    return STRENGTHS[intensity] + float(rng.uniform(-0.08, 0.08))


def voice_in(name: str, strength: float, voice: Voice) -> tuple[Voice, float]:
    """The voice in an emotion, and how many dB louder it is."""
    emotion = of(name)
    return (
        replace(
            voice,
            speed=int(np.clip(round(voice.speed * emotion.speed**strength), 80, 450)),
            pitch=int(np.clip(round(voice.pitch + emotion.pitch * strength), 0, 99)),
            range=int(np.clip(round(voice.range * emotion.range**strength), 0, 99)),
        ),
        emotion.level * strength,
    )


def expression(name: str, strength: float, person: np.random.Generator) -> Expression:
    """A person's expression of an emotion.

    person: draws what is that person's own: the units that not everyone shows, how much of each,
    and of all; the same generator state gives the same person.
    """
    emotion = of(name)
    lively = person.uniform(0.8, 1.1)
    actions: dict[str, float] = {}
    for unit in UNITS:  # all of them, so that a person's draws don't depend on the emotion
        shown, much = person.random() < emotion.units.get(unit, 0), person.uniform(0.8, 1.1)
        for action, weight in UNITS[unit].items() if shown else ():
            weight *= lively * much * strength
            actions[action] = min(1.4, max(actions.get(action, 0.0), weight))
    if "browInnerUp" in actions and "browDown" in actions:
        actions["browDown"] *= _LOWERED_AND_RAISED
    return Expression(
        actions, 1 + (emotion.articulation - 1) * strength, emotion.tilt * strength * lively
    )
