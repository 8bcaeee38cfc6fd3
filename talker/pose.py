"""Which way a head is turned, from where its landmarks lie in a picture."""

from __future__ import annotations

import cv2
import numpy as np

# Points that speech moves little: both ends of the jaw line, which give the depth that the rest
# lacks (without them pitch errs by 5 degrees instead of 2), nose, corners of the eyes.
_RIGID = [0, 1, 15, 16, 27, 28, 29, 30, 31, 33, 35, 36, 39, 42, 45]
# Where they lie on a mean head that looks at the camera: millimetres from the nose base, x to the
# right of the picture, y up, z towards the camera. The mean of the first 72 performers of seed 0
# and their mirror images, with decimetres made millimetres: over n of 0-71, of
# `performer(n).rest[landmark_vertices()]` less its row 33.
_HEAD = np.array(
    [
        (-66.7, 46.9, -92.8),
        (-65.5, 28.4, -95.4),
        (65.5, 28.4, -95.4),
        (66.7, 46.9, -92.8),
        (0.0, 45.7, -6.9),
        (0.0, 35.4, -2.5),
        (0.0, 22.0, 5.0),
        (0.0, 12.9, 10.0),
        (-11.8, 3.3, -5.6),
        (0.0, 0.0, 0.0),
        (11.8, 3.3, -5.6),
        (-40.9, 47.4, -21.6),
        (-16.4, 46.0, -16.6),
        (16.4, 46.0, -16.6),
        (40.9, 47.4, -21.6),
    ]
)
ANGLES = ("pitch", "yaw", "roll")
_FLIP = np.diag([1.0, -1.0, -1.0])  # OpenCV's y points down and its z away from the camera


def head_pose(landmarks: np.ndarray, height: int, width: int) -> np.ndarray:
    """Pitch, yaw and roll of a head, (T, 3) degrees, from landmarks (T, 68, 2) in a picture.

    Positive is up, to the speaker's left, and towards their right shoulder; all three are 0 for a
    head that looks along the camera's axis. A head of mean shape is fitted, seen by a camera whose
    focal length is the picture's longer side. A face of another shape shows as another angle, most
    of all as pitch, of which eyes and nose tell little: over heads of performers that look straight
    on, pitch deviates by 3 degrees and misses by up to 8, yaw by 0.2 at most and roll by half a
    degree; turned by 30 degrees, yaw deviates by 2. A test holds the mean over heads to one degree.
    """
    focal = float(max(height, width))
    camera = np.array([[focal, 0, (width - 1) / 2], [0, focal, (height - 1) / 2], [0, 0, 1]])
    rows = []
    for points in landmarks[:, _RIGID].astype(np.float64):
        points = np.ascontiguousarray(points)
        _, rotation, _ = cv2.solvePnP(_HEAD @ _FLIP, points, camera, None, flags=cv2.SOLVEPNP_SQPNP)
        turn = _FLIP @ cv2.Rodrigues(rotation)[0] @ _FLIP
        pitch = -np.arctan2(turn[2, 1], turn[2, 2])
        yaw = np.arcsin(np.clip(-turn[2, 0], -1, 1))
        rows.append((pitch, yaw, np.arctan2(turn[1, 0], turn[0, 0])))
    return np.degrees(rows)
