# %% [markdown]
# # The synchronization discriminator
#
# **What you will build.** A judge of lips and sound: five frames of the lower face, the 0.2 s that
# were heard meanwhile, and one question: do they belong together? You will see why L1 hardly
# minds late lips, put two streams, a distance and a perceptron together by hand, draw pairs that
# are really out of step, train the package's network, and repeat three mistakes that others
# have made: freezing it, giving it batch norm, and teaching it with wrong pairs.
#
# **What it needs.** The `talker` package with its weights and its renderer. It runs in under a
# minute on two cores.
#
# ## Where it sits
#
# Beside the generator, in training only. The [sequence discriminator](10_sequence_discriminator.ipynb)
# hears the sound as well, but it decides once a clip and about everything. This one decides about
# a fifth of a second, and about nothing but the mouth.

# %%
import copy

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from ipywidgets import interact
from torch import Tensor, nn

from talker import losses, plots
from talker.audio import audio_frames
from talker.checkpoint import load_generator
from talker.config import AudioConfig, DiscriminatorConfig, ModelConfig
from talker.corpora.rendered import render_clip
from talker.dataset import to_unit
from talker.draws import shifted
from talker.models.layers import BatchNorm1d, BatchNorm2d
from talker.models.sync_discriminator import SyncDiscriminator

plots.use_style()
plots.judges_diagram({"frames", "audio", "sync"})
plt.show()

# %% [markdown]
# ## What breaks without it
#
# The L1 loss compares with the true frame, and the true frame is in step. Is that not enough? We
# render a clip, let its lips come two frames (80 ms) late, and compare the cost with that of a
# fault which nobody would notice: the whole picture one pixel to the side.

# %% tags=["nbval-check-output"]
pictures, signal, _ = render_clip(0, 0)
clip = to_unit(pictures)
late = losses.reconstruction_loss(clip[2:], clip[:-2])
aside = losses.reconstruction_loss(clip, clip.roll(1, -1))
print("late lips cost less L1 than a pixel's shift:", bool(late < aside))

# %% [markdown]
# To a pixel loss, a mouth is a few pixels like any others. A viewer sees late lips at once, and a
# generator that hedges, with a mouth that is always half open, does well under L1. So the third
# judge is asked nothing else.
#
# ## Pairs
#
# A **snippet** is five frames, and goes with the audio frame of the middle one, which lasts as
# long. Three kinds of pairs train the judge (the paper's Figure 6): real video with its sound;
# real video with sound from elsewhere in the same clip; generated video with the sound that it was
# generated from. Only the first is right. Without the second kind, the judge would learn what
# generated lips look like, and never listen.

# %%
generator = load_generator()
heard = audio_frames(torch.from_numpy(signal), AudioConfig(), len(clip))
middle, elsewhere = 30, 50
with torch.no_grad():
    code = generator.encode_still(clip[:1])
    z_c, _ = generator.content_encoder(heard[None])
    noise = generator.noise_generator.draw(1, len(clip), torch.Generator().manual_seed(0))
    z_n, _ = generator.noise_generator(noise)
    five = slice(middle - 2, middle + 3)
    made = generator.decode(code, z_c[:, five], z_n[:, five])[0]

kinds = {
    "in sync": (clip[five], middle),
    "shifted": (clip[five], elsewhere),
    "generated": (made, middle),
}
figure, axes = plt.subplots(3, 6, figsize=(plots.WIDTH, 3.0), width_ratios=[1] * 5 + [3.4])
for row, (name, (snippet, at)) in zip(axes, kinds.items(), strict=True):
    row[0].set_ylabel(name)
    for cell, frame in zip(row, snippet[..., 64:, :], strict=False):
        cell.imshow(plots.picture(frame))
    row[5].plot(heard[at], linewidth=0.5, color=plots.INK)
    row[5].set_ylim(-0.6, 0.6)
for cell in axes.flat:
    cell.set(xticks=[], yticks=[])
plt.show()

# %% [markdown]
# Only the lower half is shown to it, because "movements on the upper half of the face do not affect
# audio-visual synchrony". Eq. 3 weighs each of the two wrong kinds by one half, so that wrong pairs
# weigh together what right pairs weigh. With logits of 2 for the right pair, -1 and 0 for the
# wrong ones, by hand and by the package:

# %%
in_sync, moved, generated = torch.tensor([2.0]), torch.tensor([-1.0]), torch.tensor([0.0])


def d(logit: Tensor) -> Tensor:
    return 1 / (1 + torch.exp(-logit))


# %% tags=["nbval-check-output"]
by_hand = -(d(in_sync).log() + (1 - d(moved)).log() / 2 + (1 - d(generated)).log() / 2).item()
ours = losses.sync_discriminator_loss(in_sync, moved, generated).item()
print(f"Eq. 3, negative: {by_hand:.4f} by hand, {ours:.4f} by the package")

# %% [markdown]
# ## Really out of step
#
# A shifted pair must be wrong. If the sound is moved by less than five frames, part of it is still
# the right one; if it is not moved at all, the pair is right and labelled wrong. Public code has
# drawn a second place "until it differs" and compared the wrong variables, so that it never
# moved. The package's `shifted` allows only places at least a snippet away, and none beyond the
# clip's ends. We count the offsets of many draws, against drawing any place at all.

# %%
plots.show_source(shifted)

# %%
rng = np.random.default_rng(0)
centres = torch.from_numpy(rng.integers(2, 73, 2000))
offsets = {
    "any place": torch.from_numpy(rng.integers(0, 75, 2000)) - centres,
    "shifted": shifted(centres, 75, 5, rng) - centres,
}
figure, axes = plt.subplots(1, 2, figsize=(plots.WIDTH, 1.7), sharey=True)
for cell, (name, values) in zip(axes, offsets.items(), strict=True):
    cell.hist(values, bins=np.arange(-20.5, 21), color=plots.SKY)
    cell.axvspan(-4.5, 4.5, color=plots.VERMILION, alpha=0.2, linewidth=0)
    cell.set(title=name, xlabel="sound moved by (frames)")
plt.show()

# %% tags=["nbval-check-output"]
for name, values in offsets.items():
    print(f"{name:10} shares sound with the right one: {(values.abs() < 5).float().mean():.0%}")

# %% [markdown]
# ## Two streams and a distance, by hand
#
# Each stream turns its input into a list of numbers, an **embedding**, and the two are made
# comparable by training alone. The **Euclidean distance** says how far apart they are; a
# single-layer perceptron, one weight and one bias, turns that into a logit. The same idea, with
# another loss, is SyncNet's {footcite:p}`chung2016`. With embeddings of three numbers:

# %% tags=["nbval-check-output"]
lips = torch.tensor([0.5, -0.2, 0.9])
right, wrong = torch.tensor([0.4, -0.1, 0.9]), torch.tensor([-0.6, 0.8, 0.1])
weight, bias = -2.0, 2.0
for name, sound in {"right": right, "wrong": wrong}.items():
    distance = (lips - sound).square().sum().sqrt()
    print(f"{name} sound: distance {distance:.2f}, belief {d(weight * distance + bias):.2f}")

# %% [markdown]
# The weight must be negative: near means in step. The package starts it so, for a reason that its
# docstring gives. Now the package's own, and the same by hand on a real snippet.

# %%
plots.show_source(SyncDiscriminator)

# %% tags=["nbval-check-output"]
torch.manual_seed(0)
judge = SyncDiscriminator(ModelConfig(), DiscriminatorConfig(sync_width=8, audio_width=4))
with torch.no_grad():
    mouth = clip[five][:, :, 64:].flatten(0, 1)[None]
    seen, listened = judge.video(mouth)[0], judge.audio(heard[None, middle : middle + 1])[0, 0]
    logit = judge.perceptron((seen - listened).norm().view(1))
    ours = judge(clip[None, five], heard[middle : middle + 1])
    hidden = clip[five].clone()
    hidden[:, :, :64] = 0
    blind = judge(hidden[None], heard[middle : middle + 1])
print("mouth", tuple(mouth.shape), "embeddings", tuple(seen.shape), tuple(listened.shape))
print("by hand, the same:", torch.allclose(logit, ours, atol=1e-5))
print("eyes make no difference:", torch.equal(blind, ours))

# %% [markdown]
# ## A puppet that hums
#
# To have this judge listen takes hours of video. So, as in the last chapter, a puppet of 32 x 32
# pixels: its mouth opens and closes, and its sound is noise that is as loud as the mouth is open,
# at 1000 samples a second, 40 a frame. Everything else, skin, wall and drift, is random and has
# nothing to do with the sound.

# %%
SIDE, FRAMES = 32, 25
LINE = torch.linspace(-1, 1, SIDE)
HUM = AudioConfig(rate=1000, fps=25)


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


def puppets(clips: int) -> tuple[Tensor, Tensor]:
    """Films (clips, FRAMES, 3, SIDE, SIDE) and their audio frames (clips, FRAMES, 200)."""
    opening = smooth(clips, FRAMES, 4).sigmoid()
    x, y = 0.05 * smooth(clips, FRAMES, 15), 0.05 * smooth(clips, FRAMES, 15)
    skin, wall = torch.rand(clips, 1, 3, 1, 1) * 0.8 + 0.1, torch.rand(clips, 1, 3, 1, 1) * 0.6 - 1
    mouth = oval(x, y + 0.5, 0.35, 0.02 + 0.35 * opening)
    head = wall + (skin - wall) * oval(x, y, 0.8, torch.full_like(x, 0.95))
    loud = F.interpolate(opening[:, None], FRAMES * HUM.stride, mode="linear")[:, 0]
    sounds = 0.5 * loud * torch.randn(clips, FRAMES * HUM.stride)
    return head * (1 - mouth) - 0.9 * mouth, audio_frames(sounds, HUM, FRAMES)


def cut(film: Tensor, at: Tensor) -> Tensor:
    """Snippets (clips, 5, 3, SIDE, SIDE) around frames `at` (clips,)."""
    return film[torch.arange(len(film))[:, None], at[:, None] + torch.arange(-2, 3)]


def at_random(clips: int, rng: np.random.Generator) -> Tensor:
    return torch.from_numpy(rng.integers(2, FRAMES - 2, clips))


# %%
torch.manual_seed(1)
films, hums = puppets(2)
figure = plots.strip({"film": list(films[0, :20])})
figure.set_size_inches(plots.WIDTH, 0.5)
figure, axes = plt.subplots(figsize=(plots.WIDTH, 1.0))
plots.waveform(axes, hums[0, :20, 80:120].flatten(), HUM.rate)
plt.show()

# %% [markdown]
# ## Training
#
# The judge is trained on the first two kinds of pairs (there is no generator here yet). `aligned`
# is the share of shifted pairs that are, by mistake, not shifted at all. We train with none, with
# half of them wrong, and with all.


# %%
def new_judge() -> SyncDiscriminator:
    torch.manual_seed(0)
    model = ModelConfig(audio=HUM, height=SIDE, img_width=SIDE)
    return SyncDiscriminator(
        model, DiscriminatorConfig(sync_width=8, audio_width=8, embedding_dim=16)
    )


def train(judge: nn.Module, steps: int, aligned: float = 0.0) -> list[float]:
    """Train with right and shifted pairs; the loss at every step."""
    torch.manual_seed(0)
    rng, told = np.random.default_rng(0), []
    adam = torch.optim.Adam(judge.parameters(), 1e-3, betas=(0.5, 0.999))
    for _ in range(steps):
        film, hum = puppets(16)
        at, rows = at_random(16, rng), torch.arange(16)
        away = torch.where(torch.rand(16) < aligned, at, shifted(at, FRAMES, 5, rng))
        seen = cut(film, at)
        logits = judge(torch.cat([seen, seen]), torch.cat([hum[rows, at], hum[rows, away]]))
        in_sync, moved = logits.chunk(2)
        loss = losses.log_loss_real(in_sync) + losses.log_loss_fake(moved)
        adam.zero_grad()
        loss.backward()
        adam.step()
        told.append(loss.item())
    return told


# %%
judges, curves = {}, {}
for aligned in (0.0, 0.5, 1.0):
    judges[aligned] = new_judge()
    curves[aligned] = train(judges[aligned], 200, aligned)

# %%
figure, axes = plt.subplots(figsize=(plots.WIDTH, 2.0))
for aligned, told in curves.items():
    axes.plot(np.convolve(told, np.ones(15) / 15, "valid"), label=f"{aligned:.0%} aligned")
axes.axhline(2 * np.log(2), color="#999999", linestyle="--", linewidth=1)
axes.set(xlabel="steps", ylabel="nats", ylim=(0, 1.6), title="loss, mean of fifteen steps")
axes.legend(loc="lower left")
plt.show()

# %% [markdown]
# ## A picture that would look wrong
#
# A judge of synchrony must believe most in the pair that is in step, and less as the sound is moved
# away, until the two windows share no sound. Beyond that all should be far, at no distance in
# particular. A valley whose floor is not at zero would be a mistake in the cutting.

# %%
torch.manual_seed(2)
film, hum = puppets(200)
at, lags = torch.full((200,), 12), range(-9, 10)
figure, axes = plt.subplots(figsize=(plots.WIDTH, 2.0))
hills = {}
with torch.no_grad():
    for aligned, judge in judges.items():
        hills[aligned] = [judge.distance(cut(film, at), hum[:, 12 + k]).mean() for k in lags]
        axes.plot(lags, hills[aligned], label=f"{aligned:.0%} aligned")
axes.set(xlabel="sound moved by (frames)", ylabel="mean distance", xticks=lags[::3])
axes.legend()
plt.show()

# %% tags=["nbval-check-output"]
swing = {aligned: float(max(hill) - min(hill)) for aligned, hill in hills.items()}
print("nearest at:", list(lags)[int(np.argmin(hills[0.0]))], "frames")
print("half aligned, a flatter valley:", swing[0.5] < swing[0.0])
print("all aligned, hardly any:", swing[1.0] < 0.2 * swing[0.0])

# %% [markdown]
# ## First failure: "misaligned" pairs that are aligned
#
# You have just seen it. With all of them aligned, right and wrong are the same pairs, and the
# loss stays at 2 log 2, what a coin scores. This is noticed. With half of them the loss does fall,
# the curve looks like learning, and the judge is merely worse: it has been told that right pairs
# are wrong, and becomes careful. No crash and no odd shape says so, and therefore it is tested.
#
# ## Second failure: trained first, then frozen
#
# It is tempting: train the judge on real pairs until it is good, then keep it fixed as a loss. But
# a judge knows only what it was shown. We take snippets with a wrong sound and change their
# *pixels* by gradient steps, so that the trained judge believes in them. A generator could do as
# much.


# %%
def please(judge: nn.Module, seen: Tensor, hum: Tensor, steps: int = 30) -> Tensor:
    """Snippets changed by at most 0.3 a pixel so that `judge` calls them in sync."""
    for _ in range(steps):
        seen = seen.detach().requires_grad_()
        losses.sync_generator_loss(judge(seen, hum)).backward()
        seen = (seen - 0.01 * seen.grad.sign()).clamp(-1, 1)
    return seen.detach()


frozen = judges[0.0].requires_grad_(False)
wrong = hum[:8, 20]
start, true = cut(film[:8], torch.full((8,), 6)), cut(film[:8], torch.full((8,), 20))
pleasing = please(frozen, start, wrong)
rows = {"wrong": start[:3, 2], "changed": pleasing[:3, 2], "true": true[:3, 2]}
plots.strip({name: list(frames) for name, frames in rows.items()}).set_size_inches(2.4, 2.4)
plt.show()

# %% [markdown]
# The upper row does not fit the sound, the lower does. The middle one is what the judge asked for.
# What does a judge say that goes on learning, with those pairs as its third kind?

# %%
awake = copy.deepcopy(frozen).requires_grad_(True)
adam = torch.optim.Adam(awake.parameters(), 1e-3, betas=(0.5, 0.999))
rng, torch_rows = np.random.default_rng(1), torch.arange(16)
for _ in range(40):
    more, sounds = puppets(16)
    at = at_random(16, rng)
    away = shifted(at, FRAMES, 5, rng)
    in_sync = awake(cut(more, at), sounds[torch_rows, at])
    moved = awake(cut(more, at), sounds[torch_rows, away])
    loss = losses.sync_discriminator_loss(in_sync, moved, awake(pleasing, wrong))
    adam.zero_grad()
    loss.backward()
    adam.step()

# %% tags=["nbval-check-output"]
with torch.no_grad():
    said = {
        n: d(frozen(seen, wrong)).mean()
        for n, seen in {"wrong": start, "changed": pleasing, "true": true}.items()
    }
    after = d(awake(pleasing, wrong)).mean()
print("frozen: changed is believed more than wrong:", bool(said["changed"] > said["wrong"] + 0.2))
print("and even more than the truth:               ", bool(said["changed"] > said["true"]))
print("the judge that learns on sees through it:   ", bool(after < said["changed"] / 2))

# %% [markdown]
# A frozen judge can be talked into anything by somebody who may look at its gradient. That is
# not an argument against every frozen judge: {footcite:t}`prajwal2020` keep theirs fixed on
# purpose, so that it does not learn the blemishes of generated frames, and it works for them with
# a judge that was trained on far more video. The paper trains it jointly, and so do we.
#
# ## Third failure: batch norm
#
# Batch norm subtracts the mean over the batch, so what is said of a pair depends on its company.
# Suppose that, as happens in training loops, one batch holds snippets of a single clip and
# another holds snippets of many. We label the first kind real and the second fake. All pairs in
# both are right, and no single pair gives anything away. The group norm of the package looks at
# one pair alone; for comparison we exchange it.


# %%
def with_batch_norm(module: nn.Module, signals: bool = False) -> nn.Module:
    """The network with batch norm in place of every group norm, changed in place."""
    for name, child in module.named_children():
        if isinstance(child, nn.GroupNorm):
            kind = BatchNorm1d if signals else BatchNorm2d
            setattr(module, name, kind(child.num_channels))
        else:
            with_batch_norm(child, signals or name == "audio")
    return module


def tell_batches_apart(judge: nn.Module, steps: int = 80) -> list[float]:
    torch.manual_seed(0)
    rng, told = np.random.default_rng(0), []
    adam = torch.optim.Adam(judge.parameters(), 1e-3, betas=(0.5, 0.999))
    for _ in range(steps):
        film, hum = puppets(8)
        at, rows = at_random(8, rng), torch.arange(8)
        one = judge(cut(film[:1].expand_as(film), at), hum[0, at])
        many = judge(cut(film, at), hum[rows, at])
        loss = losses.log_loss_real(one) + losses.log_loss_fake(many)
        adam.zero_grad()
        loss.backward()
        adam.step()
        told.append(loss.item())
    return told


# %%
guesses = {
    "group norm": tell_batches_apart(new_judge()),
    "batch norm": tell_batches_apart(with_batch_norm(new_judge())),
}

# %%
figure, axes = plt.subplots(figsize=(plots.WIDTH, 1.9))
for name, told in guesses.items():
    axes.plot(np.convolve(told, np.ones(9) / 9, "valid"), label=name)
axes.axhline(2 * np.log(2), color="#999999", linestyle="--", linewidth=1)
axes.set(xlabel="steps", ylabel="nats", ylim=(0, 1.8), title="loss, mean of nine steps")
axes.legend(loc="lower left")
plt.show()

# %% tags=["nbval-check-output"]
for name, told in guesses.items():
    print(f"{name}: below guessing: {np.mean(told[-20:]) < 0.8 * 2 * np.log(2)}")

# %% [markdown]
# The judge with batch norm wins a game that cannot be won by listening. Its loss looks splendid,
# and the generator learns nothing about lips from it. In a GAN real and generated batches differ in
# many such ways. So there is no batch norm in any of the three judges.
#
# ## Turn the knob
#
# One puppet's snippet, the sound moved as you choose, and the belief of the judge that was trained
# well.


# %%
def show_pair(puppet: int, moved: int) -> None:
    """A snippet, and the belief in it with sound from `moved` frames away."""
    seen = cut(film[puppet : puppet + 1], torch.tensor([12]))
    belief = d(frozen(seen, hum[puppet : puppet + 1, 12 + moved])).item()
    figure = plots.strip({f"D = {belief:.2f}": list(seen[0])})
    figure.set_size_inches(3.4, 0.75)
    plt.show()


show_pair(0, 0)

# %% tags=["remove-cell", "nbval-skip"]
interact(show_pair, puppet=(0, 199), moved=(-10, 10))

# %% [markdown]
# ## Equation, code, and where we deviate
#
# | the paper's equation or sentence | code | where we deviate, and why |
# |---|---|---|
# | "fixed-length snippets (corresponding to 0.2s)" | `AudioConfig.snippet` | not at all: 5 frames |
# | "only the lower half of the face" | `snippet[..., self.top :, :]` | not at all |
# | two streams, Fig. 5 | `SyncDiscriminator` | five frames stacked as channels; both embeddings end in Tanh |
# | "Euclidean distance ... single layer perceptron" | `distance`, `perceptron` | starts as "near is in sync", since the paper's rate is too low to turn a weight's sign |
# | Fig. 6, shifted audio | `draws.shifted` | the paper gives no offsets; ours are at least a snippet |
# | Eq. 3 | `losses.sync_discriminator_loss` | on logits; the generator's side keeps the 1/2 |
# | Adam, rate $10^{-5}$ | `TrainConfig.sync_rate` | ten times that in `laptop`; 0.001 in this chapter |
#
# ## Recap
#
# - L1 hardly minds late lips. A judge that is asked about nothing else does.
# - Two embeddings, one distance, one weight: near means in step.
# - Shifted pairs of real video force it to listen; without them it learns what generated means.
# - A misaligned pair must be misaligned. Half wrong is worse than all wrong, because it is quiet.
# - It learns beside the generator, to the end, and never sees a batch, only a pair.
#
# ## Exercises
#
# 1. Train with shifts of at least 1 frame instead of 5. What happens to the valley, and why might
#    one want it nevertheless?
# 2. Give the judge the upper half instead of the lower. Where does the loss go?
# 3. Start the perceptron's weight at +1 and train at a rate of 0.00001. What happens?
# 4. In Eq. 3, what would a judge that ignores sound score at best, when generated frames are easy
#    to tell from real ones?
#
# ## Appendix: solutions
#
# **1.** Neighbouring windows share four fifths of their sound, so many pairs are nearly right and
# the task is harder; a judge that masters it is sharper about the offset. **2.** To 2 log 2: the
# puppet's mouth is in the lower half. **3.** Far pairs are believed, and the embeddings are moved
# apart to suit, because that is quicker than to turn the weight.
#
# **4.** It calls all generated pairs fake, which costs nothing, and cannot tell right from shifted.
# With belief $p$ in both it pays $-\log p - \frac{1}{2} \log(1 - p)$, least at $p = 2/3$. If the log
# of a run shows that for a long time, it is not listening.

# %% tags=["nbval-check-output"]
p = torch.linspace(0.01, 0.99, 981)
deaf = -p.log() - (1 - p).log() / 2
print(
    f"a deaf judge: {deaf.min():.3f} at p = {p[deaf.argmin()]:.2f}; guessing: {2 * np.log(2):.3f}"
)

# %% [markdown]
# ## References
#
# ```{footbibliography}
# ```
