"""An experiment that is run twice has to say the same."""

import json
from collections.abc import Callable
from pathlib import Path


def run_twice(run: Callable[..., None], corpus: Path, folder: Path, name: str) -> list[dict]:
    """What two runs write into FOLDER/first/NAME and FOLDER/again/NAME, without their time."""
    told = []
    for part in ("first", "again"):
        out = folder / part / name
        run(corpus, folder, out)
        told.append(json.loads(out.read_text()))
        told[-1]["circumstances"].pop("seconds")
    return told
