"""The blink detector's score and the corruptions, on cases worked by hand."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from talker.errors import TalkerError
from talker.experiments import blink_score, blink_validation, blinks_grid, corruptions
from talker.experiments.blink_validation import Watched, score, summary
from talker.metrics.blinks import Blink
from talker.metrics.pair import Footage, Pair
from talker.metrics.registry import HEARING, METRICS, measure
from talker.store import write_clip


def test_blinks_are_scored_one_to_one():
    detected = [Blink(10, 12, 18, 0.5), Blink(18, 19, 21, 0.5), Blink(40, 42, 50, 0.5)]
    found = score(detected, [(11, 20), (60, 70)])
    assert (found.found, found.missed, found.wrong) == (1, 1, 2)
    assert found.start_errors == [-1] and found.end_errors == [-2]


def test_the_summary_by_hand():
    rows = [score([Blink(9, 12, 22, 0.5)], [(10, 20)]), score([], [(5, 9)]), score([], [])]
    values = summary(rows)
    assert values["accuracy"]["value"] == values["recall"]["value"] == 0.5
    assert values["precision"]["value"] == 1
    assert values["mae_start"]["value"] == 1 and values["bias_start"] == -1
    assert values["mae_end"]["value"] == 2 and values["bias_end"] == 2
    assert (values["found"], values["missed"], values["wrong"], values["clips"]) == (1, 1, 0, 3)


def watched(turning: float = 1.0, glasses: bool = False) -> Watched:
    ear = np.full(75, 0.6)
    ear[20:29] -= 0.4 * np.array([0, 0.5, 1, 1, 0.8, 0.6, 0.4, 0.2, 0])
    return Watched("a", "test", ear, [(20, 28)], turning, glasses)


def test_noise_costs_precision_first():
    rows = blink_validation.against_noise([watched() for _ in range(10)])
    assert [row["noise"] for row in rows] == list(blink_validation.NOISE)
    assert rows[0]["precision"]["value"] == rows[0]["recall"]["value"] == 1
    assert rows[-1]["precision"]["value"] < 0.8 < rows[-1]["recall"]["value"]


def test_clips_are_grouped_by_motion_and_glasses():
    some = [watched(turning, glasses) for turning, glasses in ((3, True), (1, False), (2, False))]
    rows = blink_validation.by_motion(some)
    assert [row["degrees"] for row in rows] == [[1, 1], [2, 2], [3, 3]]
    groups = blink_validation.by_glasses(some)
    assert {name: group["clips"] for name, group in groups.items()} == {"with": 1, "without": 2}
    assert set(blink_validation.by_glasses([watched()])) == {"without"}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Two clips of 4 frames without a face, of two performers."""
    folder = tmp_path_factory.mktemp("corpus")
    rng = np.random.default_rng(0)
    for name, split in (("p1", "validation"), ("p2", "test")):
        frames = rng.integers(0, 255, (4, 8, 6, 3), np.uint8).repeat(16, 1).repeat(16, 2)
        truth = {
            "speaker": name,
            "split": split,
            "blinks": [[1, 3]],
            "head": [[0, t, 0] for t in range(4)],
        }
        truth["wears"] = {"glasses": "none"}
        write_clip(folder / name / f"{name}_0", frames, np.zeros(4 * 640, np.float32), truth)
    (folder / "corpus.json").write_text("{}")
    return folder


def test_blinks_of_a_corpus_are_validated(corpus, tmp_path):
    blink_validation.main(corpus, tmp_path / "blinks.json")
    results = json.loads((tmp_path / "blinks.json").read_text())
    assert results["values"]["missed"] == 2 and results["values"]["recall"]["value"] == 0
    assert results["values"]["precision"]["value"] is None
    assert results["per_clip"]["blinks"] == [[[0, 3]], [[0, 3]]]
    assert results["glasses"]["without"]["clips"] == 2 and results["example"] == {}
    assert [row["degrees"] for row in results["head_motion"]] == [[1.12, 1.12]] * 2
    assert results["shut"] == {} and results["detectors"]["authors' rule"]["missed"] == 2
    assert np.isnan(np.load(tmp_path / "blinks_ear.npy")).all()
    before = (tmp_path / "blinks.json").read_bytes()
    blink_validation.recompute(tmp_path / "blinks.json")
    assert (tmp_path / "blinks.json").read_bytes() == before


def flickering() -> np.ndarray:
    """The trace of `watched`, with landmarks of the shut eye that jump to its crease and back."""
    ear = np.full(75, 0.6)
    ear[20:34] = [0.6, 0.4, 0.25, 0.2, 0.5, 0.52, 0.5, 0.35, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6]
    return ear


def test_detectors_differ_where_a_shut_eye_looks_open():
    blinked = Watched("a", "test", flickering(), [(20, 33)], 1.0, False)
    found = {name: [] for name in blink_score.DETECTORS}
    for name, detector in blink_score.DETECTORS.items():
        found[name] = [blink.lowest for blink in detector(blinked.ear, 25)]
    assert len(found["ours"]) == 1 and len(found["without the rule for shut eyes"]) == 2
    number, blink = blink_validation.mended([watched(), blinked])
    assert number == 1 and blink_validation.moments(blinked.ear, blink) == [20, 23, 25, 28]
    assert blink_validation.mended([watched()]) is None


def test_a_clip_whose_blinks_are_all_found_without_the_rule_is_no_example(monkeypatch):
    both = [Blink(20, 23, 28, 0.6)], [Blink(20, 23, 28, 0.6), Blink(40, 42, 45, 0.6)]
    found = {str(number): lambda ear, fps, b=b: b for number, b in enumerate(both)}
    monkeypatch.setattr(blink_validation, "DETECTORS", found)
    assert blink_validation.mended([watched()]) is None


def test_the_authors_rule_by_hand():
    ear = np.full(30, 0.6)
    ear[10:15] = [0.62, 0.45, 0.3, 0.5, 0.61]
    ear[20:23] = [0.5, 0.41, 0.5]  # deep, but not below 0.4
    (found,) = blink_score.by_fixed_thresholds(ear)
    assert (found.start, found.lowest, found.end) == (10, 12, 14)
    assert found.depth == pytest.approx(0.5)
    assert blink_score.by_fixed_thresholds(np.full(30, np.nan)) == []
    low = np.full(30, 0.3)
    low[12] = 0.2  # below 0.4, but only 0.1 deep
    assert blink_score.by_fixed_thresholds(low) == []


def test_results_of_an_older_version_are_not_taken_for_traces(tmp_path):
    (tmp_path / "b.json").write_text('{"per_clip": {"clip": ["a"]}}')
    np.save(tmp_path / "b_ear.npy", np.zeros((1, 75), np.float16))
    with pytest.raises(TalkerError, match="b.json does not tell split of its clips"):
        blink_validation.recompute(tmp_path / "b.json")


def test_held_out_performers_are_looked_at_and_every_second_other(tmp_path):
    for number in range(8):
        truth = {"speaker": f"p{number}", "split": "test" if number == 3 else "train"}
        (tmp_path / f"p{number}").mkdir()
        (tmp_path / f"p{number}" / "a.json").write_text(json.dumps(truth))
    (tmp_path / "corpus.json").write_text("{}")
    looked_at = blink_validation.looked_at(tmp_path)
    assert [clip.speaker for clip in looked_at] == ["p1", "p3", "p4", "p6"]


def test_metrics_are_measured_under_every_corruption(corpus, tmp_path, monkeypatch):
    out = tmp_path / "corruptions.json"
    cheap = {name: METRICS[name] for name in ("psnr", "ssim", "motion", "av_confidence")}
    monkeypatch.setattr(corruptions, "METRICS", cheap)
    monkeypatch.setattr(corruptions, "chosen", lambda names: {n: cheap[n] for n in names or cheap})
    corruptions.main(corpus, out)
    first = out.read_bytes()
    results = json.loads(first, parse_constant=pytest.fail)
    rows = {(row["corruption"], row["level"]): row["values"] for row in results["rows"]}
    spoilt = sum(len(levels) for levels, _ in corruptions.SPOILT.values())
    assert len(rows) == len(results["rows"]) == 6 + spoilt + len(corruptions.EARLIER)
    assert all(set(values) == set(cheap) for values in rows.values())
    assert rows["none", None]["psnr"]["value"] is None  # infinite
    assert rows["none", None]["ssim"]["value"] == pytest.approx(1, abs=1e-4)
    assert rows["noise", 4]["psnr"]["value"] > rows["noise", 16]["psnr"]["value"]
    assert rows["frozen", None]["motion"]["value"] == 0
    assert rows["other sound", None]["motion"] == rows["none", None]["motion"]
    corruptions.main(corpus, out, "motion")  # measured anew, the rest is kept
    again = json.loads(out.read_bytes())
    assert [row["values"] for row in again["rows"]] == [row["values"] for row in results["rows"]]
    # The file's rows are found by what they are of, in whatever order they stand.
    out.write_text(json.dumps(results | {"rows": results["rows"][::-1]}))
    corruptions.main(corpus, out, "motion")
    assert json.loads(out.read_bytes())["rows"] == results["rows"]


@pytest.mark.parametrize("change", ["clips", "rows", "damaged", "missing"])
def test_other_clips_or_corruptions_are_not_mixed_into_a_file(
    corpus, tmp_path, monkeypatch, change
):
    out = tmp_path / "corruptions.json"
    monkeypatch.setattr(corruptions, "measured", lambda *given: pytest.fail("it measured first"))
    nothing = Footage(np.zeros((1, 16, 16, 3), np.uint8), np.zeros(16000, np.float32))
    rows = [{"corruption": c, "level": v} for c, v, *_ in corruptions.conditions(*[nothing] * 3)]
    results = {"clips": ["p1/p1_0", "p2/p2_0"], "rows": rows}
    out.write_text(json.dumps(results))
    assert len(corruptions._kept(out, results["clips"])) == len(rows)
    if change == "clips":
        out.write_text(json.dumps(results | {"clips": ["p1/p1_0", "p3/p3_0"]}))
    elif change == "rows":
        out.write_text(json.dumps(results | {"rows": [*rows[:-1], rows[-1] | {"level": 7}]}))
    elif change == "damaged":
        out.write_text("{")
    else:
        out.unlink()
    with pytest.raises(TalkerError, match="corruptions.json is not of the same clips and"):
        corruptions.main(corpus, out, "motion")


def test_no_metric_but_those_named_hears(monkeypatch):
    """On a film of noise, long enough for synchrony."""
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 255, (36, 8, 6, 3), np.uint8).repeat(16, 1).repeat(16, 2)
    quiet, loud = (Footage(frames, rng.normal(0, s, 36 * 640).astype("f4")) for s in (0.01, 0.2))
    asked = {n: METRICS[n] for n in ("psnr", "ssim", "cpbd", "wer", "motion", *HEARING)}
    one, other = (
        measure(Pair(each, quiet, "bin blue at f two now"), asked) for each in (quiet, loud)
    )
    assert {name for name in asked if one[name] != other[name]} <= set(HEARING)
    assert one["av_confidence"] != other["av_confidence"]


def test_shuffled_sound_has_the_same_samples_in_another_order():
    sound = np.arange(3200 * 15 + 7, dtype=np.float32)
    made = corruptions.shuffled(sound)
    assert sorted(made) == sound.tolist() and made[-7:].tolist() == sound[-7:].tolist()
    starts = made[: 3200 * 15 : 3200] / 3200
    assert sorted(starts) == list(range(15)) and np.mean(starts == np.arange(15)) < 0.2
    assert (np.diff(made[:3200]) == 1).all()


def test_frozen_frames_are_the_first():
    frames = np.arange(5, dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 2, 3), np.uint8)
    assert corruptions.frozen(frames + 3).tolist() == (frames[:1].repeat(5, 0) + 3).tolist()


def test_jpeg_keeps_colours_in_order():
    red = np.zeros((1, 16, 16, 3), np.uint8)
    red[..., 0] = 200
    np.testing.assert_allclose(corruptions.jpeg(red, 90)[0, 8, 8], [200, 0, 0], atol=4)


def test_half_closed_eyes_count_neither_way():
    found = {"a": [Blink(9, 12, 15, 0.6), Blink(30, 32, 34, 0.3), Blink(50, 52, 54, 0.5)]}
    counted = {"a": {"blinks": [[10, 12, 16]], "unclear": [[31, 33]]}}
    values = blinks_grid.compared(counted, found)
    assert (values["found"], values["missed"], values["wrong"]) == (1, 0, 1)
    assert values["strict_precision"] == pytest.approx(1 / 3, abs=1e-4)


def test_blinks_of_grid_are_worked_out_from_stored_traces(tmp_path, monkeypatch):
    out = tmp_path / "grid.json"
    seen = {"blinks": [[20, 23, 28]], "unclear": [], "speaker": "s1"}
    counted = {"b": seen | {"seen_before": False}, "a": seen | {"seen_before": True}}
    out.write_text(json.dumps({"counted": counted}))
    traces = {"a": watched().ear, "b": np.full(60, 0.6)}
    monkeypatch.setattr(blinks_grid, "read_crops", lambda path: path.stem)
    monkeypatch.setattr(blinks_grid, "Footage", lambda name: SimpleNamespace(ear=traces[name]))
    blinks_grid.main(tmp_path, out)
    first = out.read_bytes()
    results = json.loads(first)
    assert results["values"]["seen_before"]["found"] == results["values"]["unseen"]["missed"] == 1
    assert results["frames"] == {"a": 75, "b": 60} and results["detected"]["b"] == []
    assert set(results["detectors"]) == set(blink_score.DETECTORS)
    blinks_grid.recompute(out)
    assert out.read_bytes() == first
