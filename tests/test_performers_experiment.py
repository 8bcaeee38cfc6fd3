"""Same or different person: the measure on distances set by hand, the embedding on performers."""

import numpy as np
import pytest

from talker.evaluators.face_embedding import DlibEmbedding, distances
from talker.experiments.performers import auc_interval, same_person_auc
from talker.faces import DlibDetector
from talker.studio.camera import Camera, Pose
from talker.studio.performer import performer


def symmetric(pairs: dict[tuple[int, int], float], count: int) -> np.ndarray:
    apart = np.zeros((count, count))
    for (a, b), value in pairs.items():
        apart[a, b] = apart[b, a] = value
    return apart


# Two frames of each of two people. Same: 0.1 and 0.5; different: 0.3, 0.5, 0.6, 0.7.
PEOPLE = np.array([0, 0, 1, 1])
APART = symmetric({(0, 1): 0.1, (2, 3): 0.5, (0, 2): 0.3, (0, 3): 0.5, (1, 2): 0.6, (1, 3): 0.7}, 4)


def test_the_area_by_hand():
    # 0.1 is nearer than all four; 0.5 than two, and ties with one.
    assert same_person_auc(APART, PEOPLE) == pytest.approx((4 + 2.5) / 8)


def test_weights_repeat_people():
    # Without the second person's own pair, only the four that 0.1 beats are left.
    assert same_person_auc(APART, PEOPLE, np.array([3.0, 0.0]) + [0, 1e-12]) == pytest.approx(1)


def test_the_area_equals_scikit_learns():
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(0)
    people = np.repeat(np.arange(6), 4)
    apart = distances(rng.normal(size=(24, 3)) + 0.8 * rng.normal(size=(6, 3))[people])
    pairs = np.triu_indices(24, 1)
    expected = roc_auc_score((people[:, None] == people)[pairs], -apart[pairs])
    assert same_person_auc(apart, people) == pytest.approx(expected)
    interval = auc_interval(apart, people, draws=50)
    assert interval["low"] < interval["value"] < interval["high"] <= 1


def test_an_embedding_knows_performers_apart():
    detector, embedding = DlibDetector(), DlibEmbedding()
    embedded = []
    for number in (0, 3):
        camera = Camera(performer(number))
        for jaw in (0.0, 0.25):
            pose = Pose({"jawOpen": jaw}, np.zeros(6), np.zeros(2))
            vertices = camera.posed(pose)
            frame = camera.render(vertices, camera.film(camera.landmarks(vertices)))
            embedded.append(embedding.embed(frame, detector.detect(frame)[0].landmarks))
    apart = distances(np.stack(embedded))
    assert embedded[0].shape == (128,) and embedded[0].dtype == np.float32
    assert max(apart[0, 1], apart[2, 3]) < apart[:2, 2:].min()
