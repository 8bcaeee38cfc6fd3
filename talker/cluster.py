"""Work on many processors: Dask distributed, on this machine or on a cluster.

On one machine there is nothing to set up: `talker prepare grid /data/grid --out data/grid` starts
one process for each core, or as many as `--workers` says. On a cluster, every machine has to have
this package and to see both folders under the same names. The scheduler's dashboard (port 8787)
shows what each worker does, if `pip install bokeh` came before it. A worker that dies, is
preempted or loses its network loses nothing: what it was doing is done again by another, and what
it had finished is on disk.

SLURM (`pip install dask-jobqueue`; the same with PBSCluster, LSFCluster, SGECluster). In Python, on
the login node, or in a job of its own that lives as long as the work:

    from dask_jobqueue import SLURMCluster
    cluster = SLURMCluster(cores=1, memory="2GB", walltime="02:00:00", queue="short",
                           interface="ib0")  # one process a job; see `ip link` for the interface
    cluster.adapt(maximum_jobs=200)          # jobs come and go with the work
    print(cluster.scheduler_address)         # tcp://10.0.0.5:40123

and, while that Python stays open, on the same node:

    talker prepare grid /data/grid --out /data/prepared/grid --scheduler tcp://10.0.0.5:40123

Without dask-jobqueue the same in two lines, the workers as an array of jobs:

    dask scheduler --scheduler-file /data/scheduler.json &
    sbatch --array=1-200 --mem=2G --time=2:00:00 --wrap \
        "dask worker --nthreads 1 --scheduler-file /data/scheduler.json"

Kubernetes (the Dask operator; image: any with this package; both folders on a volume that many
machines may write to):

    helm install --repo https://helm.dask.org --create-namespace -n dask-operator \
        --generate-name dask-kubernetes-operator
    kubectl apply -f cluster.yaml     # kind: DaskCluster; its worker mounts the volume as /data and
                                      # its args are [dask, worker, --nthreads, "1", --name,
                                      # $(DASK_WORKER_NAME)]
    kubectl scale --replicas=50 daskworkergroup/talker-default
    kubectl port-forward service/talker-scheduler 8786 &
    talker prepare grid /data/grid --out /data/prepared/grid --scheduler tcp://localhost:8786

where the last line runs on a machine that has the volume as /data too (a pod of the same image:
`kubectl exec`, with tcp://talker-scheduler:8786).
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from talker.errors import TalkerError

_AHEAD = 4  # tasks given out for each worker thread: enough to keep it busy, few to lose


def on_workers(
    function: Callable,
    tasks: Iterable,
    scheduler: str | None,
    workers: int,
    done: Callable[[], None],
    folders: list[Path],
) -> None:
    """Call `function(task)` once for each task, on Dask workers; `done()` after each.

    Tasks are given out as others end, so that their number does not matter to memory. A task whose
    worker dies is given to another. An exception in a task is raised here.

    Args:
        scheduler: its address; None starts workers here for as long as this takes.
        workers: processes here, 0 for one a core.
        folders: what every worker has to see.

    Raises:
        TalkerError: Dask is not installed, no scheduler answers, a worker does not see a folder, or
            some tasks killed every worker that they were given to; all others are done then.
    """
    try:
        from distributed import KilledWorker, as_completed
    except ImportError as error:
        raise TalkerError(
            "several processes need Dask: run `pip install 'talker[prepare]'`, or say --workers 1."
        ) from error

    tasks, fatal = iter(tasks), []
    with _client(scheduler, workers) as client:
        client.wait_for_workers(1)
        _check_folders(client, folders)
        running = as_completed()

        def give_out(count: int) -> None:
            for task in itertools.islice(tasks, count):
                running.add(client.submit(function, task, pure=False))

        give_out(_wanted(client))
        for future in running:
            error = future.exception()
            if isinstance(error, KilledWorker):
                fatal.append(str(error))
            elif error is not None:
                raise error
            future.release()
            done()
            give_out(max(0, _wanted(client) - running.count()))
    if fatal:
        raise TalkerError(
            f"{len(fatal)} clips could not be prepared, because every worker that tried died: give "
            "workers more memory, and run the same command again."
        )


def _wanted(client) -> int:
    """How many tasks should be with the scheduler; workers may have come or gone since."""
    return max(2, _AHEAD * sum(client.nthreads().values()))


@contextmanager
def _client(scheduler: str | None, workers: int) -> Iterator:
    import dask
    from distributed import Client, LocalCluster

    if scheduler is None:
        count = workers or len(os.sched_getaffinity(0))
        # No task waits at a worker, or it would count as one of those that kill workers.
        with (
            dask.config.set({"distributed.scheduler.worker-saturation": 1.0}),
            LocalCluster(n_workers=count, threads_per_worker=1, dashboard_address=None) as cluster,
            Client(cluster) as client,
        ):
            yield client
        return
    try:
        client = Client(scheduler, timeout=20)
    except (OSError, ValueError) as error:
        raise TalkerError(
            f"no Dask scheduler answers at {scheduler}: check the address."
        ) from error
    with client:
        yield client


def _check_folders(client, folders: list[Path]) -> None:
    for folder in folders:
        for worker, sees in client.run(os.path.isdir, str(folder)).items():
            if not sees:
                raise TalkerError(
                    f"the worker at {worker} does not see {folder}: all machines need one file "
                    "system."
                )
