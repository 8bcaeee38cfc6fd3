"""Skip connections: two steps with them and without, what is measured, the picture, the figure."""

import functools
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from figure_scripts import drawn_twice, load_script
from small_training import settings, weights_of

from talker import evaluate as evaluation
from talker import train as loop
from talker.checkpoint import load_generator
from talker.errors import TalkerError
from talker.experiments import claims, departures, skips
from talker.experiments import made as films
from talker.experiments.skips import MEASURES, VARIANTS, configured, run, summarised, write_frames
from talker.media import read_image
from talker.metrics.intervals import bootstrap
from talker.metrics.reconstruction import psnr
from talker.store import StoredClip, read_frames
from talker.trainer import Trainer
from talker.video import write_video

SCRIPT = Path(__file__).parents[1] / "figures/fig_skips.py"
CLIP = "p022/p022_000"  # the noise corpus's only one to test on
FOLDERS = {"with": "no-composition", "without": "no-skips"}
few = functools.partial(bootstrap, draws=50)


def quick(generated, real, out, metrics):
    """`evaluate` without what looks for a face: 0.5 stands for it."""
    evaluation.evaluate(generated, real, out, ("psnr", "ssim"), workers=1)
    found = json.loads(out.read_text())
    for name in set(metrics) - {"psnr", "ssim"}:
        for side in ("generated", "real") if name == "acd" else ("generated",):
            found["per_clip"][side][name] = [0.5]
            found["metrics"].setdefault(name, {})[side] = few([0.5])
    found["identity"]["different_people"] = 1.0
    out.write_text(json.dumps(found))


def shrink(patch) -> None:
    """Two steps of the smallest preset."""
    for name, value in {"PRESET": "smoke", "STEPS_A": 2, "PRECISION": "fp32"}.items():
        patch.setattr(departures, name, value)
    patch.setattr(films, "evaluate", quick)
    patch.setattr(loop, "Validation", lambda *_: None)
    patch.setattr(claims, "bootstrap", few)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    shrink(monkeypatch)


@pytest.fixture(scope="module")
def made(noise_corpus, tmp_path_factory) -> tuple[Path, Path, bytes]:
    """The folder of the runs, results, and the log of "with" as the departures leave it."""
    folder = tmp_path_factory.mktemp("skips")
    runs, out = folder / "runs", folder / "skips.json"
    with pytest.MonkeyPatch.context() as patch:
        shrink(patch)
        assert departures.train_variant("no-composition", noise_corpus, runs, 0) is None
        log = (runs / "no-composition/log.jsonl").read_bytes()
        run(noise_corpus, runs, out)
    return runs, out, log


# ---- what is asked


def test_variants_differ_in_skips_alone_and_begin_with_the_same_weights(monkeypatch, tmp_path):
    for preset in ("laptop", "smoke"):
        monkeypatch.setattr(departures, "PRESET", preset)
        ours, others = (settings(configured(name, tmp_path, tmp_path)) for name in VARIANTS)
        assert {key for key in ours if ours[key] != others[key]} == {"train.out", "model.skips"}
        assert ours["model.skips"] and not ours["model.composition"]
        assert ours["train.steps"] == ours["train.warm_up"] == 2
    same = departures.configured("no-composition", tmp_path, tmp_path)
    assert configured("with", tmp_path, tmp_path) == same
    first, second = (
        weights_of(Trainer(configured(name, tmp_path, tmp_path)))["generator"] for name in VARIANTS
    )
    assert first.keys() == second.keys()
    assert all(torch.equal(first[key], second[key]) for key in first)


# ---- runs


def test_the_departures_run_is_not_trained_again(made):
    runs, _, log = made
    assert (runs / "no-composition/log.jsonl").read_bytes() == log
    rows = [json.loads(line) for line in (runs / "no-skips/log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [1, 2]
    first = json.loads(log.splitlines()[0])
    assert rows[0]["l1_lower"] != first["l1_lower"]


def test_only_one_of_the_trained_generators_looks_at_skips(made):
    still, other = torch.rand(2, 1, 3, 128, 96) * 2 - 1
    for name, folder in FOLDERS.items():
        generator = load_generator(made[0] / folder / "generator")
        with torch.no_grad():
            code = generator.encode_still(still)
            swapped = code._replace(skips=generator.encode_still(other).skips)
            z_c = torch.zeros(1, 1, generator.config.content_dim)
            z_n = torch.zeros(1, 1, generator.config.noise_dim)
            drawn = [generator.decode(each, z_c, z_n) for each in (code, swapped)]
        assert torch.equal(*drawn) == (name == "without")


def test_results_hold_values_effects_claims_and_frames(noise_corpus, made):
    runs, out, _ = made
    told = json.loads(out.read_text())
    assert told["clips"] == [CLIP] and told["circumstances"]["steps"] == 2
    real = read_frames(noise_corpus / f"{CLIP}.mp4")
    made_by = {name: read_frames(runs / FOLDERS[name] / f"clips/{CLIP}.mp4") for name in VARIANTS}
    values = {}
    for name in VARIANTS:
        row = told["runs"][name]
        assert row["per_clip"].keys() == {"clip", *MEASURES} and row["seconds"] > 0
        values[name] = row["values"]["psnr"]["value"]
        assert values[name] == pytest.approx(psnr(made_by[name], real), abs=1e-4)
    assert values["with"] != values["without"]
    gap = told["effects"]["psnr"]["value"]
    assert gap == pytest.approx(values["without"] - values["with"], abs=2e-5)
    assert told["effects"].keys() == set(MEASURES) and told["effects"]["acd"]["value"] == 0
    assert told["real"]["values"].keys() == {"acd"} and told["real"]["different_people"] == 1
    assert [claim["measure"] for claim in told["claims"]] == ["acd", "psnr", "ssim"]
    assert told["claims"][1]["verdict"] == ("reproduced" if gap < 0 else "not reproduced")
    assert told["frames"] == ["still", "real", *VARIANTS]
    at = max(range(75), key=lambda n: np.abs(real[n, 64:].astype(int) - real[0, 64:]).mean())
    cells = np.split(read_image(out.with_name("skips_frames.png")), 4)
    expected = [real[0], real[at], made_by["with"][at], made_by["without"][at]]
    assert at > 0 and all(map(np.array_equal, cells, expected))


def test_what_is_done_is_left_alone_and_what_is_not_is_made(noise_corpus, made, monkeypatch):
    runs, out, _ = made
    before = out.read_bytes()
    whole = json.loads(before)
    examine = skips.examine
    monkeypatch.setattr(skips, "examine", lambda *_: pytest.fail("made again"))
    run(noise_corpus, runs, out)
    assert out.read_bytes() == before
    monkeypatch.setattr(departures, "STEPS_A", 3)
    with pytest.raises(TalkerError, match="results of other settings"):
        run(noise_corpus, runs, out)
    monkeypatch.setattr(departures, "STEPS_A", 2)

    cut_off = out.with_name("cut_off.json")
    half = whole | {"runs": {"with": whole["runs"]["with"]}}
    cut_off.write_text(json.dumps(half))
    asked = []
    monkeypatch.setattr(
        skips, "examine", lambda name, *rest: asked.append(name) or examine(name, *rest)
    )
    run(noise_corpus, runs, cut_off)
    assert asked == ["without"]
    again = json.loads(cut_off.read_text())
    assert again["effects"] == whole["effects"] and again["real"] == whole["real"]


def test_a_loss_that_is_not_finite_is_a_result(noise_corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(skips, "train_trial", lambda config: "a loss is not finite")
    row = skips.examine("without", noise_corpus, tmp_path, [])
    assert row == {"seconds": 0.0, "problem": "a loss is not finite"}
    told = summarised({"without": row})
    assert told["effects"]["acd"]["value"] is None
    assert {claim["verdict"] for claim in told["claims"]} == {"undecided"}


# ---- sums, by hand


def test_effects_are_of_the_same_clip_and_the_paper_claims_their_signs():
    def columns(**more) -> dict:
        blank = {"clip": ["a", "b", "c"]} | {name: [1.0, 1.0, 1.0] for name in MEASURES}
        return {"per_clip": blank | more}

    done = {"with": columns(acd=[0.2, 0.4, None], psnr=[30.0, 20.0, 25.0], ssim=[0.5, 0.5, 0.5])}
    done["without"] = columns(
        acd=[0.5, 0.7, 0.1], psnr=[27.0, 17.0, 22.0], ssim=[0.6, 0.6, 0.6], opening=[None] * 3
    )
    told = summarised(done)
    lost = told["effects"]["acd"]
    assert [lost[key] for key in ("value", "low", "high", "left_out")] == [0.3, 0.3, 0.3, 1]
    assert told["effects"]["psnr"]["value"] == -3 and told["effects"]["opening"]["value"] is None
    verdicts = [claim["verdict"] for claim in told["claims"]]
    assert verdicts == ["reproduced", "reproduced", "not reproduced"]


def test_a_column_is_a_performers_first_clip(tmp_path):
    """That whose lower half differs most is the third; also before "without" is made."""
    clips = []
    for level, name in enumerate(("a/a_000", "a/a_001", "b/b_000")):
        frames = np.full((5, 32, 32, 3), 60 + 20 * level, np.uint8)
        frames[1, :16] += 90
        frames[2] += 60
        real, made = (tmp_path / folder / f"{name}.mp4" for folder in ("real", "made"))
        for path, film in ((real, frames), (made, frames + 40)):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_video(path, film, 25, crf=1)
        clips.append(StoredClip(name, real, real.with_suffix(".wav"), name[0], "test"))
    rows = {"with": {"per_clip": {}}, "without": {"problem": "a loss is not finite"}}
    names = write_frames(tmp_path / "s.json", rows, {"with": tmp_path / "made"}, clips)
    assert names == ["still", "real", "with"]
    levels = read_image(tmp_path / "s_frames.png")[16::32, 16::32, 0].astype(int)
    assert np.abs(levels - [[60, 100], [120, 160], [160, 200]]).max() <= 3


# ---- the figure


def test_the_figure_shows_frames_values_and_claims(tmp_path):
    script = load_script("fig_skips")
    dice, runs = np.random.default_rng(0), {}
    for name in VARIANTS:
        drawn = {key: dice.uniform(0.2, 0.9, 9).tolist() for key in MEASURES}
        values = {key: few(row, np.mean) for key, row in drawn.items()}
        runs[name] = {"values": values, "per_clip": drawn | {"clip": list("abcdefghi")}}
    results = summarised(runs) | {
        "runs": runs,
        "real": {"values": {"acd": few([0.2, 0.3], np.mean)}, "different_people": 0.8},
        "frames": ["still", "real", *VARIANTS],
        "circumstances": {"clips": 9, "speakers": 3, "steps": 7},
    }
    picture = dice.integers(0, 255, (4 * 128, 8 * 96, 3), np.uint8)
    figure = drawn_twice(script.draw, results, picture, folder=tmp_path)
    strip, *panels, told = figure.axes
    assert [label.get_text() for label in strip.get_yticklabels()] == [*script.NAMES.values()]
    assert script.PANELS.keys() == set(MEASURES)
    for axes, name in zip(panels, script.PANELS, strict=True):
        dots = [line for line in axes.lines if line.get_marker() == "o"]
        assert len(dots) == 2 + (name == "acd")
        grey = [line for line in axes.lines if line.get_color() == script.GREY]
        assert [line.get_xdata()[0] for line in grey] == ([0.8] if name == "acd" else [])
    said = [text.get_text() for text in told.texts]
    assert all(claim["says"] in said and claim["verdict"] in said for claim in results["claims"])
