"""Preparation on Dask workers, one of which is killed."""

import os
import signal
import threading
import time

import pytest
from small_corpus import SMALL, contents, make

from talker import cluster
from talker.cluster import on_workers
from talker.errors import TalkerError
from talker.prepare import prepare
from talker.store import clips


@pytest.mark.slow
def test_a_worker_that_is_killed_loses_nothing(tmp_path):
    """Two worker processes; one dies by kill -9 as soon as the first clip is there."""
    from distributed import Client, LocalCluster

    root, out = make(tmp_path / "in", 8), tmp_path / "out"
    prepare(SMALL, root, tmp_path / "whole", workers=1)
    killed = []

    def kill_one(client) -> None:
        pids = list(client.run(os.getpid).values())
        while not list(out.glob("*/[!.]*.json")):
            time.sleep(0.01)
        os.kill(pids[0], signal.SIGKILL)
        killed.append(len(list(out.glob("*/[!.]*.json"))))

    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        client.wait_for_workers(2)
        killer = threading.Thread(target=kill_one, args=(client,))
        killer.start()
        report = prepare(SMALL, root, out, scheduler=cluster.scheduler_address)
        killer.join()
    assert killed and killed[0] < 8
    assert report["kept"]["all"] == 8 and len(clips(out)) == 8
    assert contents(out) == contents(tmp_path / "whole")


def die(task: int) -> None:
    if task == 1:
        os.kill(os.getpid(), signal.SIGKILL)


def fail(task: int) -> None:
    if task == 1:
        raise TalkerError("the disk is full.")


@pytest.mark.slow
def test_cores_are_those_of_this_process_where_the_system_tells(monkeypatch):
    monkeypatch.setattr(cluster.os, "sched_getaffinity", lambda process: {3, 5, 7}, raising=False)
    assert cluster.cores() == 3
    monkeypatch.delattr(cluster.os, "sched_getaffinity")  # as on macOS
    monkeypatch.setattr(cluster.os, "cpu_count", lambda: 8)
    assert cluster.cores() == 8


def test_tasks_that_kill_and_tasks_that_fail(tmp_path):
    """One that kills every worker is given up and named, the others done; an error ends it all."""
    done = []
    with pytest.raises(TalkerError, match="1 tasks were given up"):
        on_workers(die, range(6), None, 1, done.append, [tmp_path])
    assert len(done) == 5
    with pytest.raises(TalkerError, match="the disk is full"):
        on_workers(fail, range(6), None, 1, lambda _: None, [])
    with pytest.raises(TalkerError, match="does not see .*gone"):
        on_workers(fail, range(6), None, 1, lambda _: None, [tmp_path / "gone"])


def test_an_address_where_nobody_answers(tmp_path, monkeypatch):
    import distributed

    def refused(*arguments, **options):
        raise OSError("Timed out trying to connect")

    monkeypatch.setattr(distributed, "Client", refused)
    with pytest.raises(TalkerError, match="no Dask scheduler answers at tcp://nowhere:1"):
        on_workers(die, [0], "tcp://nowhere:1", 0, lambda _: None, [tmp_path])
