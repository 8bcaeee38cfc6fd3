"""Results files: how values came about, and which figures were drawn from them."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

from talker.files import replacing

PACKAGES = (
    *("torch", "numpy", "scipy", "dlib-bin", "anny", "embreex", "av"),
    *("cpbd-py312", "torchmetrics", "opencv-python-headless", "jiwer"),
)


def circumstances(seconds: float, **more: Any) -> dict[str, Any]:
    """Commit, package versions, machine and time, for a results file."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = "not installed"
    machine = f"{platform.machine()}, {platform.system()}, CPU"
    return {
        "commit": commit or "unknown",
        "versions": versions,
        "machine": machine,
        "seconds": round(seconds, 1),
        **more,
    }


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
