"""Everything a run needs to know: one tree of frozen dataclasses, saved beside its weights.

Three presets: `paper` is what the paper says, `laptop` is what two CPU cores can train in hours,
`smoke` is what a test can train in seconds. Where `laptop` departs from the paper, the field's
comment says why. The comments are also the help of `talker train --help`.
"""

import dataclasses
import types
import typing
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeVar

from tyro.conf import arg

from talker.errors import TalkerError

T = TypeVar("T")

# The 600 of the paper's Eq. 7 where Eq. 6 is a mean over half a frame of values in [-1, 1]. A sum
# over the lower half of values in [0, 1], divided by the values of a whole frame, is a quarter of
# that mean, and of the readings of Eq. 6 the one that comes nearest to the ratio the paper states.
PAPER_L1 = 600 / 4


@dataclass(frozen=True)
class AudioConfig:
    """How a recording is cut into audio frames (section 3.1.2, Eq. 1).

    Raises TalkerError when the rate is not a whole number of samples per video frame.
    """

    rate: int = 16000  # samples per second
    fps: int = 25  # video frames per second
    window: float = 0.2  # seconds of sound that one video frame hears

    def __post_init__(self) -> None:
        if self.rate < 1000 or self.fps < 1 or self.rate % self.fps:
            raise TalkerError(
                f"audio rate {self.rate} is not a whole number of samples per video frame at "
                f"{self.fps} frames a second: resample to a multiple of {self.fps}"
            )
        if self.samples < self.stride:
            raise TalkerError(
                f"an audio window of {self.window} s is shorter than one video frame at "
                f"{self.fps} frames a second: use at least {1 / self.fps:g} s"
            )

    @property
    def stride(self) -> int:
        """Samples from one audio frame to the next: rate / fps (Eq. 1)."""
        return self.rate // self.fps

    @property
    def samples(self) -> int:
        """Samples in one audio frame: window * rate."""
        return round(self.window * self.rate)

    @property
    def snippet(self) -> int:
        """Video frames that last as long as one audio frame: 5 at 0.2 s and 25 fps."""
        return max(1, round(self.window * self.fps))


@dataclass(frozen=True)
class ModelConfig:
    """The generator (section 3.1). Channels double at every level from the two base widths."""

    audio: AudioConfig = field(default_factory=AudioConfig)
    width: int = 64  # channels of the identity encoder's first layer and the decoder's last
    audio_width: int = 16  # channels of the content encoder's first layer
    identity_dim: int = 128  # z_id
    content_dim: int = 256  # z_c
    noise_dim: int = 10  # z_n
    noise_variance: float = 0.6  # of the white noise that the noise generator starts from
    # Cells of the noise GRU; 0 means `noise_dim` of them, whose states are z_n. Ten cells cannot
    # both be the movement and remember how far a blink has come: fitted to real sequences, they
    # never blinked, while 64 and a linear map to z_n did.
    noise_hidden: int = 0
    height: int = 128  # of still and frames, in pixels
    img_width: int = 96  # of still and frames, in pixels
    content_layers: int = 1  # of the content GRU; the released model has 2
    # Batch norm is the paper's. Statistics of a few very different faces shift colours and stall
    # L1; group norm treats each face alone, so small batches train and a batch never matters.
    normalisation: Literal["batch", "group"] = "batch"
    audio_normalisation: Literal["batch", "group"] = "batch"  # of the content encoder
    # Whether the decoder sees the identity encoder's features; Fig. 4 is what happens without.
    skips: bool = True
    # The paper's decoder has no use for the 64x48 skip; with it the finest detail of the still
    # (lashes, hair, texture) does not have to pass through a 32x24 image.
    skip_64: bool = False
    # Codes that only enter through the latent vector are drowned by the skips before they can close
    # an eye. This adds position-specific maps of z_c and z_n at 8x6, 16x12 and 32x24; z_n then
    # enters through those alone, and only above the lower lids, so that it cannot move the lips.
    injection: bool = False

    # A fourth output channel says where to keep the still's own pixels, as in GANimation (Pumarola
    # et al. 2018): a face that training never saw stays itself, and the net paints what moves.
    composition: bool = False

    def __post_init__(self) -> None:
        if self.height % 32 or self.img_width % 32 or min(self.height, self.img_width) < 32:
            raise TalkerError(
                f"frames of {self.height}x{self.img_width} pixels cannot be halved five times: "
                "height and width must be multiples of 32"
            )
        counts = ("width", "audio_width", "identity_dim", "content_dim", "noise_dim")
        if self.noise_hidden < 0:
            raise TalkerError(f"noise_hidden is {self.noise_hidden}: it cannot be negative")
        for name in (*counts, "content_layers"):
            if getattr(self, name) < 1:
                raise TalkerError(f"{name} is {getattr(self, name)}: it must be at least 1")
        for name in ("normalisation", "audio_normalisation"):
            if getattr(self, name) not in ("batch", "group"):
                raise TalkerError(f"{name} is {getattr(self, name)!r}: use 'batch' or 'group'")
        if self.noise_variance < 0:
            raise TalkerError(f"noise_variance is {self.noise_variance}: it cannot be negative")


@dataclass(frozen=True)
class DiscriminatorConfig:
    """The three discriminators (section 3.2). The paper gives no channel counts; 64 matches G."""

    frame_width: int = 64  # channels of its first layer
    sequence_width: int = 64  # channels of its first layer
    sync_width: int = 64  # channels of the first layer of its video stream
    audio_width: int = 16  # first layer of the audio streams of the sequence and sync networks
    embedding_dim: int = 256  # of one time step, of either stream
    sequence_pool: int = 1  # the sequence discriminator sees frames averaged over n x n pixels


@dataclass(frozen=True)
class LossWeights:
    """Lambdas of Eq. 5 and Eq. 7, of a step that has all terms.

    A term that only one step in n has weighs n times as much there (`talker.trainer`).
    """

    img: float = 1.0  # of the frame discriminator
    sync: float = 0.8  # of the synchronization discriminator
    seq: float = 0.2  # of the sequence discriminator
    l1: float = PAPER_L1  # of the lower half's L1, a mean


@dataclass(frozen=True)
class TrainConfig:
    """One training run (section 3.3); the first of `steps` and `minutes` to be reached ends it."""

    corpus: Annotated[str, arg(aliases=["--corpus"])] = "data/rendered"  # folder of prepared clips
    out: Annotated[str, arg(aliases=["--out", "-o"])] = "runs/paper"  # for checkpoints and logs
    # Folder of a generator to go on from, instead of random weights.
    start: Annotated[str | None, arg(aliases=["--start"])] = None
    seed: Annotated[int, arg(aliases=["--seed"])] = 0  # of everything
    steps: Annotated[int | None, arg(aliases=["--steps"])] = None  # at which the run is complete
    minutes: Annotated[float | None, arg(aliases=["--minutes"])] = None  # that one call may take
    # Products in bfloat16 on processors that have it (avx512_bf16, amx, GPUs); slow on others.
    precision: Annotated[Literal["fp32", "bf16"], arg(aliases=["--precision"])] = "fp32"
    clips: int = 16  # per batch
    frames: int = 75  # length of the window that the two GRUs run over
    decoded: int = 16  # frames of that window that are decoded and compared, at least 2
    # Batch norm keeps the statistics of the untrained network on a few hundred frames, for batches
    # too small and too varied to have good ones of their own.
    freeze_statistics: bool = False
    # Where to compute; "auto" takes GPUs where there are any.
    accelerator: Literal["auto", "cpu", "cuda"] = "auto"
    # Processes on each machine, a device each; without it one for each GPU, or a single one on
    # the CPU. `talker.devices` says what to type for several machines.
    devices: int | None = None
    nodes: int = 1  # machines
    accumulate: int = 1  # batches of each process whose gradients are added up in a step
    compile: bool = False  # `torch.compile` of the networks of images
    sample_every: int = 1000  # steps between contact sheets and films of the same clips
    validate_every: int = 0  # steps between validations; 0: an epoch
    patience: int = 5  # validations in a row without better synchrony that end the run
    # Steps of reconstruction alone before the adversarial ones.
    warm_up: Annotated[int, arg(aliases=["--warm-up"])] = 0
    warm_up_rate: float = 5e-4  # Adam's, at its highest
    # Deviation of what is added to the encoder's z_n, so that near codes look alike.
    noise_jitter: float = 0.02
    noise_steps: int = 2000  # to fit the noise generator to the encoder's sequences
    mouth_emphasis: float = 0.0  # extra weight of the mouth's rectangle within Eq. 6
    eye_emphasis: float = 0.0  # the same for the eyes, in the upper half
    # Of a linear reading of lips and jaw off z_c, against landmarks: it tells the content encoder
    # what to listen for at every frame of a window, long before the decoder can paint it.
    lips_weight: float = 0.0
    # Other pitch, level, room and noise for every sound: `talker.augmentation`.
    alter_voices: bool = False
    # Other light and framing for every clip, and once in ten times a still that is not its first
    # frame, so that eyes may be closed and lips open in it.
    alter_pictures: bool = False
    # Of the eyes' L1 in phase 2: with the encoder's z_n it is fair, and lids stay clean. On the
    # rest of the upper half it would soften each edge that a turn of the head moves.
    eyes_weight: float = 0.0
    # Of that rest's distance from the still in phase 2: what nothing is known about stays as it is,
    # and sharp.
    still_weight: float = 0.0
    # Whether the frame discriminator sees that rest as it is, or as the still has it, of real and
    # of generated frames. Where it sees heads turn, it asks for turns: a decoder that has just
    # begun to make them paints both places of an edge, and so a soft one.
    judge_rest: bool = True
    adversarial_clips: int = 16  # per batch of snippets
    sequence_every: int = 2  # every how many adversarial steps a whole sequence is judged
    sequence_clips: int = 4  # per batch of whole sequences
    sequence_stride: int = 1  # every how many frames of that sequence are decoded
    clip_norm: float = 1e9  # largest norm of a gradient
    # Of the running average of the generator that is validated and saved: 0 saves the generator as
    # the last step left it, as the paper does; nearer to 1 its flicker from step to step goes.
    average_decay: float = 0.0
    generator_rate: float = 1e-4  # Adam's, as the three others
    frame_rate: float = 1e-4  # of the frame discriminator
    sequence_rate: float = 1e-5  # of the sequence discriminator
    sync_rate: float = 1e-5  # of the synchronization discriminator
    generator_decay: float = 0.98  # what is left of the rate after `decay_epochs`: "decays 2 %"
    discriminator_decay: float = 0.90  # the same for the three discriminators: "10 %"
    decay_epochs: int = 10  # between two decays

    def __post_init__(self) -> None:
        counts = ("nodes", "accumulate", "sample_every", "patience", "clips", "decay_epochs")
        judged = ("adversarial_clips", "sequence_every", "sequence_clips", "sequence_stride")
        for name in (*counts, *judged):
            if getattr(self, name) < 1:
                raise TalkerError(f"{name} is {getattr(self, name)}: it must be at least 1")
        for name in ("warm_up", "validate_every", "noise_steps", "seed"):
            if getattr(self, name) < 0:
                raise TalkerError(f"{name} is {getattr(self, name)}: it cannot be negative")
        if not 2 <= self.decoded <= self.frames:
            raise TalkerError(
                f"decoded is {self.decoded}: it must be at least 2 and at most the window's "
                f"{self.frames} frames"
            )


@dataclass(frozen=True)
class Config:
    """A whole run: what is built, what it is asked to do, and how it is trained."""

    model: ModelConfig = field(default_factory=ModelConfig)
    discriminators: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)
    losses: LossWeights = field(default_factory=LossWeights)
    train: TrainConfig = field(default_factory=TrainConfig)

    def __post_init__(self) -> None:
        least = 2 * self.model.audio.snippet
        if self.train.frames < least:
            raise TalkerError(
                f"frames is {self.train.frames}: it must be at least {least}, so that a snippet of "
                f"{self.model.audio.snippet} frames can be moved off its sound"
            )


PRESETS: dict[str, Config] = {
    "paper": Config(),
    "laptop": Config(
        model=ModelConfig(
            width=24, noise_hidden=64, skip_64=True, injection=True, composition=True
        ),
        discriminators=DiscriminatorConfig(
            frame_width=24, sequence_width=16, sync_width=24, embedding_dim=128, sequence_pool=2
        ),
        # With it the mean, emphasis included, weighs three times the adversarial loss.
        losses=LossWeights(l1=120.0),
        train=TrainConfig(
            out="runs/laptop",
            minutes=360.0,
            validate_every=1000,
            clips=12,
            frames=25,
            decoded=3,
            freeze_statistics=True,
            warm_up=11000,
            warm_up_rate=1e-3,
            average_decay=0.998,
            mouth_emphasis=1.0,
            eye_emphasis=1.0,
            lips_weight=1.2,
            alter_voices=True,
            alter_pictures=True,
            eyes_weight=0.25,
            still_weight=0.5,
            judge_rest=False,
            adversarial_clips=4,
            sequence_every=4,
            sequence_clips=1,
            sequence_stride=3,
            clip_norm=2000.0,
            frame_rate=2e-4,
            sequence_rate=1e-4,
            sync_rate=1e-4,
            decay_epochs=40,  # epochs of some hundred clips, not of GRID's thousands
        ),
    ),
    "smoke": Config(
        model=ModelConfig(
            width=4,
            audio_width=4,
            identity_dim=16,
            content_dim=16,
            noise_hidden=12,
            skip_64=True,
            injection=True,
            composition=True,
        ),
        discriminators=DiscriminatorConfig(
            frame_width=4, sequence_width=4, sync_width=4, audio_width=4, embedding_dim=16
        ),
        train=TrainConfig(
            out="runs/smoke",
            steps=4,
            sample_every=4,
            validate_every=2,
            clips=2,
            frames=20,
            decoded=3,
            freeze_statistics=True,
            warm_up=2,
            lips_weight=2.0,
            alter_voices=True,
            alter_pictures=True,
            eyes_weight=0.25,
            still_weight=0.5,
            judge_rest=False,
            noise_steps=5,
            adversarial_clips=2,
            sequence_clips=1,
            sequence_stride=3,
        ),
    ),
}


def preset(name: str) -> Config:
    """The preset of that name. Raises TalkerError, naming those that exist, for any other."""
    if name not in PRESETS:
        raise TalkerError(f"there is no preset {name!r}: use one of {', '.join(PRESETS)}")
    return PRESETS[name]


def to_json(config: Any) -> dict[str, Any]:
    """Any dataclass of this module as plain nested dicts of JSON values."""
    return dataclasses.asdict(config)


def from_json(kind: type[T], values: Any, where: str = "config") -> T:
    """The reverse of `to_json`: a `kind` from nested dicts; missing keys take their defaults.

    `where` names the place in error messages. Raises TalkerError on a key that `kind` does not
    have or a value of another type, so that a misspelt or newer setting is never ignored.
    """
    if not isinstance(values, dict):
        raise TalkerError(f"{where} must be a table of settings, not {values!r}")
    hints = typing.get_type_hints(kind)
    unknown = sorted(set(values) - set(hints))
    if unknown:
        raise TalkerError(
            f"{where} has unknown settings {', '.join(unknown)}: "
            f"those of {kind.__name__} are {', '.join(hints)}"
        )
    return kind(**{k: _checked(hints[k], v, f"{where}.{k}") for k, v in values.items()})


def _checked(hint: Any, value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(hint):
        return from_json(hint, value, where)
    if typing.get_origin(hint) is Literal:
        allowed: tuple[Any, ...] = typing.get_args(hint)
        if value in allowed:
            return value
        raise TalkerError(f"{where} is {value!r}: use one of {', '.join(map(repr, allowed))}")
    kinds = typing.get_args(hint) if typing.get_origin(hint) is types.UnionType else (hint,)
    if float in kinds and type(value) is int:
        return float(value)  # JSON writers drop the ".0"
    if type(value) in kinds:  # not isinstance: True is an int there
        return value
    names = " or ".join("null" if k is types.NoneType else k.__name__ for k in kinds)
    raise TalkerError(f"{where} is {value!r}: it must be {names}")
