"""The same training written without any of what makes it fast: what its speed is held against.

The networks, weights and losses are those of `talker.trainer`; `as_reference` changes how they are
computed. Skips are repeated for every frame and concatenated, batch norm is PyTorch's own, all is
float32 in PyTorch's usual layout, Adam goes weight by weight, and the generator's gradients collect
in the discriminators, which have no use for them.
"""

from __future__ import annotations

import contextlib
import functools

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from talker.models.frame_decoder import FrameDecoder
from talker.models.identity_encoder import IdentityCode
from talker.models.layers import BatchNorm1d, BatchNorm2d
from talker.trainer import Trainer


def decode(decoder: FrameDecoder, code: IdentityCode, z_c: Tensor, z_n: Tensor) -> Tensor:
    """What `decoder(code, z_c, z_n)` returns, every frame by itself: (B, F, 3, H, W)."""
    count = z_c.shape[1]
    z_id, still, *skips = (
        tensor.repeat_interleave(count, 0) for tensor in (code.z_id, code.still, *code.skips)
    )
    z_c, z_n = z_c.flatten(0, 1), z_n.flatten(0, 1)
    latent = torch.cat([z_id, z_c] if decoder.injection else [z_id, z_c, z_n], dim=-1)
    h = F.relu(decoder.first_norm(decoder.first(latent[:, :, None, None])))
    for block, skip in zip(decoder.blocks, reversed(skips), strict=False):
        joined = F.conv2d(torch.cat([h, skip], dim=1), block.join.weight, padding=1)
        if block.injected:
            joined = joined + block.content_maps(z_c) + block.noise_maps(z_n)
        h = block.finish(block.grow(F.relu(block.join_norm(joined))))
    image = decoder.last(h)
    if decoder.composition:
        mask = (image[:, 3:] + decoder.keep).sigmoid()
        image = mask * torch.atanh(0.97 * still) + image[:, :3]
    return image.tanh().unflatten(0, (-1, count))


def as_reference(trainer: Trainer) -> Trainer:
    """Make a trainer of fp32 compute its steps the plain way, in place; returns it."""
    networks, decoder = trainer.networks, trainer.generator.frame_decoder
    decoder.forward = functools.partial(decode, decoder)
    for module in networks.modules.values():
        module.to(memory_format=torch.contiguous_format)
        for part in module.modules():
            if isinstance(part, BatchNorm1d | BatchNorm2d):
                plain = nn.BatchNorm1d if isinstance(part, BatchNorm1d) else nn.BatchNorm2d
                part.forward = functools.partial(plain.forward, part)
    for name, optimiser in networks.optimisers.items():
        (group,) = optimiser.param_groups
        networks.optimisers[name] = torch.optim.Adam(
            group["params"], group["lr"], betas=group["betas"], foreach=False, fused=False
        )
    networks.held = lambda *names: contextlib.nullcontext()
    return trainer
