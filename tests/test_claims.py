"""Verdicts on the paper's claims, worked out by hand on a few clips."""

import dataclasses

import pytest

from talker.errors import TalkerError
from talker.experiments.ablation import IN_PAPER, TABLE, VARIANTS
from talker.experiments.claims import CLAIMS, NAMES, Claim, decide, decide_all, pooled
from talker.experiments.paper import read_table
from talker.metrics.registry import METRICS

HIGHER = Claim("a is higher", "", "psnr", "no-adv", "higher")
LOWER = Claim("a is lower", "", "psnr", "no-adv", "lower")
BEST = Claim("a is best", "", "psnr", "no-adv", "higher", ("full", "no-l1"))
GONE = Claim("half is gone", "", "blinks", "no-seq", "lower", least=0.5)


def runs_of(measure: str = "psnr", **values: list) -> dict:
    """By variant ("no_adv" for "no-adv"), one seed: a value a clip."""
    return {
        name.replace("_", "-"): {0: {"clip": ["a", "b", "c"][: len(row)], measure: row}}
        for name, row in values.items()
    }


def test_rows_name_what_there_is():
    assert tuple(VARIANTS) == NAMES
    for claim in CLAIMS:
        assert claim.variant in NAMES and set(claim.others) <= set(NAMES) - {claim.variant}
        assert {claim.measure, claim.less or claim.measure} <= METRICS.keys()
        assert claim.direction in ("higher", "lower") and claim.says and claim.paper
    assert len({claim.says for claim in CLAIMS}) == len(CLAIMS)


def test_the_papers_own_table_bears_its_claims_out():
    """All but one: it shows the same AV confidence with and without the sequence discriminator."""
    runs = {}
    for row in read_table(TABLE):
        name = IN_PAPER[row["method"]]
        lower = row["psnr"] and row["psnr"] - (0.3 if name == "no-adv" else 0)  # told in the text
        columns = {key: [value] * 2 for key, value in row.items()} | {"psnr_lower": [lower] * 2}
        runs[name] = {0: columns | {"clip": ["a", "b"]}}
    verdicts = {
        row["says"]: row["against"][row["decided_by"]]["verdict"] for row in decide_all(runs)
    }
    assert verdicts.pop("without the sequence loss AV confidence falls") == "undecided"
    assert set(verdicts.values()) == {"reproduced"}


def test_what_the_runs_cannot_answer_is_not_tested_whatever_they_show():
    asked = {claim.says: claim.untested for claim in CLAIMS}
    assert [says for says, why in asked.items() if why] == [
        "L1 alone blinks least",
        "without the sequence loss blinks halve, or more",
    ]
    mute = dataclasses.replace(HIGHER, untested="nothing of it differs")
    found = decide(mute, runs_of(no_adv=[2.0, 3.0], full=[1.0, 1.0]))
    assert found["verdict"] == "not tested" and found["untested"] == "nothing of it differs"
    assert found["against"]["full"]["verdict"] == "reproduced"


def test_clips_of_one_speaker_are_one_witness():
    """Three clips of a speaker say yes, and the only clip of another says no."""
    values = {"no_adv": [2.0, 2.0, 2.0, 0.5], "full": [1.0, 1.0, 1.0, 1.0]}
    runs = {name: {0: {"psnr": row}} for name, row in values.items()}
    for of in runs.values():
        of[0]["clip"] = ["a/1", "a/2", "a/3", "b/1"]
    runs["no-adv"] = runs.pop("no_adv")
    found = decide(HIGHER, runs)
    effect = found["against"]["full"]["effect"]
    assert (effect["low"], effect["high"], effect["groups"]) == (-0.5, 1.0, 2)
    assert found["verdict"] == "undecided"
    alone = pooled(runs["no-adv"], {"psnr": "psnr"})["psnr"]
    assert (alone["value"], alone["low"], alone["high"]) == (1.625, 0.5, 2.0)


@pytest.mark.parametrize(
    ("ours", "higher", "lower"),
    [
        ([2.0, 3.0, 4.0], "reproduced", "not reproduced"),
        ([0.0, 0.5, -1.0], "not reproduced", "reproduced"),
        ([0.0, 3.0, 1.0], "undecided", "undecided"),
        ([1.0, 1.0, 1.0], "undecided", "undecided"),
    ],
)
def test_verdicts(ours, higher, lower):
    runs = runs_of(no_adv=ours, full=[1.0, 1.0, 1.0])
    found = decide(HIGHER, runs)
    assert (found["verdict"], decide(LOWER, runs)["verdict"]) == (higher, lower)
    effect = found["against"]["full"]["effect"]
    assert effect["value"] == pytest.approx(sum(ours) / 3 - 1, abs=1e-5)
    assert effect["low"] <= effect["value"] <= effect["high"] and effect["clips"] == 3
    assert decide(LOWER, runs)["against"]["full"]["effect"] == effect  # always variant minus other


def test_differences_are_of_the_same_clip():
    """Clips differ far more than the variants do, which the interval must not see."""
    runs = runs_of(no_adv=[10.1, 20.1, 30.1], full=[10.0, 20.0, 30.0])
    effect = decide(HIGHER, runs)["against"]["full"]["effect"]
    assert (effect["value"], effect["low"], effect["high"]) == (0.1, 0.1, 0.1)


def test_seeds_of_a_clip_are_averaged_and_paired():
    runs = {
        "no-adv": {
            0: {"clip": ["a", "b"], "psnr": [2.0, 4.0]},
            1: {"clip": ["a", "b"], "psnr": [14.0, 12.0]},
            2: {"clip": ["a", "b"], "psnr": [99.0, 99.0]},  # and no run of "full" to go with it
        },
        "full": {
            0: {"clip": ["a", "b"], "psnr": [1.0, 1.0]},
            1: {"clip": ["a", "b"], "psnr": [11.0, 11.0]},
        },
    }
    found = decide(HIGHER, runs)["against"]["full"]
    assert found["seeds"] == [0, 1]
    # (1, 3) and (3, 1): 2 for both clips, without any spread.
    assert [found["effect"][key] for key in ("value", "low", "high")] == [2, 2, 2]


def test_what_is_undefined_is_left_out():
    runs = runs_of(no_adv=[2.0, None, 4.0], full=[1.0, 5.0, 1.0])
    effect = decide(HIGHER, runs)["against"]["full"]["effect"]
    assert (effect["value"], effect["clips"], effect["left_out"]) == (2.0, 2, 1)
    for runs in (runs_of(no_adv=[None, None], full=[1.0, 1.0]), runs_of(full=[1.0]), {}):
        found = decide(HIGHER, runs)
        assert found["verdict"] == "undecided" and found["decided_by"] == "full"
        assert found["against"]["full"]["effect"]["value"] is None


@pytest.mark.parametrize(
    ("left", "verdict"),
    [
        ([0.1, 0.2, 0.0], "reproduced"),
        ([0.9, 0.8, 0.9], "not reproduced"),  # certainly fewer, and not nearly half gone
        ([1.2, 1.1, 1.3], "not reproduced"),
        ([0.5, 0.5, 0.5], "undecided"),  # the bound itself
        ([0.0, 1.0, 0.3], "undecided"),
    ],
)
def test_to_remove_is_more_than_to_lower(left, verdict):
    found = decide(GONE, runs_of("blinks", no_seq=left, full=[1.0, 1.0, 1.0]))
    assert found["verdict"] == verdict
    against = found["against"]["full"]
    assert against["effect"]["value"] == pytest.approx(sum(left) / 3 - 1, abs=1e-5)
    assert against["beyond"]["value"] == pytest.approx(0.5 - sum(left) / 3, abs=1e-5)


def test_nothing_cannot_be_removed():
    found = decide(GONE, runs_of("blinks", no_seq=[0.0, 0.0], full=[0.0, 0.0]))
    assert found["verdict"] == "undecided"


@pytest.mark.parametrize(
    ("rival", "verdict", "decided_by"),
    [
        ([2.0, 2.0, 2.0], "reproduced", "no-l1"),
        ([2.9, 3.1, 3.0], "undecided", "no-l1"),
        ([4.0, 4.0, 4.0], "not reproduced", "no-l1"),
        ([0.0, 0.0, 0.0], "reproduced", "full"),
    ],
)
def test_the_best_of_all_is_better_than_each(rival, verdict, decided_by):
    runs = runs_of(no_adv=[3.0, 3.0, 3.0], full=[1.0, 1.0, 1.0], no_l1=rival)
    found = decide(BEST, runs)
    assert (found["verdict"], found["decided_by"]) == (verdict, decided_by)
    assert found["against"]["full"]["verdict"] == "reproduced"


def test_the_best_of_all_waits_for_all():
    found = decide(BEST, runs_of(no_adv=[3.0, 3.0], full=[1.0, 1.0]))
    assert (found["verdict"], found["decided_by"]) == ("undecided", "no-l1")


@pytest.mark.parametrize(("lower", "verdict"), [(1.0, "reproduced"), (1.6, "not reproduced")])
def test_a_gap_narrows_where_its_difference_does(lower, verdict):
    """1.4 dB on the whole frame, 1.0 or 1.6 on its lower half."""
    (claim,) = (claim for claim in CLAIMS if claim.less)
    runs = {
        "no-adv": {0: {"clip": ["a", "b"], "psnr": [28.4, 30.4], "psnr_lower": [26 + lower] * 2}},
        "full": {0: {"clip": ["a", "b"], "psnr": [27.0, 29.0], "psnr_lower": [26.0] * 2}},
    }
    found = decide(claim, runs)
    assert found["verdict"] == verdict
    assert found["against"]["full"]["effect"]["value"] == pytest.approx(1.4 - lower, abs=1e-5)


def test_other_clips_are_refused():
    runs = runs_of(no_adv=[1.0, 2.0], full=[1.0, 2.0])
    runs["full"][0]["clip"] = ["a", "d"]
    with pytest.raises(TalkerError, match="on other clips"):
        decide(HIGHER, runs)
