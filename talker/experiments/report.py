"""Results files: how values came about, and which figures were drawn from them."""

from __future__ import annotations

import hashlib
import json
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

from talker.files import replacing
from talker.versions import versions

PACKAGES = (
    *("torch", "numpy", "scipy", "dlib-bin", "anny", "embreex", "av"),
    *("cpbd-py312", "torchmetrics", "opencv-python-headless", "jiwer"),
)


def circumstances(seconds: float, **more: Any) -> dict[str, Any]:
    """Commit, package versions, machine and time, for a results file."""
    machine = f"{platform.machine()}, {platform.system()}, CPU"
    return {
        "commit": commit(Path(__file__).parents[2]),
        "versions": versions(PACKAGES),
        "machine": machine,
        "seconds": round(seconds, 1),
        **more,
    }


def commit(repository: Path) -> str:
    """The commit of this package's repository, with "-dirty" after it where files differ from it.

    Those under figures and chapters do not count, because experiments write them. "unknown" where
    the package was installed without its repository.
    """
    if not (repository / ".git").exists():
        return "unknown"

    def git(*arguments: str) -> str:
        command = ["git", "--no-optional-locks", "-C", str(repository), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()

    short = git("rev-parse", "--short", "HEAD")
    others = (".", ":(exclude)figures", ":(exclude)chapters")
    changed = git("status", "--porcelain", "--untracked-files=no", "--", *others)
    return (short or "unknown") + ("-dirty" if changed else "")


def manifest(figures: Path) -> dict[str, dict]:
    """manifest.json anew, called by a script in `figures`: only that script's entry changes.

    So a figure whose results have changed since it was drawn stays known as such, whichever other
    figure is drawn again. Entries of scripts that are gone are dropped.
    """
    script = Path(sys._getframe(1).f_code.co_filename).name
    path = figures / "manifest.json"
    held = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    kept = {name: entry for name, entry in held.items() if (figures / name).is_file()}
    return kept | {script: drawn_from(figures, script)}


def drawn_from(figures: Path, script: str) -> dict:
    """SHA-256 of a script, of the results that it reads and of the figures that it writes.

    A script reads and writes what it names: files of `figures/results` and `figures` by their whole
    names, wherever these stand in it.
    """
    source = (figures / script).read_text(encoding="utf-8")

    def hashes(pattern: str) -> dict[str, str]:
        named = sorted(p for p in figures.glob(pattern) if p.is_file() and p.name in source)
        return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in named}

    return {
        "script": hashlib.sha256(source.encode()).hexdigest(),
        "results": hashes("results/*"),
        "figures": hashes("*.png"),
    }


def write_results(path: Path, results: dict[str, Any]) -> None:
    """JSON, readable in a diff, whole or not at all."""
    with replacing(path) as temporary:
        text = json.dumps(results, indent=1, sort_keys=True) + "\n"
        temporary.write_text(text, encoding="utf-8")
