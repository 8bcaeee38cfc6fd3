"""The corpora one can ask for by name: a new one is one more file and one more line here."""

from __future__ import annotations

from talker.corpora import cremad, grid, lrw, tcd_timit
from talker.corpora.clip import Corpus
from talker.errors import TalkerError

CORPORA: dict[str, Corpus] = {
    corpus.name: corpus
    for corpus in (
        grid.CORPUS,
        tcd_timit.CORPUS,
        cremad.CORPUS,
        lrw.CORPUS,
    )
}


def corpus(name: str) -> Corpus:
    """The corpus of that name; raises TalkerError when there is none."""
    if name not in CORPORA:
        raise TalkerError(f'there is no corpus "{name}": choose one of {", ".join(CORPORA)}.')
    return CORPORA[name]
