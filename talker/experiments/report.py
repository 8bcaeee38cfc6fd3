"""Results files: values with bootstrap intervals over clips, and how they came about."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

from talker.files import replacing

PACKAGES = ("torch", "numpy", "dlib-bin", "anny", "embreex", "av")


def bootstrap(
    values, statistic=np.median, draws: int = 2000, seed: int = 0
) -> dict[str, float | int]:
    """A statistic of per-clip values with its 95 % percentile bootstrap interval over clips.

    Values that are not finite are left out and counted. Returns value, low, high, clips, left_out.
    """
    array = np.asarray(values, float)
    kept = array[np.isfinite(array)]
    rng = np.random.default_rng(seed)
    resampled = kept[rng.integers(len(kept), size=(draws, len(kept)))]
    low, high = np.percentile(statistic(resampled, axis=1), [2.5, 97.5])
    return {
        "value": round(float(statistic(kept)), 5),
        "low": round(float(low), 5),
        "high": round(float(high), 5),
        "clips": len(kept),
        "left_out": int(len(array) - len(kept)),
    }


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


def manifest(figures: Path) -> dict[str, dict[str, str]]:
    """SHA-256 of every figure and of all it may have been drawn from, by kind and file name."""

    def hashes(pattern: str) -> dict[str, str]:
        paths = sorted(figures.glob(pattern))
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}

    return {
        "scripts": hashes("fig_*.py"),
        "results": hashes("results/*"),
        "figures": hashes("fig_*.png"),
    }


def write_results(path: Path, results: dict[str, Any]) -> None:
    """JSON, readable in a diff, whole or not at all."""
    with replacing(path) as temporary:
        text = json.dumps(results, indent=1, sort_keys=True) + "\n"
        temporary.write_text(text, encoding="utf-8")
