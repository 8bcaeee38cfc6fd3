"""Voices with known phoneme times: espeak-ng, called through the ``espeakng-loader`` wheel.

The rendered corpus needs sound whose every phoneme is known to the millisecond, from many
voices, with nothing of the system's installed. espeak-ng's event callback gives exactly that.
"""

from __future__ import annotations

import _ctypes
import ctypes
import threading
from dataclasses import dataclass, replace
from math import gcd
from pathlib import Path

import numpy as np

from talker.corpora.clip import Word
from talker.errors import TalkerError
from talker.studio.grammar import Sentence

RATE = 16000
# English accents; "en-gb" is not one of espeak-ng's names for a voice ("en" is British).
ACCENTS = (
    "en",
    "en-us",
    "en-gb-x-rp",
    "en-gb-scotland",
    "en-029",
    "en-us-nyc",
    "en-gb-x-gbclan",
    "en-gb-x-gbcwmd",
)
FEMALE_VARIANTS = ("f1", "f2", "f3", "f4", "f5")
MALE_VARIANTS = ("m1", "m2", "m3", "m4", "m5", "m6", "m7")
PAUSES = frozenset({"_", "_:", "_|", "_!", "_X", "_^"})
# Marks, not sounds: stress and syllable signs, the palatalisation ";", and pauses inside a clause.
_MARKS = "',%=|"
_IGNORED = frozenset({"", ";", "|", "||", "-"})

# Values of espeak-ng's public header speak_lib.h.
_SYNCHRONOUS, _PHONEME_EVENTS, _DONT_EXIT = 2, 0x0001, 0x8000
_UTF8_WITH_PHONEMES = 1 | 0x0100
_EVENT_WORD, _EVENT_PHONEME = 1, 7
_SPEED, _PITCH, _RANGE = 1, 3, 4


@dataclass(frozen=True)
class Voice:
    """One person's voice.

    language: an accent (``ACCENTS`` lists the English ones); variant: ``m1``-``m7``, ``f1``-``f5``
    or ""; pitch and range: 0-99, 50 is the variant's own; speed: words a minute, 80-450.
    """

    language: str = "en"
    variant: str = ""
    pitch: int = 50
    speed: int = 105
    range: int = 50

    @property
    def name(self) -> str:
        """espeak-ng's name for the accent and variant, such as ``en-us+f2``."""
        return f"{self.language}+{self.variant}" if self.variant else self.language


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


class _EventId(ctypes.Union):
    _fields_ = [
        ("number", ctypes.c_int),
        ("name", ctypes.c_char_p),
        ("string", ctypes.c_char * 8),
    ]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    ]


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)
_lock = threading.Lock()


def _check_voice(voice: Voice, data: Path) -> None:
    """espeak-ng takes any variant without complaint, so its file is looked for here."""
    if voice.variant and not (data / "voices" / "!v" / voice.variant).is_file():
        raise TalkerError(f'espeak-ng has no variant "{voice.variant}"; use m1-m7 or f1-f5.')
    if not (0 <= voice.pitch <= 99 and 0 <= voice.range <= 99):
        raise TalkerError(f"the voice {voice.name} needs a pitch and a range of 0-99.")
    if not 80 <= voice.speed <= 450:
        raise TalkerError(f"the voice {voice.name} needs a speed of 80-450 words a minute.")


def _synthesize(text: str, voice: Voice) -> tuple[np.ndarray, int, list[tuple]]:
    """The int16 samples (S,), their rate, and events (type, sample, position, length, symbol).

    The library keeps state between calls (phase and noise), so that the same sentence
    differs by a few samples each time and nothing it offers resets it. Loading it anew for each
    call does: 6 ms for the same bytes always.
    """
    try:
        import espeakng_loader
    except ImportError:
        raise TalkerError(
            "speech needs the espeakng-loader package; run `pip install espeakng-loader`."
        ) from None
    data = Path(espeakng_loader.get_data_path())
    _check_voice(voice, data)
    chunks: list[np.ndarray] = []
    events: list[tuple] = []

    @_Callback
    def collect(samples, count, event):
        if samples and count > 0:
            chunks.append(np.ctypeslib.as_array(samples, (count,)).copy())
        i = 0
        while event[i].type:
            e = event[i]
            symbol = e.id.string.decode("utf-8", "replace") if e.type == _EVENT_PHONEME else ""
            events.append((e.type, e.sample, e.text_position, e.length, symbol))
            i += 1
        return 0

    with _lock:
        library = ctypes.CDLL(espeakng_loader.get_library_path())
        try:
            rate = library.espeak_Initialize(
                _SYNCHRONOUS, 0, str(data).encode(), _PHONEME_EVENTS | _DONT_EXIT
            )
            if rate <= 0:
                raise TalkerError(f"espeak-ng cannot read its data in {data}; reinstall it.")
            library.espeak_SetSynthCallback(collect)
            # An unknown name returns non-zero and silently keeps the voice before it.
            if library.espeak_ng_SetVoiceByName(voice.name.encode()) != 0:
                raise TalkerError(
                    f'espeak-ng has no voice "{voice.name}"; languages: {", ".join(ACCENTS)}.'
                )
            for parameter, value in (
                (_SPEED, voice.speed),
                (_PITCH, voice.pitch),
                (_RANGE, voice.range),
            ):
                library.espeak_SetParameter(parameter, value, 0)
            encoded = text.encode()
            library.espeak_Synth(
                encoded,
                ctypes.c_size_t(len(encoded) + 1),
                0,
                1,
                0,
                _UTF8_WITH_PHONEMES,
                None,
                None,
            )
            library.espeak_Terminate()
        finally:
            _ctypes.dlclose(library._handle)
    samples = np.concatenate(chunks) if chunks else np.zeros(0, np.int16)
    return samples, rate, events


def _phonemes(events: list[tuple], rate: int) -> tuple[Phoneme, ...]:
    """Each sound lasts until the next event of any phoneme; pauses and marks are left out."""
    marked = [(e[4], e[1] / rate) for e in events if e[0] == _EVENT_PHONEME]
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
    """Each word lasts from its first sound to the end of its last."""
    marked = [
        (e[1] / rate, text[e[2] - 1 : e[2] - 1 + e[3]]) for e in events if e[0] == _EVENT_WORD
    ]
    starts = [start for start, _ in marked] + [np.inf]
    words = []
    for (start, spelled), until in zip(marked, starts[1:], strict=True):
        inside = [p for p in phonemes if start - 1e-6 <= p.start < until - 1e-6]
        if inside:
            words.append(Word(spelled, inside[0].start, inside[-1].end))
    return tuple(words)


def speak(text: str, voice: Voice, rate: int = RATE) -> Speech:
    """Say ``text`` (plain, or espeak-ng phonemes within ``[[ ]]``) in a voice.

    The same arguments give the same samples, in any process and after any other calls.

    Raises:
        TalkerError: no such voice, or nothing in the text can be said.
    """
    from scipy.signal import resample_poly

    samples, own_rate, events = _synthesize(text, voice)
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
_SHORTEST, _LONGEST, _MARGIN = 1.7, 2.3, 0.3


def _speak_at_length(sentence: Sentence, voice: Voice) -> Speech:
    """The sentence at the voice's speed, or at the nearest speed that takes 1.7-2.3 s."""
    for _ in range(5):
        speech = speak(sentence.spoken, voice)
        length = speech.phonemes[-1].end - speech.phonemes[0].start
        if _SHORTEST <= length <= _LONGEST:
            return speech
        wanted = 0.5 * (_SHORTEST + _LONGEST) if length > _LONGEST else _SHORTEST + 0.1
        speed = int(np.clip(round(voice.speed * length / wanted), 80, 450))
        if speed == voice.speed:
            break
        voice = replace(voice, speed=speed)
    raise TalkerError(
        f'"{sentence.text}" does not fit a clip in the voice {voice.name}; choose another voice.'
    )


def _room(samples: int, rng: np.random.Generator) -> np.ndarray:
    """A quiet room: noise with most of its energy below 300 Hz, unit deviation, (samples,)."""
    from scipy.signal import lfilter

    noise = lfilter([1.0], [1.0, -0.9], rng.standard_normal(samples + 200))[200:]
    return noise / noise.std()


def grid_clip(sentence: Sentence, voice: Voice, rng: np.random.Generator) -> Speech:
    """A clip like GRID's: 3.0 s (48000 samples), silence before and after, a quiet room.

    The sentence takes 1.7-2.3 s and starts 0.3-0.6 s into the clip; tempo varies by 5 % and the
    level by 3 dB around -23 dB (RMS of the spoken part); the room's noise lies at -66 to -60 dB.
    Times are seconds of the clip.
    """
    speed = int(np.clip(round(voice.speed * rng.uniform(0.95, 1.05)), 80, 450))
    speech = _speak_at_length(sentence, replace(voice, speed=speed))
    first, last = speech.phonemes[0].start, speech.phonemes[-1].end
    latest = min(0.6, CLIP_SECONDS - _MARGIN - (last - first))
    lead = rng.uniform(_MARGIN, latest)
    shift = round((lead - first) * RATE)
    total = round(CLIP_SECONDS * RATE)
    begin, end = max(0, -shift), min(len(speech.signal), total - shift)
    signal = np.zeros(total)
    signal[begin + shift : end + shift] = speech.signal[begin:end]

    spoken = signal[round(lead * RATE) : round((lead + last - first) * RATE)]
    level = 10 ** ((-23 + rng.uniform(-3, 3)) / 20)
    signal *= level / np.sqrt(np.mean(spoken**2))
    signal += 10 ** (rng.uniform(-66, -60) / 20) * _room(total, rng)
    signal *= min(1.0, 0.99 / np.abs(signal).max())

    seconds = shift / RATE
    phonemes = tuple(
        replace(p, start=p.start + seconds, end=p.end + seconds) for p in speech.phonemes
    )
    words = tuple(
        Word(word, w.start + seconds, w.end + seconds)
        for word, w in zip(sentence.words, speech.words, strict=True)
    )
    return Speech(signal.astype(np.float32), RATE, phonemes, words)


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
