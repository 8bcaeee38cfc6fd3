"""The weights that come with the package, on the still and the sentence that come with it."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import talker
from talker.animate import to_pictures, to_tensor
from talker.audio import audio_frames
from talker.checkpoint import SHIPPED, TENSORS, load_generator, read_config
from talker.config import preset
from talker.faces import find_detector
from talker.media import read_audio, read_image
from talker.metrics.landmarks import inner_lip_distance

ASSETS = Path(talker.__file__).parent / "assets"
RESULTS = Path(__file__).parents[1] / "figures" / "results"


@pytest.fixture(scope="module")
def talking():
    """Two draws of noise for one sentence: pictures (2, T, H, W, 3) uint8."""
    generator = load_generator()
    still = to_tensor(read_image(ASSETS / "still.png"))
    signal, _ = read_audio(ASSETS / "sentence.wav")
    heard = audio_frames(torch.from_numpy(signal), generator.config.audio)
    with torch.inference_mode():
        code = generator.encode_still(still)
        z_c, _ = generator.content_encoder(heard[None])
        draws = []
        for seed in (0, 1):
            white = generator.noise_generator.draw(
                1, len(heard), torch.Generator().manual_seed(seed)
            )
            z_n, _ = generator.noise_generator(white)
            draws.append(to_pictures(generator.decode(code, z_c, z_n)[0]))
    return np.stack(draws)


def test_they_are_the_laptop_presets_and_small_enough():
    assert load_generator().config == preset("laptop").model
    assert (SHIPPED / TENSORS).stat().st_size <= 25e6
    assert read_config(SHIPPED)["extra"]["step"] > 1000


def test_what_the_book_says_of_them_was_measured_with_them():
    """After new weights: python -m talker.experiments.talking CORPUS talker/weights RESULTS."""
    measured = json.loads((RESULTS / "talking.json").read_text(encoding="utf-8"))["weights"]
    assert measured.get("sha256") == read_config(SHIPPED)["sha256"]


def test_the_mouth_opens_with_the_voice_and_rests_without():
    """How well it follows is measured on many clips, in figures/results/talking.json."""
    generator, detector = load_generator(), find_detector()
    still = to_tensor(read_image(ASSETS / "still.png"))
    signal, _ = read_audio(ASSETS / "sentence.wav")
    heard = audio_frames(torch.from_numpy(signal), generator.config.audio)[None]
    noise = torch.zeros(1, heard.shape[1], generator.config.noise_dim)
    every = slice(10, 75, 2)

    def opening(sound: torch.Tensor) -> np.ndarray:
        with torch.inference_mode():
            pictures = to_pictures(generator(still, sound, noise)[0])[every]
        return np.array([inner_lip_distance(detector.detect(p)[0].landmarks) for p in pictures])

    spoken, silent = opening(heard), opening(torch.zeros_like(heard))
    loudness = np.sqrt(np.square(signal[: 75 * 640].reshape(75, 640)).mean(1))[every]
    assert spoken.std() > 3 * silent.std()
    assert np.corrcoef(spoken, loudness)[0, 1] > 0.3


def test_the_person_stays_the_person(talking):
    pictures = talking
    still = read_image(ASSETS / "still.png").astype(float)
    hair = np.abs(pictures[0].astype(float) - still)[:, :20].mean()
    assert hair < 10  # of 255


def test_other_noise_moves_the_eyes_and_not_the_lips(talking):
    first, second = talking.astype(float)
    difference = np.abs(first - second).mean((0, 3))
    assert difference[34:54, 18:80].mean() > 1.0  # of 255
    assert np.array_equal(first[:, 80:], second[:, 80:])
