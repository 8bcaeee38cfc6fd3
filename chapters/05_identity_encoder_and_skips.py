# %% [markdown]
# # The identity encoder and the skips
#
# **What you will build.** The box that looks at the still: six convolutions that turn 96 x 128
# pixels into 128 numbers, and the side doors, the **skips**, through which everything else about a
# face reaches the decoder. You will make a U-Net of eight numbers by hand, follow one level of the
# real encoder multiplication by multiplication, find out what each of its numbers can see, and then
# remake the paper's Figure 4: two small networks are trained here, on this page, one with skips and
# one without, and meet people whom neither has seen.
#
# **What it needs.** The `talker` package with its weights and its renderer. No downloads, no
# corpus: sixteen performers are rendered in the notebook. It runs in under a minute on two cores.
#
# ## Where it sits
#
# At the start of the generator, once per still. The sound's network and the noise generator run for
# every frame; this one runs once, and the decoder uses what it said for as long as the recording
# lasts.

# %%
import copy

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from ipywidgets import interact

from talker import plots
from talker.audio import audio_frames
from talker.checkpoint import load_generator
from talker.config import ModelConfig
from talker.dataset import to_unit
from talker.demo import ASSETS
from talker.media import read_audio
from talker.models.frame_decoder import FrameDecoder
from talker.models.identity_encoder import IdentityCode, IdentityEncoder
from talker.studio.camera import Camera, Pose
from talker.studio.performer import performer

plots.use_style()
plots.system_diagram({"still", "identity", "decoder"})
plt.show()

# %% [markdown]
# ## What breaks without it
#
# To see what a part carries, exchange it. Below are sixteen performers who do not exist, each
# photographed at rest and with five mouths that are the same for everybody. Twelve of them will
# train the small networks; the last four are held out, and the shipped generator has not seen those
# either (`talker.corpora.rendered.split_of`).

# %%
ACTIONS = ("jawOpen", "mouthPucker", "mouthStretchLeft", "mouthStretchRight")
LIMITS = np.array([0.5, 0.7, 0.5])
moves = np.random.default_rng(0).uniform(0, 1, (6, 3))  # jaw, pucker, stretch
moves[0] = 0
numbers = [*range(12), 20, 21, 22, 23]


def photographs(number: int) -> np.ndarray:
    """A performer at rest and with each of the five mouths, uint8 (6, 128, 96, 3)."""
    camera = Camera(performer(number, seed=0))
    taken, film = [], None
    for jaw, pucker, stretch in moves * LIMITS:
        weights = dict(zip(ACTIONS, (jaw, pucker, stretch, stretch), strict=True))
        vertices = camera.posed(Pose(weights, head=np.zeros(6), gaze=np.zeros(2)))
        film = film if taken else camera.film(camera.landmarks(vertices))
        taken.append(camera.render(vertices, film))
    return np.stack(taken)


# %% tags=["nbval-check-output"]
people = [photographs(number) for number in numbers]
frames = to_unit(np.stack(people))
names = [f"p{number:03d}" for number in numbers]
held = range(12, 16)
print("people, mouths, channels, height, width:", tuple(frames.shape))

# %%
rows = {"at rest": [everyone[0] for everyone in people[::2]]}
rows["a mouth"] = [everyone[2] for everyone in people[::2]]
plots.strip(rows, names[::2])
plt.show()

# %% [markdown]
# The shipped generator keeps what it knows of a still in three pieces: the code $z_{id}$, the
# skips, and (its `composition`, a departure that the chapter on the decoder explains) the still's
# own pixels. Take two held-out people, one moment of speech, and give the first one a single piece
# of the second. How far does the picture move from the one to the other? 0 says that the piece made
# no difference, 100 % that it decided everything.


# %%
@torch.no_grad()
def speaking_frame(code: IdentityCode) -> torch.Tensor:
    """The shipped generator's picture of each code at the loudest moment of the sentence."""
    count = len(code.z_id)
    z_n = torch.zeros(count, 1, generator.config.noise_dim)
    return generator.decode(code, z_c[:, [loudest]].expand(count, -1, -1), z_n)[:, 0]


generator = load_generator().requires_grad_(False)
sentence, rate = read_audio(ASSETS / "sentence.wav")
heard = audio_frames(torch.from_numpy(sentence), generator.config.audio)[None]
z_c, _ = generator.content_encoder(heard)
loudest = int(heard[0].square().mean(1).argmax())

mine = generator.encode_still(frames[held, 0])
theirs = generator.encode_still(frames[held, 0].roll(1, 0))
swaps = {
    "z_id": mine._replace(z_id=theirs.z_id),
    "skips": mine._replace(skips=theirs.skips),
    "pixels": mine._replace(still=theirs.still),
}

# %% tags=["nbval-check-output"]
own, other = speaking_frame(mine), speaking_frame(theirs)
swapped = {name: speaking_frame(code) for name, code in swaps.items()}
moved = {
    name: float((made - own).abs().mean() / (other - own).abs().mean())
    for name, made in swapped.items()
}
for name, share in moved.items():
    print(f"{name:6} of somebody else: the picture moves {share:4.0%} of the way")

# %%
first = {"own": own, "z_id": swapped["z_id"], "skips": swapped["skips"]}
first |= {"pixels": swapped["pixels"], "other": other}
plots.strip(
    {"": [made[0] for made in first.values()], " ": [made[2] for made in first.values()]},
    ["own", "$z_{id}$", "skips", "pixels", "all three"],
).set_size_inches(4.6, 2.7)
plt.show()

# %% [markdown]
# The code of 128 numbers, which is all that the paper's section on the identity encoder speaks of,
# is the piece whose loss you would notice least (the second column). The rest comes in its section
# on the decoder: "A U-Net architecture is used with skip connections between the Identity Encoder
# and the Frame Decoder to preserve the identity of the subject". Exchange the skips, and two people
# fight over one mouth. And where a network may paint over the still's own pixels, those decide
# nearly all else.
#
# ## A U-Net of eight numbers
#
# Why can a code not do it? Here is a "still" of eight numbers with one sharp thing in it, the 9.
# Half of it is the upper face and half the lower. An encoder that halves it by averaging pairs
# ends, two levels later, at two numbers. Now the "sound" says: the lower half goes up by 1. The
# code can say that easily. But grown back to eight numbers, it has forgotten the 9.
#
# A U-Net {footcite:p}`ronneberger2015` hands the decoder, at each level, what the encoder had at
# that level. The decoder may then mix the two. Here the mix is written down by hand: what the new
# code says, plus what the still had beyond its own code.

# %% tags=["nbval-check-output"]
tiny = torch.tensor([3.0, 3, 3, 9, 2, 2, 2, 2])


def halve(values: torch.Tensor) -> torch.Tensor:
    return values.view(-1, 2).mean(1)


def double(values: torch.Tensor) -> torch.Tensor:
    return values.repeat_interleave(2)


code = halve(halve(tiny))
spoken = code + torch.tensor([0.0, 1.0])
without = double(double(spoken))
with_skips = without + (tiny - double(double(code)))
print("still        ", tiny.tolist())
print("its code     ", code.tolist(), "-> spoken", spoken.tolist())
print("without skips", without.tolist())
print("with skips   ", with_skips.tolist())

# %% [markdown]
# The last row is the right answer: the lower half has moved, and the 9 is where it was. A real
# decoder is not told how to mix. It gets both, side by side as channels, and its convolutions learn
# the weights; `[h, skip]` in the package's comments means exactly this pair.
#
# ## One level, by hand
#
# The real encoder does not average, it convolves: every output is a weighted sum over 4 x 4 inputs,
# and the next output is two inputs further on, which is what "strided" means. In one dimension,
# with a kernel of 4, a stride of 2 and one zero of padding on either side, so that eight inputs
# give four outputs:

# %% tags=["nbval-check-output"]
kernel = torch.tensor([1.0, 2.0, 3.0, 4.0])
padded = torch.cat([torch.zeros(1), tiny, torch.zeros(1)])
strided = torch.stack([(padded[2 * k : 2 * k + 4] * kernel).sum() for k in range(4)])
theirs_1d = F.conv1d(tiny[None, None], kernel[None, None], stride=2, padding=1)
print("by hand", strided.tolist(), "the same as PyTorch's:", torch.equal(strided, theirs_1d[0, 0]))

# %% [markdown]
# Here is the package's encoder. Five such levels, each followed by a norm and a ReLU; the sixth
# convolution spans all that is left and reads it into $z_{id}$. What comes out of each level is
# kept.

# %%
plots.show_source(IdentityEncoder)

# %% [markdown]
# And the same for the first level of the shipped weights: cut the still into its 4 x 4 patches,
# multiply, apply batch norm's stored mean and variance, clip at zero. If padding, stride or the
# norm were anything else, the two would not agree.

# %% tags=["nbval-check-output"]
convolution, norm, _ = generator.identity_encoder.levels[0]
patches = F.unfold(frames[held, 0], kernel_size=4, stride=2, padding=1)  # (4, 3 * 16, 64 * 48)
summed = torch.einsum("ok,bkn->bon", convolution.weight.flatten(1), patches)
scaled = (summed - norm.running_mean[:, None]) / (norm.running_var[:, None] + norm.eps).sqrt()
by_hand = (scaled * norm.weight[:, None] + norm.bias[:, None]).clamp(min=0).unflatten(2, (64, 48))
print("first level", tuple(by_hand.shape))
print("the same as the package's:", torch.allclose(by_hand, mine.skips[0], atol=1e-4))

# %% [markdown]
# ## What a number can see
#
# A value of the first level sees 4 x 4 pixels. Its neighbour begins two pixels further on, so a
# value of the second level, which sees four of them in a row, sees 4 + 3 x 2 = 10 pixels, and so
# on: each level adds three times the step between its inputs. We check that arithmetic with
# gradients: which pixels change one value in the middle of a level?

# %% tags=["nbval-check-output"]
field, step = 1, 1
predicted = []
for _ in range(5):
    field, step = field + 3 * step, 2 * step
    predicted.append(field)

seen = []
probe = torch.rand(1, 3, 128, 96, requires_grad=True)
layers = [level[0] for level in generator.identity_encoder.levels]
features = probe
for layer in layers:  # convolutions only: a ReLU may hide a pixel
    features = layer(features)
    middle = features[0, :, features.shape[2] // 2, features.shape[3] // 2].sum()
    (slope,) = torch.autograd.grad(middle, probe, retain_graph=True)
    seen.append(slope[0].abs().sum(0) > 0)
tall = [int(mask.any(1).sum()) for mask in seen]
print("rows of pixels that one value sees, counted:  ", tall)
print("by the arithmetic, of a picture without edges:", predicted)

# %%
figure, axes = plt.subplots(1, 6, figsize=(plots.WIDTH, 1.85))
masks = {"still": np.ones((128, 96), bool)}
masks |= {f"{s.shape[2]} x {s.shape[3]}": mask for s, mask in zip(mine.skips, seen, strict=True)}
for cell, (name, mask) in zip(axes, masks.items(), strict=True):
    cell.imshow((people[12][0] * np.where(mask, 1.0, 0.3)[..., None]).astype(np.uint8))
    cell.set(title=name, xticks=[], yticks=[])
plt.show()

# %% [markdown]
# The bright squares are what one value in the middle of each level can know. The finest levels know
# where an edge is and nothing about whose it is. The coarsest know nearly the whole face, and not
# where in a square an edge was. A face needs both, and that is the U.
#
# ## Does $z_{id}$ know who it is?
#
# The paper encodes 1250 stills and finds clusters by speaker in the plane (its Figure 11). We have
# fewer, and use distances: each of the sixteen people with each of the six mouths is encoded by the
# shipped weights. Sorted by person, the matrix of distances should have dark squares along its
# diagonal. A code that knew about mouths and not about people would have dark *stripes* parallel to
# it instead, and a code that knows a little of both has both.

# %%
encoded = generator.encode_still(frames.flatten(0, 1)).z_id
distance = torch.cdist(encoded, encoded)
figure, axes = plt.subplots(figsize=(3.6, 3))
shown = axes.imshow(distance, cmap="cividis")
axes.set_xticks(np.arange(2.5, 96, 18), names[::3], fontsize=7)
axes.set_yticks(np.arange(2.5, 96, 18), names[::3], fontsize=7)
figure.colorbar(shown, label="distance of two codes")
plt.show()

# %% tags=["nbval-check-output"]
person, mouth = torch.arange(96) // 6, torch.arange(96) % 6
itself = torch.eye(96, dtype=torch.bool)
same, alike = person[:, None] == person, mouth[:, None] == mouth
print(f"one person, two mouths {distance[same & ~itself].mean():.1f}")
print(f"two persons, one mouth {distance[~same & alike].mean():.1f}")
nearest = distance.masked_fill(itself, torch.inf).argmin(1)
print(f"nearest code is of the same person: {(person[nearest] == person).float().mean():.0%}")

# %% [markdown]
# So the code does tell people apart. It is just not a portrait: to know *which* of some people this
# is takes far fewer numbers than to draw a person whom nobody has met.
#
# ## Figure 4, remade
#
# Cutting wires in a finished network is a harsh test, because it was never asked to do without. The
# paper trained a network without skips. So do we, in miniature and with the package's own classes.
# To keep the sound out of it, the decoder is told directly what the mouth does (jaw, pucker,
# stretch) in the place of $z_c$, and the task is: from the still and three numbers, draw the frame.
# Both networks have the same layers, the same first weights, the same batches in the same order. To
# the one without skips they are given as zeros, so the whole person has to pass through $z_{id}$.

# %%
SMALL = ModelConfig(width=8, content_dim=3, noise_dim=1)
mouths = torch.from_numpy(moves).float()


class Puppet(torch.nn.Module):
    """The paper's encoder and decoder, with three numbers in the place of the sound."""

    def __init__(self, skips: bool) -> None:
        super().__init__()
        self.encoder, self.decoder, self.skips = IdentityEncoder(SMALL), FrameDecoder(SMALL), skips

    def forward(self, still: torch.Tensor, mouth: torch.Tensor) -> torch.Tensor:
        code = self.encoder(still)
        if not self.skips:
            code = code._replace(skips=[torch.zeros_like(skip) for skip in code.skips])
        return self.decoder(code, mouth[:, None], torch.zeros(len(still), 1, 1))[:, 0]


def train(puppet: Puppet, steps: int = 200, batch: int = 16, rate: float = 2e-3) -> list[float]:
    """L1 on random mouths of the first twelve people, mirrored half of the time; the losses."""
    dice = torch.Generator().manual_seed(0)
    adam = torch.optim.Adam(puppet.parameters(), rate, betas=(0.9, 0.99))
    slower = torch.optim.lr_scheduler.LinearLR(adam, 1.0, 0.01, steps)
    losses = []
    for _ in range(steps):
        who, what = (torch.randint(n, (batch,), generator=dice) for n in (12, 6))
        pair = torch.stack([frames[who, 0], frames[who, what]])
        still, target = pair.flip(-1) if torch.rand((), generator=dice) < 0.5 else pair
        loss = F.l1_loss(puppet(still, mouths[what]), target)
        adam.zero_grad()
        loss.backward()
        adam.step()
        slower.step()
        losses.append(loss.item())
    return losses


# %%
puppets, curves = {}, {}
for name, skips in {"without": False, "with skips": True}.items():
    torch.manual_seed(0)
    puppets[name] = Puppet(skips)
    curves[name] = train(puppets[name])
    puppets[name].eval()

# %%
made = {}
with torch.no_grad():
    for name, puppet in puppets.items():
        drawn = [puppet(stills[[0] * 6], mouths) for stills in frames]
        made[name] = torch.stack(drawn)
rows = {"real": frames[held, 2], "without": made["without"][held, 2]}
rows["with skips"] = made["with skips"][held, 2]
trained = {"real": frames[:3, 2], "without": made["without"][:3, 2]}
trained["with skips"] = made["with skips"][:3, 2]
rows = {name: [*rows[name], *trained[name]] for name in rows}
titles = [f"{names[k]}, new" for k in held] + [f"{name}, trained" for name in names[:3]]
plots.strip(rows, titles)
plt.show()

# %% [markdown]
# "The frames obtained without skip connections ... do not resemble the person in the ground truth
# video", says the paper under its figure, and the second row here does not either: about the right
# brightness, and somebody average. With skips, people come out who were never in the training set.
# Both rows are soft, as L1 is after so few steps. To put a number to "resemble": compare each
# drawing of a new person with the true pictures of all sixteen with the same mouth. Whose is
# nearest? By chance it would be the right one's one time in sixteen. Beside the two networks stands
# what they have to beat, a copy of the still.


# %%
def recognised(drawn: torch.Tensor) -> float:
    """Share of drawings of the four new people that are nearest to the right one of sixteen."""
    apart = (drawn[held][:, None] - frames[None]).abs().mean((3, 4, 5))  # (4, 16, 6)
    return float((apart.argmin(1) == torch.tensor(held)[:, None]).float().mean())


for name, drawn in (made | {"the still": frames[:, :1].expand_as(frames)}).items():
    errors = [(drawn[part] - frames[part]).abs().mean() for part in (range(12), held)]
    who = f"new people recognised {recognised(drawn):4.0%}"
    print(f"{name:11} L1 {errors[0]:.2f} trained on, {errors[1]:.2f} new; {who}")
assert recognised(made["with skips"]) > recognised(made["without"])

# %%
figure, axes = plt.subplots(figsize=(plots.WIDTH, 2))
for name, losses in curves.items():
    axes.plot(np.convolve(losses, np.ones(10) / 10, "valid"), label=name)
axes.set(xlabel="step", title="L1 while training, mean of ten steps", ylim=(0, None))
axes.legend()
plt.show()

# %% [markdown]
# In so few steps the network without skips has not learned to draw anybody, those that it trained on
# no more than new ones; light and wall are enough to be nearest to the right person now and then.
# That a long training closes the gap for trained people and not for *new* ones is the paper's claim,
# and no laptop's minute can show it. What does show is what is learned first. Look at the mouths of the last row: the network with skips has found out that
# copying the still is nearly right, and has hardly begun to listen to the three numbers. Below, how
# much its pictures change from mouth to mouth, compared with the real ones. That is the other side
# of this bargain: what enters through skips is so much easier to use that codes must be helped to
# be heard at all, which is what `injection` is for in the chapter on the decoder.

# %%
real = frames[held].std(1).mean()
for name, drawn in made.items():
    print(
        f"{name:11} change from mouth to mouth: {drawn[held].std(1).mean() / real:.0%} of the real"
    )

# %% [markdown]
# ## Which level carries the person?
#
# Back to the shipped weights, and again to exchanging: one level of skips at a time comes from
# somebody else.

# %%
shares = {}
for level, skip in enumerate(mine.skips):
    skips = [*mine.skips]
    skips[level] = theirs.skips[level]
    change = (speaking_frame(mine._replace(skips=skips)) - own).abs().mean()
    shares[f"{skip.shape[2]} x {skip.shape[3]}"] = float(change / (other - own).abs().mean())
figure, axes = plt.subplots(figsize=(plots.WIDTH, 1.9))
everything = shares | {"$z_{id}$": moved["z_id"], "pixels": moved["pixels"]}
axes.barh([*everything], [100 * share for share in everything.values()], color=plots.BLUE)
axes.invert_yaxis()
axes.set(xlabel="% of the way to the other person", title="one piece exchanged")
plt.show()

# %% [markdown]
# ## A failure: identity depends on company
#
# The paper normalises with batch norm, which while *training* subtracts the mean of whatever
# pictures happen to be in the batch. With hundreds of frames that is harmless. With a few very
# different faces it is not: put the generator back into training mode, and draw the same person,
# with the same sound, among three copies of himself and among three different sets of companions.
# The first column is the network as it is used. The second shows what training mode alone does to
# weights whose statistics were frozen: colours are off and the mouth is shut, probably because all
# four hear the same sound, and the batch's mean takes that away. Compare the last three with it and
# with each other. What differs there is company alone.

# %%
in_training = copy.deepcopy(generator).train()
silent = torch.zeros(4, 1, generator.config.noise_dim)
company = []
for others in ([12, 12, 12], [1, 2, 3], [4, 5, 6], [7, 8, 9]):
    batch = in_training.encode_still(frames[[12, *others], 0])
    company.append(in_training.decode(batch, z_c[:, [loudest]].expand(4, -1, -1), silent)[0, 0])
titles = ["eval mode", "with himself", *["in company"] * 3]
plots.strip({"": [own[0], *company]}, titles).set_size_inches(5.2, 1.7)
plt.show()

# %% tags=["nbval-check-output"]
spread = torch.stack(company[1:]).std(0).mean()
print(f"deviation over companies: {spread:.2f} of a range of 2")
alone = IdentityEncoder(ModelConfig(width=8, normalisation="group")).train()
codes = [alone(frames[[12, *others], 0]).z_id[0] for others in ([1, 2], [5, 6])]
print("with group norm company does not matter:", torch.allclose(*codes, atol=1e-5))

# %% [markdown]
# A network that is trained that way learns to live with colours that shift, and wastes its steps on
# it. Two cures are in the package. `normalisation="group"` takes statistics of one picture only.
# And `freeze_statistics`, which the shipped weights were trained with, stores the statistics once
# at the start and keeps batch norm as a fixed scale and shift from then on, so that the formula
# stays the paper's.
#
# ## Turn the knob
#
# Mix two people: 0 is the first and 1 the second, in code, skips and pixels alike. Halfway, the
# picture is not a third person but two at once, since the still's pixels are mixed as they are, as in
# a double exposure. Skips, too, are places in a picture, and give no nose of medium length.


# %%
def show_mixture(share: float, first: int = 0, second: int = 2) -> None:
    """The shipped generator's picture of a mixture of two held-out people's codes."""

    def mix(values: torch.Tensor) -> torch.Tensor:
        return (1 - share) * values[[first]] + share * values[[second]]

    mixed = IdentityCode(mix(mine.z_id), [mix(skip) for skip in mine.skips], mix(mine.still))
    plots.strip({"": [own[first], speaking_frame(mixed)[0], own[second]]}).set_size_inches(2.6, 1.2)
    plt.show()


show_mixture(0.5)

# %% tags=["remove-cell", "nbval-skip"]
interact(show_mixture, share=(0.0, 1.0, 0.05), first=(0, 3), second=(0, 3))

# %% [markdown]
# ## Equation, code, and where we deviate
#
# | the paper's equation, sentence or section | code | where we deviate, and why |
# |---|---|---|
# | 3.1.1, "a 6-layer CNN", "strided 2D convolutions" | `IdentityEncoder` | the paper names no kernel; 4 x 4 with stride 2, as its authors released |
# | "batch normalization and ReLU" | `normalise`, `IdentityEncoder.levels` | the last layer has Tanh in their place, so that $z_{id}$ is bounded; statistics are frozen, or the norm is a group norm, because of the failure above |
# | "a 128 dimensional encoding $z_{id}$" | `identity_dim` | not at all |
# | 3.1.4, "a U-Net architecture", Fig. 4 | `IdentityCode.skips`, `SkipConvolution` | the paper does not say which levels; the released model takes four, `skip_64` adds the finest |
# | one still, many frames | `Generator.encode_still` | the still is encoded once, and its half of each convolution too, which changes nothing but the time |
#
# ## Recap
#
# - A convolution of stride 2 trades places for meaning. Five of them leave 4 x 3 places.
# - $z_{id}$ tells people apart and cannot draw them; skips carry what a person looks like, each
#   level at its own coarseness.
# - Trained without skips, a network draws somebody average; after two hundred steps even of those it
#   trained on. The paper's Figure 4 shows that new people stay so.
# - Skips are so convenient that a network copies first and listens later.
# - Batch norm in training mode makes one person's picture depend on who else is in the batch.
#
# ## Exercises
#
# 1. How many numbers are in the still, in $z_{id}$, and in each level of skips of the shipped
#    weights? Which levels hold *more* numbers than the still itself?
# 2. Give the trained puppet with skips a $z_{id}$ of zeros. How much does its error on new people
#    grow? What does that say about the sixth convolution?
# 3. Encode mirrored stills with the shipped weights. Is a person's mirror image nearer to the
#    person or to the nearest other person?
# 4. With kernels of 2 x 2 instead of 4 x 4 (still stride 2), what would the receptive fields be?
#    Which edges would no value of the last level see across?
# 5. Train the puppet with the finest skip as well (`skip_64=True` in `SMALL`). Is new people's L1
#    lower after the same number of steps?
#
# ## Appendix: solutions
#
# **1, 2, 3.** Counted and measured below. The encoder's first levels do not compress anything: they
# hold as many numbers as the still, or more. If zeros for $z_{id}$ change little, the sixth convolution
# of this puppet might as well not be there. And few mirror images are nearest to their own person: to
# this code somebody mirrored is mostly somebody else, although it trained on mirrored pictures.

# %% tags=["nbval-check-output"]
sizes = {"still": mine.still, "z_id": mine.z_id} | {
    f"{skip.shape[2]} x {skip.shape[3]}": skip for skip in mine.skips
}
print({name: values[0].numel() for name, values in sizes.items()})

puppet = puppets["with skips"]
with torch.no_grad():
    code = puppet.encoder(frames[held, 0])
    noise = torch.zeros(4, 6, 1)
    blank = code._replace(z_id=torch.zeros_like(code.z_id))
    for name, version in {"own z_id": code, "zeros": blank}.items():
        drawn = puppet.decoder(version, mouths.expand(4, -1, -1), noise)
        print(f"{name:8} L1 of new people {(drawn - frames[held]).abs().mean():.2f}")

mirrored = generator.encode_still(frames[:, 0].flip(-1)).z_id
to_all = torch.cdist(mirrored, generator.encode_still(frames[:, 0]).z_id)
print("mirror images nearest to themselves:", int((to_all.argmin(1) == torch.arange(16)).sum()))

# %% [markdown]
# **4.** Each level would add one step instead of three: 2, 4, 8, 16, 32 pixels, the squares of a
# chessboard laid side by side. No value of the last level would see across the border of two such
# squares, and a mouth or an eye that lies on one would never be seen whole.
#
# **5.** Change `SMALL` and run the cells again; `recognised` and the printed L1 are the answer. The
# decoder then has a fifth block, so compare at equal steps and expect each step to cost a little
# more.
#
# ## References
#
# ```{footbibliography}
# ```
