"""The published SyncNet's file fits layer for layer; what is not that file is refused."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from talker.errors import TalkerError
from talker.evaluators import official_syncnet
from talker.evaluators.official_syncnet import SQUARE, cepstra, faces, load_official

# The layers of syncnet_v2.model: a batch norm follows each convolution, and the first linear layer.
CONVOLUTIONS = {
    "netcnnaud": {
        0: (64, 1, 3, 3),
        4: (192, 64, 3, 3),
        8: (384, 192, 3, 3),
        11: (256, 384, 3, 3),
        14: (256, 256, 3, 3),
        18: (512, 256, 5, 4),
    },
    "netcnnlip": {
        0: (96, 3, 5, 7, 7),
        4: (256, 96, 1, 5, 5),
        8: (256, 256, 1, 3, 3),
        11: (256, 256, 1, 3, 3),
        14: (256, 256, 1, 3, 3),
        18: (512, 256, 1, 6, 6),
    },
    "netfcaud": {0: (512, 512), 3: (1024, 512)},
    "netfclip": {0: (512, 512), 3: (1024, 512)},
}


def published() -> dict[str, torch.Tensor]:
    """Random values under the published names, in the published shapes."""
    tensors = {}
    for stream, layers in CONVOLUTIONS.items():
        for number, shape in layers.items():
            scale = 1 / math.sqrt(math.prod(shape[1:]))
            tensors[f"{stream}.{number}.weight"] = torch.randn(shape) * scale
            tensors[f"{stream}.{number}.bias"] = torch.randn(shape[0])
            if shape[0] == 1024:
                continue
            for name in ("weight", "bias", "running_mean", "running_var"):
                tensors[f"{stream}.{number + 1}.{name}"] = torch.rand(shape[0]) + 0.5
    return tensors


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("official") / "syncnet_v2.model"
    torch.manual_seed(0)
    torch.save(published(), path)
    return path


def test_every_layer_of_the_file_is_in_the_network(file):
    held = torch.load(file, weights_only=True)
    own = load_official(file).state_dict()
    assert all(torch.equal(own[name], value) for name, value in held.items())
    assert {name for name in own if "num_batches" not in name} == held.keys()


def test_a_row_for_every_five_frames_which_depends_on_those_only(file):
    network = load_official(file)
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (7, 128, 96, 3), np.uint8)
    signal = (0.1 * rng.standard_normal(7 * 640)).astype(np.float32)
    seen, heard = network.embed(frames, signal)
    assert seen.shape == heard.shape == (3, 1024)
    frames[0], signal[:639] = 0, 0  # pre-emphasis hears one sample back
    seen_after, heard_after = network.embed(frames, signal)
    assert [torch.allclose(a, b) for a, b in zip(seen, seen_after, strict=True)] == [0, 1, 1]
    assert [torch.allclose(a, b) for a, b in zip(heard, heard_after, strict=True)] == [0, 1, 1]


def test_batches_of_snippets_change_nothing(file, monkeypatch):
    network = load_official(file)
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (7, 128, 96, 3), np.uint8)
    signal = (0.1 * rng.standard_normal(7 * 640)).astype(np.float32)
    whole = network.embed(frames, signal)[0]
    monkeypatch.setattr(official_syncnet, "BATCH", 2)
    torch.testing.assert_close(network.embed(frames, signal)[0], whole, rtol=1e-4, atol=1e-4)


class Trap:
    """Pickled, it makes a file as it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_loading_runs_no_code(tmp_path):
    torch.save(published() | {"more": Trap(tmp_path / "ran")}, tmp_path / "trap.model")
    with pytest.raises(TalkerError, match="trap.model is no file of weights"):
        load_official(tmp_path / "trap.model")
    assert not (tmp_path / "ran").exists()


def test_what_is_not_the_file_is_refused_in_a_sentence(tmp_path):
    path = tmp_path / "x.model"
    with pytest.raises(TalkerError, match="there is no .*x.model"):
        load_official(path)
    path.write_bytes(b"<html>404</html>")
    with pytest.raises(TalkerError, match="no file of weights"):
        load_official(path)
    torch.save(torch.zeros(3), path)
    with pytest.raises(TalkerError, match="no named tensors"):
        load_official(path)
    tensors = published()
    for changes, sentence in (
        ({"netfcaud.3.bias": None}, "lacks netfcaud.3.bias"),
        ({"netfcaud.9.bias": torch.zeros(1)}, "unknown netfcaud.9.bias"),
        ({"netfclip.3.weight": torch.zeros(256, 512)}, r"\(256, 512\).*\(1024, 512\)"),
    ):
        kept = {k: v for k, v in (tensors | changes).items() if v is not None}
        torch.save(kept, path)
        with pytest.raises(TalkerError, match=sentence):
            load_official(path)


def test_cepstra_are_those_of_python_speech_features():
    """Against its definition, written out in loops."""
    rng = np.random.default_rng(0)
    signal = (0.1 * rng.standard_normal(900)).astype(np.float32)
    made = cepstra(signal, 5)
    samples = np.round(signal.astype(float) * 32768)
    emphasised = [samples[0]] + [samples[i] - 0.97 * samples[i - 1] for i in range(1, 900)]
    mel = np.linspace(0, 2595 * np.log10(1 + 8000 / 700), 28)
    edges = [math.floor(513 * 700 * (10 ** (m / 2595) - 1) / 16000) for m in mel]
    for step in range(5):
        piece = np.zeros(512)
        taken = emphasised[160 * step : 160 * step + 400]
        piece[: len(taken)] = taken
        power = np.abs(np.fft.rfft(piece)) ** 2 / 512
        logs = []
        for low, middle, high in zip(edges, edges[1:], edges[2:], strict=False):
            band = sum(power[i] * (i - low) / (middle - low) for i in range(low, middle))
            band += sum(power[i] * (high - i) / (high - middle) for i in range(middle, high))
            logs.append(math.log(band))
        wanted = [math.log(power.sum())]
        for k in range(1, 13):
            total = sum(x * math.cos(math.pi * k * (n + 0.5) / 26) for n, x in enumerate(logs))
            wanted.append(total * math.sqrt(2 / 26) * (1 + 11 * math.sin(math.pi * k / 22)))
        np.testing.assert_allclose(made[step], wanted, rtol=1e-6, atol=1e-6)


def test_digital_silence_has_finite_cepstra():
    assert np.isfinite(cepstra(np.zeros(1000, np.float32), 4)).all()


def test_the_square_of_the_face_is_centred_where_it_says():
    frame = np.zeros((1, 128, 96, 3), np.uint8)
    left, top, side = SQUARE
    x, y = round(left + side / 2), round(top + side / 2)  # between its middle pixels
    frame[0, y - 2 : y + 2, x - 2 : x + 2] = (255, 128, 0)
    made = faces(frame)[0]
    assert made.shape == (224, 224, 3)
    rows, columns = np.nonzero(made[:, :, 2] > 127)
    assert abs(rows.mean() - 111.5) < 1 and abs(columns.mean() - 111.5) < 1
    assert made[112, 112].tolist() == [0, 128, 255]  # BGR
