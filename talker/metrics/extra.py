"""Packages that only `talker evaluate` needs: one sentence where they are not installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from talker.errors import INSTALL, TalkerError


@contextmanager
def installed() -> Iterator[None]:
    """Around the imports of such packages: raises TalkerError for one that is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        raise TalkerError(
            f"the metrics need the package {package}, which is not installed: {INSTALL}."
        ) from error
