"""ATVGNet: L. Chen, R. K. Maddox, Z. Duan, C. Xu, "Hierarchical cross-modal talking face generation
with dynamic pixel-wise loss", CVPR 2019.

Two networks. AT-net hears 0.28 s of MFCCs (12 coefficients by 28 steps) for each frame and knows
the still's landmarks, as PCA coefficients; an LSTM says how these move. VG-net sees the still and
landmarks; it makes a colour picture c and an attention map alpha, and the frame is
alpha c + (1 - alpha) still. Losses of VG-net: L1 of pixels, each weighed with its alpha (whose
gradient is cut there) plus a constant, and a regression-based discriminator: from frames and the
still's landmarks an LSTM says how real they are and where the frames' landmarks are; the generator
must persuade it of the former and agree in the latter, lips counting most.

Where it departs:
- Frames are our aligned 96x128 crops, so landmarks need no alignment of their own, and the LSTMs
  and the recurrent convolution run over windows of a clip's frames, not over whole clips.
- Both networks learn in one loop, at each step; they share no weights, and VG-net learns from true
  landmarks as theirs does, so this is their two trainings side by side.
- AT-net's output is added to the still's landmarks, so that it cannot lose the face's proportions;
  20 components, which hold the lips beside pose and shape of many faces, instead of 6 for one
  corpus. VG-net takes landmarks as these coefficients, too.
- Narrower layers, one LSTM layer instead of three, a convolutional GRU as the recurrent part at
  16x12, group norm instead of batch norm but for the embedding of the sound. There is none where
  landmarks come in: over one sample it takes away how far they have moved, and pictures did not
  follow even true landmarks. For the same reason how far they have moved meets the features at
  64x48 once more.
- The colour picture is the still and what VG-net adds to it. One painted from features alone took
  its six hundred steps to look like the still, and lips came nowhere.
- For the first `warm_up` steps VG-net learns its colour picture alone, by L1, and it goes on to
  learn it by that beside the other losses: behind a closed mask it would learn nothing. Attention
  begins low.
- As for the other methods, the mouth counts once more in L1, and lips ten times in the landmarks
  that AT-net learns: without, colours and landmarks learnt faces that swayed, and lips stayed shut.
- The weights of L1, discriminator and lips, and the lips' weight in the regression, are ours.
- 28 steps of 25 ms that start every 10 ms span 0.295 s.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from talker import losses
from talker.baselines.baseline import Baseline, Made, Row, Settings, emphasised
from talker.baselines.landmark_space import POINTS, LandmarkSpace
from talker.baselines.lessons import Lesson, Lessons, on_plane
from talker.baselines.mfcc import RATE, window_seconds
from talker.baselines.speech2vid import AudioEncoder, convolution, growing
from talker.config import AudioConfig, preset
from talker.draws import gather
from talker.faces import CANONICAL_SIZE, find_detector
from talker.models.layers import halving_stack
from talker.tracking import fit_crops

LAPTOP = preset("laptop")
STEPS = 28  # of MFCCs
BASE = 0.5  # beta: the least weight of a pixel in L1
LIPS = slice(48, 68)
PIXELS = CANONICAL_SIZE[0] / 2  # of the crop in a unit of the landmarks' plane
SAMPLE = 400  # clips that the components are found from, spread over all
LIPS_WEIGHT = 10.0  # of their points, where AT-net says landmarks and where the critic reads them
FIRST_ATTENTION = -2.0  # before the sigmoid: an eighth
MAPS = 16  # channels that landmarks become
LOUDER = 3.0  # their difference from the still's: fresh maps of one deviation differ by a quarter


@dataclass(frozen=True)
class ATVGNetSettings(Settings):
    """Widths that two cores can train."""

    width: int = 24  # channels of the first layer of each encoder and of the critic
    components: int = 20  # of the landmarks
    hidden: int = 256  # cells of AT-net's LSTM and of the critic's
    clips: int = 4
    decoded: int = 5
    critic_rate: float = 2e-4  # Adam's
    rate: float = 1e-3
    warm_up: int = 800  # steps before there are frames and a critic
    l1: float = 100.0  # of the pixel-wise losses, beside an adversarial one that weighs 1
    mouth: float = LAPTOP.train.mouth_emphasis
    regression: float = 0.1  # of the generator's landmarks as the critic reads them


def dynamic_l1(real: Tensor, made: Tensor, attention: Tensor, mouth: float = 0.0) -> Tensor:
    """Mean of |made - real| (..., 3, H, W), pixels weighed with attention (..., 1, H, W) + BASE.

    The weights have no gradient: a network must not look away from where it is wrong. mouth: see
    `emphasised`.
    """
    return emphasised((attention.detach() + BASE) * (made - real).abs(), mouth)


def landmark_loss(real: Tensor, read: Tensor, lips: float = 1.0) -> Tensor:
    """Mean squared distance of landmarks (..., 68, 2) along an axis, in squared pixels.

    The 20 points of the lips count `lips` times: the mask M_p of their regression loss.
    """
    weight = torch.ones(POINTS, 1, device=real.device)
    weight[LIPS] = lips
    return (weight * (PIXELS * (read - real)).square()).mean()


class ATNet(nn.Module):
    """Sound and the still's landmarks -> how the landmarks' coefficients move."""

    def __init__(self, width: int, components: int, hidden: int) -> None:
        super().__init__()
        # Embeddings of all sounds begin nearly alike: without this, as theirs has it, landmarks
        # follow the voice after 600 steps instead of 100.
        self.audio_encoder = nn.Sequential(
            AudioEncoder(width, STEPS, hidden), nn.BatchNorm1d(hidden)
        )
        self.landmark_encoder = nn.Sequential(
            nn.Linear(components, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU()
        )
        self.lstm = nn.LSTM(2 * hidden, hidden, batch_first=True)
        self.last = nn.Linear(hidden, components)

    def forward(self, heard: Tensor, still: Tensor, state=None) -> tuple[Tensor, tuple]:
        """heard (B, T, samples), still (B, components) -> changes (B, T, components), state."""
        sound = self.audio_encoder(heard.flatten(0, 1)).unflatten(0, heard.shape[:2])
        face = self.landmark_encoder(still).unsqueeze(1).expand(-1, heard.shape[1], -1)
        spoken, state = self.lstm(torch.cat([sound, face], dim=-1), state)
        return self.last(spoken), state


class ConvGRU(nn.Module):
    """A GRU whose cells are the positions of a map: K. Cho's gates as 3x3 convolutions."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gates = nn.Conv2d(2 * channels, 2 * channels, 3, padding=1)
        self.candidate = nn.Conv2d(2 * channels, channels, 3, padding=1)

    def forward(self, maps: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        """maps (B, F, C, y, x), state (B, C, y, x) -> all states, like maps, and the last."""
        state = torch.zeros_like(maps[:, 0]) if state is None else state
        states = []
        for x in maps.unbind(1):
            reset, keep = self.gates(torch.cat([x, state], 1)).sigmoid().chunk(2, 1)
            new = self.candidate(torch.cat([x, reset * state], 1)).tanh()
            state = keep * state + (1 - keep) * new
            states.append(state)
        return torch.stack(states, 1), state


class Face(NamedTuple):
    """A still as VG-net knows it: pixels (B, 3, H, W), features at 64x48 and at 16x12, and the maps
    (B, MAPS, 16, 12) of its landmarks."""

    pixels: Tensor
    fine: Tensor
    coarse: Tensor
    landmarks: Tensor


class VGNet(nn.Module):
    """The still and landmarks -> frames, through attention and colour."""

    def __init__(self, width: int, components: int) -> None:
        super().__init__()
        self.fine = convolution(3, width, 7, stride=2)
        self.coarse = nn.Sequential(
            convolution(width, 2 * width, 3, stride=2),
            convolution(2 * width, 4 * width, 3, stride=2),
        )
        self.cell = tuple(size // 8 for size in CANONICAL_SIZE)
        self.landmark_encoder = nn.Sequential(
            nn.Linear(components, 256),
            nn.ReLU(),
            nn.Linear(256, MAPS * self.cell[0] * self.cell[1]),
            nn.Unflatten(1, (MAPS, *self.cell)),
        )
        # Where landmarks have moved, the still's features are of no use.
        self.look = nn.Conv2d(4 * width + 2 * MAPS, 1, 3, padding=1)
        self.motion = nn.Conv2d(MAPS, 4 * width, 3, padding=1)
        self.join = convolution(8 * width, 4 * width, 3)
        self.recurrent = ConvGRU(4 * width)
        self.grow = nn.Sequential(growing(4 * width, 2 * width), growing(2 * width, width))
        self.finish = growing(2 * width + MAPS, width)
        self.colour = nn.Conv2d(width, 3, 7, padding=3)
        nn.init.zeros_(self.colour.weight)  # first colours are the still
        nn.init.zeros_(self.colour.bias)
        self.attention = nn.Conv2d(width, 1, 7, padding=3)
        nn.init.constant_(self.attention.bias, FIRST_ATTENTION)

    def meet(self, still: Tensor, coefficients: Tensor) -> Face:
        """still (B, 3, H, W) in [-1, 1] and its landmarks' coefficients (B, components)."""
        fine = self.fine(still)
        return Face(still, fine, self.coarse(fine), self.landmark_encoder(coefficients))

    def forward(
        self, face: Face, coefficients: Tensor, state: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Coefficients (B, F, components) of consecutive frames -> these frames (B, F, 3, H, W) in
        [-1, 1], their attention (B, F, 1, H, W), their colour, and the state to go on with."""
        count = coefficients.shape[1]
        pixels, fine, coarse, before = (part.repeat_interleave(count, dim=0) for part in face)
        now = self.landmark_encoder(coefficients.flatten(0, 1))
        kept = self.look(torch.cat([coarse, now, before], 1)).sigmoid()
        moved = LOUDER * (now - before)
        h = self.join(torch.cat([kept * coarse, self.motion(moved)], 1))
        h, state = self.recurrent(h.unflatten(0, (-1, count)), state)
        h = self.grow(h.flatten(0, 1))
        shown, moved = (
            F.interpolate(maps, size=h.shape[-2:], mode="bilinear", align_corners=False)
            for maps in (kept, moved)
        )
        h = self.finish(torch.cat([h, shown * fine, moved], 1))
        attention = self.attention(h).sigmoid()
        colour = (pixels + self.colour(h)).clamp(-1, 1)
        frames = attention * colour + (1 - attention) * pixels
        made = (part.unflatten(0, (-1, count)) for part in (frames, attention, colour))
        return *made, state


class RegressionCritic(nn.Module):
    """Frames and the still's landmarks -> how real they are, and where their landmarks are."""

    def __init__(self, width: int, components: int, hidden: int) -> None:
        super().__init__()
        self.stack = halving_stack(3, width, levels=5)
        self.embed = nn.Conv2d(width << 4, hidden, tuple(size // 32 for size in CANONICAL_SIZE))
        self.landmark_encoder = nn.Sequential(nn.Linear(components, hidden), nn.ReLU())
        self.lstm = nn.LSTM(2 * hidden, hidden, batch_first=True)
        self.real = nn.Linear(hidden, 1)
        self.read = nn.Linear(hidden, 2 * POINTS)

    def forward(self, frames: Tensor, still: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
        """frames (B, F, 3, H, W); still (B, components) and points (B, 68, 2): its landmarks.

        Returns logits (B,), means over the frames, and landmarks (B, F, 68, 2).
        """
        seen = self.embed(self.stack(frames.flatten(0, 1))).flatten(1)
        seen = seen.unflatten(0, frames.shape[:2])
        face = self.landmark_encoder(still).unsqueeze(1).expand(-1, frames.shape[1], -1)
        h, _ = self.lstm(torch.cat([seen, face], dim=-1))
        change = self.read(h).float().unflatten(-1, (POINTS, 2))
        return self.real(h).float().mean(dim=(1, 2)), points.unsqueeze(1) + change


class ATVGNetMaker(nn.Module):
    """The two networks and the space of landmarks that they share."""

    def __init__(self, settings: ATVGNetSettings) -> None:
        super().__init__()
        self.space = LandmarkSpace(settings.components)
        self.at_net = ATNet(settings.width, settings.components, settings.hidden)
        self.vg_net = VGNet(settings.width, settings.components)


class Speaking(NamedTuple):
    """A still that is being animated: its face, coefficients (1, components), states."""

    face: Face
    coefficients: Tensor
    spoken: tuple | None = None
    drawn: Tensor | None = None


class ATVGNet(Baseline):
    """Sound -> landmarks -> frames."""

    Settings = ATVGNetSettings
    audio = AudioConfig(rate=RATE, window=window_seconds(STEPS))
    run = True
    any_still = True  # as in the authors' training

    def __init__(self, settings: ATVGNetSettings) -> None:
        self.settings = settings
        self.maker = ATVGNetMaker(settings)
        self.critic = RegressionCritic(settings.width, settings.components, settings.hidden)

    def prepare(self, lessons: Lessons) -> None:
        """Find the components of the clips' landmarks, each clip seen in a mirror, too."""
        sampled = lessons.sampled_landmarks(SAMPLE)
        self.maker.space.fit([torch.from_numpy(clip).to(self.device) for clip in sampled])

    def imagine(self, lesson: Lesson) -> Made:
        """Frames from true landmarks, and landmarks from sound."""
        space, still = self.maker.space, lesson.still_landmarks
        known = space.coefficients(still)
        change, _ = self.maker.at_net(lesson.heard, known)
        points = space.moved(still.unsqueeze(1), change.float())
        true = space.coefficients(gather(lesson.landmarks, lesson.at))
        face = self.maker.vg_net.meet(lesson.still, known)
        frames, attention, colour, _ = self.maker.vg_net(face, true)
        return Made(frames, attention=attention, colour=colour, landmarks=points)

    def _judged(self, lesson: Lesson, frames: Tensor) -> tuple[Tensor, Tensor]:
        still = lesson.still_landmarks
        logits, read = self.critic(frames, self.maker.space.coefficients(still), still)
        return logits, landmark_loss(gather(lesson.landmarks, lesson.at), read, LIPS_WEIGHT)

    def judge(self, lesson: Lesson, made: Made) -> Row:
        """Real against made, and the error of the landmarks read off the real frames."""
        on_real, error = self._judged(lesson, lesson.frames)
        on_made, _ = self._judged(lesson, made.frames.detach())
        loss = losses.log_loss_real(on_real) + losses.log_loss_fake(on_made)
        return {"critic_loss": loss + self.settings.regression * error, "read_real": error}

    def judged(self, step: int) -> bool:
        return step >= self.settings.warm_up

    def loss(self, lesson: Lesson, made: Made, judged: bool) -> Row:
        """AT-net's squared error and VG-net's four terms, or that of its colours: no weight is in
        both."""
        settings = self.settings
        spoken = landmark_loss(lesson.landmarks, made.landmarks, LIPS_WEIGHT)
        painted = emphasised((made.colour - lesson.frames).abs(), settings.mouth)
        row = {
            "landmarks": spoken,
            "l1": F.l1_loss(made.frames.detach(), lesson.frames),  # what its weights cannot move
            "l1_colour": painted,
            "attention": made.attention.mean(),
        }
        if not judged:
            return {"loss": spoken + settings.l1 * painted} | row
        pixels = dynamic_l1(lesson.frames, made.frames, made.attention, settings.mouth)
        logits, error = self._judged(lesson, made.frames)
        adversarial = losses.log_loss_real(logits)
        loss = spoken + settings.l1 * (painted + pixels)
        loss = loss + adversarial + settings.regression * error
        row |= {"l1_dynamic": pixels, "adversarial": adversarial, "read_made": error}
        return {"loss": loss} | row

    def begin(self, still: np.ndarray, landmarks: np.ndarray | None) -> Speaking:
        if landmarks is None:
            landmarks = fit_crops([still], find_detector())[0]
        points = torch.from_numpy(on_plane(landmarks))[None].to(self.device)
        known = self.maker.space.coefficients(points)
        return Speaking(self.maker.vg_net.meet(self.seen(still), known), known)

    def carry_on(self, state: Speaking, heard: Tensor) -> tuple[Tensor, Speaking]:
        change, spoken = self.maker.at_net(heard, state.coefficients, state.spoken)
        moved = state.coefficients.unsqueeze(1) + change
        frames, _, _, drawn = self.maker.vg_net(state.face, moved, state.drawn)
        return frames, state._replace(spoken=spoken, drawn=drawn)
