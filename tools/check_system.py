"""Say which shared library of the system an installed wheel misses, and which package brings it.

The wheels in constraints.txt carry what they need, but a slim container can lack even libz, and an
unpinned install can bring opencv-python, which wants libGL. Importing them one by one here turns
that into one sentence instead of an ImportError in the middle of a run.
"""

import importlib
import importlib.util
import re
import sys

COMPILED = ("torch", "torchaudio", "av", "_dlib_pybind11", "cv2", "skimage", "embreex.rtcore")

# Debian's and Ubuntu's names; elsewhere the library's own name is what to search for.
PACKAGES = {
    "libGL.so.1": "libgl1",
    "libX11.so.6": "libx11-6",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgomp.so.1": "libgomp1",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libstdc++.so.6": "libstdc++6",
    "libz.so.1": "zlib1g",
}


def missing_library(module: str) -> str | None:
    """The system library that keeps `module` from being imported, None where it imports."""
    try:
        importlib.import_module(module)
    except (ImportError, OSError) as error:
        found = re.search(r"(lib[\w.+-]+\.so[\w.]*)", str(error))
        if found is None:
            raise
        return found[1]
    return None


def sentence(module: str, library: str) -> str:
    """One sentence: what is missing, for whom, and what to install."""
    package = PACKAGES.get(library)
    how = f"apt-get install {package} on Debian" if package else "install your system's package"
    return f"talker: {module} needs the system library {library}, which no wheel brings: {how}"


def main() -> int:
    """Check every compiled module that is installed; 2 where one misses a library, as the CLI."""
    status = 0
    for module in COMPILED:
        if importlib.util.find_spec(module.split(".")[0]) is None:
            continue  # not installed: `make demo` takes no extras
        library = missing_library(module)
        if library is not None:
            print(sentence(module, library), file=sys.stderr)
            status = 2
    return status


if __name__ == "__main__":
    sys.exit(main())
