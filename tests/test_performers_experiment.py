"""Same or different person: measures on distances set by hand, the embedding on performers; what
is written and drawn of them.
"""

import json

import numpy as np
import pytest
from figure_scripts import load_script

from talker.errors import TalkerError
from talker.evaluators.face_embedding import DlibEmbedding, distances
from talker.experiments import performers
from talker.experiments.performers import auc_interval, mean_distances, same_person_auc
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


def test_mean_distances_by_hand():
    means = mean_distances(APART, PEOPLE, draws=50)
    assert means["same"]["value"] == pytest.approx(0.3)  # of 0.1 and 0.5
    assert means["different"]["value"] == pytest.approx(0.525)  # of 0.3, 0.5, 0.6 and 0.7
    # Drawn again, both people are one of the two, or each is there once.
    assert (means["same"]["low"], means["same"]["high"]) == pytest.approx((0.1, 0.5))


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


# ---- what is written, and what is drawn of it

ERRORS = [0.01, 0.03, 0.05, 0.2, float("nan")]


@pytest.fixture
def written(tmp_path, monkeypatch) -> dict:
    """The results for five clips of two performers, whose errors are set by hand."""
    for number, speaker in enumerate(("p000", "p000", "p000", "p001", "p001")):
        path = tmp_path / "corpus" / speaker / f"{speaker}_{number:03d}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"speaker": speaker, "split": "train"}))
    about = {"kind": "rendered", "seed": 5, "sentences": "cremad"}
    (tmp_path / "corpus" / "corpus.json").write_text(json.dumps(about))

    def look(found, *_):
        rows = {"clip": [c.name for c in found], "speaker": [c.speaker for c in found]}
        rows |= {"found": [1.0, 1.0, 1.0, 1.0, 0.0], "error": ERRORS}
        return rows, np.array([[0.0], [0.1], [0.5], [0.9]]), PEOPLE

    monkeypatch.setattr(performers, "look", look)
    performers.main(tmp_path / "corpus", tmp_path / "out.json")
    return json.loads((tmp_path / "out.json").read_text())


def test_the_results_say_which_corpus_and_how_many_clips_err(written):
    how = written["circumstances"]
    assert written["seed"] == 5 and how["sentences"] == "cremad"
    assert (how["clips"], how["performers"]) == (5, 2)
    over = written["values"]["over"]
    assert (over["value"], over["clips"], over["left_out"]) == (0.5, 4, 1)
    assert written["most_error"] == 0.04 and written["values"]["found"]["value"] == 0.8


def test_a_corpus_that_was_not_rendered_is_refused(written, tmp_path):
    (tmp_path / "corpus" / "corpus.json").write_text('{"kind": "prepared"}')
    with pytest.raises(TalkerError, match="corpus was not rendered: make one with"):
        performers.main(tmp_path / "corpus", tmp_path / "out.json")


def test_the_figure_drops_no_clip(written):
    import matplotlib.pyplot as plt

    figure = load_script("fig_performers")
    _, axes = plt.subplots()
    figure._errors(axes, written)
    heights = [bar.get_height() for bar in axes.patches]
    assert sum(heights) == np.isfinite(ERRORS).sum() == 4
    assert heights[-1] == 1 and axes.get_xticklabels()[-1].get_text() == "> 8"
    plt.close("all")
