"""Are the rendered performers faces, and different people? A detector and an embedding that have
only seen photographs are asked.

    python -m talker.experiments.performers CORPUS figures/results/performers.json

Three things: whether dlib finds the face, how far its landmarks lie from those of the mesh, and
whether its face embedding puts two frames of one performer nearer than frames of two.

values: found, share of frames with a face; error, median over clips of the landmark error, and
over, share of clips whose error is above `most_error`, both in distances of the eyes; auc;
same_mean and different_mean, distances of embeddings of one performer and of two; and
under_threshold_different, share of pairs of two performers within the 0.6 at which dlib advises to
call two photographs one person. Intervals of 95 % are over clips, those of auc and the two means
over performers.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
from tqdm import tqdm

from talker.errors import TalkerError
from talker.evaluators.face_embedding import DlibEmbedding, FaceEmbedding, distances
from talker.experiments.report import circumstances, write_results
from talker.faces import Detector, DlibDetector
from talker.metrics.intervals import bootstrap
from talker.metrics.landmarks import inter_ocular_distance
from talker.store import StoredClip, clips, read_frames

EVERY = 15  # of so many frames of a clip one is looked at
EMBEDDED = 12  # frames of each performer
MOST_ERROR = 0.04  # of the distance of the eyes: where the median over clips is to stay below


def same_person_auc(apart: np.ndarray, people: np.ndarray, weights: np.ndarray | None = None):
    """Area under the ROC curve of "nearer than a threshold" as a test for the same person.

    apart: distances (N, N); people: who each of the N is, 0..P-1; weights (P,): how often each
    person counts, for a bootstrap over people. A pair of different people counts as the product of
    their weights, a pair of one person as that person's weight. Ties count half. NaN where nobody
    is different.
    """
    weights = np.ones(people.max() + 1) if weights is None else weights
    first, second = np.triu_indices(len(people), 1)
    same = people[first] == people[second]
    each = np.where(same, weights[people[first]], weights[people[first]] * weights[people[second]])
    distance = apart[first, second]
    order = np.argsort(distance[~same], kind="stable")
    others = distance[~same][order]
    below = np.concatenate([[0.0], np.cumsum(each[~same][order])])
    nearer, up_to = (
        below[np.searchsorted(others, distance[same], side)] for side in ("left", "right")
    )
    farther = below[-1] - (nearer + up_to) / 2
    pairs = each[same].sum() * below[-1]
    return float((each[same] * farther).sum() / pairs) if pairs else float("nan")


def auc_interval(
    apart: np.ndarray, people: np.ndarray, draws: int = 200, seed: int = 0
) -> dict[str, float]:
    """`same_person_auc` with its 95 % interval, people drawn again and again."""
    rng, count = np.random.default_rng(seed), int(people.max()) + 1
    drawn = [
        same_person_auc(
            apart, people, np.bincount(rng.integers(count, size=count), minlength=count)
        )
        for _ in range(draws)
    ]
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    value = same_person_auc(apart, people)
    return {"value": round(value, 5), "low": round(float(low), 5), "high": round(float(high), 5)}


def mean_distances(
    apart: np.ndarray, people: np.ndarray, draws: int = 200, seed: int = 0
) -> dict[str, dict[str, float]]:
    """The "same" and the "different" mean distance of two frames of one person, and of two people.

    With 95 % intervals, people drawn again and again. apart, people: as for `same_person_auc`; a
    pair counts as there.
    """
    count = int(people.max()) + 1
    member = np.eye(count)[people]  # (N, P)
    total = member.T @ apart @ member  # (P, P): sums over pairs of frames, each pair twice
    pairs = member.T @ (1 - np.eye(len(people))) @ member

    def means(weights: np.ndarray) -> tuple[float, float]:
        own, across = np.diag(weights), np.outer(weights, weights) * (1 - np.eye(count))
        with np.errstate(invalid="ignore"):  # one person alone has nobody to be different from
            return tuple(float((total * w).sum() / (pairs * w).sum()) for w in (own, across))

    rng = np.random.default_rng(seed)
    drawn = [
        means(np.bincount(rng.integers(count, size=count), minlength=count)) for _ in range(draws)
    ]
    rows = means(np.ones(count)), *np.nanpercentile(drawn, [2.5, 97.5], axis=0)
    return {
        name: {
            key: round(float(row[i]), 5)
            for key, row in zip(("value", "low", "high"), rows, strict=True)
        }
        for i, name in enumerate(("same", "different"))
    }


def look(
    found_clips: list[StoredClip], detector: Detector, embedding: FaceEmbedding
) -> tuple[dict[str, list], np.ndarray, np.ndarray]:
    """Per clip: share of frames with a face, and median landmark error in eye distances.

    Then embeddings (N, D), and the speaker of each (N,) as a number.
    """
    rows: dict[str, list] = {"clip": [], "speaker": [], "found": [], "error": []}
    embedded, people, taken = [], [], dict.fromkeys((clip.speaker for clip in found_clips), 0)
    numbers = {speaker: number for number, speaker in enumerate(taken)}
    for clip in tqdm(found_clips, desc="looking", unit="clip"):
        truth = np.asarray(clip.truth["landmarks"])
        at = np.arange(EVERY // 2, len(truth), EVERY)
        errors, found = [], 0
        for frame, marks in zip(read_frames(clip.video, at.tolist()), truth[at], strict=True):
            faces = detector.detect(frame)
            if not faces:
                continue
            found += 1
            seen = max(faces, key=lambda face: face.area).landmarks
            miss = np.linalg.norm(seen - marks, axis=1).mean()
            errors.append(miss / inter_ocular_distance(marks))
            if taken[clip.speaker] < EMBEDDED:
                taken[clip.speaker] += 1
                embedded.append(embedding.embed(frame, seen))
                people.append(numbers[clip.speaker])
        rows["clip"].append(clip.name)
        rows["speaker"].append(clip.speaker)
        rows["found"].append(found / len(at))
        rows["error"].append(float(np.median(errors)) if errors else float("nan"))
    return rows, np.stack(embedded), np.array(people)


def over(errors: list[float]) -> np.ndarray:
    """1 for each clip whose error is above MOST_ERROR, else 0; NaN where no face was found."""
    each = np.asarray(errors, float)
    return np.where(np.isfinite(each), each > MOST_ERROR, np.nan)


def main(corpus: Path, out: Path) -> None:
    """Look at every clip of the corpus and write the results file.

    Raises TalkerError for a corpus that was not rendered: nobody knows its true landmarks.
    """
    began = time.monotonic()
    everyone = clips(corpus)
    about = json.loads((corpus / "corpus.json").read_text(encoding="utf-8"))
    if about.get("kind") != "rendered":
        raise TalkerError(f"{corpus} was not rendered: make one with 'talker render'.")
    embedding = DlibEmbedding()
    rows, embedded, people = look(everyone, DlibDetector(), embedding)
    apart = distances(embedded)
    same = people[:, None] == people[None]
    pairs = np.triu(np.ones_like(same), 1).astype(bool)
    rows["found"] = [round(value, 4) for value in rows["found"]]
    rows["error"] = [round(value, 5) for value in rows["error"]]
    bins = np.linspace(0, 1.2, 49)
    results = {
        "values": {
            "found": bootstrap(rows["found"], np.mean),
            "error": bootstrap(rows["error"]),
            "over": bootstrap(over(rows["error"]), np.mean),
            "auc": auc_interval(apart, people),
            **{f"{kind}_mean": v for kind, v in mean_distances(apart, people).items()},
            "under_threshold_different": round(float((apart < 0.6)[~same & pairs].mean()), 4),
        },
        "histogram": {
            "bins": bins.round(3).tolist(),
            "same": np.histogram(apart[same & pairs], bins)[0].tolist(),
            "different": np.histogram(apart[~same & pairs], bins)[0].tolist(),
        },
        "per_clip": rows,
        "embedding": embedding.name,
        "most_error": MOST_ERROR,
        "seed": about["seed"],
        "circumstances": circumstances(
            time.monotonic() - began,
            corpus="rendered",
            sentences=about["sentences"],
            clips=len(everyone),
            performers=len(set(rows["speaker"])),
        ),
    }
    write_results(out, results)
    for name, value in results["values"].items():
        print(name, value)


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:3]))
