"""Evaluator networks on disk: `<name>.safetensors` in half precision, and `<name>.json` beside it.

Those of the package lie in `talker/weights`; a file of another run goes by its own path.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import nn

from talker.checkpoint import SHIPPED, Network, load_network, save_network


def save_evaluator(path: Path, network: nn.Module, config: dict, extra: dict[str, Any]) -> None:
    """Write a network to `path`, a .safetensors, and its .json; both whole or not at all.

    config: what it takes to build the network again; extra: JSON values on how it was trained.
    Raises TalkerError when a weight is not finite in fp16 or the folder cannot be written.
    """
    save_network(path, path.with_suffix(".json"), network, config, extra)


def load_evaluator(path: Path, build: Callable[[dict], Network]) -> Network:
    """A network that `save_evaluator` wrote, in eval mode, float32; build makes it of its config.

    Raises TalkerError when a file is missing, damaged, or not of the network that `build` makes.
    """
    return load_network(path, path.with_suffix(".json"), build)


def shipped(name: str) -> Path:
    """Where the package keeps the evaluator of that name."""
    return SHIPPED / f"{name}.safetensors"
