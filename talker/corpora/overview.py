"""What there is to say of each corpus, and what of it lies in a folder."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from talker.corpora.clip import SPLITS, Clip, Corpus
from talker.corpora.layout import WrongLayout, folder
from talker.corpora.registry import CORPORA
from talker.errors import TalkerError

OPENED = 20  # clips whose length is looked up, to tell the hours of all


def overview(roots: Sequence[Path | str] = ()) -> str:
    """Every corpus in a few lines: where it is to be had, licence, size, layout, and what is here.

    `roots` are folders; each is looked through for every corpus.

    Raises:
        TalkerError: a folder is missing or holds none of the corpora, or a corpus in it is
            incomplete or damaged.
    """
    here: dict[str, list[str]] = {name: [] for name in CORPORA}
    for root in map(folder, roots):
        held = _held(root)
        if not held:
            raise TalkerError(
                f"{root} holds none of the corpora: 'talker corpora' says what each looks like."
            )
        for name, clips in held.items():
            here[name] += summary(root, clips)
    return "\n\n".join(_paragraph(corpus, here[name]) for name, corpus in CORPORA.items())


def _held(root: Path) -> dict[str, list[Clip]]:
    """The clips of every corpus in a folder, by the name of the corpus."""
    held = {}
    for name, corpus in CORPORA.items():
        with suppress(WrongLayout):
            held[name] = corpus.clips(root)
    return held


def summary(root: Path | str, clips: Sequence[Clip]) -> list[str]:
    """How much a folder holds, over all and in each split: clips, speakers, hours; a line each."""
    mean = _mean_seconds(clips)
    named = any(clip.speaker != clip.name for clip in clips)  # else nobody knows who speaks
    lines = []
    for label, split in [(str(root), None), *((f"  {split}", split) for split in SPLITS)]:
        chosen = [clip for clip in clips if split in (None, clip.split)]
        parts = [_counted(len(chosen), "clip")]
        if named:
            parts.append(_counted(len({clip.speaker for clip in chosen}), "speaker"))
        if mean is not None:
            parts.append(_length(len(chosen) * mean))
        lines.append(f"{label}: {', '.join(parts) if chosen else 'none'}")
    return lines


def _length(seconds: float) -> str:
    hours = seconds / 3600
    return f"about {hours:.1f} hours" if hours >= 1 else f"about {seconds / 60:.1f} minutes"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _mean_seconds(clips: Sequence[Clip]) -> float | None:
    """Mean length of a few clips spread over all, as their files state it; None if none does."""
    import av

    step = max(1, len(clips) // OPENED)
    lengths = []
    for clip in clips[::step]:
        with suppress(av.error.FFmpegError, OSError), av.open(str(clip.video)) as container:
            if container.duration:
                lengths.append(container.duration / av.time_base)
    return sum(lengths) / len(lengths) if lengths else None


def _paragraph(corpus: Corpus, here: list[str]) -> str:
    facts = {
        "where": corpus.where,
        "licence": corpus.licence,
        "size": corpus.size,
        "layout": corpus.layout,
    }
    lines = [f"{corpus.name}: {corpus.title}"]
    for label, fact in facts.items():
        wrapped = textwrap.wrap(fact, 84, break_long_words=False, break_on_hyphens=False)
        lines += [f"  {label if not i else '':9}{part}" for i, part in enumerate(wrapped)]
    lines += [f"  {'here' if not i else '':9}{line}" for i, line in enumerate(here)]
    return "\n".join(lines)
