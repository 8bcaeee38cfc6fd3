"""Offset and confidence by hand; the network's inputs against references."""

import math

import numpy as np
import pytest
import scipy.fft
import torch
import torchaudio

from talker.audio import audio_frames
from talker.errors import TalkerError
from talker.evaluators import synchrony
from talker.evaluators.synchrony import (
    AUDIO,
    SyncNet,
    SyncNetConfig,
    cepstra,
    find_synchrony,
    grey,
    mouths,
    snippets,
)
from talker.evaluators.weights import save_evaluator
from talker.metrics.synchrony import OFFSETS, mean_distances, offset_and_confidence

SMALL = SyncNetConfig(width=2, audio_width=4, embedding_dim=8)


def events(start: int, count: int = 40) -> torch.Tensor:
    """Embeddings on a line, one unit a frame: the distance is the number of frames between."""
    return torch.arange(start, start + count, dtype=torch.float32)[:, None]


def test_distances_by_hand():
    np.testing.assert_allclose(mean_distances(events(0), events(0)), np.abs(OFFSETS), atol=1e-5)


@pytest.mark.parametrize("lead", [-15, -3, 0, 4, 15])
def test_audio_that_leads_has_a_positive_offset(lead):
    """What is heard at frame j is seen at frame j + lead. Of 0, 1, 1, 2, 2 ... the median is 8."""
    offset, confidence = offset_and_confidence(events(0), events(lead))
    assert offset == lead
    distances = np.abs(OFFSETS - lead)
    assert confidence == pytest.approx(np.median(distances))


def test_rows_that_meet_nothing_are_left_out():
    seen, heard = torch.zeros(30, 1), torch.zeros(30, 1)
    heard[0] = 29.0
    distances = mean_distances(seen, heard)
    assert distances[OFFSETS == 0] == pytest.approx(29 / 30)
    assert distances[OFFSETS == 15] == pytest.approx(29 / 15)  # picture 15 meets sound 0
    assert distances[OFFSETS == -1] == 0  # sound 0 would meet picture -1


def test_nothing_to_slide_is_not_a_number():
    line = events(0)
    for seen, heard in ((line[:29], line[:29]), (line, torch.ones(40, 1))):
        assert all(math.isnan(value) for value in offset_and_confidence(seen, heard))
    with pytest.raises(ValueError, match="29"):
        mean_distances(line[:29], line[:29])


def test_a_frozen_mouth_is_in_step_with_nothing():
    offset, confidence = offset_and_confidence(torch.ones(40, 1), events(0))
    assert math.isnan(offset) and confidence == 0


def test_cepstra_against_torchaudio_and_scipy():
    signal = 0.1 * torch.randn(3200)
    made = cepstra(signal[None])[0]
    padded = torch.nn.functional.pad(signal, (120, 120))
    bank = torchaudio.functional.melscale_fbanks(257, 0.0, 8000.0, 40, 16000)
    bands = torch.stack(
        [
            torch.fft.rfft(padded[160 * k :][:400] * torch.hann_window(400), 512).abs() ** 2 @ bank
            for k in range(20)
        ]
    )
    logs = torch.log(bands / bands.mean() + 1e-4).numpy()
    wanted = scipy.fft.dct(logs, norm="ortho")[:, :13]
    wanted -= wanted.mean(axis=0)
    np.testing.assert_allclose(made.T, wanted, atol=1e-3)


def test_gain_changes_nothing_and_silence_is_flat():
    cut = audio_frames(torch.randn(32000), AUDIO)
    torch.testing.assert_close(cepstra(0.01 * cut), cepstra(cut), atol=1e-3, rtol=1e-3)
    assert cepstra(torch.zeros(4, 3200)).abs().max() < 1e-4


def test_a_word_after_silence_is_at_its_step():
    signal = 1e-4 * torch.randn(3200)
    signal[1600:1760] += torch.randn(160)  # step 10 of 20
    loudness = cepstra(signal[None])[0, 0]
    assert loudness.argmax() == 10


def test_snippets_are_five_consecutive_frames():
    video = torch.arange(7.0)[:, None, None].expand(7, 2, 3)
    made = snippets(video)
    assert made.shape == (3, 5, 2, 3)
    assert made[:, :, 0, 0].tolist() == [[0, 1, 2, 3, 4], [1, 2, 3, 4, 5], [2, 3, 4, 5, 6]]


def test_the_mouth_is_cut_where_the_canonical_face_has_it():
    frames = np.zeros((1, 128, 96, 3), np.uint8)
    frames[0, 90, 48] = 255  # the middle of the lips
    assert mouths(frames)[0, 24, 24].tolist() == [255] * 3
    assert mouths(frames, margin=6).shape == (1, 60, 60, 3)
    assert mouths(frames, margin=6)[0, 30, 30].tolist() == [255] * 3
    assert grey(np.array([[255, 255, 255], [255, 0, 0]], np.uint8)).tolist() == [255, 76]


def made_up(frames: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    video = rng.integers(0, 200, (frames, 128, 96, 3), np.uint8)
    return video, (0.1 * rng.standard_normal(frames * 640)).astype(np.float32)


def test_a_row_for_every_five_frames_which_depends_on_those_only():
    network = SyncNet(SMALL).eval()
    frames, signal = made_up(8)
    seen, heard = network.embed(frames, signal)
    assert seen.shape == heard.shape == (4, 8)
    torch.testing.assert_close(seen.norm(dim=1), torch.ones(4))
    frames[7] = 0
    assert [
        torch.equal(*rows) for rows in zip(seen, network.embed(frames, signal)[0], strict=True)
    ] == [1, 1, 1, 0]


def test_light_changes_nothing():
    network = SyncNet(SMALL).eval()
    frames, signal = made_up(6)
    darker = (frames // 4 * 2).astype(np.uint8)  # of even contrast, so that no rounding differs
    seen = network.embed((frames // 4 * 4).astype(np.uint8), signal)[0]
    torch.testing.assert_close(network.embed(darker, signal)[0], seen, atol=0.02, rtol=0)


def test_a_file_of_ours_is_read_with_its_scale(tmp_path):
    config = SyncNetConfig(width=2, audio_width=4, embedding_dim=8, scale=3.0)
    network = SyncNet(config).eval()
    path = tmp_path / "synchrony.safetensors"
    save_evaluator(path, network, vars(config), {})
    again = find_synchrony(path)
    frames, signal = made_up(6)
    assert again.config == config
    torch.testing.assert_close(again.embed(frames, signal)[0].norm(dim=1), torch.full((2,), 3.0))
    for ours, theirs in zip(
        again.embed(frames, signal), network.embed(frames, signal), strict=True
    ):
        torch.testing.assert_close(ours, theirs, atol=0.02, rtol=0)  # half precision


def test_the_file_of_another_network_is_refused(tmp_path):
    save_evaluator(tmp_path / "lips.safetensors", SyncNet(SMALL), {"letters": 27}, {})
    with pytest.raises(TalkerError, match="lips.safetensors"):
        find_synchrony(tmp_path / "lips.safetensors")


def test_another_ending_is_taken_for_the_official_file(tmp_path, monkeypatch):
    from talker.evaluators import official_syncnet

    monkeypatch.setattr(official_syncnet, "load_official", lambda path: path.name)
    assert synchrony.find_synchrony(tmp_path / "syncnet_v2.model") == "syncnet_v2.model"
