"""The weights that come with the package, on the still and the sentence that come with it."""

from pathlib import Path

import numpy as np
import pytest
import torch

import talker
from talker.animate import to_pictures, to_tensor
from talker.audio import audio_frames
from talker.checkpoint import SHIPPED, TENSORS, load_generator, read_config
from talker.config import preset
from talker.media import read_audio, read_image

ASSETS = Path(talker.__file__).parent / "assets"


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


def test_the_mouth_moves_with_the_sound():
    """How well it follows is measured on many clips, in figures/results/talking.json."""
    generator = load_generator()
    still = to_tensor(read_image(ASSETS / "still.png"))
    signal, _ = read_audio(ASSETS / "sentence.wav")
    heard = audio_frames(torch.from_numpy(signal), generator.config.audio)[None]
    noise = torch.zeros(1, heard.shape[1], generator.config.noise_dim)
    with torch.inference_mode():
        spoken = generator(still, heard, noise)[0, ..., 84:104, 32:66]
        silent = generator(still, torch.zeros_like(heard), noise)[0, ..., 84:104, 32:66]
    assert spoken.std(0).mean() > 2 * silent.std(0).mean()


def test_the_person_stays_the_person(talking):
    pictures = talking
    still = read_image(ASSETS / "still.png").astype(float)
    hair = np.abs(pictures[0].astype(float) - still)[:, :20].mean()
    assert hair < 10  # of 255


def test_other_noise_moves_the_eyes(talking):
    first, second = talking.astype(float)
    difference = np.abs(first - second).mean((0, 3))
    assert difference[34:54, 18:80].mean() > 1.0  # of 255
