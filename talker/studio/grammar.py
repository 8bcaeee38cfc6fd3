"""The sentences of GRID: six words, one from each of six small lists (51 words in all).

Cooke et al., "An audio-visual corpus for speech perception and automatic speech recognition"
(2006): *command colour preposition letter digit adverb*, such as "lay green by f eight now",
whose file name is the six-letter code ``lgbf8n``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from talker.errors import TalkerError

# GRID leaves out "w", the only letter whose name has more than one syllable.
SLOTS: tuple[tuple[str, ...], ...] = (
    ("bin", "lay", "place", "set"),
    ("blue", "green", "red", "white"),
    ("at", "by", "in", "with"),
    tuple("abcdefghijklmnopqrstuvxyz"),
    ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    ("again", "now", "please", "soon"),
)
WORDS: tuple[str, ...] = tuple(word for slot in SLOTS for word in slot)
SENTENCES = int(np.prod([len(slot) for slot in SLOTS]))
_LETTER, _DIGIT = 3, 4


def _codes(position: int) -> dict[str, str]:
    """Word of each code character that may stand at ``position`` (0-5)."""
    if position == _DIGIT:
        return dict(zip("z123456789", SLOTS[_DIGIT], strict=True))
    return {word[0]: word for word in SLOTS[position]}


@dataclass(frozen=True)
class Sentence:
    """Six words of the grammar, checked against it.

    Raises:
        TalkerError: when a word does not stand in its slot's list.
    """

    words: tuple[str, ...]

    def __post_init__(self) -> None:
        fits = len(self.words) == len(SLOTS) and all(
            word in slot for word, slot in zip(self.words, SLOTS, strict=True)
        )
        if not fits:
            raise TalkerError(
                f'"{" ".join(self.words)}" is not a GRID sentence; say six words such as '
                '"lay green by f eight now".'
            )

    @property
    def text(self) -> str:
        """The six words with spaces between them."""
        return " ".join(self.words)

    @property
    def code(self) -> str:
        """GRID's six-letter file name, such as ``lgbf8n``."""
        characters = []
        for position, word in enumerate(self.words):
            of_word = {w: c for c, w in _codes(position).items()}
            characters.append(of_word[word])
        return "".join(characters)

    @property
    def spoken(self) -> str:
        """The text as espeak-ng must be given it: the letter "a", not the article."""
        spelled = list(self.words)
        if spelled[_LETTER] == "a":
            spelled[_LETTER] = "[['eI]]"
        return " ".join(spelled)

    @classmethod
    def from_code(cls, code: str) -> Sentence:
        """The sentence of a GRID file name's six letters; the inverse of ``code``."""
        try:
            return cls(tuple(_codes(i)[c] for i, c in enumerate(code)))
        except (KeyError, IndexError):
            raise TalkerError(
                f'"{code}" is not a GRID code; six letters such as "lgbf8n" are expected.'
            ) from None


def sentence_at(index: int) -> Sentence:
    """The sentence of a number in [0, 64000): the mixed-radix digits of ``index`` pick the words.

    Raises:
        TalkerError: when ``index`` is out of range.
    """
    if not 0 <= index < SENTENCES:
        raise TalkerError(f"GRID has sentences 0 to {SENTENCES - 1}, not {index}.")
    words = []
    for slot in reversed(SLOTS):
        index, choice = divmod(index, len(slot))
        words.append(slot[choice])
    return Sentence(tuple(reversed(words)))


def sentence(rng: np.random.Generator) -> Sentence:
    """One sentence, each of the 64,000 equally likely."""
    return sentence_at(int(rng.integers(SENTENCES)))


def sentences(count: int, rng: np.random.Generator) -> list[Sentence]:
    """``count`` different sentences in random order.

    Raises:
        TalkerError: when more are asked for than the grammar has.
    """
    if not 0 <= count <= SENTENCES:
        raise TalkerError(f"GRID has {SENTENCES} different sentences, not {count}; ask for fewer.")
    return [sentence_at(int(i)) for i in rng.choice(SENTENCES, count, replace=False)]
