"""The lip reader: its pictures, its public weights, its training on a corpus of drawn mouths."""

import json
import shutil

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from talker.cli import main
from talker.errors import TalkerError
from talker.evaluators import train_lip_reader
from talker.evaluators.lip_reader import (
    PUBLISHED,
    LipNet,
    LipNetConfig,
    LipReader,
    as_input,
    cut_mouths,
    find_lip_reader,
)
from talker.evaluators.synchrony import find_synchrony
from talker.evaluators.train_lip_reader import Learner, reading, train
from talker.evaluators.weights import shipped
from talker.metrics.lipreading import wer, word_error_rate
from talker.metrics.pair import Footage, Pair, Weights
from talker.store import clips, read_frames, write_clip
from talker.studio.grammar import SLOTS, WORDS, Sentence

SAID = "place red with f two now"


@pytest.fixture(scope="module")
def frames() -> np.ndarray:
    """Twenty frames (20, 128, 96, 3) of coloured noise."""
    return np.random.default_rng(0).integers(0, 256, (20, 128, 96, 3), dtype=np.uint8)


def test_mouths_are_cut_where_the_box_says(frames):
    config = LipNetConfig()
    grey = cut_mouths(frames, config)
    expected = [cv2.cvtColor(f[68:108, 26:74], cv2.COLOR_RGB2GRAY) for f in frames]
    np.testing.assert_array_equal(grey, expected)
    wider = cut_mouths(frames, config, margin=4)
    assert wider.shape == (20, 48, 56)
    np.testing.assert_array_equal(wider[:, 4:-4, 4:-4], grey)


def test_brightness_and_contrast_of_a_clip_change_nothing(frames):
    config = LipNetConfig()
    dark = as_input(cut_mouths(frames // 4 + 30, config), config)
    bright = as_input(cut_mouths(frames // 4 * 2 + 60, config), config)
    assert dark.shape == (1, 20, 40, 48)
    assert dark.mean().abs() < 1e-4
    # Not quite: grey levels are rounded.
    torch.testing.assert_close(dark / dark.std(), bright / bright.std(), atol=0.06, rtol=0)
    flat = as_input(np.full((5, 40, 48), 90, np.uint8), config)
    assert (flat == 0).all()


def test_the_public_network_is_shown_blue_first_in_unit_range(frames):
    red = np.zeros_like(frames)
    red[..., 0] = 255
    shown = as_input(cut_mouths(red, PUBLISHED), PUBLISHED)
    assert shown.shape == (3, 20, 64, 128)
    assert (shown[2] == 1).all() and (shown[:2] == 0).all()


# Names and shapes of the public checkpoints of LipNet in PyTorch.
GRU = {"weight_ih_l0": (768, 0), "weight_hh_l0": (768, 256), "bias_ih_l0": (768,)}
GRU["bias_hh_l0"] = GRU["bias_ih_l0"]
SHAPES = {
    "conv1.weight": (32, 3, 3, 5, 5),
    "conv1.bias": (32,),
    "conv2.weight": (64, 32, 3, 5, 5),
    "conv2.bias": (64,),
    "conv3.weight": (96, 64, 3, 3, 3),
    "conv3.bias": (96,),
    "FC.weight": (28, 512),
    "FC.bias": (28,),
}
for layer, inputs in (("gru1", 96 * 4 * 8), ("gru2", 512)):
    for name, shape in GRU.items():
        shape = tuple(side or inputs for side in shape)
        SHAPES |= {f"{layer}.{name}": shape, f"{layer}.{name}_reverse": shape}


@pytest.fixture(scope="module")
def public(tmp_path_factory):
    """A file like the public ones, with random weights."""
    draw = torch.Generator().manual_seed(0)
    tensors = {
        name: torch.randn(shape, generator=draw) / (max(1, np.prod(shape[1:])) ** 0.5)
        for name, shape in SHAPES.items()
    }
    path = tmp_path_factory.mktemp("public") / "LipNet_unseen.pt"
    torch.save(tensors, path)
    return path, tensors


def test_public_weights_give_what_their_own_network_would(public, frames):
    """Against the layers called one by one, in the order of the public code."""
    path, weights = public
    x = torch.from_numpy(
        np.stack([cv2.resize(f[68:99, 19:81, ::-1], (128, 64), interpolation=2) for f in frames])
    )
    x = (x.float() / 255).permute(3, 0, 1, 2)[None]
    for number, (stride, padding) in enumerate([((1, 2, 2), 2), (1, 2), (1, 1)], start=1):
        weight, bias = weights[f"conv{number}.weight"], weights[f"conv{number}.bias"]
        x = F.relu(F.conv3d(x, weight, bias, stride, (1, padding, padding)))
        x = F.max_pool3d(x, (1, 2, 2), (1, 2, 2))
    x = x.permute(2, 0, 1, 3, 4).contiguous().view(len(frames), 1, -1)
    for layer, inputs in (("gru1", 3072), ("gru2", 512)):
        gru = nn.GRU(inputs, 256, 1, bidirectional=True)
        prefix = f"{layer}."
        own = {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}
        gru.load_state_dict(own)
        x = gru(x)[0]
    expected = F.linear(x, weights["FC.weight"], weights["FC.bias"]).log_softmax(-1)[:, 0]
    found = find_lip_reader(path).log_probabilities(frames)
    np.testing.assert_allclose(found, expected.detach().numpy(), atol=1e-4)


def test_public_weights_measure_through_the_same_metric(public, frames):
    pair = Pair(Footage(frames), Footage(frames), SAID, Weights(lip_reader=public[0]))
    read = find_lip_reader(public[0]).read(frames).split()
    Sentence(tuple(read))  # raises for any other
    assert wer(pair) == pytest.approx(
        sum(a != b for a, b in zip(read, SAID.split(), strict=True)) / 6
    )


def test_letters_are_read_as_sentences(public):
    reader = find_lip_reader(public[0])
    spelled = "lay green by f three soon"
    line = []  # two frames a letter, a blank between; index 1 is the space, then a to z
    for letter in spelled:
        label = 1 if letter == " " else ord(letter) - ord("a") + 2
        line += [label, label, 0]
    values = np.log(np.eye(28)[line] * 0.9 + 0.01)
    assert reader.words(values) == reader.sentence(values) == spelled
    values[line.index(4 + 3)] = np.log(1 / 28)  # the first "f" was not seen: the grammar knows
    assert reader.sentence(values).split()[:3] == spelled.split()[:3]


class Bomb:
    def __reduce__(self):
        return (print, ("boom",))


def test_files_that_are_no_weights_are_refused_and_not_run(tmp_path, capsys, public):
    lost, bomb, wrong, text = (tmp_path / f"{n}.pt" for n in ("lost", "bomb", "wrong", "text"))
    torch.save({"conv1.weight": Bomb()}, bomb)
    torch.save({**public[1], "FC.weight": torch.zeros(41, 512)}, wrong)
    text.write_text("<html>404</html>")
    with pytest.raises(TalkerError, match=f"there is no {lost}: name the file"):
        find_lip_reader(lost)
    for path in (bomb, wrong, text):
        with pytest.raises(TalkerError, match=f"^{path} is no checkpoint of LipNet in PyTorch"):
            find_lip_reader(path)
    assert "boom" not in capsys.readouterr().out


def test_weights_of_another_network_are_refused():
    with pytest.raises(TalkerError, match="synchrony.safetensors is of another network"):
        find_lip_reader(shipped("synchrony"))
    with pytest.raises(TalkerError, match="lip_reader.safetensors has unknown settings"):
        find_synchrony(shipped("lip_reader"))


def edit_distance(a: list[str], b: list[str]) -> int:
    """Levenshtein's, straight from its definition."""
    if not a or not b:
        return len(a) + len(b)
    same = edit_distance(a[1:], b[1:])
    return same if a[0] == b[0] else 1 + min(same, edit_distance(a[1:], b), edit_distance(a, b[1:]))


@pytest.mark.parametrize(
    ("read", "rate"), [(SAID, 0), ("place red with s two now", 1 / 6), ("", 1), ("red with f", 0.5)]
)
def test_word_error_rate(read, rate):
    assert word_error_rate(SAID, read) == pytest.approx(rate)
    assert edit_distance(SAID.split(), read.split()) / 6 == pytest.approx(rate)


def test_what_cannot_be_read_is_undefined_and_one_frame_is_all_wrong(frames, tmp_path):
    nowhere = Weights(lip_reader=tmp_path / "never opened")
    for transcript in (None, "", "it's eleven o'clock", "bin blue at f two"):
        assert np.isnan(wer(Pair(Footage(frames), Footage(frames), transcript, nowhere)))
    reader = LipReader(LipNet(LipNetConfig()))
    assert reader.read(frames[:5]) == "" and reader.read(frames[:6]) != ""


def test_batch_norm_is_part_of_the_finished_network():
    torch.manual_seed(0)
    learner = Learner(LipNetConfig(channels=(4, 4, 4), hidden=8))
    mouths = torch.randn(2, 1, 6, 40, 48)
    for norm in learner.norms:
        nn.init.uniform_(norm.weight, 0.5, 2)
        norm.running_mean.uniform_(-1, 1)
        norm.running_var.uniform_(0.5, 2)
    with torch.no_grad():
        expected = learner.eval()(mouths)[0].transpose(0, 1)
        found = learner.finished()(mouths)
    assert expected.std() > 0.05
    torch.testing.assert_close(found, expected, atol=0.02, rtol=0)  # training is in bfloat16


def drawn_mouth(word: str, place: float) -> np.ndarray:
    """A face with a mouth as open and as wide as the word's number says, in mid-word most."""
    number = WORDS.index(word) if word else 0
    image = np.full((128, 96, 3), 170, np.uint8)
    open_, wide = 2 + (number % 5) * 2 * np.sin(np.pi * place), 8 + number % 7
    cv2.ellipse(image, (50, 84), (wide, round(open_)), 0, 0, 360, (90, 40, 50), -1)
    return image


def drawn_corpus(root, count: int, frames: int = 75) -> None:
    """Clips of drawn mouths: the last speaker is for the test, the one before for validation."""
    rng = np.random.default_rng(0)
    (root / "corpus.json").write_text("{}")
    for number in range(count):
        said = [str(rng.choice(slot)) for slot in SLOTS]
        times = np.linspace(0.4, 2.4, 7)
        words = [
            {"text": w, "start": a, "end": b}
            for w, a, b in zip(said, times[:-1], times[1:], strict=True)
        ]
        images = []
        for t in np.arange(frames) / 25:
            now = [w for w in words if w["start"] <= t < w["end"]]
            place = (t - now[0]["start"]) / (now[0]["end"] - now[0]["start"]) if now else 0
            images.append(drawn_mouth(now[0]["text"] if now else "", place))
        split = {count - 1: "test", count - 2: "validation"}.get(number, "train")
        truth = {"speaker": f"s{number}", "split": split, "text": " ".join(said), "words": words}
        landmarks = rng.normal(48, 10, (frames, 68, 2)).round(2).tolist()
        truth |= {"fps": 25, "landmarks": landmarks}
        write_clip(root / f"s{number}" / "a", np.stack(images), np.zeros(640 * frames), truth)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    root = tmp_path_factory.mktemp("drawn")
    drawn_corpus(root, 5)
    return root


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(train_lip_reader, "CLIPS", 2)
    monkeypatch.setattr(train_lip_reader, "LOG_EVERY", 1)


def test_without_any_change_a_lesson_is_the_clip_or_its_mirror(corpus, monkeypatch):
    """Turn, stretch and time must not shift what they leave alone by half a pixel or frame."""
    for name in ("DELAY", "SLIP", "SHIFT", "TURN", "ZOOM", "GAMMA", "SHADE", "GRAIN"):
        monkeypatch.setattr(train_lip_reader, name, 0.0)
    monkeypatch.setattr(train_lip_reader, "TEMPO", (0.0, 0.0))
    monkeypatch.setattr(train_lip_reader, "BLUR", 0.3)  # a Gaussian so narrow that it is none
    config = LipNetConfig()
    readings = [reading(clip, config) for clip in clips(corpus, "train")]
    given = train_lip_reader.lesson(readings, config, np.random.default_rng(0))
    mirrored = []
    for mouths, sentence, words in zip(given.mouths, given.sentence, given.words, strict=True):
        (one,) = (r for r in readings if (r.sentence == sentence.numpy()).all())
        np.testing.assert_array_equal(words, one.words)
        plain = as_input(one.mouths[:, 8:-8, 8:-8], config)
        apart = [(mouths - way).abs().max().item() for way in (plain, plain.flip(-1))]
        assert min(apart) < 0.05 < 0.3 < max(apart)
        mirrored.append(apart[0] > apart[1])
    assert 0 < sum(mirrored) < len(mirrored)


def test_labels_follow_the_times_of_words_and_phonemes(corpus):
    (clip, *_) = clips(corpus, "train")
    one = reading(clip, LipNetConfig())
    assert one.mouths.shape == (75, 56, 64)
    starts = np.flatnonzero(np.diff(one.words)) + 1
    np.testing.assert_array_equal(starts, np.rint(np.linspace(0.4, 2.4, 7) * 25))
    np.testing.assert_array_equal(one.words[starts[:-1]], one.sentence)
    assert (one.visemes == -100).all()
    path = clip.video.with_suffix(".json")
    stored = path.read_text()
    truth = json.loads(stored)
    truth["phonemes"] = [{"symbol": "eI", "start": 0.4, "end": 0.8}]
    path.write_text(json.dumps(truth))
    names = [*train_lip_reader.VISEMES]
    shapes = reading(clip, LipNetConfig()).visemes
    path.write_text(stored)
    assert [names[i - 1] for i in shapes[10:20]] == ["mid_front"] * 5 + ["close_front"] * 5
    assert not shapes[:10].any() and not shapes[20:].any()


def test_a_run_that_was_killed_ends_with_the_bytes_of_one_that_ran_through(
    corpus, tmp_path, small, monkeypatch
):
    whole = train([corpus], tmp_path / "whole", steps=4)
    drawn, real = [], train_lip_reader.lesson

    def killed_at_the_third(*arguments):
        drawn.append(arguments)
        if len(drawn) == 3:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(train_lip_reader, "lesson", killed_at_the_third)
    monkeypatch.setattr(train_lip_reader, "SAVE_SECONDS", 0)
    with pytest.raises(KeyboardInterrupt):
        train([corpus], tmp_path / "parts", steps=4)
    resumed = train([corpus], tmp_path / "parts", steps=4)
    assert len(drawn) == 5  # two, the one that was killed, and two more
    assert whole.read_bytes() == resumed.read_bytes()
    assert whole.with_suffix(".json").read_text() == resumed.with_suffix(".json").read_text()
    rows = [json.loads(row) for row in (tmp_path / "parts/log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [1, 2, 3, 4]


def test_only_training_performers_are_learnt_from(corpus, tmp_path, small):
    path = train([corpus], tmp_path / "run", steps=1)
    extra = json.loads(path.with_suffix(".json").read_text())["extra"]
    assert extra["clips"] == 3 and 0 <= extra["validation_wer"] <= 1
    without = tmp_path / "without"
    shutil.copytree(corpus, without)
    for name in ("s3", "s4"):
        shutil.rmtree(without / name)
    other = train([without], tmp_path / "other", steps=1)
    assert other.read_bytes() == path.read_bytes()
    assert json.loads(other.with_suffix(".json").read_text())["extra"]["validation_wer"] is None


def test_the_command_trains_and_says_where_the_weights_are(corpus, tmp_path, small, capsys):
    arguments = ["train-evaluator", "lips", str(corpus), "--out", str(tmp_path / "run")]
    assert main([*arguments, "--steps", "1"]) == 0
    path = tmp_path / "run" / "lip_reader.safetensors"
    assert capsys.readouterr().out.strip() == str(path)
    frames = read_frames(clips(corpus, "test")[0].video)
    Sentence(tuple(find_lip_reader(path).read(frames).split()))  # raises for any other


def test_a_run_of_other_settings_is_not_continued(corpus, tmp_path, small):
    train([corpus], tmp_path / "run", steps=1)
    with pytest.raises(TalkerError, match="holds a run with other settings"):
        train([corpus], tmp_path / "run", steps=2)


def test_a_corpus_without_such_sentences_is_named(tmp_path):
    drawn_corpus(tmp_path, 3, frames=5)
    for path in tmp_path.glob("*/*.json"):
        truth = json.loads(path.read_text())
        path.write_text(json.dumps(truth | {"words": truth["words"][:4]}))
    with pytest.raises(TalkerError, match=f"^{tmp_path} has no sentence of GRID"):
        train([tmp_path], tmp_path / "run", steps=1)
