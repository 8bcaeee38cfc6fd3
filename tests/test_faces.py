"""Detection and alignment, on real photographs and on points whose answer is known."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from skimage import data, transform

from talker import faces
from talker.faces import CANONICAL, CANONICAL_INDICES, DlibDetector, align, find_detector
from talker.metrics.landmarks import (
    eye_aspect_ratio,
    inner_lip_distance,
    inter_ocular_distance,
    mouth_width,
)
from talker.video import read_video

GRID = Path(os.environ.get("TALKER_GRID", Path(__file__).parents[2] / "shared" / "grid"))


@pytest.fixture(scope="module")
def detector():
    return DlibDetector()


@pytest.fixture(scope="module")
def astronaut(detector):
    return detector.detect(data.astronaut())[0]


def eye_centres(landmarks: np.ndarray) -> np.ndarray:
    return np.stack([landmarks[36:42].mean(axis=0), landmarks[42:48].mean(axis=0)])


# ---- detection


def test_a_real_photograph(detector, astronaut):
    assert len(detector.detect(data.astronaut())) == 1
    left, top, right, bottom = astronaut.box
    assert 150 < left < right < 300 and 50 < top < bottom < 220
    assert astronaut.landmarks.shape == (68, 2) and astronaut.landmarks.dtype == np.float32
    eyes = eye_centres(astronaut.landmarks)  # the pupils, by hand
    assert np.abs(eyes - [(203, 101), (246, 103)]).max() < 4


@pytest.mark.parametrize("scale", [0.25, 0.5, 2.0, 7.0])
def test_size_of_the_photograph_does_not_matter(detector, astronaut, scale):
    photo = data.astronaut()
    size = [round(n * scale) for n in photo.shape[:2]]
    resized = transform.resize(photo, size, anti_aliasing=True, preserve_range=True)
    found = detector.detect(resized.astype(np.uint8))
    assert len(found) == 1
    error = np.abs((found[0].landmarks + 0.5) / scale - 0.5 - astronaut.landmarks)
    assert error[list(CANONICAL_INDICES)].max() < 3  # pixels of the 512x512 original


def test_an_aligned_crop_is_found_where_the_canonical_face_says(detector, astronaut):
    crop, _ = align(data.astronaut(), astronaut.landmarks)
    again = detector.detect(crop)
    assert len(again) == 1
    assert np.abs(again[0].landmarks[list(CANONICAL_INDICES)] - CANONICAL).max() < 3


def test_several_faces_come_from_left_to_right(detector):
    photo = data.astronaut()[:256, 96:352]
    half = photo[::2, ::2]
    pair = np.zeros((256, 512, 3), np.uint8)
    pair[64:192, 64:192] = half
    pair[:, 256:] = photo
    found = detector.detect(pair)
    assert len(found) == 2
    assert found[0].box[0] < found[1].box[0]
    assert found[0].area < found[1].area


@pytest.mark.parametrize("image", [np.zeros((40, 30, 3), np.uint8), data.coffee()])
def test_no_face(detector, image):
    assert detector.detect(image) == []


@pytest.mark.skipif(not GRID.is_dir(), reason="GRID recordings are not here")
def test_every_grid_speaker_is_found_and_aligned(detector):
    for path in sorted((GRID / "speakers").glob("*.mpg")):
        frame = read_video(path)[0][0]
        found = detector.detect(frame)
        assert len(found) == 1, path
        crop, matrix = align(frame, found[0].landmarks)
        moved = found[0].landmarks @ matrix[:, :2].T + matrix[:, 2]
        assert np.abs(moved[list(CANONICAL_INDICES)] - CANONICAL).max() < 6, path
        assert len(detector.detect(crop)) == 1, path


def test_dlib_serves_where_no_weights_are_cached(monkeypatch, tmp_path):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    find_detector.cache_clear()
    assert isinstance(find_detector(), DlibDetector)
    assert list(tmp_path.iterdir()) == []  # nothing was downloaded


def test_face_alignment_serves_only_when_both_files_are_cached(monkeypatch, tmp_path):
    pytest.importorskip("face_alignment")
    from face_alignment.api import models_urls as landmark_urls
    from face_alignment.detection.sfd.sfd_detector import models_urls as face_urls

    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / Path(face_urls["s3fd"]).name).touch()
    assert not faces.FaceAlignmentDetector.cached()
    (tmp_path / "checkpoints" / Path(landmark_urls["2DFAN-4"]).name).touch()
    assert faces.FaceAlignmentDetector.cached()


def test_face_alignment_results_are_mapped_back_to_the_image():
    """Its network sees an enlarged copy; what it finds must be in pixels of the original."""

    class Network:
        def __init__(self):
            self.face_detector = self

        def detect_from_image(self, image):
            assert image.shape == (384, 288, 3)  # 3x
            return [np.array([150, 30, 270, 150, 0.5]), np.array([30, 60, 120, 150, 0.9])]

        def get_landmarks_from_image(self, image, detected_faces):
            return [np.full((68, 2), 3 * box[0] + 1, np.float32) for box in detected_faces]

    detector = object.__new__(faces.FaceAlignmentDetector)
    detector._network = Network()
    found = detector.detect(np.zeros((128, 96, 3), np.uint8))
    assert [face.box for face in found] == [(10, 20, 40, 50), (50, 10, 90, 50)]
    assert [face.score for face in found] == [0.9, 0.5]
    assert np.allclose(found[0].landmarks, 30)  # (3 * 30 + 1 + 0.5) / 3 - 0.5
    fitted = detector.fit(np.zeros((128, 96, 3), np.uint8), np.array([30.0, 60, 120, 150]))
    assert fitted.shape == (68, 2) and fitted.dtype == np.float32 and np.allclose(fitted, 91)


# ---- alignment


def test_similarity_recovers_a_known_transform():
    points = np.random.default_rng(0).normal(size=(5, 2))
    angle, scale, shift = 0.7, 2.5, np.array([3.0, -4.0])
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = faces.similarity(points, scale * points @ rotation.T + shift)
    assert np.allclose(matrix, np.column_stack([scale * rotation, shift]))


def test_similarity_is_the_least_squares_one_and_never_a_mirror_image():
    source = np.random.default_rng(0).normal(size=(5, 2))
    for target in (np.random.default_rng(1).normal(size=(5, 2)), source * [-1, 1]):
        reference = transform.SimilarityTransform.from_estimate(source, target).params[:2]
        matrix = faces.similarity(source, target)
        assert np.allclose(matrix, reference)
        assert np.linalg.det(matrix[:, :2]) > 0


def canonical_landmarks() -> np.ndarray:
    """68 landmarks of which the five that alignment uses are at the canonical places."""
    landmarks = np.zeros((68, 2))
    landmarks[list(CANONICAL_INDICES)] = CANONICAL
    return landmarks


def test_an_aligned_crop_comes_back_unchanged():
    ramp = np.add.outer(np.arange(128), np.arange(96)).astype(np.uint8)
    image = np.repeat(ramp[..., None], 3, axis=2)
    crop, matrix = align(image, canonical_landmarks())
    assert np.allclose(matrix, [[1, 0, 0], [0, 1, 0]])
    assert crop.shape == (128, 96, 3) and crop.dtype == np.uint8
    assert np.abs(crop[1:-1, 1:-1].astype(int) - image[1:-1, 1:-1]).max() <= 1


@pytest.mark.parametrize("scale", [0.5, 1.5, 3, 20.3])
def test_a_spot_lands_where_the_matrix_says(scale):
    """At any size of photograph: no shift by half a pixel from resizing."""
    height, width = round(160 * scale), round(120 * scale)
    place = np.array([60.0, 80.0]) * scale
    x, y = np.arange(width), np.arange(height)[:, None]
    spot = np.exp(-((x - place[0]) ** 2 + (y - place[1]) ** 2) / (2 * (4 * scale) ** 2))
    image = np.repeat((spot * 255).astype(np.uint8)[..., None], 3, axis=2)
    crop, matrix = align(image, canonical_landmarks() * scale + 2 * scale)
    weight = crop[..., 0].astype(float)
    centre = np.array([(weight.sum(axis=0) @ np.arange(96)), (weight.sum(axis=1) @ np.arange(128))])
    expected = matrix[:, :2] @ place + matrix[:, 2]
    assert np.abs(centre / weight.sum() - expected).max() < 0.05


def test_a_large_photograph_is_averaged_and_not_sampled():
    """A one-pixel checkerboard has no detail that a smaller image could show: it must be grey."""
    board = np.indices((1280, 960)).sum(axis=0) % 2 * 255
    image = np.repeat(board.astype(np.uint8)[..., None], 3, axis=2)
    crop, _ = align(image, canonical_landmarks() * 10)
    assert np.abs(crop.astype(int) - 127).max() <= 8


def test_beyond_the_photograph_there_is_no_black():
    image = np.full((60, 60, 3), 200, np.uint8)
    crop, _ = align(image, canonical_landmarks() - 30)
    assert crop.min() == 200


# ---- measures


def test_mouth_and_eye_measures_by_hand():
    landmarks = np.zeros((68, 2))
    landmarks[36], landmarks[45] = (0, 0), (10, 0)  # eye distance 10
    landmarks[39], landmarks[42] = (3, 0), (7, 0)  # both eyes 3 wide
    for upper, lower in ((37, 41), (38, 40), (43, 47), (44, 46)):
        landmarks[upper], landmarks[lower] = (1, -0.6), (1, 0.6)  # and 1.2 high
    for upper, lower, gap in ((61, 67, 1.0), (62, 66, 2.0), (63, 65, 3.0)):
        landmarks[lower] = landmarks[upper] + (0, gap)
    landmarks[48], landmarks[54] = (2, 5), (6, 5)
    assert inter_ocular_distance(landmarks) == pytest.approx(10)
    assert inner_lip_distance(landmarks) == pytest.approx(0.2)
    assert mouth_width(landmarks) == pytest.approx(0.4)
    assert eye_aspect_ratio(landmarks) == pytest.approx(2 * 1.2 / 3)
    turned = np.stack([landmarks, 3 * landmarks[:, ::-1] + 7])  # another size, another roll
    for measure in (inner_lip_distance, mouth_width, eye_aspect_ratio):
        assert np.allclose(measure(turned), measure(landmarks)) and measure(turned).shape == (2,)


def test_the_astronaut_smiles_with_open_eyes(astronaut):
    assert 0.4 < eye_aspect_ratio(astronaut.landmarks) < 1.0
    assert 0.5 < mouth_width(astronaut.landmarks) < 0.9
    assert inner_lip_distance(astronaut.landmarks) > 0.02  # her teeth are seen
