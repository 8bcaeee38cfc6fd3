"""What is counted in identity codes: by hand, against scikit-learn, and all of it on noise."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from twice import run_twice

from talker.errors import TalkerError
from talker.experiments import identity
from talker.experiments.identity import (
    RIDGE,
    by_performer,
    chance,
    exchanged,
    in_pairs,
    measure,
    nearest,
    products,
    purity,
    purity_by_chance,
    scores,
    separability,
)
from talker.store import write_clip

# Four women and four men, six frames each in two clips.
PEOPLE = np.repeat(np.arange(8), 6)
CLIP = np.repeat(np.arange(16), 3)
FEMALE = np.array([True, False] * 4)


def test_the_nearest_frame_is_of_another_clip():
    # On a line: clip 0 at 0 and 1, clip 1 at 3, clip 2 at 3.5.
    inner = products(np.array([[0.0], [1.0], [3.0], [3.5]]))
    assert nearest(inner, np.array([0, 0, 1, 2])).tolist() == [2, 2, 3, 2]
    assert nearest(inner, np.arange(4)).tolist() == [1, 0, 3, 2]


def test_purity_by_hand():
    people = np.array([0, 0, 0, 1, 1])
    assert purity(np.array([1, 0, 3, 4, 2]), people) == pytest.approx([2 / 3, 1 / 2])


def test_purity_by_chance_is_that_of_a_lottery():
    """Of fifteen other clips, one is of the same performer."""
    draw = np.random.default_rng(0)
    neighbours = nearest(products(draw.normal(size=(48, 5))), CLIP)
    dealt = purity_by_chance(neighbours, CLIP, PEOPLE, seed=0)
    assert dealt.mean() == pytest.approx(1 / 15, abs=0.015)


def test_a_pair_is_left_out_together_and_nobody_is_in_both_folds():
    fold = in_pairs(PEOPLE, FEMALE)
    for number in range(4):
        inside = set(PEOPLE[fold == number])
        assert [FEMALE[person] for person in sorted(inside)] == [True, False]
        assert not inside & set(PEOPLE[fold != number])
    # A third woman without a man is left out; of fewer than two pairs nothing can be learnt.
    lone = in_pairs(np.arange(5), np.array([True, True, True, False, False]))
    assert lone.tolist() == [0, 1, -1, 0, 1]
    with pytest.raises(TalkerError, match="two women and two men"):
        in_pairs(np.arange(3), np.array([True, True, False]))


def test_scores_are_those_of_ridge_regression():
    draw = np.random.default_rng(1)
    features = draw.normal(size=(48, 7)).astype(np.float32)
    labels = np.where(draw.random((48, 2)) < 0.5, 1.0, -1.0)
    ask = PEOPLE == 3
    found = scores(products(features), labels, ~ask, ask)
    centred = features[~ask] - features[~ask].mean(0)
    ridge = Ridge(alpha=RIDGE * float((centred**2).sum())).fit(features[~ask], labels[~ask])
    assert found == pytest.approx(ridge.predict(features[ask]), abs=1e-4)


def test_what_is_linear_is_found_and_what_is_not_is_at_chance():
    draw = np.random.default_rng(2)
    fold = in_pairs(PEOPLE, FEMALE)
    labels = exchanged(FEMALE, fold, PEOPLE, seed=0)
    features = 0.1 * draw.normal(size=(48, 6))
    features[:, 0] += np.where(FEMALE[PEOPLE], 1, -1)
    right = separability(products(features), labels, fold)
    assert by_performer(right[:, 0], PEOPLE).tolist() == [1] * 8
    # Each person is a place of their own, which says nothing of anyone else's gender.
    alone = draw.normal(size=(8, 40))[PEOPLE] + 0.1 * draw.normal(size=(48, 40))
    luck = separability(products(alone), labels, fold)[:, 1:].mean(axis=0)
    assert luck.mean() == pytest.approx(0.5, abs=0.06)


def test_labels_are_exchanged_by_whole_pairs():
    fold = in_pairs(PEOPLE, FEMALE)
    labels = exchanged(FEMALE, fold, PEOPLE, seed=0)
    assert (labels[:, 0] == np.where(FEMALE[PEOPLE], 1, -1)).all()
    for number in range(4):
        one_each = labels[fold == number].sum(axis=0)
        assert (one_each == 0).all()
    assert len(np.unique(labels.T, axis=0)) > 10


def test_who_is_in_no_fold_does_not_count():
    right = np.array([1.0, 0.0, 1.0, np.nan, np.nan])
    assert by_performer(right, np.array([0, 0, 1, 2, 2])).tolist() == [0.5, 1]


def test_chance_says_how_rare_a_value_is():
    found = chance(np.array([0.4, 0.5, 0.6]), 0.6)
    assert found["value"] == 0.5 and found["p"] == 0.5  # (1 + 1) / (1 + 3)
    assert chance(np.array([0.4, 0.5, 0.6]), 0.7)["p"] == 0.25


def test_intervals_are_over_performers():
    draw = np.random.default_rng(3)
    codes = draw.normal(size=(8, 5))[PEOPLE] + 0.01 * draw.normal(size=(48, 5))
    told = measure(products(codes), CLIP, PEOPLE, FEMALE, seed=0)
    assert told["purity"] == {"value": 1, "low": 1, "high": 1, "performers": 8}
    assert told["gender"]["low"] <= told["gender"]["value"] <= told["gender"]["high"]
    assert told["purity_chance"]["p"] == pytest.approx(1 / 201, abs=1e-5)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Two women and two men held out and two people to learn from; colours say who it is."""
    folder = tmp_path_factory.mktemp("corpus")
    draw = np.random.default_rng(0)
    for number in range(6):
        for clip in range(2):
            frames = draw.integers(0, 40, (10, 128, 96, 3), np.uint8) + np.uint8(40 * number)
            truth = {"speaker": f"p{number}", "split": "train" if number > 3 else "test"}
            truth["gender"] = ("female", "male")[number % 2]
            (folder / f"p{number}").mkdir(exist_ok=True)
            write_clip(folder / f"p{number}" / f"p{number}_{clip}", frames, np.zeros(6400), truth)
    (folder / "corpus.json").write_text("{}")
    return folder


@pytest.mark.slow
def test_the_results_file_says_everything_twice(corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(identity, "FRAMES", 32)
    first, again = run_twice(identity.run, corpus, tmp_path, "identity.json")
    assert first == again
    points = [(tmp_path / n / "identity_points.npy").read_bytes() for n in ("first", "again")]
    assert points[0] == points[1]
    assert first["per_clip"]["frames"] == [4] * 8 and first["circumstances"]["frames"] == 32
    assert np.load(tmp_path / "first" / "identity_points.npy").shape == (32, 2)
    assert first["values"]["pixels"]["purity"]["value"] == 1
    assert first["values"]["z_id"]["gender_from_training"]["performers"] == 4
    assert first["circumstances"]["performers_trained"] == 2


def test_recordings_without_gender_are_refused(noise_corpus, tmp_path):
    with pytest.raises(TalkerError, match="does not tell women from men"):
        identity.run(noise_corpus, tmp_path, tmp_path / "identity.json")
