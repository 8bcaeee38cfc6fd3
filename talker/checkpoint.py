"""Networks on disk: half-precision safetensors and a JSON file, never a pickle.

A generator is a folder with `generator.safetensors` and `config.json`; evaluator networks have a
pair of files each. The JSON file holds the model's configuration, the SHA-256 of the tensors' file
(so that halves of two different checkpoints are not taken for one), and whatever the run wants to
say about itself. Loading either file runs no code of theirs.
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import safetensors
import safetensors.torch
import torch
from torch import nn

from talker import config
from talker.errors import TalkerError
from talker.files import replacing
from talker.models.generator import Generator

SHIPPED = Path(__file__).parent / "weights"
TENSORS = "generator.safetensors"
CONFIG = "config.json"
FORMAT = 1
Network = TypeVar("Network", bound=nn.Module)
LFS_POINTER = b"version https://git-lfs"


def save_generator(path_dir: Path, generator: Generator, extra: dict[str, Any]) -> None:
    """Write `generator` into the folder `path_dir`, made where missing, as fp16.

    extra: JSON values to keep in config.json (steps, seed, scores ...). Each file appears whole or
    not at all, and the same weights give the same bytes. Raises TalkerError when a weight is not
    finite in fp16 or the folder cannot be written.
    """
    files = path_dir / TENSORS, path_dir / CONFIG
    save_network(*files, generator, config.to_json(generator.config), extra)


def save_network(
    tensors_file: Path, about: Path, network: nn.Module, model: dict, extra: dict[str, Any]
) -> None:
    """Write a network's tensors as fp16, and what is known of it (JSON) into the file `about`.

    model: what it takes to build it again. See `save_generator` for the rest.
    """
    tensors = {}
    for name, value in network.state_dict().items():
        half = value.detach().half() if value.is_floating_point() else value.detach()
        if half.is_floating_point() and not half.isfinite().all():
            raise TalkerError(
                f"{name} is not finite in half precision, so {tensors_file.parent} was not "
                "written: the training diverged, go back to an earlier checkpoint"
            )
        tensors[name] = half.cpu().contiguous()
    blob = safetensors.torch.save(tensors)
    description = {
        "format": FORMAT,
        "model": model,
        "sha256": hashlib.sha256(blob).hexdigest(),
        "extra": extra,
    }
    text = json.dumps(description, indent=2, sort_keys=True) + "\n"
    for path, content in ((tensors_file, blob), (about, text.encode())):
        with replacing(path) as temporary:
            temporary.write_bytes(content)


def load_generator(path_dir: Path | None = None) -> Generator:
    """The generator saved in `path_dir` (None: the one that comes with the package).

    In eval mode, float32, on the CPU. Raises TalkerError when a file is missing, is a Git LFS
    pointer, is damaged, belongs to another checkpoint, or does not fit the configuration.
    """
    folder = SHIPPED if path_dir is None else path_dir
    about = folder / CONFIG

    def build(model: dict) -> Generator:
        return Generator(config.from_json(config.ModelConfig, model, where=f"{about}: model"))

    return load_network(folder / TENSORS, about, build)


def load_network(tensors_file: Path, about: Path, build: Callable[[dict], Network]) -> Network:
    """What `save_network` wrote; build: makes the network of its `model`. See `load_generator`."""
    description = read_description(about)
    with torch.random.fork_rng(devices=[]):  # loading is no draw: a run that resumes may load, too
        network = build(description.get("model"))
    blob = _read(tensors_file)
    if hashlib.sha256(blob).hexdigest() != description.get("sha256"):
        raise TalkerError(
            f"{tensors_file} is not the file that {about.name} beside it describes (damaged, cut "
            "short, or from another checkpoint): copy both files again"
        )
    try:
        tensors = safetensors.torch.load(blob)
    except safetensors.SafetensorError as error:
        raise TalkerError(f"{tensors_file} is not a safetensors file: {error}") from error
    _check_fit(tensors_file, about.name, tensors, network.state_dict())
    network.load_state_dict(tensors)  # copies into float32
    return network.eval()


def read_config(folder: Path) -> dict[str, Any]:
    """config.json of a checkpoint as a dict. Raises TalkerError if missing or not one of ours."""
    return read_description(folder / CONFIG)


def read_description(path: Path) -> dict[str, Any]:
    """What `save_network` wrote beside the tensors; raises TalkerError as `read_config` does."""
    try:
        description = json.loads(_read(path))
    except ValueError as error:
        raise TalkerError(f"{path} is not JSON: {error}") from error
    found = description.get("format") if isinstance(description, dict) else None
    if found != FORMAT:
        raise TalkerError(
            f"{path} is of checkpoint format {found}, and this version reads {FORMAT}: "
            "upgrade the package or save the checkpoint again"
        )
    return description


def _check_fit(
    path: Path, about: str, found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]
) -> None:
    for problem, names in (
        ("lacks", sorted(expected.keys() - found.keys())),
        ("has the unknown", sorted(found.keys() - expected.keys())),
    ):
        if names:
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            raise TalkerError(
                f"{path} {problem} {names[0]}{more}: it is not of the model in {about}"
            )
    for name, tensor in expected.items():
        if found[name].shape != tensor.shape:
            raise TalkerError(
                f"{path} has {name} of shape {tuple(found[name].shape)} where {about} describes "
                f"{tuple(tensor.shape)}: the two files are not of one model"
            )


def _read(path: Path) -> bytes:
    try:
        blob = path.read_bytes()
    except FileNotFoundError as error:
        raise TalkerError(f"there is no {path}: train a network or name another place") from error
    except OSError as error:
        raise TalkerError(f"cannot read {path}: {error.strerror}") from error
    if blob.startswith(LFS_POINTER):
        raise TalkerError(
            f"{path} is a Git LFS pointer, not the file itself: run `git lfs pull` in its "
            "repository, or download the file"
        )
    return blob
