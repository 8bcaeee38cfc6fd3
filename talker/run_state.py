"""A training run on disk: everything needed to go on exactly where it stopped, in safetensors.

Networks and Adam's moments become named tensors, counters a JSON string in the file's header;
nothing is pickled, and the file appears whole or not at all.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from talker.errors import TalkerError
from talker.files import replacing


def save_state(
    path: Path,
    modules: dict[str, nn.Module],
    optimisers: dict[str, torch.optim.Adam],
    counters: dict,
) -> None:
    """Write modules, Adam's moments and counters (JSON values) to one file, whole or not at all.

    Raises TalkerError when the file cannot be written.
    """
    tensors = {}
    for name, module in modules.items():
        for key, value in module.state_dict().items():
            tensors[f"module/{name}/{key}"] = value.detach().contiguous()
    for name, optimiser in optimisers.items():
        for index, moments in optimiser.state_dict()["state"].items():
            for key, value in moments.items():
                tensors[f"optimiser/{name}/{index}/{key}"] = value.detach().contiguous()
    try:
        with replacing(path) as temporary:
            save_file(tensors, temporary, metadata={"counters": json.dumps(counters)})
    except SafetensorError as error:  # of its own writing, a full disk's among them
        raise TalkerError(f"{path} cannot be written: {error}.") from error


def load_state(
    path: Path, modules: dict[str, nn.Module], optimisers: dict[str, torch.optim.Adam]
) -> dict:
    """Fill modules and optimisers from a file of `save_state` and return its counters.

    Learning rates and the like are not in the file: they stay as the optimisers have them.
    Raises TalkerError: the file is damaged, or holds other networks than these.
    """
    try:
        with safe_open(path, "pt") as file:
            counters = json.loads(file.metadata()["counters"])
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (SafetensorError, KeyError, TypeError, ValueError) as error:  # no metadata: TypeError
        raise TalkerError(
            f"{path} is not a training state of this program ({error}): delete it to start afresh."
        ) from error
    for name, module in modules.items():
        prefix = f"module/{name}/"
        own = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
        try:
            module.load_state_dict(own)
        except RuntimeError as error:
            raise TalkerError(
                f"{path} holds other networks than this configuration's: use another --out."
            ) from error
    for name, optimiser in optimisers.items():
        prefix = f"optimiser/{name}/"
        parameters = [p for group in optimiser.param_groups for p in group["params"]]
        state: dict[int, dict] = {}
        for key, value in tensors.items():
            if key.startswith(prefix):
                index, moment = key.removeprefix(prefix).split("/")
                parameter = parameters[int(index)]
                if value.shape == parameter.shape:
                    # Fused Adam pairs weights and moments by their place in memory: a moment laid
                    # out otherwise than its (channels-last) weight would go to another weight.
                    value = torch.empty_like(parameter).copy_(value)
                state.setdefault(int(index), {})[moment] = value
        described = optimiser.state_dict()
        described["state"] = state
        optimiser.load_state_dict(described)
    return counters
