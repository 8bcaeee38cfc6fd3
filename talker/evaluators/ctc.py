"""From a network's probabilities over time to words: connectionist temporal classification.

A. Graves, S. Fernandez, F. Gomez, J. Schmidhuber, "Connectionist temporal classification:
labelling unsegmented sequence data with recurrent neural networks", ICML 2006. Each frame has a
label, 0 for blank; labels of neighbouring frames that are equal are one, then blanks are dropped.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

BLANK = 0
Slots = Sequence[Sequence[Sequence[int]]]


def greedy(log_probabilities: np.ndarray) -> list[int]:
    """The labels of the most probable path through (T, 1 + units)."""
    best = np.asarray(log_probabilities).argmax(axis=1)
    starts = np.append(True, best[1:] != best[:-1])
    return best[starts & (best != BLANK)].tolist()


class Grammar:
    """Sentences that take one choice from each slot in turn, and the most probable of them.

    A choice is a tuple of labels: of one word, or of the letters that spell it. `best` finds the
    most probable of all paths that spell any sentence (Viterbi), exactly: 75 frames of GRID's
    64,000 sentences take some milliseconds. A sentence's own probability is the sum over its paths,
    so that in rare cases another sentence is more probable as a whole.
    """

    def __init__(self, slots: Slots) -> None:
        """Raises ValueError when a slot has no choice, or a choice no label."""
        if not all(slot and all(slot) for slot in slots):
            raise ValueError("every slot needs a choice, and every choice a label")
        # A state is a frame's place in the sentence: its label, and which choice it belongs to.
        self._labels: list[int] = []
        self._choices: list[tuple[int, int] | None] = []
        arcs: list[list[int]] = []  # from which states a state is entered

        def state(label: int, choice: tuple[int, int] | None, before: Sequence[int]) -> int:
            number = len(self._labels)
            self._labels.append(label)
            self._choices.append(choice)
            # A label follows itself only after a blank: without one the two are the same.
            allowed = [b for b in before if label == BLANK or self._labels[b] != label]
            arcs.append([number, *allowed])
            return number

        ends = [state(BLANK, None, [])]  # the states that the next slot is entered from
        first = {0}
        for number, slot in enumerate(slots):
            leaving = []
            for which, choice in enumerate(slot):
                before = ends
                for place, label in enumerate(choice):
                    here = state(label, (number, which), before)
                    if number == place == 0:
                        first.add(here)
                    before = [here]
                    if place < len(choice) - 1:
                        before.append(state(BLANK, (number, which), [here]))
                leaving.append(before[0])
            ends = [*leaving, state(BLANK, None, leaving)]
        self._slots, self._last = len(slots), ends
        self._first = sorted(first)
        most = max(map(len, arcs))  # a state is always entered from itself: padding adds nothing
        self._arcs = np.array([arc + arc[:1] * (most - len(arc)) for arc in arcs])

    def best(self, log_probabilities: np.ndarray) -> tuple[int, ...] | None:
        """Which choice of each slot, for (T, 1 + units); None where T is too few for a sentence."""
        seen = np.asarray(log_probabilities, np.float64)[:, self._labels]
        score = np.full(len(self._labels), -np.inf)
        score[self._first] = seen[0, self._first]
        came = np.empty((len(seen), len(score)), int)
        for t in range(1, len(seen)):
            entering = score[self._arcs]
            chosen = entering.argmax(axis=1)
            came[t] = self._arcs[np.arange(len(score)), chosen]
            score = entering[np.arange(len(score)), chosen] + seen[t]
        here = max(self._last, key=lambda end: score[end])
        if score[here] == -np.inf:
            return None
        picked = [0] * self._slots
        for t in range(len(seen) - 1, -1, -1):
            if self._choices[here] is not None:
                slot, which = self._choices[here]
                picked[slot] = which
            here = came[t, here] if t else here
        return tuple(picked)
