"""Who says what in which clip: three classes of sentences, as the real corpora have them.

A clip's class, sentence, emotion and intensity follow from its performer, its number and the seed:

    grid      a sentence of the GRID grammar, drawn for the clip, in a clip of 3 s (Cooke et al.
              2006); neutral
    cremad    one of CREMA-D's twelve sentences in one of its six emotions (Cao et al. 2014). Of any
              six clips in a row each has another emotion. Sentence and intensity are drawn with
              CREMA-D's own shares: of an emotion's 14 takes an actor says eleven sentences once,
              at unspecified intensity, and "It's eleven o'clock" at low, medium and high intensity;
              neutral has one take of each of the twelve sentences
    rich      one of ``RICH``, in turn; neutral

A corpus of class "all" takes them in the order of ``PATTERN``, over and over; because five and six
have no common factor, its CREMA-D clips go through all emotions. A clip of one class is the same
clip in every corpus that has it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from talker.corpora.cremad import EMOTIONS as CREMAD_EMOTIONS
from talker.corpora.cremad import SENTENCES as CREMAD_SENTENCES
from talker.errors import TalkerError
from talker.studio import grammar

CLASSES = ("grid", "cremad", "rich")
PATTERN = ("grid", "cremad", "rich", "grid", "cremad")
EMOTIONS = tuple(CREMAD_EMOTIONS.values())
_IN_THREE_INTENSITIES = "IEO"

# Written for this corpus. Together they have every phoneme that espeak-ng gives in English words;
# each has at least two thirds of the visemes.
RICH = (
    "The waiter poured pure water over the beige chairs, then vanished through the garage door.",
    "My father heard a choir of young boys singing fair Irish tunes by the shore of the loch.",
    "Few measures were sure to cure the poor judge, who chewed thick yellow fudge all Thursday.",
    "Look how the foggy weather makes each huge bird on the roof puff up its feathers and shout.",
    "Please buy five jars of plum jam, a bottle of oil, and enough cheese for both of our aunts.",
    "That brave woman with the broken thumb chose to row home in the hot sun without her gloves.",
    "Usually our neighbour whistles in the bath, but this morning he only hummed a slow tune.",
    "Which of these zebras would you push back toward the shed before the fire spreads?",
    "Uh-oh, the happy puppy chewed the leather cover off George's big atlas of southern rivers.",
    "Pay no mind to the noise: those machines crush old books and boil the pulp for paper.",
    "Voices rang through the foggy harbour as the ferry moved off with a shipload of wool.",
    "She thought the treasure was buried beneath a wooden bridge five miles north of Bath.",
    "If you brush the mirror with warm soapy water, every smudge should vanish by evening.",
    "The new boy's vision of the future is a quiet house, good food and a job he enjoys.",
    "Eighty chefs and a few bakers shared a feast of fish pie, beer and fried mushrooms.",
    "Don't touch the rough edge of that saw, or you'll have both thumbs in a bandage by four.",
    "Our tour guide joked about a ghost who roams the abbey wearing one huge purple shoe.",
    "The judge's nephew gave a thorough and charming speech on the beauty of wild bees.",
    "A pair of violet butterflies hovered above the azure pool while we ate in the shade.",
    "Both of the youngest voyagers wished for warm mittens, thick jumpers and a cup of cocoa.",
    "Put the blue vase with the cotton buds by the window, where the breeze can't push it over.",
    "He rehearsed the whole fierce song in a major key and then forgot which verse came first.",
    "Good cooks measure flour by weight, chop the onions finely and never rush the sauce.",
    "In theory the bishop's ancient clock chimes hourly, but it jams if the weather is moist.",
)


@dataclass(frozen=True)
class Line:
    """What a performer says in one clip, and how.

    kind: its class; text: as a transcript has it; spoken: as espeak-ng is given it; code: GRID's
    six letters or CREMA-D's three, "" for a rich sentence; emotion and intensity: as CREMA-D names
    them.
    """

    kind: str
    text: str
    spoken: str
    code: str
    emotion: str = "neutral"
    intensity: str = "unspecified"


def class_of(clip: int, sentences: str) -> str:
    """The class of a performer's `clip`-th clip in a corpus of `sentences`: a class, or "all".

    Raises TalkerError: there is no such class.
    """
    if sentences == "all":
        return PATTERN[clip % len(PATTERN)]
    if sentences not in CLASSES:
        raise TalkerError(f"there are no {sentences!r} sentences: say {', '.join(CLASSES)} or all.")
    return sentences


def line(kind: str, performer: int, clip: int, rng: np.random.Generator) -> Line:
    """The line of a class, or of "all" in turn, for the `performer`-th performer's `clip`-th clip.

    Raises TalkerError: there is no such class.
    """
    kind = class_of(clip, kind)
    if kind == "grid":
        sentence = grammar.sentence(rng)
        return Line("grid", sentence.text, sentence.spoken, sentence.code)
    if kind == "cremad":
        return _emotional(EMOTIONS[(clip + performer) % len(EMOTIONS)], rng)
    text = RICH[(clip + 7 * performer) % len(RICH)]
    return Line("rich", text, text, "")


def _emotional(emotion: str, rng: np.random.Generator) -> Line:
    takes = [(code, "unspecified") for code in CREMAD_SENTENCES]
    if emotion != "neutral":
        takes.remove((_IN_THREE_INTENSITIES, "unspecified"))
        takes += [(_IN_THREE_INTENSITIES, intensity) for intensity in ("low", "medium", "high")]
    code, intensity = takes[int(rng.integers(len(takes)))]
    text = CREMAD_SENTENCES[code]
    return Line("cremad", text, text, code, emotion, intensity)
