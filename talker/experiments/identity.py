"""What the identity code knows (Fig. 11): who it is, and whether a woman or a man.

    python -m talker.experiments.identity CORPUS RUNS figures/results/identity.json

z_id is worked out for at least `FRAMES` frames of performers held out, spread over them, their
clips and time, and t-SNE lays the codes out in a plane: L. van der Maaten, G. Hinton, "Visualizing
data using t-SNE", JMLR 2008. Since such a plane can show clusters that are not there, two things
are counted in z_id itself, and in raw pixels of the same frames as the control:

purity      the share of frames whose nearest frame of any other clip is of the same performer; a
            frame's own clip is left out, because neighbouring frames are all but equal
gender      the share of frames that a linear classifier puts right; it is fitted to all performers
            but one woman and one man and asked about these two, so nobody is in both folds
gender_from_training   the same, fitted to the performers that the encoder was trained on

"chance" says what the two come to by luck: with performers dealt to clips at random, and with
women and men exchanged at random within the pairs that are left out together.

Beside the results file: _points.npy, float32 (N, 2), the plane. Its rows are in the order of
`per_clip`, `frames` of them a clip.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from sklearn.manifold import TSNE
from tqdm import tqdm

from talker.checkpoint import load_generator
from talker.dataset import to_unit
from talker.errors import TalkerError
from talker.experiments.held_out import (
    OURS,
    about_weights,
    held_out,
    over_performers,
    save_array,
    weights_of,
)
from talker.experiments.report import PACKAGES, circumstances, write_results
from talker.models.generator import Generator
from talker.store import StoredClip, clips, count_frames, read_frames
from talker.versions import versions

FRAMES = 1250  # at least so many, as in the paper
TRAINED = 4  # frames of each clip of training performers
PERPLEXITY = 30
# Of the training frames' total variance: directions that hold less are shrunk most.
RIDGE = 0.01
DEALS = 200  # of random labels
BATCH = 50


def sample(found: Sequence[StoredClip], each: int) -> list[np.ndarray]:
    """`each` frames of every clip, or all it has, evenly over its time: uint8 (F, H, W, 3)."""
    frames = []
    for clip in tqdm(found, desc="reading", unit="clip"):
        at = np.unique(np.linspace(0, count_frames(clip.video) - 1, each).round().astype(int))
        frames.append(read_frames(clip.video, at.tolist()))
    return frames


@torch.inference_mode()
def encode(generator: Generator, frames: np.ndarray) -> np.ndarray:
    """Identity codes z_id of frames uint8 (N, H, W, 3): float32 (N, identity_dim) in (-1, 1)."""
    parts = (frames[first : first + BATCH] for first in range(0, len(frames), BATCH))
    return np.concatenate([generator.encode_still(to_unit(part)).z_id.numpy() for part in parts])


def products(features: np.ndarray) -> np.ndarray:
    """Inner products (N, N) of feature vectors (N, D) about their mean: all that follows needs."""
    flat = features.reshape(len(features), -1).astype(np.float32)
    flat -= flat.mean(axis=0)
    return (flat @ flat.T).astype(np.float64)


def nearest(inner: np.ndarray, clip: np.ndarray) -> np.ndarray:
    """For each of N frames the nearest one (Euclidean) of another clip: (N,) int.

    inner: their `products` (N, N); clip: the number of each frame's clip (N,).
    """
    squares = np.diag(inner)
    apart = squares[:, None] + squares[None] - 2 * inner
    return np.where(clip[:, None] == clip[None], np.inf, apart).argmin(axis=1)


def purity(neighbours: np.ndarray, people: np.ndarray) -> np.ndarray:
    """For each performer 0..P-1 the share of frames whose neighbour is theirs, too: (P,)."""
    same = people[neighbours] == people
    return np.array([same[people == person].mean() for person in range(people.max() + 1)])


def purity_by_chance(
    neighbours: np.ndarray, clip: np.ndarray, people: np.ndarray, seed: int
) -> np.ndarray:
    """Mean purity with performers dealt to clips at random, `DEALS` times: (DEALS,)."""
    rng = np.random.default_rng(seed)
    owner = people[np.unique(clip, return_index=True)[1]]  # of each clip
    dealt = (rng.permutation(owner)[clip] for _ in range(DEALS))
    return np.array([purity(neighbours, people).mean() for people in dealt])


def in_pairs(people: np.ndarray, female: np.ndarray) -> np.ndarray:
    """The fold of each frame (N,): that of the k-th woman and the k-th man is k, else -1.

    people: performers 0..P-1 (N,); female: of each performer (P,) bool.
    Raises TalkerError for fewer than two pairs: nobody would be left to learn from.
    """
    fold = np.full(len(female), -1)
    pairs = min(int(female.sum()), int((~female).sum()))
    if pairs < 2:
        raise TalkerError("two women and two men must be held out at least: render more of them.")
    for kind in (female, ~female):
        fold[np.flatnonzero(kind)[:pairs]] = np.arange(pairs)
    return fold[people]


def scores(inner: np.ndarray, labels: np.ndarray, fit: np.ndarray, ask: np.ndarray) -> np.ndarray:
    """Ridge regression on labels, fitted to the frames `fit` (N,) bool: scores of those of `ask`.

    inner: `products` (N, N); labels: -1 or 1, (N, L) for L questions at once. Returns (A, L), of
    the sign of the label that is guessed. The strength is `RIDGE` of the total variance.
    """
    kernel, across = inner[np.ix_(fit, fit)], inner[np.ix_(ask, fit)]
    mean, middle = kernel.mean(axis=0), labels[fit].mean(axis=0)
    centred = kernel - mean[:, None] - mean + mean.mean()
    centred[np.diag_indices(len(centred))] += RIDGE * np.trace(centred)
    across = across - across.mean(axis=1, keepdims=True) - mean + mean.mean()
    return across @ np.linalg.solve(centred, labels[fit] - middle) + middle


def separability(inner: np.ndarray, labels: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Whether each frame is put right by what was fitted to all other folds: (N, L), NaN for -1.

    inner, labels: as for `scores`; fold (N,): frames of one number are left out together.
    """
    right = np.full(labels.shape, np.nan)
    for number in range(fold.max() + 1):
        ask = fold == number
        right[ask] = scores(inner, labels, (fold >= 0) & ~ask, ask) * labels[ask] > 0
    return right


def exchanged(female: np.ndarray, fold: np.ndarray, people: np.ndarray, seed: int) -> np.ndarray:
    """Labels (N, 1 + DEALS): women 1 and men -1, then with random pairs exchanged.

    Every fold keeps one of each, so no deal is easier for being out of balance.
    """
    rng = np.random.default_rng(seed)
    true = np.where(female[people], 1.0, -1.0)
    swaps = rng.choice([-1.0, 1.0], size=(fold.max() + 2, DEALS))  # the last row is that of -1
    return true[:, None] * np.concatenate([np.ones((len(people), 1)), swaps[fold]], axis=1)


def by_performer(right: np.ndarray, people: np.ndarray) -> np.ndarray:
    """Each performer's share of frames put right, without performers of no fold: (P,)."""
    seen = np.isfinite(right)
    return np.array([right[seen & (people == p)].mean() for p in np.unique(people[seen])])


def chance(drawn: np.ndarray, value: float) -> dict[str, float]:
    """Mean and the middle 95 % of what random labels came to; `p`: how often as high as `value`."""
    low, high = np.percentile(drawn, [2.5, 97.5])
    rarity = (1 + (drawn >= value).sum()) / (1 + len(drawn))
    row = {"value": drawn.mean(), "low": low, "high": high, "p": rarity}
    return {key: round(float(number), 5) for key, number in row.items()}


def measure(
    inner: np.ndarray, clip: np.ndarray, people: np.ndarray, female: np.ndarray, seed: int
) -> dict[str, dict]:
    """Purity and separability in one space, with intervals over performers, and their chance.

    inner: `products` (N, N) of the frames; clip, people: whose each frame is (N,); female (P,).
    """
    neighbours = nearest(inner, clip)
    pure = purity(neighbours, people)
    fold = in_pairs(people, female)
    right = separability(inner, exchanged(female, fold, people, seed), fold)
    told = by_performer(right[:, 0], people)
    dealt = np.nanmean(right[:, 1:], axis=0)
    return {
        "purity": over_performers(pure, np.mean, seed=seed),
        "purity_chance": chance(purity_by_chance(neighbours, clip, people, seed), pure.mean()),
        "gender": over_performers(told, np.mean, seed=seed),
        "gender_chance": chance(dealt, told.mean()),
    }


def from_training(
    features: np.ndarray, female: np.ndarray, trained: np.ndarray, people: np.ndarray, seed: int
) -> dict[str, float]:
    """Separability of frames (N,) not `trained` by what is fitted to those that are.

    features (N, ...); female: of each frame (N,) bool; people: performers of those not trained.
    """
    labels = np.where(female, 1.0, -1.0)[:, None]
    guessed = scores(products(features), labels, trained, ~trained)
    right = (guessed * labels[~trained] > 0)[:, 0].astype(float)
    return over_performers(by_performer(right, people), np.mean, seed=seed)


def in_a_plane(codes: np.ndarray, seed: int) -> np.ndarray:
    """t-SNE of codes (N, D), begun at their principal components: float32 (N, 2)."""
    plane = TSNE(init="pca", perplexity=min(PERPLEXITY, len(codes) // 4), random_state=seed)
    return plane.fit_transform(codes).astype(np.float32)


def run(corpus: Path, runs: Path, out: Path, name: str = OURS, seed: int = 0) -> None:
    """Encode frames, measure, and write the results file and the points beside it.

    name: the method whose encoder it is, see `talker.experiments.held_out`.

    Raises:
        TalkerError: no corpus, too few performers, or nobody's gender is known.
    """
    began = time.monotonic()
    found = held_out(corpus)
    about = [clip.truth for clip in found]
    if not all("gender" in told for told in about):
        raise TalkerError(f"{corpus} does not tell women from men: use one of 'talker render'.")
    learnt = [clip for clip in clips(corpus) if clip.split == "train"]
    parts = sample(found, -(-FRAMES // len(found)))
    taught = sample(learnt, TRAINED)
    clip = np.repeat(np.arange(len(found)), [len(part) for part in parts])
    names, owner = np.unique([clip.speaker for clip in found], return_inverse=True)
    people, of_clip = owner[clip], np.array([told["gender"] == "female" for told in about])
    female = np.array([of_clip[owner == person][0] for person in range(len(names))])
    women = [c.truth["gender"] == "female" for c in learnt]
    everyone = np.concatenate(
        [np.repeat(women, [len(part) for part in taught]).astype(bool), of_clip[clip]]
    )
    pixels = np.concatenate([*taught, *parts])
    trained = np.arange(len(pixels)) < len(pixels) - len(clip)
    codes = encode(load_generator(weights_of(name, runs)), pixels)
    values = {}
    for space, features in (("z_id", codes), ("pixels", pixels)):
        values[space] = measure(products(features[~trained]), clip, people, female, seed)
        if learnt:
            told = from_training(features, everyone, trained, people, seed)
            values[space]["gender_from_training"] = told
    plane = in_a_plane(codes[~trained], seed)
    save_array(out.with_name(f"{out.stem}_points.npy"), plane)
    results = {
        "values": values,
        "per_clip": {
            "clip": [clip.name for clip in found],
            "speaker": [clip.speaker for clip in found],
            "gender": [told["gender"] for told in about],
            "frames": [len(part) for part in parts],
        },
        "seed": seed,
        "weights": about_weights([name], runs)[name],
        "circumstances": circumstances(
            time.monotonic() - began,
            corpus="rendered, held out",
            frames=len(clip),
            clips=len(found),
            performers=len(names),
            frames_trained=int(trained.sum()),
            performers_trained=len({clip.speaker for clip in learnt}),
            versions=versions((*PACKAGES, "scikit-learn")),
        ),
    }
    write_results(out, results)
    for space, told in values.items():
        for measured, value in told.items():
            print(space, measured, value)


if __name__ == "__main__":
    run(*(Path(argument) for argument in sys.argv[1:4]))
