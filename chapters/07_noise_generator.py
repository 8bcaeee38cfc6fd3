# %% [markdown]
# # The noise generator
#
# **What you will build.** The box for everything that a voice does not decide, first of all when to
# blink. You will see what happens to a pair of eyes when noise has no memory, write a memory of one
# line and predict how fast it forgets, read the noise off pictures of a real blink, and then teach
# a small GRU to make up such noise by itself. At the end the claim is tested that the whole design
# rests on: other noise, other blinks, same lips.
#
# **What it needs.** The `talker` package with its weights, its renderer and a landmark detector.
# Two small networks are trained on the page. Under a minute on two cores.
#
# ## Where it sits
#
# Beside the content encoder, with the same clock: one $z_n$ per video frame. It has no input but
# dice. Ten numbers a frame go in, ten come out.

# %%
import json
from dataclasses import replace
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from ipywidgets import interact

from talker import noise_prior, plots
from talker.animate import to_pictures
from talker.audio import audio_frames
from talker.checkpoint import load_generator
from talker.dataset import to_unit
from talker.demo import ASSETS
from talker.faces import DlibDetector
from talker.media import read_audio
from talker.metrics.blinks import find_blinks
from talker.metrics.landmarks import eye_aspect_ratio, inner_lip_distance
from talker.models.noise_encoder import NoiseEncoder
from talker.models.noise_generator import NoiseGenerator
from talker.studio import grammar
from talker.studio.acting import act, style_for
from talker.studio.camera import Camera, Pose
from talker.studio.espeak import Voice
from talker.studio.performer import performer
from talker.studio.speech import grid_clip

plots.use_style()
plots.system_diagram({"noise", "noise generator", "decoder"})
plt.show()

# %% [markdown]
# ## What breaks without it
#
# A performer whom the shipped weights have not seen is rendered at rest, and speaks the sentence
# that comes with the package. Whatever $z_n$ we give, the decoder will draw it. We try four: what
# the noise generator makes; *the same numbers in another order*, so that each frame's $z_n$ is one
# that occurs, but next to strangers; white noise as the generator gets it; and zeros.


# %%
@torch.no_grad()
def film(z_n: torch.Tensor) -> torch.Tensor:
    """z_n (1, T, 10) -> frames (T, 3, 128, 96): the performer speaking, with that noise."""
    return generator.decode(code, z_c, z_n)[0]


@torch.no_grad()
def draw(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """White noise and the z_n made of it, (1, T, 10) each."""
    white = generator.noise_generator.draw(1, frames, torch.Generator().manual_seed(seed))
    return white, generator.noise_generator(white)[0]


generator = load_generator().requires_grad_(False)
camera = Camera(performer(44, seed=0))
rest = camera.posed(Pose({}, head=np.zeros(6), gaze=np.zeros(2)))
crop = camera.film(camera.landmarks(rest))
code = generator.encode_still(to_unit(camera.render(rest, crop)[None]))

# %% tags=["nbval-check-output"]
sentence, rate = read_audio(ASSETS / "sentence.wav")
heard = audio_frames(torch.from_numpy(sentence), generator.config.audio)[None]
z_c, _ = generator.content_encoder(heard)
frames = heard.shape[1]
seed = max(range(8), key=lambda seed: draw(seed)[1].square().sum(2).max())  # one that blinks
white, z_n = draw(seed)
order = torch.randperm(frames, generator=torch.Generator().manual_seed(0))
noises = {"$z_n$": z_n, "shuffled": z_n[:, order], "white": white, "zeros": torch.zeros_like(z_n)}
films = {name: film(noise) for name, noise in noises.items()}
print("noise", tuple(z_n.shape), "frames", tuple(films["shuffled"].shape))

# %% [markdown]
# To see four films at once, take one column of pixels out of every frame, through the middle of the
# right eye, and set the columns side by side. Time runs to the right; the band across is the eye. A
# blink is a place where skin closes over it from above and opens again.

# %%
figure, axes = plt.subplots(4, 1, figsize=(plots.WIDTH, 4.2), sharex=True)
for cell, (name, made) in zip(axes, films.items(), strict=True):
    column = to_pictures(made)[:, 30:58, 31].transpose(1, 0, 2)
    cell.imshow(column, aspect="auto", extent=(0, frames / 25, 28, 0))
    cell.set(yticks=[], ylabel=name)
axes[-1].set_xlabel("seconds")
plt.show()

# %% tags=["nbval-check-output"]
eyes = slice(32, 56), slice(14, 82)  # rows and columns of the crop
change = {name: made[..., *eyes].diff(dim=0).abs().mean() for name, made in films.items()}
for name, value in change.items():
    print(f"{name.strip('$'):8} change at the eyes from frame to frame {value:.3f}")

# %% [markdown]
# Zeros make a portrait with a moving mouth. The first row blinks. The second shows the same lids in
# the same positions for the same number of frames, and it is a tic: lids shut and open within one
# frame, which no muscle can. "Spontaneous expressions such as blinks are coherent facial motions
# and therefore we expect the latent space that models them to exhibit the same temporal
# dependency", says the paper, and "we therefore avoid using white noise", which is "by definition
# temporally independent".
#
# ## Memory in one line
#
# What makes noise coherent? Keep most of the old and add a little of the new:
#
# $$h_t = u\,h_{t-1} + (1 - u)\,x_t$$
#
# That is a GRU whose update gate is stuck at $u$ and whose proposal is its input. How much does $h$
# resemble itself $k$ frames later? Multiply the line by $h_{t-1}$ and average: the new $x_t$ knows
# nothing of the past, so each step back costs a factor $u$, and the **autocorrelation** at lag $k$
# must be $u^k$. By hand, on a long run of white noise:


# %% tags=["nbval-check-output"]
def autocorrelation(values: torch.Tensor, lag: int) -> float:
    """Of sequences (N, T, D) with themselves `lag` frames later, the mean over N and D."""
    centred = values - values.mean((0, 1))
    now, later = centred[:, : values.shape[1] - lag], centred[:, lag:]
    return float((now * later).mean((0, 1)).sum() / centred.square().mean((0, 1)).sum())


u, steps = 0.8, []
h = torch.zeros(1)
for x in torch.randn(20000, generator=torch.Generator().manual_seed(0)):
    h = u * h + (1 - u) * x
    steps.append(h)
slow = torch.stack(steps)[None]
for lag in (1, 2, 4, 8):
    print(f"lag {lag}: measured {autocorrelation(slow, lag):.1f}, predicted {u**lag:.1f}")

# %% [markdown]
# Such a sequence drifts. It never blinks: a blink is a sudden dive with its own fixed course, down
# fast, up slowly, and then nothing for seconds. For that the gate must open and close, and for that
# the paper takes a whole GRU. Here is the package's.

# %%
plots.show_source(NoiseGenerator)

# %% tags=["nbval-check-output"]
many, _ = draw(1)
print(
    f"variance of the white noise {many.var():.1f}, of the config {generator.config.noise_variance}"
)
print(
    f"cells: {generator.noise_generator.gru.hidden_size}; the paper's: {generator.config.noise_dim}"
)
first, memory = generator.noise_generator(white[:, :30])
second, _ = generator.noise_generator(white[:, 30:], memory)
print("in two pieces, the same:", torch.allclose(torch.cat([first, second], 1), z_n, atol=1e-5))

# %% [markdown]
# ## What faces do by themselves
#
# To know what to aim at, look at real motion. The performers act by rules that were taken from
# measurements of people (`talker.studio.idle`), and their motion can be had without rendering it.
# Ten numbers a frame: both lids, three of the brows, two of the gaze, three angles of the head,
# each less its value in the first frame. They are a stand-in for $z_n$ that we can read: the first
# two columns are lids.

# %% tags=["nbval-check-output"]
LIDS_AND_BROWS = ("eyeBlinkLeft", "eyeBlinkRight", "browInnerUp", "browOuterUpLeft")
rng = np.random.default_rng(0)
speeches = [grid_clip(grammar.sentence(rng), Voice(), rng) for _ in range(8)]
motions = []
for number in range(240):
    acted = act(speeches[number % 8], rng, style_for(rng), frames=75)
    face = [acted.action(name) for name in (*LIDS_AND_BROWS, "browOuterUpRight")]
    motion = np.stack([*face, *acted.gaze.T / 4, *acted.head[:, :3].T], axis=1)
    motions.append(np.tanh(motion - motion[:1]))
motions = torch.from_numpy(np.stack(motions)).float()
fitted_to, kept_back = motions[:120], motions[120:]
print("clips, frames, numbers:", tuple(motions.shape))

# %%
lags = range(16)
both = torch.cat([draw(k)[1] for k in range(60)])
curves = {"$z_n$, shipped": both, "lids of performers": motions[..., :2]}
curves |= {"heads": motions[..., 7:], "white noise": torch.randn(60, 75, 10)}
figure, axes = plt.subplots(figsize=(plots.WIDTH, 2.2))
for name, values in curves.items():
    axes.plot(
        [lag * 40 for lag in lags], [autocorrelation(values, lag) for lag in lags], label=name
    )
axes.set(xlabel="milliseconds later", title="correlation with itself")
axes.legend(ncols=2)
plt.show()

# %% [markdown]
# White noise forgets within one frame. Lids remember for about as long as a blink takes, heads for
# much longer. In the shipped weights $z_n$ moves lids, gaze and brows; the outline of the head stays
# as it is in the still.
#
# ## Why the paper's way is hard, and our departure
#
# In the paper, the noise learns what it means from the sequence discriminator alone, at the end of
# a long chain. Two things stand in its way. One is that discriminators see few whole clips in a
# laptop's night. The other is L1, if it counts on the eyes: it teaches the decoder to *ignore* the
# noise. Take a lid that is down in one frame of ten, at a moment that nothing announces. The answer
# that L1 likes best is the median:

# %% tags=["nbval-check-output"]
lid = torch.tensor([0.0, 0, 0, 1, 0, 0, 0, 0, 0, 0])
answers = torch.linspace(0, 1, 11)
costs = (lid[:, None] - answers).abs().mean(0)
print("L1 is least for a lid that is always at", f"{answers[costs.argmin()]:.1f}")

# %% [markdown]
# Never blink. (The paper puts no L1 on the upper half of the picture at all; then nothing there but
# the discriminators keeps the picture clean.) Our way around is to tell the decoder the answer.
# While training reconstructs a real frame, a small network looks at that frame's upper half and
# writes down the ten numbers that the decoder needs, as in the autoencoding branch of
# {footcite:t}`zhu2017`. With them, a blink is no surprise, L1 is fair, and the decoder learns that
# $z_n$ moves lids.

# %%
plots.show_source(NoiseEncoder.forward)

# %% [markdown]
# That encoder is of use in training only. But we can do its work by hand, slowly: render a real
# blink of the performer, and let gradient descent find, for each of its frames, the $z_n$ with
# which the shipped decoder comes closest to it. If the decoder had never learnt to use $z_n$, the
# second row of the picture could not follow the first.

# %% tags=["nbval-check-output"]
closure = np.array([0, 0.15, 0.6, 1, 1, 0.8, 0.5, 0.2, 0])  # down fast, up slowly
real = []
for shut in closure:
    lids = {f"eye{what}{side}": shut for what in ("Blink", "Squint") for side in ("Left", "Right")}
    lids = {name: 0.15 * v if "Squint" in name else v for name, v in lids.items()}
    vertices = camera.posed(Pose(lids, head=np.zeros(6), gaze=np.zeros(2)))
    real.append(camera.render(vertices, crop))
target = to_unit(np.stack(real))
silence = z_c[:, :1].expand(-1, len(closure), -1)
free = torch.zeros(1, len(closure), 10, requires_grad=True)
adam = torch.optim.Adam([free], 0.1)
errors = []
for _ in range(25):
    made = generator.decode(code, silence, free.tanh())[0]
    loss = (made - target)[:, :, :64].abs().mean()  # the upper half
    adam.zero_grad()
    loss.backward()
    adam.step()
    errors.append(loss.item())
read_off = free.detach().tanh()
print(f"L1 of the upper half: {errors[0]:.3f} with zeros, {errors[-1]:.3f} with what was found")

# %%
with torch.no_grad():
    redrawn = generator.decode(code, silence, read_off)[0]
plots.strip(
    {"rendered": list(target), "from $z_n$": list(redrawn)}, [f"lid {c:g}" for c in closure]
)
plt.show()

# %% [markdown]
# So a closed eye is a direction in the space of ten numbers. Does the noise generator, which has
# never seen a picture, go the same way when *it* blinks? Take six draws, find the blinks in the
# films that come of them, and compare $z_n$ at the lowest point of each (less the clip's median)
# with the direction that was just read off. Unrelated directions in ten dimensions have a cosine
# around 0.

# %%
detector = DlibDetector()
tracks = []
for number in range(6):
    pictures = to_pictures(film(draw(number)[1]))
    tracks.append(np.stack([detector.detect(picture)[0].landmarks for picture in pictures]))
openness = [eye_aspect_ratio(track) for track in tracks]
mouths = [inner_lip_distance(track) for track in tracks]
blinks = [find_blinks(trace, 25) for trace in openness]

# %% tags=["nbval-check-output"]
shut = read_off[0, 3] - read_off[0, 0]
cosines = []
for number, found in enumerate(blinks):
    values = draw(number)[1][0]
    dives = [values[blink.lowest] - values.median(0).values for blink in found]
    cosines += [float(torch.cosine_similarity(dive, shut, dim=0)) for dive in dives]
print(f"{len(cosines)} blinks, median cosine with the direction read off: {np.median(cosines):.1f}")

# %% [markdown]
# ## Teaching a GRU to make it up
#
# That agreement is no luck. After the warm-up, training reads $z_n$ off every real clip, and fits
# the noise generator to those sequences: a small critic, a discriminator of ten numbers a frame,
# sees thousands of whole clips in the time in which the sequence discriminator sees a few
# (`talker.noise_prior`).
#
# How good is the fit? Losses of an adversary say little, so it is judged by something that the
# critic does not know: the **energy distance** {footcite:p}`szekely2013`. Take two points from
# different samples, and two from the same, and compare how far apart they are:
#
# $$D = 2\,E|a - b| - E|a - a'| - E|b - b'|$$
#
# It is zero when both come from one distribution, and it needs no histogram. By hand, on a line: a
# sample at 0 and 2, another at 1 and 3. Across, the four distances are 1, 3, 1, 1. Within, they are
# 2 and 2: a point is not paired with itself. So the estimate is zero *on average* for samples of one
# distribution, below it as often as above, and four points can well give a "distance" of -1.

# %% tags=["nbval-check-output"]
a, b = torch.tensor([[0.0], [2.0]]), torch.tensor([[1.0], [3.0]])
by_hand = 2 * np.mean([1, 3, 1, 1]) - 2 - 2
print("by hand", by_hand, "the package's", noise_prior.energy_distance(a, b).item())
dice = torch.Generator().manual_seed(0)
samples = [torch.randn(400, 10, generator=dice) + shift for shift in (0, 0, 0.5)]
for name, other in {"same": samples[1], "shifted": samples[2]}.items():
    print(f"{name:8} {noise_prior.energy_distance(samples[0], other):.2f}")

# %% [markdown]
# Applied to windows of several frames, joined into long vectors, it compares *movements*. Now the
# fit itself, on the performers' motion in place of $z_n$, for a fraction of the steps that the
# shipped weights had. Twice: with the 64 cells of the `laptop` preset and a linear map to ten
# numbers, and with the paper's ten cells whose states are $z_n$.

# %%
fits = {}
for name, cells in {"64 cells": 64, "10 cells": 0}.items():
    torch.manual_seed(0)
    fits[name] = NoiseGenerator(replace(generator.config, noise_hidden=cells))
    noise = fits[name].draw(100, 75, torch.Generator().manual_seed(1))
    before = fits[name](noise)[0].detach()
    noise_prior.fit(fits[name], fitted_to, steps=300, seed=0)
    after = fits[name](noise)[0].detach()
    fits[name] = {"before": before, "after": after}

moving = slice(15, None)  # a clip starts as its still, which noise cannot do: left out of the fit
scores = {
    "performers not fitted to": noise_prior.distance(kept_back[:, moving], fitted_to[:, moving])
}
for name, made in fits.items():
    for when, values in made.items():
        scores[f"{name}, {when}"] = noise_prior.distance(values[:, moving], fitted_to[:, moving])
for name, score in scores.items():
    print(f"{name:25} distance {score:5.2f}")

# %%
rows = {"a performer": kept_back, **{name: made["after"] for name, made in fits.items()}}
figure, axes = plt.subplots(3, 2, figsize=(plots.WIDTH, 3.2), sharex=True, sharey=True)
clock = np.arange(75) / 25
for line, (name, values) in zip(axes, rows.items(), strict=True):
    for cell, number in zip(line, (1, 5), strict=True):
        cell.plot(clock, values[number, :, 0], label="lid")
        cell.plot(clock, values[number, :, 8], label="head", linewidth=0.9)
    line[0].set_ylabel(name)
axes[0, 1].legend(ncols=2)
for cell in axes[-1]:
    cell.set_xlabel("seconds")
plt.show()

# %% tags=["nbval-check-output"]
for name, values in rows.items():
    openings = 1 - 0.9 * values[:, moving, :2].mean(2).numpy()
    found = [len(find_blinks(opening, 25)) for opening in openings]
    print(f"{name:12} dives of both lids a second: {np.mean(found) / openings.shape[1] * 25:.1f}")

# %% [markdown]
# At the start neither has anything to do with a face. In a few hundred steps the larger one comes
# much nearer to the performers, with dives of the right length, a head that drifts beside them, and
# pauses between. The ten cells have to be the movement and at the same time to remember how far a
# blink has come. They come less near and stay restless; fitted to the sequences of a real training,
# they never blinked (see `ModelConfig.noise_hidden`). That is why the shipped weights depart from
# the paper here.
#
# ## Other noise, other blinks, same lips
#
# Back to the six films of one sentence. Above, how open the eyes are in each, below, how open the
# mouth is: both by a detector that knows pixels only.

# %%
figure, axes = plt.subplots(2, 1, figsize=(plots.WIDTH, 3.4), sharex=True)
for trace, mouth in zip(openness[:4], mouths[:4], strict=True):
    axes[0].plot(np.arange(frames) / 25, trace, linewidth=1.1)
    axes[1].plot(np.arange(frames) / 25, mouth, linewidth=1.1)
axes[0].set_title("eye aspect ratio (Eq. 8), four draws of the noise")
axes[1].set(title="distance of the inner lips, the same four", xlabel="seconds")
plt.show()

# %% tags=["nbval-check-output"]
pairs = np.triu_indices(6, 1)
for name, traces in {"eyes": openness, "lips": mouths}.items():
    print(f"{name}: correlation of two draws {np.mean(np.corrcoef(traces)[pairs]):.1f}")
print("blinks in each draw:", [len(found) for found in blinks])

# %% [markdown]
# The lips agree from draw to draw and the eyes do not. The first is not left to training: in the
# shipped weights the noise enters the decoder only above the lower lids (`CodeMaps`, next chapter).
# One sentence is an anecdote. Over all clips of the test performers, with 95 %
# intervals (`figures/results/talking.json`):

# %% tags=["nbval-check-output"]
results = json.loads(Path("../figures/results/talking.json").read_text())["values"]
for name in ("blinks_per_second", "blink_seconds", "blink_depths"):
    made, real_ones = results[name], results[f"{name}_real"]
    interval = f"{made['low']:.2f} to {made['high']:.2f}"
    print(f"{name:18} {made['value']:.2f} ({interval}); real clips {real_ones['value']:.2f}")

# %% [markdown]
# ## A failure: the right memory in the wrong language
#
# Coherence is necessary. It is not enough. Turn the ten numbers of every frame by one and the same
# random rotation: all lengths, all distances and the autocorrelation stay exactly what they were,
# so no test of memory could tell. Only the decoder can, because to it each direction *means*
# something. This is what happens when the decoder and the noise generator are not fitted to each
# other, for instance when the noise encoder goes on learning after the fit.

# %% tags=["nbval-check-output"]
turned, _ = torch.linalg.qr(torch.randn(10, 10, generator=torch.Generator().manual_seed(2)))
foreign = film(z_n @ turned)
energy = z_n[0].square().sum(1)
moments = sorted(int(t) for t in energy.topk(30).indices[::6])
plots.strip(
    {"$z_n$": films["$z_n$"][moments], "turned": foreign[moments]},
    [f"{t / 25:.1f} s" for t in moments],
).set_size_inches(4.2, 2.6)
plt.show()
for name, noise in {"z_n": z_n, "turned": z_n @ turned}.items():
    marks = [detector.detect(picture)[0].landmarks for picture in to_pictures(film(noise))]
    dives = len(find_blinks(eye_aspect_ratio(np.stack(marks)), 25))
    print(f"{name:6} autocorrelation {autocorrelation(noise, 1):.2f}, blinks {dives}")

# %% [markdown]
# The same memory, and other movements: what was a blink has become something that the decoder reads
# as a half-closed lid, a raised brow, or nothing.
#
# ## Turn the knob
#
# Exaggerate: the same draw, with $z_n$ scaled. At 0 nothing happens by itself; at 1 it is what it
# should be; beyond, the decoder is asked for things that it has hardly seen. In JupyterLab,
# sliders.


# %%
def show_scaled(seed: int, scale: float) -> None:
    """The eyes' column over time, for a draw of the noise and a factor."""
    column = to_pictures(film(scale * draw(seed)[1]))[:, 30:58, 31].transpose(1, 0, 2)
    figure, axes = plt.subplots(figsize=(plots.WIDTH, 1.3))
    axes.imshow(column, aspect="auto", extent=(0, frames / 25, 28, 0))
    axes.set(yticks=[], xlabel="seconds", title=f"draw {seed}, scaled by {scale}")
    plt.show()


show_scaled(seed, 1.0)

# %% tags=["remove-cell", "nbval-skip"]
interact(show_scaled, seed=(0, 20), scale=(0.0, 2.0, 0.1))

# %% [markdown]
# ## Equation, code, and where we deviate
#
# | the paper's equation, sentence or section | code | where we deviate, and why |
# |---|---|---|
# | 3.1.3, "a 10 dimensional vector", "mean 0 and variance of 0.6" | `NoiseGenerator.draw`, `noise_variance` | not at all |
# | "passed through a single-layer GRU" | `NoiseGenerator.gru` | `noise_hidden`: more cells, and a linear map to ten numbers, because ten cells cannot be a blink and count it too |
# | (not mentioned) | Tanh at the end | as in the released model; keeps $z_n$ in the range of what the encoder reads |
# | the sequence discriminator teaches the noise (Eq. 4) | `NoiseEncoder`, `noise_prior.fit` | an encoder reads $z_n$ off real frames while reconstructing; a critic of $z_n$ alone then fits the GRU: thousands of clips instead of a few |
# | L1 on the lower half only (Eq. 6) | `eyes_weight` | with $z_n$ read off, L1 on the eyes is fair and keeps them clean |
# | $z_n$ enters by concatenation (3.1.4) | `injection`, `CodeMaps` | at three levels, and above the lower lids only, so that it cannot move lips |
#
# ## Recap
#
# - Noise without memory gives eyes a tic. Shuffling proves it: same values, other order.
# - Autocorrelation $u^k$ is what a leaky memory has; a blink needs a gate that opens and closes.
# - Under L1, what cannot be predicted is averaged away. Tell the decoder the answer while it learns
#   to reconstruct, and learn to make up answers afterwards.
# - Judge a fit by a distance that the adversary does not see.
# - Other noise gives other blinks and the same lips, and both halves of that are measured.
#
# ## Exercises
#
# 1. In the one-line memory, which $u$ gives an autocorrelation of a half after 0.2 s? What is the
#    variance of $h$ then, if $x$ has variance 0.6?
# 2. Reverse the shipped $z_n$ in time. Its autocorrelation does not change. What does a reversed
#    blink look like in the column picture, and would you notice it in a film?
# 3. Interpolate between $z_n = 0$ and the closed eye that was read off. Is the lid halfway in the
#    middle?
# 4. Which of the ten numbers matter to the lids? Set one at a time to zero in a draw that blinks,
#    and measure the change at the eyes.
#
# ## Appendix: solutions
#
# **1.** $u^5 = 1/2$, and the variance of $h$ is $(1-u)^2 / (1-u^2)$ that of $x$: memory costs
# amplitude, which is one reason why $z_n$ needs a learned layer after it. **2.** The lid falls
# slowly and springs up. Few people can say what is wrong, and most see that something is. **3, 4**
# are computed here: openness of the eyes along the line, and the change that each number makes.

# %% tags=["nbval-check-output"]
half = 0.5**0.2
print(f"1. u = {half:.2f}, variance of h {0.6 * (1 - half) ** 2 / (1 - half**2):.2f}")

line = torch.linspace(0, 1, 5)[:, None] * read_off[0, 3]
with torch.no_grad():
    steps = to_pictures(generator.decode(code, silence[:, :5], line[None])[0])
opened = [eye_aspect_ratio(detector.detect(step)[0].landmarks) for step in steps]
print("3. open:", " ".join(f"{value:.1f}" for value in opened))

effects = []
for number in range(10):
    without = z_n.clone()
    without[..., number] = 0
    effects.append(float((film(without) - films["$z_n$"])[..., *eyes].abs().mean()))
print("4. most to least:", np.argsort(effects)[::-1].tolist())

# %% [markdown]
# ## References
#
# ```{footbibliography}
# ```
