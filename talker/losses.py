"""The losses of section 3.3, Eq. 2-7, one short function each.

Discriminators return logits l, D = sigmoid(l), so that log D = -softplus(-l) and
log(1 - D) = -softplus(l): the same numbers without taking the logarithm of 0. The discriminators
maximise Eq. 2-4; the `*_discriminator_loss` functions are their negatives, to be minimised. The
generator minimises -log D of what it made instead of log(1 - D): same fixed point, but a gradient
that does not vanish while the discriminator is winning (Goodfellow et al. 2014, section 3).
Every expectation is a mean over whatever shape the logits have. All losses are scalars, in nats.
"""

import torch.nn.functional as F
from torch import Tensor

from talker.config import LossWeights


def log_loss_real(logits: Tensor) -> Tensor:
    """-E log D: small when the discriminator calls these real."""
    return F.softplus(-logits).mean()


def log_loss_fake(logits: Tensor) -> Tensor:
    """-E log(1 - D): small when the discriminator calls these fake."""
    return F.softplus(logits).mean()


def frame_discriminator_loss(real: Tensor, generated: Tensor) -> Tensor:
    """Eq. 2: -E log D_img(S(x), x_1) - E log(1 - D_img(S(G(z)), x_1))."""
    return log_loss_real(real) + log_loss_fake(generated)


def frame_generator_loss(generated: Tensor) -> Tensor:
    """The generator's side of Eq. 2."""
    return log_loss_real(generated)


def sync_discriminator_loss(in_sync: Tensor, shifted: Tensor, generated: Tensor) -> Tensor:
    """Eq. 3: -E log D(p_in) - 1/2 E log(1 - D(p_out)) - 1/2 E log(1 - D(p_f)).

    The half makes the two kinds of wrong pair weigh together what the right pair weighs.
    """
    return log_loss_real(in_sync) + (log_loss_fake(shifted) + log_loss_fake(generated)) / 2


def sync_generator_loss(generated: Tensor) -> Tensor:
    """The generator's side of Eq. 3, its 1/2 included."""
    return log_loss_real(generated) / 2


def sequence_discriminator_loss(real: Tensor, generated: Tensor) -> Tensor:
    """Eq. 4: -E log D_seq(x, a) - E log(1 - D_seq(G(z), a))."""
    return log_loss_real(real) + log_loss_fake(generated)


def sequence_generator_loss(generated: Tensor) -> Tensor:
    """The generator's side of Eq. 4."""
    return log_loss_real(generated)


def adversarial_loss(img: Tensor, sync: Tensor, seq: Tensor, weights: LossWeights) -> Tensor:
    """Eq. 5: L_adv = lambda_img L_img + lambda_sync L_sync + lambda_seq L_seq."""
    return weights.img * img + weights.sync * sync + weights.seq * seq


def reconstruction_loss(real: Tensor, generated: Tensor) -> Tensor:
    """Eq. 6: L1 over the lower half, so that eyes and brows may do as they like. Mean, not sum.

    Both (..., 3, H, W) in [-1, 1]; the lower half is rows H // 2 on. Eq. 6 sums over the W * H / 2
    pixels of that half, in a unit that the paper does not give, and weighs the sum with 600, so
    that the weighted loss is "roughly triple the adversarial loss". `config.PAPER_L1` is that
    weight for this mean; the ratio is in the log of every run (`l1_to_adversarial`).
    """
    top = real.shape[-2] // 2
    return F.l1_loss(generated[..., top:, :], real[..., top:, :])


def generator_loss(adversarial: Tensor, l1: Tensor, weights: LossWeights) -> Tensor:
    """Eq. 7: L_adv + lambda_rec L_L1, what the generator minimises."""
    return adversarial + weights.l1 * l1
