# %% [markdown]
# # Faces: landmarks, the canonical face, alignment
#
# **What you will build.** A function that takes a picture with a face in it, of any size and
# turned any way, and returns a crop of 96 x 128 pixels in which nose and eyes lie where the
# networks expect them. You will find out which points of a face hold still while it speaks, fit a
# rotation, a scale and a shift to three points by hand, check that against the package, calm a
# detector that trembles, and make a face bob on purpose.
#
# **What it needs.** The `talker` package with its renderer and dlib's landmark detector. The
# faces are rendered here, so that we know to a fraction of a pixel where their landmarks are; one
# real photograph comes with scikit-image. No weights. It runs in under a minute on two cores.
#
# ## Where it sits
#
# Before everything else, at both ends. The still goes through it when a person is to be animated,
# and every frame of every training video goes through it when a corpus is prepared. It trains
# nothing. But what it lets through, the networks must explain: if a crop wobbles, then a generator
# learns to wobble, and no loss will tell it that this was not speech.

# %%
import json
from pathlib import Path

import cv2
import matplotlib.pyplot as plt
import numpy as np
from ipywidgets import interact
from skimage import data

from talker import plots
from talker.faces import CANONICAL, CANONICAL_INDICES, DlibDetector, align, similarity, square
from talker.metrics.landmarks import inner_lip_distance, inter_ocular_distance
from talker.pose import head_pose
from talker.studio import grammar
from talker.studio.acting import ACTIONS, act, style_for
from talker.studio.camera import Camera, Pose
from talker.studio.performer import performer
from talker.studio.speech import grid_clip, voice_for
from talker.tracking import follow, main_face, smoothed

plots.use_style()
plots.system_diagram({"still", "frames"})
plt.show()

# %% [markdown]
# ## A face to work on
#
# The package renders **performers**: people who do not exist, made from a head model
# {footcite:p}`bregier2025`. A `Camera` holds one, a `Pose` says what the face does, and a *film*,
# a 2 x 3 matrix, says where on the picture each ray lands. We step back, so that the face is small
# and not in the middle, as in a photograph. Three helpers will be used all through the chapter.
#
# The true landmarks come from the mesh: each is one of its vertices. The package's detector knows
# only pixels. It first finds a box with a histogram-of-gradients detector, then lets an ensemble
# of regression trees push a mean face into place {footcite:p}`kazemi2014`. How far apart are the
# two? The usual unit is the **inter-ocular distance**, between the outer corners of the eyes,
# because an error of two pixels means nothing until you know how large the face is.


# %% tags=["nbval-check-output"]
def about(centre: tuple, degrees: float, size: float, shift: tuple = (0, 0)) -> np.ndarray:
    """(2, 3): turn and scale about a point, then shift; in pixels."""
    matrix = cv2.getRotationMatrix2D(centre, degrees, size)
    matrix[:, 2] += shift
    return matrix


def move(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Points (..., 2) through a (2, 3) matrix."""
    return points @ matrix[:, :2].T + matrix[:, 2]


def photograph(camera: Camera, pose: Pose, step_back: np.ndarray) -> tuple:
    """A picture, uint8 (384, 288, 3), and the true landmarks in it, (68, 2)."""
    film = (square(step_back) @ square(camera.film(camera.landmarks(camera.posed(rest)))))[:2]
    vertices = camera.posed(pose)
    points = move(camera.landmarks(vertices), film)
    return camera.render(vertices, film, scale=3), (points + 0.5) * 3 - 0.5


rest = Pose({}, head=np.zeros(6), gaze=np.zeros(2))
far = about((48, 64), 0, 0.52, (4, 16))

camera = Camera(performer(0, seed=0))
picture, truth = photograph(camera, rest, far)
detector = DlibDetector()
(face,) = detector.detect(picture)
apart = np.linalg.norm(face.landmarks - truth, axis=1).mean() / inter_ocular_distance(truth)
print("picture", picture.shape, picture.dtype, "landmarks", face.landmarks.shape)
print(f"detector and truth agree to 6 % of the eyes' distance: {apart < 0.06}")

# %% [markdown]
# ## Sixty-eight points
#
# The scheme is that of the 300-W challenge {footcite:p}`sagonas2013`, and everyone's numbers are
# its numbers. "Right" is the speaker's right, the left of the picture. The numbering runs along
# lines: 17 points down one side of the jaw and up the other, then brows, the ridge and the base of
# the nose, the eyes, and the lips' outer and inner edges. Learn five of them: 33 is the nose base,
# 36 and 39 are the corners of one eye, 42 and 45 those of the other.

# %%
GROUPS = {
    "jaw 0-16": (range(17), plots.BLUE),
    "brows 17-26": (range(17, 27), plots.PURPLE),
    "nose 27-35": (range(27, 36), plots.GREEN),
    "eyes 36-47": (range(36, 48), plots.SKY),
    "outer lips 48-59": (range(48, 60), plots.ORANGE),
    "inner lips 60-67": (range(60, 68), plots.VERMILION),
}
figure, (left, middle, right) = plt.subplots(1, 3, figsize=(plots.WIDTH, 2.8))
left.imshow(picture)
left.plot(*face.landmarks.T, ".", color="white", markersize=2)
middle.imshow(picture)
right.invert_yaxis()
for name, (group, colour) in GROUPS.items():
    middle.plot(*truth[group].T, ".", color=colour, markersize=4)
    right.plot(*truth[group].T, ".", color=colour, label=name)
for index in (0, 8, 16, 17, 26, 27, *CANONICAL_INDICES, 48, 54, 57):
    right.annotate(str(index), truth[index], (3, 2), textcoords="offset points", fontsize=7)
middle.set(xlim=(truth[:, 0].min() - 12, truth[:, 0].max() + 12))
middle.set(ylim=(truth[:, 1].max() + 12, truth[:, 1].min() - 30))
for cell, title in ((left, "detector"), (middle, "truth"), (right, "what they are called")):
    cell.set(title=title, aspect="equal")
    cell.axis("off")
figure.legend(loc="outside lower center", ncols=6, fontsize=7, handletextpad=0)
plt.show()

# %% [markdown]
# ## Which points hold still?
#
# "As part of our pre-processing all faces are aligned to the canonical face", says the paper in its
# section on data, and no more. To align is to undo what the head does and keep what the mouth does. So the points to align by must
# be those that speech does not move, and which those are can be measured. We let the performer say
# a sentence of the GRID grammar {footcite:p}`cooke2006`, with the head clamped and with blinks and
# brows switched off: then whatever moves, moves because of speech.


# %%
FRAMES, five = 75, list(CANONICAL_INDICES)
rng = np.random.default_rng(3)
voice = voice_for(camera.performer.gender, camera.performer.age, rng)
speech = grid_clip(grammar.sentence(rng), voice, rng)
performance = act(speech, rng, style_for(rng), FRAMES, fps=25)


def pose_at(t: int, clamped: bool) -> Pose:
    """Video frame t of the sentence; clamped: without head, blinks and brows."""
    actions = dict(zip(ACTIONS, performance.actions[t].tolist(), strict=True))
    if not clamped:
        return Pose(actions, performance.head[t], performance.gaze[t])
    return Pose(
        {k: v for k, v in actions.items() if k[:3] not in ("eye", "bro")}, rest.head, rest.gaze
    )


own = camera.film(camera.landmarks(camera.posed(rest)))  # of the canonical crop
spoken = np.stack([camera.landmarks(camera.posed(pose_at(t, True))) for t in range(FRAMES)])
spoken = move(spoken, own)
deviation = np.sqrt(spoken.var(axis=0).sum(axis=1)) / inter_ocular_distance(spoken[0])

# %% [markdown]
# Each landmark's deviation is its root-mean-square distance from where it is on average, as a
# share of the eyes' distance. The five points of the package are ringed.

# %%
figure, axes = plt.subplots(figsize=(4.6, 3.6))
resting = camera.render(camera.posed(rest), own, scale=2)
axes.imshow(resting, extent=(-0.5, 95.5, 127.5, -0.5), alpha=0.55)
dots = axes.scatter(*spoken[0].T, c=100 * deviation, s=26, cmap="plasma", zorder=3)
axes.scatter(*spoken[0, five].T, s=90, facecolors="none", edgecolors=plots.INK)
axes.axis("off")
figure.colorbar(dots, label="deviation, % of the eyes' distance", shrink=0.8)
plt.show()

# %% tags=["nbval-check-output"]
print("said:", " ".join(word.text for word in speech.words))
groups = {name: list(group) for name, (group, _) in GROUPS.items()} | {"the five": five}
for name, group in groups.items():
    percent = 100 * deviation[group]
    print(f"{name:17} mean {percent.mean():3.1f} %  most {percent.max():3.1f} %")

# %% [markdown]
# The lips and the chin are bright, as they should be. Eyes and brows do not move at all, because
# the model's mouth has no muscle that reaches them; in a real face they move a little, and the
# brows move for reasons of their own, so they are no anchor either. The nose base does move: the
# upper lip pulls at it. It is kept because the four eye corners lie nearly on one line, and points
# on a line say little about what is above and below it. Blinks move the outer corners a
# little too. The corners of the eyes and the base of the nose are not perfect. They are the least
# bad points that every detector finds well.
#
# ## A similarity transform by hand
#
# A head that comes nearer, tilts or shifts changes its picture (roughly) by a **similarity**:
# rotation, one scale for both axes, and a shift. Squares stay squares, so faces keep their
# proportions: a narrow face stays narrow, as it must, because it is part of who that is. Four
# numbers, and the neatest way to write them is with complex numbers. Let a point be $z = x + iy$.
# Then
#
# $$w = a z + b$$
#
# is every similarity there is: $|a|$ is the scale, the angle of $a$ the rotation, $b$ the shift.
# It is a straight line with complex numbers, and it is fitted like one:
#
# $$a = \frac{\sum_k \overline{(z_k - \bar z)}\,(w_k - \bar w)}{\sum_k |z_k - \bar z|^2},
# \qquad b = \bar w - a \bar z$$
#
# Take the corners of a triangle, turn it by a right angle, make it 1.5 times as large, and shift
# it by 1 + i. Three points come back as one $a$ and one $b$.


# %% tags=["nbval-check-output"]
def fit_by_hand(z: np.ndarray, w: np.ndarray) -> tuple[complex, complex]:
    """The a and b for which a z + b comes closest to w, in the sense of least squares."""
    dz, dw = z - z.mean(), w - w.mean()
    a = (dz.conj() * dw).sum() / (abs(dz) ** 2).sum()
    return a, w.mean() - a * z.mean()


z = np.array([0, 2, 2j])
w = 1.5j * z + (1 + 1j)
a, b = fit_by_hand(z, w)
print("w =", w)
print(
    f"a = {a:.1f}, b = {b:.1f}; scale {abs(a):.1f}, turned by {np.degrees(np.angle(a)):.0f} degrees"
)

# %% [markdown]
# Three points have six coordinates, and a similarity only four numbers, so in general nothing fits
# and something must be least wrong. Pull the last corner 0.3 to the right: the fit spreads the
# misfit over all three. If it is the best one, then nudging $a$ in any direction makes it worse.

# %% tags=["nbval-check-output"]
w[2] += 0.3
a, b = fit_by_hand(z, w)
print(f"a = {a:.3f}, b = {b:.3f}, misfit {(abs(a * z + b - w) ** 2).sum():.4f}")
for nudge in (0.05, -0.05, 0.05j, -0.05j):
    worse = (abs((a + nudge) * z + b - nudge * z.mean() - w) ** 2).sum()
    print(f"a {nudge:+.2f}: misfit {worse:.4f}")

# %% [markdown]
# ## The package's version
#
# The package does the same with a singular value decomposition, after {footcite:t}`umeyama1991`,
# which is what you will meet elsewhere, since it also works in three dimensions. In the general
# form a mirror image could be the best fit, and the sign in the middle forbids it. In the complex
# form a mirror image cannot be written down at all.

# %%
plots.show_source(similarity)

# %% tags=["nbval-check-output"]
pairs = np.stack([z.real, z.imag], 1), np.stack([w.real, w.imag], 1)
by_hand = np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])
print(similarity(*pairs).round(3))
print("the same as by hand:", np.allclose(similarity(*pairs), by_hand))
detected = face.landmarks[five].astype(float)
a, b = fit_by_hand(detected @ (1, 1j), CANONICAL @ (1, 1j))
print("on a detected face:", np.allclose(similarity(detected, CANONICAL)[:, 0] @ (1, 1j), a))

# %% [markdown]
# ## The canonical face
#
# What to fit *to* is a choice made once: five places in a crop of 96 x 128 pixels, eyes at a third
# of the height so that there is room for a jaw that drops. Every still, every training frame and
# every weight file depends on these ten numbers. `align` fits, warps and crops. Half of it is about
# sampling: a large photograph is shrunk by *area* first, for the same reason that sound was
# filtered in the last chapter. Picking every tenth pixel turns hair into noise.
#
# A good test is an average. Below are six performers, photographed from different distances and
# with the camera askew, and one face that nobody rendered: Eileen Collins, photographed by NASA,
# who put the picture in the public domain. The detector was made for such pictures and not for
# ours. The last column is the mean of the seven. Before alignment it is fog. Afterwards it has
# eyes and a nose, and only what differs between people (hair, jaw, mouth) stays blurred.

# %%
plots.show_source(align)

# %%
rng = np.random.default_rng(0)
photographs = []
for number in range(1, 7):
    askew = (rng.uniform(-14, 14), rng.uniform(0.5, 0.65), rng.uniform((-8, 12), (8, 22)))
    someone = Camera(performer(number, seed=0))
    photographs.append(photograph(someone, rest, about((48, 64), *askew))[0])
photographs.append(cv2.resize(data.astronaut()[:320, 110:350], (288, 384)))

crops = [align(taken, detector.detect(taken)[0].landmarks)[0] for taken in photographs]
rows = {"as taken": photographs, "aligned": crops}
rows = {row: [*all_, np.mean(all_, axis=0).astype(np.uint8)] for row, all_ in rows.items()}
plots.strip(rows, [*(f"p{number:03d}" for number in range(1, 7)), "Collins", "mean"])
plt.show()

# %% [markdown]
# ## One face, five ways
#
# Now the test that alignment must pass. Take the first picture, and turn, scale and shift it. All
# five copies must come out as the same crop, up to what resampling costs. A picture of the
# difference is black when all is well; if `similarity` turned the wrong way, or confused x with y,
# or were half a pixel off, its edges would light up.

# %%
ways = [
    (0, 1, (0, 0)),
    (12, 1, (0, -30)),
    (-15, 0.7, (20, -40)),
    (18, 1.4, (-20, -30)),
    (-8, 1.7, (-10, -50)),
]
matrices = [about((156, 240), *way) for way in ways]
how = {"flags": cv2.INTER_CUBIC, "borderValue": (255, 255, 255)}  # white, as the page
copies = [cv2.warpAffine(picture, matrix, (288, 384), **how) for matrix in matrices]
true = [move(truth, matrix) for matrix in matrices]
seen = [detector.detect(copy)[0].landmarks for copy in copies]


def cropped(landmarks: list) -> list[np.ndarray]:
    return [align(copy, points)[0] for copy, points in zip(copies, landmarks, strict=True)]


def from_first(crops: list) -> list[np.ndarray]:
    """Five times the difference to the first crop, uint8."""
    apart = [np.abs(crop.astype(int) - crops[0]) for crop in crops]
    return [(5 * values).clip(0, 255).astype(np.uint8) for values in apart]


rows = {
    "copies": copies,
    "crops": cropped(true),
    "5 x difference": from_first(cropped(true)),
    "by detector": from_first(cropped(seen)),
}
figure = plots.strip(rows, ["as it was", *(f"{d}°, x {s}" for d, s, _ in ways[1:])])
figure.set_size_inches(4.1, 4.5)
plt.show()

# %% tags=["nbval-check-output"]
back = [move(points, similarity(points[five], CANONICAL)) for points in true]
print("crops' landmarks agree:", bool(np.ptp(back, axis=0).max() < 1e-9))
for name, landmarks in {"truth": true, "detector": seen}.items():
    first, *others = (crop[30:115, 15:80].astype(int) for crop in cropped(landmarks))
    largest = max(np.abs(crop - first).mean() for crop in others)
    print(f"{name:8} mean difference in the face at most {largest:.0f} of 255")

# %% [markdown]
# The landmarks agree to the last bits of a float, the pixels up to resampling. With the detector's
# landmarks instead of the true ones, the residue grows several times: from one copy to the next it
# errs by a pixel or so, and differently each time. In a photograph that is nothing. In a video it
# is a problem.
#
# ## A detector that trembles
#
# We let the performer say the sentence again, this time with all that a head does, in front of a
# camera on a tripod. The package follows the face through the clip: the detector proper looks only
# now and then, and landmarks are fitted in every frame, starting from where they were. Each frame
# is still fitted on its own, so each gets an error of its own. The crops inherit it, and a face
# that was calm in the video trembles in the crop. The remedy is to average each landmark over the
# seven frames around it before fitting the transform.
#
# Since we know the truth, tremble can be measured where it matters: take one point whose true
# place in the video is known, the ridge of the nose between the eyes, put it through each crop's
# matrix, and see how far it jumps from frame to frame.

# %%
plots.show_source(smoothed)

# %%
tripod = (square(about((48, 64), 0, 0.62, (0, 0))) @ square(own))[:2]
posed = [camera.posed(pose_at(t, clamped=False)) for t in range(FRAMES)]
clip = np.stack([camera.render(vertices, tripod, samples=1, scale=2) for vertices in posed])
known = (move(np.stack([camera.landmarks(v) for v in posed]), tripod) + 0.5) * 2 - 0.5
tracked = main_face(follow(clip, detector)).array(FRAMES)
sources = {"truth": known, "detector": tracked, "7-frame mean": smoothed(tracked)}


def fitted(landmarks: np.ndarray) -> list[np.ndarray]:
    return [similarity(points[five], CANONICAL) for points in landmarks]


paths = {
    name: np.stack([move(p[27], m) for p, m in zip(known, fitted(landmarks), strict=True)])
    for name, landmarks in sources.items()
}

# %%
figure, axes = plt.subplots(figsize=(plots.WIDTH, 2.2))
axes.set(xlabel="seconds", ylabel="pixels", title="landmark 27 in the crop, up is up")
for name, path in paths.items():
    axes.plot(np.arange(FRAMES) / 25, path[:, 1].mean() - path[:, 1], label=name)
axes.legend(ncols=3)
plt.show()

# %% tags=["nbval-check-output"]
jumps = {name: np.linalg.norm(np.diff(p, axis=0), axis=1).mean() for name, p in paths.items()}
for name, path in paths.items():
    rise = np.median(path[:, 1]) - path[:, 1].min()
    print(f"{name:13} {jumps[name]:.1f} pixels a frame, highest {rise:.1f} above the median")
print("the mean calms by more than half:", jumps["7-frame mean"] < jumps["detector"] / 2)
print("blinks at", ", ".join(f"{start / 25:.1f} s" for start, _ in performance.blinks))

# %% [markdown]
# Even the truth jumps up whenever the performer blinks: the outer corners go down a little with the
# lid, the crop follows them by a pixel, and all else seems to rise. The detector makes twice as much
# of it.
#
# The same to the eye: take one column of pixels out of each crop, through the speaker's right eye,
# and set the columns side by side. Time runs to the right. Steady lids are straight lines,
# trembling ones are saws. The gaps are the blinks.

# %%
figure, axes = plt.subplots(1, 2, figsize=(plots.WIDTH, 2.0), sharey=True)
for cell, name in zip(axes, ("detector", "7-frame mean"), strict=True):
    large = [align(clip[t], sources[name][t], 512, 384)[0] for t in range(FRAMES)]
    columns = np.stack([crop[120:216, 122] for crop in large], axis=1)
    cell.imshow(columns, aspect="auto", extent=(0, FRAMES / 25, 53.5, 29.5))
    cell.set(title=name, xlabel="seconds")
axes[0].set_ylabel("row of the crop")
plt.show()

# %% [markdown]
# A mean over seven frames, 0.28 s, also takes away real movement that is faster than that: after a
# quick nod the crop lags on both sides of it. That is why it is used for the *transform* only. What
# the head did is then left in the crop, where it was in the video, and a stored clip keeps the
# landmarks themselves unsmoothed, so lips and lids lose nothing.
#
# ## A failure: anchoring on the mouth
#
# More points, less error: why not fit to all of them, or add the twenty of the mouth? Because the
# fit believes that all its points are one rigid thing. When the jaw drops, the points grow apart,
# and the fit concludes that the head has come nearer, and shrinks it. We align the clamped sentence
# in both ways, to the same resting face. The head does not move at all, so whatever eyes and brows
# do in these crops the alignment has made up.


# %%
anchors = {"the five": five, "five and mouth": [*five, *range(48, 68)]}
target = move(camera.landmarks(camera.posed(rest)), own)
fits = {
    name: [similarity(points[chosen], target[chosen]) for points in spoken]
    for name, chosen in anchors.items()
}
moments = [0, 13, 19, 31, 52]
rows = {}
for name, matrices in fits.items():
    films = {t: (square(matrices[t]) @ square(own))[:2] for t in moments}
    rows[name] = [camera.render(camera.posed(pose_at(t, True)), films[t]) for t in moments]
figure = plots.strip(rows, [f"{t / 25:.1f} s" for t in moments])
figure.set_size_inches(4.4, 2.5)
for cell in figure.axes:
    cell.axhline(target[[19, 24], 1].mean(), color="white", linewidth=0.7)
plt.show()

# %% [markdown]
# The white line is where the brows are at rest. In the upper row they stay on it. In the lower row
# the face shrinks and sinks with every wide vowel, and rises a little when the lips are pursed.
# Played as a video, it bobs and breathes in time with the voice, and that is the worst kind of
# error: it is *correlated with the sound*, so a generator can learn it, and will.

# %%
figure, axes = plt.subplots(figsize=(plots.WIDTH, 2.2))
axes.fill_between(
    np.arange(FRAMES) / 25, 30 * inner_lip_distance(spoken), color="#d5d5d5", label="mouth opening"
)
swings = {}
for name, matrices in fits.items():
    brows = np.stack(
        [move(p[17:27], m)[:, 1].mean() for p, m in zip(spoken, matrices, strict=True)]
    )
    swings[name] = np.ptp(brows), min(np.sqrt(np.linalg.det(m[:, :2])) for m in matrices)
    axes.plot(np.arange(FRAMES) / 25, brows[0] - brows, label=name)
axes.set(
    xlabel="seconds", ylabel="pixels up", title="the brows' height, of a head that holds still"
)
axes.legend(ncols=3)
plt.show()

# %% tags=["nbval-check-output"]
for name, (swing, smallest) in swings.items():
    print(f"{name:14} brows swing by {swing:.1f} pixels, face shrinks to {100 * smallest:.0f} %")

# %% [markdown]
# ## What alignment cannot undo
#
# A similarity works in the plane of the picture. A head that turns to the side moves in depth, and
# no rotation, scale and shift of a picture brings the far cheek back. The paper deals with it by
# choice of data: for one corpus it keeps "faces whose roll, pitch and yaw angles are smaller" than
# 10 degrees. So the angles must be known, and landmarks give them: if we know where fifteen of the
# points lie on a *mean head* in three dimensions, only certain angles put them where they are in
# the picture. Finding those is the perspective-n-point problem, which OpenCV solves
# {footcite:p}`terzakis2020`.

# %% tags=["nbval-check-output"]
angles = (-30, -15, 0, 15, 30)
turned = [Pose({}, np.array([0.0, yaw, 0, 0, 0, 0]), np.zeros(2)) for yaw in angles]
seen = np.stack([camera.landmarks(camera.posed(pose)) for pose in turned])
read = {}
for focal in (128, 300):  # pixels: the longer side of 96 x 128, and more than twice that
    size = focal / np.sqrt(np.linalg.det(own[:, :2]))
    film = (square(about((48, 64), 0, size)) @ square(own))[:2]
    read[focal] = yaws = head_pose(move(seen, film), 128, 96)[:, 1]
    print(f"lens of {focal} pixels, yaw", *(f"{y:4.0f}" for y in yaws.round() + 0.0), end="; ")
    print(f"off by at most {np.abs(yaws - angles).max():.1f} degrees")
print(f"the long lens reads {100 - 100 * np.ptp(read[300]) / np.ptp(read[128]):.0f} % less")
results = Path("../figures/results/preparation.json").read_text(encoding="utf-8")
rule = json.loads(results)["pose"]
print(
    "of", rule["median"]["pitch"]["clips"], "GRID clips over 10 degrees:", rule["refused_by_axis"]
)

# %%
crops = [align(*photograph(camera, pose, far))[0] for pose in turned]
plots.strip({"": crops}, [f"yaw {yaw}°" for yaw in angles]).set_size_inches(5, 1.5)
plt.show()

# %% [markdown]
# The crops are aligned, and the far half of the face is narrow in all of them. As for the angles:
# a long lens flattens a face and a turn flattens it too, so the focal length must be known, and a
# video does not tell. `head_pose` takes the picture's longer side for it, which is so in the first
# row of numbers: what is missing there is this face's own shape, because the head that is fitted is
# a mean. In the second the same head was filmed from the same place with a lens that is more than
# twice as long, and the same turns read as smaller. Such angles rank the clips of one camera; whoever
# rejects clips by a limit should know the lens. Pitch is worse off than yaw: long faces and short
# ones differ as a face does that nods. For LRW the package takes a clip's median angles, which one
# trembling frame does not change. GRID's speakers all look into the camera, and the last line counts
# their clips that this rule would refuse: nearly all of those for their pitch. It keeps turned faces
# out, as it should, and with them people who merely hold their chin up.
#
# ## Turn the knob
#
# The picture, turned and scaled as you choose, and what `align` makes of it. In JupyterLab the
# sliders move it. The crop should hardly change, until the face has so few pixels that there is
# nothing left to bring back.


# %%
def show_alignment(degrees: int, size: float) -> None:
    """The copy that was turned and scaled, and its crop."""
    matrix = about((144, 192), degrees, size)
    copy = cv2.warpAffine(picture, matrix, (288, 384), **how)
    plots.strip({"": [copy, cv2.resize(align(copy, move(truth, matrix))[0], (288, 384))]})
    plt.gcf().set_size_inches(3.6, 2.4)
    plt.show()


show_alignment(35, 0.3)

# %% tags=["remove-cell", "nbval-skip"]
interact(show_alignment, degrees=(-180, 180, 5), size=(0.1, 2.0, 0.05))

# %% [markdown]
# ## Equation, code, and where we deviate
#
# | the equation or sentence | code | where we deviate, and why |
# |---|---|---|
# | "All faces are aligned to the canonical face" | `align`, `CANONICAL` | the paper names neither points nor places; we take the nose base and four eye corners, which speech moves least |
# | $w = az + b$, least squares | `similarity` | written as Umeyama's Eq. 40-42, the same in two dimensions |
# | frames of 96 x 128 | `CANONICAL_SIZE` | not at all; other sizes scale the canonical points along |
# | landmarks in every frame | `talker.tracking.follow` | the paper names no tracker; ours detects every 25 frames and when in doubt, and fits in between |
# | steady crops | `smoothed` | a mean over 7 frames, for the transform only |
# | "roll, pitch and yaw angles are smaller" than 10 degrees | `head_pose` | the paper used a model of its own for pose; we solve for a mean head, and judge a clip by its median |
#
# ## Recap
#
# - 68 landmarks, and an error is measured in shares of the eyes' distance.
# - Align by what speech leaves alone. Measure it, with the head clamped, before you believe it.
# - A similarity is $az + b$ with complex numbers: four numbers, fitted like a line, never a mirror
#   image.
# - The mean of many aligned faces has eyes; the mean of many unaligned ones has not.
# - Landmarks err anew in every frame. Average them over time for the transform, and for nothing
#   else.
# - An anchor that moves with the sound writes the sound into the head's motion.
#
# ## Exercises
#
# 1. Training mirrors clips at random. Mirror a face's landmarks (x to -x), fit them to the
#    unmirrored ones, and look at the scale. What must be done with the indices?
# 2. Move one of the five points by one pixel, each in turn, and see by how much the crop's scale
#    changes. Which point has the most leverage, and why?
# 3. Fit an affine map (six numbers) to the five points instead. Whose faces would it change, and
#    what would the identity encoder think of it?
# 4. Replace the mean over seven frames by one over 3, 15 and 45. Draw landmark 27 again. What does
#    the longest do to a head that nods?
# 5. Add the chin (8) alone to the five. Is the bobbing better or worse than with the whole mouth?
#
# ## Appendix: solutions
#
# **1.** A mirrored right eye is in the left eye's place but is still called 36. The fit has to
# choose between a face upside down and a tiny one, and makes the scale small. Exchange the indices
# of left and right as well, and the fit is as good as a face is symmetric.
#
# **2.** The points farthest from their common middle: a fit of a line, too, is tipped by its ends.
#
# **3.** An affine map would bring all five points of everybody nearly exactly into place, by
# stretching long faces and squeezing wide ones. People would become more alike, and $z_{id}$ would
# lose what it is for.
#
# **4.** With 45 frames the transform hardly moves: it is a tripod. A nod then stays in the crop in
# full, which is right for a video of a nodding person, and wrong for a speaker who walks about.
#
# **5.** Better than with the whole mouth, and worse than without it: the chin is one point of
# six, but it moves far and lies far from the others.

# %% tags=["nbval-check-output"]
mirrored = target[five] * (-1, 1)
swapped = mirrored[[0, 4, 3, 2, 1]]
for name, points in {"mirrored": mirrored, "and indices swapped": swapped}.items():
    scale = np.sqrt(np.linalg.det(similarity(points, target[five])[:, :2]))
    print(f"{name:20} scale {scale:.2f}")

for index, name in enumerate(
    ("nose base", "outer right", "inner right", "inner left", "outer left")
):
    nudged = target[five].copy()
    nudged[index] += (0, 1) if index == 0 else (1, 0)
    scale = np.sqrt(np.linalg.det(similarity(nudged, target[five])[:, :2]))
    print(f"{name:12} {100 * abs(scale - 1):.1f} %")

chin = [*five, 8]
scales = [np.sqrt(np.linalg.det(similarity(p[chin], target[chin])[:, :2])) for p in spoken]
print(f"with the chin the face shrinks to {100 * min(scales):.0f} %")

# %% [markdown]
# ## References
#
# ```{footbibliography}
# ```
