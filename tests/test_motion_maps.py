"""Maps of motion: correlations by hand, films whose motion is known, and all of it on noise."""

import itertools

import matplotlib.pyplot as plt
import numpy as np
import pytest
from figure_scripts import load_script
from PIL import Image
from small_baselines import SMALL
from twice import run_twice

from talker.animate import load_still
from talker.baselines.training import METHODS, Budget, load_baseline, train
from talker.checkpoint import SHIPPED, read_config, save_generator
from talker.config import preset
from talker.errors import TalkerError
from talker.experiments import held_out, motion_maps
from talker.experiments.held_out import as_stored, methods, over_performers, weights_of
from talker.experiments.motion_maps import (
    LONGEST,
    SHOWN,
    alike,
    by_performer,
    clip_maps,
    compared,
    filmstrip,
    scale,
    spread,
    sway,
)
from talker.metrics.motion import flow_picture, optical_flow
from talker.models.generator import Generator
from talker.plots import STYLE


def texture(seed: int = 0) -> np.ndarray:
    """A picture (128, 96, 3) with something to follow everywhere."""
    import cv2

    coarse = np.random.default_rng(seed).integers(0, 255, (32, 24, 3), np.uint8)
    return cv2.resize(coarse, (96, 128), interpolation=cv2.INTER_CUBIC)


def test_correlation_of_maps_by_hand():
    a = np.array([[0.0, 1.0], [2.0, 3.0]])
    assert alike(a, 2 * a + 1) == pytest.approx(1)
    assert alike(a, a.max() - a) == pytest.approx(-1)
    assert alike(a, np.array([[1.0, 0.0], [3.0, 2.0]])) == pytest.approx(0.6)


def test_performers_are_means_of_their_clips():
    names, people = by_performer(np.array([[1.0], [5.0], [3.0]]), ["b", "a", "b"])
    assert names == ["b", "a"] and people.tolist() == [[2.0], [5.0]]


def test_columns_against_the_real_one_by_hand():
    real = np.array([[[0.0, 1.0], [2.0, 3.0]], [[3.0, 0.0], [1.0, 2.0]]])
    people = np.stack([real, 0.5 * real, 3 - real], axis=1)
    told = compared(people, ("real", "calm", "inverse"), seed=0)
    assert told["real"] == {"motion": {"value": 1.5, "low": 1.5, "high": 1.5, "performers": 2}}
    assert told["calm"]["ratio"]["value"] == 0.5
    assert told["calm"]["r"]["value"] == told["calm"]["r_pooled"]["value"] == 1
    assert told["inverse"]["r"]["high"] == told["inverse"]["r_pooled"]["high"] == -1


def test_the_scale_is_of_other_clips_and_of_other_people():
    one, two = np.array([[0.0, 1.0], [2.0, 3.0]]), np.array([[3.0, 2.0], [1.0, 0.0]])
    rows = scale(np.stack([one, 3 * one, two, two]), ["a", "a", "b", "b"], seed=0)
    assert rows["another clip"]["value"] == 1 and rows["other performers"]["value"] == -1
    assert rows["another clip"]["performers"] == 2
    assert list(scale(np.stack([one, two]), ["a", "b"], seed=0)) == ["other performers"]


def test_intervals_draw_performers():
    told = over_performers(np.array([[1.0, 0.0], [3.0, 0.0]]), lambda rows: rows[:, 0].mean())
    assert told == {"value": 2, "low": 1, "high": 3, "performers": 2}


def test_a_still_that_sways_moves_as_a_whole_at_its_speed():
    still = texture()
    film = sway(still, 12, speed=0.5)
    assert film.shape == (12, 128, 96, 3) and (film[0] == still).all()
    inside = np.linalg.norm(optical_flow(film), axis=-1)[:, 16:-16, 16:-16]
    assert inside.mean() == pytest.approx(0.5, abs=0.05)
    assert inside.mean(axis=0).std() < 0.1


def test_controls_move_less_than_a_film_or_all_over():
    film = np.stack([texture()] * 8)
    moved = film.copy()
    for number in range(8):  # the mouth goes to and fro, the rest stays
        moved[number, 80:110, 30:66] = np.roll(film[0], number % 2, axis=1)[80:110, 30:66]
    maps = clip_maps({"real": moved, "ours": as_stored(moved)})
    assert list(maps) == ["real", "ours", "still", "sway"]
    assert alike(maps["ours"], maps["real"]) > 0.9
    assert maps["still"].mean() < 0.1 * maps["real"].mean()
    assert alike(maps["sway"], maps["real"]) < 0.5


def test_the_middle_of_an_even_number_is_one_of_them():
    assert spread([0.3, 0.1, 0.9, 0.5]) == [1, 3, 2]
    assert spread([0.3]) == [0, 0, 0]


def test_flow_stands_above_the_frames_that_it_starts_from():
    film = np.stack([np.roll(texture(), number, axis=1) for number in range(12)])
    picture = filmstrip(film, [0, 4])
    assert picture.shape == (256, 2 * SHOWN * 96, 3)
    assert (picture[128:, 96:192] == film[1]).all()
    assert (picture[128:, SHOWN * 96 : (SHOWN + 1) * 96] == film[4]).all()
    red, green, blue = picture[32:96, 24:72].reshape(-1, 3).mean(axis=0)
    assert red > 100 and max(green, blue) < 30  # one pixel to the right, of the two that are full
    reference = flow_picture(np.tile(np.float32([1, 0]), (4, 4, 1)), LONGEST)
    assert red == pytest.approx(reference[0, 0, 0], abs=20)


def test_a_method_is_the_package_or_a_run(tmp_path):
    assert weights_of("ours", tmp_path) == SHIPPED
    with pytest.raises(TalkerError, match="no weights of a run other in"):
        weights_of("other", tmp_path)
    save_generator(tmp_path / "other" / "generator", Generator(preset("smoke").model), {})
    assert weights_of("other", tmp_path).name == "generator"
    save_generator(tmp_path / "other" / "best", Generator(preset("smoke").model), {})
    assert weights_of("other", tmp_path).name == "best"
    made = methods(["other"], tmp_path)["other"](texture(), np.zeros(6400, np.float32), 0)
    assert made.shape == (10, 128, 96, 3) and made.dtype == np.uint8


@pytest.mark.parametrize("name", METHODS)
def test_a_baseline_of_the_comparison_is_a_method(name, noise_corpus, tmp_path):
    """From its still and sound alone: the landmarks that one of them needs are found."""
    train(name, noise_corpus, tmp_path / name, Budget(steps=1), SMALL[name])
    still = load_still("talker/assets/still.png")
    signal = np.random.default_rng(0).normal(0, 0.1, 6400).astype(np.float32)
    made = methods([name], tmp_path)[name]
    expected = load_baseline(tmp_path / name).animate(still, signal)
    assert expected.shape == (10, 128, 96, 3)
    np.testing.assert_array_equal(made(still, signal, 0), expected)
    about = held_out.about_weights([name, "ours"], tmp_path)
    assert about[name]["step"] == 1 and len(about[name]["sha256"]) == 64
    assert about["ours"]["sha256"] == read_config(SHIPPED)["sha256"]


@pytest.mark.parametrize("others", [(), ("static", "speech2vid", "atvgnet")])
def test_maps_of_every_method_are_drawn(others):
    """Beside the correlations, or above them where there are many; no label on another."""
    script = load_script("fig_heatmaps")
    columns = ("real", "ours", *others, "still", "sway")
    fields = np.random.default_rng(0).uniform(0, 1, (4, len(columns), 128, 96))
    people = ["p1", "p2", "p3"]
    results = {
        "columns": columns,
        "rows": ["pooled", *people],
        "performers": people,
        "values": compared(fields[1:], columns, seed=0),
        "scale": scale(fields[1:, 0], people, seed=0),
        "r": {name: [0.1, 0.2, 0.3] for name in columns[1:]},
    }
    with plt.rc_context(STYLE):
        figure = script.draw(results, fields)
        figure.canvas.draw()
        plt.close(figure)
    images = [axes for axes in figure.axes if axes.images]
    assert len(images) == 4 * len(columns)
    assert len(figure.axes) == len(images) + 4 + 1  # a scale of colours a row, correlations
    boxes = [axes.title.get_window_extent() for axes in images[: len(columns)]]
    assert all(left.x1 < right.x0 for left, right in itertools.pairwise(boxes))
    labels = [label.get_text() for label in figure.axes[-1].get_yticklabels()]
    assert labels[0] == "still, swaying" and len(labels) == len(columns)


@pytest.mark.slow
def test_the_results_file_says_everything_twice(noise_corpus, tmp_path, monkeypatch):
    trembling = {"ours": lambda still, signal, seed: sway(still, 75, 1 + seed)}
    monkeypatch.setattr(motion_maps, "methods", lambda names, runs: trembling)
    monkeypatch.setattr(motion_maps, "blinking", lambda frames, detector: 3)
    monkeypatch.setattr(motion_maps, "speaking", lambda real, words: 20)
    truth = {"words": []}
    monkeypatch.setattr(held_out.StoredClip, "truth", truth)
    first, again = run_twice(motion_maps.run, noise_corpus, tmp_path, "maps.json")
    assert first == again
    for file in ("maps_pixels.npy", "maps_example.png"):
        assert (tmp_path / "first" / file).read_bytes() == (tmp_path / "again" / file).read_bytes()
    assert first["performers"] == ["p002", "p022"]
    assert first["columns"] == ["real", "ours", "still", "sway"] and first["rows"][0] == "pooled"
    assert np.load(tmp_path / "first" / "maps_pixels.npy").shape == (4, 4, 128, 96)
    assert first["circumstances"]["clips_of_a_performer"] == [1]
    assert first["example"]["starts"] == {"real": [3, 20], "ours": [3, 20]}
    size = Image.open(tmp_path / "first" / "maps_example.png").size
    assert size == (2 * SHOWN * 96, 2 * 2 * 128)
    assert (
        first["values"]["sway"]["motion"]["value"] > 3 * first["values"]["still"]["motion"]["value"]
    )


def test_without_a_blink_there_is_no_picture(noise_corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(motion_maps, "blinking", lambda frames, detector: None)
    still = {"ours": lambda still, signal, seed: np.stack([still] * 75)}
    found = held_out.held_out(noise_corpus)[:1]
    with pytest.raises(TalkerError, match="no clip blinks in the real film"):
        motion_maps.example(found, still, 0, tmp_path / "maps.json")
