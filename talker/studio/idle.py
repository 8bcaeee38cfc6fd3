"""What a face does by itself: blinks, saccades and a slow sway of the head."""

from __future__ import annotations

import numpy as np

# Seconds from the start of one blink to the earliest start of the next.
REFRACTORY = 0.6
FASTEST_BLINKING = 1.2
# No lid moves before this, so that the first frame can serve as the still.
OPEN_UNTIL = 0.2
_SHORTEST, _LONGEST = 0.30, 0.40
# A lid takes about 0.1 s to fall; it stays down long enough for one frame at 25 fps to see it.
_FALL, _HOLD = (0.08, 0.11), 0.045


def blink(
    times: np.ndarray, fps: float, rate: float, rng: np.random.Generator
) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """Lid closure (T,) in [0, 1] and the blinks as half-open frame intervals.

    Starts form a Poisson process with a refractory period; each blink lasts 0.3-0.4 s, falls
    within 0.1 s, reaches 1 for one frame at least (at 25 fps or more) and rises slowly. A clip
    has ``rate`` blinks a second on average: those that cannot start in its first 0.2 s, or could
    not close before its end, are made up for in the rest.
    """
    closure, blinks = np.zeros(len(times)), []
    seconds = len(times) / fps
    last_start = seconds - _FALL[1] - _HOLD
    eligible = last_start - OPEN_UNTIL
    if rate == 0 or eligible <= 0:
        return closure, blinks
    gap = max(eligible / (rate * seconds), REFRACTORY) - REFRACTORY
    # Starting well before the clip makes every moment of it equally likely to see a blink.
    start = OPEN_UNTIL - 10.0 + rng.exponential(gap)
    while start < last_start:
        duration = rng.uniform(_SHORTEST, _LONGEST)
        fall = rng.uniform(*_FALL)
        if start >= OPEN_UNTIL:
            lid = _lid(times - start, duration, fall)
            closure = np.maximum(closure, lid)
            moving = np.flatnonzero((times > start) & (times < start + duration))
            blinks.append((int(moving[0]), int(moving[-1]) + 1))
        start += REFRACTORY + rng.exponential(gap)
    return closure, blinks


def _lid(since: np.ndarray, duration: float, fall: float) -> np.ndarray:
    """Closure of a lid (T,) ``since`` seconds after it began to move: down, held, slowly up."""
    down = np.clip(since / fall, 0, 1)
    up = np.clip((since - fall - _HOLD) / (duration - fall - _HOLD), 0, 1)
    return 0.5 * (1 - np.cos(np.pi * down)) * 0.5 * (1 + np.cos(np.pi * up))


def look_around(times: np.ndarray, fps: float, rate: float, rng: np.random.Generator) -> np.ndarray:
    """Yaw and pitch of the eyes in degrees, (T, 2): still, with saccades of 1-4 degrees.

    The eyes start near the camera and come back to it every other time.
    """
    targets, starts = [rng.normal(0, 0.3, 2)], [-1.0]
    start = 0.0
    while rate > 0:
        start += 0.2 + rng.exponential(max(1 / rate - 0.2, 0.05))
        if start >= times[-1]:
            break
        size, angle, home = rng.uniform(1, 4), rng.uniform(0, 2 * np.pi), rng.random() < 0.5
        # Eyes move less up and down than sideways.
        away = size * np.array([np.cos(angle), 0.6 * np.sin(angle)])
        targets.append(rng.normal(0, 0.3, 2) if home else away)
        starts.append(start)
    # A saccade of a few degrees takes 30 to 50 ms: about one frame.
    moved = np.clip((times[:, None] - np.array(starts)) / 0.04, 0, 1)  # (T, N)
    steps = np.diff(np.array(targets), axis=0, prepend=np.zeros((1, 2)))
    return moved @ steps


def sway(frames: int, fps: float, degrees: float, rng: np.random.Generator) -> np.ndarray:
    """Slow head motion (T, 6): pitch, yaw and roll in degrees, then x, y and z in cm.

    An Ornstein-Uhlenbeck process smoothed once more, so that most of it lies below 1 Hz; yaw has
    deviation ``degrees``, pitch and roll 0.8 of it, and the position 0.1 cm per degree.
    """
    from scipy.signal import lfilter

    decay = np.exp(-1 / (0.45 * fps))
    warm_up = round(4 * fps)
    noise = rng.standard_normal((frames + warm_up, 6))
    twice = [1.0, -2 * decay, decay**2]
    motion = lfilter([1.0], twice, noise, axis=0)[warm_up:]
    # The variance of a twice-repeated first-order filter of unit noise, in closed form.
    variance = (1 + decay**2) / (1 - decay**2) ** 3
    scale = degrees * np.array([0.8, 1.0, 0.8, 0.1, 0.1, 0.1])
    return motion / np.sqrt(variance) * scale
