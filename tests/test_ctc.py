"""Reading labels off probabilities over time, against brute force over all paths."""

import itertools

import numpy as np
import pytest

from talker.evaluators.ctc import Grammar, greedy


def collapsed(path: tuple[int, ...]) -> tuple[int, ...]:
    """What a path of labels spells: repeats are one, blanks (0) are dropped."""
    return tuple(label for label, _ in itertools.groupby(path) if label)


def by_brute_force(log_probabilities, slots) -> tuple[int, ...]:
    """The sentence of the most probable of all paths that spell one."""
    sentences = {}
    for choices in itertools.product(*(range(len(slot)) for slot in slots)):
        spelled = sum((tuple(slot[i]) for slot, i in zip(slots, choices, strict=True)), ())
        sentences[spelled] = choices
    frames, labels = log_probabilities.shape
    best = max(
        (
            path
            for path in itertools.product(range(labels), repeat=frames)
            if collapsed(path) in sentences
        ),
        key=lambda path: sum(log_probabilities[t, label] for t, label in enumerate(path)),
        default=None,
    )
    return None if best is None else sentences[collapsed(best)]


def test_greedy_merges_repeats_and_drops_blanks():
    path = [0, 2, 2, 0, 2, 1, 1, 0]
    assert greedy(np.log(np.eye(3)[path] + 0.01)) == [2, 2, 1]


WORDS = [[(1,), (2,)], [(3,), (1,)]]
LETTERS = [[(1, 1), (2,), (1, 2)], [(3,)], [(2, 1), (1,)]]  # a double letter; a shared first letter
TOUCHING = [[(1,), (2, 1)], [(1,), (3,)]]  # one slot may end as the next begins


@pytest.mark.parametrize("slots", [WORDS, LETTERS, TOUCHING])
@pytest.mark.parametrize("seed", range(6))
def test_the_best_sentence_is_that_of_the_best_path(slots, seed):
    rng = np.random.default_rng(seed)
    values = np.log(rng.dirichlet(np.full(4, 0.5), size=7))
    assert Grammar(slots).best(values) == by_brute_force(values, slots)


@pytest.mark.parametrize("frames", range(1, 5))
def test_too_few_frames_for_a_sentence_are_none(frames):
    slots = [[(1, 1)], [(2,)]]  # one blank more than labels: four frames
    values = np.log(np.full((frames, 3), 1 / 3))
    assert Grammar(slots).best(values) == (None if frames < 4 else (0, 0))


def test_a_grammar_without_a_choice_is_an_error():
    for slots in ([[]], [[()]]):
        with pytest.raises(ValueError, match="every slot needs a choice"):
            Grammar(slots)
