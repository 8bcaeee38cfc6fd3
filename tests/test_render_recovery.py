"""Rendering a corpus on several processes, killed and started again: the same bytes, always."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from small_corpus import contents

from talker.corpora import rendered
from talker.corpora.rendered import render_corpus
from talker.errors import TalkerError
from talker.store import alone_in, clips
from talker.video import read_video

PERFORMERS = CLIPS = 2
ALL = PERFORMERS * CLIPS


def command(out: Path, workers: int) -> list[str]:
    sizes = ["--performers", str(PERFORMERS), "--clips", str(CLIPS), "--workers", str(workers)]
    return [sys.executable, "-m", "talker", "render", "--out", str(out), *sizes]


def finished(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.glob("*/[!.]*.json")}


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """Four whole clips by one process that nobody disturbed."""
    out = tmp_path_factory.mktemp("whole")
    subprocess.run(command(out, 1), check=True, capture_output=True)
    return out


@pytest.mark.slow
def test_a_process_that_is_killed_goes_on(whole, tmp_path):
    """kill -9 while one clip is there and another is being written, as two processes work."""
    process = subprocess.Popen(command(tmp_path, 2), stderr=subprocess.DEVNULL)
    while not (finished(tmp_path) and list(tmp_path.glob("*/.*.part*"))):
        time.sleep(0.001)
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert contents(tmp_path) != contents(whole)
    before = finished(tmp_path)
    assert 1 <= len(before) < ALL
    subprocess.run(command(tmp_path, 2), check=True, capture_output=True)
    assert contents(tmp_path) == contents(whole)  # nothing lost, nothing half-written
    after = finished(tmp_path)
    assert all(after[path] == at for path, at in before.items())  # nothing twice
    found = clips(tmp_path)
    assert [clip.speaker for clip in found] == ["p000", "p000", "p001", "p001"]
    for clip in found:
        frames, _ = read_video(clip.video)
        assert frames.shape == (75, 128, 96, 3)
        assert np.abs(np.diff(frames.astype(float), axis=0)).mean() > 0.3  # it moves


@pytest.mark.slow
def test_a_worker_that_is_killed_loses_nothing(whole, tmp_path):
    """Two worker processes; one dies by kill -9 as soon as the first clip is there."""
    from distributed import Client, LocalCluster

    killed = []

    def kill_one(client) -> None:
        pids = list(client.run(os.getpid).values())
        while not finished(tmp_path):
            time.sleep(0.01)
        os.kill(pids[0], signal.SIGKILL)
        killed.append(len(finished(tmp_path)))

    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        client.wait_for_workers(2)
        killer = threading.Thread(target=kill_one, args=(client,))
        killer.start()
        address = cluster.scheduler_address
        render_corpus(tmp_path, performers=PERFORMERS, clips=CLIPS, scheduler=address)
        killer.join()
    assert killed and killed[0] < ALL
    assert contents(tmp_path) == contents(whole)


def killed_at(rename: int, out: Path) -> bool:
    """Render in a child process that kills itself before its n-th rename; was it killed?"""
    child = os.fork()
    if child == 0:
        replace, calls = os.replace, []

        def dying(*paths):
            calls.append(paths)
            if len(calls) == rename:
                os.kill(os.getpid(), signal.SIGKILL)
            replace(*paths)

        os.replace = dying
        try:
            render_corpus(out, performers=1, clips=2, workers=1)
        finally:
            os._exit(0)  # a fork of the tests must not go on with them
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


@pytest.mark.slow
def test_killed_between_any_two_files_it_goes_on(tmp_path, monkeypatch):
    """corpus.json, then three files for each of two clips."""
    monkeypatch.setattr(rendered, "FRAMES", 4)
    render_corpus(tmp_path / "whole", performers=1, clips=2, workers=1)
    for rename in range(1, 8):
        out = tmp_path / str(rename)
        assert killed_at(rename, out)
        before = finished(out)
        assert len(before) == max(0, (rename - 2) // 3)
        render_corpus(out, performers=1, clips=2, workers=1)
        assert contents(out) == contents(tmp_path / "whole")
        after = finished(out)
        assert all(after[path] == at for path, at in before.items())
    assert not killed_at(8, tmp_path / "last")


def test_two_renderings_do_not_share_a_folder(tmp_path):
    with alone_in(tmp_path), pytest.raises(TalkerError, match="another process is writing to"):
        render_corpus(tmp_path, performers=1, clips=1, workers=1)
    assert not list(tmp_path.iterdir())


def test_clips_of_a_performer_go_together_and_finished_ones_are_left_out(tmp_path, monkeypatch):
    """Eleven clips a performer, two of which are there: tasks of eight, one and, again, 8 and 3."""
    given = []
    monkeypatch.setattr(rendered, "render_to_disk", lambda task: given.append(task) or len(task[3]))
    for clip in (0, 5):
        path = tmp_path / "p000" / f"p000_{clip:03d}.json"
        path.parent.mkdir(exist_ok=True)
        path.touch()
    render_corpus(tmp_path, performers=2, clips=11, seed=4, workers=1, sentences="all")
    assert [(out, seed, number) for out, seed, number, _ in given] == [
        (tmp_path, 4, number) for number in (0, 0, 1, 1)
    ]
    assert [list(classes) for *_, classes in given] == [
        [1, 2, 3, 4, 6, 7, 8, 9], [10], list(range(8)), [8, 9, 10]
    ]  # fmt: skip
    assert [given[0][3][clip] for clip in (1, 2, 3)] == ["cremad", "rich", "grid"]  # in turn


def test_only_the_performers_of_some_splits(tmp_path, monkeypatch):
    given = []
    monkeypatch.setattr(rendered, "render_to_disk", lambda task: given.append(task[2]) or 1)
    render_corpus(tmp_path, performers=48, clips=1, workers=1, splits=("validation", "test"))
    assert given == [20, 21, 22, 23, 44, 45, 46, 47]
    given.clear()
    render_corpus(tmp_path, performers=48, clips=1, workers=1)
    assert given == list(range(48))
