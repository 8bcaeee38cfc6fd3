"""espeak-ng, called through the `espeakng-loader` wheel: samples, and what happens when in them."""

from __future__ import annotations

import _ctypes
import ctypes
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from talker.errors import TalkerError

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

# Values of espeak-ng's public header speak_lib.h.
_SYNCHRONOUS, _PHONEME_EVENTS, _DONT_EXIT = 2, 0x0001, 0x8000
_UTF8_WITH_PHONEMES = 1 | 0x0100
EVENT_WORD, EVENT_PHONEME = 1, 7
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


def synthesize(text: str, voice: Voice) -> tuple[np.ndarray, int, list[tuple]]:
    """The int16 samples (S,), their rate, and events (type, sample, position, length, symbol).

    The library keeps state between calls (phase and noise), so that the same sentence
    differs by a few samples each time and nothing it offers resets it. Loading it anew for each
    call does: 6 ms for the same bytes always. Raises TalkerError when there is no such voice.
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
            symbol = e.id.string.decode("utf-8", "replace") if e.type == EVENT_PHONEME else ""
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
