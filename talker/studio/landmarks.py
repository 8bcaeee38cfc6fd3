"""Where the 68 iBUG 300-W landmarks lie on the shared head.

Found once by projecting dlib's landmarks of 24 frontal renderings onto the mesh and taking the
median position, made symmetric; eyelids and the inner lips were then moved to the margins of lids
and lips, and the brows to where dlib finds the ones painted by `talker.studio.brows`.
"""

from __future__ import annotations

import functools

import numpy as np

from talker.studio.anatomy import anatomy

# fmt: off
_BASE_MESH_IDS = np.array(
    [
        5738, 5715, 5759, 5242, 735, 5298, 5295, 918, 5296, 7620, 11901, 11903,
        7455, 11851, 12356, 12312, 12335, 5262, 232, 222, 223, 208, 6983, 6997,
        6996, 7005, 11870, 133, 131, 201, 294, 334, 313, 317, 7076, 7096,
        21, 0, 54, 4868, 47, 41, 11486, 6838, 6784, 6805, 6825, 6831,
        443, 5351, 450, 466, 7210, 11953, 7203, 7239, 7241, 492, 486, 484,
        437, 472, 474, 7228, 7197, 7242, 493, 487,
    ]
)
# fmt: on

# Upper and lower points of what opens and shuts, by its corners on the image's left and right.
_OPENINGS = {
    (60, 64): np.array([(61, 67), (62, 66), (63, 65)]),
    (36, 39): np.array([(37, 41), (38, 40)]),
    (42, 45): np.array([(43, 47), (44, 46)]),
}


@functools.cache
def landmark_vertices() -> np.ndarray:
    """(68,) rows of `anatomy().vertices`, in the order of iBUG 300-W."""
    return np.searchsorted(anatomy().index, _BASE_MESH_IDS)


def seam(landmarks: np.ndarray) -> np.ndarray:
    """Landmarks (68, 2), y down, with points of lips and lids that pass each other put on the seam.

    Lips that are pressed together overlap on the mesh by up to a fifth of the largest opening, and
    the lids of a shut eye by nearly half of it; the upper hides the lower: what one sees, and an
    annotator marks, is the line between them.
    """
    sealed = landmarks.copy()
    for (left, right), pairs in _OPENINGS.items():
        corners = landmarks[right] - landmarks[left]
        down = np.array([-corners[1], corners[0]])
        upper, lower = landmarks[pairs[:, 0]], landmarks[pairs[:, 1]]
        passed = pairs[(lower - upper) @ down < 0]
        sealed[passed] = landmarks[passed].mean(axis=1, keepdims=True)
    return sealed
