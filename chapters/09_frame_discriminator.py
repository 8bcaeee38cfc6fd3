# %% [markdown]
# # The frame discriminator
#
# **What you will build.** A judge of single frames: it is shown a frame and the still beside it,
# and says whether this is a photograph of that person. You will see why a generator that is
# trained with an L1 loss alone cannot be sharp, cure that on a picture of sixteen pixels with a
# judge of your own, compute the package's network by hand, and train it twice inside this
# notebook: against blurred frames, and against sharp frames of somebody else.
#
# **What it needs.** The `talker` package and its renderer, which makes the faces. No weights, no
# corpus. It runs in under a minute on two cores.
#
# ## Where it sits
#
# Beside the generator, in training only. Whoever animates a photograph never runs it; it comes
# with the shipped weights for those who go on training. There it has the harder job of the two: it
# must find out what a frame lacks, and say so in a way that the generator can follow, as a
# gradient.

# %%
import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from ipywidgets import interact
from torch import Tensor, nn

from talker import losses, plots
from talker.config import DiscriminatorConfig, ModelConfig
from talker.dataset import to_unit
from talker.models.frame_discriminator import FrameDiscriminator
from talker.models.layers import halving_stack
from talker.studio.camera import Camera, Pose
from talker.studio.performer import performer

plots.use_style()
plots.judges_diagram({"still", "frames", "frame"})
plt.show()

# %% [markdown]
# ## What breaks without it
#
# Suppose the generator knows everything about a frame but one thing, and that one thing the sound
# does not tell. Say a picture has sixteen pixels in a row and shows a bright stripe, three pixels
# wide, in any of ten places. What should be painted, if the score is the mean absolute
# difference to the truth, whatever the truth turns out to be? Try three answers: one of the real
# pictures, the mean of all, and nothing.

# %% tags=["nbval-check-output"]
PIXELS, WIDE = 16, 3
places = torch.arange(3, 13)
stripes = torch.full((len(places), PIXELS), -1.0)
for row, place in enumerate(places):
    stripes[row, place - 1 : place - 1 + WIDE] = 1.0
guesses = {
    "a real one": stripes[4],
    "the mean": stripes.mean(0),
    "the median": stripes.median(0).values,
}
for name, guess in guesses.items():
    score = (guess - stripes).abs().mean()
    print(f"{name:11} L1 {score:.3f}, brightest pixel {guess.max():5.2f}")

# %% [markdown]
# The best answer is the **median** of each pixel on its own, and since no pixel is lit in more
# than three cases of ten, the median is black: the stripe is gone. (Under a squared error the best
# answer is the mean, a grey smear {footcite:p}`mathieu2016`.) A real picture, which is
# what we want to see, is a worse answer than an empty one. That is no weakness of training. It is
# what the loss asks for. Teeth, lashes and the line
# between the lips are such stripes, thin, bright or dark, and never in quite the same place.
#
# The same with a face. We render a performer many times with the mouth doing something else each
# time, and take the median of every pixel.


# %%
def pose(rng: np.random.Generator) -> Pose:
    """Some mouth, some brows, the head a little turned."""
    stretch = rng.uniform(0, 0.5)
    actions = {
        "jawOpen": rng.uniform(0, 0.5),
        "mouthPucker": rng.uniform(0, 0.7) * rng.integers(2),
        "mouthStretchLeft": stretch,
        "mouthStretchRight": stretch,
        "browInnerUp": rng.uniform(0, 0.5),
    }
    return Pose(actions, np.append(rng.uniform(-3, 3, 3), np.zeros(3)), np.zeros(2))


# %%
def portraits(number: int, count: int) -> Tensor:
    """A performer's still and then `count` frames, (1 + count, 3, 128, 96) in [-1, 1]."""
    camera, rng = Camera(performer(number, seed=0)), np.random.default_rng(number)
    poses = [Pose({}, np.zeros(6), np.zeros(2)), *(pose(rng) for _ in range(count))]
    seen = [camera.posed(each) for each in poses]
    return to_unit(np.stack([camera.render(v, camera.film(camera.landmarks(v))) for v in seen]))


# %%
many = portraits(23, 24)[1:]
median = many.median(0).values
mouth = (..., slice(64, 120), slice(20, 76))
plots.strip(
    {"": [*(frame[mouth] for frame in many[:6]), many.mean(0)[mouth], median[mouth]]},
    [*["real"] * 6, "mean", "median"],
)
plt.show()


# %% tags=["nbval-check-output"]
def edges(images: Tensor) -> Tensor:
    """The mean difference of neighbouring pixels: large when there is detail."""
    return images.diff(dim=-1).abs().mean() + images.diff(dim=-2).abs().mean()


def l1(guess: Tensor) -> float:
    return losses.reconstruction_loss(many, guess.expand_as(many)).item()


print("the median beats every real frame:", l1(median) < min(l1(frame) for frame in many))
print("and has less detail at the mouth: ", bool(edges(median[mouth]) < edges(many[mouth])))

# %% [markdown]
# No real frame is as good a guess as the median, and nobody would take the median for a
# photograph. A generator under L1 that knows the sound does better, because the sound says much
# about the mouth. It does the same with whatever the sound leaves open.
#
# ## A judge, hand-sized
#
# The way out {footcite:p}`goodfellow2014` is to stop comparing with one truth and to ask a second
# network whether the picture *could* be true. It gets real pictures and painted ones and learns to
# tell them apart; the painter gets its gradient. Smears are easy to tell from stripes, so smears
# stop paying. Here it is on the sixteen pixels: a painter that turns eight random numbers into a
# picture, a judge of three layers, and the package's own losses. It is trained twice, first with
# L1 alone and then with L1 and the judge.


# %%
def layers(*sizes: int) -> nn.Sequential:
    steps = [(nn.Linear(a, b), nn.LeakyReLU(0.2)) for a, b in zip(sizes, sizes[1:], strict=False)]
    return nn.Sequential(*[module for step in steps for module in step][:-1])


def paint(judged: bool, steps: int = 800) -> Tensor:
    """Pictures (1000, PIXELS) of a painter that was trained with a judge or without."""
    torch.manual_seed(0)
    painter, judge = layers(8, 64, 64, PIXELS), layers(PIXELS, 64, 64, 1)
    adam = [torch.optim.Adam(net.parameters(), 1e-3, (0.5, 0.999)) for net in (painter, judge)]
    for _ in range(steps):
        real = stripes[torch.randint(len(stripes), (64,))]
        painted = painter(torch.randn(64, 8)).tanh()
        blame = losses.frame_discriminator_loss(judge(real), judge(painted.detach()))
        adam[1].zero_grad()
        blame.backward()
        adam[1].step()
        loss = F.l1_loss(painted, real) + judged * losses.frame_generator_loss(judge(painted))
        adam[0].zero_grad()
        loss.backward()
        adam[0].step()
    return painter(torch.randn(1000, 8)).tanh().detach()


# %%
painted = {"L1 alone": paint(False), "L1 and a judge": paint(True)}
figure, axes = plt.subplots(1, 3, figsize=(plots.WIDTH, 1.7))
shown = {"real": stripes} | painted
for cell, (name, rows) in zip(axes, shown.items(), strict=True):
    cell.imshow(rows[:12], cmap="gray", vmin=-1, vmax=1, aspect="auto")
    cell.set(title=name, xticks=[], yticks=[], xlabel="16 pixels")
axes[0].set_ylabel("one picture a row")
plt.show()
nearest = (painted["L1 and a judge"][:, None] - stripes).abs().mean(2).argmin(1)
print(
    "of 1000 painted with a judge, at each of the ten places:",
    nearest.bincount(minlength=10).tolist(),
)

# %% tags=["nbval-check-output"]
for name, rows in painted.items():
    lit = rows > 0
    whole = (lit.sum(1) == WIDE) & ((lit[:, 1:] != lit[:, :-1]).sum(1) == 2)
    print(f"{name:15} most pictures have one whole stripe: {bool(whole.float().mean() > 0.5)}")

# %% [markdown]
# Without the judge every picture is black. With it, most have a stripe, as wide as a stripe should
# be. Look closer, though: real stripes are in ten places equally often, and some of these the painter
# hardly uses, however often it is asked. The judge sees one picture at a time and has no way to say "you always paint it there". That is **mode
# collapse**, and it will matter for blinks.
#
# ## Beside the still
#
# A generator that is told only "look like a photograph" may paint a fine photograph of somebody
# else. The paper's remedy: "the original still frame is concatenated channel-wise to the target
# frame and used as a condition, which enforces the identity onto the video frames". Channel-wise
# means that a pixel of the frame and the pixel of the still at the same place are neighbours, in
# one list of six numbers, as in pix2pix {footcite:p}`isola2017`. What a convolution makes of them
# is a weighted sum, and with weights of +1 and -1 it is a difference. Two pictures of 2 x 2 pixels
# and one channel each:

# %% tags=["nbval-check-output"]
frame = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
still = torch.tensor([[1.0, 2.0], [3.0, 9.0]])
pair = torch.stack([frame, still])
print("the pair", tuple(pair.shape), "at the last pixel:", pair[:, 1, 1].tolist())
compare = torch.tensor([1.0, -1.0]).view(1, 2, 1, 1)
print("what (+1, -1) sees:", F.conv2d(pair[None], compare).flatten().tolist())

# %% [markdown]
# ## The package's version
#
# Six convolutions: five that halve the picture and one that reads what is left, 4 x 3 places, into
# a single number, the **logit**. Positive means real. There is no sigmoid at the end, because the
# losses need logarithms of it and take them in one step without rounding. Every frame of a clip is
# judged beside the same still, on its own.

# %%
plots.show_source(FrameDiscriminator, halving_stack)

# %% [markdown]
# By hand, the first convolution is four loops: at every second place a patch of 4 x 4 pixels of
# all six channels, times a kernel of the same size, summed. We compute one channel of a random
# network's first layer so, in NumPy, and compare. Then we run the rest layer by layer.

# %% tags=["nbval-check-output"]
torch.manual_seed(0)
judge = FrameDiscriminator(ModelConfig(), DiscriminatorConfig(frame_width=8))
photographs = many[:2]
first = judge.stack[0]


def convolve_by_hand(pair: np.ndarray, kernel: np.ndarray, bias: float) -> np.ndarray:
    """(6, H, W) and (6, 4, 4) -> (H / 2, W / 2): stride 2, one row of zeros on every side."""
    padded = np.pad(pair, ((0, 0), (1, 1), (1, 1)))
    height, width = pair.shape[1] // 2, pair.shape[2] // 2
    places = [[(2 * y, 2 * x) for x in range(width)] for y in range(height)]
    return np.array(
        [[(padded[:, y : y + 4, x : x + 4] * kernel).sum() + bias for y, x in r] for r in places]
    )


with torch.no_grad():
    pairs = torch.cat([photographs, photographs[:1].expand(2, -1, -1, -1)], dim=1)
    ours = convolve_by_hand(pairs[1].numpy(), first.weight[3].numpy(), first.bias[3].item())
    print("one channel by loops:", np.allclose(ours, first(pairs)[1, 3], atol=1e-4))
    features = pairs
    for layer in judge.stack:
        features = layer(features)
        if isinstance(layer, nn.Conv2d):
            print("  after a convolution", tuple(features.shape[1:]))
    by_hand = judge.last(features).flatten()
    print("the same logits:", torch.allclose(by_hand, judge(photographs[None], photographs[:1])[0]))

# %% [markdown]
# ## Faces to judge
#
# Eight performers to train on and four to test with, whom the judge never sees in training: a
# still each, mouth closed, and six frames. The upper row is the still, the lower one of the
# frames.

# %%
SEEN, UNSEEN, FRAMES = range(8), range(20, 24), 6
train = torch.stack([portraits(number, FRAMES) for number in SEEN])
test = torch.stack([portraits(number, FRAMES) for number in UNSEEN])
everyone = torch.cat([train, test])
plots.strip({"still": list(everyone[:, 0]), "frame": list(everyone[:, 2])})
plt.show()

# %% [markdown]
# One function trains a judge. It minimises Eq. 2 of the paper with the sign turned,
#
# $$-\log D(S(x), x_1) - \log\left(1 - D(S(G(z)), x_1)\right)$$
#
# where $x_1$ is the still and $S$ draws frames at random. For now the generator is a fixed
# function `fake` that spoils real frames. The rate is ten times the paper's, because our training
# is over in seconds.


# %%
def train_judge(fake, steps: int, seed: int = 0, condition: bool = True) -> tuple:
    """A judge of real against `fake(who, which)` frames, and its loss at every step."""
    torch.manual_seed(seed)
    judge = FrameDiscriminator(ModelConfig(), DiscriminatorConfig(frame_width=8))
    adam = torch.optim.Adam(judge.parameters(), 1e-3, betas=(0.5, 0.999))
    told = []
    for _ in range(steps):
        who = torch.randperm(len(train))
        which = 1 + torch.randint(FRAMES, (2, len(who)))
        both = torch.stack([train[who, which[0]], fake(who, which[1])], dim=1)
        on_real, on_fake = judge(both, train[who, 0] * condition).unbind(1)
        loss = losses.frame_discriminator_loss(on_real, on_fake)
        adam.zero_grad()
        loss.backward()
        adam.step()
        told.append(loss.item())
    return judge, told


@torch.no_grad()
def beliefs(judge: nn.Module, frames: Tensor, condition: bool = True) -> Tensor:
    """How real the frames (4, F, 3, H, W) look beside the test performers' stills: (4, F)."""
    return judge(frames, test[:, 0] * condition).sigmoid()


# %% [markdown]
# ## First training: sharp against soft
#
# The fakes are real frames with every pixel replaced by the mean of the 5 x 5 around it, much
# like what L1 alone would paint.


# %%
def soften(frames: Tensor) -> Tensor:
    """(..., 3, H, W), each pixel the mean of the 5 x 5 around it."""
    flat = frames.flatten(0, -4)
    return F.avg_pool2d(flat, 5, 1, 2, count_include_pad=False).view(frames.shape)


soft = soften(train)
keen, told = train_judge(lambda who, which: soft[who, which], 60)

# %%
figure, axes = plt.subplots(figsize=(plots.WIDTH, 1.9))
axes.plot(told)
axes.axhline(2 * np.log(2), color="#999999", linestyle="--", linewidth=1)
axes.annotate(
    "guessing: 2 log 2", (60, 2 * np.log(2)), (0, 4), textcoords="offset points", ha="right"
)
axes.set(xlabel="steps", ylabel="nats", ylim=(0, None), title="the judge's loss (Eq. 2)")
plt.show()

# %% tags=["nbval-check-output"]
sharp = test[:, 1:]
on_sharp, on_soft = beliefs(keen, sharp), beliefs(keen, soften(sharp))
print(f"of {sharp[:, :, 0, 0, 0].numel()} frames of unseen performers and as many softened:")
print("called real:", int((on_sharp > 0.5).sum()), "sharp,", int((on_soft > 0.5).sum()), "soft")

# %% [markdown]
# A few seconds suffice. This is worth remembering: a real generator meets a judge that learns
# fast, and the art of adversarial training is to keep the two in balance (the subject of
# [chapter 12](12_losses_and_training.ipynb)).
#
# ## What the generator is told
#
# The generator sees one thing of the judge: the gradient of its loss at the generator's own
# pixels. Here it is for the softened frames. Bright is where a change would persuade the judge
# most. If the frame and the still were joined the wrong way, or the gradient were of the still
# instead, the pattern would not sit on the face's details.

# %%
asked = soften(sharp[:, 0]).requires_grad_()
losses.frame_generator_loss(keen(asked[:, None], test[:, 0])).backward()
wish = F.avg_pool2d(asked.grad.abs().sum(1, keepdim=True), 5, 1, 2)[:, 0]
figure, axes = plt.subplots(2, 4, figsize=(4.6, 3.2))
for column, (picture, heat) in enumerate(zip(asked, wish, strict=True)):
    axes[0, column].imshow(plots.picture(picture))
    axes[1, column].imshow(heat, cmap="cividis")
for cell in axes.flat:
    cell.axis("off")
plt.show()

# %% tags=["nbval-check-output"]
detail = (sharp[:, 0] - asked.detach()).abs().sum(1)
fine = detail > detail.flatten(1).quantile(0.9, dim=1)[:, None, None]
ratio = wish[fine].mean() / wish[~fine].mean()
print("the wish is stronger where softening took most:", bool(ratio > 1.2))

# %% [markdown]
# ## Second training: the right person
#
# Now the fakes are sharp. They are real frames, of somebody else. Nothing in such a frame is
# wrong; it is wrong beside this still. One judge gets the stills, the other gets black pictures in
# their place.

# %%
swapped = {}
for name, condition in {"with the still": True, "without": False}.items():
    swapped[name] = train_judge(
        lambda who, which: train[who.roll(1), which], 80, condition=condition
    )

# %%
figure, axes = plt.subplots(figsize=(plots.WIDTH, 1.9))
for name, (_, told) in swapped.items():
    axes.plot(told, label=name)
axes.axhline(2 * np.log(2), color="#999999", linestyle="--", linewidth=1)
axes.set(xlabel="steps", ylabel="nats", ylim=(0, None), title="the judge's loss (Eq. 2)")
axes.legend()
plt.show()

# %% tags=["nbval-check-output"]
strangers = sharp.roll(1, 0)
for name, (judge, _) in swapped.items():
    condition = name == "with the still"
    on_own, on_other = (beliefs(judge, frames, condition) for frames in (sharp, strangers))
    pairs = (on_own.flatten()[:, None] - on_other.flatten()).sign()
    print(f"{name:15} own over stranger in all pairs: {bool((pairs > 0).all())}")

# %% [markdown]
# ## A failure: the judge without the still
#
# The dashed line is what a coin would score, and the second judge does not get under it. It
# cannot: every frame comes up as real as often as it comes up as fake, so the best that can be
# said of any of them is one half. A generator that trained against it would be free to change the
# face from frame to frame. The first judge is sure after a few steps, and is right about
# performers whom it has never seen.
#
# Right for which reason, though? We cut a rectangle with eyes, nose and mouth out of the
# stranger's frame and paste it into the person's own, and the other way round.

# %%
inside = (..., slice(24, 116), slice(16, 80))
face_of_other, rest_of_other = sharp.clone(), strangers.clone()
face_of_other[inside], rest_of_other[inside] = strangers[inside], sharp[inside]
kinds = {
    "own": sharp,
    "stranger's face": face_of_other,
    "stranger's rest": rest_of_other,
    "stranger": strangers,
}
figure = plots.strip(
    {"still": list(test[:, 0])} | {name: list(frames[:, 0]) for name, frames in kinds.items()}
)
figure.set_size_inches(3.9, 6.2)
plt.show()

# %%
for name, frames in kinds.items():
    row = beliefs(swapped["with the still"][0], frames).mean(1)
    print(f"{name:16}" + "".join(f"{value:7.2f}" for value in row))

# %% [markdown]
# Each column of numbers is a person, each number a mean over six frames. The first and the last
# row are what it was trained for. In between, it was never told what should count, and it need
# not treat all people alike. For some a stranger's face passes when hair and wall are right, and for
# most the own face fails when they are not: there it looks at the surroundings. A judge uses whatever works on its training data, and that may be the
# shirt or the wall. In a GAN this corrects itself to some degree, since a generator that gets the
# wall right takes that clue away, and the judge must look for another.
#
# ## Turn the knob
#
# How soft must a frame be before the judge notices? The picture blends a frame with its softened
# copy and prints the belief of the judge from the first training. In JupyterLab the slider moves
# it.


# %%
def show_belief(person: int, share: float) -> None:
    """A blend of a test performer's frame and its soft copy, and the belief in it."""
    frame = sharp[person, 0]
    blend = (1 - share) * frame + share * soften(frame[None])[0]
    belief = keen(blend[None, None], test[person : person + 1, 0]).sigmoid().item()
    figure, axes = plt.subplots(figsize=(1.7, 2.0))
    axes.imshow(plots.picture(blend))
    axes.set_title(f"{share:.0%} soft: D = {belief:.2f}")
    axes.axis("off")
    plt.show()


show_belief(0, 0.5)

# %% tags=["remove-cell", "nbval-skip"]
interact(show_belief, person=(0, 3), share=(0.0, 1.0, 0.05))

# %% [markdown]
# ## Equation, code, and where we deviate
#
# | the paper's equation or sentence | code | where we deviate, and why |
# |---|---|---|
# | "a 6-layer CNN that determines whether a frame is real or not" | `FrameDiscriminator` | not at all; the paper gives no widths, ours is `frame_width` |
# | the still "concatenated channel-wise to the target frame" | `torch.cat([frames, condition], dim=2)` | not at all |
# | normalisation | `halving_stack`, `group_norm` | the paper names none for its discriminators; group norm {footcite:p}`wu2018` looks at one picture at a time, and [chapter 11](11_synchronization_discriminator.ipynb) shows what batch norm does here |
# | Eq. 2 | `losses.frame_discriminator_loss` | on logits; the generator minimises $-\log D$, chapter 12 says why |
# | "frames that are sampled uniformly from a video" | `talker.draws`, `judged` | up to three of the frames that are decoded anyway |
# | it judges whole frames | `emphasis.with_rest_of`, `judge_rest` | in `laptop` it is shown hair and outline of the upper half as the still has them: where it sees heads turn, it asks for turns, and a small decoder then paints both places of an edge |
# | Adam, rate 0.0001 | `TrainConfig.frame_rate` | 0.0002 in `laptop`, in this chapter 0.001; first moment 0.5 instead of 0.9, as is usual for GANs |
#
# ## Recap
#
# - Under L1 the best guess is the median of every pixel on its own: thin things vanish, and every
#   real picture scores worse. It is the loss, not the network.
# - A second network that learns to tell real from painted makes smears expensive.
# - It sees the frame and the still as one picture of six channels. Without the still, a stranger's
#   face is as good as one's own.
# - All that the generator learns from it is a gradient on pixels, and one can look at that.
# - It judges frames one at a time. What is wrong *between* frames it cannot know.
#
# ## Exercises
#
# 1. For which stripe width would the median picture show light at all? Change `WIDE` and predict
#    the answer before you run it.
# 2. Train the judge against frames that are one pixel to the right of where they should be. With
#    or without the still, does it find out? Why should anyone want it to?
# 3. Give the judge each real frame beside a *mirrored* still. Does its belief fall, and what would
#    you do in training so that it does not matter?
# 4. How large is the part of the picture that one of the last 4 x 3 places can see? Work it out
#    from kernels and strides.
# 5. Count how many of the ten places the painter of the sixteen pixels uses, for five seeds.
#
# ## Appendix: solutions
#
# **1.** A pixel's median is bright once it is lit in more than half of the ten cases. A pixel in
# the middle is lit in as many cases as the stripe is wide, so six.
#
# **2.** With the still it has something to compare the wall and the shirt with. Such a judge keeps
# a generator from drifting. **3.** Training mirrors still and frames together, half the time.
#
# **4.** Walk backwards: one place needs 4 of the layer before, and n places need 2n + 2.

# %% tags=["nbval-check-output"]
reach = 1
for _ in range(5):
    reach = 2 * reach + 2
print(f"one place sees {reach} x {reach} pixels of 128 x 96")

# %% [markdown]
# **5.** Give `paint` the seed and count the places with at least 10 of 1000 pictures. It is fewer than
# ten each time. (Twelve pictures would miss some of ten places by chance.) More layers do not cure it; showing the judge several pictures at once does, because then
# sameness can be seen.
#
# ## References
#
# ```{footbibliography}
# ```
