"""Folders of videos against each other: matching, refusals, the results file, and sanity."""

import json
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from small_corpus import FRAMES, record, scene

from talker import cli
from talker import evaluate as evaluation
from talker.bench import bench
from talker.errors import INSTALL, TalkerError
from talker.evaluate import evaluate, table
from talker.faces import align, find_detector
from talker.media import read_image, write_audio
from talker.metrics.files import find_pairs, read_crops, read_pair, read_sound, transcript
from talker.metrics.pair import Footage, Pair, Weights
from talker.metrics.registry import METRICS, chosen, measure, measure_real
from talker.video import write_video

CHEAP = ("psnr", "ssim", "motion")
STILL = "talker/assets/still.png"


@pytest.fixture(scope="module")
def crops():
    """The swaying photograph as aligned crops."""
    marks = find_detector().detect(scene(0))[0].landmarks
    return np.stack([align(scene(t), marks)[0] for t in range(FRAMES)])


@pytest.fixture(scope="module")
def stranger():
    """Aligned crops of another face, without motion."""
    image = read_image(STILL)
    crop = align(image, find_detector().detect(image)[0].landmarks)[0]
    return np.repeat(crop[None], FRAMES, axis=0)


def noisy(frames: np.ndarray, deviation: float = 6) -> np.ndarray:
    values = frames + np.random.default_rng(0).normal(0, deviation, frames.shape)
    return values.clip(0, 255).astype(np.uint8)


def values(generated: np.ndarray, real: np.ndarray, *names: str) -> dict[str, float]:
    return measure(Pair(Footage(generated), Footage(real)), chosen(names))


def test_equal_videos_are_perfect(crops):
    found = values(crops, crops)
    assert found["psnr"] == found["psnr_lower"] == np.inf
    for name in ("ssim", "ssim_lower", "opening", "width"):
        assert found[name] == pytest.approx(1, abs=1e-5), name
    pair = Pair(Footage(crops), Footage(crops))
    real = measure_real(pair, METRICS)
    assert not {"psnr", "ssim", "opening"} & set(real)
    for name, value in real.items():
        np.testing.assert_allclose(found[name], value, err_msg=name)


def test_blur_lowers_sharpness_monotonically(crops):
    for name in ("cpbd", "laplacian", "psnr", "ssim"):
        at = [
            values(gaussian_filter(crops, (0, s, s, 0)), crops, name)[name] for s in (0.6, 1.2, 2)
        ]
        assert at[0] > at[1] > at[2], name


def test_another_person_raises_the_content_distance(crops, stranger):
    own = values(noisy(crops), crops, "acd")["acd"]
    other = values(stranger, crops, "acd")["acd"]
    assert own < 0.4 < 0.6 < other


def test_frozen_frames_neither_blink_nor_move(crops):
    frozen = np.repeat(crops[:1], len(crops), axis=0)
    found = values(frozen, crops)
    assert found["blinks"] == found["motion"] == found["horizontal_motion"] == 0
    assert np.isnan(found["blink_duration"])


def test_a_mirror_changes_nothing_but_the_direction_of_flow(crops):
    made = noisy(crops)
    here, there = values(made, crops), values(made[:, :, ::-1], crops[:, :, ::-1])
    assert there["horizontal_motion"] == pytest.approx(-here["horizontal_motion"], abs=0.02)
    assert abs(here["horizontal_motion"]) > 0.05
    for name in set(METRICS) - {"horizontal_motion", "blink_duration"}:
        # Detectors and embeddings of photographs are not quite symmetrical.
        near = {"acd": 0.1, "opening": 0.35, "width": 0.35}.get(name, 0.02)
        assert there[name] == pytest.approx(here[name], abs=near, rel=0.05, nan_ok=True), name


def test_without_a_face_only_pictures_are_measured(crops):
    grey = np.full_like(crops, 128)
    found = values(grey, crops)
    undefined = {name for name, value in found.items() if np.isnan(value)}
    untold = {"av_offset", "av_confidence", "wer"}
    assert undefined == {"acd", "opening", "width", "blinks", "blink_duration"} | untold


def test_one_frame_has_no_motion_and_no_blinks(crops):
    found = values(crops[:1], crops[:1])
    undefined = {name for name, value in found.items() if np.isnan(value)}
    assert undefined == {
        *("opening", "width", "blinks", "blink_duration", "motion", "horizontal_motion"),
        *("av_offset", "av_confidence", "wer"),
    }


def test_unknown_metrics_are_named():
    with pytest.raises(TalkerError, match="no metric 'fid': choose from psnr, "):
        chosen(("psnr", "fid"))
    assert list(chosen(("ssim", "psnr"))) == ["psnr", "ssim"]


def touch(*paths):
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_files_are_matched_by_path_or_else_by_name(tmp_path):
    made, real = tmp_path / "made", tmp_path / "real"
    touch(made / "s1/a.mp4", real / "s1/a.MPG", real / "s2/a.mpg")
    touch(made / "b.webm", real / "s1/b.mpg", made / "notes.txt", real / ".c.part.mp4")
    touch(made / "lost.mp4", made / "twice.mp4", real / "s1/twice.avi", real / "s2/twice.avi")
    pairs, notes = find_pairs(made, real)
    assert [(name, b.relative_to(real).as_posix()) for name, _, b in pairs] == [
        ("b", "s1/b.mpg"),
        ("s1/a", "s1/a.MPG"),
    ]
    assert len(notes) == 5
    assert f"{made / 'lost.mp4'} was left out: no video of that name in {real}." in notes
    assert f"{made / 'twice.mp4'} was left out: several videos of that name in {real}." in notes
    assert f"{real / 's2/a.mpg'} was left out: no video of that name in {made}." in notes


def test_a_name_alone_does_not_take_the_partner_of_an_equal_path(tmp_path):
    made, real = tmp_path / "made", tmp_path / "real"
    touch(made / "a.mp4", made / "s1/a.mp4", real / "s1/a.mp4")
    pairs, notes = find_pairs(made, real)
    assert pairs == [("s1/a", made / "s1/a.mp4", real / "s1/a.mp4")]
    assert notes == [
        f"{made / 'a.mp4'} was left out: {real / 's1/a.mp4'} has another partner already."
    ]
    touch(real / "s2/a.mp4")
    assert [b for _, _, b in find_pairs(made, real)[0]] == [real / "s2/a.mp4", real / "s1/a.mp4"]


def test_nothing_to_compare_is_exit_status_2(tmp_path, capsys):
    made, real = tmp_path / "made", tmp_path / "real"
    arguments = ["evaluate", "--generated", str(made), "--real", str(real)]
    for prepare, sentence in (
        (lambda: None, f"there is no folder {made}: check the path."),
        (lambda: touch(made / "a.txt"), f"{made} holds no video: give a folder with"),
        (lambda: touch(made / "a.mp4", real / "b.mp4"), "name them alike, for instance b.mp4."),
        (lambda: touch(real / "a.mp4"), "nothing can be compared: "),
    ):
        prepare()
        assert cli.main(arguments) == 2
        said = [line for line in capsys.readouterr().err.splitlines() if "talker:" in line]
        assert len(said) == 1 and sentence in said[0]


@pytest.fixture
def folders(tmp_path, crops):
    """Two pairs of crops, one of them shorter, and a file that cannot be read."""
    made, real = tmp_path / "made", tmp_path / "real"
    made.mkdir(), real.mkdir()
    for name, length in (("a", FRAMES), ("b", 9)):
        write_video(real / f"{name}.mp4", crops, 25)
        write_video(made / f"{name}.mp4", noisy(crops[:length]), 25)
    write_video(real / "broken.mp4", crops, 25)
    (made / "broken.mp4").write_bytes(b"not a film")
    return made, real


def test_the_results_file(folders, tmp_path):
    made, real = folders
    out = tmp_path / "results.json"
    results = evaluate(made, real, out, CHEAP, workers=1)
    stored = json.loads(out.read_text())
    assert stored["per_clip"]["clip"] == ["a", "b"] and len(stored["notes"]) == 2
    assert stored["notes"][0].startswith(
        "b: 9 generated and 15 real frames; the first 9 of each were compared."
    )
    assert stored["notes"][1].startswith("broken was left out: ")
    psnr = stored["per_clip"]["generated"]["psnr"]
    assert stored["metrics"]["psnr"]["generated"]["value"] == pytest.approx(np.mean(psnr), abs=1e-4)
    assert set(stored["per_clip"]["real"]) == {"motion"} and stored["seed"] == 0
    assert {"talker", "torch", "jiwer", "scipy", "numpy"} <= stored["versions"].keys()
    again = tmp_path / "again.json"
    evaluate(made, real, again, CHEAP, workers=1)
    assert again.read_bytes() == out.read_bytes()
    lines = table(results).splitlines()
    assert lines[0].split() == ["PSNR", "SSIM", "motion"]
    assert lines[2].split()[:3] == ["real", "-", "-"]


@pytest.mark.slow
def test_processes_give_what_one_gives(folders, tmp_path):
    made, real = folders
    for workers in (1, 2):
        evaluate(made, real, tmp_path / f"{workers}.json", CHEAP, workers=workers)
    assert (tmp_path / "1.json").read_bytes() == (tmp_path / "2.json").read_bytes()


def test_a_place_that_cannot_be_written_shows_before_anything_is_measured(folders, monkeypatch):
    def never(*_, **__):
        raise AssertionError("measured")

    monkeypatch.setattr(evaluation, "measure_files", never)
    with pytest.raises(TalkerError, match="is a folder"):
        evaluate(*folders, out=folders[0], workers=1)


def test_equal_videos_leave_no_infinity_in_the_file(folders, tmp_path, capsys):
    _, real = folders
    arguments = ["evaluate", "--generated", str(real), "--real", str(real), "--workers", "1"]
    assert cli.main([*arguments, "-o", str(tmp_path / "r.json"), "--metrics", "psnr"]) == 0
    assert capsys.readouterr().out.splitlines()[1].split() == ["generated", "inf"]
    stored = json.loads((tmp_path / "r.json").read_text(), parse_constant=pytest.fail)
    assert stored["per_clip"]["generated"]["psnr"] == [None] * 3


def test_faces_of_any_size_are_aligned(tmp_path, crops):
    film = record(tmp_path / "a.mp4")
    found = read_crops(film)
    assert found.shape == crops.shape
    marks = [find_detector().detect(frame)[0].landmarks for frame in (found[0], crops[0])]
    assert np.abs(marks[0] - marks[1]).mean() < 2


def test_enlarged_crops_are_shrunk_when_said_to_be_aligned(tmp_path, crops):
    large = [cv2.resize(frame, None, fx=2, fy=2) for frame in crops]
    write_video(tmp_path / "a.mp4", large, 25)
    found = read_crops(tmp_path / "a.mp4", aligned=True)
    assert found.shape == crops.shape and np.abs(found.astype(float) - crops).mean() < 4
    film = record(tmp_path / "wide.mp4")
    with pytest.raises(TalkerError, match="wide.mp4 has frames of 220x240.*leave out --aligned"):
        read_crops(film, aligned=True)


def test_a_video_without_a_face_is_named(tmp_path):
    write_video(tmp_path / "grey.mp4", np.full((5, 64, 64, 3), 120, np.uint8), 25)
    with pytest.raises(TalkerError, match="grey.mp4 shows no face"):
        read_crops(tmp_path / "grey.mp4")


def test_frames_without_a_face_are_told(tmp_path):
    """A clip is measured all the same, by the rule by which preparation would reject it."""
    film = record(tmp_path / "whole.mp4")
    shown = [np.full_like(scene(t), 120) if 4 <= t < 11 else scene(t) for t in range(FRAMES)]
    write_video(tmp_path / "hidden.mp4", shown, 25)
    pair, note = read_pair(tmp_path / "hidden.mp4", film)
    assert len(pair.generated.frames) == FRAMES
    told = re.fullmatch(r"in the generated video no face is seen in (\d+) of 15 frames, .*", note)
    assert told and int(told[1]) >= 7
    assert read_pair(film, film)[1] is None


def test_sound_begins_with_the_first_frame(tmp_path, crops):
    """A click at frame 4 of the file; a stored clip's .wav goes before the video's own track."""
    sound = np.zeros(640 * FRAMES, np.float32)
    sound[640 * 4 : 640 * 4 + 160] = 0.9
    write_video(tmp_path / "a.mp4", crops, 25, sound, 16000)
    heard = read_sound(tmp_path / "a.mp4", FRAMES)
    assert heard.shape == (640 * FRAMES,) and heard.dtype == np.float32
    loudness = np.abs(heard).reshape(FRAMES, 640).max(axis=1)
    assert loudness.argmax() == 4 and loudness[[0, 1, 2, 6, 7]].max() < 0.05
    write_audio(tmp_path / "a.wav", np.roll(sound, 640), 16000)
    assert np.abs(read_sound(tmp_path / "a.mp4", 9)).argmax() // 640 == 5
    write_video(tmp_path / "b.mp4", crops, 25)
    assert read_sound(tmp_path / "b.mp4", 9) is None


def test_a_generated_video_without_sound_has_that_of_the_real_one(folders):
    made, real = folders
    sound = np.random.default_rng(0).normal(0, 0.1, 640 * FRAMES).astype(np.float32)
    write_audio(real / "b.wav", sound, 16000)
    pair, note = read_pair(made / "b.mp4", real / "b.mp4")
    assert note.startswith("9 generated and 15 real frames")
    assert len(pair.generated.frames) == len(pair.real.frames) == 9
    assert pair.generated.audio is pair.real.audio and len(pair.real.audio) == 640 * 9
    np.testing.assert_allclose(pair.real.audio, sound[: 640 * 9], atol=1e-4)
    assert pair.transcript is None and pair.weights == Weights()


def test_what_is_said_is_looked_up_or_spelled(tmp_path):
    film = tmp_path / "bbaf2n.mpg"
    assert transcript(film) == "bin blue at f two now"
    film.with_suffix(".json").write_text('{"text": "Lay  GREEN"}')
    assert transcript(film) == "lay green"
    film.with_suffix(".txt").write_text("Set white\n")
    assert transcript(film) == "set white"
    assert transcript(tmp_path / "interview.mp4") is None
    (tmp_path / "odd.json").write_text("[1]")
    with pytest.raises(TalkerError, match="odd.json is no truth of a clip"):
        transcript(tmp_path / "odd.mp4")


def test_weights_are_passed_on_each_to_its_network(monkeypatch, tmp_path):
    from talker import evaluate as module

    asked = {}
    monkeypatch.setattr(module, "table", lambda results: "")
    monkeypatch.setattr(module, "evaluate", lambda *given: asked.update(all=given) or {"notes": []})
    made, real = tmp_path / "made", tmp_path / "real"
    arguments = ["evaluate", "--generated", str(made), "--real", str(real), "--seed", "3"]
    options = ["--sync-weights", "syncnet_v2.model", "--lip-weights", "lips.pt", "--aligned"]
    assert cli.main([*arguments, *options, "--workers", "2", "--metrics", "wer", "acd"]) == 0
    weights = Weights(synchrony=Path("syncnet_v2.model"), lip_reader=Path("lips.pt"))
    assert asked["all"] == (made, real, None, ("wer", "acd"), 2, True, weights, 3)


def test_a_missing_extra_is_one_sentence():
    """As after `make demo`, which brings none of these packages."""
    code = """
import sys
from talker import cli
evaluate = ["evaluate", "--generated", "a", "--real", "b"]
train = ["train", "--corpus", "a", "--out", "b"]
needed = {"scipy": evaluate, "jiwer": evaluate, "torchmetrics": evaluate, "lightning": train}
for name, command in needed.items():  # in the order of the imports
    sys.modules[name] = None  # what import takes for a package that is not there
    assert cli.main(command) == 2, name
    del sys.modules[name]
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    lines = run.stderr.splitlines()
    assert len(lines) == 4, run.stderr
    for line, name in zip(lines, ("scipy", "jiwer", "torchmetrics", "lightning"), strict=True):
        assert f"the package {name}, which is not installed" in line
        assert line.endswith(f"{INSTALL}.")


def test_a_missing_cpbd_is_the_same_sentence(monkeypatch, crops):
    monkeypatch.setitem(sys.modules, "cpbd", None)
    with pytest.raises(TalkerError, match=f"package cpbd, .* {INSTALL}"):
        values(crops, crops, "cpbd")


@pytest.mark.slow
def test_a_folder_is_evaluated_over_growing_counts(tmp_path, capsys):
    for number in range(2):
        record(tmp_path / "films" / f"{number}.mp4")
    out = tmp_path / "bench.json"
    rows = bench("evaluate", [tmp_path / "films"], out)
    assert json.loads(out.read_text()) == rows
    assert [(row["clips"], row["frames"]) for row in rows] == [(1, FRAMES), (2, 2 * FRAMES)]
    for row in rows:
        assert row["clips_per_minute"] > 0
        assert 100 < row["networks_megabytes"] <= row["peak_megabytes"] < 4000
    grown = rows[1]["peak_megabytes"] - rows[0]["peak_megabytes"]
    assert grown < 0.1 * rows[0]["peak_megabytes"]
    with pytest.raises(TalkerError, match="no file to evaluate"):
        bench("evaluate", [])
    (tmp_path / "broken.mp4").write_bytes(b"not a film")
    with pytest.raises(TalkerError, match="broken.mp4"):
        bench("evaluate", [tmp_path / "broken.mp4"])


def test_what_metrics_share_is_worked_out_once():
    calls = []

    def count(footage, more):
        calls.append(more)
        return len(calls)

    footage = Footage(np.zeros((1, 128, 96, 3), np.uint8))
    assert [footage.once(count, more) for more in ("a", "a", "b", "a")] == [1, 1, 2, 1]
