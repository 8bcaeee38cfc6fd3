"""What moves, how far and which way: dense optical flow between neighbouring frames.

Fig. 14 and 20 show it as maps. The flow is DIS: T. Kroeger, R. Timofte, D. Dai, L. Van Gool, "Fast
optical flow using dense inverse search", ECCV 2016, as OpenCV has it.
"""

from __future__ import annotations

import cv2
import numpy as np

from talker.metrics.reconstruction import lower_half


def optical_flow(frames: np.ndarray) -> np.ndarray:
    """Frames uint8 (T, H, W, 3) -> flow (T - 1, H, W, 2) float32, pixels a frame, x to the right.

    flow[t, y, x] says where the point at (x, y) of frame t went in frame t + 1. No rows for one
    frame.
    """
    method = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames]
    flow = [method.calc(a, b, None) for a, b in zip(grey, grey[1:], strict=False)]
    return np.stack(flow) if flow else np.zeros((0, *frames.shape[1:3], 2), np.float32)


def magnitude_map(flow: np.ndarray) -> np.ndarray:
    """Flow (T, H, W, 2) -> mean length of motion at each pixel (H, W), pixels a frame (Fig. 20)."""
    return np.linalg.norm(flow, axis=-1).mean(axis=0)


def lower_half_motion(frames: np.ndarray) -> np.ndarray:
    """Mean length of motion in the lower half of frames (T, H, W, 3): (T - 1,), pixels a frame."""
    return lower_half(np.linalg.norm(optical_flow(frames), axis=-1)).mean(axis=(1, 2))


def motion(frames: np.ndarray) -> float:
    """Mean length of motion over all pixels and frames, pixels a frame; NaN for one frame."""
    flow = optical_flow(frames)
    return float(magnitude_map(flow).mean()) if len(flow) else float("nan")


def horizontal_motion(frames: np.ndarray) -> float:
    """Mean motion to the right over all pixels and frames, pixels a frame; NaN for one frame.

    A mirrored video has the opposite one.
    """
    flow = optical_flow(frames)
    return float(flow[..., 0].mean()) if len(flow) else float("nan")


def flow_picture(flow: np.ndarray, longest: float) -> np.ndarray:
    """One field of motion (H, W, 2) as uint8 (H, W, 3) RGB: hue is direction, value is length.

    As Fig. 14 draws it. Red is to the right, and colours go round clockwise; what moves by
    `longest` pixels or more is brightest.
    """
    angle = np.degrees(np.arctan2(flow[..., 1], flow[..., 0])) % 360
    value = np.clip(np.linalg.norm(flow, axis=-1) / longest, 0, 1)
    hsv = np.stack([angle / 2, np.full_like(angle, 255), 255 * value], axis=-1)
    return cv2.cvtColor(hsv.round().astype(np.uint8), cv2.COLOR_HSV2RGB)
