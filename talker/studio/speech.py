"""Voices with known phoneme times, and the clips in which they speak.

The rendered corpus needs sound whose every phoneme is known to the millisecond, from many
voices, with nothing of the system's installed. espeak-ng's event callback gives exactly that.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, replace
from math import gcd

import numpy as np

from talker.corpora.clip import Word
from talker.errors import TalkerError
from talker.studio.espeak import (
    ACCENTS,
    EVENT_PHONEME,
    EVENT_WORD,
    FEMALE_VARIANTS,
    MALE_VARIANTS,
    Voice,
    synthesize,
)
from talker.studio.grammar import Sentence

RATE = 16000
PAUSES = frozenset({"_", "_:", "_|", "_!", "_X", "_^"})
# Marks, not sounds: stress and syllable signs, the palatalisation ";", and pauses inside a clause.
_MARKS = "',%=|"
_IGNORED = frozenset({"", ";", "|", "||", "-"})
_PUNCTUATION = ".,:;?!-[]'"


@dataclass(frozen=True)
class Phoneme:
    """A sound in espeak-ng's notation, in seconds; stress 0 (none), 1 (secondary), 2 (primary).

    A stop begins at its burst: the silence of its closure belongs to the sound before it.
    """

    symbol: str
    start: float
    end: float
    stress: int = 0


@dataclass(frozen=True)
class Speech:
    """Sound and what is said in it: ``signal`` float32 (S,) in [-1, 1] at ``rate`` Hz."""

    signal: np.ndarray
    rate: int
    phonemes: tuple[Phoneme, ...]
    words: tuple[Word, ...]

    @property
    def duration(self) -> float:
        """Length of the signal in seconds."""
        return len(self.signal) / self.rate


def _phonemes(events: list[tuple], rate: int) -> tuple[Phoneme, ...]:
    """Each sound lasts until the next event of any phoneme; pauses and marks are left out."""
    marked = [(e[4], e[1] / rate) for e in events if e[0] == EVENT_PHONEME]
    sounds = []
    for (symbol, start), (_, end) in zip(marked, marked[1:], strict=False):
        bare = symbol.strip(_MARKS)
        if bare in PAUSES:
            continue
        if bare in _IGNORED:
            # "d 'i: ;": the mark takes the tail of the sound it follows.
            if sounds and end > start:
                sounds[-1] = replace(sounds[-1], end=end)
            continue
        stress = 2 if symbol.startswith("'") else int(symbol.startswith(","))
        if end > start:
            sounds.append(Phoneme(bare, start, end, stress))
    return tuple(sounds)


def _words(
    events: list[tuple], text: str, rate: int, phonemes: tuple[Phoneme, ...]
) -> tuple[Word, ...]:
    """Each word lasts from its first sound to the end of its last.

    espeak-ng runs some words together ("of the") and takes others apart ("o'clock"). The sounds of
    words that it ran together are shared out by their letters.
    """
    written = [(m.start(), m.group().strip(_PUNCTUATION)) for m in re.finditer(r"\S+", text)]
    written = [(start, word) for start, word in written if word]
    places = [start for start, _ in written]
    heard: dict[int, float] = {}  # when the word of a number begins
    for kind, sample, position, *_ in events:
        if kind == EVENT_WORD:
            heard.setdefault(bisect_right(places, position) - 1, sample / rate)
    numbers = [*heard, len(written)]
    times = [*heard.values(), np.inf]
    words = []
    for i, (first, following) in enumerate(zip(numbers, numbers[1:], strict=False)):
        spelled = [word for _, word in written[first:following]]
        sounds = [p for p in phonemes if times[i] - 1e-6 <= p.start < times[i + 1] - 1e-6]
        letters = np.cumsum([0] + [len(word) for word in spelled])
        cuts = np.round(letters / letters[-1] * len(sounds)).astype(int)
        for word, begin, end in zip(spelled, cuts, cuts[1:], strict=False):
            if begin < end:
                words.append(Word(word, sounds[begin].start, sounds[end - 1].end))
    return tuple(words)


def speak(text: str, voice: Voice, rate: int = RATE) -> Speech:
    """Say ``text`` (plain, or espeak-ng phonemes within ``[[ ]]``) in a voice.

    The same arguments give the same samples, in any process and after any other calls.

    Raises:
        TalkerError: no such voice, or nothing in the text can be said.
    """
    from scipy.signal import resample_poly

    samples, own_rate, events = synthesize(text, voice)
    phonemes = _phonemes(events, own_rate)
    if not phonemes:
        raise TalkerError(f'nothing in "{text[:60]}" can be said; give words or phonemes.')
    common = gcd(rate, own_rate)
    signal = samples.astype(np.float64) / 32768
    signal = resample_poly(signal, rate // common, own_rate // common)
    signal = np.clip(signal, -1, 1).astype(np.float32)
    return Speech(signal, rate, phonemes, _words(events, text, own_rate, phonemes))


# GRID's speakers take 1.4 to 2.4 s over a sentence in clips of 3 s.
CLIP_SECONDS = 3.0
_GRID_TAKES, _MARGIN, _LATEST = (1.7, 2.3), 0.3, 0.6
_FRAME = RATE // 25  # clips are whole video frames long


def _speak_at_length(text: str, voice: Voice, shortest: float, longest: float) -> Speech:
    """The text at the voice's speed, or at the nearest speed that takes so many seconds."""
    for _ in range(5):
        speech = speak(text, voice)
        length = speech.phonemes[-1].end - speech.phonemes[0].start
        if shortest <= length <= longest:
            return speech
        middle = 0.5 * (shortest + longest)
        wanted = middle if length > longest else min(shortest + 0.1, middle)
        speed = int(np.clip(round(voice.speed * length / wanted), 80, 450))
        if speed == voice.speed:
            break
        voice = replace(voice, speed=speed)
    raise TalkerError(
        f'"{text}" does not take {shortest}-{longest} s in the voice {voice.name}; choose another '
        "voice."
    )


def _room(samples: int, rng: np.random.Generator) -> np.ndarray:
    """A quiet room: noise with most of its energy below 300 Hz, unit deviation, (samples,)."""
    from scipy.signal import lfilter

    noise = lfilter([1.0], [1.0, -0.9], rng.standard_normal(samples + 200))[200:]
    return noise / noise.std()


def _in_a_room(
    speech: Speech, lead: float, seconds: float, level: float, rng: np.random.Generator
) -> Speech:
    """A clip of so many seconds in which the first sound begins at `lead`.

    The spoken part's RMS varies by 3 dB around `level`; the room's noise lies at -66 to -60 dB.
    """
    first, last = speech.phonemes[0].start, speech.phonemes[-1].end
    shift = round((lead - first) * RATE)
    total = round(seconds * RATE)
    begin, end = max(0, -shift), min(len(speech.signal), total - shift)
    signal = np.zeros(total)
    signal[begin + shift : end + shift] = speech.signal[begin:end]

    spoken = signal[round(lead * RATE) : round((lead + last - first) * RATE)]
    loud = 10 ** ((level + rng.uniform(-3, 3)) / 20)
    signal *= loud / np.sqrt(np.mean(spoken**2))
    signal += 10 ** (rng.uniform(-66, -60) / 20) * _room(total, rng)
    signal *= min(1.0, 0.99 / np.abs(signal).max())

    later = shift / RATE
    phonemes, words = (
        tuple(replace(item, start=item.start + later, end=item.end + later) for item in items)
        for items in (speech.phonemes, speech.words)
    )
    return Speech(signal.astype(np.float32), RATE, phonemes, words)


def _near(voice: Voice, rng: np.random.Generator) -> Voice:
    """Nobody speaks at the same tempo twice: it varies by 5 %."""
    speed = int(np.clip(round(voice.speed * rng.uniform(0.95, 1.05)), 80, 450))
    return replace(voice, speed=speed)


def grid_clip(sentence: Sentence, voice: Voice, rng: np.random.Generator) -> Speech:
    """A clip like GRID's: 3.0 s (48000 samples), silence before and after, a quiet room.

    The sentence takes 1.7-2.3 s and starts 0.3-0.6 s into the clip; tempo varies by 5 % and the
    level by 3 dB around -23 dB (RMS of the spoken part); the room's noise lies at -66 to -60 dB.
    Times are seconds of the clip.
    """
    speech = _speak_at_length(sentence.spoken, _near(voice, rng), *_GRID_TAKES)
    words = tuple(
        replace(heard, text=word) for heard, word in zip(speech.words, sentence.words, strict=True)
    )
    length = speech.phonemes[-1].end - speech.phonemes[0].start
    lead = rng.uniform(_MARGIN, min(_LATEST, CLIP_SECONDS - _MARGIN - length))
    return _in_a_room(replace(speech, words=words), lead, CLIP_SECONDS, -23, rng)


def clip_of(
    text: str,
    voice: Voice,
    rng: np.random.Generator,
    takes: tuple[float, float] | None = None,
    level: float = -23,
) -> Speech:
    """A clip as long as its text, with 0.3-0.6 s of silence before it and after, a quiet room.

    It is a whole number of frames (0.04 s) long. Tempo, level and noise vary as in `grid_clip`.

    Args:
        takes: the fewest and most seconds that the text may take; as many as it does by default.
        level: dB of the spoken part's RMS.
    """
    voice = _near(voice, rng)
    speech = _speak_at_length(text, voice, *takes) if takes else speak(text, voice)
    length = speech.phonemes[-1].end - speech.phonemes[0].start
    lead, trail = rng.uniform(_MARGIN, _LATEST, 2)
    frames = np.ceil((lead + length + trail) * RATE / _FRAME)
    return _in_a_room(speech, lead, frames * _FRAME / RATE, level, rng)


def voice_for(gender: str, age: float, rng: np.random.Generator) -> Voice:
    """A performer's voice: a random accent and variant, lower and slower with age.

    gender: "female" or "male"; age in years.

    Raises:
        TalkerError: for another gender.
    """
    variants = {"female": FEMALE_VARIANTS, "male": MALE_VARIANTS}.get(gender)
    if variants is None:
        raise TalkerError(f'voices are "female" or "male", not "{gender}".')
    older = np.clip((age - 40) / 40, -0.6, 1.0)
    return Voice(
        language=str(rng.choice(ACCENTS)),
        variant=str(rng.choice(variants)),
        pitch=int(np.clip(round(50 - 10 * older + rng.normal(0, 9)), 20, 85)),
        speed=int(np.clip(round(112 - 8 * older + rng.normal(0, 8)), 90, 135)),
        range=int(np.clip(round(rng.normal(52, 12)), 20, 85)),
    )
