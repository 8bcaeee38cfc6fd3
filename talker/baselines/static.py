"""The paper's "static baseline": "a GAN-based method that uses a combination of an L1 loss and an
adversarial loss on individual frames" (section 6), each frame from 0.2 s of sound and the still.

Generator and frame discriminator are the project's own, with the settings of the preset `laptop`,
less all that knows of time: no GRU, no noise generator, no sequence and no synchronization
discriminator. In training it has none of the full model's helpers either (lips read off the sound,
emphasis on mouth and eyes, a running average of weights), so that the difference of the two is not
what time alone is worth.

Where it departs:
- z_n is none. Where the decoder's blocks would add maps of it nothing is added; where the latent
  vector has places for it they are 0.
- Group norm instead of batch norm, so that a frame is a function of its own sound and still only,
  and lessons of a few clips train.
- No warm-up: L1 of the lower half (Eq. 6) and the frame discriminator (Eq. 2) from the first step.
  The upper half is the discriminator's alone, as in the paper.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from talker import losses
from talker.baselines.baseline import Baseline, Made, Row, Settings
from talker.baselines.lessons import Lesson
from talker.config import AudioConfig, DiscriminatorConfig, ModelConfig, preset
from talker.draws import gather
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
    critic_rate: float = LAPTOP.train.frame_rate
    l1: float = LAPTOP.losses.l1  # beside an adversarial loss that weighs 1


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

    def decode(self, code: IdentityCode, audio_frames: Tensor) -> Tensor:
        """audio_frames (B, F, window * rate) -> frames (B, F, 3, H, W) in [-1, 1]."""
        z_c = self.audio_frame_encoder(audio_frames)
        return self.frame_decoder(code, z_c, z_c.new_zeros(*z_c.shape[:2], self.noise_dim))

    def forward(self, still: Tensor, audio_frames: Tensor) -> Tensor:
        """The same for a still (B, 3, H, W) in [-1, 1]."""
        return self.decode(self.identity_encoder(still), audio_frames)


class Static(Baseline):
    """One audio frame and the still give one frame."""

    Settings = StaticSettings
    audio = AudioConfig()

    def __init__(self, settings: StaticSettings) -> None:
        self.settings = settings
        self.maker = StaticMaker(settings.model)
        self.critic = FrameDiscriminator(settings.model, settings.discriminator)

    def imagine(self, lesson: Lesson) -> Made:
        return Made(self.maker(lesson.still, gather(lesson.heard, lesson.at)))

    def judge(self, lesson: Lesson, made: Made) -> Row:
        """Eq. 2."""
        pairs = torch.cat([lesson.frames, made.frames.detach()])
        stills = torch.cat([lesson.still, lesson.still])
        real, fake = self.critic(pairs, stills).float().chunk(2)
        beliefs = {"real": real.detach().sigmoid().mean(), "fake": fake.detach().sigmoid().mean()}
        return {"critic_loss": losses.frame_discriminator_loss(real, fake), **beliefs}

    def loss(self, lesson: Lesson, made: Made) -> Row:
        """Eq. 7 with one adversarial term."""
        img = losses.frame_generator_loss(self.critic(made.frames, lesson.still).float())
        l1 = losses.reconstruction_loss(lesson.frames, made.frames)
        return {"loss": img + self.settings.l1 * l1, "img": img, "l1_lower": l1}

    def begin(self, still: np.ndarray, landmarks: np.ndarray | None) -> IdentityCode:
        return self.maker.identity_encoder(self.seen(still))

    def carry_on(self, state: IdentityCode, heard: Tensor) -> tuple[Tensor, IdentityCode]:
        return self.maker.decode(state, heard), state
