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
from talker.faces import DlibDetector
from talker.media import read_audio, read_image
from talker.metrics.landmarks import inner_lip_distance

ASSETS = Path(talker.__file__).parent / "assets"


@pytest.fixture(scope="module")
def talking():
    """Two draws of noise for one sentence: (2, T, H, W, 3), and the sound's loudness (T,)."""
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
    return np.stack(draws), heard.square().mean(1).sqrt().numpy()


def test_they_are_the_laptop_presets_and_small_enough():
    assert load_generator().config == preset("laptop").model
    assert (SHIPPED / TENSORS).stat().st_size <= 25e6
    assert read_config(SHIPPED)["extra"]["step"] > 1000


def test_the_mouth_opens_when_there_is_speech(talking):
    pictures, loudness = talking
    detector = DlibDetector()
    marks = np.stack([detector.detect(picture)[0].landmarks for picture in pictures[0, ::2]])
    opening, loud = inner_lip_distance(marks), loudness[::2]
    spoken, silent = loud > 0.3 * loud.max(), loud < 0.02 * loud.max()
    assert silent.sum() > 5 < spoken.sum()
    assert opening[spoken].mean() > 2 * opening[silent].mean()


def test_the_person_stays_the_person(talking):
    pictures, _ = talking
    still = read_image(ASSETS / "still.png").astype(float)
    hair = np.abs(pictures[0].astype(float) - still)[:, :20].mean()
    assert hair < 10  # of 255


def test_other_noise_moves_the_eyes_and_leaves_the_lips(talking):
    first, second = talking[0].astype(float)
    difference = np.abs(first - second).mean((0, 3))
    eyes, mouth = difference[34:54, 18:80].mean(), difference[84:104, 32:66].mean()
    assert eyes > 1.0  # of 255: they do differ
    assert eyes > mouth
