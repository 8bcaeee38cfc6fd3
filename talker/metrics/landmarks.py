"""What a mouth and an eye do, as a few numbers from 68 landmarks.

All take landmarks (..., 68, 2) in any unit and return (...), a ratio of distances: they don't
depend on the size of the face or on its roll in the image.
"""

import numpy as np

RIGHT_EYE = (36, 37, 38, 39, 40, 41)  # the speaker's right; p1 ... p6 of Eq. 8
LEFT_EYE = (42, 43, 44, 45, 46, 47)


def _distance(landmarks: np.ndarray, a: int, b: int) -> np.ndarray:
    return np.linalg.norm(landmarks[..., a, :] - landmarks[..., b, :], axis=-1)


def inter_ocular_distance(landmarks: np.ndarray) -> np.ndarray:
    """Between the outer corners of the eyes, in the unit of the landmarks."""
    return _distance(landmarks, 36, 45)


def inner_lip_distance(landmarks: np.ndarray) -> np.ndarray:
    """How far the mouth is open: the mean of the three inner-lip pairs over the eye distance."""
    pairs = ((61, 67), (62, 66), (63, 65))
    opening = sum(_distance(landmarks, upper, lower) for upper, lower in pairs) / len(pairs)
    return opening / inter_ocular_distance(landmarks)


def mouth_width(landmarks: np.ndarray) -> np.ndarray:
    """Between the mouth's corners over the eye distance: small when the lips are rounded."""
    return _distance(landmarks, 48, 54) / inter_ocular_distance(landmarks)


def eye_aspect_ratio(landmarks: np.ndarray) -> np.ndarray:
    """EAR = (|p2 - p6| + |p3 - p5|) / |p1 - p4|, the mean of both eyes (Eq. 8, Section 5).

    Some public code divides by 2 |p1 - p4|; the paper does not.
    """
    ratios = []
    for p1, p2, p3, p4, p5, p6 in (RIGHT_EYE, LEFT_EYE):
        height = _distance(landmarks, p2, p6) + _distance(landmarks, p3, p5)
        ratios.append(height / _distance(landmarks, p1, p4))
    return (ratios[0] + ratios[1]) / 2


def lip_shape(landmarks: np.ndarray) -> np.ndarray:
    """Landmarks (..., 68, 2) -> (..., 4) float32: what lips and jaw do; no mirror changes it.

    Opening of the inner lips, width of the mouth, height of the outer lips, nose base to chin.
    """
    unit = inter_ocular_distance(landmarks)
    height, jaw = (_distance(landmarks, *pair) / unit for pair in ((51, 57), (33, 8)))
    shape = [inner_lip_distance(landmarks), mouth_width(landmarks), height, jaw]
    return np.stack(shape, axis=-1).astype(np.float32)


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Pearson r of two traces (T,) over the frames that both have; NaN where either is constant.

    NaN too where fewer than three frames are left.
    """
    both = np.isfinite(a) & np.isfinite(b)
    if both.sum() < 3 or a[both].std() == 0 or b[both].std() == 0:
        return float("nan")
    return float(np.corrcoef(a[both], b[both])[0, 1])
