"""Write files so that a failed run leaves nothing half-written behind."""

from __future__ import annotations

import errno
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from talker.errors import TalkerError

# What a write fails with where a disk is full, a quota is used up, or a file may grow no further.
FULL = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))


@contextmanager
def replacing(path: Path | str) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` on success, delete it on failure.

    Folders that are missing are made. Raises TalkerError when the folder cannot be written to, or
    the disk is full.
    """
    path = Path(path)
    # Unlike any other writer's, on this machine or on another that sees the same folder.
    temporary = path.with_name(f".{path.stem}.{uuid.uuid4().hex[:12]}.part{path.suffix}")
    if path.is_dir():
        raise TalkerError(f"{path} is a folder: give the name of a file to write.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.touch()
    except OSError as error:
        raise TalkerError(f"{path} cannot be written: {error.strerror}.") from error
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        if error.errno not in FULL:
            raise  # of something else that was read or done meanwhile
        raise TalkerError(f"{path} cannot be written: {error.strerror}.") from error
    finally:
        temporary.unlink(missing_ok=True)
