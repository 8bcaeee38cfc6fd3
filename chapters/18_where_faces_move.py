# %% [markdown]
# # Where faces move
#
# **What you will build.** The measures that look between the frames. You will find the motion of a
# blob of light with two equations on paper, meet the wall that has no motion, hold the package's
# optical flow against a performer whose every movement is known, and turn it into the paper's three
# pictures of motion: heatmaps of where a face moves (Fig. 20), maps of which way (Fig. 14), and
# the question whether a mouth rests when nobody speaks (Fig. 17).
#
# **What it needs.** The `talker` package with its weights and its renderer. One short film is
# rendered here; what was measured on all performers held out is read from results files that come
# with the book. No recordings, no GPU. It runs in under a minute on two cores.
#
# ## Where it sits
#
# Behind the generator, with the other measures. Nothing here is trained against. What answers for
# motion inside the system are the parts with a memory: the content encoder's GRU, the noise
# generator, and the sequence discriminator, which is the only judge that sees a whole face move.

# %%
import colorsys
import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from ipywidgets import interact

from talker import plots
from talker.animate import to_pictures, to_tensor
from talker.audio import audio_frames
from talker.checkpoint import load_generator
from talker.corpora.rendered import render_clip
from talker.experiments.motion_maps import alike, sway
from talker.experiments.silence import jitter, mouth_motion, silent, spoken
from talker.metrics import motion
from talker.metrics.intervals import bootstrap
from talker.metrics.motion import flow_picture, lower_half_motion, magnitude_map, optical_flow

plots.use_style()
plots.system_diagram({"frames"})
plt.show()

# %% [markdown]
# ## What breaks without it
#
# A performer whom the shipped weights have not seen says a sentence. Here is that film twice: once
# as it was, and once with its frames in another order. To see a film at a glance, one column of
# pixels is cut out of every frame, through an eye and a corner of the mouth, and the columns are
# set side by side. Time runs to the right.

# %% tags=["nbval-check-output"]
FPS = 25
real, signal, truth = render_clip(23, 1)
shuffled = real[np.random.default_rng(0).permutation(len(real))]
print("frames", real.shape, "- says:", truth["text"], "- lids move in", truth["blinks"])
times = motion.motion(shuffled) / motion.motion(real)
print(f"shuffled: motion from frame to frame is {times:.1f} times as much", end=", ")
spread = [film.std(axis=(1, 2, 3)).mean() for film in (real, shuffled)]
print("contrast of its frames the same:", bool(np.isclose(*spread)))

# %%
figure, cells = plt.subplots(2, 1, figsize=(plots.WIDTH, 3.4), sharex=True)
for cell, (name, film) in zip(cells, {"real": real, "shuffled": shuffled}.items(), strict=True):
    column = film[:, 30:104, 36].transpose(1, 0, 2)
    cell.imshow(column, aspect="auto", extent=(0, len(film) / FPS, 104, 30))
    cell.set(ylabel=name, yticks=[])
cells[1].set_xlabel("seconds")
plt.show()

# %% [markdown]
# The second film is a fit of trembling, and no measure that takes frames one by one can know: each
# of its pictures is a real one, so their sharpness, their identity, their mouths are the real ones
# on average. That is the failure the paper reports of models without a memory: "Since the baseline
# and the Speech2Vid model are static methods they produce less coherent sequences, characterized by
# jitter". To see it, one has to look at two frames at once and ask where things went.
#
# ## Where did it go? Two equations
#
# **Optical flow** is a vector at every pixel: where the point that is seen there went in the next
# frame. Suppose that a point keeps its brightness $I$ while it moves by a small $(u, v)$. Then the
# change of brightness at a fixed pixel has one cause, namely that something brighter or darker
# moved in:
#
# $$I_x u + I_y v + I_t = 0$$
#
# One equation, two unknowns. Lucas and Kanade {footcite:p}`lucas1981` let all pixels of a small
# window share one motion and take the least squares. By hand, on a blob of light that moves by one
# pixel to the right and by half a pixel up:


# %% tags=["nbval-check-output"]
def blob(x: float, y: float, wide: float = 10, high: float = 6) -> np.ndarray:
    """A spot of light around (x, y): (64, 64) from 40 to 210; y points down."""
    rows, columns = np.mgrid[:64, :64]
    return 40 + 170 * np.exp(-((columns - x) ** 2) / wide**2 / 2 - (rows - y) ** 2 / high**2 / 2)


def flow_by_hand(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(u, v) of the whole picture by least squares, and how sure it is along two axes."""
    down, right = np.gradient((first + second) / 2)
    slopes = np.stack([right.ravel(), down.ravel()], axis=1)
    moved = np.linalg.lstsq(slopes, (first - second).ravel(), rcond=1e-6)[0]
    return moved, np.linalg.eigvalsh(slopes.T @ slopes / len(slopes))


def colour(picture: np.ndarray) -> np.ndarray:
    return np.repeat(np.rint(picture)[..., None], 3, axis=2).astype(np.uint8)


first, second = blob(30, 32), blob(31, 31.5)
hand, _ = flow_by_hand(first, second)
field = optical_flow(np.stack([colour(first), colour(second)]))[0]
package = field[20:44, 15:45].mean(axis=(0, 1))
print(f"true (1.0, -0.5), by hand ({hand[0]:.2f}, {hand[1]:.2f})", end=", ")
print(f"package ({package[0]:.1f}, {package[1]:.1f}); its field is {field.shape}")

# %% [markdown]
# Both find it, the package at each pixel on its own. Now a blob that is endlessly high, which is to
# say a vertical stripe, and again it moves by (1, -0.5). The motion along the stripe changes
# nothing in the picture, so nobody can see it. In the equations it shows as an axis along which
# there is no slope to hold on to: one of the two numbers below is zero.

# %% tags=["nbval-check-output"]
for name, high in {"blob": 6, "stripe": 1e6}.items():
    pair = [blob(30, 32, high=high), blob(31, 31.5, high=high)]
    (u, v), sure = flow_by_hand(*pair)
    print(f"{name:7} by hand ({u:.2f}, {abs(v):.2f} up), slopes {sure.round(1)}")

# %% [markdown]
# It is called the aperture problem, and faces are full of it: cheeks and foreheads have next to no
# slope in any direction, hair and necks have it in one. A method that gives a vector at *every*
# pixel has to make some of them up from their surroundings. So read a map of motion as what a
# careful viewer would guess, not as what happened.
#
# ## The package's version
#
# The paper does not say which flow it took. The package takes DIS {footcite:p}`kroeger2016`, which
# does what you just did on small patches, from a coarse picture to a fine one so that motion of
# many pixels is found as well, and then smooths the result.

# %%
plots.show_source(optical_flow, magnitude_map)

# %% tags=["nbval-check-output"]
two_fields = np.array([[[[3.0, 4.0], [0.0, 0.0]]], [[[0.0, 1.0], [0.0, 2.0]]]])  # two frames, 1 x 2
by_hand = [(5 + 1) / 2, (0 + 2) / 2]  # 3, 4, 5 is a triangle with a right angle
print("mean length by hand", by_hand, "package", magnitude_map(two_fields)[0].tolist())
moved = optical_flow(np.stack([real[0], np.roll(real[0], 1, axis=1)]))[0]
print("a face one pixel to the right:", np.abs(np.median(moved, axis=(0, 1)).round(1)).tolist())
print("a face that holds still:", motion.motion(np.repeat(real[:1], 3, axis=0)))

# %% [markdown]
# ## A picture that would look wrong
#
# A rendered performer has a mesh, and the truth of a clip holds where its 68 landmarks are, in
# every frame, without any detector. So the flow can be asked at a landmark of the lips, and its
# answer set against what that landmark did. With the axes exchanged, a sign turned round or frames
# counted from the wrong one, the points below would not lie along a line.

# %%
marks = np.array(truth["landmarks"])
flow, went = optical_flow(real), np.diff(marks, axis=0)
place = np.rint(marks[:-1]).astype(int).clip(0, (95, 127))
seen = flow[np.arange(len(flow))[:, None], place[..., 1], place[..., 0]]
lips = slice(48, 68)
figure, cells = plt.subplots(1, 2, figsize=(plots.WIDTH, 2.4))
for cell, axis, name in zip(cells, (0, 1), ("to the right", "down"), strict=True):
    cell.plot(went[:, lips, axis].ravel(), seen[:, lips, axis].ravel(), ".", markersize=2)
    cell.axline((0, 0), slope=1, color="#999999", linewidth=0.8)
    cell.set(xlabel=f"lips went {name}, pixels a frame", ylabel="flow says")
plt.show()

# %% tags=["nbval-check-output"]
for axis, name in enumerate(("right", "down")):
    true, found = went[:, lips, axis].ravel(), seen[:, lips, axis].ravel()
    print(f"{name:6} r = {alike(true, found):.1f}, of a pixel the flow shows", end=" ")
    print(f"{true @ found / (true @ true):.1f}")
swapped = alike(went[:, lips, 0].ravel(), seen[:, lips, 1].ravel())
print("with axes exchanged they would not agree:", bool(abs(swapped) < 0.4))

# %% [markdown]
# The direction is right and the length is short. Lips are narrow, the flow is smooth, and what
# holds still on both sides pulls the motion of a lip down. Lips that part are worse: teeth come out
# of nowhere, and a point that was not there in the first frame has no flow. So pixels a frame are
# good to compare films with one another, by the same method, and not to say how far a lip went.
#
# ## Which way: the paper's Fig. 14
#
# "These maps are obtained by calculating the optical flow between consecutive frames, reflecting
# the angle of movement in the hue and assigning the magnitude of the motion to the value component
# in the Hue Saturation Value (HSV) color-space", says the paper, and shows a disc of colours as the
# key. Hue is an angle, so four directions are four colours. By hand, with Python's own `colorsys`:

# %% tags=["nbval-check-output"]
LONGEST = 1.0  # pixels a frame: the brightest
for name, (x, y) in {"right": (1, 0), "down": (0, 1), "left": (-1, 0), "up": (0, -0.5)}.items():
    hue = np.degrees(np.arctan2(y, x)) % 360 / 360
    hand = np.array(colorsys.hsv_to_rgb(hue, 1, min(np.hypot(x, y) / LONGEST, 1)))
    package = flow_picture(np.array([[[x, y]]], np.float32), LONGEST)[0, 0]
    print(f"{name:6} by hand {(255 * hand).round().astype(int)}, package {package}")

# %% [markdown]
# Up is half as long as the others, and half as bright. Now the same for a blink of our performer,
# and for the eight frames in which the lower face moves most. Lids come down, so their colour must be the one at the bottom of the disc, and
# then, more faintly, the one at its top.

# %%
lids = truth["blinks"][0][0] - 1
start = int(np.convolve(lower_half_motion(real), np.ones(8), "valid").argmax())
half = np.linspace(-LONGEST, LONGEST, 128, dtype=np.float32)
disc = np.stack(np.meshgrid(half, half), axis=-1)
key = flow_picture(disc, LONGEST)
key[np.linalg.norm(disc, axis=-1) > LONGEST] = 255


def filmstrip(film: np.ndarray, field: np.ndarray, begin: int, count: int = 8) -> dict[str, list]:
    """Flow above frames, as Fig. 14 has it."""
    span = range(begin, begin + count)
    return {"flow": [flow_picture(field[t], LONGEST) for t in span], "": [film[t] for t in span]}


for begin in (lids, start):
    rows = filmstrip(real, flow, begin)
    plots.strip({"flow": [*rows["flow"], key[:, 16:112]], " ": rows[""]})
    plt.show()

# %% [markdown]
# In the upper strip two spots light up at the eyes. In the lower one the jaw goes down in one
# colour and comes up in its opposite. Faint colour all over a frame is the head, which sways.
#
# ## The generator's film
#
# The same still, the same sound, through the shipped weights. For the sake of Fig. 17 below it is
# made three more times, each with one memory less. **No memory of sound**: the content encoder's
# GRU starts anew at every frame, so that each frame is decided by its own 0.2 s, as in a static
# model. **No memory of noise**: the frame decoder gets the same $z_n$ with its
# frames in another order, each as large as before and none knowing of the last. **None**: both.


# %%
@torch.inference_mode()
def four_films() -> dict[str, np.ndarray]:
    """The performer's still with the performer's sound: uint8 (T, 128, 96, 3) each."""
    generator = load_generator()
    heard = audio_frames(torch.from_numpy(signal), generator.config.audio)[None]
    code = generator.encode_still(to_tensor(real[0]))
    white = generator.noise_generator.draw(1, len(real), torch.Generator().manual_seed(0))
    z_n, _ = generator.noise_generator(white)
    mixed = z_n[:, torch.randperm(len(real), generator=torch.Generator().manual_seed(1))]
    z_c, _ = generator.content_encoder(heard)
    alone = generator.content_encoder(heard[0][:, None])[0].transpose(0, 1)  # T clips of one frame
    codes = {"ours": (z_c, z_n), "no memory of sound": (alone, z_n)}
    codes |= {"no memory of noise": (z_c, mixed), "none": (alone, mixed)}
    return {name: to_pictures(generator.decode(code, *pair)[0]) for name, pair in codes.items()}


made = four_films()
ours = made["ours"]
rows = {"real": filmstrip(real, flow, start), "ours": filmstrip(ours, optical_flow(ours), start)}
plots.strip({f"{name}": strip["flow"] for name, strip in rows.items()})
plt.show()

# %% [markdown]
# The same eight frames. A generator that follows its sound opens and closes with the
# real mouth, so the colours of the two rows should come and go together, whatever their brightness.
# The head's sway and the time of a blink are its own, and need not agree.
#
# The paper's Fig. 14 and 15 show faces in six acted emotions in this way. Our generator was trained
# on acted emotions, twice, and the figure below says what came of it. A classifier that knows most
# real clips by their faces puts its films right no better than by chance: lips and lids move with
# every emotion's sound, and in the last column, where the face went from its still, the six rows
# are alike. **Motion is not expression**; whether it is there, only a number that can be chance says.
#
# ![One still under six emotions](../figures/fig_expressions.png)
#
# ## Where: the paper's Fig. 20
#
# To see which parts of a face move at all, the paper takes the "average magnitude of movement over
# a set of 20 videos of the same subject", as a heatmap. It reports: "Videos generated using our
# approach have heatmaps that more closely resemble those of real videos. The static baseline is
# characterized by considerably more motion on the face which likely corresponds to jitter. The
# Speech2Vid and ATVGNet models do not animate the upper part of the face." It looks at maps by eye.
# `talker.experiments.motion_maps` makes them for all performers held out, and counts how alike two
# are: Pearson's $r$ over the pixels.
#
# What would a film score that is no face at all? Two controls answer. One is the still, copied. The
# other sways as a whole, as fast as the real face moves on average. The upper row below is our one
# film, the lower one the mean of all performers.

# %%
results = Path("../figures/results")
stored = json.loads((results / "motion_maps.json").read_text())
pixels = np.load(results / "motion_maps_pixels.npy").astype(float)
films = {"real": real, "ours": ours, "still": np.repeat(real[:1], 3, axis=0)}
films["sway"] = sway(real[0], len(real), motion.motion(real))
maps = {name: magnitude_map(optical_flow(film)) for name, film in films.items()}
everyone = dict(zip(stored["columns"], pixels[0], strict=True))
figure, grid = plt.subplots(2, len(everyone), figsize=(min(1.35 * len(everyone), plots.WIDTH), 4))
for line, row, label in zip(grid, (maps, everyone), ("one film", "all performers"), strict=True):
    line[0].set_ylabel(label)
    for cell, name in zip(line, everyone, strict=True):
        shown = row.get(name, np.full((128, 96), np.nan))
        most = np.percentile(row["real"], 99.5)
        image = cell.imshow(shown, vmin=0, vmax=most, cmap="inferno")
        cell.set(title=name if name in row else "", xticks=[], yticks=[], frame_on=name in row)
    figure.colorbar(image, ax=line, label="pixels a frame")
plt.show()

# %% tags=["nbval-check-output"]
share = maps["sway"].mean() / maps["real"].mean()
print("a swaying still moves about as much as a face:", bool(0.8 < share < 1.2), end=", ")
print("in other places:", bool(alike(maps["sway"], maps["real"]) < 0.4))
rows = {name: row["r"] for name, row in stored["values"].items() if "r" in row}
for name, row in (stored["scale"] | rows).items():
    print(f"{name:17} r = {row['value']:.2f} ({row['low']:.2f} to {row['high']:.2f})", end="")
    ratio = stored["values"].get(name, {}).get("ratio")
    print(f", moves {ratio['value']:.0%} as much as the real face" if ratio else "")

# %% [markdown]
# A mean of motion alone says little: a shaken photograph has it. A map says more, and must be held
# against two rows that are made of real films only. *Another clip* is the same performer's real map
# from other sentences, the best that can be hoped for. *Other performers* is the mean real map of
# everybody else: what one gets for knowing that faces have mouths. Brackets are 95 % intervals over
# performers. Whether two rows differ should not be left to the reader's eye, and the performers are
# the same in all of them, so the difference is taken performer by performer where each one's $r$
# was kept: "yes" means that its whole interval is above zero.


# %% tags=["nbval-check-output"]
def above(first: dict, second: dict) -> str:
    """Whether one interval lies above the other; for rows whose performers were not kept."""
    if first["low"] > second["high"]:
        return "yes"
    return "no" if first["high"] < second["low"] else "cannot be told"


each = {name: np.array(values) for name, values in stored["r"].items()}
for rival in stored["columns"][2:]:
    told = bootstrap(each["ours"] - each[rival], np.mean)
    print(f"ours is more like the real map than '{rival}':", "yes" if told["low"] > 0 else "no")
for name, row in stored["scale"].items():
    print(f"ours is more like it than '{name}':", above(rows["ours"], row))
for name, half in {"upper": slice(0, 64), "lower": slice(64, 128)}.items():
    share = everyone["ours"][half].mean() / everyone["real"][half].mean()
    print(f"{name} half of the frame: moves {share:.0%} as much as the real one")

# %% [markdown]
# The first lines are the paper's claim: against its three rivals, each trained for a small part of
# our generator's time ([chapter 21](21_against_other_methods.ipynb)), and against the still and the
# sway, which are no methods. The two lines about real films say what the claim is worth.
# Unless ours is above "other performers", its map is that of *a* face, and how this person moves
# was not shown to be in it; nothing in one still says how somebody's head sways. The last two,
# without intervals, are about the paper's remark on the upper part of the face.
#
# `figures/fig_heatmaps.png` shows single performers as well. The one with the lowest $r$ is worth a
# look: there one sees what else moves in a real film, such as hair and collars.
#
# ## When nobody speaks: the paper's Fig. 17
#
# Of static models the paper says that their jitter "becomes worse in cases where the audio is
# silent", "likely due to the fact that there are multiple mouth shapes that correspond to silence
# and since the model has no knowledge of its past state it generates them at random". To measure
# it, one needs to know when it is silent. A rendered clip knows its phonemes; a frame is silent
# when none is near. By hand, with one phoneme from 0.20 to 0.36 s and a margin of 0.15 s:

# %% tags=["nbval-check-output"]
phonemes = [{"start": 0.20, "end": 0.36}]
middles = (np.arange(15) + 0.5) / FPS
hand = (middles < 0.20 - 0.15) | (middles >= 0.36 + 0.15)
print("by hand", hand.astype(int))
print("package", silent(phonemes, 15, FPS).astype(int))
quiet, loud = (mask(truth["phonemes"], len(real), FPS) for mask in (silent, spoken))
print("our film: silent in", int(quiet.sum()), "frames, spoken in", int(loud.sum()))

# %%
figure, axes = plt.subplots(figsize=(plots.WIDTH, 2.4))
energy = {name: mouth_motion(film) for name, film in ({"real": real} | made).items()}
seconds = np.arange(1, len(real)) / FPS
colours = {"real": plots.ORANGE, "ours": plots.BLUE, "none": plots.GREEN}
for name, ink in colours.items():
    axes.plot(seconds, energy[name], color=ink, label="no memory" if name == "none" else name)
top = 1.2 * max(max(energy[name]) for name in colours)
axes.fill_between(seconds, 0, top, where=quiet[1:], color="#e4e4e4", linewidth=0)
axes.set(xlabel="seconds", ylabel="pixels a frame", xlim=(0, 3), ylim=(0, top))
axes.legend(loc="upper right", ncols=3)
plt.show()

# %% tags=["nbval-check-output"]
still_now, speaking_now = quiet[:-1] & quiet[1:], loud[:-1] & loud[1:]
calm = {name: values[still_now].mean() for name, values in energy.items()}
for name, values in energy.items():
    print(f"{name:19} silence {calm[name]:.3f}, speech {values[speaking_now].mean():.3f}", end="  ")
    print(f"in silence {calm[name] / calm['ours']:.1f} times ours")

# %% [markdown]
# Grey is silence; motion is that of the mouth after the head's own is taken away, as the flow of
# nose and cheeks tells it: a real head sways, and carries its mouth along. The rows say which memory it is
# that keeps a mouth at rest *in this generator*. Where "no memory of sound" stays about as calm as
# ours and "no memory of noise" does not, the paper's explanation does not fit it: a mouth that hears
# silence then knows what to do without a past, and trembles because of noise that has none. Note
# that this takes memory away from a network that was trained with it, which is not the same as a
# network trained without. The paper's static baseline and Speech2Vid are such networks; the results
# below have a row of either, and one of ATVGNet, which has a memory.
#
# ## What trembles, and what moves on
#
# A mouth may move in silence without trembling: it closes after the last word, slowly. What
# trembles turns back. The **second difference** tells the two apart, since an even movement has
# none:

# %%
plots.show_source(jitter)

# %% tags=["nbval-check-output"]
mouths = {"even": [0, 1, 2, 3, 4], "trembling": [0, 1, 0, 1, 0]}  # of one lip landmark, in pixels
for name, path in mouths.items():
    face = np.zeros((5, 68, 2))
    face[:, 45, 0] = 40  # the corners of the eyes are 40 pixels apart
    face[:, 48, 1] = path
    middle = np.array(path) / 20  # of 20 landmarks of which one moves
    hand = 25 * (abs(np.diff(path - middle, 2)) + 19 * abs(np.diff(middle, 2))) / 20  # 1000 / 40
    print(f"{name:10} by hand {hand.round(3)}, package {jitter(face).round(3)}")

# %% [markdown]
# Landmarks, however, tremble by themselves, because a detector finds them anew in each frame. How
# much of a number is the detector's? For real films there is the mesh, in which nothing trembles.
# The results for all performers have it as a row of its own.

# %%
silence = json.loads((results / "silence.json").read_text())
values = silence["values"]
figure, cells = plt.subplots(1, 2, figsize=(plots.WIDTH, 1.9))
for cell, measured, unit in zip(
    cells, ("mouth", "jitter"), ("pixels a frame", "thousandths of the eyes' distance"), strict=True
):
    names = [n for n in (*reversed(silence["films"]), "mesh") if measured in values[n]]
    for place, name in enumerate(names):
        for part, fill in (("silence", plots.BLUE), ("speech", "white")):
            row = values[name][measured][part]
            cell.plot([row["low"], row["high"]], [place] * 2, color=plots.BLUE)
            cell.plot(row["value"], place, "o", color=plots.BLUE, mfc=fill, markersize=5)
    cell.set_yticks(range(len(names)), names)
    cell.set(xlabel=unit, title=f"{measured}: silence filled, speech open")
    cell.set(xlim=(0, None), ylim=(-0.5, len(names) - 0.5))
plt.show()

# %% tags=["nbval-check-output"]
for name in silence["films"]:
    for measured, row in values[name].items():
        part, against = row["ratio"], row["against_real"]
        print(f"{name:6} {measured:6} silence / speech {part['value']:.2f}", end=" ")
        print(f"({part['low']:.2f} to {part['high']:.2f})", end="; silence / real's ")
        print(f"{against['value']:.2f} ({against['low']:.2f} to {against['high']:.2f})")
for measured, adds in (("jitter", "the detector"), ("mouth", "the flow")):
    mesh, seen = (values[name][measured]["silence"]["value"] for name in ("mesh", "real"))
    print(
        f"of what seems to move in real silence, by {measured}, {adds} adds {1 - mesh / seen:.0%}"
    )
trembles = []
for measured, row in values["ours"].items():
    against = row["against_real"]
    trembles.append(against["low"] > 1)
    found = "less than" if against["high"] < 1 else "more than" if trembles[-1] else "about like"
    print(f"{measured}: in silence ours moves {found} the real face")
print("'the temporal model does not jitter':", "not " * any(trembles) + "reproduced")
for name in ("static", "speech2vid"):  # without memory
    more = above(values[name]["mouth"]["against_real"], values["ours"]["mouth"]["against_real"])
    print(f"in silence {name} moves more than ours: {more}")

# %% [markdown]
# What the last lines say is what we found, with these weights, on these performers, and with these
# instruments. An instrument that adds most of what it sees in real silence cannot tell a mouth that
# rests from one that moves a little; what it adds, it adds to real films above all, whose heads
# move. So "less than the real face" is to be read as "not visibly more". Note what "does not
# jitter" can hide. A film that moves *less* than the real one in silence has not earned a
# compliment: the still itself moves least of all. A living face swallows, breathes, looks up and
# closes its mouth after the last word. The claim about jitter and the wish for life pull in
# opposite directions, and only the row of the real films says where the right place between them
# is.
#
# ## A failure: the lamp that moved a face
#
# The first equation of this chapter supposed that a point keeps its brightness. A lamp need only
# flicker to break it. Here is a photograph that holds perfectly still while the light on it changes
# by a few per cent from frame to frame, as under a bad tube.

# %%
strengths = (0.0, 0.01, 0.02, 0.05, 0.1)
flicker = []
for strength in strengths:
    lamp = 1 - strength * (np.arange(12) % 2)
    flicker.append(np.rint(real[0] * lamp[:, None, None, None]).astype(np.uint8))
level = [motion.motion(film) for film in flicker]
figure, (left, right) = plt.subplots(1, 2, figsize=(plots.WIDTH, 2.3), width_ratios=(2, 1))
left.plot([100 * s for s in strengths], level, "o-")
left.axhline(motion.motion(real), color=plots.ORANGE)
left.text(0, 1.03 * motion.motion(real), "the real film", color=plots.ORANGE)
left.set(xlabel="flicker, % of the brightness", ylabel="pixels a frame", ylim=(0, None))
right.imshow(flow_picture(optical_flow(flicker[-1])[0], 0.5))
right.set(title="where nothing moved", xticks=[], yticks=[])
plt.show()

# %% tags=["nbval-check-output"]
print("more flicker, more motion:", bool(np.all(np.diff(level) > 0)))
share = level[3] / motion.motion(real)
print(f"light that flickers by 5 %: {share:.0%} of the motion of a talking face")

# %% [markdown]
# Nothing moved, and the flow has an answer, since it always has one. A generator whose colours
# pulse would seem lively; a real video from a flickering room would seem restless. Compression does
# the same on a smaller scale, most of all where a film has a key frame, which is why the experiments
# put generated films through the same compression as the real ones before they look at either
# (`as_stored`). Where light is not steady, ask landmarks as well.
#
# ## Turn the knob
#
# One frame's motion, with the brightest colour at another length. In JupyterLab the slider moves
# through the film.


# %%
def show_motion(at: int, longest: float = LONGEST) -> None:
    """A frame, its flow as colours, and as arrows."""
    figure, cells = plt.subplots(1, 2, figsize=(3.6, 2.4))
    cells[0].imshow(real[at])
    rows, columns = np.mgrid[4:128:8, 4:96:8]
    u, v = flow[at][rows, columns].transpose(2, 0, 1)
    cells[0].quiver(columns, rows, u, v, color=plots.INK, angles="xy", scale=8, width=0.008)
    cells[1].imshow(flow_picture(flow[at], longest))
    for cell in cells:
        cell.axis("off")
    plt.show()


show_motion(start + 2)

# %% tags=["remove-cell", "nbval-skip"]
interact(show_motion, at=(0, len(flow) - 1), longest=(0.2, 4.0, 0.2))

# %% [markdown]
# ## Equation, code, and where we deviate
#
# | the paper's equation, sentence or figure | code | where we deviate, and why |
# |---|---|---|
# | "optical flow" | `optical_flow` | the method is not named there; DIS, on grey frames |
# | Fig. 20, "over a set of 20 videos of the same subject" | `magnitude_map`, `motion_maps` | as many clips as the rendered corpus has of each performer; the maps are also compared by $r$, against controls |
# | Fig. 14, hue and value | `flow_picture` | the brightest length is fixed, so that frames can be compared |
# | Fig. 17, "jittery motion in the mouth" | `mouth_motion`, `jitter`, `silent` | shown as pictures there; here counted, over frames that the truth calls silent |
# | the static models of Fig. 17 and 20 | `talker.experiments.comparison` | rows appear where they were trained; the controls are no substitutes |
#
# ## Recap
#
# - What is wrong between frames cannot be seen in frames. Look at two at a time.
# - Flow rests on one equation for two unknowns. Smoothness makes up the rest, and it is always
#   confident.
# - How much moves is fooled by a shaken photograph; where it moves is not. Compare maps with those
#   of other faces before you call them this one's.
# - Trembling is a second difference. Ask first how much of it is the detector's.
# - "It does not jitter" is half a compliment. The still does not either.
#
# ## Exercises
#
# 1. The blob moves by 20 pixels instead of one. What do the two equations say, and why does a
#    method that begins with a small picture do better?
# 2. Mirror the film. What happens to the heatmap, to the colours, and to
#    `motion.horizontal_motion`?
# 3. Keep every second frame only. Does the mean motion double?
# 4. Smooth the real film over time: each frame becomes the mean of three. What happens to motion
#    in speech, and would you call the film better?
#
# ## Appendix: solutions
#
# **1.** The equation holds as long as a point moves by less than the slope it sits on is wide. At
# 20 pixels the blob has left the slopes on which it sat, and the answer is whatever least squares
# make of that. In a picture an
# eighth as large the blob has moved by two and a half pixels, which it can follow; the finer
# pictures then correct what is left.
#
# **2.** The heatmap is mirrored; left and right exchange their colours, up and down keep theirs;
# the horizontal motion changes its sign.
#
# **3.** It would if faces moved evenly. They turn back, and what returns within two frames is not
# counted, so that it is less than double; how much less is below.
#
# **4.** It falls, as the numbers show, and sounds would seem to be mumbled. A film that moves less
# than the real one is not calmer but dubbed.

# %% tags=["nbval-check-output"]
far = blob(30, 32), blob(50, 32)
field = optical_flow(np.stack([colour(picture) for picture in far]))[0]
print(f"by hand {flow_by_hand(*far)[0][0]:.0f}, package {field[28:36, 26:34, 0].mean():.0f} of 20")
mirrored = real[:, :, ::-1]
both = [motion.horizontal_motion(film) for film in (real, np.ascontiguousarray(mirrored))]
print("the horizontal motion changes its sign:", bool(both[0] * both[1] < 0))
print(f"every second frame: {motion.motion(real[::2]) / motion.motion(real):.1f} times the motion")
mean = (real[:-2].astype(float) + real[1:-1] + real[2:]) / 3
softened = mouth_motion(np.rint(mean).astype(np.uint8))[speaking_now[1:-1]].mean()
print(f"smoothed: {softened / energy['real'][speaking_now].mean():.1f} of the motion in speech")

# %% [markdown]
# ## References
#
# ```{footbibliography}
# ```
