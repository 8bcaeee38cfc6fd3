"""One take: what a performer says in a clip, in which voice, and what the face does."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from talker.studio import emotion, script
from talker.studio.acting import Performance, act, style_for
from talker.studio.espeak import Voice
from talker.studio.grammar import Sentence
from talker.studio.idle import BLINKS
from talker.studio.script import Line
from talker.studio.speech import Speech, clip_of, grid_clip

# Of random numbers, beside those of `talker.corpora.rendered` and of who the performer is.
_STREAMS = {"grid": 3, "cremad": 7, "rich": 8}
_STYLE, _EXPRESSION = 5, 6
# Voices are as slow as GRID's commands; ordinary speech is faster.
_ORDINARY = 1.35
# Seconds that a rich sentence may take, so that clips last 5 to 8.
_RICH_TAKES = (4.5, 6.8)


@dataclass(frozen=True)
class Take:
    """A line, its sound, and what the face does meanwhile."""

    line: Line
    speech: Speech
    performance: Performance


def take(
    kind: str,
    performer: int,
    clip: int,
    seed: int,
    voice: Voice,
    frames: int | None = None,
    fps: float = 25,
) -> Take:
    """The `performer`-th performer's take of a class of sentences for the clip of that number.

    kind: a class, or "all" in turn. The same arguments give the same take. It has `frames` frames,
    or as many as its sound.

    Raises:
        TalkerError: there is no such class.
    """
    kind = script.class_of(clip, kind)
    rng = np.random.default_rng([seed, _STREAMS[kind], performer, clip])
    line = script.line(kind, performer, clip, rng)
    style = style_for(np.random.default_rng([seed, _STYLE, performer]), *BLINKS[kind])
    if kind == "grid":
        speech = grid_clip(Sentence(tuple(line.text.split())), voice, rng)
        return Take(line, speech, act(speech, rng, style, frames, fps))
    strength = emotion.strength(line.intensity, rng)
    person = np.random.default_rng([seed, _EXPRESSION, performer])
    expression = emotion.expression(line.emotion, strength, person)
    voice = replace(voice, speed=round(_ORDINARY * voice.speed))
    voice, louder = emotion.voice_in(line.emotion, strength, voice)
    takes = _RICH_TAKES if kind == "rich" else None
    speech = clip_of(line.spoken, voice, rng, takes, level=-23 + louder)
    return Take(line, speech, act(speech, rng, style, frames, fps, expression))
