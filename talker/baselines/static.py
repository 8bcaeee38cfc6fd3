"""The paper's "static baseline": "a GAN-based method that uses a combination of an L1 loss and an
adversarial loss on individual frames" (section 6), each frame from 0.2 s of sound and the still.

Generator and frame discriminator are the project's own, with the settings of the preset `laptop`,
less all that knows of time: no GRU, no noise generator, no sequence and no synchronization
discriminator. In training it has the full model's helpers as far as they have a place: as many
steps of reconstruction first at its rates, lips read off the sound, emphasis on the mouth, the
upper half held to the still. Without them, with Eq. 7 from the first step, 75 minutes left it where
it begins, at a copy of the still: the discriminator was sure of itself within three hundred steps.
Of the upper half the discriminator sees the still's: without noise eyes are copies, by which it can
know any frame. And it weighs a fifth of what it does in the full model: with the full weight three
hundred steps of its gradient took back what the lips had learnt and left red patterns.

Where it departs:
- z_n is none. Where the decoder's blocks would add maps of it nothing is added; where the latent
  vector has places for it they are 0.
- Group norm instead of batch norm, so that a frame is a function of its own sound and still only,
  and lessons of a few clips train.
- No running average of the weights, and no L1 of the eyes, which would ask for a mean lid.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from talker import losses
from talker.baselines.baseline import Baseline, Made, Row, Settings
from talker.baselines.lessons import Lesson
from talker.config import AudioConfig, DiscriminatorConfig, ModelConfig, preset
from talker.draws import gather
from talker.emphasis import lower_l1, still_l1
from talker.models.audio_frame_encoder import AudioFrameEncoder
from talker.models.frame_decoder import FrameDecoder
from talker.models.frame_discriminator import FrameDiscriminator
from talker.models.identity_encoder import IdentityCode, IdentityEncoder

LAPTOP = preset("laptop")


@dataclass(frozen=True)
class StaticSettings(Settings):
    """The laptop's generator and frame discriminator, and the weights of Eq. 7."""

    model: ModelConfig = field(
        default_factory=lambda: dataclasses.replace(
            LAPTOP.model, normalisation="group", audio_normalisation="group"
        )
    )
    discriminator: DiscriminatorConfig = field(default_factory=lambda: LAPTOP.discriminators)
    rate: float = LAPTOP.train.generator_rate  # once the discriminator takes part
    critic_rate: float = LAPTOP.train.frame_rate
    warm_up: int = 1800  # steps before that
    warm_up_rate: float = LAPTOP.train.warm_up_rate  # at its highest
    l1: float = LAPTOP.losses.l1
    img: float = 0.2  # of the adversarial loss
    mouth: float = LAPTOP.train.mouth_emphasis
    lips: float = LAPTOP.train.lips_weight
    still: float = LAPTOP.train.still_weight


class NoMaps(nn.Module):
    """In the place of a decoder block's maps of z_n."""

    def forward(self, code: Tensor) -> Tensor:
        """(N, noise_dim) -> 0, which any map can be added to."""
        return code.new_zeros(())


class StaticMaker(nn.Module):
    """Identity encoder, the convolutions of the content encoder, frame decoder."""

    def __init__(self, model: ModelConfig) -> None:
        super().__init__()
        self.noise_dim = model.noise_dim
        self.identity_encoder = IdentityEncoder(model)
        self.audio_frame_encoder = AudioFrameEncoder(
            model.audio, model.audio_width, model.content_dim, model.audio_normalisation
        )
        self.frame_decoder = FrameDecoder(model)
        for block in self.frame_decoder.blocks:
            if block.injected:
                block.noise_maps = NoMaps()

    def paint(self, code: IdentityCode, z_c: Tensor) -> Tensor:
        """z_c (B, F, content_dim) -> frames (B, F, 3, H, W) in [-1, 1]."""
        return self.frame_decoder(code, z_c, z_c.new_zeros(*z_c.shape[:2], self.noise_dim))

    def decode(self, code: IdentityCode, audio_frames: Tensor) -> Tensor:
        """The same for audio_frames (B, F, window * rate)."""
        return self.paint(code, self.audio_frame_encoder(audio_frames))

    def forward(self, still: Tensor, audio_frames: Tensor) -> Tensor:
        """The same for a still (B, 3, H, W) in [-1, 1]."""
        return self.decode(self.identity_encoder(still), audio_frames)


def lower_of(frames: Tensor, still: Tensor) -> Tensor:
    """Frames (B, F, 3, H, W) whose upper halves are those of the stills (B, 3, H, W)."""
    half = still.shape[-2] // 2
    upper = still[:, None, :, :half].expand(-1, frames.shape[1], -1, -1, -1)
    return torch.cat([upper, frames[..., half:, :]], dim=-2)


class Static(Baseline):
    """One audio frame and the still give one frame."""

    Settings = StaticSettings
    audio = AudioConfig()

    def __init__(self, settings: StaticSettings) -> None:
        self.settings = settings
        self.maker = StaticMaker(settings.model)
        self.critic = FrameDiscriminator(settings.model, settings.discriminator)
        self.helper = nn.Linear(settings.model.content_dim, 4)  # reads lips and jaw

    def rate(self, step: int) -> float:
        """As `talker.networks` has it: a short ramp and cosine in the warm-up."""
        settings = self.settings
        if step >= settings.warm_up:
            return settings.rate
        fall = 0.1 + 0.45 * (1 + math.cos(math.pi * step / settings.warm_up))
        return min(1.0, (step + 1) / 100) * settings.warm_up_rate * fall

    def judged(self, step: int) -> bool:
        return step >= self.settings.warm_up

    def imagine(self, lesson: Lesson) -> Made:
        z_c = self.maker.audio_frame_encoder(lesson.heard)
        code = self.maker.identity_encoder(lesson.still)
        return Made(self.maker.paint(code, gather(z_c, lesson.at)), codes=z_c)

    def judge(self, lesson: Lesson, made: Made) -> Row:
        """Eq. 2."""
        seen = (lesson.frames, made.frames.detach())
        pairs = torch.cat([lower_of(frames, lesson.still) for frames in seen])
        stills = torch.cat([lesson.still, lesson.still])
        real, fake = self.critic(pairs, stills).float().chunk(2)
        beliefs = {"real": real.detach().sigmoid().mean(), "fake": fake.detach().sigmoid().mean()}
        return {"critic_loss": losses.frame_discriminator_loss(real, fake), **beliefs}

    def loss(self, lesson: Lesson, made: Made, judged: bool) -> Row:
        """Eq. 7 with one adversarial term, once there is one, and what helps."""
        settings = self.settings
        lower = lower_l1(lesson.frames, made.frames, settings.mouth)
        still = still_l1(lesson.still, made.frames)
        lips = F.l1_loss(self.helper(made.codes).float(), lesson.lips)
        row = {"l1_lower": lower, "l1_still": still, "lips": lips}
        loss = settings.l1 * (lower + settings.still * still) + settings.lips * lips
        if judged:
            on_made = self.critic(lower_of(made.frames, lesson.still), lesson.still)
            row["img"] = losses.frame_generator_loss(on_made.float())
            loss = loss + settings.img * row["img"]
        return {"loss": loss} | row

    def begin(self, still: np.ndarray, landmarks: np.ndarray | None) -> IdentityCode:
        return self.maker.identity_encoder(self.seen(still))

    def carry_on(self, state: IdentityCode, heard: Tensor) -> tuple[Tensor, IdentityCode]:
        return self.maker.decode(state, heard), state
