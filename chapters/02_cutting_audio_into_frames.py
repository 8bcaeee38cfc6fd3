# %% [markdown]
# # Cutting audio into frames
#
# **What you will build.** The first box: a function that takes a recording and returns, for every
# video frame, the 0.2 s of sound around it. You will cut a tiny array by hand, write the paper's
# Equation 1 as a loop, and check it against the package's one-line version. Then you will cut a
# real sentence at several rates, see what resampling is for, and break the cutting on purpose in
# two ways, of which one is easy to see and the other is how lips end up out of step.
#
# **What it needs.** The `talker` package and the sentence that comes with it. No weights, no
# detector. It runs in a few seconds.
#
# ## Where it sits
#
# Between the recording and the content encoder. It has no parameters and nothing to train, and it
# is the only place in the generator where sound and picture are put on one clock. A mistake here
# is silent: every shape stays right, the loss still falls, and the lips are out of step.

# %%
import matplotlib.pyplot as plt
import numpy as np
import torch
from ipywidgets import interact

from talker import plots
from talker.audio import audio_frames, frame_count, resample
from talker.config import AudioConfig
from talker.demo import ASSETS
from talker.errors import TalkerError
from talker.media import read_audio
from talker.models.audio_frame_encoder import AudioFrameEncoder

plots.use_style()
plots.system_diagram({"audio"})
plt.show()

# %% [markdown]
# ## What the paper asks for
#
# Two sentences of its section 3.1 say it all. The generator takes "an audio signal, which is
# divided into overlapping frames corresponding to 0.2 seconds", and "each audio frame must be
# centered around a video frame". For the second to hold for the first and the last video frame
# too, there must be sound before the beginning and after the end, so "we zero pad the audio
# signal on both sides". The step from one audio frame to the next follows:
#
# $$\text{stride} = \frac{\text{audio sampling rate}}{\text{video fps}} \tag{1}$$
#
# Why 0.2 s? At 25 frames a second, a video frame is on screen for 40 ms. Many speech sounds are
# longer than that, and lips begin to move for a sound before it is heard. A window of five video
# frames lets the network see a whole sound and some of its neighbours, in the past *and in the
# future*. That bit of future is also the system's delay, if it is to run live: half a window
# beyond the middle of the frame that is being drawn.
#
# Here is a sentence, with three of its video frames marked. The orange stripe is the 40 ms that a
# frame is on screen, the blue band the 200 ms that its audio frame hears.

# %% tags=["nbval-check-output"]
audio = AudioConfig(rate=16000, fps=25, window=0.2)
recording, own_rate = read_audio(ASSETS / "sentence.wav")
signal = resample(torch.from_numpy(recording), own_rate, audio.rate)
print(f"{len(signal)} samples, stride {audio.stride}, window {audio.samples}")

# %%
figure, axes = plt.subplots(figsize=(plots.WIDTH, 1.9))
plots.waveform(axes, signal, audio.rate)
for t in np.linspace(0, frame_count(len(signal), audio) - 1, 3).astype(int):
    begin, end = t / audio.fps, (t + 1) / audio.fps
    beside = (audio.window - 1 / audio.fps) / 2
    axes.axvspan(begin - beside, end + beside, color=plots.BLUE, alpha=0.2, linewidth=0)
    axes.axvspan(begin, end, color=plots.ORANGE, alpha=0.8, linewidth=0)
    axes.set_title("three video frames, and what each of them hears")
axes.set_xlim(-0.12, len(signal) / audio.rate + 0.12)
plt.show()

# %% [markdown]
# The first and the last band reach beyond the recording: that is where the zeros are needed.
#
# ## By hand, on a tiny array
#
# Take a "recording" of 12 samples that count from 1 to 12, four video frames, and a window of 7.
# The stride is 12 / 4 = 3 samples: frame 0 is on screen during samples 1, 2, 3, so the middle of
# its window must be the 2, with three samples on either side. Two of those lie before the
# recording and become zeros.

# %% tags=["nbval-check-output"]
tiny = torch.arange(1.0, 13.0)
stride, window = 3, 7


def cut_by_hand(samples: torch.Tensor, stride: int, window: int) -> torch.Tensor:
    """Eq. 1 as a loop: one window per video frame, its middle on the frame's middle."""
    beside = (window - stride) // 2
    padded = torch.cat([torch.zeros(beside), samples, torch.zeros(beside)])
    frames = len(samples) // stride
    return torch.stack([padded[t * stride : t * stride + window] for t in range(frames)])


print(cut_by_hand(tiny, stride, window).int())

# %% [markdown]
# Read the middle column: 2, 5, 8, 11, the middle sample of each video frame. Read any two
# neighbouring rows: the second is the first moved by three. Everything that this chapter checks
# is in those two observations.
#
# ## The package's version
#
# Printed from the import, so that this page cannot disagree with what runs. It differs from the
# loop in three ways. It takes any leading dimensions, so a batch of recordings can be cut in one
# call. It rounds a recording that does not end on a frame's edge to the nearest number of frames,
# or makes as many as it is told. And it returns a *view*: `unfold` does not copy the overlapping
# samples, it only describes how to step through the padded signal.

# %%
plots.show_source(frame_count, audio_frames)

# %% [markdown]
# The two must agree on the same tiny example, which needs a clock that `AudioConfig` accepts. We
# use 1000 samples a second and 250 frames a second, so the stride is 4 samples, and a window of
# 12 ms, which is 12 samples.

# %% tags=["nbval-check-output"]
clock = AudioConfig(rate=1000, fps=250, window=0.012)
tiny = torch.arange(1.0, 21.0)
ours = audio_frames(tiny, clock)
print(ours.int())
print("the same as by hand:", torch.equal(ours, cut_by_hand(tiny, clock.stride, clock.samples)))

# %% [markdown]
# An even stride and an even window have no middle sample, only a middle between two. Both are
# even here, so the middles still coincide: the window's middle falls between its columns 5 and 6,
# and the frame's between its second and third sample. What matters is that `window - stride` is
# even. At 16 kHz and 25 frames a second it is 3200 - 640, and all is well.

# %% tags=["nbval-check-output"]
middle = ours[:, clock.samples // 2 - 1 : clock.samples // 2 + 1]
on_screen = tiny.view(-1, clock.stride)[:, 1:3]
print("windows and frames have the same middle:", torch.equal(middle, on_screen))

# %% [markdown]
# ## On the sentence
#
# One audio frame per video frame, whatever the length. The recording need not end on a frame's
# edge: with less than half a frame left over the rest is dropped, with more it gets a frame of
# its own.

# %% tags=["nbval-check-output"]
heard = audio_frames(signal, audio)
print("audio frames:", tuple(heard.shape))
for extra in (0, 319, 320, 640):
    print(
        f"25 frames and {extra:3} samples: {frame_count(25 * audio.stride + extra, audio)} frames"
    )

# %% [markdown]
# Each sample is heard by five audio frames, so a copy would be five times the recording. The view
# shares its memory. For an hour of sound this is the difference between a file that fits and one
# that does not.

# %% tags=["nbval-check-output"]
hour = audio_frames(torch.zeros(3600 * audio.rate), audio)
held, copied = hour.untyped_storage().nbytes(), hour.numel() * hour.element_size()
print(f"an hour: {tuple(hour.shape)}, {held / 1e6:.0f} MB held, {copied / 1e6:.0f} MB as a copy")

# %% [markdown]
# ## A picture that would look wrong
#
# Shapes can be right while the contents are shifted, so we look at contents. Make a recording
# that is silent but for a click in the middle of three video frames: 4, 11 and 18. After cutting,
# audio frames 4, 11 and 18 must have a click exactly in their middle. Their neighbours hear the
# same click one stride further left or right, so each click draws a short staircase, and the
# staircase must pass through the ring that marks where its own video frame is.


# %%
def show_clicks(axes: plt.Axes, rows: torch.Tensor, title: str) -> None:
    """Audio frames as rows of an image, in milliseconds from the middle of the window."""
    thick = rows.reshape(len(rows), -1, 80).amax(2)  # 5 ms a column
    reach = 500 * audio.window
    axes.imshow(thick, cmap="Greys", aspect="auto", extent=(-reach, reach, len(rows), 0))
    axes.plot([0, 0, 0], [t + 0.5 for t in clicked], "o", fillstyle="none", color=plots.VERMILION)
    axes.set(title=f"{title}: {len(rows)} frames", xlabel="ms from the window's middle")


clicked = (4, 11, 18)
clicks = torch.zeros(24, audio.stride)
clicks[clicked, audio.stride // 2] = 1
clicks = clicks.flatten()

# %% [markdown]
# Beside the right cutting, two wrong ones, both with the same stride and window. **Without
# padding**, the first window starts where the recording starts. Its middle is then 100 ms into
# the clip instead of 20: every frame hears what belongs to the frame two later. And four frames
# are missing at the end, because the last windows do not fit. **With all the padding on the
# right**, the number of frames is what we want, every shape is right, no test of shapes fails,
# and the shift of two frames is still there.

# %%
right_only = torch.nn.functional.pad(clicks, (0, audio.samples - audio.stride))
cuts = {
    "Eq. 1": audio_frames(clicks, audio),
    "no padding": clicks.unfold(0, audio.samples, audio.stride),
    "padded right only": right_only.unfold(0, audio.samples, audio.stride),
}
figure, axes = plt.subplots(1, 3, figsize=(plots.WIDTH, 2.6), sharey=True)
for cell, (name, rows) in zip(axes, cuts.items(), strict=True):
    show_clicks(cell, rows, name)
axes[0].set_ylabel("audio frame")
plt.show()

# %% tags=["nbval-check-output"]
for name, rows in cuts.items():
    centred = rows[:, audio.samples // 2].nonzero().flatten().tolist()
    print(f"{name:18} {len(rows)} frames, clicks centred in frames {centred}")

# %% [markdown]
# ## The failure, heard
#
# Two frames are 80 ms. Is that much? A generator that was trained on right pairs and is then fed
# windows that are padded on the right only hears everything 80 ms too soon, and moves its lips 80
# ms before the voice. Padding on the left only does the opposite. The broadcasters'
# recommendation {footcite:p}`itu1998` says that viewers detect sound that comes more than 45 ms
# before its picture or more than 125 ms after it, so the second mistake is plainly seen and the
# first nearly so; and it adds to whatever delay the player has of its own. A generator that is
# both trained and used with the wrong cutting can make up for the shift, because the sound it
# needs is still somewhere in the window, but it hears nothing of what came before and pays for
# that without ever saying so. The usual measure of lip-sync, SyncNet {footcite:p}`chung2016`,
# slides sound against picture frame by frame and would report such an offset; the paper finds 1
# for the real videos of GRID.
#
# On the sentence, take the loudness of the middle 40 ms of every audio frame, and compare it with
# the loudness of the 40 ms that each video frame is on screen. The curves should lie on each
# other. The cross-correlation tells by how many frames they do not.

# %%
on_screen = signal[: len(heard) * audio.stride]
on_screen = torch.nn.functional.pad(on_screen, (0, len(heard) * audio.stride - len(on_screen)))
truth = on_screen.view(-1, audio.stride).square().mean(1).sqrt()


def middle_loudness(rows: torch.Tensor) -> torch.Tensor:
    """Root mean square of the middle stride of each audio frame."""
    before = (audio.samples - audio.stride) // 2
    return rows[:, before : before + audio.stride].square().mean(1).sqrt()


def lag(loudness: torch.Tensor) -> int:
    """By how many frames `loudness` runs ahead of the truth, where they correlate best."""
    shifts = range(-5, 6)
    return max(shifts, key=lambda s: float((loudness[5:-5] * truth.roll(-s)[5:-5]).sum()))


# %% tags=["nbval-check-output"]
wrong = torch.nn.functional.pad(signal, (0, audio.samples - audio.stride))
wrong = wrong.unfold(0, audio.samples, audio.stride)[: len(heard)]
print("Eq. 1 runs ahead by", lag(middle_loudness(heard)), "frames")
print("padded right only runs ahead by", lag(middle_loudness(wrong)[: len(truth)]), "frames")

# %%
figure, axes = plt.subplots(figsize=(plots.WIDTH, 1.9))
seconds = np.arange(len(truth)) / audio.fps
axes.fill_between(seconds, truth, color="#d5d5d5", label="on screen")
axes.plot(seconds, middle_loudness(heard), label="Eq. 1")
shifted = middle_loudness(wrong)
axes.plot(seconds[: len(shifted)], shifted, "--", label="padded right only")
axes.set(xlabel="seconds", yticks=[], title="loudness in the middle of each audio frame")
axes.legend()
plt.show()

# %% [markdown]
# ## Other rates
#
# The authors' released models work at 50 kHz for GRID {footcite:p}`cooke2006` and at other rates
# for other corpora. Equation 1 does not care, as long as the stride is a whole number. If it is
# not, the windows would drift against the frames, slowly, by a fraction of a sample each; so
# `AudioConfig` refuses and says what to do.

# %% tags=["nbval-check-output"]
for rate in (16000, 22050, 44100, 48000, 50000):
    config = AudioConfig(rate=rate)
    print(f"{rate} Hz at {config.fps} fps: stride {config.stride}, window {config.samples}")
try:
    AudioConfig(rate=16000, fps=30)
except TalkerError as error:
    print(error)

# %% [markdown]
# The content encoder has the same freedom. Its first kernel is given in time, 5 ms with a stride
# of 1 ms, so a window of 0.2 s becomes 200 steps at every rate, and all later layers are the
# same. The kernel is large because the paper follows {footcite:t}`dai2017` in letting the first
# layer learn its own filters from the raw waveform. The figure in the paper says 250/50: that is
# 5 ms and 1 ms at 50 kHz.

# %% tags=["nbval-check-output"]
for rate in (16000, 48000, 50000):
    config = AudioConfig(rate=rate)
    first = AudioFrameEncoder(config, width=16, out=256, normalisation="batch").layers[0]
    steps = first(torch.zeros(1, 1, config.samples)).shape[2]
    print(f"{rate} Hz: first kernel {first.kernel_size[0]}/{first.stride[0]}, {steps} steps")

# %% [markdown]
# A model has one rate, though, and recordings have many, so recordings are resampled. Going down
# in rate is not picking every third sample. At 16 kHz no pitch above 8 kHz can be told from its
# mirror image below, and the hiss of an *s* has most of its energy up there: it would come back
# as a sound that nobody made. A filter must take it away first, and that is what `resample` does.
# Here a chirp that rises from 0 to 24 kHz, at 48 kHz, is brought to 16 kHz in both ways.

# %%
fast = 48000
t = torch.arange(2 * fast, dtype=torch.float64) / fast
chirp = torch.sin(2 * torch.pi * 6000 * t**2).float()  # 6000 t^2 turns: 12000 t Hz at t
ways = {"every third sample": chirp[::3], "resample": resample(chirp, fast, audio.rate)}
figure, axes = plt.subplots(1, 2, figsize=(plots.WIDTH, 2.2), sharey=True)
for cell, (name, sound) in zip(axes, ways.items(), strict=True):
    cell.specgram(sound, NFFT=512, Fs=audio.rate, cmap="cividis", vmin=-80)
    cell.set(title=name, xlabel="seconds")
axes[0].set_ylabel("Hz")
plt.show()

# %% [markdown]
# On the left the chirp climbs to 8 kHz, and then seems to fall again, and to rise again: all of
# that is false. On the right it leaves through the top and is gone. A number for the same: how
# much power remains in the second when the true pitch is beyond reach.

# %% tags=["nbval-check-output"]
for name, sound in ways.items():
    beyond = sound[int(0.8 * audio.rate) :]  # from 9.6 kHz on
    print(f"{name:20} rms {beyond.square().mean().sqrt():.2f}")

# %% [markdown]
# ## Turn the knob
#
# The window's length is a choice. The picture shows one audio frame at the loudest moment of the
# sentence, for the window you choose; in JupyterLab the sliders move it. At 40 ms a window holds
# no neighbours at all. At 0.4 s it reaches into the words before and after, and a live system
# would lag by 0.2 s.


# %%
def show_window(t: int, window: float) -> None:
    """Audio frame t of the sentence, with its video frame's 40 ms shaded."""
    config = AudioConfig(window=window)
    rows = audio_frames(signal, config)
    milliseconds = (np.arange(config.samples) - config.samples / 2) / config.rate * 1000
    figure, axes = plt.subplots(figsize=(plots.WIDTH, 1.7))
    axes.plot(milliseconds, rows[t], linewidth=0.7)
    axes.axvspan(-500 / config.fps, 500 / config.fps, color=plots.ORANGE, alpha=0.3, linewidth=0)
    axes.set(xlim=(-200, 200), yticks=[], xlabel="ms from the middle of video frame " + str(t))
    plt.show()


show_window(int(truth.argmax()), 0.2)

# %% tags=["remove-cell", "nbval-skip"]
interact(show_window, t=(0, len(heard) - 1), window=(0.04, 0.4, 0.04))

# %% [markdown]
# ## Equation, code, and where we deviate
#
# | the paper's equation or sentence | code | where we deviate, and why |
# |---|---|---|
# | Eq. 1, stride = audio sampling rate / video fps | `AudioConfig.stride` | not at all; a stride that is not whole is refused |
# | "frames corresponding to 0.2 seconds" | `AudioConfig.window`, `.samples` | not at all |
# | "centered around a video frame" | `audio_frames`, `before` | the paper does not say what a frame's time is; we take the middle of the 40 ms that it is on screen |
# | "zero pad the audio signal on both sides" | `audio_frames`, `F.pad` | not at all |
# | one audio frame per video frame | `frame_count` | where the recording does not end on a frame's edge, we round; in training the video's own length is given |
# | first kernel 250/50 | `AudioFrameEncoder` | the same in time at every rate: 80/16 at 16 kHz |
#
# ## Recap
#
# - One audio frame per video frame: stride is rate over fps, and the middles coincide.
# - Zeros on *both* sides, (window - stride) / 2 of them; padding on one side only keeps every
#   shape and shifts every sound.
# - Test a cutting with single events whose place you know. Shapes and loudness curves forgive too
#   much.
# - Windows are a view, so overlap costs no memory until the samples are used.
# - Resample with a filter, or the top of the spectrum comes back upside down.
#
# ## Exercises
#
# 1. How much of the first audio frame is zeros, in milliseconds? Work it out, then count them on
#    a recording of ones.
# 2. Find a rate and a frame rate that `AudioConfig` accepts and for which `window - stride` is
#    odd. By how much are the windows off centre then, in milliseconds? Does it matter?
# 3. Cut a recording in two pieces and cut each piece into audio frames. Which frames differ from
#    those of the whole recording? Write the rule for how much sound each piece needs from its
#    neighbour.
# 4. Put a click into *every* video frame instead of three, and draw the wrong cuttings again. Why
#    does the shift of two frames now hardly show, and where does it still?
# 5. A phone films at 30000/1001 frames a second. Which two ways are there to use its video with
#    this code, and what does each of them change?
#
# ## Appendix: solutions
#
# **1.** Half of what the window is longer than the frame: (200 - 40) / 2 = 80 ms.

# %% tags=["nbval-check-output"]
ones = audio_frames(torch.ones(10 * audio.stride), audio)
print("zeros in the first audio frame:", int((ones[0] == 0).sum()) * 1000 // audio.rate, "ms")

# %% [markdown]
# **2.** At 22.05 kHz and 25 fps the window is 4410 samples and the stride 882: even. At 44.1 kHz
# and 28 fps (stride 1575) the difference is 7245, odd, and the windows sit half a sample off:
# 0.011 ms, a three-thousandth of a video frame. It does not matter.
#
# **3.** The frames within 80 ms of the cut differ: the two on either side of it. A piece needs
# (window - stride) / 2 samples from each neighbour. Below, with that much context, nothing
# differs. The package's `stream_audio_frames` does this for recordings of any length.

# %% tags=["nbval-check-output"]
cut, context = 30 * audio.stride, 2 * audio.stride
naive = torch.cat([audio_frames(signal[:cut], audio), audio_frames(signal[cut:], audio)])
left = audio_frames(signal[: cut + context], audio)[:30]
right = audio_frames(signal[cut - context :], audio)[2:]
differ = [t for t in range(len(heard)) if not torch.equal(naive[t], heard[t])]
print("cut apart, these differ:", differ)
print("with context, the same:", torch.equal(torch.cat([left, right]), heard))

# %% [markdown]
# **4.** The clicks repeat every frame, so a shift by whole frames lays each on the next one: a
# periodic signal cannot show a shift by its period. Only the edges tell, where clicks are missing
# at one end and not at the other.
#
# **5.** Change the video's rate to 25 fps by choosing the nearest frames (some are dropped, and
# motion becomes slightly uneven), or keep its frames and resample the sound to a rate that is a
# whole number of samples per frame (pitch and timing stay, but the network hears a rate that it
# was not trained at, so a model must be trained for it). Preparing a corpus takes the first way.
#
# ## References
#
# ```{footbibliography}
# ```
