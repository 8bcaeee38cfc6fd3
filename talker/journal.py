"""What a run says of itself: a row a step, as JSON lines and for TensorBoard.

`tensorboard --logdir runs` shows the curves of all runs below that folder.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

from talker.files import replacing


class Journal:
    """Context manager that writes `log.jsonl` and `tensorboard/` into the folder of a run.

    What an earlier run said after `step`, the last one that counts, is dropped. With `active`
    False (all processes but the first) nothing is written.
    """

    def __init__(self, out: Path, step: int, active: bool = True) -> None:
        self.out, self.step, self.active = out, step, active

    def __enter__(self) -> Journal:
        if self.active:
            log = self.out / "log.jsonl"
            _forget_after(log, self.step)
            self._file = open(log, "a", encoding="utf-8")  # noqa: SIM115
            self._board = SummaryWriter(str(self.out / "tensorboard"), purge_step=self.step + 1)
        return self

    def write(self, step: int, row: dict[str, float]) -> None:
        """Add the row of a step: names and numbers, null for those that are not finite."""
        if self.active:
            rounded = {
                name: float(f"{value:.5g}") if math.isfinite(value) else None
                for name, value in row.items()
            }
            self._file.write(json.dumps(rounded | {"step": step}) + "\n")
            for name, value in row.items():
                self._board.add_scalar(name, value, step)

    def flush(self) -> None:
        """Put on disk what has been written so far."""
        if self.active:
            self._file.flush()
            self._board.flush()

    def __exit__(self, *error) -> None:
        if self.active:
            self._file.close()
            self._board.close()


def _forget_after(log: Path, step: int) -> None:
    """Drop rows later than the state that the run continues from, or all of an older run's."""
    if log.exists():
        rows = [row for row in log.read_text(encoding="utf-8").splitlines() if row.endswith("}")]
        kept = [row for row in rows if json.loads(row)["step"] <= step]
        with replacing(log) as path:
            path.write_text("".join(row + "\n" for row in kept), encoding="utf-8")
