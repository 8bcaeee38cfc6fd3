"""Following faces, on photographs moved about by known amounts; head pose, on rendered heads."""

import cv2
import numpy as np
import pytest
from skimage import data

from talker import tracking
from talker.errors import TalkerError
from talker.faces import CANONICAL_INDICES, DlibDetector
from talker.metrics.landmarks import inter_ocular_distance
from talker.pose import head_pose
from talker.tracking import Track, filled, follow, main_face, smoothed

FIVE = list(CANONICAL_INDICES)
PHOTO = data.astronaut()[20:260, 110:330]  # a head of 100 pixels in 240 x 220
BLANK = np.full_like(PHOTO, 127)


class Counting(DlibDetector):
    """dlib's, and how often it was asked to look at a whole frame."""

    looks = 0

    def detect(self, image):
        self.looks += 1
        return super().detect(image)


@pytest.fixture(scope="module")
def dlib():
    return Counting()


@pytest.fixture
def detector(dlib):
    dlib.looks = 0
    return dlib


def moved(t: int) -> np.ndarray:
    """A slow sway and nod, as a (2, 3) matrix."""
    angle, scale = np.radians(4 * np.sin(t / 6)), 1 + 0.04 * np.sin(t / 9)
    matrix = cv2.getRotationMatrix2D((110, 120), np.degrees(angle), scale)
    matrix[:, 2] += (8 * np.sin(t / 5), 5 * np.sin(t / 7))
    return matrix


def scene(t: int) -> np.ndarray:
    return cv2.warpAffine(PHOTO, moved(t), PHOTO.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)


def test_landmarks_move_as_the_face_does(detector):
    (track,) = follow((scene(t) for t in range(30)), detector)
    seen = track.array(30)
    assert np.isfinite(seen).all() and seen.dtype == np.float32
    assert detector.looks == 2 == track.detected  # at frames 0 and 25
    for t in range(30):
        matrix = moved(t)
        back = cv2.invertAffineTransform(matrix)
        still = seen[t] @ back[:, :2].T + back[:, 2]
        error = np.linalg.norm(still - seen[0], axis=1) / inter_ocular_distance(seen[0])
        assert error[FIVE].mean() < 0.03


def test_the_fit_agrees_with_detection(detector):
    (track,) = follow([PHOTO], detector)
    (face,) = detector.detect(PHOTO)
    unit = inter_ocular_distance(face.landmarks)
    error = np.linalg.norm(track.landmarks[0] - face.landmarks, axis=1) / unit
    assert error[17:].mean() < 0.04


def test_frames_without_a_face_are_gaps(detector):
    frames = [scene(0)] * 3 + [BLANK] * 4 + [scene(1)] * 3
    (track,) = follow(frames, detector)
    assert sorted(track.landmarks) == [0, 1, 2, 7, 8, 9]
    assert np.isnan(track.array(10)[3:7]).all()


def test_a_face_that_jumps_is_looked_for_again(detector):
    away = np.roll(PHOTO, -40, axis=1)
    tracks = follow([PHOTO] * 3 + [away] * 3, detector)
    seen = main_face(tracks)
    places = [float(marks[30, 0]) for track in tracks for marks in track.landmarks.values()]
    assert max(places) - min(places) == pytest.approx(40, abs=3)
    assert detector.looks >= 2 and len(seen.landmarks) >= 3


def test_the_largest_face_that_persists_is_taken(detector, monkeypatch):
    monkeypatch.setattr(tracking, "EVERY", 1)
    small = cv2.resize(PHOTO, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
    wide = np.full((260, 400, 3), 90, np.uint8)
    wide[60 : 60 + len(small), 10 : 10 + small.shape[1]] = small
    both = wide.copy()
    both[10:250, 170:390] = PHOTO
    passing = follow([wide] * 3 + [both] * 2 + [wide] * 5, detector)
    assert len(passing) == 2
    assert main_face(passing).landmarks[0][30, 0] < 170  # the small one, who stays
    lasting = follow([both] * 4, detector)
    assert main_face(lasting).landmarks[0][30, 0] > 170
    with pytest.raises(TalkerError, match="no face was found in any frame"):
        main_face(follow([BLANK] * 2, detector))


def test_what_the_detector_never_confirms_is_dropped(detector, monkeypatch):
    monkeypatch.setattr(tracking, "EVERY", 2)
    monkeypatch.setattr(tracking, "_GONE", 5)
    found = detector.detect(PHOTO)
    answers = iter([found])
    monkeypatch.setattr(detector, "detect", lambda image: next(answers, []), raising=False)
    (track,) = follow([PHOTO] * 12, detector)
    assert sorted(track.landmarks) == [0, 1, 2, 3]  # unconfirmed at 2, and again at 4


def test_gaps_are_interpolated_and_ends_repeated():
    landmarks = np.arange(8, dtype=np.float32)[:, None, None] * np.ones((8, 68, 2), np.float32)
    landmarks[[0, 3, 4, 7]] = np.nan
    whole, gaps = filled(landmarks)
    assert whole[:, 0, 0].tolist() == [1, 1, 2, 3, 4, 5, 6, 6] and whole.shape == (8, 68, 2)
    assert gaps == [1, 2, 1]
    assert filled(whole)[1] == []


def test_smoothing_is_the_mean_of_seven_frames():
    spike = np.zeros((15, 68, 2))
    spike[7] = 7
    assert smoothed(spike)[:, 0, 0].tolist() == [0] * 4 + [1] * 7 + [0] * 4
    assert smoothed(np.ones((3, 68, 2))).tolist() == np.ones((3, 68, 2)).tolist()
    assert smoothed(np.arange(4.0)[:, None, None])[0, 0, 0] == 1.5


def test_the_area_of_a_track_is_that_of_its_usual_frame():
    marks = np.zeros((68, 2), np.float32)
    marks[45] = (10, 0)
    assert Track({0: marks, 1: marks, 2: 5 * marks}).area() == 100


@pytest.fixture(scope="module")
def heads() -> np.ndarray:
    """Landmarks (40, 68, 3) in decimetres of people whom the mean head was not made from."""
    from talker.studio.character import character
    from talker.studio.landmarks import landmark_vertices
    from talker.studio.performer import _shape

    found = []
    for number in range(40):
        who, rng = character(number, seed=1), np.random.default_rng([1, 1, number, 1])
        found.append(_shape(rng, who.gender, who.years, who.ancestry)[landmark_vertices()])
    return np.array(found, np.float64)


def turned(heads: np.ndarray, angles: tuple, focal: float) -> np.ndarray:
    """Landmarks (N, 68, 2) of heads (N, 68, 3) seen by a camera, in pixels of 240 x 320."""
    pitch, yaw, roll = np.radians(angles)
    x = cv2.Rodrigues(np.array([-pitch, 0, 0]))[0]
    y = cv2.Rodrigues(np.array([0, yaw, 0]))[0]
    z = cv2.Rodrigues(np.array([0, 0, roll]))[0]
    places = (heads - heads[:, 30:31]) @ (z @ y @ x).T - (0, 0, 6)
    return places[..., :2] / -places[..., 2:] * (focal, -focal) + (160, 120)


POSES = [(0, 0, 0), (12, 0, 0), (-12, 0, 0), (0, -15, 0), (0, 30, 0), (0, 0, 10), (-8, 9, -6)]


@pytest.mark.parametrize("angles", POSES)
def test_head_pose_errs_to_neither_side(heads, angles):
    """Each face's own shape shows, but they cancel: the mean head is their mean."""
    errors = head_pose(turned(heads, angles, 320), 240, 320) - angles
    assert np.abs(errors.mean(axis=0)).max() < 1
    assert (errors.std(axis=0) < (3.5, 2.5, 0.5)).all() and np.abs(errors).max() < 9


@pytest.mark.parametrize("angles", POSES)
def test_head_pose_through_a_longer_lens(heads, angles):
    errors = head_pose(turned(heads, angles, 640), 240, 320) - angles
    assert np.abs(errors.mean(axis=0)).max() < 3
