"""Sharpness where it was generated: films of known blur, the claims, the picture, the figure."""

import json
import shutil

import cv2
import numpy as np
import pytest
from figure_scripts import drawn_twice, load_script
from skimage import data

from talker.errors import TalkerError
from talker.experiments.generated_sharpness import CLAIMS, MEASURES, mouths, run
from talker.media import read_image
from talker.store import CRF, FPS, KEYFRAMES, beside, clips, read_frames
from talker.video import write_video

BLUR = {"full": 0.6, "no-img": 1.5, "no-adv": 3.0}  # pixels, of the lower half alone


@pytest.fixture(scope="module")
def corpus(tmp_path_factory, noise_corpus):
    """Two clips of one speaker of the test split: a photograph, lit in two ways."""
    folder = tmp_path_factory.mktemp("photographs") / "corpus"
    shutil.copytree(noise_corpus, folder)
    film = np.repeat(data.astronaut()[None, 20:148, 170:266], 75, axis=0)
    for number in range(2):
        stem = folder / "p022" / f"p022_00{number}"
        for ending in (".wav", ".json"):
            if number:
                shutil.copyfile(beside(folder / "p022" / "p022_000", ending), beside(stem, ending))
        write_video(beside(stem, ".mp4"), film // (1 + number), FPS, crf=CRF)
    return folder


@pytest.fixture(scope="module")
def told(corpus, tmp_path_factory):
    """The results of films whose lower halves are blurred, and the picture."""
    folder = tmp_path_factory.mktemp("sharp")
    for variant, blur in BLUR.items():
        for clip in clips(corpus, "test"):
            frames = read_frames(clip.video).copy()
            for frame in frames:
                frame[64:] = cv2.GaussianBlur(frame[64:], (0, 0), blur)
            path = beside(folder / "runs" / f"{variant}-0" / "clips" / clip.name, ".mp4")
            path.parent.mkdir(parents=True, exist_ok=True)
            write_video(path, frames, FPS, crf=CRF, keyframes=KEYFRAMES)
    out = folder / "generated_sharpness.json"
    run(corpus, folder / "runs", out)
    return json.loads(out.read_text()), read_image(folder / "generated_sharpness_mouths.png")


def test_the_more_blurred_the_less_sharp_by_both_measures(told):
    results, _ = told
    assert results["values"].keys() == {"real", *BLUR}
    for name in MEASURES:
        values = [results["values"][each][name]["value"] for each in ("real", *BLUR)]
        assert values == sorted(values, reverse=True) and values[0] > 1.2 * values[-1]
    assert results["values"]["real"]["laplacian_mouth"]["value"] == 1
    assert {claim["verdict"] for claim in results["claims"]} == {"reproduced"}
    assert results["per_clip"]["full-0"]["clip"] == ["p022/p022_000", "p022/p022_001"]
    assert results["circumstances"]["seeds"] == [0]


def test_the_picture_has_a_row_for_each_film_and_a_mouth_for_each_speaker(told):
    results, picture = told
    assert results["pictures"] == ["real", "full", "no-adv", "no-img"]
    height, width = mouths(np.zeros((1, 128, 96, 3), np.uint8)).shape[1:3]
    assert picture.shape == (4 * height, width, 3)
    rows = [row.astype(float).std() for row in np.split(picture, 4)]
    assert rows[0] > rows[1] > rows[3] > rows[2]  # what is blurred is grey


def test_without_films_of_the_ablation_it_says_what_to_do(corpus, tmp_path):
    with pytest.raises(TalkerError, match="run the ablation first"):
        run(corpus, tmp_path, tmp_path / "out.json")
    assert not list(tmp_path.iterdir())


def test_the_figure_shows_films_values_and_claims(told, tmp_path):
    script = load_script("fig_generated_sharpness")
    figure = drawn_twice(script.draw, *told, folder=tmp_path)
    strip, *panels, claims = figure.axes
    assert [label.get_text() for label in strip.get_yticklabels()][0] == "real videos"
    for axes in panels:
        assert len([line for line in axes.lines if line.get_marker() == "o"]) == 1 + len(BLUR)
    assert sum(text.get_text() == "reproduced" for text in claims.texts) == len(CLAIMS)
