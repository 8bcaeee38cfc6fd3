# %% [markdown]
# # The frame decoder
#
# **What you will build.** The box that paints. It takes three codes and the skips, and draws one
# frame of 96 x 128 pixels, without knowing what came before or after it. You will stamp a
# transposed convolution by hand, follow a latent vector up five levels, and take apart the two
# departures that make the shipped decoder move: `injection` and `composition`. Both are then
# switched on and off in a real little training on this page. The failure at the end is one that
# every picture-making network must avoid: the checkerboard.
#
# **What it needs.** The `talker` package with its weights and renderer. Ten performers are
# rendered, and four small networks trained. Under a minute on two cores.
#
# ## Where it sits
#
# At the end of the generator, where everything comes together. It is by far the most expensive box,
# and the only one whose output anybody sees.

# %%
import copy
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from ipywidgets import interact

from talker import plots
from talker.audio import audio_frames
from talker.checkpoint import load_generator
from talker.config import ModelConfig, preset
from talker.dataset import to_unit
from talker.demo import ASSETS
from talker.emphasis import MOUTH
from talker.losses import reconstruction_loss
from talker.media import read_audio
from talker.models.frame_decoder import CodeMaps, DecoderBlock, FrameDecoder, SkipConvolution
from talker.models.generator import Generator
from talker.models.identity_encoder import IdentityEncoder
from talker.studio.camera import Camera, Pose
from talker.studio.performer import performer

plots.use_style()
plots.system_diagram({"decoder", "frames"})
plt.show()

# %% [markdown]
# ## What breaks without its parts
#
# A decoder without *anything* is no picture at all, so take out one part at a time. Eight
# performers, who will train the small networks later, and two whom nobody has trained on, are
# rendered at rest and with six mouths. One of the two speaks the package's sentence, and the
# shipped decoder draws it four times more: without the maps through which $z_c$ is injected,
# without those of $z_n$, with the skips replaced by zeros, and with the still's own pixels replaced
# by grey.


# %%
def photographs(number: int) -> np.ndarray:
    """A performer at rest and with each of six mouths, uint8 (7, 128, 96, 3)."""
    camera, film, taken = Camera(performer(number, seed=0)), None, []
    for jaw, pucker, stretch in mouths * (0.5, 0.7, 0.5):
        sides = {f"mouthStretch{side}": stretch for side in ("Left", "Right")}
        pose = Pose({"jawOpen": jaw, "mouthPucker": pucker} | sides, np.zeros(6), np.zeros(2))
        vertices = camera.posed(pose)
        film = camera.film(camera.landmarks(vertices)) if film is None else film
        taken.append(camera.render(vertices, film))
    return np.stack(taken)


mouths = np.random.default_rng(1).uniform(0, 1, (7, 3))
mouths[0] = 0
people = to_unit(np.stack([photographs(number) for number in (*range(8), 20, 44)]))
top, bottom, left, right = MOUTH
sentence, _ = read_audio(ASSETS / "sentence.wav")
heard = audio_frames(torch.from_numpy(sentence), ModelConfig().audio)[None]
mouth = slice(int(top * 128), int(bottom * 128)), slice(int(left * 96), int(right * 96))

# %% tags=["nbval-check-output"]
generator = load_generator().requires_grad_(False)
decoder, config = generator.frame_decoder, generator.config
z_c, _ = generator.content_encoder(heard)
dice = torch.Generator().manual_seed(0)
z_n, _ = generator.noise_generator(generator.noise_generator.draw(1, heard.shape[1], dice))
code = generator.encode_still(people[8, :1])
frames = generator.decode(code, z_c, z_n)[0]
print("z_c", tuple(z_c.shape), "z_n", tuple(z_n.shape), "frames", tuple(frames.shape))


# %%
def without(part: str) -> torch.Tensor:
    """The frames, drawn without one part of the shipped decoder."""
    crippled, known = copy.deepcopy(decoder), code
    for block in crippled.blocks:
        if block.injected and part in ("content_maps", "noise_maps"):
            getattr(block, part).mix.weight.zero_()
    if part == "skips":
        known = code._replace(skips=[torch.zeros_like(skip) for skip in code.skips])
    if part == "pixels":
        known = code._replace(still=torch.zeros_like(code.still))
    return crippled(known, z_c, z_n)[0]


broken = {"whole": frames}
parts = {"content_maps": "$z_c$ maps", "noise_maps": "$z_n$ maps"}
for part in ("content_maps", "noise_maps", "skips", "pixels"):
    broken[f"no {parts.get(part, part)}"] = without(part)

# %%
loudest = int(heard[0].square().mean(1).argmax())
blink = int(z_n[0].square().sum(1).argmax())
rows = {"loudest": [made[loudest] for made in broken.values()]}
rows["strongest $z_n$"] = [made[blink] for made in broken.values()]
plots.strip(rows, [*broken]).set_size_inches(5, 2.9)
plt.show()

# %% tags=["nbval-check-output"]
for name, made in broken.items():
    change = made[..., *mouth].std(0).mean() / frames[..., *mouth].std(0).mean()
    away = (made - frames).abs().mean()
    print(
        f"{name.replace('$', ''):11} mouth moves {change:4.0%} as much, L1 to the whole {away:.2f}"
    )

# %% [markdown]
# $z_c$'s maps move the mouth, $z_n$'s maps the lids, and the still's pixels are the person. The skips
# are needed to paint anything at all: without them mouth and eyes stay nearly as they were. Keep
# these four in mind; the rest of the chapter builds them.
#
# ## A transposed convolution, by hand
#
# The encoder's strided convolution *gathers*: four inputs make one output, and the outputs are half
# as many. To grow a picture, do the reverse: each input *stamps* a kernel of four onto the output,
# the next input's stamp lands two places further on, and where stamps overlap they add up. Three
# inputs, six outputs; one place on either side is cut off, as padding.

# %% tags=["nbval-check-output"]
values, kernel = torch.tensor([1.0, 10.0, 100.0]), torch.tensor([1.0, 2.0, 3.0, 4.0])
canvas = torch.zeros(2 * 3 + 2)
for place, value in enumerate(values):
    canvas[2 * place : 2 * place + 4] += value * kernel
by_hand = canvas[1:-1]
theirs = F.conv_transpose1d(values[None, None], kernel[None, None], stride=2, padding=1)[0, 0]
print("stamped", by_hand.int().tolist())
print("the same as PyTorch's:", torch.equal(by_hand, theirs))

# %% [markdown]
# Why "transposed"? A convolution is linear, so it is a matrix: for six inputs and three outputs,
# three rows of six. Turn that matrix over and it takes three numbers to six, in exactly the way of
# the stamps.

# %% tags=["nbval-check-output"]
strided = F.conv1d(torch.eye(6)[:, None], kernel[None, None], stride=2, padding=1)[:, 0].T
print(strided.int())
print("its transpose stamps:", torch.equal(strided.T @ values, by_hand))

# %% [markdown]
# In the package the first layer stamps the latent vector once, onto 4 x 3 places. Then come the
# blocks. Each joins the skip of its resolution (3 x 3 kernel), and doubles (4 x 4, stride 2).

# %%
plots.show_source(DecoderBlock.forward, FrameDecoder.forward)

# %% [markdown]
# What comes in and out of every level, how many weights it has, and how many multiplications it
# takes for one frame. A convolution multiplies once for every weight and every place; a transposed
# one, once for every weight and every *input* place.

# %% tags=["nbval-check-output"]
seen = {}
hooks = [
    layer.register_forward_hook(lambda layer, given, out: seen.__setitem__(layer, (given, out)))
    for block in decoder.blocks
    for layer in (block, block.join, block.grow)
]
generator.decode(code, z_c[:, :1], z_n[:, :1])
for hook in hooks:
    hook.remove()

costs = []
for block in decoder.blocks:
    (h, *_), out = seen[block]
    places = h.shape[2] * h.shape[3]
    joined, grown = (layer.weight.numel() * places for layer in (block.join, block.grow))
    weights = sum(parameter.numel() for parameter in block.parameters())
    costs.append((joined, grown))
    sizes = f"{tuple(h.shape[1:])!s:14} -> {tuple(out.shape[1:])!s:14}"
    print(f"{sizes} {weights:10,} weights {(joined + grown) / 1e6:6.1f} million products")

# %% [markdown]
# Channels halve when places grow fourfold, so the convolutions of early levels have most of the
# weights, while the products are spread over all levels. (The jump at 32 x 24 is the maps of
# `injection`, which come below. Each place has its own weights there; their products, one for each
# weight, are not counted here.)
#
# ## The half that can be done once
#
# `join` is a convolution over `[h, skip]`, two stacks of channels side by side. The skip is the
# same in every frame of a clip, because the still is. And convolution is linear: the sum over all
# channels is the sum over the first half plus the sum over the second. So the skip's part is
# computed once per clip and added to each frame. Nothing changes but the work.

# %%
plots.show_source(SkipConvolution.forward)

# %% tags=["nbval-check-output"]
join, clip_length = decoder.blocks[1].join, heard.shape[1]
half = join.in_channels // 2
h, skip = (torch.randn(count, half, 8, 6, generator=dice) for count in (5, 1))
at_once = F.conv2d(torch.cat([h, skip.expand(5, -1, -1, -1)], 1), join.weight, padding=1)
print("split or joined, the same:", torch.allclose(join(h, skip), at_once, atol=1e-4))
plain = clip_length * sum(sum(pair) for pair in costs)
saved = (clip_length - 1) * sum(joined / 2 for joined, _ in costs)
print(f"products that a clip of {clip_length} frames is spared: {saved / plain:.0%}")

# %% [markdown]
# ## Departure one: `injection`
#
# The paper concatenates $z_{id}$, $z_c$ and $z_n$, and that vector enters at the bottom, at 4 x 3
# places. By the time it has been stamped up to a mouth, skips have been joined to it four times,
# each with a detailed picture of the *closed* mouth of the still. In training the skips win, and
# the codes are never heard.
#
# `CodeMaps` gives codes a second way in, at 8 x 6, 16 x 12 and 32 x 24. A linear map with weights
# of its own for every place paints a few small images, and a 1 x 1 convolution mixes them into the
# channels. Since all faces are aligned, "every place" can mean "the lower lip".

# %%
plots.show_source(CodeMaps.forward)

# %% [markdown]
# By hand for one place: the six images' values there, which are six dot products with the code, and
# a mixture of six into each channel. The maps of $z_n$ have fewer rows than the picture: they end
# at the lower lids, and below them is zero.

# %% tags=["nbval-check-output"]
block = decoder.blocks[3]
maps, images = block.content_maps, block.content_maps.MAPS
(rows, columns), lids = maps.size, block.noise_maps.size[0]
painted = maps.paint.weight.view(images, rows, columns, -1)[:, 18, 12] @ z_c[0, loudest]  # mouth
place = maps.mix.weight[:, :, 0, 0] @ painted
print("by hand, the same:", torch.allclose(place, maps(z_c[:, loudest])[0, :, 18, 12], atol=1e-4))
print(f"rows: {rows}, of which the noise may paint {lids};", end=" ")
print("below, it paints nothing:", not block.noise_maps(z_n[:, blink])[0, :, lids:].any())

# %% [markdown]
# Where do the two codes act in the finished picture? Change one of them over time and hold the
# other, and look at where pixels vary.

# %% tags=["nbval-check-output"]
held = z_c[:, :1].expand_as(z_c)
acts = {
    "$z_c$ moves": generator.decode(code, z_c, torch.zeros_like(z_n)),
    "$z_n$ moves": generator.decode(code, held, z_n),
}
spread = {name: made[0].std(0).mean(0) for name, made in acts.items()}
figure, axes = plt.subplots(1, 4, figsize=(plots.WIDTH, 2.3))
for cell, (name, change) in zip(axes, spread.items(), strict=False):
    cell.imshow(change, cmap="cividis")
    cell.set_title(name)
for cell, name in zip(axes[2:], ("content_maps", "noise_maps"), strict=True):
    painted = getattr(block, name).paint.weight.norm(dim=1).view(images, -1, columns).norm(dim=0)
    cell.imshow(F.pad(painted, (0, 0, 0, rows - len(painted))), cmap="cividis")
    cell.set_title(f"{name}, weights")
for cell in axes:
    cell.axis("off")
plt.show()
for name, change in spread.items():
    print(f"{name[1:4]}: {change[:64].sum() / change.sum():.0%} of its effect is in the upper half")

# %% [markdown]
# ## Departure two: `composition`
#
# The last layer makes four channels in place of three. Three are paint. The fourth, through a
# sigmoid, is a **mask**: how much of the still's own pixel to keep, as in GANimation
# {footcite:p}`pumarola2018`. The paper's last step is Tanh, which holds colours between -1 and 1.
# The package adds paint and kept pixels *before* Tanh:
#
# $$\text{frame} = \tanh\big(m \cdot \tanh^{-1}(0.97\,\text{still}) + \text{change}\big)$$
#
# With $m = 1$ and no change that is the still (the 0.97 is there because $\tanh^{-1}(1)$ is
# infinite). We catch what the last layer says, do the rest by hand, and look.

# %% tags=["nbval-check-output"]
caught = []
hook = decoder.last.register_forward_hook(lambda layer, given, out: caught.append(out))
frame = generator.decode(code, z_c[:, [loudest]], z_n[:, [loudest]])[0, 0]
hook.remove()
change, mask = caught[0][0, :3], (caught[0][0, 3:] + decoder.keep).sigmoid()
composed = (mask * torch.atanh(0.97 * code.still[0]) + change).tanh()
print("by hand, the same:", torch.allclose(composed, frame, atol=1e-5))
print(f"kept on average {mask.mean():.2f}, around the mouth {mask[0][mouth].mean():.2f}")

figure, axes = plt.subplots(1, 4, figsize=(plots.WIDTH, 2.3))
shown = {"still": code.still[0], "mask": mask[0], "paint": change.tanh(), "frame": frame}
for cell, (name, image) in zip(axes, shown.items(), strict=True):
    grey = {"cmap": "cividis", "vmin": 0, "vmax": 1} if name == "mask" else {}
    cell.imshow(image if grey else plots.picture(image), **grey)
    cell.set_title(name)
    cell.axis("off")
plt.show()

# %% [markdown]
# Dark in the mask is where the decoder paints over. The rest of the person never goes through the
# network at all, which is why a stranger stays a stranger. It also gives training a good beginning:
# the last layer starts at zero, so an untrained decoder draws the still.

# %% tags=["nbval-check-output"]
fresh = {"laptop": Generator(preset("laptop").model), "paper": Generator(ModelConfig(width=8))}
for name, untrained in fresh.items():
    start = untrained.eval()
    with torch.no_grad():
        made = start.decode(start.encode_still(people[8, :1]), z_c[:, :1], z_n[:, :1])
    print(
        f"{name:7} L1 of an untrained decoder to the still {(made - code.still).abs().mean():.2f}"
    )

# %% [markdown]
# ## On and off, measured
#
# Are the two worth it? Train four small decoders for the same 120 steps on the same batches, with
# L1 on the lower half (Eq. 6) and with three numbers for the mouth (jaw, pucker, stretch) in the
# place of $z_c$. Then let each draw the two new people with six mouths, and ask of the mouth's
# rectangle: how much does it move, compared with the real one, and do its changes go together with
# the real changes (correlation, over all pixels and mouths)?

# %%
SMALL = ModelConfig(width=8, content_dim=3, noise_dim=1)
says = torch.from_numpy(mouths).float()


def puppet(decoder: FrameDecoder, encoder: IdentityEncoder, still, say) -> torch.Tensor:
    """Stills (N, 3, 128, 96) and mouths (N, 3) -> frames (N, 3, 128, 96)."""
    return decoder(encoder(still), say[:, None], torch.zeros(len(still), 1, 1))[:, 0]


def trained(steps: int = 120, rate: float = 2e-3, **departures: bool) -> torch.Tensor:
    """What a decoder with these departures makes of the two new people, (2, 7, 3, 128, 96)."""
    torch.manual_seed(0)
    model = replace(SMALL, **departures)
    decoder, encoder = FrameDecoder(model), IdentityEncoder(model)
    adam = torch.optim.Adam([*decoder.parameters(), *encoder.parameters()], rate, betas=(0.9, 0.99))
    slower = torch.optim.lr_scheduler.LinearLR(adam, 1.0, 0.01, steps)
    dice = torch.Generator().manual_seed(0)
    for _ in range(steps):
        who, what = (torch.randint(n, (12,), generator=dice) for n in (8, 7))
        made = puppet(decoder, encoder, people[who, 0], says[what])
        loss = reconstruction_loss(people[who, what], made)
        adam.zero_grad()
        loss.backward()
        adam.step()
        slower.step()
    decoder.eval(), encoder.eval()
    with torch.no_grad():
        return torch.stack([puppet(decoder, encoder, p[[0] * 7], says) for p in people[8:]])


# %%
options = {
    "paper": {},
    "injection": {"injection": True},
    "composition": {"composition": True},
    "both": {"injection": True, "composition": True},
}
drawn = {name: trained(**departures) for name, departures in options.items()}
rows = {name: [*made[1, :4], *made[0, 1:4]] for name, made in {"real": people[8:], **drawn}.items()}
plots.strip(rows).set_size_inches(4.6, 4.5)
plt.show()

# %%
real = (people[8:] - people[8:, :1])[..., *mouth]
for name, made in drawn.items():
    ours = (made - made[:, :1])[..., *mouth]
    together = (real * ours).sum() / (real.norm() * ours.norm())
    error = (made - people[8:])[..., *mouth].abs().mean()
    print(f"{name:12} moves {ours.norm() / real.norm():4.0%}, r {together:4.1f}, L1 {error:.3f}")
print(f"copying the still: L1 {real.abs().mean():.3f}")

# %% [markdown]
# In so few steps the paper's decoder has learned a face and no mouth; it would take a GPU's week to
# get there, as the paper's did. With injection the codes are heard early, while the face is still
# fog. With composition the face is sharp from the first step, and what is left to learn is what
# moves. With both, it begins to speak. This is the smallest of experiments, on two people, but it
# is the reason for both defaults of `laptop`.
#
# ## A failure: the checkerboard
#
# Look at the upper half of the faces in the row "injection" or "paper". L1 counts on the lower half
# only, and there is no discriminator here, so nobody has told these pixels what to be. What they
# show is what the *layers* like to make: a grid that repeats every few pixels.
#
# {footcite:t}`odena2016` explained where such patterns come from. Stamps overlap. If the kernel is
# not a multiple of the stride, they overlap *unevenly*: some pixels get more stamps than others,
# even when all weights and inputs are one.

# %% tags=["nbval-check-output"]
for width in (3, 4, 5):
    stamps = F.conv_transpose1d(torch.ones(1, 1, 8), torch.ones(1, 1, width), stride=2)
    print(f"kernel {width}, stride 2:", *stamps[0, 0, 3:-3].int().tolist())

# %% [markdown]
# A kernel of 4 with a stride of 2 is even, which is why the package (like the released model) has
# no others. But even coverage only removes the pattern from *ones*. Odd and even pixels are still
# made by different weights, and random weights do not agree. Nor do those of four levels, so that
# periods of two, four, eight and sixteen pixels come together. The one cure that is built in is to
# enlarge first and then convolve with a stride of 1, so that all pixels are made by the same
# weights. Here four untrained levels of each kind paint a plain ramp.


# %%
def level(kind: str, before: int, after: int) -> torch.nn.Module:
    """One doubling of the resolution."""
    if kind == "resize":
        convolution = torch.nn.Conv2d(before, after, 3, padding=1, padding_mode="replicate")
        return torch.nn.Sequential(torch.nn.Upsample(scale_factor=2, mode="bilinear"), convolution)
    extra = {"output_padding": 1} if kind == "3 x 3" else {}
    return torch.nn.ConvTranspose2d(before, after, int(kind[0]), 2, padding=1, **extra)


def pattern(kind: str) -> torch.Tensor:
    """(128, 96): what four untrained levels make of a ramp from 0 to 1."""
    torch.manual_seed(3)
    stack = []
    for before, after in ((32, 24), (24, 16), (16, 12), (12, 1)):
        stack += [level(kind, before, after), torch.nn.ReLU()]
    with torch.no_grad():
        return torch.nn.Sequential(*stack[:-1])(torch.linspace(0, 1, 6).expand(1, 32, 8, 6))[0, 0]


patterns = {kind: pattern(kind) for kind in ("3 x 3", "4 x 4", "resize")}
patterns["forehead, paper"] = drawn["paper"][1, 0, 0, :32, 32:64]
figure, axes = plt.subplots(1, 4, figsize=(plots.WIDTH, 2.2))
for cell, (name, image) in zip(axes, patterns.items(), strict=True):
    cell.imshow(image if "paper" in name else image[48:80, 32:64], cmap="cividis")
    cell.set_title(name)
    cell.axis("off")
plt.show()

# %% [markdown]
# For a number, lay a grid of 4 x 4 pixels over the picture, and average all pixels that have the
# same place in their cell. In a photograph the sixteen means are nearly equal, since a face knows
# nothing of the grid. In a checkerboard they differ. Their deviation, as a share of the picture's
# own:


# %%
def grid(images: torch.Tensor) -> float:
    """How much pictures (N, H, W) repeat every four pixels, as a share of their deviation."""
    cells = images.unfold(1, 4, 4).unfold(2, 4, 4)  # (N, H / 4, W / 4, 4, 4)
    return float((cells.mean((1, 2)).std((1, 2)) / images.std((1, 2))).mean())


for name in ("3 x 3", "4 x 4", "resize"):
    print(f"untrained, {name:22} {grid(patterns[name][None]):.2f}")
for name, made in drawn.items():
    print(f"upper half, {name:21} {grid(made[:, 0, 0, :64]):.2f}")
print(f"{'rendered faces':33} {grid(people[8].mean(1)):.2f}")
print(f"{'shipped decoder':33} {grid(frames.mean(1)):.2f}")
print(f"{'paint of the shipped decoder':33} {grid(change.tanh().mean(0)[None]):.2f}")

# %% [markdown]
# With enough training, and somebody who looks, a network with even stamps learns to make its odd
# and even weights agree; where composition keeps the still's pixels there is nothing to agree
# about. Keep the measure at hand for your own networks: the eye forgives in a moving picture what
# it sees at once in a still one.
#
# ## Turn the knob
#
# How many stamps does each place get, for any kernel and stride? Even coverage needs a kernel that
# is a multiple of the stride. In JupyterLab the sliders move.


# %%
def show_coverage(kernel: int, stride: int) -> None:
    """Stamps on each place of a two-dimensional output."""
    stamp = torch.ones(1, 1, kernel, kernel)
    counts = F.conv_transpose2d(torch.ones(1, 1, 9, 9), stamp, stride=stride)[0, 0]
    figure, axes = plt.subplots(figsize=(2.6, 2.2))
    shown = axes.imshow(counts[kernel:-kernel, kernel:-kernel], cmap="cividis", vmin=0)
    axes.set(xticks=[], yticks=[], title=f"kernel {kernel}, stride {stride}")
    figure.colorbar(shown, label="stamps")
    plt.show()


show_coverage(3, 2)

# %% tags=["remove-cell", "nbval-skip"]
interact(show_coverage, kernel=(2, 8), stride=(1, 4))

# %% [markdown]
# ## Equation, code, and where we deviate
#
# | the paper's equation, sentence or section | code | where we deviate, and why |
# |---|---|---|
# | 3.1.4, "concatenating the identity, content and noise components" | `FrameDecoder.forward`, `latent` | with `injection`, $z_n$ enters through its maps alone |
# | "strided transposed convolutions" | `FrameDecoder.first`, `DecoderBlock.grow` | kernel 4, stride 2 (not in the paper; as released): even stamps |
# | "a U-Net architecture ... with skip connections" | `DecoderBlock.join`, `SkipConvolution` | the skip's half is computed once per still; `skip_64` adds the finest level |
# | Tanh (Fig. 3) | `FrameDecoder.forward` | with `composition`, the still's own pixels are added before it, through a mask |
# | (not mentioned) | `CodeMaps` | `injection`: codes enter again at three levels, each place with its own weights; noise above the lower lids only |
# | Eq. 6, L1 on the lower half | `reconstruction_loss` | not here; the chapter on losses says what is added |
#
# ## Recap
#
# - A transposed convolution stamps; its matrix is the transpose of a strided convolution's.
# - Most weights of the convolutions are in the coarse levels; the skips' half of the work is done once per still.
# - Skips drown codes that enter at the bottom. Inject codes again where faces have places.
# - Painting over the still, in front of Tanh, keeps a stranger's face a stranger's face and starts
#   training from a good picture.
# - What no loss looks at shows what the layers like: checkers. Measure what repeats with the grid.
#
# ## Exercises
#
# 1. Stamp three inputs with a kernel of 3, stride 2, no padding, by hand. Which outputs get two
#    stamps?
# 2. How large would a single linear layer from the latent vector to all pixels be? Compare with the
#    decoder's weights.
# 3. Set `decoder.keep` of the shipped weights to -4 and to 8, and draw a frame. What does each do?
# 4. Swap the maps: give `noise_maps` the codes of another moment, and keep everything else. Do lips
#    change?
# 5. Train `trained(injection=True, composition=True, skip_64=True)`. What does the finest skip add?
#
# ## Appendix: solutions
#
# **1.** Outputs 2 and 4 (counted from 0) get two stamps, the others one: an uneven row. **2** to
# **4** are computed here; for **5**, run it and put the result into the same table.

# %% tags=["nbval-check-output"]
stamps = F.conv_transpose1d(torch.ones(1, 1, 3), torch.ones(1, 1, 3), stride=2)[0, 0]
print("1.", stamps.int().tolist())
latent = config.identity_dim + config.content_dim + config.noise_dim
own = sum(parameter.numel() for parameter in decoder.parameters())
print(f"2. {latent * 3 * 128 * 96:,} weights against {own:,}")
bent = copy.deepcopy(decoder)
for keep in (-4.0, 8.0):
    bent.keep.fill_(keep)
    made = bent(code, z_c[:, [loudest]], z_n[:, [loudest]])
    print(f"3. keep {keep:4.0f}: L1 to the frame {(made[0, 0] - frame).abs().mean():.2f}")
other = generator.decode(code, z_c, z_n.flip(1))[0]
print(f"4. change at the mouth {(other - frames)[..., *mouth].abs().mean():.3f},", end=" ")
print(f"in the upper half {(other - frames)[..., :64, :].abs().mean():.3f}")

# %% [markdown]
# ## References
#
# ```{footbibliography}
# ```
