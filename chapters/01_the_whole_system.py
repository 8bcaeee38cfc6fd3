# %% [markdown]
# # The whole system
#
# **What you will build.** One photograph and one recording go in; a video of that face saying
# those words comes out. This chapter runs the finished system first, and then opens its boxes one
# by one, so that every later chapter has a place to sit. You will take the generator apart into
# five steps, put the steps back together by hand, and check that nothing is missing.
#
# **What it needs.** The `talker` package with its weights, a still and a sentence that come with
# it, and a CPU. No downloads, no licensed corpus. It runs in under a minute on two cores.
#
# The system is that of {footcite:t}`vougioukas2020`, *Realistic Speech-Driven Facial Animation
# with GANs*, which we call "the paper". Sentences in quotation marks are the paper's. All numbers
# under a cell are measured in that cell.
#
# ## Where it sits
#
# The paper assumes that a frame of a talking person is decided by three things: who it is, what
# is being said, and what the face does of its own accord, such as blinking. It gives each an
# encoder and a symbol. A **still** becomes the identity $z_{id}$, the sound around each video
# frame becomes the content $z_c$, and random numbers become coherent noise $z_n$. A **frame
# decoder** turns the three, joined, into pixels.

# %%
import tempfile
from pathlib import Path

import imageio.v3 as iio
import matplotlib.pyplot as plt
import numpy as np
import torch
from IPython.display import Video
from ipywidgets import interact
from sklearn.decomposition import PCA

from talker import plots
from talker.animate import COMMENT, enlarge, load_still, to_pictures, to_tensor
from talker.audio import audio_frames, resample
from talker.checkpoint import load_generator
from talker.config import preset, to_json
from talker.demo import ASSETS
from talker.faces import CANONICAL, find_detector
from talker.media import read_audio
from talker.metrics.landmarks import inner_lip_distance
from talker.models.frame_decoder import FrameDecoder
from talker.models.generator import Generator
from talker.models.identity_encoder import IdentityCode
from talker.video import write_video

plots.use_style()
torch.set_grad_enabled(False)  # nothing is trained in this chapter
plots.system_diagram()
plt.show()

# %% [markdown]
# ## Run it first
#
# Three things are loaded: a generator with trained weights, a still that is already cropped so
# that its eyes and nose sit where the network expects them, and a recording. The recording is
# brought to the sampling rate that the generator was trained at.

# %% tags=["nbval-check-output"]
generator = load_generator()
config = generator.config
still_pixels = load_still(ASSETS / "still.png", (config.height, config.img_width), aligned=True)
recording, rate = read_audio(ASSETS / "sentence.wav")
signal = resample(torch.from_numpy(recording), rate, config.audio.rate)

print("still    ", still_pixels.shape, still_pixels.dtype)
print("recording", tuple(signal.shape), f"at {config.audio.rate} Hz, {len(recording) / rate:.2f} s")

# %% [markdown]
# And this is the main job, in three statements. Cut the sound into one **audio frame** per video
# frame, draw the noise, call the generator. The generator works in batches, which is what the
# leading 1 in every shape is: here one clip.

# %% tags=["nbval-check-output"]
still = to_tensor(still_pixels)
heard = audio_frames(signal, config.audio)[None]
noise = generator.noise_generator.draw(1, heard.shape[1], torch.Generator().manual_seed(0))
frames = generator(still, heard, noise)

for name, value in {"still": still, "heard": heard, "noise": noise, "frames": frames}.items():
    print(f"{name:7}", tuple(value.shape))

# %% [markdown]
# `frames` holds colours from -1 to 1, channels first, as networks like them. As pictures with the
# original sound beside them they make a video. We write it as any user would, and read it back
# with another library, to be sure that what plays is what we made.

# %% tags=["nbval-ignore-output"]
pictures = to_pictures(frames[0])
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "talking.mp4"
    large = [enlarge(picture, 2) for picture in pictures]
    write_video(path, large, config.audio.fps, recording, rate, crf=31, comment=COMMENT)
    film = path.read_bytes()
    print("read back:", iio.improps(path, plugin="pyav").shape)
Video(data=film, mimetype="video/mp4", embed=True, width=240, html_attributes="controls loop")

# %% [markdown]
# Press play, and judge for yourself before you read on. Here is the same clip as a strip, so that
# it can be looked at slowly; the first picture is the only one that the generator was given.

# %%
shown = np.linspace(0, len(pictures) - 1, 9).round().astype(int)
times = [f"{t / config.audio.fps:.1f} s" for t in shown]
plots.strip({"": [still_pixels, *pictures[shown]]}, ["still", *times])
plt.show()

# %% [markdown]
# How big is the thing that did this? The table compares the shipped weights, which are small
# enough to train on a laptop, with the same code at the paper's size: first the parameters of
# each box, then every setting in which the two differ. What the shipped weights were trained on,
# for how long, and how they score on performers that they have never seen, is in `MODEL_CARD.md`.

# %% tags=["nbval-check-output"]
full_size = Generator(preset("paper").model)
print(f"{'':20}{'shipped':>12}{'paper':>14}")
for name, part in [*generator.named_children(), ("total", generator)]:
    paper_part = full_size if name == "total" else full_size.get_submodule(name)
    counts = [sum(p.numel() for p in module.parameters()) for module in (part, paper_part)]
    print(f"{name:20}{counts[0]:12,}{counts[1]:14,}")

as_in_paper = to_json(full_size.config)
for setting, value in to_json(config).items():
    if value != as_in_paper[setting]:
        print(f"{setting:20}{value!s:>12}{as_in_paper[setting]!s:>14}")

# %% [markdown]
# ## Box 1: the still
#
# The identity encoder "reduces a 96 x 128 input image to a 128 dimensional encoding $z_{id}$".
# Six strided convolutions halve the picture five times and then read what is left. But 128
# numbers cannot hold the pattern of a shirt or the line of an eyebrow, so the decoder also gets
# what the encoder saw on the way down, the **skips**, as in a U-Net
# {footcite:p}`ronneberger2015`. Both are computed once per still, however long the recording is.

# %% tags=["nbval-check-output"]
code = generator.encode_still(still)
print("z_id ", tuple(code.z_id.shape), "inside [-1, 1]:", bool(code.z_id.abs().max() <= 1))
for skip in code.skips:
    print("skip ", tuple(skip.shape))

# %% [markdown]
# A still must be a *canonical* face: moved, turned and scaled until the nose base and the eye
# corners lie on the five crosses below, whoever it is. (The package finds the landmarks with a
# detector; this still comes aligned.) Beside it, each skip is drawn as its mean over channels. If
# the crosses missed the eyes, or the maps did not look like a coarser and coarser face, something
# would be broken.

# %%
figure, axes = plt.subplots(1, 6, figsize=(plots.WIDTH, 1.85))
axes[0].imshow(still_pixels)
axes[0].plot(*CANONICAL.T, "+", color=plots.SKY, markersize=7)
axes[0].set_title("still")
for cell, skip in zip(axes[1:], code.skips, strict=True):
    cell.imshow(skip[0].mean(0), cmap="cividis", aspect="equal")
    cell.set_title(f"{skip.shape[2]} x {skip.shape[3]}")
for cell in axes:
    cell.axis("off")
plt.show()

# %% [markdown]
# ## Boxes 2 and 3: the sound, and what is said
#
# Each audio frame is 0.2 s of raw waveform, centred on its video frame, so neighbours overlap;
# the next chapter is about nothing else. Convolutions turn each audio frame into an embedding, on
# its own, and a GRU {footcite:p}`cho2014` reads the embeddings in order, so that $z_c$ can depend
# on what was said before. A GRU's memory is one vector. Hand it on, and a recording can be cut
# anywhere: this is how an hour of sound is animated without holding an hour of anything in
# memory.

# %% tags=["nbval-check-output"]
z_c, _ = generator.content_encoder(heard)
first, memory = generator.content_encoder(heard[:, :30])
second, _ = generator.content_encoder(heard[:, 30:], memory)
print("z_c", tuple(z_c.shape))
print("in two pieces, the same:", torch.allclose(z_c, torch.cat([first, second], 1), atol=1e-5))

# %% [markdown]
# A picture of $z_c$: every row is one of its elements over time, rows ordered by
# their weight in the first principal component, the most negative first; time runs along with the waveform above.
# Silence should look different from speech, and the columns should change in step with the
# syllables. If the two time axes had slipped against each other, you would see it here.

# %%
elements = ((z_c[0] - z_c[0].mean(0)) / z_c[0].std(0)).T.numpy()
order = np.argsort(PCA(1).fit(elements.T).components_[0])
figure, (top, bottom) = plt.subplots(
    2, 1, figsize=(plots.WIDTH, 3), sharex=True, height_ratios=(1, 2)
)
plots.waveform(top, signal, config.audio.rate)
seconds = heard.shape[1] / config.audio.fps
bottom.imshow(
    elements[order],
    cmap="cividis",
    aspect="auto",
    extent=(0, seconds, len(order), 0),
    vmin=-2,
    vmax=2,
)
top.set(xlabel="", title="the recording")
bottom.set(xlabel="seconds", yticks=[], title="$z_c$, one row per element, each centred and scaled")
plt.show()

# %% [markdown]
# ## Box 4: the noise
#
# Nothing in a voice says when to blink. The paper draws, for every frame, ten numbers from a
# Gaussian of variance 0.6 and passes them through another GRU, because "spontaneous expressions
# such as blinks are coherent facial motions": white noise forgets itself from one frame to the
# next, and a blink lasts eight or ten frames. The correlation of each element with itself one
# frame later says whether the GRU has learned to remember.

# %%
z_n, _ = generator.noise_generator(noise)
figure, (left, right) = plt.subplots(1, 2, figsize=(plots.WIDTH, 1.6), sharex=True)
clock = np.arange(heard.shape[1]) / config.audio.fps
left.plot(clock, noise[0, :, :2], linewidth=1)
right.plot(clock, z_n[0, :, :2], linewidth=1)
left.set(title="white noise, two elements of ten", xlabel="seconds")
right.set(title="$z_n$, the same two after the GRU", xlabel="seconds")
plt.show()

# %% tags=["nbval-check-output"]
for name, values in {"white noise": noise[0], "z_n": z_n[0]}.items():
    centred = values - values.mean(0)
    memory = (centred[1:] * centred[:-1]).mean() / centred.square().mean()
    print(f"{name:12} correlation with itself one frame later: {memory:4.1f}")

# %% [markdown]
# ## Box 5: the frame decoder
#
# "The latent representation for each frame is constructed by concatenating the identity, content
# and noise components." Here is that sentence by hand, for two frames, with an identity of two
# numbers, a content of three and a noise of one. The identity is repeated; the other two change.

# %% tags=["nbval-check-output"]
who = torch.tensor([1.0, 2.0])
what = torch.tensor([[10.0, 11.0, 12.0], [20.0, 21.0, 22.0]])
whim = torch.tensor([[0.1], [0.2]])
print(torch.stack([torch.cat([who, what[t], whim[t]]) for t in range(2)]))

# %% [markdown]
# And here is the package's own definition, printed from the code that this page imported: first
# the generator, which is the diagram in three statements, then the decoder, whose `latent` is the
# table above with 128, 256 and, in the paper's form, 10 columns. The shipped weights have
# `injection`: there $z_n$ is left out of it and enters higher up. After that every level of the decoder joins its input
# with the skip of the same size and doubles the resolution, from 4 x 3 up to 128 x 96.

# %%
plots.show_source(Generator.forward, FrameDecoder.forward)

# %% [markdown]
# Opened boxes prove nothing until they are closed again. We decode from the three codes that we
# made one at a time, and compare with the frames that came out of the single call at the top. And
# since the decoder treats each frame alone, any few frames can be asked for; training lives on
# that, because decoding is the expensive part.

# %% tags=["nbval-check-output"]
by_hand = generator.decode(code, z_c, z_n)
some = [0, 20, 40]
few = generator.decode(code, z_c[:, some], z_n[:, some])
print("five boxes by hand, the same frames:", torch.allclose(by_hand, frames, atol=1e-4))
print("three frames alone, the same frames:", torch.allclose(few, frames[:, some], atol=1e-4))

# %% [markdown]
# ## Is it talking, or only moving?
#
# A picture that would look wrong if the code were wrong. We let a landmark detector
# {footcite:p}`kazemi2014`, which knows nothing of our network, measure how far the mouth is open
# in every generated frame (the distance between the inner lips, as a share of the distance
# between the eyes), and draw it over the loudness of the sound. Vowels are loud and open, pauses
# are silent and closed, so the two should rise and fall together. They cannot agree entirely: an
# *m* is loud with closed lips. So this is a check of the plumbing, not a score.

# %%
detector = find_detector()
centre = slice((config.audio.samples - config.audio.stride) // 2, None)
loudness = heard[0, :, centre][:, : config.audio.stride].square().mean(1).sqrt().numpy()


def mouth_opening(video: torch.Tensor) -> np.ndarray:
    """Inner-lip distance over eye distance in each frame of (T, 3, H, W), by a real detector."""
    found = [detector.detect(picture) for picture in to_pictures(video)]
    return np.array([inner_lip_distance(f[0].landmarks) if f else np.nan for f in found])


def agreement(opening: np.ndarray, lag: int) -> float:
    """Pearson's r of mouth and loudness, the mouth read `lag` frames later than the sound."""
    pairs = [(x, loudness[t - lag]) for t, x in enumerate(opening) if 0 <= t - lag < len(loudness)]
    kept = np.array([pair for pair in pairs if np.isfinite(pair[0])])
    return float(np.corrcoef(kept.T)[0, 1])


# %%
opening = mouth_opening(frames[0])
backwards = mouth_opening(generator(still, heard.flip(1), noise)[0])
lags = range(-12, 13)
figure, (left, right) = plt.subplots(1, 2, figsize=(plots.WIDTH, 2.3), width_ratios=(3, 2))
low, high = np.nanmin(opening), np.nanmax(opening)
left.fill_between(clock, loudness / loudness.max(), color="#d5d5d5", label="loudness")
left.plot(clock, (opening - low) / (high - low), label="mouth opening")
left.set(xlabel="seconds", yticks=[], ylim=(0, 1.3), title="each scaled to its range")
left.legend(loc="upper right", ncols=2)
right.plot(lags, [agreement(opening, lag) for lag in lags], label="its own sound")
right.plot(lags, [agreement(backwards, lag) for lag in lags], "--", label="sound backwards")
right.axvline(0, color="#bbbbbb", linewidth=0.8, zorder=0)
right.set(xlabel="mouth later than sound by (frames)", ylim=(-1, 1))
right.set_title("correlation with the loudness")
right.legend(loc="lower center")
plt.show()

# %% [markdown]
# On the right, the correlation for the mouth shifted against the sound: a hill whose top is near
# zero means that lips and voice go together *now*, and not some frames later. The dashed line is
# the same still with the audio frames in reverse order, a mouth that moves just as much but says
# something else. That is the failure to fear in this field: a face that is sharp, lively, and out
# of step. Only the comparison with a mismatched sound shows it, so every score of synchrony in
# this book has such a comparison beside it.

# %% tags=["nbval-check-output"]
best = max(lags, key=lambda lag: agreement(opening, lag))
print("the hill's top is within two frames of zero:", abs(best) <= 2)
print("own sound beats the sound backwards:", agreement(opening, 0) > agreement(backwards, 0))

# %% [markdown]
# ## A failure: without the skips
#
# The paper says of its generator without skip connections that the frames "do not resemble the
# person in the ground truth video" (its Figure 4). The paper trained such a network. What ours
# needs its skips for we can see at once, by replacing them with zeros: the person stays, because
# the shipped generator paints over the still's own pixels, but mouth and lids stop. Take these
# pixels away as well, and what is left of the person is what $z_{id}$ alone carries: to these
# weights, nothing that one could see.

# %%
nothing = [torch.zeros_like(skip) for skip in code.skips]
less = {"whole": code, "no skips": IdentityCode(code.z_id, nothing, still)}
less["$z_{id}$ alone"] = IdentityCode(code.z_id, nothing, torch.zeros_like(still))
few = [z[:, shown] for z in (z_c, z_n)]
plots.strip({name: list(generator.decode(each, *few)[0]) for name, each in less.items()}, times)
plt.show()

# %% [markdown]
# ## Same face, same words, other noise
#
# Everything but the noise is now held still: six draws, each through its own GRU, decoded at
# every fifth frame. Where the draws differ is where the noise acts. The map is the standard
# deviation over draws, averaged over time and colours; in the paper's account it should be dark
# around the mouth, which the sound decides, and bright at eyes and brows. Below it, the share of
# that deviation that falls in the upper half of the picture.

# %%
every = slice(0, None, 5)
draws = []
for seed in range(6):
    white = generator.noise_generator.draw(1, len(clock), torch.Generator().manual_seed(seed))
    coherent, _ = generator.noise_generator(white)
    draws.append(generator.decode(code, z_c[:, every], coherent[:, every])[0])
spread = torch.stack(draws).std(0).mean((0, 1)).numpy()

figure, axes = plt.subplots(1, 6, figsize=(plots.WIDTH, 1.75), width_ratios=(1, 1, 1, 1, 1, 1.12))
for seed, cell in enumerate(axes[:5]):
    cell.imshow(plots.picture(draws[seed][6]))
    cell.set_title(f"draw {seed}")
heat = axes[5].imshow(spread, cmap="cividis")
axes[5].set_title("spread of six")
figure.colorbar(heat, ax=axes[5], fraction=0.06, pad=0.03)
for cell in axes:
    cell.axis("off")
plt.show()
share = spread[: config.height // 2].sum() / spread.sum()
print(f"spread: {spread.mean():.4f} of a range of 2, {share:.0%} of it in the upper half")

# %% [markdown]
# ## One moment, all boxes
#
# The last picture puts one instant on one line: what is heard, what is seen. Run this chapter in
# JupyterLab to move through the clip with a slider.


# %%
def show_moment(t: int) -> None:
    """The waveform of audio frame t, with its own video frame's 40 ms shaded, and the frame."""
    half = config.audio.window / 2
    middle = (t + 0.5) / config.audio.fps
    figure, (left, right) = plt.subplots(1, 2, figsize=(plots.WIDTH, 1.5), width_ratios=(5, 1))
    left.plot(np.linspace(middle - half, middle + half, heard.shape[2]), heard[0, t], linewidth=0.7)
    left.axvspan(t / config.audio.fps, (t + 1) / config.audio.fps, color=plots.ORANGE, alpha=0.3)
    left.set(xlabel="seconds", yticks=[], title=f"audio frame {t}, and its video frame's 40 ms")
    right.imshow(pictures[t])
    right.axis("off")
    plt.show()


show_moment(int(np.nanargmax(opening)))

# %% tags=["remove-cell", "nbval-skip"]
interact(show_moment, t=(0, len(pictures) - 1))

# %% [markdown]
# ## Equation, code, and where we deviate
#
# | the paper's equation or sentence | code | where we deviate, and why |
# |---|---|---|
# | Eq. 1, stride = sampling rate / video fps | `talker.audio.audio_frames` | not at all; next chapter |
# | $z_{id}$, 128 elements, a 6-layer CNN | `IdentityEncoder` | width can be chosen; the shipped weights were trained with the batch norms' statistics fixed from the start, because those of a small batch of very different faces shift colours |
# | $z_c$, 256 elements, CNN and 1-layer GRU | `ContentEncoder` | the released model has two GRU layers; we follow the text |
# | $z_n$, 10 elements, variance 0.6, 1-layer GRU | `NoiseGenerator` | `noise_hidden`: 64 cells, and a linear map back to ten (chapter 7); with `injection` $z_n$ enters at three levels of the decoder, or the skips drown it, and only above the lower lids, so that lips have nothing but sound to go by |
# | concatenation, transposed convolutions, U-Net | `FrameDecoder` | the skips' half of each convolution is computed once per still, which changes the time and not the result; `skip_64` uses the 64 x 48 skip as well, and with `composition` the last layer paints over the still's own pixels, so that a face stays itself |
# | Eq. 7, one phase of training | `talker.trainer` | a warm-up on L1 comes first, in which an encoder reads $z_n$ off the real frame and the noise generator learns to make such sequences: plain L1 would teach the decoder to ignore the noise. All the while the lips' shape must be readable off $z_c$ by a linear map (`lips_weight`), which teaches the sound's network what to listen for |
# | "a single image and an audio signal" | `talker.animate` | streams, so the recording may be of any length |
#
# ## Recap
#
# - A talking face is a function of three codes: $z_{id}$ and skips from the still, once; $z_c$
#   from the sound, per frame; $z_n$ from noise, per frame.
# - Time lives in the two GRUs and nowhere else. The decoder sees one frame at a time, which is
#   why it can decode any few.
# - Cutting the recording anywhere changes nothing, if the GRUs' states are handed on.
# - A mouth that moves is not yet a mouth that talks. Compare with a mismatched sound, always.
# - The still's own pixels carry the person, and skips let the decoder paint on them; of $z_{id}$
#   alone these weights make no face.
#
# ## Exercises
#
# 1. Give the generator a flipped still (left and right exchanged). Is the result the flipped
#    video? Decide first what you expect, and why the training set is mirrored.
# 2. Which of the two GRUs makes the first frame differ from a frame in the middle of a long
#    silence? Feed the generator 75 audio frames of zeros and measure how the frames change over
#    time.
# 3. How far does the content GRU remember? Silence the first half of `heard` and find how many
#    frames after the cut $z_c$ still differs from its old self by more than one percent of its
#    size.
# 4. Set $z_n$ to zero for all frames. What does the face still do by itself?
# 5. Swap the codes: decode with the skips of the still and a $z_{id}$ of all zeros. Compare with
#    the failure above: which of the two matters more to these weights?
#
# ## Appendix: solutions
#
# **1.** A convolution treats left and right alike only if its kernel does, so nothing forces the
# result to be the flipped video, and training on mirrored clips, as here and in the paper, only
# encourages it. The number is the mean difference as a share of how much the frames differ from
# the still. It is far from 0: that of the same still with the sound backwards, beside it, is hardly
# larger.
#
# **3.** The comparison is per frame, of the change of $z_c$ with its length. Every frame to the end
# of the clip still differs by more than one percent: some of the memory is very long. What matters
# to the lips is forgotten within some hundred milliseconds ([chapter 6](06_content_encoder.ipynb)). (For 2 and 4 the
# same three lines serve: make the input, call one box, plot `.diff(dim=1).abs().mean((0, 2))`
# over time. For 5, `code._replace(z_id=torch.zeros_like(code.z_id))` is the code to decode
# with.)

# %%
mirrored = generator.decode(generator.encode_still(still.flip(-1)), z_c, z_n)
difference = (mirrored.flip(-1) - frames).abs().mean() / (frames - still[:, None]).abs().mean()
reversed_sound = generator(still, heard.flip(1), noise)
other = (reversed_sound - frames).abs().mean() / (frames - still[:, None]).abs().mean()
print(f"video of the flipped still: {difference:.2f}, of the sound backwards: {other:.2f}")

half = heard.shape[1] // 2
muted = heard.clone()
muted[:, :half] = 0
changed, _ = generator.content_encoder(muted)
relative = ((changed - z_c).norm(dim=2) / z_c.norm(dim=2))[0, half:]
later = {frames_on: f"{relative[frames_on]:.2f}" for frames_on in (0, 10, 20, len(relative) - 1)}
print("change of z_c, by frames after the cut:", later)

# %% [markdown]
# ## References
#
# ```{footbibliography}
# ```
