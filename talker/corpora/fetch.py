"""Fetch GRID from the public archive: speaker by speaker, safe to interrupt and to repeat.

    DIR/s1/bbaf2n.mpg               the videos, from s1.zip
    DIR/alignments/s1/bbaf2n.align  when each word is said, from alignments.zip

A speaker is there once the folder is: an archive is unpacked beside it, in DIR/.s1.unpacking, and
renamed into place as the last step. Then the archive is deleted.
"""

from __future__ import annotations

import http.client
import json
import shutil
import stat
import urllib.error
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from talker.corpora import grid
from talker.download import download, get
from talker.errors import TalkerError

RECORD = "https://zenodo.org/api/records/3625687"  # what Zenodo says of GRID's files, as JSON
ALIGNMENTS = "alignments"


@dataclass(frozen=True)
class Archive:
    """One file of the archive; md5 in hexadecimal and size in bytes, None where not known."""

    name: str
    url: str
    md5: str | None = None
    size: int | None = None


def fetch_grid(
    out: Path | str,
    speakers: Iterable[int] = (),
    *,
    record: str = RECORD,
    mirror: str | None = None,
    pause: float = 1.0,
) -> Path:
    """Download GRID's videos and alignments into the folder `out`, and return it.

    What is there already is left alone. About 13.6 GB for all 33 speakers.

    Args:
        speakers: their numbers; all when there are none.
        record: address of the JSON that lists the files with their checksums, as Zenodo's.
        mirror: address of a folder with copies of the archives, to use instead; an md5sums.txt in
            it ("checksum  name" a line) has them checked.
        pause: seconds before the second attempt to reach a server, see `talker.download`.

    Raises:
        TalkerError: a speaker does not exist, a file is not to be had or arrives damaged, an
            archive would write outside its folder, or the disk is too small.
    """
    out = Path(out)
    wanted = [ALIGNMENTS] + [f"s{number}" for number in _checked(speakers)]
    missing = [name for name in wanted if not (out / name).is_dir()]
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TalkerError(f"{out} cannot be made: {error.strerror}.") from error
    archives = []
    if missing:
        archives = _mirrored(mirror, missing) if mirror else _recorded(record, missing)
    _check_space(out, archives)
    for archive in archives:
        path = download(archive.url, out / archive.name, md5=archive.md5, pause=pause)
        unpack(path, out / path.stem)
        path.unlink()
    return out


def _checked(speakers: Iterable[int]) -> list[int]:
    numbers = sorted(set(speakers)) or list(grid.SPEAKERS)
    for number in numbers:
        if number not in grid.SPEAKERS:
            raise TalkerError(
                f"GRID has no videos of a speaker {number}: choose from 1 to 34 without 21."
            )
    return numbers


def _recorded(record: str, names: list[str]) -> list[Archive]:
    """The archives of those names in a Zenodo record."""
    text = _read(record)
    try:
        listed = {file["key"]: file for file in json.loads(text or "")["files"]}
        return [
            Archive(
                f"{name}.zip",
                listed[f"{name}.zip"]["links"]["self"],
                listed[f"{name}.zip"]["checksum"].removeprefix("md5:"),
                int(listed[f"{name}.zip"]["size"]),
            )
            for name in names
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise TalkerError(
            f"{record} does not list GRID's files as Zenodo does: check the address, "
            "or give a mirror."
        ) from error


def _mirrored(mirror: str, names: list[str]) -> list[Archive]:
    """The archives of those names in a plain folder on a server."""
    base = mirror.rstrip("/")
    lines = (_read(f"{base}/md5sums.txt") or "").splitlines()
    sums = {line.split()[1].lstrip("*"): line.split()[0] for line in lines if " " in line.strip()}
    files = [f"{name}.zip" for name in names]
    return [Archive(file, f"{base}/{quote(file)}", sums.get(file)) for file in files]


def _read(url: str) -> str | None:
    """A small text from a server, None when there is no such file."""
    try:
        with get(url) as answer:
            return answer.read().decode("utf-8")
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return None
        raise TalkerError(f"{url} is refused ({error.code}): try again later.") from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise TalkerError(
            f"{url} cannot be reached ({reason}): check the network and the address."
        ) from error


def _check_space(out: Path, archives: list[Archive]) -> None:
    """Videos do not shrink in a .zip: room is needed for all of them, and for one archive more."""
    sizes = [archive.size or 0 for archive in archives]
    received = sum(path.stat().st_size for path in out.glob("*.zip*"))
    needed = sum(sizes) + max(sizes, default=0) - received
    free = shutil.disk_usage(out).free
    if needed > free:
        raise TalkerError(
            f"{out} has room for {free / 1e9:.1f} GB but {needed / 1e9:.1f} GB are needed: "
            "choose another disk, or fewer speakers."
        )


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a .zip into the new folder `folder`, all of it or nothing.

    A folder in the archive that has the new folder's name is opened (s1/bbaf2n.mpg in s1.zip is
    s1/bbaf2n.mpg), and what macOS adds is left out.

    Raises:
        TalkerError: the archive is damaged (it is then deleted) or has a path that leads out of
            its folder.
    """
    temporary = folder.with_name(f".{folder.name}.unpacking")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [(m, _target(archive, m, folder.name)) for m in opened.infolist()]
            for member, target in members:
                if target is not None:
                    place = temporary / target
                    place.parent.mkdir(parents=True, exist_ok=True)
                    with opened.open(member) as source, place.open("wb") as file:
                        shutil.copyfileobj(source, file)
        temporary.mkdir(exist_ok=True)
        temporary.replace(folder)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        archive.unlink()
        raise TalkerError(
            f"{archive} is damaged and was deleted: run the same command again."
        ) from error
    except OSError as error:
        raise TalkerError(f"{archive} cannot be unpacked: {error.strerror}.") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _target(archive: Path, member: zipfile.ZipInfo, name: str) -> PurePosixPath | None:
    """Where a member goes, below the folder `name`; None for what is no file of the corpus."""
    path = PurePosixPath(member.filename.replace("\\", "/"))
    outside = path.is_absolute() or ".." in path.parts or ":" in member.filename
    if outside or stat.S_ISLNK(member.external_attr >> 16):
        raise TalkerError(
            f'{archive} has "{member.filename}" in it, which leads out of its folder: '
            "nothing was unpacked; get the archive from elsewhere."
        )
    if member.is_dir() or path.name.startswith(".") or path.parts[0] == "__MACOSX":
        return None
    if path.parts[0] == name and len(path.parts) > 1:
        path = path.relative_to(name)
    return path
