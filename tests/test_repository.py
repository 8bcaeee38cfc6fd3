"""The files around the package agree with each other and with what is imported."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import check_system
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import talker

ROOT = Path(__file__).resolve().parent.parent

# Asked for by name by the first readers; a clean-up must not drop them.
PROMISED = {
    *("torch", "torchaudio", "matplotlib", "scikit-learn", "imageio", "face-alignment"),
    *("jupyterlab", "jupytext", "ipywidgets", "nbval"),
}


@pytest.fixture(scope="module")
def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def requirements(project: dict) -> list[Requirement]:
    """Everything pyproject.toml asks for, extras included."""
    lists = [project["dependencies"], *project["optional-dependencies"].values()]
    return [Requirement(line) for lines in lists for line in lines]


@pytest.fixture(scope="module")
def pins() -> dict[str, Requirement]:
    """constraints.txt by canonical name."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    parsed = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(pin.name): pin for pin in parsed}


def test_environment_yml_and_pyproject_ask_for_the_same(
    project: dict, requirements: list[Requirement]
) -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert "python=3.11" in environment["dependencies"]
    pip_lines = next(item for item in environment["dependencies"] if isinstance(item, dict))["pip"]
    options = [line for line in pip_lines if line.startswith("-")]
    extras = ",".join(project["optional-dependencies"])
    assert options == ["--constraint constraints.txt", f"--editable .[{extras}]"]
    listed = {str(Requirement(line)) for line in pip_lines if line not in options}
    assert listed == {str(requirement) for requirement in requirements}


def test_environment_yml_says_what_each_package_is_for() -> None:
    lines = (ROOT / "environment.yml").read_text().splitlines()
    packages = [line for line in lines if re.match(r"\s+- [a-z]", line) and "pip:" not in line]
    uncommented = [line.strip() for line in packages if "  # " not in line]
    assert len(packages) > 20
    assert not uncommented


def test_constraints_pin_everything_within_its_range(
    requirements: list[Requirement], pins: dict[str, Requirement]
) -> None:
    for pin in pins.values():
        assert re.fullmatch(r"==[\w.+!]+", str(pin.specifier)), f"{pin} is not one version"
    for requirement in requirements:
        pin = pins[canonicalize_name(requirement.name)]
        version = str(pin.specifier).removeprefix("==")
        assert requirement.specifier.contains(version), f"{pin} is outside {requirement}"


def test_the_promised_packages_are_there(requirements: list[Requirement]) -> None:
    names = {canonicalize_name(requirement.name) for requirement in requirements}
    assert not PROMISED - names


def test_every_import_of_the_package_is_a_dependency(requirements: list[Requirement]) -> None:
    names = {
        "PIL": "pillow",
        "cpbd": "cpbd-py312",
        "cv2": "opencv-python-headless",
        "_dlib_pybind11": "dlib-bin",
        "dlib": "dlib-bin",
        "IPython": "ipywidgets",
        "matplotlib_inline": "ipywidgets",
        "skimage": "scikit-image",
        "sklearn": "scikit-learn",
        "yaml": "jupyter-book",
    }
    known = {canonicalize_name(requirement.name) for requirement in requirements}
    for path in sorted((ROOT / "talker").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                modules = [node.module]
            else:
                continue
            for module in {name.split(".")[0] for name in modules}:
                if module not in sys.stdlib_module_names and module != "talker":
                    distribution = canonicalize_name(names.get(module, module))
                    assert distribution in known, f"{path.name} imports {module}"


def test_one_version_everywhere() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == talker.__version__
    assert citation["license"] == "MIT"
    assert "MIT License" in (ROOT / "LICENSE").read_text()


def test_importing_the_package_is_light() -> None:
    heavy = ["torch", "matplotlib", "av", "dlib", "cv2", "anny", "embreex", "lightning"]
    code = f"import sys, talker; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_missing_system_library_is_named_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = "libGL.so.1: cannot open shared object file: No such file or directory"
    (tmp_path / "wants_gl.py").write_text(f"raise ImportError({error!r})\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert check_system.missing_library("json") is None
    assert check_system.missing_library("wants_gl") == "libGL.so.1"
    said = check_system.sentence("cv2", "libGL.so.1")
    assert "libGL.so.1" in said and "apt-get install libgl1" in said and "\n" not in said


def test_ci_runs_make_test() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    assert script.read_text().splitlines()[-1] == "make test"
    outside = {name: value for name, value in os.environ.items() if name != "MAKEFLAGS"}
    command = ["make", "--dry-run", "--always-make", "test"]
    done = subprocess.run(
        command, cwd=ROOT, env=outside, capture_output=True, text=True, check=True
    )
    plan = done.stdout
    for step in ("ruff check", "pytest", "--nbval-lax", "jupyter-book build . -W --keep-going"):
        assert step in plan
