"""Make chapters/NN_name.ipynb from chapters/NN_name.py: convert, execute, strip, stamp.

One direction only. The same sources give the same bytes: cell ids come from the sources, and
timings, widget states and the interpreter's version are left out. Three stamps in the notebook's
metadata say what its outputs were made from: the chapter's own cells, those of the package's
files that it can reach, and those of figures/results that it names.

This lives outside `talker` (nothing of the package needs it), and outside `chapters` (which holds
chapters only). `python tools/build_chapters.py [--force] [01_name ...]` runs it.
"""

import argparse
import ast
import hashlib
import os
import re
import sys
import time
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parent.parent
CHAPTERS = ROOT / "chapters"
PACKAGE = ROOT / "talker"
RESULTS = ROOT / "figures" / "results"

# The last bits of a float depend on how a sum is split over threads, and so would the pictures.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
SECONDS_PER_CELL = 600  # minutes on a slow machine, not seconds: it only ends what hangs
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def chapter_paths(folder: Path = CHAPTERS) -> list[Path]:
    """The chapters' sources, in the book's order."""
    return sorted(folder.glob("[0-9][0-9]_*.py"))


def cell_sources(notebook: nbformat.NotebookNode) -> list[tuple[str, str, tuple[str, ...]]]:
    """Kind, source and tags of every cell: all that a chapter's author writes."""
    return [
        (cell.cell_type, cell.source, tuple(cell.metadata.get("tags", ())))
        for cell in notebook.cells
    ]


def read_pair(source: Path) -> tuple[nbformat.NotebookNode, nbformat.NotebookNode | None]:
    """The chapter as its `.py` has it, and its notebook (None where there is none yet)."""
    path = source.with_suffix(".ipynb")
    executed = nbformat.read(path, as_version=4) if path.exists() else None
    return jupytext.read(source), executed


def _imported(code: str, package: Path) -> set[Path]:
    """The package's files that an import statement of `code` runs, wherever in it that stands."""
    names = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    found = set()
    for name in names:
        first, *rest = name.split(".")
        if first != package.name:
            continue
        for depth in range(len(rest) + 1):  # a package's own file runs before what is in it
            place = package.joinpath(*rest[:depth])
            found |= {f for f in (place / "__init__.py", place.with_suffix(".py")) if f.is_file()}
    return found


def files_reached(notebook: nbformat.NotebookNode, package: Path = PACKAGE) -> list[Path]:
    """The package's files that a chapter's outputs may depend on, in order.

    Modules that its cells import, those that these import, and so on; and all that is no module:
    weights, assets. All modules where a cell starts another program, which may be `talker`.
    """
    every = [f for f in sorted(package.rglob("*")) if f.is_file() and "__pycache__" not in f.parts]
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    if re.search(r"^\s*[!%]|subprocess", code, re.MULTILINE):
        return every
    reached, ahead = set(), _imported(code, package)
    while ahead:
        reached |= ahead
        texts = [path.read_text(encoding="utf-8") for path in ahead]
        ahead = set().union(*(_imported(text, package) for text in texts)) - reached
    return [path for path in every if path.suffix != ".py" or path in reached]


def package_digest(notebook: nbformat.NotebookNode, package: Path = PACKAGE) -> str:
    """A hash over the names and bytes of the package's files that a chapter can reach."""
    digest = hashlib.sha256()
    for path in files_reached(notebook, package):
        digest.update(path.relative_to(package).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def results_named(notebook: nbformat.NotebookNode, results: Path = RESULTS) -> list[Path]:
    """The files of results whose names stand in the chapter's cells, prose included, in order.

    Names that are put together while a chapter runs are not seen: chapters write them out.
    """
    text = "\n".join(cell.source for cell in notebook.cells)
    named = set(re.findall(r"[\w-]+\.(?:jsonl?|npy|png)\b", text))
    return [results / name for name in sorted(named) if (results / name).is_file()]


def results_digest(notebook: nbformat.NotebookNode, results: Path = RESULTS) -> str:
    """A hash over the names and bytes of the results that a chapter names."""
    digest = hashlib.sha256()
    for path in results_named(notebook, results):
        digest.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def stamps(
    notebook: nbformat.NotebookNode, package: Path = PACKAGE, results: Path = RESULTS
) -> dict[str, str]:
    """What a chapter's outputs depend on: `cells`, `package` and `results`, as hashes."""
    cells = hashlib.sha256(repr(cell_sources(notebook)).encode()).hexdigest()[:16]
    return {
        "cells": cells,
        "package": package_digest(notebook, package),
        "results": results_digest(notebook, results),
    }


def staleness(source: Path, package: Path = PACKAGE, results: Path = RESULTS) -> list[str]:
    """What changed since the notebook of the chapter `source` was executed; empty where fresh."""
    written, executed = read_pair(source)
    if executed is None:
        return ["never executed"]
    reasons = []
    if cell_sources(written) != cell_sources(executed):
        reasons.append(f"the cells of {source.name} and {source.stem}.ipynb differ")
    old, new = executed.metadata.get("stamps", {}), stamps(written, package, results)
    reasons += [f"its {name} changed" for name in new if old.get(name) != new[name]]
    return reasons


def strip(notebook: nbformat.NotebookNode) -> None:
    """Remove, in place, what differs between two runs of the same cells."""
    notebook.metadata = {"kernelspec": KERNEL}
    for index, cell in enumerate(notebook.cells):
        cell.id = f"{index:02d}-{hashlib.sha256(cell.source.encode()).hexdigest()[:8]}"
        tags = cell.metadata.get("tags", [])
        cell.metadata = {"tags": tags} if tags else {}
        if cell.cell_type == "code" and "nbval-skip" in tags:  # a widget: its model ids are random
            cell.outputs = []


def build(source: Path) -> Path:
    """Execute the chapter `source` (a percent script) and write its notebook beside it."""
    notebook = jupytext.read(source)
    notebook.nbformat_minor = 5
    # Relative to the chapter, as in JupyterLab; a failing cell raises CellExecutionError.
    client = NotebookClient(
        notebook,
        timeout=SECONDS_PER_CELL,
        kernel_name=KERNEL["name"],
        coalesce_streams=True,
        resources={"metadata": {"path": str(source.parent)}},
    )
    client.execute()
    strip(notebook)
    notebook.metadata["stamps"] = stamps(notebook)
    target = source.with_suffix(".ipynb")
    partial = target.with_suffix(".partial")
    partial.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
    os.replace(partial, target)
    return target


def main() -> int:
    """Build the named chapters, or all; only the stale ones unless told `--force`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="stems such as 01_the_whole_system; none: all")
    parser.add_argument("--force", action="store_true", help="execute fresh chapters too")
    options = parser.parse_args()
    os.environ.update(ONE_THREAD)
    for source in chapter_paths():
        if options.names and source.stem not in options.names:
            continue
        reasons = ["forced"] if options.force else staleness(source)
        if not reasons:
            print(f"{source.stem}: fresh")
            continue
        begin = time.perf_counter()
        target = build(source)
        seconds, size = time.perf_counter() - begin, target.stat().st_size
        print(f"{source.stem}: {', '.join(reasons)}; {seconds:.0f} s, {size / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
