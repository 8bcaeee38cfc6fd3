"""Every test starts from the same random numbers."""

import random
from pathlib import Path

import numpy as np
import pytest
import torch


@pytest.fixture(autouse=True)
def _seeded() -> None:
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def noise_corpus(tmp_path_factory) -> Path:
    """The corpus of `small_training`."""
    from small_training import write_corpus

    return write_corpus(tmp_path_factory.mktemp("noise") / "corpus")


@pytest.fixture(scope="session")
def data(noise_corpus):
    """Its clips to train on."""
    from small_training import SMOKE

    from talker.dataset import Clips
    from talker.store import clips

    return Clips(clips(noise_corpus, "train"), SMOKE.model.audio)


@pytest.fixture(scope="session")
def start(tmp_path_factory) -> Path:
    """Weights of the smallest preset, in the place of those that come with the package."""
    from small_training import SMOKE

    from talker.checkpoint import save_generator
    from talker.models.generator import Generator

    folder = tmp_path_factory.mktemp("start")
    torch.manual_seed(5)
    save_generator(folder, Generator(SMOKE.model), {})
    return folder
