"""Generators on disk: half-precision safetensors and a config.json, never a pickle.

config.json holds the model's configuration, the SHA-256 of the tensors' file (so that halves of
two different checkpoints are not taken for one), and whatever the run wants to say about itself.
Loading either file runs no code of theirs.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch

from talker import config
from talker.errors import TalkerError
from talker.files import replacing
from talker.models.generator import Generator

SHIPPED = Path(__file__).parent / "weights"
TENSORS = "generator.safetensors"
CONFIG = "config.json"
FORMAT = 1
LFS_POINTER = b"version https://git-lfs"


def save_generator(path_dir: Path, generator: Generator, extra: dict[str, Any]) -> None:
    """Write `generator` into the folder `path_dir`, made where missing, as fp16.

    extra: JSON values to keep in config.json (steps, seed, scores ...). Each file appears whole or
    not at all, and the same weights give the same bytes. Raises TalkerError when a weight is not
    finite in fp16 or the folder cannot be written.
    """
    tensors = {}
    for name, value in generator.state_dict().items():
        half = value.detach().half() if value.is_floating_point() else value.detach()
        if half.is_floating_point() and not half.isfinite().all():
            raise TalkerError(
                f"{name} is not finite in half precision, so {path_dir} was not written: "
                "the training diverged, go back to an earlier checkpoint"
            )
        tensors[name] = half.cpu().contiguous()
    blob = safetensors.torch.save(tensors)
    description = {
        "format": FORMAT,
        "model": config.to_json(generator.config),
        "sha256": hashlib.sha256(blob).hexdigest(),
        "extra": extra,
    }
    text = json.dumps(description, indent=2, sort_keys=True) + "\n"
    try:
        for name, content in ((TENSORS, blob), (CONFIG, text.encode())):
            with replacing(path_dir / name) as temporary:
                temporary.write_bytes(content)
    except OSError as error:
        raise TalkerError(f"cannot write a checkpoint to {path_dir}: {error.strerror}") from error


def load_generator(path_dir: Path | None = None) -> Generator:
    """The generator saved in `path_dir` (None: the one that comes with the package).

    In eval mode, float32, on the CPU. Raises TalkerError when a file is missing, is a Git LFS
    pointer, is damaged, belongs to another checkpoint, or does not fit the configuration.
    """
    folder = SHIPPED if path_dir is None else path_dir
    description = read_config(folder)
    model = config.from_json(
        config.ModelConfig, description.get("model"), where=f"{folder / CONFIG}: model"
    )
    path = folder / TENSORS
    blob = _read(path)
    if hashlib.sha256(blob).hexdigest() != description.get("sha256"):
        raise TalkerError(
            f"{path} is not the file that {CONFIG} beside it describes (damaged, cut short, or "
            "from another checkpoint): copy both files again"
        )
    try:
        tensors = safetensors.torch.load(blob)
    except safetensors.SafetensorError as error:
        raise TalkerError(f"{path} is not a safetensors file: {error}") from error
    generator = Generator(model)
    _check_fit(path, tensors, generator.state_dict())
    generator.load_state_dict(tensors)  # copies into float32
    return generator.eval()


def read_config(folder: Path) -> dict[str, Any]:
    """config.json of a checkpoint as a dict. Raises TalkerError if missing or not one of ours."""
    path = folder / CONFIG
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
    path: Path, found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]
) -> None:
    for problem, names in (
        ("lacks", sorted(expected.keys() - found.keys())),
        ("has the unknown", sorted(found.keys() - expected.keys())),
    ):
        if names:
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            raise TalkerError(
                f"{path} {problem} {names[0]}{more}: it is not of the model in {CONFIG}"
            )
    for name, tensor in expected.items():
        if found[name].shape != tensor.shape:
            raise TalkerError(
                f"{path} has {name} of shape {tuple(found[name].shape)} where {CONFIG} describes "
                f"{tuple(tensor.shape)}: the two files are not of one model"
            )


def _read(path: Path) -> bytes:
    try:
        blob = path.read_bytes()
    except FileNotFoundError as error:
        raise TalkerError(f"there is no {path}: train a generator or name its folder") from error
    except OSError as error:
        raise TalkerError(f"cannot read {path}: {error.strerror}") from error
    if blob.startswith(LFS_POINTER):
        raise TalkerError(
            f"{path} is a Git LFS pointer, not the file itself: run `git lfs pull` in its "
            "repository, or download the file"
        )
    return blob
