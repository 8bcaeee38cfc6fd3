"""Clips on disk, the same for rendered and for prepared corpora.

    DIR/corpus.json            how the corpus was made
    DIR/s1/bbaf2n.mp4          the clip as one can play it: 96x128, 25 fps, H.264, its sound as AAC
    DIR/s1/bbaf2n.wav          the sound that training hears, 16 kHz mono
    DIR/s1/bbaf2n.json         what is known of it: speaker, split, words, landmarks ...
    DIR/s1/lgbf8n.rejected     instead of the three: why preparation left the clip out

A clip is there once its .json is: it is renamed into place last, so work that was cut off goes on
where it stopped. The video has a key frame at least every 12 frames, so that a window of frames is
read without decoding what comes long before it (`talker bench store` measures other choices).
"""

from __future__ import annotations

import fcntl
import json
import os
import wave
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from av.video.reformatter import VideoReformatter

from talker.errors import TalkerError
from talker.files import replacing
from talker.media import decoded, opened, write_audio
from talker.video import write_video

FPS, RATE = 25, 16000
KEYFRAMES, CRF = 12, 12


@dataclass(frozen=True)
class StoredClip:
    """One clip of a corpus on disk; its name is its path in the corpus, without the ending."""

    name: str
    video: Path
    audio: Path
    speaker: str
    split: str

    @property
    def truth(self) -> dict:
        """All that its .json says, read anew at each call: landmarks are large."""
        return json.loads(self.video.with_suffix(".json").read_text(encoding="utf-8"))


def clips(corpus: Path | str, split: str | None = None) -> list[StoredClip]:
    """The finished clips of a corpus, in order of their names; all splits where none is named.

    Raises TalkerError: the folder holds no corpus, or has no clip of that split.
    """
    corpus = Path(corpus)
    if not (corpus / "corpus.json").exists():
        raise TalkerError(
            f"{corpus} holds no corpus: make one with 'talker render --out {corpus}', or from "
            "recordings with 'talker prepare'."
        )
    found = []
    for path in sorted(corpus.glob("*/**/[!.]*.json")):  # a dot begins what is half-written
        clip = _stored(corpus, path)
        if split in (None, clip.split):
            found.append(clip)
    if not found:
        raise TalkerError(
            f"{corpus} has no clip of the split {split or 'any'}: render or prepare more speakers."
        )
    return found


def _stored(corpus: Path, path: Path) -> StoredClip:
    # Landmarks are nearly all of the file and come last: not to parse them takes off most of it.
    text = path.read_text(encoding="utf-8")
    head, cut, _ = text.partition(',"landmarks":')
    truth = json.loads(head + "}" if cut else text)
    name = path.relative_to(corpus).with_suffix("").as_posix()
    files = path.with_suffix(".mp4"), path.with_suffix(".wav")
    return StoredClip(name, *files, truth["speaker"], truth["split"])


def write_clip(stem: Path, frames: np.ndarray, signal: np.ndarray, truth: dict) -> None:
    """Store frames, uint8 (T, H, W, 3) at 25 fps, sound, float32 (S,) at 16 kHz, and the truth.

    stem: the path without an ending. The same input gives the same bytes.
    """
    write_video(beside(stem, ".mp4"), frames, FPS, signal, RATE, CRF, keyframes=KEYFRAMES)
    write_audio(beside(stem, ".wav"), signal, RATE)
    write_truth(stem, truth)


def write_truth(stem: Path, truth: dict) -> None:
    """The clip's .json, after which it is there: the last of its three files to be written."""
    last = {"landmarks": truth["landmarks"]} if "landmarks" in truth else {}
    truth = {name: value for name, value in truth.items() if name not in last} | last
    with replacing(beside(stem, ".json")) as path:
        path.write_text(json.dumps(truth, separators=(",", ":")), encoding="utf-8")


def beside(stem: Path, ending: str) -> Path:
    """The file of a clip with that ending; the clip's name may have dots of its own."""
    return stem.with_name(stem.name + ending)


@contextmanager
def alone_in(corpus: Path) -> Iterator[None]:
    """Hold the folder's lock, which the system lets go of whenever and however a process ends.

    A folder that is missing is made. Raises TalkerError: it cannot be written to, or another
    process holds its lock.
    """
    try:
        corpus.mkdir(parents=True, exist_ok=True)
        folder = os.open(corpus, os.O_RDONLY)
    except OSError as error:
        raise TalkerError(f"{corpus} cannot be written: {error.strerror}.") from error
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TalkerError(
                f"another process is writing to {corpus}: wait until it has ended."
            ) from None
        yield
    finally:
        os.close(folder)


def forget_half_written(corpus: Path) -> None:
    """Delete what a process that was killed left behind; nothing may be writing to the corpus."""
    for path in corpus.rglob(".*.part*"):
        path.unlink(missing_ok=True)


def read_frames(path: Path | str, numbers: Sequence[int] | None = None) -> np.ndarray:
    """Some frames of a stored video, or all: uint8 (N, H, W, 3) RGB, in the order of `numbers`.

    Decodes no more than from the key frame before each of them. Raises TalkerError when the file
    is missing, cannot be decoded or ends before.
    """
    images, to_rgb = {}, VideoReformatter()
    with opened(path, "video") as (container, stream):
        stream.codec_context.thread_count = 1  # a few small frames: threads take longer to start
        if numbers is None:
            numbers = range(stream.frames)
        waiting = sorted({int(number) for number in numbers}, reverse=True)
        here, frames = -KEYFRAMES, iter(())
        while waiting:
            if waiting[-1] >= here + KEYFRAMES:  # nearer ones are reached sooner by going on
                container.seek(round(waiting[-1] / FPS / stream.time_base), stream=stream)
                frames = decoded(container, stream)
            for frame in frames:
                here = round(frame.pts * stream.time_base * FPS)
                if here == waiting[-1]:
                    images[waiting.pop()] = to_rgb.reformat(frame, format="rgb24").to_ndarray()
                    break
            else:
                break
    if waiting:
        raise TalkerError(f"{path} has no frame {waiting[-1]}: delete its .json and prepare it.")
    return np.stack([images[int(number)] for number in numbers])


def count_frames(path: Path | str) -> int:
    """How many frames a stored video has, as its index says."""
    with opened(path, "video") as (_, stream):
        return stream.frames


def sound_rate(path: Path | str) -> int:
    """Samples a second of a stored sound; raises TalkerError when it is no WAV file."""
    try:
        with wave.open(str(path)) as file:
            return file.getframerate()
    except (OSError, EOFError, wave.Error) as error:
        raise TalkerError(f"{path} is no WAV file: delete its .json and prepare it.") from error


def read_sound(path: Path | str) -> np.ndarray:
    """A stored sound, float32 (S,); much faster than `media.read_audio`, which reads all."""
    with wave.open(str(path)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    return samples.astype(np.float32) / 32768
