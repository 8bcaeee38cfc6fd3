"""Settings survive a trip through JSON, and nothing misspelt or impossible gets in."""

import dataclasses
import json

import pytest

from talker.config import (
    PRESETS,
    AudioConfig,
    Config,
    ModelConfig,
    TrainConfig,
    from_json,
    preset,
    to_json,
)
from talker.errors import TalkerError


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_survives_json_text(name):
    config = preset(name)
    assert from_json(Config, json.loads(json.dumps(to_json(config)))) == config


def test_presets_differ_and_paper_holds_the_papers_numbers():
    assert len({json.dumps(to_json(preset(name))) for name in PRESETS}) == 3
    paper = preset("paper")
    assert (paper.losses.img, paper.losses.sync, paper.losses.seq) == (1.0, 0.8, 0.2)
    assert paper.losses.l1 == 600 / 4  # of a mean: see PAPER_L1
    model = paper.model
    assert (model.identity_dim, model.content_dim, model.noise_dim) == (128, 256, 10)
    assert (model.noise_variance, model.content_layers, model.normalisation) == (0.6, 1, "batch")
    assert (paper.train.generator_rate, paper.train.frame_rate) == (1e-4, 1e-4)
    assert (paper.train.sequence_rate, paper.train.sync_rate) == (1e-5, 1e-5)
    decays = (paper.train.generator_decay, paper.train.discriminator_decay)
    assert (*decays, paper.train.decay_epochs, paper.train.patience) == (0.98, 0.9, 10, 5)
    frame = (model.height, model.img_width, model.audio.rate, model.audio.window, model.audio.fps)
    assert frame == (128, 96, 16000, 0.2, 25)


def test_preset_paper_has_none_of_our_departures():
    model, train = preset("paper").model, preset("paper").train
    assert not (model.skip_64 or model.injection or model.composition or model.noise_hidden)
    assert (model.normalisation, model.audio_normalisation) == ("batch", "batch")
    assert not (
        train.warm_up
        or train.eyes_weight
        or train.still_weight
        or train.lips_weight
        or train.average_decay
    )
    assert not (train.mouth_emphasis or train.eye_emphasis or train.freeze_statistics)
    assert not (train.alter_voices or train.alter_pictures) and train.sequence_stride == 1
    assert train.judge_rest and model.skips


def test_an_unknown_preset_is_named_with_those_that_exist():
    with pytest.raises(TalkerError, match="'desktop'.*paper, laptop, smoke"):
        preset("desktop")


def test_missing_settings_take_their_defaults():
    config = from_json(Config, {"model": {"width": 8}})
    assert config == Config(model=ModelConfig(width=8))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"modle": {}}, "config has unknown settings modle"),
        ({"model": {"audio": {"rte": 16000}}}, r"config\.model\.audio has unknown settings rte"),
        ({"model": {"width": "24"}}, r"config\.model\.width is '24': it must be int"),
        ({"model": {"width": 24.0}}, r"config\.model\.width is 24\.0"),
        ({"model": {"width": True}}, r"config\.model\.width is True"),
        ({"model": {"skip_64": 1}}, r"config\.model\.skip_64 is 1: it must be bool"),
        ({"model": {"normalisation": "layer"}}, "use one of 'batch', 'group'"),
        ({"train": {"minutes": "long"}}, "it must be float or null"),
        ({"train": {"seed": None}}, "it must be int"),
        ({"model": 3}, r"config\.model must be a table of settings"),
    ],
)
def test_wrong_settings_are_refused_and_named(values, message):
    with pytest.raises(TalkerError, match=message):
        from_json(Config, values)


def test_whole_numbers_do_for_floats_and_null_for_what_may_be_absent():
    train = from_json(TrainConfig, {"minutes": 5, "steps": None})
    assert isinstance(train.minutes, float)
    assert (train.minutes, train.steps) == (5.0, None)


@pytest.mark.parametrize(
    ("rate", "stride", "samples"),
    [(8000, 320, 1600), (16000, 640, 3200), (44100, 1764, 8820), (50000, 2000, 10000)],
)
def test_audio_frames_have_the_papers_length_at_any_rate_that_divides(rate, stride, samples):
    audio = AudioConfig(rate=rate)
    assert (audio.stride, audio.samples, audio.snippet) == (stride, samples, 5)


@pytest.mark.parametrize(
    "make",
    [
        lambda: AudioConfig(rate=16010),
        lambda: AudioConfig(rate=0),
        lambda: AudioConfig(window=0.01),
        lambda: ModelConfig(height=120),
        lambda: ModelConfig(width=0),
        lambda: ModelConfig(noise_variance=-0.1),
        lambda: ModelConfig(normalisation="none"),
        lambda: ModelConfig(audio_normalisation="layer"),
        lambda: TrainConfig(accumulate=0),
        lambda: TrainConfig(patience=0),
        lambda: TrainConfig(clips=0),
        lambda: TrainConfig(sequence_every=0),
        lambda: TrainConfig(decay_epochs=0),
        lambda: TrainConfig(warm_up=-1),
        lambda: TrainConfig(seed=-1),
        lambda: Config(train=TrainConfig(frames=9)),
        lambda: TrainConfig(frames=10, decoded=11),
    ],
)
def test_impossible_settings_are_refused(make):
    with pytest.raises(TalkerError):
        make()


def test_a_config_cannot_be_changed_behind_a_models_back():
    with pytest.raises(dataclasses.FrozenInstanceError):
        preset("paper").model.width = 3
