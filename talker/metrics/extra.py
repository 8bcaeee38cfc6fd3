"""Packages that only `talker evaluate` needs: one sentence where they are not installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from talker.errors import TalkerError


@contextmanager
def installed() -> Iterator[None]:
    """Around the imports of such packages: raises TalkerError for one that is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        raise TalkerError(
            f"the metrics need the package {package}, which is not installed: "
            'run `pip install "talker[evaluate]"`.'
        ) from error
