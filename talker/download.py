"""Download a large file so that nothing received is asked for twice.

The file grows as NAME.part and gets its name when it is complete and its checksum is right. After a
lost connection, or in the next run, it goes on at the byte where it stopped (HTTP Range).
"""

from __future__ import annotations

import hashlib
import http.client
import re
import time
import urllib.error
import urllib.request
from pathlib import Path

from tqdm import tqdm

from talker import __version__
from talker.errors import TalkerError

BLOCK = 1 << 18  # bytes
TIMEOUT = 30.0  # seconds without a byte, after which the connection counts as lost
LONGEST_PAUSE = 60.0  # seconds
# Statuses of a server that is busy now and may not be later.
PASSING = frozenset((408, 425, 429, 500, 502, 503, 504))
_CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)")


def get(url: str, first: int = 0):
    """The server's answer to a request for `url` from byte `first` on, as urllib gives it."""
    # Without "identity" a server may compress, and the bytes would not be the file's.
    headers = {"User-Agent": f"talker/{__version__}", "Accept-Encoding": "identity"}
    if first:
        headers["Range"] = f"bytes={first}-"
    return urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=TIMEOUT)


def download(
    url: str, path: Path | str, *, md5: str | None = None, attempts: int = 6, pause: float = 1.0
) -> Path:
    """Bring `url` into the file `path`; a file that is there already is left as it is.

    Args:
        md5: of the complete file, in hexadecimal; None where it is not known.
        attempts: how many times in a row to try without receiving anything new.
        pause: seconds before the second of them; doubled before every further one.

    Raises:
        TalkerError: the server refuses or stays out of reach (what was received is kept), the
            checksum is wrong (what was received is deleted), or the file cannot be written.
    """
    path = Path(path)
    if path.exists():
        return path
    part = path.with_name(path.name + ".part")
    with tqdm(desc=path.name, unit="B", unit_scale=True, unit_divisor=1024) as bar:
        failures, farthest = 0, _size(part)
        while True:
            reason, wait = _receive(url, part, bar)
            if reason is None:
                break
            failures = 0 if _size(part) > farthest else failures + 1
            farthest = max(farthest, _size(part))
            if failures >= attempts:
                raise TalkerError(
                    f"{url} cannot be reached ({reason}): run the same command again later, "
                    "it goes on where it stopped."
                )
            bar.set_postfix_str(f"{reason}, trying again")
            time.sleep(min(LONGEST_PAUSE, pause * 2**failures if wait is None else wait))
            bar.set_postfix_str("")
    if md5 is not None and _md5(part) != md5.lower():
        part.unlink()
        raise TalkerError(
            f"{url} arrived damaged (its MD5 is not {md5}) and was deleted: "
            "run the same command again."
        )
    part.replace(path)
    return path


def _receive(url: str, part: Path, bar: tqdm) -> tuple[str | None, float | None]:
    """Receive what is still missing into `part`.

    Returns why it is not complete, None when it is; and the seconds that the server asks to wait,
    None when it does not say.
    """
    try:
        with get(url, first=_size(part)) as answer:
            first, total = _extent(answer)
            if first not in (0, _size(part)):
                part.unlink()
                return "the server sent other bytes than were asked for", None
            bar.total, bar.n = total, first
            if not first:
                _append(part, b"", anew=True)
            while block := answer.read(BLOCK):
                _append(part, block)
                bar.update(len(block))
    except urllib.error.HTTPError as error:
        return _refused(url, part, error)
    except (OSError, http.client.HTTPException) as error:
        return str(getattr(error, "reason", error)) or type(error).__name__, None
    if total is not None and _size(part) < total:
        return "the connection was lost", None
    return None, None


def _append(part: Path, block: bytes, anew: bool = False) -> None:
    """Write at the end of `part`, or begin it anew; on disk when this returns."""
    try:
        with part.open("wb" if anew else "ab") as file:
            file.write(block)
    except OSError as error:
        raise TalkerError(f"{part} cannot be written: {error.strerror}.") from error


def _extent(answer) -> tuple[int, int | None]:
    """First byte of an answer, and how many the whole file has (None where it is not said)."""
    length = answer.headers.get("Content-Length")
    if answer.status != 206:  # the server does not know Range and sends the whole file again
        return 0, None if length is None else int(length)
    said = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
    if said is None or said[1] is None:
        return -1, None
    return int(said[1]), None if said[2] == "*" else int(said[2])


def _refused(
    url: str, part: Path, error: urllib.error.HTTPError
) -> tuple[str | None, float | None]:
    """What an HTTP status means, as `_receive` returns it; raises TalkerError for a final one."""
    if error.code == 416:  # nothing after the last byte: the file is complete, or not this file
        said = _CONTENT_RANGE.fullmatch(error.headers.get("Content-Range", ""))
        if said is not None and said[2] == str(_size(part)):
            return None, None
        part.unlink(missing_ok=True)
        return "the file at the server is another one than before", None
    if error.code not in PASSING:
        raise TalkerError(f"{url} is refused ({error.code} {error.reason}): check the address.")
    asked = error.headers.get("Retry-After", "")
    return f"{error.code} {error.reason}", float(asked) if asked.isdecimal() else None


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()
