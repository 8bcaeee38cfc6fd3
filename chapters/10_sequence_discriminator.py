# %% [markdown]
# # The sequence discriminator
#
# **What you will build.** A judge of whole clips: it watches all frames in order, with their sound,
# and decides once, at the end, whether a talking person moves like that. You will prove that a
# judge of single frames cannot see jitter, build the three parts by hand (a convolution over
# neighbouring frames, a GRU, one decision), check them against the package, and train both kinds
# of judge on clips whose frames were shuffled. One of them learns. The other cannot.
#
# **What it needs.** The `talker` package and its renderer. No weights, no corpus. It runs in under
# a minute on two cores.
#
# ## Where it sits
#
# Beside the generator, in training only. The [frame discriminator](09_frame_discriminator.ipynb)
# asks whether a frame could be a photograph. This one asks whether the frames, one after the
# other, could be a film.

# %%
import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from ipywidgets import interact
from torch import Tensor, nn

from talker import losses, plots
from talker.audio import audio_frames
from talker.config import AudioConfig, DiscriminatorConfig, ModelConfig
from talker.corpora.rendered import render_clip
from talker.dataset import to_unit
from talker.models.frame_discriminator import FrameDiscriminator
from talker.models.sequence_discriminator import SequenceDiscriminator

plots.use_style()
plots.judges_diagram({"frames", "audio", "sequence"})
plt.show()

# %% [markdown]
# ## What breaks without it
#
# The paper trained without this judge, too. Then the face hardly blinks (its Figure 12), and of
# models that make each frame on its own it shows that they jitter while nobody speaks (its Figure
# 17). Both faults are invisible in any single frame. To see them, we render a clip and put it
# beside two spoiled copies: in one the frames of every fifth of a second change places among
# themselves, in the other the upper half is a photograph and only the mouth moves.

# %%
pictures, signal, truth = render_clip(0, 0)
clip = to_unit(pictures)
rng = np.random.default_rng(0)
order = np.concatenate([5 * block + rng.permutation(5) for block in range(len(clip) // 5)])
frozen = clip.clone()
frozen[:, :, :58] = clip[0, :, :58]
films = {"real": clip, "jitter": clip[order], "frozen": frozen}
shown = range(truth["blinks"][0][0] - 1, truth["blinks"][0][0] + 9)
plots.strip({name: [film[t] for t in shown] for name, film in films.items()})
plt.show()

# %% [markdown]
# Cover all frames but one, and none of the three rows can be told from the others. So look along
# time instead. We take one column of pixels out of every frame, the one through an eye and a
# corner of the mouth, and set the columns side by side.

# %%
figure, axes = plt.subplots(1, 3, figsize=(plots.WIDTH, 2.2), sharey=True)
for cell, (name, film) in zip(axes, films.items(), strict=True):
    column = film[:, :, 30:110, 32].permute(2, 0, 1)
    cell.imshow((column + 1) / 2, aspect="auto", extent=(0, 3, 110, 30))
    cell.set(title=name, xlabel="seconds")
axes[0].set_ylabel("row of the frame")
plt.show()

# %% [markdown]
# On the left, edges are lines that bend, and the blink is a gap near the top. In the middle the
# lines have teeth. On the right the upper lines are ruled: nothing lives up there.
#
# ## Why a judge of frames cannot help
#
# It gives every frame a number, and the loss is a mean over frames. A mean does not know an order.
# We check this on the jittered clip with the package's frame discriminator, untrained; trained, it
# would be the same.

# %% tags=["nbval-check-output"]
torch.manual_seed(0)
by_frame = FrameDiscriminator(ModelConfig(), DiscriminatorConfig(frame_width=4))
with torch.no_grad():
    logits = {n: by_frame(film[None], clip[:1])[0] for n, film in films.items() if n != "frozen"}
moved = logits["real"][order]
print("the same numbers in another order:", torch.allclose(moved, logits["jitter"], atol=1e-5))
same = torch.isclose(*(losses.frame_generator_loss(row) for row in logits.values()), atol=1e-5)
print("the same loss:", bool(same))

# %% [markdown]
# So jitter made of good frames costs a generator nothing. And a blink? A
# judge of frames can find that shut lids never come, since some real frames have them, and ask for
# some. It cannot say when, or how lids get there: two shut frames in a row or two that are ten apart
# are the same to it. A judge of clips sees that. Which of the two teaches a generator to blink is an
# experiment, in [chapter 19](19_blinks.ipynb): there either does, without the other.
#
# ## By hand: neighbours
#
# Time is seen in differences. Here are the lids of ten frames, 1 for open, and the same ten
# numbers shuffled. Whatever adds up single frames gets the same result for both. A window of three
# neighbours, with the weights of a second difference, does not.

# %% tags=["nbval-check-output"]
lids = torch.tensor([1.0, 1.0, 0.7, 0.2, 0.0, 0.1, 0.5, 0.9, 1.0, 1.0])
shuffled = lids[torch.tensor([3, 0, 7, 4, 1, 8, 5, 2, 9, 6])]
second = torch.tensor([1.0, -2.0, 1.0])
for name, row in {"blink": lids, "shuffled": shuffled}.items():
    bends = F.conv1d(row.view(1, 1, -1), second.view(1, 1, 3)).flatten()
    print(f"{name:9} mean {row.mean():.2f}, mean bend {bends.abs().mean():.2f}")

# %% [markdown]
# For pictures, such a window is a **spatio-temporal convolution**: a kernel that is a few pixels
# wide and high and a few frames deep. Libraries have it as a 3-D convolution. But a kernel that
# covers three frames and is moved to every middle frame is also an ordinary 2-D convolution on
# three frames whose channels were stacked. That is how the package does it, since 2-D
# convolutions are faster on a CPU. On tiny random pictures, five frames of 8 x 8:

# %% tags=["nbval-check-output"]
torch.manual_seed(0)
tiny = torch.randn(1, 5, 3, 8, 8)
kernel = torch.randn(2, 3, 3, 4, 4)  # out, channels, frames, high, wide
deep = F.conv3d(tiny.transpose(1, 2), kernel, stride=(1, 2, 2), padding=(0, 1, 1))
neighbours = torch.stack([tiny[:, t : t + 3].flatten(1, 2) for t in range(3)], dim=1)
flat_kernel = kernel.transpose(1, 2).flatten(1, 2)
flat = F.conv2d(neighbours[0], flat_kernel, stride=2, padding=1)
print("stacked", tuple(neighbours.shape), "-> features", tuple(flat.shape))
print("3-D and stacked 2-D agree:", torch.allclose(deep[0].transpose(0, 1), flat, atol=1e-5))

# %% [markdown]
# ## By hand: memory
#
# Each step now has features of three frames. To judge the clip they must be gathered, and a **GRU**
# {footcite:p}`cho2014` does so with one vector $h$. At each step it proposes a new one, and a gate
# $z$ says how much of the old to keep:
#
# $$r = \sigma(W_r x + U_r h), \quad z = \sigma(W_z x + U_z h), \quad
# n = \tanh(W_n x + r \odot U_n h), \quad h' = (1 - z) \odot n + z \odot h$$
#
# (with a bias in every term). In code, for one step, against PyTorch's:


# %% tags=["nbval-check-output"]
def gru_step(gru: nn.GRU, x: Tensor, h: Tensor) -> Tensor:
    """The next h, by the formulas."""
    from_x = F.linear(x, gru.weight_ih_l0, gru.bias_ih_l0).chunk(3, dim=-1)
    from_h = F.linear(h, gru.weight_hh_l0, gru.bias_hh_l0).chunk(3, dim=-1)
    r, z = (torch.sigmoid(a + b) for a, b in zip(from_x[:2], from_h[:2], strict=True))
    n = torch.tanh(from_x[2] + r * from_h[2])
    return (1 - z) * n + z * h


small = nn.GRU(3, 2, batch_first=True)
steps = torch.randn(1, 4, 3)
h = torch.zeros(1, 2)
for t in range(4):
    h = gru_step(small, steps[:, t], h)
print("h after four steps:", h.detach().numpy().round(3))
print("PyTorch's:", torch.allclose(h, small(steps)[1][0], atol=1e-6))

# %% [markdown]
# ## The package's version
#
# "At every time step the discriminator will use a CNN with spatio-temporal convolutions to extract
# transient features, which are then fed into a 1-layer GRU. A single layer classifier used at the
# end of the sequence determines if a sequence is real or not." The paper's Eq. 4 also gives it the
# audio $a$: lips that move smoothly while nobody speaks are not real either. So an embedding of
# each audio frame joins the features before the GRU.

# %%
plots.show_source(SequenceDiscriminator.__init__, SequenceDiscriminator.forward)

# %% [markdown]
# And the whole of it from our parts: stack the neighbours (at either end the outermost frame
# repeats), run the convolutions, add the sound, take GRU steps by hand, read the last state.

# %% tags=["nbval-check-output"]
small_judge = DiscriminatorConfig(
    frame_width=8, sequence_width=8, audio_width=4, embedding_dim=32, sync_width=8
)
judge = SequenceDiscriminator(ModelConfig(), small_judge)
heard = audio_frames(torch.from_numpy(signal), AudioConfig(), len(clip))
film, sound = clip[:6], heard[:6]
with torch.no_grad():
    ends = torch.cat([film[:1], film, film[-1:]])
    stacked = torch.stack([ends[t : t + 3].flatten(0, 1) for t in range(6)])
    motion = judge.embed(judge.stack(stacked)).flatten(1)
    seen = torch.cat([motion, judge.audio(sound[None])[0]], dim=1)
    h = torch.zeros(1, 32)
    for t in range(6):
        h = gru_step(judge.gru, seen[t : t + 1], h)
    print("one logit a clip:", tuple(judge(film[None], sound[None]).shape))
    print("by hand, the same:", torch.allclose(judge.last(h)[0], judge(film[None], sound[None])))
    other = judge(film[None], heard[None, 30:36])
print("another sound, another logit:", bool(other != judge(film[None], sound[None])))

# %% [markdown]
# ## A puppet to train on
#
# What moves in a real clip is a small share of its pixels, so a judge needs many clips and an hour
# to learn what motion is. To have it within seconds we draw puppets of 32 x 32 pixels, each with a
# new skin and wall: a mouth that opens and closes, a head that drifts, and lids that blink once.
# All its curves are smooth, because they are noise that was run through a soft window.

# %%
SIDE, FRAMES = 32, 12
LINE = torch.linspace(-1, 1, SIDE)


def smooth(clips: int, frames: int, window: int) -> Tensor:
    """Curves (clips, frames) of deviation 1 that forget themselves within `window` frames."""
    kernel = torch.hann_window(2 * window + 1)[None, None]
    noise = torch.randn(clips, 1, frames + 2 * window)
    return F.conv1d(noise, kernel / kernel.square().sum().sqrt())[:, 0]


def oval(x: Tensor, y: Tensor, wide: float, high: Tensor) -> Tensor:
    """Soft masks (clips, frames, 1, SIDE, SIDE) about centres (clips, frames)."""
    across = ((LINE[None, :] - x[..., None, None]) / wide) ** 2
    down = ((LINE[:, None] - y[..., None, None]) / high[..., None, None]) ** 2
    return torch.sigmoid(4 * (1 - across - down))[:, :, None]


# %%
def puppets(clips: int, frames: int = FRAMES) -> Tensor:
    """(clips, frames, 3, SIDE, SIDE) in [-1, 1]; draws from torch's own generator."""
    mouth = (0.1 + 0.12 * smooth(clips, frames, 6)).clamp(0.01, 0.4)
    x, y = 0.06 * smooth(clips, frames, 15), 0.06 * smooth(clips, frames, 15)
    middle = torch.rand(clips, 1) * frames
    lids = 0.17 - 0.16 * torch.exp(-(((torch.arange(frames) - middle) / 2.2) ** 2))
    skin, wall = torch.rand(clips, 1, 3, 1, 1) * 0.8 + 0.1, torch.rand(clips, 1, 3, 1, 1) * 0.6 - 1
    eyes = oval(x - 0.32, y - 0.25, 0.18, lids) + oval(x + 0.32, y - 0.25, 0.18, lids)
    dark = (oval(x, y + 0.5, 0.35, mouth) + eyes).clamp(0, 1)
    head = wall + (skin - wall) * oval(x, y, 0.8, torch.full_like(x, 0.95))
    return head * (1 - dark) - 0.9 * dark


# %%
torch.manual_seed(1)
three = puppets(3)
mixed = three[:, torch.randperm(FRAMES)]
plots.strip({"in order": list(three[0]), "shuffled": list(mixed[0]), "another": list(three[1])})
plt.show()

# %% [markdown]
# Now train two judges of about the same size on the same task: clips in order are real, and
# the same clips with their frames shuffled are fake. The sound is silence, so that nothing but
# frames counts. We minimise Eq. 4 with its sign turned, which for the frame judge is Eq. 2.


# %%
def judge_for(kind: str) -> nn.Module:
    torch.manual_seed(0)
    model = ModelConfig(height=SIDE, img_width=SIDE)
    kinds = {"sequence": SequenceDiscriminator, "frame": FrameDiscriminator}
    return kinds[kind](model, small_judge)


def logits_of(judge: nn.Module, film: Tensor) -> Tensor:
    """One logit a clip from a judge of clips, one a frame from a judge of frames."""
    if isinstance(judge, FrameDiscriminator):
        return judge(film, film.mean(1))  # as the still: a picture that has no order either
    return judge(film, torch.zeros(*film.shape[:2], AudioConfig().samples))


def train_judge(kind: str, steps: int = 90) -> tuple[nn.Module, list[float]]:
    judge, told = judge_for(kind), []
    adam = torch.optim.Adam(judge.parameters(), 1e-3, betas=(0.5, 0.999))
    for _ in range(steps):
        film = puppets(8)
        on_real, on_fake = (logits_of(judge, f) for f in (film, film[:, torch.randperm(FRAMES)]))
        loss = losses.sequence_discriminator_loss(on_real, on_fake)
        adam.zero_grad()
        loss.backward()
        adam.step()
        told.append(loss.item())
    return judge, told


# %%
trained = {kind: train_judge(kind) for kind in ("frame", "sequence")}
figure, axes = plt.subplots(figsize=(plots.WIDTH, 2.0))
for kind, (_, told) in trained.items():
    axes.plot(np.convolve(told, np.ones(5) / 5, "valid"), label=f"{kind} discriminator")
axes.axhline(2 * np.log(2), color="#999999", linestyle="--", linewidth=1)
axes.set(xlabel="steps", ylabel="nats", ylim=(0, 2), title="the judge's loss, mean of five steps")
axes.legend()
plt.show()

# %% tags=["nbval-check-output"]
torch.manual_seed(2)
fresh = puppets(64)
stirred = torch.stack([film[torch.randperm(FRAMES)] for film in fresh])
for kind, (judge, _) in trained.items():
    with torch.no_grad():
        scores = [
            logits_of(judge, film).flatten(1).mean(1) if kind == "frame" else logits_of(judge, film)
            for film in (fresh, stirred)
        ]
    sure = ((scores[0] - scores[1]) > 0.01).float().mean()
    print(f"{kind:9} tells most pairs apart: {bool(sure > 0.8)}")

# %% [markdown]
# The dashed line is 2 log 2, what a coin scores. The frame judge comes down to it and stays. It is
# not badly trained: for the same frames in another order its two terms are
# $\log(1 + e^{-l}) + \log(1 + e^{l})$ of the same logits, and that is never below 2 log 2,
# whatever $l$. The sequence judge goes under within some dozens of steps.
#
# ## How much jitter does it see?
#
# A picture that would look wrong if the judge had learned something else. We disturb fresh puppets
# by degrees: every frame is replaced by one that is up to so many frames earlier or later. With
# none, belief should be high, and it should fall as the disturbance grows.


# %%
def disturbed(film: Tensor, reach: int) -> Tensor:
    """Every frame from up to `reach` frames away."""
    at = torch.arange(FRAMES) + torch.randint(-reach, reach + 1, (len(film), FRAMES))
    return film[torch.arange(len(film))[:, None], at.clamp(0, FRAMES - 1)]


sequence_judge = trained["sequence"][0]
with torch.no_grad():
    rows = [logits_of(sequence_judge, disturbed(fresh, reach)).sigmoid() for reach in range(6)]

# %%
figure, axes = plt.subplots(figsize=(plots.WIDTH, 1.9))
axes.boxplot([row.numpy() for row in rows], positions=range(6), showfliers=False)
axes.set(xlabel="frames may be off by", ylabel="belief", title="64 puppets", ylim=(0, 1))
plt.show()
means = torch.stack([row.mean() for row in rows])

# %% tags=["nbval-check-output"]
print("belief falls from none to three to five:", bool(means[0] > means[3] > means[5]))
print("off by five, less than half as much:", bool(means[5] < means[0] / 2))

# %% [markdown]
# ## Why the whole clip
#
# Jitter shows within three frames. A blink does not: most short stretches of a real clip have
# none, so there a face without blinks is no worse than a real one. The paper counts 0.39 blinks a
# second in GRID. If they come independently, a stretch of $T$ seconds is without any with
# probability $e^{-0.39 T}$.

# %%
seconds = np.linspace(0, 12, 100)
figure, axes = plt.subplots(figsize=(plots.WIDTH, 1.8))
axes.plot(seconds, 1 - np.exp(-0.39 * seconds))
axes.plot([0.2, 3], 1 - np.exp(-0.39 * np.array([0.2, 3])), "o", color=plots.VERMILION)
axes.set(xlabel="seconds", ylabel="share", ylim=(0, 1), title="stretches that hold a blink")
plt.show()

# %% tags=["nbval-check-output"]
for length in (0.2, 3.0):
    print(f"{length} s: {1 - np.exp(-0.39 * length):.0%} hold a blink")

# %% [markdown]
# The dots are the 0.2 s of the [synchronization discriminator](11_synchronization_discriminator.ipynb)
# and the 3 s of a GRID clip. This is why this judge gets all of a clip, and why it is expensive.
# The `laptop` preset decodes every third frame of a sequence (`sequence_stride`), at which a blink
# still spans some frames, and asks this judge only at every fourth step (`sequence_every`).
#
# ## A failure: a short memory
#
# One decision at the end means that the first frames must be remembered until then. How much does
# each frame of a clip move the decision? The gradient of the logit at each frame tells. We take
# an untrained judge and the trained one, and clips that are four times as long as in training.

# %%
torch.manual_seed(3)
long = puppets(8, 4 * FRAMES)
weights = {}
for name, judge in {"untrained": judge_for("sequence"), "trained": sequence_judge}.items():
    asked = long.clone().requires_grad_()
    logits_of(judge, asked).sum().backward()
    weight = asked.grad.flatten(2).norm(dim=2).mean(0)
    weights[name] = weight / weight.sum()
figure, axes = plt.subplots(figsize=(plots.WIDTH, 1.9))
for name, weight in weights.items():
    axes.semilogy(weight, label=name)
axes.set(xlabel="frame", ylabel="share", title="what a frame counts for in the decision")
axes.legend()
plt.show()

# %% tags=["nbval-check-output"]
for name, weight in weights.items():
    first, last = weight[: len(weight) // 3].sum(), weight[-len(weight) // 3 :].sum()
    print(f"{name:10} the last third counts more than the first: {bool(last > first)}")

# %% [markdown]
# The scale is logarithmic. In the untrained judge the first frames hardly reach the decision at
# all. Training teaches the gates to hold on for longer, and still the end counts most: what a
# generator does early in a clip is judged less. The paper decides once at the end, and so do we;
# a decision at every step, averaged, would be the obvious thing to try.
#
# ## Turn the knob
#
# One puppet, its frames off by as much as you choose, and what the judge believes.


# %%
def show_jitter(reach: int, puppet: int) -> None:
    """A disturbed puppet, and the belief in it."""
    torch.manual_seed(4)
    film = disturbed(fresh[puppet : puppet + 1], reach)
    with torch.no_grad():
        belief = logits_of(sequence_judge, film).sigmoid().item()
    plots.strip({f"D = {belief:.2f}": list(film[0])})
    plt.show()


show_jitter(2, 0)

# %% tags=["remove-cell", "nbval-skip"]
interact(show_jitter, reach=(0, 8), puppet=(0, 63))

# %% [markdown]
# ## Equation, code, and where we deviate
#
# | the paper's equation or sentence | code | where we deviate, and why |
# |---|---|---|
# | "a CNN with spatio-temporal convolutions" | `halving_stack(3 * SPAN, ...)` | the first convolution spans three frames, the others are spatial; the paper gives no shapes |
# | "1-layer GRU" | `SequenceDiscriminator.gru` | not at all |
# | "A single layer classifier used at the end of the sequence" | `last(state[-1])` | not at all |
# | Eq. 4, $D_{seq}(x, a)$ | an audio embedding a step, concatenated | the paper does not say where the audio enters |
# | "classifies based on the entire sequence" | `draws.SEQUENCE` | at most 75 frames, a GRID clip; `sequence_stride` decodes every third in `laptop` |
# | pixels | `sequence_pool` | `laptop` averages 2 x 2 pixels first, which is cheaper and blinder |
# | Adam, rate $10^{-5}$ | `TrainConfig.sequence_rate` | the paper's in `paper`, ten times that in `laptop`, whose run is shorter; 0.001 in this chapter |
#
# ## Recap
#
# - A loss that is a mean over frames does not know their order. Jitter of good frames is free.
# - A convolution over three frames is a 2-D convolution over their stacked channels.
# - A GRU gathers the clip in one vector, and one linear layer decides.
# - That *this* clip lacks a blink shows only in a long clip; that shut lids are rare, in any frames.
# - One decision at the end leans on the end.
#
# ## Exercises
#
# 1. Play puppets backwards instead of shuffling them, and train the sequence judge against that.
#    Can it learn? Which of the puppet's curves would have to change so that it can?
# 2. Freeze a puppet's lids open and train both judges against that. Does the frame judge now learn
#    something? What does it learn, and what would a generator do about it?
# 3. Make `SPAN` of the package 1. Can shuffling still be found? Which part does it then?
# 4. Give the puppet a sound whose loudness follows its mouth, and take as fakes ordered clips with
#    another puppet's sound. Train with 12 frames and with 40.
# 5. How many numbers does the judge remember of a clip of 75 frames, and how many pixels went in?
#
# ## Appendix: solutions
#
# **1.** All curves of this puppet look the same forwards and backwards, so there is nothing to
# find. Real lids close faster than they open; give `lids` two widths and it becomes possible.
#
# **2.** It learns that shut lids are real, which is all that a frame can show. It then calls open
# lids a little fake, everywhere and always. A generator that is pushed by it may close them halfway
# and keep them there; or close them fully now and then, as chapter 19 finds it to do.
#
# **3.** The GRU still gets features in order, so it can. It has to find differences of faces in
# differences of features, which takes longer.
#
# **4.** The task is that of the next chapter, where two streams and a distance make it easier.
#
# **5.** As many as the GRU has cells. For this chapter's judge and clips of full size:

# %% tags=["nbval-check-output"]
print(small_judge.embedding_dim, "numbers of", 75 * 3 * 128 * 96, "pixel values")

# %% [markdown]
# ## References
#
# ```{footbibliography}
# ```
