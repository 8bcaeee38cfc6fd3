"""Table 6 on noise: methods trained for a step, their clips as files, and the results file."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_baselines import SMALL
from small_training import SMOKE

from talker import train as loop
from talker.animate import load_still
from talker.baselines.training import METHODS, Budget
from talker.checkpoint import save_generator
from talker.errors import TalkerError
from talker.experiments import comparison
from talker.experiments.comparison import EQUAL, IN_PAPER, PROPOSED, main, train_equal
from talker.experiments.made import film, measured
from talker.experiments.paper import read_table
from talker.faces import find_detector
from talker.media import read_audio, read_image
from talker.metrics.registry import METRICS
from talker.models.generator import Generator
from talker.store import clips, read_sound, write_clip
from talker.tracking import fit_crops
from talker.video import read_video

CHEAP = {"metrics": ("psnr", "laplacian"), "workers": 1}
BUDGET = Budget(steps=1)


LEARN = (EQUAL, *METHODS)


@pytest.fixture(scope="module", autouse=True)
def small():
    """The proposed model is of the smallest preset, too, and there is nothing to watch it on."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(comparison, "PRESET", "smoke")
        patch.setattr(loop, "Validation", lambda *_: None)
        yield


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    """A generator that was not trained."""
    folder = tmp_path_factory.mktemp("ours")
    save_generator(folder, Generator(SMOKE.model), {"step": 0, "seed": 0})
    return folder


@pytest.fixture(scope="module")
def made(noise_corpus, ours, tmp_path_factory):
    """Folder of the runs, results file, its contents."""
    folder = tmp_path_factory.mktemp("comparison")
    out = folder / "comparison.json"
    main(noise_corpus, folder / "runs", out, BUDGET, ours, SMALL, **CHEAP)
    return folder / "runs", out, json.loads(out.read_text())


def test_every_method_of_the_paper_has_values_with_intervals(made):
    _, _, results = made
    assert list(results["methods"]) == sorted([PROPOSED, *LEARN])
    for row in results["methods"].values():
        for name in CHEAP["metrics"]:
            value = row["values"][name]
            assert value["low"] <= value["value"] <= value["high"] and value["clips"] == 1
            assert row["per_clip"][name] == [pytest.approx(value["value"], abs=1e-4)]
        assert row["per_clip"]["clip"] == results["clips"] == ["p022/p022_000"]
        assert len(row["weights"]) == 64 and row["commit"]
    assert {results["methods"][name]["training"]["step"] for name in LEARN} == {1}
    # What compares says nothing of the real videos themselves.
    assert results["real"]["values"].keys() == {"laplacian"}


def test_the_papers_rows_stand_beside_ours(made):
    _, _, results = made
    rows = {(row["dataset"], row["method"]): row for row in results["paper"]}
    assert len(rows) == len(read_table("paper_table6.csv")) == 13
    assert rows["GRID", "speech2vid"]["psnr"] == 22.662
    assert rows["LRW", "atvgnet"]["acd"] == pytest.approx(2.14e-4)
    assert rows["LRW", "atvgnet"]["wer"] is None
    assert {method for _, method in rows} == set(IN_PAPER.values()) == {PROPOSED, *METHODS}


def test_both_of_ours_are_held_against_each_rival(made):
    _, _, results = made
    claims = results["claims"]
    assert [(claim["variant"], claim["measure"]) for claim in claims] == [
        (EQUAL, "psnr"),
        (PROPOSED, "psnr"),
    ]
    for claim in claims:
        ours = results["methods"][claim["variant"]]["per_clip"]["psnr"][0]
        assert set(claim["against"]) == set(METHODS)
        for rival, told in claim["against"].items():
            theirs = results["methods"][rival]["per_clip"]["psnr"][0]
            assert told["effect"]["value"] == pytest.approx(ours - theirs, abs=1e-3)
    assert comparison.concluded({EQUAL: results["methods"][EQUAL]}) == []


def test_clips_are_files_with_the_sound_of_the_real_ones(made, noise_corpus):
    runs, _, _ = made
    clip = clips(noise_corpus, "test")[0]
    real = read_video(clip.video)[0]
    for name in (PROPOSED, *LEARN):
        stem = runs / name / "clips" / clip.name
        frames, fps = read_video(stem.with_suffix(".mp4"))
        assert frames.shape == real.shape and fps == 25
        np.testing.assert_array_equal(read_sound(stem.with_suffix(".wav")), read_sound(clip.audio))
        assert len(read_audio(stem.with_suffix(".mp4"))[0]) >= 48000


def test_moments_of_every_method_stand_below_the_real_ones(made, noise_corpus):
    runs, out, results = made
    assert results["frames"] == ["real", *comparison.ORDER]
    rows = np.split(read_image(out.with_name("comparison_frames.png")), len(results["frames"]))
    clip = clips(noise_corpus, "test")[0]
    films = {"real": clip.video} | {
        name: runs / name / "clips" / f"{clip.name}.mp4" for name in comparison.ORDER
    }
    for name, row in zip(results["frames"], rows, strict=True):
        np.testing.assert_array_equal(row[:, :96], read_video(films[name])[0][8])


def test_pictures_do_without_a_method_whose_films_are_gone(made, noise_corpus, tmp_path):
    runs, _, _ = made
    shutil.copytree(runs, tmp_path / "runs")
    shutil.rmtree(tmp_path / "runs" / EQUAL)
    out, shown = tmp_path / "comparison.json", clips(noise_corpus, "test")
    rows = comparison.write_pictures(out, tmp_path / "runs", comparison.ORDER, shown)
    assert rows == ["real", *(name for name in comparison.ORDER if name != EQUAL)]
    assert len(read_image(tmp_path / "comparison_frames.png")) == 128 * len(rows)
    assert not (tmp_path / "comparison_moving.webp").exists()


def test_the_film_has_three_methods_above_three_others(made):
    _, out, _ = made
    with Image.open(out.with_name("comparison_moving.webp")) as film:
        assert film.is_animated and film.n_frames > 20
        wide, high = film.size
    assert wide == 3 * 2 * 96 and high >= 2 * 2 * 128


def test_what_is_there_is_not_made_again(made, noise_corpus, ours, monkeypatch):
    runs, out, results = made
    monkeypatch.setattr(comparison, "examine", lambda *_: pytest.fail("made again"))
    main(noise_corpus, runs, out, BUDGET, ours, SMALL, **CHEAP)
    assert json.loads(out.read_text()) == results


def test_an_interrupted_comparison_goes_on(made, noise_corpus, ours, tmp_path, monkeypatch):
    runs, _, results = made
    shutil.copytree(runs, tmp_path / "runs")
    out, order = tmp_path / "comparison.json", []

    def interrupted(name, *others):
        order.append(name)
        if name == "speech2vid" and order.count(name) == 1:
            raise KeyboardInterrupt
        row = results["methods"][name]
        return row | {"real": results["real"]}

    monkeypatch.setattr(comparison, "examine", interrupted)
    with pytest.raises(KeyboardInterrupt):
        main(noise_corpus, tmp_path / "runs", out, BUDGET, ours, SMALL, **CHEAP)
    assert set(json.loads(out.read_text())["methods"]) == {PROPOSED, EQUAL, "static"}
    main(noise_corpus, tmp_path / "runs", out, BUDGET, ours, SMALL, **CHEAP)
    assert order == [PROPOSED, EQUAL, "static", "speech2vid", "speech2vid", "atvgnet"]
    finished = json.loads(out.read_text())
    assert finished["methods"].keys() == results["methods"].keys()
    assert finished["real"] == results["real"]


def test_results_of_other_settings_are_refused(made, noise_corpus, ours):
    runs, out, _ = made
    with pytest.raises(TalkerError, match="results of other settings"):
        main(noise_corpus, runs, out, Budget(steps=2), ours, SMALL, **CHEAP)


def test_the_proposed_model_learns_for_the_minutes_of_all_calls(noise_corpus, tmp_path):
    """Interruptions do not lengthen it: the second call has next to nothing left."""
    budget = Budget(minutes=0.05)
    first = train_equal(noise_corpus, tmp_path, budget)
    assert first.step >= 1 and first.seconds >= 1
    again = train_equal(noise_corpus, tmp_path, budget)
    assert first.step <= again.step <= first.step + 2


def test_the_proposed_model_that_diverges_is_told(noise_corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(comparison, "train_trial", lambda config: "a loss is not finite")
    with pytest.raises(TalkerError, match="not finite"):
        train_equal(noise_corpus, tmp_path, Budget(steps=1))


def test_a_clip_that_cannot_be_measured_is_named(noise_corpus, tmp_path):
    found = clips(noise_corpus)

    def speak(clip, still, signal, number):
        return np.repeat(still[None], 75, axis=0)

    film(speak, found[:1], tmp_path / "clips")
    with pytest.raises(TalkerError, match=found[1].name):
        measured(tmp_path / "clips", noise_corpus, found[:2], tmp_path / "told.json", **CHEAP)


@pytest.fixture
def face_corpus(tmp_path):
    """A photograph that sways, in a clip of 15 frames of each of two people."""
    still = load_still(Path("talker/assets/still.png"))
    marks = fit_crops([still], find_detector())[0]
    frames = np.stack([np.roll(still, t % 3, axis=1) for t in range(15)])
    landmarks = [(marks + [t % 3, 0]).tolist() for t in range(15)]
    for speaker, split in (("p000", "train"), ("p022", "test")):
        truth = {"speaker": speaker, "split": split, "text": "bin blue", "landmarks": landmarks}
        signal = (0.1 * np.random.standard_normal(9600)).astype(np.float32)
        write_clip(tmp_path / "corpus" / speaker / f"{speaker}_000", frames, signal, truth)
    (tmp_path / "corpus" / "corpus.json").write_text("{}")
    return tmp_path / "corpus"


@pytest.mark.slow
def test_every_metric_of_the_registry_is_measured_with_the_usual_settings(
    face_corpus, ours, tmp_path
):
    out = tmp_path / "comparison.json"
    comparison.run(face_corpus, tmp_path / "runs", out, steps=1, generator=ours)
    results = json.loads(out.read_text())
    for row in results["methods"].values():
        assert row["values"].keys() == METRICS.keys()
    # After one step the static baseline still shows the face of the still.
    assert results["methods"]["static"]["values"]["acd"]["clips"] == 1
    compares = {name for name, metric in METRICS.items() if metric.compares}
    assert results["real"]["values"].keys() == METRICS.keys() - compares
    assert results["budget"] == {"steps": 1, "minutes": comparison.MINUTES}
