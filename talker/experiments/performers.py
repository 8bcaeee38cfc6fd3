"""Are the rendered performers faces, and different people? A detector and an embedding that have
only seen photographs are asked.

    python -m talker.experiments.performers CORPUS figures/results/performers.json

Three things: whether dlib finds the face, how far its landmarks lie from those of the mesh, and
whether its face embedding puts two frames of one performer nearer than frames of two.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
from tqdm import tqdm

from talker.evaluators.face_embedding import DlibEmbedding, FaceEmbedding, distances
from talker.experiments.report import bootstrap, circumstances, write_results
from talker.faces import Detector, DlibDetector
from talker.metrics.landmarks import inter_ocular_distance
from talker.store import StoredClip, clips, read_frames

EVERY = 15  # of so many frames of a clip one is looked at
EMBEDDED = 12  # frames of each performer


def same_person_auc(apart: np.ndarray, people: np.ndarray, weights: np.ndarray | None = None):
    """Area under the ROC curve of "nearer than a threshold" as a test for the same person.

    apart: distances (N, N); people: who each of the N is, 0..P-1; weights (P,): how often each
    person counts, for a bootstrap over people. A pair of different people counts as the product of
    their weights, a pair of one person as that person's weight. Ties count half.
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
    return float((each[same] * farther).sum() / (each[same].sum() * below[-1]))


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
    low, high = np.percentile(drawn, [2.5, 97.5])
    value = same_person_auc(apart, people)
    return {"value": round(value, 5), "low": round(float(low), 5), "high": round(float(high), 5)}


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


def main(corpus: Path, out: Path) -> None:
    """Look at every clip of the corpus and write the results file."""
    began = time.monotonic()
    everyone = [clip for split in ("train", "validation", "test") for clip in clips(corpus, split)]
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
            "auc": auc_interval(apart, people),
            "under_threshold_different": round(float((apart < 0.6)[~same & pairs].mean()), 4),
        },
        "histogram": {
            "bins": bins.round(3).tolist(),
            "same": np.histogram(apart[same & pairs], bins)[0].tolist(),
            "different": np.histogram(apart[~same & pairs], bins)[0].tolist(),
        },
        "per_clip": rows,
        "embedding": embedding.name,
        "circumstances": circumstances(
            time.monotonic() - began,
            corpus="rendered",
            clips=len(everyone),
            performers=len(set(rows["speaker"])),
        ),
    }
    write_results(out, results)
    for name, value in results["values"].items():
        print(name, value)


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:3]))
