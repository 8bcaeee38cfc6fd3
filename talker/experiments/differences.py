"""Generators kept as their difference from the shipped one: 8 bits a weight, one small file each.

    python -m talker.experiments.differences RUN/generator figures/results/ablation/NAME.safetensors

What an experiment trains from the shipped weights differs little from them, and git keeps six
generators of 23 MB badly. Of every matrix the difference is stored in steps of a 127th of the
largest in its row, as int8 with the rows' steps beside it; vectors, which are few, are stored
themselves as fp16. The error is at most half a step. Numbers in results files are those of the
generators before this, and films made after it are all but the same.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from safetensors import safe_open

from talker.checkpoint import SHIPPED, load_generator, read_config
from talker.errors import TalkerError
from talker.files import replacing
from talker.models.generator import Generator

STEPS = 127  # from 0 to the largest difference of a row
SIZES = ".step"  # after a tensor's name: the size of a step of each of its rows


def save_difference(path: Path, generator: Generator, start: Path = SHIPPED) -> None:
    """Write the difference of `generator` from the one in the folder `start` into one file.

    It appears whole or not at all, and the same weights give the same bytes. Raises TalkerError
    when the two are not of one configuration or the file cannot be written.
    """
    first = load_generator(start)
    if generator.config != first.config:
        raise TalkerError(
            f"{path} was not written: the generator's configuration is not that of {start}, "
            "from which the difference would be taken."
        )
    tensors, begun = {}, first.state_dict()
    for name, value in generator.state_dict().items():
        value = value.detach().cpu()
        if value.dim() < 2:
            tensors[name] = value.half() if value.is_floating_point() else value
            continue
        gap = value.float() - begun[name]
        largest = gap.flatten(1).abs().amax(1)
        size = (largest / STEPS).clamp_min(torch.finfo(torch.float32).tiny)
        tensors[name] = (gap / _per_row(size, gap)).round().to(torch.int8)
        tensors[name + SIZES] = size
    about = {"start": read_config(start)["sha256"]}
    with replacing(path) as temporary:
        temporary.write_bytes(safetensors.torch.save(tensors, about))


def load_difference(path: Path, start: Path = SHIPPED) -> Generator:
    """The generator that `save_difference` kept: in eval mode, float32, on the CPU.

    Raises TalkerError when the file is missing or damaged, or the difference is from other weights
    than those in `start`.
    """
    try:
        with safe_open(path, "pt") as file:
            about = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError as error:
        raise TalkerError(f"there is no {path}: train it, or name another.") from error
    except (OSError, safetensors.SafetensorError) as error:
        raise TalkerError(f"{path} is not a safetensors file: {error}.") from error
    if about.get("start") != read_config(start)["sha256"]:
        raise TalkerError(
            f"{path} is not a difference from the weights in {start}: use those that it was made "
            "from, or make it again."
        )
    generator = load_generator(start)
    state = generator.state_dict()
    sizes = {name + SIZES for name, value in state.items() if value.dim() > 1}
    if tensors.keys() != state.keys() | sizes:
        raise TalkerError(f"{path} is of another network than {start}: make it again.")
    for name, value in state.items():
        given = tensors[name]
        size = tensors.get(name + SIZES)
        # `value` is the generator's own tensor, not a copy.
        value.copy_(given if size is None else value + _per_row(size, value) * given.float())
    return generator.eval()


def _per_row(sizes: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    return sizes.view(-1, *[1] * (like.dim() - 1))


if __name__ == "__main__":
    run, out = (Path(argument) for argument in sys.argv[1:3])
    save_difference(out, load_generator(run))
    print(json.dumps({"file": str(out), "bytes": out.stat().st_size}))
