# %% [markdown]
# # Who is speaking
#
# **What you will build.** The answer to a plain question: what does the identity code $z_{id}$ know
# about a person? You will take it away and see who notices, build t-SNE with your own hands to look
# at it, as the paper does in its Figure 11, and then distrust the picture and *count*: whose code
# is nearest, can a line part women from men, and, most important, how well do the raw pixels do the
# same.
#
# **What it needs.** The `talker` package with its weights, its renderer, dlib's landmarks and face
# embedding, and scikit-learn. Eight performers are photographed here; the results on all performers
# held out come with the book. No recordings, no GPU. It runs in about a minute on two cores.
#
# ## Where it sits
#
# At the start of the generator: one code per still. The chapter on the identity encoder builds the
# network; this one asks what came of it.

# %%
import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from ipywidgets import interact
from sklearn.manifold import TSNE

from talker import plots
from talker.animate import to_pictures
from talker.audio import audio_frames
from talker.checkpoint import load_generator
from talker.dataset import to_unit
from talker.demo import ASSETS
from talker.evaluators.face_embedding import find_embedding
from talker.experiments import identity
from talker.experiments.identity import nearest, products, purity, scores, separability
from talker.faces import DlibDetector
from talker.media import read_audio
from talker.models.identity_encoder import IdentityCode
from talker.studio.camera import Camera, Pose
from talker.studio.performer import performer
from talker.tracking import fit_crops

plots.use_style()
plots.system_diagram({"still", "identity"})
plt.show()

# %% [markdown]
# ## Eight people, three takes each
#
# Four women and four men whom the shipped weights have never seen. Each is photographed in three
# takes. In a take the head is turned in one way, and there are three mouths. Pictures of one take
# are all but equal and those of two takes are not, which will matter.


# %%
def takes(number: int, count: int = 3, each: int = 3) -> np.ndarray:
    """A performer's photographs, take after take: uint8 (count * each, 128, 96, 3)."""
    camera, rng = Camera(performer(number, seed=0)), np.random.default_rng(number)
    frames = []
    for _ in range(count):
        head, film = np.append(rng.normal(0, 3, 3), np.zeros(3)), None  # degrees; no shift
        for _ in range(each):
            jaw, pucker, smile = rng.uniform(0, (0.4, 0.6, 0.5))
            moving = {"jawOpen": jaw, "mouthPucker": pucker}
            moving |= {"mouthSmileLeft": smile, "mouthSmileRight": smile}
            vertices = camera.posed(Pose(moving, head, gaze=np.zeros(2)))
            film = camera.film(camera.landmarks(vertices)) if film is None else film
            frames.append(camera.render(vertices, film))
    return np.stack(frames)


women, men = (20, 22, 44, 46), (21, 23, 45, 47)
photographs = [takes(number) for number in women]

# %% tags=["nbval-check-output"]
photographs += [takes(number) for number in men]
pixels = np.concatenate(photographs)
people = np.repeat(np.arange(8), 9)  # whose each photograph is: 0 to 3 are women
take = np.arange(72) // 3
names = [f"p{number:03d}" for number in (*women, *men)]
print("photographs", pixels.shape, "- people", len(names), "- takes", take.max() + 1)

# %%
first_of = np.arange(0, 72, 9)
plots.strip({"take 1": pixels[first_of], "take 2": pixels[first_of + 3]}, names)
plt.show()

# %% [markdown]
# ## What breaks without it
#
# Let all eight say the loudest moment of the packaged sentence, and take pieces of what the
# encoder hands on from the next person in the row: once the code, once everything else (the skips,
# and the still's pixels where a network may paint over them). And once the code is nothing but
# zeros. Who is it then? We ask dlib's face embedding, which has no part in the generator.


# %%
@torch.inference_mode()
def speaking(code: IdentityCode) -> np.ndarray:
    """Everybody's picture at the loudest moment: uint8 (8, 128, 96, 3)."""
    z_n = torch.zeros(len(code.z_id), 1, generator.config.noise_dim)
    return to_pictures(generator.decode(code, z_c.expand(len(code.z_id), -1, -1), z_n)[:, 0])


generator = load_generator().requires_grad_(False)
sentence, _ = read_audio(ASSETS / "sentence.wav")
heard = audio_frames(torch.from_numpy(sentence), generator.config.audio)[None]
loudest = int(heard[0].square().mean(1).argmax())
z_c = generator.content_encoder(heard)[0][:, [loudest]]
own = generator.encode_still(to_unit(pixels[first_of]))
other = generator.encode_still(to_unit(np.roll(pixels[first_of], -1, axis=0)))
codes = {"all their own": own, "code of the next": own._replace(z_id=other.z_id)}
codes["code of zeros"] = own._replace(z_id=torch.zeros_like(own.z_id))
codes["all but the code"] = other._replace(z_id=own.z_id)
made = {name: speaking(code) for name, code in codes.items()}
plots.strip({"own": made["all their own"], "code": made["code of the next"]})
plt.show()
plots.strip({"zeros": made["code of zeros"], "the rest": made["all but the code"]})
plt.show()


# %% tags=["nbval-check-output"]
def embedded(frames: np.ndarray) -> np.ndarray:
    """dlib's embeddings of aligned crops: (N, 128)."""
    marks = fit_crops(frames, DlibDetector())
    return np.stack([find_embedding().embed(*pair) for pair in zip(frames, marks, strict=True)])


stills = embedded(pixels[first_of])
for name, frames in made.items():
    apart = np.linalg.norm(embedded(frames)[:, None] - stills, axis=-1)  # to each of the eight
    to_own, to_next = apart.diagonal(), np.roll(apart, -1, axis=1).diagonal()
    right = int((apart.argmin(axis=1) == np.arange(8)).sum())
    print(f"{name:17} from own still {to_own.mean():.2f}, the next person's {to_next.mean():.2f}")
    print(f"{'':17} nearest to their own still: {right} of 8")

# %% [markdown]
# Read the second and third rows. Where they are like the first, the code can be exchanged or thrown
# away and the person stays; and where the last row moves to the next person, it is the rest of what
# the encoder hands on that carries them. So a good picture does not show that the *code* knows
# anybody. The paper does not look at it like that. From a small ACD it concludes "that the
# identity encoder has managed to capture the speaker identity", and adds: "Indeed, when plotting
# the identity encoding (Fig. 11) of 1250 random images taken from the GRID test set using the
# t-Distributed Stochastic Neighbor Embedding (t-SNE) algorithm we notice that images of the same
# subject have neighbouring encodings. Additionally, we notice that the data points can be separated
# according to gender."
#
# Two claims, then, about the code itself: **neighbours** and **gender**. Both can be counted. But
# first, the picture.
#
# ## t-SNE by hand
#
# The code has 128 dimensions and a page has two. t-SNE {footcite:p}`vandermaaten2008` gives up on
# distances and keeps *neighbourhoods*. For each point $i$ it makes the others its neighbours with
# probabilities that fall like a Gaussian, whose width is chosen so that each point has about the
# same number of them, the **perplexity**. In the plane it does the same with a curve of a heavier
# tail, and moves the points until the two tables of probabilities agree:
#
# $$p_{j|i} \propto e^{-d_{ij}^2 / 2 \sigma_i^2} \qquad p_{ij} = \frac{p_{j|i} + p_{i|j}}{2N}
# \qquad q_{ij} \propto \frac{1}{1 + \lVert y_i - y_j \rVert^2} \qquad
# \text{KL} = \sum_{ij} p_{ij} \log \frac{p_{ij}}{q_{ij}}$$
#
# In a few lines, on thirty points of three clouds in ten dimensions, with PyTorch to go down the
# slope:


# %%
def neighbourhoods(points: np.ndarray, perplexity: float) -> np.ndarray:
    """p_ij (N, N): each row's width by bisection, then made symmetric."""
    squares = ((points[:, None] - points) ** 2).sum(-1)
    np.fill_diagonal(squares, np.inf)  # nobody is their own neighbour
    rows = []
    for row in squares:
        low, high = 0.0, 1e3  # of 1 / (2 sigma^2)
        for _ in range(60):
            p = np.exp(-(low + high) / 2 * (row - row.min()))
            p /= p.sum()
            wide = np.exp(-(p * np.log(p + 1e-12)).sum()) > perplexity
            low, high = ((low + high) / 2, high) if wide else (low, (low + high) / 2)
        rows.append(p)
    return (np.array(rows) + np.array(rows).T) / (2 * len(rows))


# %%
def disagreement(p: torch.Tensor, plane: torch.Tensor) -> torch.Tensor:
    """KL of the two tables, for points (N, 2) of the plane."""
    near = 1 / (1 + (plane[:, None] - plane).square().sum(-1)) * (1 - torch.eye(len(plane)))
    q = near / near.sum()
    return (p * ((p + 1e-12) / (q + 1e-12)).log()).sum()


# %%
rng, cloud = np.random.default_rng(0), np.repeat(np.arange(3), 10)
points = 4 * rng.normal(size=(3, 10))[cloud] + rng.normal(size=(30, 10))
p = torch.from_numpy(neighbourhoods(points, 5)).float()

# %%
by_hand = torch.from_numpy(rng.normal(0, 0.1, (30, 2))).float().requires_grad_()
slope = torch.optim.Adam([by_hand], 0.3)
for _ in range(400):
    slope.zero_grad()
    disagreement(p, by_hand).backward()
    slope.step()

# %%
library = TSNE(init="pca", method="exact", perplexity=5, random_state=0)
planes = {"by hand": by_hand.detach().numpy(), "scikit-learn": library.fit_transform(points)}
figure, cells = plt.subplots(1, 2, figsize=(4.6, 2.2))
for cell, (name, plane) in zip(cells, planes.items(), strict=True):
    for kind, ink in enumerate((plots.BLUE, plots.ORANGE, plots.GREEN)):
        cell.plot(*plane[cloud == kind].T, "o", color=ink, markersize=4)
    cell.set(title=name, xticks=[], yticks=[])
plt.show()

# %% tags=["nbval-check-output"]
kl = float(disagreement(p, torch.from_numpy(planes["scikit-learn"])))
print("scikit-learn's own KL is ours:", bool(abs(kl - library.kl_divergence_) < 0.02), end=", ")
print("by hand it ends about as low:", bool(disagreement(p, by_hand.detach()) < 1.25 * kl))
for name, laid in planes.items():
    far = np.linalg.norm(laid[:, None] - laid, axis=-1) + np.diag(np.full(30, np.inf))
    print(f"{name:12} nearest is of the same cloud: {(cloud[far.argmin(1)] == cloud).mean():.0%}")

# %% [markdown]
# The two planes look different and say the same: which points are neighbours. Where a cloud lies,
# how wide it is and how far from the next, t-SNE does not say. The package's version is the
# library's with one choice made: it begins at the two strongest directions, so that a plane does
# not depend on luck.

# %%
plots.show_source(identity.in_a_plane)

# %% tags=["nbval-check-output"]
z_id = identity.encode(generator, pixels)
plane = identity.in_a_plane(z_id, seed=0)
print("codes", z_id.shape, "inside [-1, 1]:", bool(np.abs(z_id).max() <= 1), "- plane", plane.shape)

# %% [markdown]
# ## A picture that would look wrong
#
# The codes of our 72 photographs, twice. Left, colours say who it is. Right, they were dealt to the
# takes at random, as a control: were there a mistake in the order of frames or names, the left
# would look like the right.

# %%
COLOURS = (plots.BLUE, plots.ORANGE, plots.GREEN, plots.VERMILION)
COLOURS += (plots.PURPLE, plots.SKY, plots.INK, "#F0E442")


def scatter(axes: plt.Axes, points: np.ndarray, owner: np.ndarray, female: np.ndarray) -> None:
    """Circles are women, triangles men; colours are shared by one of each."""
    counts = {True: 0, False: 0}
    for person, woman in enumerate(female):
        ink, mark = COLOURS[counts[bool(woman)] % 8], "o" if woman else "^"
        counts[bool(woman)] += 1
        axes.plot(*points[owner == person].T, mark, color=ink, markersize=3.5)
    axes.set(xticks=[], yticks=[])


# %%
female = np.arange(8) < 4
dealt = np.random.default_rng(1).permutation(np.repeat(np.arange(8), 3))[take]
figure, cells = plt.subplots(1, 2, figsize=(5.6, 2.8))
owners = {"as they are": people, "dealt at random": dealt}
for cell, (title, owner) in zip(cells, owners.items(), strict=True):
    scatter(cell, plane, owner, female)
    cell.set_title(title)
plt.show()

# %% [markdown]
# ## Counting neighbours
#
# Now without the plane. **Purity** is the share of pictures whose nearest neighbour, in all 128
# dimensions, is of the same person. One rule is needed to make it mean anything: a picture's own
# take does not count. By hand, on six points along a line, of two people with two takes each:

# %% tags=["nbval-check-output"]
line = np.array([[0.0], [0.1], [1.0], [5.0], [1.6], [1.7]])
whose, of_take = np.array([0, 0, 0, 1, 1, 1]), np.array([0, 0, 1, 2, 3, 3])
apart = np.where(of_take[:, None] == of_take, np.inf, abs(line - line.T))
hand = apart.argmin(axis=1)
share = [np.mean(whose[hand][whose == person] == person) for person in (0, 1)]
package = nearest(products(line), of_take)
print("by hand", hand, np.round(share, 2), "package", package, purity(package, whose).round(2))

# %%
plots.show_source(nearest, purity)

# %% [markdown]
# `products` keeps inner products about the mean, (N, N), which is all that distances need; pixels
# have 36 864 dimensions, and nothing has to hold them twice. Three spaces are asked: the code; the
# raw pixels; and, to understand the pixels, the *rim* of the picture only, eight columns at the left
# and at the right, in which there is hardly any face.

# %% tags=["nbval-check-output"]
rim = np.concatenate([pixels[:, :, :8], pixels[:, :, -8:]], axis=2)
spaces = {"z_id": products(z_id), "pixels": products(pixels), "rim": products(rim)}
for name, inner in spaces.items():
    pure = purity(nearest(inner, take), people).mean()
    luck = identity.purity_by_chance(nearest(inner, take), take, people, seed=0).mean()
    print(f"{name:7} purity {pure:.0%}, with people dealt to takes at random {luck:.0%}")

# %% [markdown]
# The control is humbling. Pictures of one person lie near each other as *pictures*: the same wall,
# the same jersey, the same light. A measure that the rim of a photograph can pass is no proof that
# a network has understood faces. GRID's speakers, too, sat before one blue wall each in their own
# clothes. What purity can show is less: that the code has not *lost* whom it is looking at, on its
# way from tens of thousands of numbers to 128.
#
# ## Parting women from men
#
# "Can be separated" is a strong word in 128 dimensions, where a flat cut can part nearly any few
# points from any others. The question is whether the cut is right about somebody *new*. A linear
# classifier with a penalty, ridge regression on labels of 1 and -1, solves one equation; by hand, in
# the form of the textbooks, on centred features $X$:
#
# $$w = (X^\top X + \lambda I)^{-1} X^\top y \qquad \text{score}(x) = (x - \bar x) \cdot w + \bar y$$

# %% tags=["nbval-check-output"]
fit, ask = people % 4 != 0, people % 4 == 0  # the first woman and the first man are new
label = np.where(people < 4, 1.0, -1.0)
X = z_id[fit] - z_id[fit].mean(axis=0)
strength = identity.RIDGE * (X**2).sum()  # of the total variance, as the package has it
w = np.linalg.solve(X.T @ X + strength * np.eye(128), X.T @ (label[fit] - label[fit].mean()))
hand = (z_id[ask] - z_id[fit].mean(axis=0)) @ w + label[fit].mean()
package = scores(spaces["z_id"], label[:, None], fit, ask)[:, 0]
print("the package's scores are those by hand:", bool(np.allclose(hand, package, atol=1e-3)))

# %%
plots.show_source(scores)

# %% [markdown]
# The package writes the same thing with inner products, so that pixels cost no more than codes.
#
# ## A failure: asking about people it has met
#
# Who is left out decides everything. Below, the labels are nonsense: four people drawn at random are
# called one kind, the other four the other, whoever they are. Nothing can be learnt about new people
# from that. The classifier is tested in two ways: on *pictures* that were left out, every third one,
# and on *people* who were left out, a pair at a time.

# %% tags=["nbval-check-output"]
rng, kinds = np.random.default_rng(0), np.repeat([1.0, -1.0], 4)
nonsense = np.stack([rng.permutation(kinds)[people] for _ in range(40)], axis=1)  # (72, 40)
folds = {"pictures left out": np.arange(72) % 3, "people left out": people % 4}
for name, fold in folds.items():
    for space in ("z_id", "pixels"):
        right = separability(spaces[space], nonsense, fold).mean()
        print(f"{name:18} {space:7} {right:.0%} right")

# %% [markdown]
# With pictures left out, nonsense is "learnt": the classifier knows each person from the other
# pictures and remembers what that person was called. A plot of Fig. 11's kind invites the same
# mistake, since an eye that sees some clusters of women and some of men can always draw a line,
# as winding as it has to be. With people left out the answer is what it must be, luck, and often
# worse: pairs of which one is called wrongly leave the other kind in the majority. This is why the
# experiment leaves out a woman and a man at a time (`in_pairs`), and gives what random labels come
# to beside each number.
#
# ## All performers held out
#
# `talker.experiments.identity` does all this for the corpus: as many frames as the paper has, of all
# performers held out, from several clips of each.

# %%
results = Path("../figures/results")
stored = json.loads((results / "identity.json").read_text())
points = np.load(results / "identity_points.npy")
clips, about = stored["per_clip"], stored["circumstances"]
performers = list(dict.fromkeys(clips["speaker"]))
owner = np.repeat([performers.index(name) for name in clips["speaker"]], clips["frames"])
gender = dict(zip(clips["speaker"], clips["gender"], strict=True))
figure, axes = plt.subplots(figsize=(4.6, 3.6))
scatter(axes, points, owner, np.array([gender[name] == "female" for name in performers]))
axes.set_title(f"{about['frames']} frames of {about['performers']} performers, Fig. 11")
plt.show()

# %% [markdown]
# Circles are women, triangles men, and a woman and a man share a colour. Now what is counted, with
# 95 % intervals over performers; frames of one face are no independent witnesses. "Luck" is the
# middle 95 % of what labels dealt at random come to. There are two tests of gender. One learns from
# the other performers held out. The other learns from those that the encoder was trained on, of
# whom there are more, and asks about all held out.


# %% tags=["nbval-check-output"]
def said(row: dict) -> str:
    return f"{100 * row['value']:5.1f} % ({100 * row['low']:.0f} to {100 * row['high']:.0f})"


values = stored["values"]
rows = {"purity": "purity", "gender": "gender, from others held out"}
rows["gender_from_training"] = "gender, from training performers"
for key, label in rows.items():
    print(label)
    for space in ("z_id", "pixels"):
        luck = values[space].get(f"{key}_chance")
        beside = f"luck {said(luck)}" if luck else "luck 50 %"
        print(f"    {space:7} {said(values[space][key])}   {beside}")

# %% [markdown]
# What would make the claims true? We ask that the whole interval lie above all that luck gives in the
# middle 95 % of its draws. For gender that is a lot, since the performers are few and luck reaches far.
# It does not decide anything here: "separated" would fail even if its value alone had to be above that
# band, and "neighbouring" passes by far. Figure 11 shows people of the test set
# only, so the first test of gender decides about it; the second is printed beside it.


# %% tags=["nbval-check-output"]
def verdict(row: dict, luck: dict) -> str:
    """The claim's fate: what lies above `luck` as a whole is reproduced."""
    if row["low"] > luck["high"]:
        return "reproduced"
    return "not reproduced: " + ("below luck" if row["high"] < luck["low"] else "as luck has it")


code, raw = values["z_id"], values["pixels"]
for key, claim in {"purity": "neighbouring encodings", "gender": "separated by gender"}.items():
    print(f"'{claim}':", verdict(code[key], code[f"{key}_chance"]))
if "gender_from_training" in code:
    told = "better" if code["gender_from_training"]["low"] > 0.5 else "no better"
    print(f"gender learnt from training performers: {told} than a coin")
ahead = raw["purity"]["low"] > code["purity"]["high"]
behind = raw["purity"]["high"] < code["purity"]["low"]
print("purity of raw pixels is", "higher" if ahead else "lower" if behind else "about the same")

# %% [markdown]
# So this is what became of Fig. 11 here. Where a line says "not reproduced", it is not the figure's
# fault alone: the paper looked at recorded people and at a plot, and we at rendered ones and at a
# count. The performers held out are few to learn gender from, which makes that interval wide, and
# is why the second test exists. If that one is better than a coin where the first is not, then the
# code holds something of gender, and it takes many people to find it. That is much less than points
# that "can be separated".
#
# And beside every line stands the control. Whatever the code knows, the pixels of the still know
# too, since the code is made from nothing else. Where raw pixels are the purer, the encoder has
# gained nothing by this measure and lost a little; it was never trained to keep people apart, only
# to help a decoder that has skips for the rest. A reader who is shown a plane of clusters should
# always ask to see the plane of the pixels.
#
# ## Clusters out of nothing
#
# One more reason to count. Here is t-SNE on a single round cloud of noise in ten dimensions, without
# a cluster in it, at three perplexities.


# %%
def show_noise(perplexity: float) -> None:
    """t-SNE of one Gaussian cloud, beside one of higher perplexity."""
    cloud = np.random.default_rng(0).normal(size=(120, 10))
    figure, cells = plt.subplots(1, 3, figsize=(plots.WIDTH, 2.2))
    for cell, wide in zip(cells, (perplexity, 4 * perplexity, 8 * perplexity), strict=True):
        laid = TSNE(init="pca", perplexity=wide, random_state=0).fit_transform(cloud)
        cell.plot(*laid.T, "o", color=plots.INK, markersize=3)
        cell.set(title=f"perplexity {wide:g}", xticks=[], yticks=[])
    plt.show()


show_noise(3)

# %% [markdown]
# With few neighbours each, points huddle with whoever is near by chance. The eye sees strings and
# clumps. In JupyterLab the slider moves the perplexity.

# %% tags=["remove-cell", "nbval-skip"]
interact(show_noise, perplexity=(2, 14, 1))

# %% [markdown]
# ## Equation, code, and where we deviate
#
# | the paper's equation, sentence or figure | code | where we deviate, and why |
# |---|---|---|
# | "a 128 dimensional encoding $z_{id}$" | `Generator.encode_still` | not at all |
# | Fig. 11, t-SNE of 1250 random images | `in_a_plane`, `sample` | frames spread evenly over performers, clips and time; begun at principal components |
# | "neighbouring encodings" | `nearest`, `purity` | counted in all dimensions; a frame's own clip is left out |
# | "can be separated according to gender" | `scores`, `separability`, `in_pairs` | counted on people who were not learnt from; labels dealt at random beside it |
# | no control | the space "pixels" | what needs no encoder is no merit of one |
#
# ## Recap
#
# - Take a part away before you ask what it knows. A picture may be right without it.
# - t-SNE keeps neighbourhoods and nothing else; it makes clumps of noise. Look at it, then count.
# - Leave out what belongs together: a picture's take, a person's pictures.
# - Every score needs two neighbours: what luck gives, and what raw pixels give.
# - Say what did not come out as the paper says, as plainly as what did.
#
# ## Exercises
#
# 1. Count purity without leaving out a picture's own take. What does every space score, and what
#    have you measured?
# 2. Shrink the photographs to 3 x 4 pixels. What is the purity of those 36 numbers?
# 3. Is the code of a mirrored photograph still nearest to its own person's?
# 4. How many people would you need to tell 60 % right from luck, if each counted once?
#
# ## Appendix: solutions
#
# **1.** See below: nearly everything scores nearly everything. It measures that a film changes
# little from one picture to the next.
#
# **2.** Also below. Twelve patches of colour are enough to know a wall and a jersey.
#
# **3.** Below, for all 72 photographs, each against those of other takes. A face in a mirror is the
# same face to us; to a network it is whatever its training made of it.
#
# **4.** The share of $n$ independent answers varies by $\sqrt{0.25 / n}$ about a half. For 60 % to
# lie two deviations above, $0.1 = 2 \sqrt{0.25 / n}$, so $n$ is about a hundred. With performers who
# share a renderer, and pictures that share a performer, more.

# %% tags=["nbval-check-output"]
alone = np.arange(72)  # only the picture itself is left out
pure = {name: purity(nearest(inner, alone), people).mean() for name, inner in spaces.items()}
print({name: f"{share:.0%}" for name, share in pure.items()})
small = pixels.reshape(72, 4, 32, 3, 32, 3).mean(axis=(2, 4))
print(f"3 x 4 pixels: {purity(nearest(products(small), take), people).mean():.0%}")
mirrored = identity.encode(generator, np.ascontiguousarray(pixels[:, :, ::-1]))
apart = np.linalg.norm(mirrored[:, None] - z_id, axis=-1)
apart[take[:, None] == take] = np.inf
same = people[apart.argmin(axis=1)] == people
print(f"mirrored: {same.mean():.0%} nearest to their own person")

# %% [markdown]
# ## References
#
# ```{footbibliography}
# ```
