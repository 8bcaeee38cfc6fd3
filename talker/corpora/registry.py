"""The corpora one can ask for by name: a new one is one more file and one more line here."""

from __future__ import annotations

from talker.corpora import cremad, grid, lrw, tcd_timit
from talker.corpora.clip import Corpus

CORPORA: dict[str, Corpus] = {
    corpus.name: corpus
    for corpus in (
        grid.CORPUS,
        tcd_timit.CORPUS,
        cremad.CORPUS,
        lrw.CORPUS,
    )
}
