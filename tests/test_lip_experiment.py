"""Spoiling lips, counting what was taken for what, and what the shipped reader makes of it all."""

import json
from pathlib import Path

import numpy as np
import pytest

from talker.checkpoint import read_description
from talker.evaluators.lip_reader import NAME, find_lip_reader
from talker.evaluators.weights import shipped
from talker.experiments.corruptions import blurred
from talker.experiments.lipreading import by_slot, confusions, frozen, swapped
from talker.metrics.lipreading import word_error_rate

RESULTS = Path(__file__).parents[1] / "figures" / "results" / "lipreading.json"


def test_a_share_of_a_clip_stands_still_or_is_of_another():
    clip = np.arange(10)[:, None, None, None]
    assert frozen(clip, 0.0).ravel().tolist() == list(range(10))
    assert frozen(clip, 1.0).ravel().tolist() == [0] * 10
    assert frozen(clip, 1 / 3).ravel().tolist() == [0, 1, 2, 3, 4, 5, 6, 6, 6, 6]
    assert swapped(clip, -clip, 0.3).ravel().tolist() == [0, 1, 2, 3, 4, 5, 6, -7, -8, -9]
    assert swapped(clip, -clip, 1.0).ravel().tolist() == (-clip).ravel().tolist()


def test_what_was_taken_for_what():
    said = ["bin blue at a one now", "lay blue at b one now", "set blue at a one now"]
    read = ["bin blue at a one now", "bin blue at a one now", "set red at a one soon"]
    commands = [[1, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1]]  # bin, lay, place, set
    assert confusions(said, read, 0) == commands
    wrong = {kind: row["value"] for kind, row in by_slot(said, read, seed=0).items()}
    third = pytest.approx(1 / 3, abs=1e-4)
    assert wrong == {
        **{"command": third, "colour": third, "letter": third, "adverb": third},
        **{"preposition": 0, "digit": 0},
    }


def test_less_to_read_is_more_wrong_until_only_chance_is_left():
    """In the results: all clips of held-out performers, every way to spoil them, every level."""
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    values = {name: row["value"] for name, row in results["values"].items()}
    assert values["real"] <= 0.25
    for name, condition in results["conditions"].items():
        curve = [values["real"], *(values[f"{name} {level:g}"] for level in condition["levels"])]
        # What can hardly be told apart may change places by a word or two.
        words = 6 * results["values"]["real"]["clips"]
        assert min(np.diff(curve)) * words > -2.01, name
        assert 0.7 < curve[-1] < 0.9, name
    blurs = [values[f"blurred {level}"] for level in (2, 3, 4, 6, 8)]
    assert min(np.diff(blurs)) > 0
    assert len(results["by_performer"]) >= 12


def test_results_are_of_the_weights_that_ship():
    about = shipped(NAME).with_suffix(".json")
    assert shipped(NAME).stat().st_size < 6e6
    assert read_description(about)["extra"]["steps"] == read_description(about)["extra"]["step"]
    assert json.loads(RESULTS.read_text(encoding="utf-8"))["weights"] == read_description(about)


@pytest.mark.slow
def test_the_shipped_reader_reads_a_performer_it_has_never_seen():
    """Of another seed, so that neither training nor results have the face, voice or sentences."""
    pytest.importorskip("anny")
    from talker.corpora.rendered import render_clip

    reader = find_lip_reader()
    wrong = {"real": [], "blurred": [], "still": []}
    for clip in range(2):
        frames, _, truth = render_clip(2, clip, seed=77)
        spoilt = {"real": frames, "blurred": blurred(frames, 10), "still": frozen(frames, 1.0)}
        for name, shown in spoilt.items():
            wrong[name].append(word_error_rate(truth["text"], reader.read(shown)))
    assert np.mean(wrong["real"]) <= 0.25
    assert min(np.mean(wrong["blurred"]), np.mean(wrong["still"])) >= 0.5
