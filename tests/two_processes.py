"""A program, `python two_processes.py CORPUS OUT [COUNT]`: gradients of one step of each kind.

Each of COUNT processes computes its parts and writes what it has after averaging.
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from small_training import SMOKE, changed, started
from torch import Tensor

from talker.dataset import Clips
from talker.devices import Devices
from talker.store import clips
from talker.trainer import Trainer

# At rate 0 discriminators stay as they are, and Adam's first step, which is all sign, has no say.
STILL = {"frame_rate": 0.0, "sequence_rate": 0.0, "sync_rate": 0.0, "warm_up_rate": 0.0}
STEPS = {"warm_up": 0, "sequence": 2, "snippets": 3}  # of a run with 2 steps of warm-up


def gradients(trainer: Trainer, draws: dict[str, list]) -> dict[str, Tensor]:
    """Of every network, by kind of step, network and weight, after that step."""
    found = {}
    for kind, parts in draws.items():
        step = trainer.warm_up_step if kind == "warm_up" else trainer.adversarial_step
        for name in trainer.networks.optimisers:
            trainer.networks.clear(name)
            for group in trainer.networks.optimisers[name].param_groups:
                group["lr"] = 0.0
        step(parts)
        for name, module in trainer.modules.items():
            for key, weight in module.named_parameters():
                if weight.grad is not None:
                    found[f"{kind}/{name}/{key}"] = weight.grad.clone().contiguous()
    return found


def main(corpus: Path, out: Path, count: int) -> None:
    config = changed(SMOKE, devices=count, accelerator="cpu", **STILL)
    devices = Devices(config.train)
    trainer = started(config, devices)
    trainer.freeze()
    if not devices.first:  # as if it had begun elsewhere
        with torch.no_grad():
            for weight in trainer.generator.parameters():
                weight.add_(0.1)
    devices.share(trainer.modules.values())
    data = Clips(clips(corpus, "train"), config.model.audio)
    draws = {kind: trainer.draw(data, step) for kind, step in STEPS.items()}
    out.mkdir(exist_ok=True)
    save_file(gradients(trainer, draws), out / f"{devices.rank}.safetensors")
    devices.wait()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
