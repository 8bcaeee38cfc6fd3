# %% [markdown]
# # The content encoder
#
# **What you will build.** The box that listens. For every video frame it gets 0.2 s of raw waveform
# and gives 256 numbers, $z_c$, from which the decoder must know what the lips do. You will make a
# convolution that hears one pitch, look at the filters that training has found, write a GRU out in
# five lines, and then measure what each half of the box contributes: how well can lips be read off
# one window of sound, and how well with a memory of what came before?
#
# **What it needs.** The `talker` package with its weights, and espeak-ng, which comes as a wheel
# with it, for sentences whose every sound is known. Nothing is rendered and nothing is trained for
# long: well under a minute on two cores.
#
# ## Where it sits
#
# Between the audio frames of chapter 2 and the decoder. It is the only way in which the sound
# reaches the picture, and one of only two places in the generator where there is a memory.

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
from talker.models.audio_frame_encoder import AudioFrameEncoder
from talker.models.content_encoder import ContentEncoder
from talker.studio import grammar
from talker.studio.acting import Style, act
from talker.studio.espeak import Voice
from talker.studio.speech import Speech, grid_clip, speak, voice_for
from talker.studio.visemes import visemes_of

plots.use_style()
torch.set_grad_enabled(False)  # nothing is trained by descent in this chapter
plots.system_diagram({"audio", "content"})
plt.show()

# %% [markdown]
# ## What breaks without it: one sound, two mouths
#
# Why not a table from sounds to mouths? Because lips get ready. In *oo-s-oo* they stay round
# through the *s*; in *ee-s-ee* they never are. The *s* sounds nearly the same. This is
# **co-articulation**, and the performers of this book do it by a classic recipe
# {footcite:p}`cohen1993`: every sound pulls at the mouth with a strength that rises before it
# begins and fades after it has ended. Here are both, with the *s* shaded. The curve is how far the
# lips are pursed, 0 at rest.

# %%
calm = Style()  # a speaker without habits of their own
voice = Voice()
contexts = {"ee-s-ee": speak("[[i:s'i:]]", voice), "oo-s-oo": speak("[[u:s'u:]]", voice)}
figure, axes = plt.subplots(1, 2, figsize=(plots.WIDTH, 1.9), sharey=True)
pursed = {}
for cell, (name, speech) in zip(axes, contexts.items(), strict=True):
    performance = act(speech, np.random.default_rng(0), calm)
    lips = performance.action("mouthPucker")
    (hiss,) = [phoneme for phoneme in speech.phonemes if phoneme.symbol == "s"]
    pursed[name] = lips[int((hiss.start + hiss.end) / 2 * 25)]
    loudness = np.abs(speech.signal)
    cell.fill_between(np.arange(len(loudness)) / speech.rate, loudness, color="#d5d5d5")
    cell.axvspan(hiss.start, hiss.end, color=plots.ORANGE, alpha=0.3, linewidth=0)
    cell.plot((np.arange(len(lips)) + 0.5) / 25, lips)
    cell.set(title=name, xlabel="seconds", ylim=(-0.05, 1.4))
axes[0].set_ylabel("pursed")
plt.show()

# %% tags=["nbval-check-output"]
for name, value in pursed.items():
    print(f"in the middle of the s of {name}: pursed {value:.2f}")

# %% [markdown]
# A network that hears a frame's sound alone must give one answer to both. Two things help it. The
# window of 0.2 s is five video frames wide, so it holds a bit of each neighbour. And then there is
# memory.
#
# To measure, we need sentences with known lips. Here are fifty of the GRID grammar in fifty voices.
# The truth is what the performers' lips are told to do: jaw, purse, stretch, and whether the lips
# are pressed together for a *p*, *b* or *m*. No picture is needed, which makes it quick. Forty
# sentences will be used to fit things, and ten, in voices that were not heard before, to score
# them.

# %% tags=["nbval-check-output"]
rng = np.random.default_rng(0)
sentences: list[Speech] = []
truth = []
for number in range(50):
    speaker = voice_for(("female", "male")[number % 2], rng.uniform(20, 60), rng)
    sentences.append(grid_clip(grammar.sentence(rng), speaker, rng))
    performance = act(sentences[-1], rng, calm, frames=75)
    mouth = [performance.action(f"mouth{name}") for name in ("Pucker", "StretchLeft")]
    truth.append(np.stack([performance.action("jawOpen"), *mouth, performance.closure], 1))
LIPS = ("jaw", "purse", "stretch", "closed")
truth = torch.from_numpy(np.stack(truth))
signals = torch.from_numpy(np.stack([speech.signal for speech in sentences]))

generator = load_generator()
encoder, config = generator.content_encoder, generator.config
heard = audio_frames(signals, config.audio)
print("truth", tuple(truth.shape), "audio frames", tuple(heard.shape))
print("the first says:", " ".join(word.text for word in sentences[0].words))

# %% [markdown]
# ## A convolution that hears one pitch
#
# "Audio frames are encoded using a network comprising of 1D convolutions." The input is the raw
# waveform, with no spectrogram before it. So the first layer has to take its place, and it can: a
# convolution multiplies a short piece of the wave by a kernel and sums, moves on by the stride, and
# does it again. By hand, on eight samples, with a kernel of four and a stride of two:

# %% tags=["nbval-check-output"]
wave = torch.tensor(
    [1.0, 0.0, -1.0, 0.0, 1.0, 1.0, 1.0, 1.0]
)  # one turn in four samples; then none
kernel = torch.tensor([1.0, 0.0, -1.0, 0.0])
by_hand = torch.stack([(wave[k : k + 4] * kernel).sum() for k in range(0, 5, 2)])
print(by_hand.tolist())
theirs = F.conv1d(wave[None, None], kernel[None, None], stride=2)[0, 0]
print("the same as PyTorch's:", torch.equal(by_hand, theirs))

# %% [markdown]
# Where the wave turns as the kernel does, the answer is large (and changes its sign as the phase
# moves on); where the wave is flat, the answer is zero. A kernel is a **filter**. What it answers
# to a pure tone of any pitch is its frequency response, and that is the magnitude of the kernel's
# own Fourier transform. We check it on a kernel of the shipped model's size: 80 samples, 5 ms, here
# shaped to turn five times, so that it should hear 1000 Hz.


# %% tags=["nbval-check-output"]
def response(kernels: torch.Tensor, points: int = 1024) -> torch.Tensor:
    """Magnitude (K, points // 2 + 1) of the answers of kernels (K, L) to tones up to 8 kHz."""
    return torch.fft.rfft(kernels, points).abs()


rate = config.audio.rate
pitches = torch.fft.rfftfreq(1024, 1 / rate)
time = torch.arange(80) / rate
tuned = (torch.cos(2 * torch.pi * 1000 * time) * torch.hann_window(80))[None]
print(f"loudest at {pitches[response(tuned).argmax()]:.0f} Hz")

second = torch.arange(rate) / rate
tones = torch.stack([torch.sin(2 * torch.pi * pitch * second) for pitch in (500, 1000, 1500)])
answers = F.conv1d(tones[:, None], tuned[None]).square().mean((1, 2)).sqrt() * 2**0.5
predicted = response(tuned)[0, [32, 64, 96]]
print("played:   ", [f"{value:.1f}" for value in answers])
print("predicted:", [f"{value:.1f}" for value in predicted])

# %% [markdown]
# ## Six layers
#
# The package's encoder of one audio frame. The first kernel is large, "as recommended in" the work
# on raw waveforms by {footcite:t}`dai2017`, "which helps limit the depth of the network while
# ensuring that the low-level features are meaningful"; the rest halve and halve again until one
# step is left.

# %%
plots.show_source(AudioFrameEncoder.__init__)

# %% tags=["nbval-check-output"]
step = heard[0, 30][None, None]
for layer in encoder.frames.layers:
    before, step = tuple(step.shape[1:]), layer(step)
    if isinstance(layer, torch.nn.Conv1d):
        sizes = f"kernel {layer.kernel_size[0]:2}, stride {layer.stride[0]:2}"
        print(f"{before!s:12} {sizes} -> {tuple(step.shape[1:])}")

# %% [markdown]
# After the first layer a window has 200 steps of 1 ms, and 16 channels in the place of one. Nothing
# fixes what those channels hear. Here are their frequency responses, each scaled to its own largest
# value and sorted by it, beside those of the same layer before any training. A random kernel hears
# everything a little. What has training made of it?

# %%
torch.manual_seed(0)
untrained = ContentEncoder(config)
filters = {
    "untrained": untrained.frames.layers[0].weight[:, 0],
    "shipped": encoder.frames.layers[0].weight[:, 0],
}
figure, axes = plt.subplots(1, 2, figsize=(plots.WIDTH, 2.6), sharey=True)
for cell, (name, kernels) in zip(axes, filters.items(), strict=True):
    heights = response(kernels)
    heights = heights[heights.argmax(1).argsort()]
    heights = heights / heights.amax(1, keepdim=True)
    for row, height in enumerate(heights):
        cell.fill_between(pitches / 1000, row, row + 0.95 * height, color=plots.BLUE, linewidth=0)
    cell.set(title=f"{name} filters", xlabel="kHz", yticks=[])
plt.show()

# %% tags=["nbval-check-output"]
for name, kernels in filters.items():
    power = response(kernels).square()
    low = power[:, pitches < 1000].sum() / power.sum()
    peaks = pitches[response(kernels).argmax(1)]
    print(f"{name:10} power below 1 kHz {low:.0%}, half of the peaks below {peaks.median():.0f} Hz")

# %% [markdown]
# The filters move to where speech is: the pitch of the voice and the first resonances of the mouth,
# which tell vowels apart, lie below about 1 kHz, and a few channels may stay high, for the hiss of
# an *s*. It is a rough spectrogram, learned, and far from a textbook one; kernels keep some of the
# noise that they started from.
#
# ## A GRU in five lines
#
# The embedding of an audio frame knows 0.2 s and nothing else. "The audio frame encoding is input
# into a 1-layer GRU" {footcite:p}`cho2014`. A GRU keeps a vector $h$, its memory, and at each frame
# mixes the old memory with a new proposal $n$, cell by cell:
#
# $$r = \sigma(W_r x + U_r h) \qquad u = \sigma(W_u x + U_u h)$$
#
# $$n = \tanh(W_n x + r \odot U_n h) \qquad h' = u \odot h + (1 - u) \odot n$$
#
# (each with its biases). $u$, the update gate, is how much of the old to keep. $r$, the reset gate,
# is how much of the old the proposal may look at. Written out, and checked against PyTorch, first
# on one cell in which only $u$ matters:


# %% tags=["nbval-check-output"]
def gru_by_hand(inputs: torch.Tensor, gru: torch.nn.GRU) -> torch.Tensor:
    """Inputs (T, D) -> states (T, H), from a memory of zeros."""
    memory, states = torch.zeros(gru.hidden_size), []
    for x in inputs:
        from_x = (gru.weight_ih_l0 @ x + gru.bias_ih_l0).chunk(3)
        from_h = (gru.weight_hh_l0 @ memory + gru.bias_hh_l0).chunk(3)
        reset, update = ((a + b).sigmoid() for a, b in zip(from_x[:2], from_h[:2], strict=True))
        proposal = (from_x[2] + reset * from_h[2]).tanh()
        memory = update * memory + (1 - update) * proposal
        states.append(memory)
    return torch.stack(states)


cell = torch.nn.GRU(1, 1)
for weight in cell.parameters():
    weight.zero_()
cell.weight_ih_l0[2] = 5.0  # proposal: about 1 while the input is 1, and 0 while it is 0
pulse = torch.tensor([1.0, 1, 1, 0, 0, 0])[:, None]
for bias in (0.0, 2.0):
    cell.bias_ih_l0[1] = bias
    remembered = [f"{value:.2f}" for value in gru_by_hand(pulse, cell)[:, 0]]
    print(f"update gate {torch.tensor(bias).sigmoid():.2f}:", *remembered)

# %% [markdown]
# With the gate at a half, the cell takes up the pulse at once and loses it at once. With the gate
# near one it is slow in both. Since the gate is itself computed from the sound, the network can be
# quick at a plosive and slow through a vowel. The same five lines on the shipped weights:

# %% tags=["nbval-check-output"]
embedding = torch.cat([encoder.frames(few) for few in heard.split(10)])
z_c, _ = encoder.gru(embedding)
same = torch.allclose(gru_by_hand(embedding[0], encoder.gru), z_c[0], atol=1e-5)
print("embedding", tuple(embedding.shape), "z_c", tuple(z_c.shape))
print("by hand, the same as the package's:", same)

# %%
plots.show_source(ContentEncoder)

# %% [markdown]
# ## What does memory buy?
#
# Now the measurement. A **linear reading**: find weights with which a weighted sum of the numbers
# in question comes closest to the true lips (ridge regression, on forty sentences), and report how
# much of the lips' variance it explains on the ten others. It is a fair question to $z_c$, since
# the shipped weights were trained with such a reading as a helper (`lips_weight`).
#
# We ask it of the embedding of one audio frame. We ask again after a thousand random non-linear
# functions of that embedding, in case it was only the linear reading that was too weak. And we ask
# it of $z_c$.


# %%
def reading(values: torch.Tensor, frames: slice = slice(None), strength: float = 1e-3):
    """The linear map from (50, T, D) to lips (50, T, 4) at `frames`, fitted to forty sentences."""
    mean = values[:40].mean((0, 1))

    def extended(these: torch.Tensor) -> torch.Tensor:
        return torch.cat([these - mean, torch.ones(*these.shape[:-1], 1)], -1).double()

    a, b = extended(values[:40]).flatten(0, 1), truth[:40, frames].flatten(0, 1).double()
    gram = a.T @ a + strength * len(a) * torch.eye(a.shape[1])
    weights = torch.linalg.solve(gram, a.T @ b)
    return lambda these: (extended(these) @ weights).float()


def explained(read: torch.Tensor, frames: slice = slice(None)) -> torch.Tensor:
    """Share (4) of the lips' variance explained by readings (10, T, 4) of the last ten."""
    real = truth[40:, frames]
    return 1 - (read - real).square().mean((0, 1)) / real.flatten(0, 1).var(0)


# %%
torch.manual_seed(0)
spread = embedding.std((0, 1)).mean()
random_features = F.relu(embedding @ torch.randn(256, 1000) / 16 / spread + torch.randn(1000))
candidates = {"one embedding": embedding, "1000 functions of it": random_features, "z_c": z_c}
print(f"{'':22}", *(f"{name:>8}" for name in LIPS))
for name, values in candidates.items():
    scores = explained(reading(values)(values[40:]))
    print(f"{name:22}", *(f"{score:8.2f}" for score in scores))

# %% [markdown]
# Memory is what lifts the last row, and most of all where lips prepare: the purse, and the closure
# before a *b*, which is silent. But is it memory, or the 256 cells of one more layer? Take the
# memory away and leave the layer: give the same GRU only the last $n$ frames, starting from zeros,
# and fit the reading anew for each length, so that only what was heard differs.

# %%
counts, late = [1, 2, 3, 4, 6, 8, 12, 16], slice(16, None)


def remembering(count: int) -> torch.Tensor:
    """z_c (50, 59, 256) of a GRU that began `count` frames ago, its own frame included."""
    pieces = [embedding[:, t - count + 1 : t + 1].contiguous() for t in range(16, 75)]
    return torch.stack([encoder.gru(piece)[0][:, -1] for piece in pieces], 1)


def read_off(values: torch.Tensor) -> torch.Tensor:
    """Share (4) of the lips' variance that a reading of their own explains, of (50, 59, D)."""
    return explained(reading(values, late)(values[40:]), late)


curve = torch.stack([read_off(remembering(n)) for n in counts])
whole = read_off(z_c[:, late])
figure, axes = plt.subplots(figsize=(plots.WIDTH, 2.3))
for name, scores, limit in zip(LIPS, curve.T, whole, strict=True):
    (line,) = axes.plot(np.array(counts) * 40, scores, "o-", markersize=3, label=name)
    axes.axhline(limit, color=line.get_color(), linewidth=0.7, linestyle=":")
axes.set(
    xlabel="milliseconds of frames that the GRU has heard", title="lips explained", ylim=(0, 1)
)
axes.legend(ncols=4)
plt.show()

# %%
for n, scores in zip(counts, curve, strict=True):
    print(f"{n:2} frames:", *(f"{name} {s:.2f}" for name, s in zip(LIPS, scores, strict=True)))

# %% [markdown]
# The dotted lines are what the whole past gives. A few frames, some hundreds of milliseconds, are
# enough: about a syllable, which is as far as the lips' own memory reaches. That is a fact about
# lips and good news for streaming, because a mistake in the past is forgotten as fast.
#
# One caution. These embeddings were trained with a GRU behind them. A network that is trained
# without one would pack more of the neighbours into its window; it still could not hear beyond it.
#
# ## A sentence, read off
#
# A picture that would look wrong if the code were wrong: one of the ten sentences, with its sounds
# (espeak-ng's names for them, at their true times), the true jaw and purse, and what the linear
# reading finds in $z_c$. If audio frames and video frames had slipped, the curves would be shifted;
# if the GRU ran over the wrong axis, they would have nothing to do with each other.


# %%
lips_of = reading(z_c)


def show_reading(number: int, count: int) -> None:
    """Jaw and purse of a scored sentence: the truth, and as read with `count` frames of memory."""
    speech = sentences[40 + number]
    known = F.pad(embedding[40:], (0, 0, count - 1, 0), mode="replicate")
    windows = known[number].unfold(0, count, 1).transpose(1, 2).contiguous()
    read = lips_of(encoder.gru(windows)[0][:, -1])
    figure, axes = plt.subplots(2, 1, figsize=(plots.WIDTH, 3), sharex=True)
    clock = (np.arange(75) + 0.5) / 25
    for cell, lip in zip(axes, (0, 1), strict=True):
        cell.fill_between(clock, truth[40 + number, :, lip], color="#d5d5d5", label="true")
        cell.plot(clock, read[:, lip], label=f"read, {count} frames heard")
        cell.set(title=LIPS[lip], ylim=(-0.1, 1.3 * float(truth[40 + number, :, lip].max())))
        cell.set_yticks([0])
    for phoneme in speech.phonemes:
        middle = (phoneme.start + phoneme.end) / 2
        top = axes[1].get_ylim()[1]
        axes[1].text(middle, top, phoneme.symbol, ha="center", va="top", fontsize=8)
    axes[0].legend(ncols=2, loc="upper right")
    axes[1].set_xlabel("seconds")
    plt.show()


show_reading(3, 16)

# %% [markdown]
# The second picture is the same sentence with a memory of one frame, read with the weights that were
# fitted to the whole past. The jaw is nearly as good, the purse is not: it flickers and falls short,
# of which some is that misfit. In JupyterLab the slider moves between the two.

# %%
show_reading(3, 1)

# %% tags=["remove-cell", "nbval-skip"]
interact(show_reading, number=(0, 9), count=(1, 25))

# %% [markdown]
# ## Sounds that look alike
#
# What does $z_c$ find similar? Take every sound of the fifty sentences at its middle, average $z_c$
# over all that have the same name, and draw the distances between the averages. The order is that
# of **visemes**, sounds that share a mouth shape, and the lines part them. To the ear, *p* and *m*
# are as different as *p* and *t*. To the lips they are one thing.

# %%
middles: dict[str, list[tuple[int, int]]] = {}
for number, speech in enumerate(sentences):
    for phoneme in speech.phonemes:
        frame = int((phoneme.start + phoneme.end) / 2 * 25)
        middles.setdefault(phoneme.symbol, []).append((number, frame))
sounds = [name for name, found in middles.items() if len(found) >= 6]
sounds.sort(key=lambda name: (visemes_of(name)[0], name))
shape = [visemes_of(name)[0] for name in sounds]


def distances(values: torch.Tensor) -> torch.Tensor:
    """Between the mean values of each two sounds."""
    means = [torch.stack([values[place] for place in middles[name]]).mean(0) for name in sounds]
    return torch.cdist(torch.stack(means), torch.stack(means))


apart = distances(z_c)
figure, axes = plt.subplots(figsize=(4.6, 3.9))
shown = axes.imshow(apart, cmap="cividis")
axes.set_xticks(range(len(sounds)), sounds, fontsize=6)
axes.set_yticks(range(len(sounds)), sounds, fontsize=6)
for edge in [k for k in range(1, len(sounds)) if shape[k] != shape[k - 1]]:
    axes.axhline(edge - 0.5, color="white", linewidth=0.5)
    axes.axvline(edge - 0.5, color="white", linewidth=0.5)
figure.colorbar(shown, label="distance of mean $z_c$")
plt.show()

# %%
alike = torch.tensor([[a == b for b in shape] for a in shape])
other = ~torch.eye(len(sounds), dtype=torch.bool)
for name, values in {"embedding": embedding, "z_c": z_c}.items():
    apart = distances(values)
    ratio = apart[alike & other].mean() / apart[~alike].mean()
    assert ratio < 0.9
    print(f"{name:10} same mouth shape: {ratio:.2f} of the distance between different shapes")

# %% [markdown]
# ## A failure: a memory that is thrown away
#
# Whoever streams long recordings cuts them into chunks, and the easy mistake is to call the encoder
# on each chunk as if it were a recording of its own. Every shape is right, most frames are nearly
# right, and after every cut the lips forget what they were about to do. The state that the encoder
# returns beside $z_c$ is there to be handed on. Chunks of five frames, so that you see it:

# %%
chunks = [chunk.contiguous() for chunk in embedding[40:].split(5, 1)]
forgetful = torch.cat([encoder.gru(chunk)[0] for chunk in chunks], 1)
state, parts = None, []
for chunk in chunks:
    part, state = encoder.gru(chunk, state)
    parts.append(part)
handed_on = torch.cat(parts, 1)
figure, axes = plt.subplots(figsize=(plots.WIDTH, 1.9))
axes.plot(lips_of(handed_on[3])[:, 1], label="state handed on")
axes.plot(lips_of(forgetful[3])[:, 1], "--", label="state thrown away")
for cut in range(5, 75, 5):
    axes.axvline(cut - 0.5, color="#dddddd", linewidth=0.6, zorder=0)
axes.set(xlabel="frame", title="purse, as read; grey lines are cuts", yticks=[0])
axes.set_ylim(top=1.4 * axes.get_ylim()[1])
axes.legend(ncols=2, loc="upper left")
plt.show()

# %%
for name, values in {"handed on": handed_on, "thrown away": forgetful}.items():
    read = lips_of(values)[..., 1]
    jumps = read.diff(dim=1).abs()
    ratio = jumps[:, 4::5].mean() / jumps.mean()
    print(f"{name:11} explains {explained(lips_of(values))[1]:.2f}, jumps at cuts x {ratio:.1f}")
print("handed on, the same as in one piece:", torch.allclose(handed_on, z_c[40:], atol=1e-5))

# %% [markdown]
# ## Equation, code, and where we deviate
#
# | the paper's equation, sentence or section | code | where we deviate, and why |
# |---|---|---|
# | 3.1.2, "1D convolutions followed by batch normalization and ReLU" | `AudioFrameEncoder` | the last layer has Tanh, as in the released model |
# | "a large kernel", 250/50 in Fig. 3 | `AudioFrameEncoder`, 5 ms and 1 ms | given in time, so that it is the same at every sampling rate |
# | "a 1-layer GRU", "256 elements" | `ContentEncoder.gru`, `content_dim` | not at all; the released model has two layers |
# | the GRU's first weights (not mentioned) | `ContentEncoder.__init__` | those from the sound are larger than PyTorch's, so that $z_c$ moves from the first step on (exercise 4) |
# | the generator's losses alone teach $z_c$ | `lips_weight` in `TrainConfig` | a linear reading of four lip measures is trained beside them: it tells the encoder at every frame what to listen for, long before the decoder can paint it |
# | Eq. 1, chunks (not mentioned) | the `state` of `ContentEncoder.forward` | handed on, so that a recording may be of any length |
#
# ## Recap
#
# - A kernel is a filter, and its Fourier transform says what it hears. Training moves filters to
#   where speech is.
# - One audio frame cannot tell what the lips are preparing or keeping: the same *s* has two mouths.
# - A GRU mixes old memory and new proposal with a gate per cell that the sound itself controls.
# - Some hundreds of milliseconds of memory explain nearly all that the whole past explains.
# - The state is part of the output. Hand it on.
#
# ## Exercises
#
# 1. Halve the loudness of the sentences. How much does $z_c$ change, and how much of the lips does
#    the reading still explain? Which layer could make it forget loudness?
# 2. Delay the truth by one frame, and by two, and fit the reading anew. Is the past easier to read
#    off $z_c$ than the present? And one frame ahead?
# 3. Shuffle the order of the frames of `embedding` within each sentence, run the GRU, and put the
#    results back in order. What is left of the score?
# 4. Compare how much $z_c$ varies over time in an untrained `ContentEncoder` (in training mode)
#    with the same after `gru.reset_parameters()`, which brings back PyTorch's own first weights.
#
# ## Appendix: solutions
#
# **1.** The first layer is linear and the norms are fixed in use, so nothing forgets loudness by
# construction; training hears every clip at another level (`talker.dataset`), and what it cannot
# rely on it learns to do without. **2.** What lies ahead is hard, and a frame ago may be easier
# than now: by then more of the sounds that pull at the lips have been heard. **3.** The shuffled
# frames are all there, and the reading is lost: the GRU relies on their order. **4.** The package's
# first weights make a code that moves several times as much.

# %%
quiet, _ = encoder(heard[40:] / 2)
print(
    f"1. change {((quiet - z_c[40:]).norm(dim=2) / z_c[40:].norm(dim=2)).mean():.0%} of its length,"
)
print("   purse explained", f"{explained(lips_of(quiet))[1]:.2f}")

now = truth
for delay in (-2, -1, 0, 1, 2):
    truth = now.roll(delay, 1)
    print(f"2. lips of {-delay:+} frames: purse {explained(reading(z_c)(z_c[40:]))[1]:.2f}")
truth = now

order = torch.randperm(75, generator=torch.Generator().manual_seed(0))
mixed = encoder.gru(embedding[40:, order].contiguous())[0][:, order.argsort()]
print(f"3. shuffled: purse {explained(lips_of(mixed))[1]:.1f}")

plain = copy.deepcopy(untrained).train()
ours = plain(heard[:4])[0].std(1).mean()
plain.gru.reset_parameters()
print(f"4. varies {ours:.2f} with the package's weights, {plain(heard[:4])[0].std(1).mean():.2f}")

# %% [markdown]
# ## References
#
# ```{footbibliography}
# ```
