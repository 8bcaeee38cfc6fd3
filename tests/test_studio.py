"""Rendered performers: who they are, where their landmarks lie, and what a real detector sees."""

import copy
import dataclasses

import numpy as np
import pytest

from talker.errors import TalkerError
from talker.faces import CANONICAL, CANONICAL_INDICES, DlibDetector
from talker.metrics.landmarks import eye_aspect_ratio, inner_lip_distance, inter_ocular_distance
from talker.studio import anatomy as parts
from talker.studio.acting import ACTIONS
from talker.studio.anatomy import anatomy, target
from talker.studio.camera import Camera, Pose
from talker.studio.character import ANCESTRIES
from talker.studio.landmarks import landmark_vertices
from talker.studio.performer import macro_weights, performer
from talker.studio.trace import Scene

# Two women and two men, dark and light.
NUMBERS = (10, 11, 4, 7)
REST: dict[str, float] = {}
OPEN = {"jawOpen": 0.5}
BLINK = {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}
BILABIAL = {"jawOpen": 0.2, "mouthClose": 0.2, "mouthRollLower": 0.2, "mouthRollUpper": 0.2}
BILABIAL |= {"mouthPressLeft": 0.15, "mouthPressRight": 0.15}


def pose(actions: dict[str, float], head=(0, 0, 0, 0, 0, 0), gaze=(0, 0)) -> Pose:
    return Pose(actions, np.array(head, float), np.array(gaze, float))


def points(camera: Camera, asked: Pose) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices, film, and the 68 landmarks in pixels of the frame."""
    vertices = camera.posed(asked)
    seen = camera.landmarks(vertices)
    film = camera.film(seen)
    return vertices, film, seen @ film[:, :2].T + film[:, 2]


def shoot(camera: Camera, asked: Pose) -> tuple[np.ndarray, np.ndarray]:
    vertices, film, landmarks = points(camera, asked)
    return camera.render(vertices, film), landmarks


@pytest.fixture(scope="module")
def cameras() -> dict[int, Camera]:
    return {number: Camera(performer(number)) for number in NUMBERS}


@pytest.fixture(scope="module")
def shots(cameras) -> dict[tuple[int, str], tuple[np.ndarray, np.ndarray]]:
    """One frame with its landmarks for each performer and pose."""
    poses = {"rest": REST, "open": OPEN, "blink": BLINK, "bilabial": BILABIAL}
    return {(n, k): shoot(cameras[n], pose(a)) for n in NUMBERS for k, a in poses.items()}


@pytest.fixture(scope="module")
def detected(shots) -> dict[tuple[int, str], np.ndarray]:
    """dlib's landmarks of each of the shots."""
    detector = DlibDetector()
    found = {key: detector.detect(frame) for key, (frame, _) in shots.items()}
    assert all(len(faces) == 1 for faces in found.values())
    return {key: faces[0].landmarks for key, faces in found.items()}


# ---- anatomy


def test_the_head_has_every_part_and_no_vertex_to_spare():
    body = anatomy()
    assert set(body.part) == {parts.SKIN, parts.EYE, parts.TEETH, parts.TONGUE, parts.LASH}
    assert len(body.part) == len(body.triangles)
    assert np.array_equal(np.unique(body.triangles), np.arange(len(body.vertices)))
    skin = np.unique(body.triangles[body.part == parts.SKIN])
    assert body.vertices[skin, 1].min() > parts.CHEST


@pytest.mark.parametrize(
    ("name", "landmarks"), [("lips", range(48, 60)), ("eyelids", [37, 38, 43, 44])]
)
def test_masks_cover_what_they_are_named_after(name, landmarks):
    body = anatomy()
    mask = body.masks[name]
    assert mask.min() == 0 and 0.9 < mask.max() <= 1
    assert (mask > 0.3).mean() < 0.2  # a small part of the head
    ids = landmark_vertices()
    assert (mask[ids[list(landmarks)]] > 0.3).mean() > 0.7
    assert mask[ids[[*range(27, 31)]]].max() < 0.1  # not the bridge of the nose


def test_eyes_are_left_and_right_and_round():
    body = anatomy()
    for ids, side in zip(body.eyes, (1, -1), strict=True):
        centre = body.vertices[ids].mean(0)
        assert np.sign(centre[0]) == side
        distance = np.linalg.norm(body.vertices[ids] - centre, axis=1)
        assert distance.std() < 0.2 * distance.mean()
    assert len(body.eyes[0]) == len(body.eyes[1])


def test_jaw_opening_moves_the_chin_down_and_leaves_the_brows():
    moved = target("faceunits/jawOpen")
    ids = landmark_vertices()
    assert moved.shape == anatomy().vertices.shape and moved.dtype == np.float32
    assert moved[ids[8], 1] < -0.1  # more than a centimetre
    assert np.abs(moved[ids[17:27]]).max() < 0.01  # under a millimetre


def test_every_facial_action_moves_something_and_an_unknown_one_is_refused():
    for name in set(ACTIONS) - {"tongueUp"}:  # which the camera itself does
        assert np.abs(target(f"faceunits/{name}")).max() > 0, name
    with pytest.raises(TalkerError, match="no shape target nose/nose-of-cleopatra"):
        target("nose/nose-of-cleopatra")


def test_landmarks_are_where_ibug_has_them():
    """The jaw runs from the performer's right to the left; brows lie over eyes over the mouth."""
    ids = landmark_vertices()
    assert len(set(ids)) == 68
    x, y = anatomy().vertices[ids, 0], anatomy().vertices[ids, 1]
    assert (np.diff(x[1:16]) > 0).all() and y[8] == y[:17].min()
    assert y[17:27].min() > y[36:48].max() > y[33] > y[48:68].max()
    for upper, lower in (
        ((36, 37, 38, 39), (36, 41, 40, 39)),
        ((42, 43, 44, 45), (42, 47, 46, 45)),
        ((48, 49, 50, 51, 52, 53, 54), (48, 59, 58, 57, 56, 55, 54)),
        ((60, 61, 62, 63, 64), (60, 67, 66, 65, 64)),
    ):
        assert (np.diff(x[list(upper)]) > 0).all() and (np.diff(x[list(lower)]) > 0).all()
        assert y[list(upper[1:-1])].min() > y[list(lower[1:-1])].min()
    mirrored = [*range(16, -1, -1), *range(26, 16, -1)]
    assert np.allclose(x[:27], -x[mirrored], atol=0.03)


# ---- performers


def test_macro_weights_sum_to_one_for_the_body_and_for_the_ancestry():
    ancestry = dict(zip(ANCESTRIES, (0.6, 0.3, 0.1), strict=True))
    for gender, age, weight in [(0, 0, 0), (1, 1, 1), (0.3, 0.7, 0.2), (0.88, 0.4, 0.9)]:
        mix = macro_weights(gender, age, weight, ancestry)
        universal = [v for k, v in mix.items() if "universal" in k]
        assert sum(universal) == pytest.approx(1, abs=0.01)  # shares below 0.001 are left out
        assert sum(mix.values()) - sum(universal) == pytest.approx(1, abs=0.01)
    pure = macro_weights(1, 0, 0.5, {"asian": 1.0, "african": 0.0, "caucasian": 0.0})
    assert pure == {
        "macrodetails/universal-male-young-averagemuscle-averageweight": 1,
        "macrodetails/asian-male-young": 1,
    }


def test_a_number_is_a_person():
    performer.cache_clear()
    first = performer(4)
    performer.cache_clear()
    again, other, reseeded = performer(4), performer(6), performer(4, seed=1)
    assert again is not first
    assert np.array_equal(first.rest, again.rest)
    assert np.array_equal(first.look.texture, again.look.texture)
    for mine, its in zip(first.worn, again.worn, strict=True):
        assert np.array_equal(mine.vertices, its.vertices)
    assert np.array_equal(first.background, again.background)
    assert (first.age, first.ancestry) == (again.age, again.ancestry)
    for stranger in (other, reseeded):
        assert np.abs(first.rest - stranger.rest).max() > 0.05  # half a centimetre somewhere
        assert np.abs(first.look.texture - stranger.look.texture).mean() > 0.01
        assert np.abs(first.background - stranger.background).mean() > 0.01


def test_genders_alternate_and_every_ancestry_has_both():
    people = [performer(number) for number in range(6)]
    assert [p.gender for p in people] == ["female", "male"] * 3
    for p in people:
        assert 18 <= p.age <= 75 and sum(p.ancestry.values()) == pytest.approx(1)
    major = [max(p.ancestry, key=p.ancestry.get) for p in people]
    assert set(major[::2]) == set(major[1::2]) == set(ANCESTRIES)


def test_eyes_sit_in_the_same_place_for_everyone(cameras):
    middles = [
        np.mean([c.performer.rest[ids].mean(0) for ids in anatomy().eyes], axis=0)
        for c in cameras.values()
    ]
    assert np.ptp(middles, axis=0).max() < 1e-3


# ---- geometry of the camera


def test_a_ray_hits_the_nearer_triangle():
    square = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]], float)
    corners = np.array([[0, 1, 2], [0, 2, 3]])
    scene = Scene(
        np.concatenate([square, square - [0, 0, 2]]), np.concatenate([corners + 4, corners])
    )
    origins = np.array([[0.5, -0.5, 3], [-0.5, 0.5, 3], [4, 0, 3]])
    down = np.tile([0.0, 0.0, -1.0], (3, 1))
    triangle, weights = scene.first_hit(origins, down)
    assert triangle.tolist() == [2, 3, -1]
    hit = (weights[0][:, None] * square[corners[0]]).sum(0)
    assert np.allclose(hit, [0.5, -0.5, 0], atol=1e-5)
    assert np.allclose(scene.distance(origins, down)[:2], 3)
    assert scene.blocked(origins, down).tolist() == [True, True, False]
    assert scene.blocked(origins, down, reach=2.5).tolist() == [False] * 3


def test_landmarks_land_on_the_canonical_face(shots):
    for _, landmarks in shots.values():
        miss = np.linalg.norm(landmarks[list(CANONICAL_INDICES)] - CANONICAL, axis=1)
        assert miss.mean() < 3  # faces differ in shape; a similarity fits five points on average
        assert np.abs(landmarks[list(CANONICAL_INDICES)].mean(0) - CANONICAL.mean(0)).max() < 1e-4


def test_the_crop_follows_the_head(cameras):
    *_, still = points(cameras[10], pose(REST))
    *_, moved = points(cameras[10], pose(REST, head=(0, 0, 12, 1.0, -0.5, 2.0)))
    assert np.abs(moved[17:] - still[17:]).max() < 1.0  # roll and shift are undone, in pixels
    *_, turned = points(cameras[10], pose(REST, head=(0, 15, 0, 0, 0, 0)))
    towards_left = (turned[30] - turned[[36, 45]].mean(0))[0]
    assert towards_left > (still[30] - still[[36, 45]].mean(0))[0] + 2  # the nose goes right


def test_the_head_turns_and_the_chest_stays(cameras):
    camera = cameras[10]
    rest, nodded = (camera.posed(pose(REST, head=h)) for h in ((0,) * 6, (10, 0, 0, 0, 0, 0)))
    chest = rest[:, 1] < 5.6
    assert chest.any() and np.array_equal(rest[chest], nodded[chest])
    tip = landmark_vertices()[30]
    assert nodded[tip, 1] > rest[tip, 1] + 0.1  # pitch is up
    tilted = camera.posed(pose(REST, head=(0, 0, 10, 0, 0, 0)))
    assert tilted[camera.posed(pose(REST))[:, 1].argmax(), 0] < -0.2  # to the right shoulder


def test_gaze_turns_the_eyes_and_nothing_else(cameras):
    camera = cameras[11]
    ahead, aside = camera.posed(pose(REST)), camera.posed(pose(REST, gaze=(20, 0)))
    moved = np.flatnonzero(np.abs(ahead - aside).max(1) > 1e-6)
    left, right = anatomy().eyes
    assert set(moved) <= {*left, *right}
    for ids in (left, right):
        front = ids[ahead[ids, 2].argmax()]
        assert aside[front, 0] > ahead[front, 0] + 0.01  # to the performer's left


def test_a_blink_and_an_open_mouth_in_the_landmarks(shots):
    for n in NUMBERS:
        landmarks = {k: shots[n, k][1] for k in ("rest", "open", "blink", "bilabial")}
        ear = {k: eye_aspect_ratio(v) for k, v in landmarks.items()}
        assert ear["blink"] < 0.65 * ear["rest"]
        assert ear["open"] == pytest.approx(ear["rest"], abs=0.01)
        lips = {k: inner_lip_distance(v) for k, v in landmarks.items()}
        assert lips["open"] > lips["rest"] + 0.08
        assert lips["bilabial"] < 0.4 * lips["open"]
        assert lips["blink"] == pytest.approx(lips["rest"], abs=0.01)


def test_lips_meet_at_rest(shots):
    for n in NUMBERS:
        assert inner_lip_distance(shots[n, "rest"][1]) < 0.05  # of the eye distance


# ---- pixels


def test_a_frame_is_a_picture_of_somebody(shots):
    frames = {n: shots[n, "rest"][0] for n in NUMBERS}
    for frame in frames.values():
        assert frame.shape == (128, 96, 3) and frame.dtype == np.uint8
        assert frame.std() > 20
        assert (frame == 255).mean() < 0.02 and (frame == 0).mean() < 0.02
    for a in NUMBERS:
        for b in NUMBERS:
            if a < b:
                difference = np.abs(frames[a].astype(float) - frames[b]).mean()
                assert difference > 15


def test_a_frame_is_deterministic(cameras, shots):
    fresh = Camera(performer(7))
    assert np.array_equal(shoot(fresh, pose(OPEN))[0], shots[7, "open"][0])


def test_background_hair_and_iris_are_where_they_should_be(cameras, shots):
    for n in NUMBERS:
        frame, landmarks = shots[n, "rest"]
        person = cameras[n].performer
        backdrop = 255 * person.background ** (1 / 2.2)
        corner = np.abs(frame[:, [0, 95]] - backdrop[:, [0, 95]]).max(-1) <= 1
        assert corner.any()  # the backdrop is visible at a side
        assert not (np.abs(frame[60:80, 40:56] - backdrop[60:80, 40:56]).max(-1) <= 1).all()
        for corners in ((36, 39), (42, 45)):
            x, y = np.rint(landmarks[list(corners)].mean(0)).astype(int)
            iris = frame[y - 2 : y + 3, x - 3 : x + 4].min()
            cheek = frame[y + 20 : y + 25, x - 2 : x + 3].mean()
            assert iris < 0.6 * cheek


def test_hair_covers_the_head(cameras):
    camera = cameras[7]
    vertices, film, _ = points(camera, pose(REST))
    shaved = Camera(dataclasses.replace(camera.performer, worn=()))
    bald = shaved.render(vertices[: len(anatomy().vertices)], film).astype(float)
    haired = camera.render(vertices, film).astype(float)
    changed = np.abs(bald - haired).max(-1) > 20
    assert changed[:20].mean() > 0.1 > 0.02 > changed[50:110, 30:66].mean()
    crown = changed[:14, 30:66]
    assert haired[:14, 30:66][crown].mean() < bald[:14, 30:66][crown].mean()  # dark hair


def test_closing_the_eyes_covers_the_iris(shots):
    for n in NUMBERS:
        (rest, landmarks), (blink, _) = shots[n, "rest"], shots[n, "blink"]
        eyes, mouth = slice(36, 48), slice(110, 126)
        low, high = landmarks[eyes].min(0).astype(int), landmarks[eyes].max(0).astype(int)
        band = np.s_[low[1] : high[1] + 1, low[0] : high[0] + 1]
        change = np.abs(rest[band].astype(float) - blink[band]).mean()
        assert change > 8
        assert change > 1.5 * np.abs(rest[mouth].astype(float) - blink[mouth]).mean()


def test_an_open_mouth_shows_teeth_and_tongue(cameras):
    camera = cameras[10]
    vertices, film, landmarks = points(camera, pose({"jawOpen": 0.6}))
    frame = camera.render(vertices, film, scale=2).astype(float)
    low, high = 2 * landmarks[60:].min(0), 2 * landmarks[60:].max(0)
    inside = frame[int(low[1]) : int(high[1]), int(low[0]) + 4 : int(high[0]) - 4].reshape(-1, 3)
    red = inside[:, 0] / inside.sum(1).clip(1)
    pale = (inside.min(1) > 0.6 * inside.max(1)) & (inside.max(1) > 90)
    assert pale.mean() > 0.1  # teeth are grey to white
    assert ((red > 0.42) & (inside[:, 0] > 60)).mean() > 0.1  # the tongue is red


def test_more_samples_smooth_the_edges_and_scale_keeps_the_picture(cameras):
    camera = cameras[4]
    vertices, film, _ = points(camera, pose(REST))
    rough, fine = (camera.render(vertices, film, samples=s).astype(float) for s in (1, 3))
    large = camera.render(vertices, film, samples=1, scale=3).astype(float)
    assert large.shape == (384, 288, 3)
    shrunk = large.reshape(128, 3, 96, 3, 3).mean((1, 3))
    assert np.abs(shrunk - fine).mean() < 2  # the same rays, averaged after the gamma
    assert np.abs(fine - rough).mean() > 1.5 * np.abs(shrunk - fine).mean()


def test_light_lies_between_none_and_all(cameras):
    for camera in cameras.values():
        for seen in (camera._whole, camera._crop):
            used = seen.mesh.corners_of(slice(None)) & (seen.rows < len(anatomy().vertices))
            for share in (seen.lamp[used], seen.sky[used]):
                assert share.min() >= 0 and share.max() <= 1
                assert ((share > 0) & (share < 1)).mean() > 0.02  # soft, not a hard edge
            inside = used & np.isin(seen.rows, np.flatnonzero(anatomy().masks["mouth"] > 0.9))
            tip = seen.rows == landmark_vertices()[30]
            assert seen.sky[inside].mean() < 0.4 < 0.9 < seen.sky[tip]
            assert seen.lamp[inside].mean() < 0.3 < 0.9 < seen.lamp[tip]


def test_the_part_for_the_crop_gives_the_pictures_of_the_whole_head(cameras):
    """What is left out of the scene can neither be seen in the crop nor shade what is."""
    for camera in cameras.values():
        assert len(camera._crop.mesh.triangles) < 0.8 * len(camera._whole.mesh.triangles)
        for asked in (pose(REST), pose(OPEN, head=(8, -12, 3, 0.2, 0, 0), gaze=(10, -8))):
            vertices = camera.posed(asked)
            film = camera.film(camera.landmarks(vertices))
            part = camera.render(vertices, film).astype(float)
            whole = copy.copy(camera)
            whole._crop = camera._whole
            difference = np.abs(part - whole.render(vertices, film))
            assert difference.mean() < 0.3  # of 255: a rim of hair or ear here and there
            assert difference[30:110, 24:72].mean() < 0.1  # eyes, nose and mouth
            assert (difference.max(2) > 40).sum() < 25  # no slits between cheek and hair


# ---- what a real detector makes of the pixels


def test_dlib_finds_the_landmarks_that_were_rendered(shots, detected):
    inner = slice(17, 68)  # a jaw line has no corners to be found by
    for key, found in detected.items():
        truth = shots[key][1]
        error = np.linalg.norm(found - truth, axis=1) / inter_ocular_distance(truth)
        assert error[inner].mean() < 0.06
        assert error.mean() < 0.08


def test_dlib_sees_blinks_open_mouths_and_closed_lips(detected):
    for n in NUMBERS:
        ear = {k: eye_aspect_ratio(detected[n, k]) for k in ("rest", "blink")}
        assert ear["blink"] < 0.5 * ear["rest"]
        lips = {k: inner_lip_distance(detected[n, k]) for k in ("rest", "open", "bilabial")}
        assert lips["open"] > 2 * lips["rest"] and lips["open"] > 0.05
        assert lips["bilabial"] < 0.02
