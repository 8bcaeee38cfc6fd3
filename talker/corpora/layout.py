"""What the corpora share: looking through a folder, and dealing speakers to splits."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from talker.errors import TalkerError


class WrongLayout(TalkerError):
    """The folder is not this corpus; it may be another one."""


def folder(root: Path | str) -> Path:
    """`root` as a path; raises TalkerError when there is no such folder."""
    root = Path(root)
    if not root.is_dir():
        raise TalkerError(f"there is no folder {root}: check the path.")
    return root


def files(place: Path, pattern: str) -> list[Path]:
    """The files below `place` that fit a glob pattern, in order of their paths.

    Names that begin with a dot are left out: macOS puts "._name" beside what it unpacks.
    """
    return sorted(path for path in place.glob(pattern) if not path.name.startswith("."))


def text_of(path: Path) -> str:
    """The content of a small text file; raises TalkerError when it cannot be read as text."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise TalkerError(f"{path} cannot be read ({reason}): download it again.") from error


def spread(numbers: Sequence[int], count: int) -> frozenset[int]:
    """`count` of the numbers, evenly spread over their order: the same ones at every call."""
    step = len(numbers) / count
    return frozenset(numbers[int((index + 0.5) * step)] for index in range(count))


def split_of(speaker: int, validation: Collection[int], test: Collection[int]) -> str:
    """The split of a speaker; everyone in neither list is for training."""
    if speaker in test:
        return "test"
    return "validation" if speaker in validation else "train"
