"""The chapters' rules, and the guards that keep a notebook true to script and package."""

import re
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

import build_chapters
import jupytext
import nbformat
import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
SOURCES = build_chapters.chapter_paths()
EACH = pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)

NBVAL = ["--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout=600"]


def cells(source: Path, kind: str) -> list[nbformat.NotebookNode]:
    """The chapter's executed cells of one kind."""
    notebook = nbformat.read(source.with_suffix(".ipynb"), as_version=4)
    return [cell for cell in notebook.cells if cell.cell_type == kind]


def tags(cell: nbformat.NotebookNode) -> list[str]:
    return cell.metadata.get("tags", [])


def test_the_table_of_contents_names_the_chapters_in_order() -> None:
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text())
    listed = [chapter["file"] for chapter in contents["chapters"]]
    assert SOURCES
    assert listed == [f"chapters/{source.stem}" for source in SOURCES]
    notebooks = sorted(path.stem for path in build_chapters.CHAPTERS.glob("*.ipynb"))
    assert notebooks == [source.stem for source in SOURCES]


@EACH
def test_script_and_notebook_have_the_same_cells(source: Path) -> None:
    written, executed = build_chapters.read_pair(source)
    assert build_chapters.cell_sources(executed) == build_chapters.cell_sources(written)


@EACH
def test_outputs_are_fresh(source: Path) -> None:
    assert not build_chapters.staleness(source), "run: make chapters"


@EACH
def test_every_cell_ran_in_order_and_left_no_trace_of_the_machine(source: Path) -> None:
    code = cells(source, "code")
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    text = source.with_suffix(".ipynb").read_text()
    assert '"output_type": "error"' not in text
    assert '"name": "stderr"' not in text
    assert not re.search(r"/(home|root|work|Users|tmp)/", text)


@EACH
def test_length(source: Path) -> None:
    code, prose = cells(source, "code"), cells(source, "markdown")
    lines = [len(cell.source.splitlines()) for cell in code]
    assert 25 <= len(code) + len(prose) <= 45
    assert statistics.median(lines) <= 8
    assert max(lines) <= 40
    words = sum(len(re.findall(r"[^\W_]+", cell.source)) for cell in prose)
    assert 1500 <= words <= 3000
    assert source.with_suffix(".ipynb").stat().st_size <= 300_000


@EACH
def test_code_is_plain_python(source: Path) -> None:
    for cell in cells(source, "code"):
        for line in cell.source.splitlines():
            assert not re.match(r"\s*[%!]", line), line
            assert not line.rstrip().endswith(";"), line


@EACH
def test_at_least_five_outputs_are_checked(source: Path) -> None:
    checked = [cell for cell in cells(source, "code") if "nbval-check-output" in tags(cell)]
    assert len(checked) >= 5
    assert all(cell.outputs for cell in checked)


@EACH
def test_widgets_stay_out_of_the_page_and_out_of_nbval(source: Path) -> None:
    widgets = [cell for cell in cells(source, "code") if "interact(" in cell.source]
    assert widgets
    assert all({"remove-cell", "nbval-skip"} <= set(tags(cell)) for cell in widgets)


@EACH
def test_a_chapter_has_its_parts(source: Path) -> None:
    prose = "\n".join(cell.source for cell in cells(source, "markdown"))
    headings = re.findall(r"^#+ (.+)$", prose, flags=re.MULTILINE)
    for part in ("Where it sits", "Recap", "Exercises", "Appendix: solutions", "References"):
        assert part in headings
    assert re.search(r"^\|.*equation.*\|.*code.*\|.*we deviate", prose, re.MULTILINE | re.I)
    exercises = prose.split("## Exercises")[1].split("\n## ")[0]
    assert 3 <= len(re.findall(r"^\d\. ", exercises, re.MULTILINE)) <= 5


# What follows tries the guards themselves, on copies that are made wrong on purpose.


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The first chapter, script and notebook, in a folder of its own."""
    for suffix in (".py", ".ipynb"):
        shutil.copy(SOURCES[0].with_suffix(suffix), tmp_path)
    return tmp_path / SOURCES[0].name


def test_an_edit_in_one_file_only_is_noticed(copied: Path) -> None:
    copied.write_text(copied.read_text() + "\n# %%\nprint('only here')\n")
    assert any("cells of" in reason for reason in build_chapters.staleness(copied))


def test_a_chapter_that_was_never_executed_is_noticed(copied: Path) -> None:
    copied.with_suffix(".ipynb").unlink()
    assert build_chapters.staleness(copied) == ["never executed"]


def test_a_change_of_what_a_chapter_can_reach_in_the_package_changes_its_stamp(
    tmp_path: Path,
) -> None:
    package = tmp_path / "talker"
    files = {
        "__init__.py": "",
        "audio.py": "def cut():\n    from talker.models import decoder\n",
        "models/__init__.py": "import talker.errors as errors\n",
        "models/decoder.py": "import torch\n",
        "errors.py": "",
        "elsewhere.py": "from talker.audio import cut\n",
        "weights/config.json": "{}",
        "__pycache__/audio.pyc": "compiled",
    }
    for name, text in files.items():
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(text)
    chapter = jupytext.reads("# %%\nimport numpy\nfrom talker.audio import cut\n", "py:percent")
    starts = jupytext.reads("# %%\nimport subprocess\n", "py:percent")
    unreached = {"elsewhere.py", "__pycache__/audio.pyc"}
    for name, text in files.items():
        before = [build_chapters.package_digest(book, package) for book in (chapter, starts)]
        (package / name).write_text(text + "\n")
        after = [build_chapters.package_digest(book, package) for book in (chapter, starts)]
        assert (before[0] == after[0]) == (name in unreached), name
        assert (before[1] == after[1]) == ("__pycache__" in name), name


def test_a_change_of_results_is_noticed_by_the_chapters_that_name_them(tmp_path: Path) -> None:
    results = tmp_path / "results"
    results.mkdir()
    for name in ("talking.json", "log.jsonl", "ear.npy", "eye.png", "other.json"):
        (results / name).write_text("1")
    source = tmp_path / "01_small.py"
    source.write_text(
        "# %% [markdown]\n# See `figures/results/log.jsonl`.\n\n# %%\n"
        "read('../figures/results/talking.json', 'ear.npy', 'results/eye.png', 'missing.json')\n"
    )
    notebook = jupytext.read(source)
    found = [path.name for path in build_chapters.results_named(notebook, results)]
    assert found == ["ear.npy", "eye.png", "log.jsonl", "talking.json"]
    package = tmp_path / "package"
    package.mkdir()
    notebook.metadata["stamps"] = build_chapters.stamps(notebook, package, results)
    nbformat.write(notebook, source.with_suffix(".ipynb"))

    def reasons() -> list[str]:
        return build_chapters.staleness(source, package, results)

    assert not reasons()
    (results / "other.json").write_text("2")
    assert not reasons()
    for name in found:
        (results / name).write_text("2")
        assert reasons() == ["its results changed"]
        (results / name).write_text("1")
        assert not reasons()
    (results / "missing.json").write_text("no longer missing")
    assert reasons() == ["its results changed"]


SMALL = """\
# %%
import time

# %% [markdown]
# A sum.

# %% tags=["nbval-check-output"]
print(sum(range(5)))

# %% tags=["nbval-skip", "remove-cell"]
from ipywidgets import interact

interact(lambda x: x * time.time(), x=3)
"""


@pytest.mark.slow
def test_two_runs_give_the_same_bytes_and_nbval_notices_another_output(tmp_path: Path) -> None:
    source = tmp_path / "01_small.py"
    source.write_text(SMALL)
    first = build_chapters.build(source).read_bytes()
    target = build_chapters.build(source)
    assert target.read_bytes() == first
    assert not build_chapters.staleness(source)

    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *NBVAL, target]
    good = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert good.returncode == 0, good.stdout
    target.write_text(target.read_text().replace('"10\\n"', '"11\\n"'))
    bad = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert bad.returncode == 1
    assert "1 failed" in bad.stdout
