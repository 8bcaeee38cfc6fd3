"""How high a voice is at each moment, measured off its sound, for the movements that go with it."""

from __future__ import annotations

import numpy as np

from talker.studio.speech import Speech
from talker.studio.visemes import VOWELS

_LOWEST, _HIGHEST = 65.0, 450.0  # Hz
_WINDOW = 0.05  # seconds: three periods of the lowest voices
# Of peaks nearly as high as the highest the shortest lag is the period; the others are its
# multiples. Without this women's voices are often heard an octave too low.
_NEARLY = 0.88


def fundamental(signal: np.ndarray, rate: int, times: np.ndarray) -> np.ndarray:
    """F0 in Hz around each time, (T,): the autocorrelation's peak, less the window's own decay.

    What it says of sound without a pitch means nothing. Boersma, "Accurate short-term analysis of
    the fundamental frequency ..." (1993), without its search for the best path.
    """
    size = round(_WINDOW * rate)
    first = np.round(times * rate).astype(int) - size // 2
    padded = np.pad(signal, size)
    pieces = padded[(first[:, None] + np.arange(size) + size).clip(0, len(padded) - 1)]
    window = np.hanning(size)
    pieces = (pieces - pieces.mean(1, keepdims=True)) * window
    own = _autocorrelation(window[None])
    peaks = _autocorrelation(pieces) / own.clip(1e-3)
    shortest, longest = int(rate / _HIGHEST), int(rate / _LOWEST)
    peaks = peaks[:, shortest - 1 : longest + 2]
    inner = peaks[:, 1:-1]
    high = (inner >= peaks[:, :-2]) & (inner >= peaks[:, 2:])
    high &= inner >= _NEARLY * inner.max(1, keepdims=True)
    lag = np.where(high.any(1), high.argmax(1), inner.argmax(1)) + shortest
    return rate / lag


def _autocorrelation(pieces: np.ndarray) -> np.ndarray:
    """(N, S) -> (N, S), 1 at lag 0."""
    size = pieces.shape[1]
    spectrum = np.abs(np.fft.rfft(pieces, 2 * size)) ** 2
    product = np.fft.irfft(spectrum)[:, :size]
    return product / product[:, :1].clip(1e-12)


def contour(speech: Speech, times: np.ndarray) -> np.ndarray:
    """How far the voice lies above (+) or below its mean at each time, in its own deviations; (T,).

    F0 is measured in the middle of each vowel, on a scale of semitones, and joined by straight
    lines; in the silence before and after it goes to 0. Two vowels or more give a contour, fewer 0.
    """
    middles = np.array([0.5 * (p.start + p.end) for p in speech.phonemes if p.symbol in VOWELS])
    if len(middles) < 2:
        return np.zeros(len(times))
    semitones = 12 * np.log2(fundamental(speech.signal, speech.rate, middles))
    # One vowel that is heard an octave off must not outweigh all others.
    away = semitones - np.median(semitones)
    away = away.clip(-7, 7)
    away -= away.mean()
    away /= max(away.std(), 0.5)
    ends = [middles[0] - 0.3, *middles, middles[-1] + 0.3]
    return np.interp(times, ends, [0.0, *away, 0.0])
