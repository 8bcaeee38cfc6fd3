# %% [markdown]
# # Lip reading: can the words be read off the lips?
#
# **What you will build.** The measure that asks the most of a talking face: a network that hears
# nothing, looks at the mouth, and writes down what is said. You will count word errors by hand,
# collapse paths of labels into words, sum over all paths as the training loss does, and search all
# 64,000 sentences of a grammar in some milliseconds. Then you will look over the network's
# shoulder while it reads, find out which words lips cannot tell apart, and see it read words off a
# photograph.
#
# **What it needs.** The `talker` package with its renderer and the lip reader's weights that come
# with it (under 2 MB). No corpus. It runs in under a minute on two cores.
#
# ## Where it sits
#
# Behind everything else. It sees finished frames, real or generated, and no other part of the
# system sees it: a measure that a generator was trained against says nothing any more. Synchrony
# asks whether lips move *when* the voice does. Lip reading asks whether they make the right shapes.

# %%
import itertools
import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from ipywidgets import interact

from talker import plots
from talker.corpora.rendered import render_clip, split_of
from talker.evaluators.ctc import Grammar, greedy
from talker.evaluators.lip_reader import LipNet, as_input, cut_mouths, find_lip_reader
from talker.experiments.corruptions import blurred
from talker.experiments.lipreading import frozen
from talker.metrics.lipreading import word_error_rate
from talker.studio.grammar import SLOTS, WORDS, sentences

plots.use_style()
plots.system_diagram({"frames"})
plt.show()

# %% [markdown]
# ## Counting wrong words
#
# The paper measures content by "the word error rate (WER) achieved by a pre-trained lip-reading
# model", and takes LipNet {footcite:p}`assael2016` for it. The rate compares what was read with
# what was said. It is the smallest number of words that must be replaced, left out or put in to
# turn one into the other, divided by the number of words said:
#
# $$\text{WER} = \frac{S + D + I}{N}$$
#
# The smallest number is Levenshtein's edit distance, with words in place of letters. By hand it is
# a table that is filled row by row: each cell asks its three neighbours. The package leaves that to
# a library, and the two must agree.


# %% tags=["nbval-check-output"]
def errors_by_hand(said: list[str], read: list[str]) -> int:
    """Fewest words to replace, leave out or put in, for every pair of beginnings."""
    fewest = np.add.outer(np.arange(len(said) + 1), np.arange(len(read) + 1))
    for i, one in enumerate(said, start=1):
        for j, other in enumerate(read, start=1):
            replaced = fewest[i - 1, j - 1] + (one != other)
            fewest[i, j] = min(replaced, fewest[i - 1, j] + 1, fewest[i, j - 1] + 1)
    return int(fewest[-1, -1])


said = "place red with f two now"
for read in ("place red with s two now", "place red two now", "please red with f f two now", ""):
    wrong = errors_by_hand(said.split(), read.split())
    print(f"{wrong} wrong, package {word_error_rate(said, read):.3f}: {read!r}")

# %% [markdown]
# ## Fifty-one words
#
# LipNet was trained on GRID {footcite:p}`cooke2006`, whose sentences take one word from each of six
# lists: *command, colour, preposition, letter, digit, adverb*. Whoever knows the lists is right
# every fourth time with four of the words, every tenth with the digit and every twenty-fifth with
# the letter. That is the error rate of guessing, and it will be the dotted line in the pictures
# of error rates. No reader should be worse, and a reader of a mouth that does not move cannot be better.

# %% tags=["nbval-check-output"]
chance = np.mean([1 - 1 / len(slot) for slot in SLOTS])
print("words in each list:", [len(slot) for slot in SLOTS], "together", len(WORDS))
print(f"guessing: {chance:.3f}")
drawn = sentences(4000, np.random.default_rng(0))
rates = [word_error_rate(a.text, b.text) for a, b in itertools.pairwise(drawn)]
print(f"4000 sentences, each taken for the next: {np.mean(rates):.2f}")

# %% [markdown]
# ## What the network sees
#
# We render a performer of the test split, whom the network has not seen, and a sentence. Aligned
# faces have their mouths in nearly the same place, so the same 48 x 40 pixels are cut out of every
# frame, in grey, and a clip's brightness and contrast are set to a mean of 0 and a deviation of a little
# under 1 (eight grey levels are added to it before dividing, or a picture without contrast would
# become all noise).
# No landmark is asked for: a detector that fails on a bad picture would leave us without a number
# exactly where one is needed.

# %% tags=["nbval-check-output"]
PERFORMER, CLIP = 22, 3
frames, _, truth = render_clip(PERFORMER, CLIP)
reader = find_lip_reader()
mouths = cut_mouths(frames, reader.config)
shown = as_input(mouths, reader.config)
print("split:", split_of(PERFORMER), "- said:", truth["text"])
print("frames", frames.shape, "mouths", mouths.shape, "input", tuple(shown.shape))
print(f"mean {abs(shown.mean()):.1f}, deviation {shown.std():.1f}")

# %%
words = truth["words"]
middles = [round(25 * (word["start"] + word["end"]) / 2) for word in words]
around = [mouths[t + step] for step in (-2, 0, 2) for t in middles]
rows = {
    name: [np.repeat(mouth[..., None], 3, -1) for mouth in around[i : i + 6]]
    for i, name in zip((0, 6, 12), ("80 ms before", "middle", "80 ms after"), strict=True)
}
plots.strip(rows, [word["text"] for word in words])
plt.show()

# %% [markdown]
# Three frames of each word, its middle in the second row. Some words can be seen: the lips of *by*
# are shut at its beginning, in the upper row. Others are made by the tongue, behind the teeth.
#
# ## Paths, blanks and sums
#
# The network gives probabilities for each of 75 frames, and a transcript has six words without
# times. **Connectionist temporal classification** {footcite:p}`graves2006` closes the gap with one
# more label, the *blank*. A path is one label per frame. It is read by merging equal neighbours and
# then dropping blanks, so that many paths read the same. The probability of a text is the sum over
# all paths that read it:
#
# $$p(y \mid x) = \sum_{\pi\,:\,\text{read}(\pi) = y}\ \prod_t p(\pi_t \mid x)$$
#
# Take three frames and two labels, *a* and *b*. With blanks written as dots there are 27 paths. The
# loop below collapses them all and adds up; PyTorch's loss must give minus the logarithm of the
# same sum.


# %% tags=["nbval-check-output"]
def read_path(path: str) -> str:
    """Merge equal neighbours, then drop blanks."""
    return "".join(label for label, _ in itertools.groupby(path) if label != ".")


p = np.array([[0.45, 0.44, 0.11], [0.1, 0.3, 0.6], [0.5, 0.1, 0.4]])  # frames x (., a, b)
totals: dict[str, float] = {}
for path in itertools.product(".ab", repeat=3):
    chance_of_path = np.prod([p[t, ".ab".index(label)] for t, label in enumerate(path)])
    totals[read_path(path)] = totals.get(read_path(path), 0) + chance_of_path
for text, total in sorted(totals.items(), key=lambda row: -row[1])[:4]:
    print(f"p({text!r}) = {total:.3f}")
log_p = torch.tensor(np.log(p))[:, None]
loss = F.ctc_loss(log_p, torch.tensor([[1, 2]]), [3], [2], reduction="sum")
print(f"exp(-loss) of 'ab' = {loss.neg().exp():.3f}, of all texts: {sum(totals.values()):.3f}")

# %% [markdown]
# Which paths read "ab"? `.ab`, `a.b`, `ab.`, `aab` and `abb`. Only what repeats needs a blank:
# "aa" takes three frames, `a.a`. The quickest way to read is the **greedy** one: take the most
# probable label of each frame, and collapse. It finds the most probable path, which need not
# belong to the most probable text, and knows nothing about sentences.

# %%
plots.show_source(greedy)

# %% tags=["nbval-check-output"]
labels = greedy(np.log(p))
print("greedy:", "".join(".ab"[label] for label in labels))
print("most probable:", max(totals, key=totals.get))

# %% [markdown]
# ## The network
#
# Three convolutions over space *and time* see a mouth move over a few frames. Each is followed by
# ReLU and by pooling over space, never over time. Two GRUs {footcite:p}`cho2014` run over the clip
# in both directions: unlike the generator, a reader may look at the end before it decides about
# the beginning. A last layer gives probabilities for the blank and 51 words. LipNet writes letters;
# with whole words as labels there is no spelling to be learnt from few clips.

# %%
plots.show_source(LipNet)

# %% tags=["nbval-check-output"]
network = reader.network
features = shown[None]
print("input", tuple(features.shape))
for number, convolution in enumerate(network.convolutions, start=1):
    features = F.max_pool3d(F.relu(convolution(features)), (1, 2, 2))
    print(f"after conv{number}", tuple(features.shape))
values = reader.log_probabilities(frames)
print(
    "log probabilities", values.shape, "sum to 1:", np.allclose(np.exp(values).sum(1), 1, atol=1e-4)
)
print(f"{sum(p.numel() for p in network.parameters()):,} parameters")

# %% [markdown]
# ## Watching it read
#
# The picture that would look wrong: probability of each word over time, one colour for each place
# in the sentence. Bars below are the times at which the words are really said, which the network is
# not told. Each hump must stand over the bar of its own colour. Were frames and labels shifted
# against each other, all humps would lean the same way; were the vocabulary out of order, the names
# would not fit.

# %%
probabilities = np.exp(values)
colours = (plots.BLUE, plots.ORANGE, plots.GREEN, plots.VERMILION, plots.PURPLE, plots.SKY)
figure, axes = plt.subplots(figsize=(plots.WIDTH, 2.6))
for slot, word, colour in zip(SLOTS, words, colours, strict=True):
    for choice in slot:
        line = probabilities[:, 1 + WORDS.index(choice)]
        axes.plot(np.arange(75) / 25 + 0.02, line, color=colour, linewidth=1)
        if line.max() > 0.3:
            axes.annotate(
                choice,
                (line.argmax() / 25, line.max()),
                fontsize=8,
                color=colour,
                ha="center",
                va="bottom",
            )
    axes.plot(
        [word["start"], word["end"]],
        [-0.06, -0.06],
        color=colour,
        linewidth=4,
        solid_capstyle="butt",
    )
axes.set(xlabel="seconds", ylabel="probability", ylim=(-0.1, 1.12))
plt.show()

# %% [markdown]
# ## All sentences at once
#
# The greedy reader may skip a word, say two, or write a colour where a digit belongs. We know that
# it is GRID, so let only GRID's sentences compete. There are 64,000, and 75 frames have more paths
# than can be counted; but a path only remembers where in the sentence it is. So for each frame and
# each place it is enough to keep the best path that has come so far: **Viterbi's** algorithm. First
# a grammar of four sentences, searched by trying all paths of four frames, against the package.

# %% tags=["nbval-check-output"]
tiny = [[(1,), (2,)], [(3,), (1,)]]  # first slot: 1 or 2; second slot: 3 or 1
rng = np.random.default_rng(5)
log_q = np.log(rng.dirichlet(np.ones(4), size=4))


def best_by_hand(log_q: np.ndarray) -> tuple:
    """The best of all paths that read as a sentence of the tiny grammar."""
    spelled = {a + b: (i, j) for i, a in enumerate(tiny[0]) for j, b in enumerate(tiny[1])}
    found = {}
    for path in itertools.product(range(4), repeat=4):
        text = tuple(label for label, _ in itertools.groupby(path) if label)
        if text in spelled:
            score = sum(log_q[t, label] for t, label in enumerate(path))
            found[score] = spelled[text]
    return found[max(found)]


print("by hand", best_by_hand(log_q), "package", Grammar(tiny).best(log_q), "of", 4**4, "paths")

# %%
plots.show_source(Grammar.best)

# %% tags=["nbval-check-output"]
print("said:         ", truth["text"])
for name, seen in {"as it is": frames, "blurred": blurred(frames, 6)}.items():
    log_q = reader.log_probabilities(seen)
    print(f"{name}, greedy:  {reader.words(log_q)}")
    print(f"{name}, grammar: {reader.sentence(log_q)}")

# %% [markdown]
# ## How it was trained
#
# LipNet learnt from some 30,000 GRID videos with the loss above alone, which starts slowly: at
# first every path is as good as any other, and the network says "blank" to everything. Ours had
# few clips (printed below) and one core, so it was told more. The rendered truth says which word
# each frame belongs to, and a path of those labels reads as the sentence; so the same output learns
# it by cross entropy, beside the loss over paths. The first GRU must also name each frame's
# *viseme*, the mouth shape that many words share, and the convolutions the opening, width and
# height of the lips. Those two outputs are thrown away afterwards.
#
# Training saw the training performers and no one else, and never a generated frame. What counts is
# measured on the performers held out, in all their clips.

# %% tags=["nbval-check-output"]
results = json.loads(Path("../figures/results/lipreading.json").read_text())
rates, told = results["values"], results["weights"]["extra"]
print("learnt from", told["clips"], "clips in", told["steps"], "steps")
for name in ("real", "without grammar"):
    row = rates[name]
    print(
        f"{name:16} {row['value']:.3f}, 95 % interval over clips {row['low']:.3f} to {row['high']:.3f}"
    )
print(len(results["per_clip"]["clip"]), "clips of", len(results["by_performer"]), "performers")

# %% tags=["nbval-check-output"]
for kind in ("command", "colour", "preposition", "letter", "digit", "adverb"):
    print(f"{kind:16} {results['by_slot'][kind]['value']:.3f}")
row = results["recorded"]["value"]
print(f"recorded, {row['clips']} clips: {row['value']:.3f} ({row['low']:.3f} to {row['high']:.3f})")

# %% [markdown]
# The paper reports 21.76 % for LipNet on GRID's real test videos, 23.1 % on its own generated ones
# and 36.4 % for its baseline. Our corpus and our network are others, and rendered lips are cleaner
# than filmed ones. The last line says how much: it is what the same weights make of clips of one
# GRID speaker, filmed, aligned, and like nothing in training. Far from guessing, and far from good.
# So compare generated with real videos of one corpus, read by one reader, and for people of flesh
# and blood give it weights that have seen some.
#
# ## What lips cannot tell
#
# All errors here are letters. A letter is one syllable without a neighbour to help it, and lips
# show where it is made only when it is made by the lips. The table counts which letter was taken
# for which.

# %%
table = results["confusions"]["letter"]
counts = np.array(table["counts"])
letters = table["words"]
figure, axes = plt.subplots(figsize=(4.4, 4.0))
axes.imshow(counts / counts.sum(1, keepdims=True).clip(1), cmap="Blues", vmin=0, vmax=1)
axes.set_xticks(range(25), letters, fontsize=7)
axes.set_yticks(range(25), letters, fontsize=7)
axes.tick_params(length=0)
axes.set(xlabel="read", ylabel="said", title="letters on held-out performers")
plt.show()

# %% tags=["nbval-check-output"]
pairs = [
    (counts[i, j] + counts[j, i], letters[i] + letters[j]) for i in range(25) for j in range(i)
]
for count, pair in sorted(pairs, reverse=True)[:6]:
    print(f"{pair[1]} and {pair[0]}: taken for each other {count} times")

# %% [markdown]
# Whoever reports a word error rate on GRID should know that a perfect pair of eyes would not reach
# zero.
#
# ## Does the measure measure lips?
#
# A number that is low for real videos is half of a measure. The other half: the less there is to
# read, the higher it must be, all the way to chance. Three ways to take lips away, on all held-out
# clips: blur them, let them stand still for the last part of the clip, or show another clip of the
# same performer in that part.

# %%
figure, row = plt.subplots(1, 3, figsize=(plots.WIDTH, 2.3), sharey=True)
for axes, (name, condition) in zip(row, results["conditions"].items(), strict=True):
    levels = [0, *condition["levels"]]
    at = [rates["real"], *(rates[f"{name} {level:g}"] for level in levels[1:])]
    low, high = ([100 * value[k] for value in at] for k in ("low", "high"))
    axes.fill_between(levels, low, high, alpha=0.2, linewidth=0)
    axes.plot(levels, [100 * value["value"] for value in at], "o-", markersize=4)
    axes.axhline(100 * chance, color=plots.INK, linewidth=0.8, linestyle=":")
    axes.set(title=name, xlabel=condition["unit"], ylim=(0, 100))
row[0].set_ylabel("word error rate, %")
plt.show()

# %% [markdown]
# Blur of up to two pixels costs it nothing: training blurred its pictures too, and lips are large
# features. That is as it should be. How sharp a video is has a measure of its own, and a measure
# that answered to everything would explain nothing. The last quarter of a clip is mostly silence,
# so freezing that much costs little.
#
# ## The failure: it reads photographs
#
# Freeze the first frame for all of the clip, and ask. The grammar's reader always answers with a
# sentence, because nothing else is allowed. The greedy one is honest: it says little or nothing.
# So a rate near chance does not mean that something was said wrongly, it may mean that nothing was
# said. Look at a frozen mouth and a wrong one side by side before you call lips wrong.

# %% tags=["nbval-check-output"]
stills = frozen(frames, 1.0)
still_values = reader.log_probabilities(stills)
print("greedy, frozen:  ", repr(reader.words(still_values)))
print("grammar, frozen: ", reader.sentence(still_values))
print("too short to say six words:", repr(reader.read(frames[:5])))

# %% [markdown]
# ## Turn the knob
#
# The clip under a blur, and with its last part standing still. In JupyterLab the sliders move it.
# Which words go first?


# %%
def show_reading(blur: float, still: float) -> None:
    """A frame of the spoilt clip, and what is read."""
    spoilt = frozen(blurred(frames, blur) if blur else frames, still)
    read = reader.read(spoilt)
    figure, axes = plt.subplots(figsize=(plots.WIDTH, 1.6))
    axes.imshow(np.concatenate([spoilt[t, 60:112] for t in middles], axis=1))
    axes.axis("off")
    axes.set_title(f"{read}   ({word_error_rate(truth['text'], read):.2f})")
    plt.show()


show_reading(6.0, 0.0)

# %% tags=["remove-cell", "nbval-skip"]
interact(show_reading, blur=(0.0, 12.0, 1.0), still=(0.0, 1.0, 0.1))

# %% [markdown]
# ## Equation, code, and where we deviate
#
# | the equation or sentence | code | where we deviate, and why |
# |---|---|---|
# | "word error rate (WER) achieved by a pre-trained lip-reading model" | `talker.metrics.lipreading.wer` | not at all; undefined where no sentence of GRID is said |
# | $\text{WER} = (S + D + I) / N$ | `word_error_rate` | not at all; the library is jiwer |
# | LipNet: 3 spatio-temporal convolutions, 2 bidirectional GRUs, CTC | `LipNet` | fewer channels, grey 40 x 48 crops: what a laptop trains; the public weights load with `--lip-weights` |
# | characters as labels, beam search with a language model | `Grammar` | words as labels; exact search of the grammar, which is all the language that GRID has |
# | $-\log \sum \prod p$ over paths | `train_lip_reader.losses` | with the words, visemes and lip shapes of each frame beside it, because data and time are few |
#
# ## Recap
#
# - WER is an edit distance over words. Guessing gives 0.81 on GRID, and that is the zero of the
#   scale.
# - CTC needs a blank: merge what repeats, drop the blanks, sum over paths to train.
# - Greedy reading is honest and ungrammatical. Viterbi over the grammar is exact and always answers.
# - Letters are where lips say least.
# - A measure is worth believing when spoiling what it measures moves it, step by step, to chance.
#
# ## Exercises
#
# 1. How many frames does CTC need at least for "three" with letters as labels? For a sentence of
#    six words with words as labels?
# 2. A reader of video at 12.5 frames a second would see every second frame twice. Try it: does the
#    rate change? What does that say about which part of speech lips show?
# 3. Mirror the clip. Should anything change? Measure it.
# 4. A generator's lips are 80 ms late. Will the word error rate notice? Which measure would?
# 5. Find two sentences whose total probability over paths ranks them other than their best paths
#    do, on three frames and a grammar of your own.
#
# ## Appendix: solutions
#
# **1.** "three" needs six: five letters and a blank between the two e. Six words need six frames.
#
# **2.** and **3.** are a line each:

# %% tags=["nbval-check-output"]
halved = frames[np.arange(75) // 2 * 2]
for name, changed in {"every second frame": halved, "mirrored": frames[:, :, ::-1]}.items():
    read = reader.read(changed)
    print(f"{name:18} {word_error_rate(truth['text'], read):.2f}  {read}")

# %% [markdown]
# Training mirrored half of the clips, so a mirror should cost nothing but luck.
#
# **4.** No: the reader hears nothing, and words read two frames late are the same words. Synchrony
# is measured with the sound, in the chapter before.
#
# **5.** With one frame there is nothing to sum. With three, let one text have a single path of 0.3
# and another two paths of 0.2 each.
#
# ## References
#
# ```{footbibliography}
# ```
