"""What a face does by itself: blinks, looks away and a slow sway of the head."""

from __future__ import annotations

import numpy as np

# Blinks a second and their median seconds in the real corpus that each class of sentences is like:
# GRID, CREMA-D and TCD TIMIT, in Table 4 of Vougioukas, Petridis and Pantic, "Realistic
# speech-driven facial animation with GANs" (2020), who measured them.
BLINKS = {"grid": (0.39, 0.40), "cremad": (0.26, 0.36), "rich": (0.28, 0.20)}
# Seconds from the start of one blink to the earliest start of the next.
REFRACTORY = 0.6
FASTEST_BLINKING = 1.2
# No lid moves before this, so that the first frame can serve as the still.
OPEN_UNTIL = 0.2
# Deviation of the logarithm of a blink's length; no blink is further than two of them from the
# median.
SPREAD = 0.15
# Lids fall faster than they rise (VanderWerf et al., "Eyelid movements: behavioral studies of
# blinking in humans", 2003): here in about a quarter of the blink. They stay down long enough for
# one frame at 25 fps to see it.
_FALL, _HOLD = (0.24, 0.28), 0.045


def blink(
    times: np.ndarray, fps: float, rate: float, length: float, rng: np.random.Generator
) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """Lid closure (T,) in [0, 1] and the blinks as half-open frame intervals.

    Starts form a Poisson process with a refractory period; a blink's seconds are log-normal around
    the median ``length``. The lids reach 1 for one frame at least (at 25 fps or more). A clip has
    ``rate`` blinks a second on average: those that cannot start in its first 0.2 s, or could not
    close before its end, are made up for in the rest.
    """
    closure, blinks = np.zeros(len(times)), []
    seconds = len(times) / fps
    last_start = seconds - _FALL[1] * length * np.exp(2 * SPREAD) - _HOLD
    eligible = last_start - OPEN_UNTIL
    if rate == 0 or eligible <= 0:
        return closure, blinks
    gap = max(eligible / (rate * seconds), REFRACTORY) - REFRACTORY
    # Starting well before the clip makes every moment of it equally likely to see a blink.
    start = OPEN_UNTIL - 10.0 + rng.exponential(gap)
    while start < last_start:
        duration = length * np.exp(SPREAD * np.clip(rng.standard_normal(), -2, 2))
        fall = duration * rng.uniform(*_FALL)
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


# Seconds of a look away: at least, and on average. Lee, Badler and Badler, "Eyes alive" (2002), had
# someone who talks look at the listener for about three seconds at a time, and away for about one.
_AWAY_LEAST, AWAY = 0.2, 0.9
# Degrees of a saccade: mean of an exponential distribution, and the most. Their distribution is
# exponential, too; the sizes are ours, for someone who looks at a camera and reads from beside it.
SACCADE, FURTHEST = 3.0, 8.0


def look_around(times: np.ndarray, fps: float, rate: float, rng: np.random.Generator) -> np.ndarray:
    """Yaw and pitch of the eyes in degrees, (T, 2): at the camera, with looks away.

    The eyes start near the camera, stay for ``1 / rate`` seconds on average, look away for 0.9 s,
    and come back. Both times are exponential beyond 0.2 s. A saccade takes 21 ms and 2.2 ms a
    degree, at the fast end of the rule that Lee et al. took from Becker: 20 to 30 ms, and 2 to 2.7
    ms a degree.
    """
    targets, starts = [rng.normal(0, 0.3, 2)], [-1.0]
    start, away = 0.0, False
    while rate > 0:
        stay = AWAY if away else 1 / rate
        start += _AWAY_LEAST + rng.exponential(max(stay - _AWAY_LEAST, 0.05))
        if start >= times[-1]:
            break
        away = not away
        size, angle = min(rng.exponential(SACCADE), FURTHEST), rng.uniform(0, 2 * np.pi)
        # Eyes move less up and down than sideways.
        aside = size * np.array([np.cos(angle), 0.6 * np.sin(angle)])
        targets.append(rng.normal(0, 0.3, 2) + away * aside)
        starts.append(start)
    steps = np.diff(np.array(targets), axis=0, prepend=np.zeros((1, 2)))
    duration = 0.021 + 0.0022 * np.linalg.norm(steps, axis=1)
    moved = np.clip((times[:, None] - np.array(starts)) / duration, 0, 1)  # (T, N)
    return moved @ steps


def sway(frames: int, fps: float, degrees: float, rng: np.random.Generator) -> np.ndarray:
    """Slow head motion (T, 6): pitch, yaw and roll in degrees, then x, y and z in cm.

    An Ornstein-Uhlenbeck process smoothed once more, so that most of it lies below 1 Hz; yaw has
    deviation ``degrees``, pitch and roll 0.8 of it, and the position 0.1 cm per degree.

    The process, its tempo and these shares are choices of ours. Its size has been compared with
    GRID's speakers since, whose angles deviate within a clip as figures/results/preparation.json
    says (pose, deviation): it is of the same order, but they turn less than this, and nod more.
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
