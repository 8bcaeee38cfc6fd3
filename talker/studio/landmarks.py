"""Where the 68 iBUG 300-W landmarks lie on the shared head.

Found once by projecting dlib's landmarks of 24 frontal renderings onto the mesh and taking the
median position, made symmetric; eyelids and the inner lips were then moved to the margins of lids
and lips.
"""

from __future__ import annotations

import functools

import numpy as np

from talker.studio.anatomy import anatomy

# fmt: off
_BASE_MESH_IDS = np.array(
    [
        5738, 5715, 5759, 5242, 735, 5298, 5295, 918, 5296, 7620, 11901, 11903,
        7455, 11851, 12356, 12312, 12335, 254, 225, 204, 180, 209, 6984, 6956,
        6979, 6999, 7023, 133, 131, 201, 294, 334, 313, 317, 7076, 7096,
        21, 0, 54, 4868, 47, 41, 11486, 6838, 6784, 6805, 6825, 6831,
        443, 5351, 450, 466, 7210, 11953, 7203, 7239, 7241, 492, 486, 484,
        437, 472, 474, 7228, 7197, 7242, 493, 487,
    ]
)
# fmt: on


@functools.cache
def landmark_vertices() -> np.ndarray:
    """(68,) rows of `anatomy().vertices`, in the order of iBUG 300-W."""
    return np.searchsorted(anatomy().index, _BASE_MESH_IDS)
