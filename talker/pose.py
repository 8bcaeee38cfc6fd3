"""Which way a head is turned, from where its landmarks lie in a picture."""

from __future__ import annotations

import cv2
import numpy as np

# Points that speech moves little: both ends of the jaw line, which give the depth that the rest
# lacks (without them pitch errs by 5 degrees instead of 2), nose, corners of the eyes.
_RIGID = [0, 1, 15, 16, 27, 28, 29, 30, 31, 33, 35, 36, 39, 42, 45]
# Where they lie on a mean head that looks at the camera: millimetres from the nose base, x to the
# right of the picture, y up, z towards the camera. The mean of 40 performers of the rendered
# corpus, whose shapes are Anny's.
_HEAD = np.array(
    [
        (-72.9, 45.8, -92.8),
        (-71.3, 27.5, -95.5),
        (71.3, 27.5, -95.5),
        (72.9, 45.8, -92.8),
        (0.0, 43.6, -7.8),
        (0.0, 33.5, -3.6),
        (0.0, 21.2, 3.9),
        (0.0, 11.5, 9.6),
        (-11.7, 3.0, -5.6),
        (0.0, 0.0, 0.0),
        (11.7, 3.0, -5.6),
        (-41.8, 45.4, -22.6),
        (-16.7, 44.7, -17.6),
        (16.7, 44.7, -17.6),
        (41.8, 45.4, -22.6),
    ]
)
_FLIP = np.diag([1.0, -1.0, -1.0])  # OpenCV's y points down and its z away from the camera


def head_pose(landmarks: np.ndarray, height: int, width: int) -> np.ndarray:
    """Pitch, yaw and roll of a head, (T, 3) degrees, from landmarks (T, 68, 2) in a picture.

    Positive is up, to the speaker's left, and towards their right shoulder; all three are 0 for a
    head that looks along the camera's axis. A head of mean shape is fitted, seen by a camera whose
    focal length is the picture's longer side, so a face shape of one's own shows
    as a few degrees.
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
