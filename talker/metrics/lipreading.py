"""Word error rate: what a lip reader makes of the lips, against what is said (section 5)."""

from __future__ import annotations

from pathlib import Path

from talker.errors import TalkerError
from talker.evaluators.lip_reader import find_lip_reader
from talker.metrics.extra import installed
from talker.metrics.pair import Footage, Pair
from talker.studio.grammar import Sentence

with installed():
    import jiwer


def wer(pair: Pair) -> float:
    """Word error rate of the generated video, a share of the words said: 0 is best.

    Substitutions, deletions and insertions over the words of the transcript. NaN without a
    transcript, and for a transcript that is no sentence of GRID: the lip reader can write no other.
    Of fewer frames than words nothing can be read, which is 1. One word in six of GRID is a letter,
    which lips alone often leave open; reading at random gives 0.81.
    """
    if not is_readable(pair.transcript):
        return float("nan")
    return word_error_rate(pair.transcript, pair.generated.once(_read, pair.weights.lip_reader))


def _read(footage: Footage, weights: Path | None) -> str:
    return find_lip_reader(weights).read(footage.frames)


def is_readable(transcript: str | None) -> bool:
    """Whether a text is a sentence of GRID's grammar."""
    try:
        return bool(Sentence(tuple((transcript or "").split())))
    except TalkerError:
        return False


def word_error_rate(said: str, read: str) -> float:
    """Fewest words to replace, leave out or put in to get from one to the other, over those said.

    Both lower-case words with single spaces between them; `said` has at least one.
    """
    return float(jiwer.wer(said, read))
