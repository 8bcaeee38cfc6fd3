"""Work on many processors: Dask distributed, on this machine or on a cluster.

On one machine there is nothing to set up: `talker prepare grid /data/grid --out data/grid` starts
one process for each core, or as many as `--workers` says, and so does `talker render`. On a
cluster, every machine has to have this package and to see the folders under the same names. The
scheduler's dashboard (port 8787) shows what each worker does, if `pip install bokeh` came before
it. A worker that dies, is preempted or loses its network loses nothing: what it was doing is done
again by another, and what it had finished is on disk.

SLURM (`pip install dask-jobqueue`; the same with PBSCluster, LSFCluster, SGECluster). In Python, on
the login node, or in a job of its own that lives as long as the work:

    from dask_jobqueue import SLURMCluster
    cluster = SLURMCluster(cores=1, memory="2GB", walltime="02:00:00", queue="short",
                           interface="ib0")  # one process a job; see `ip link` for the interface
    cluster.adapt(maximum_jobs=200)          # jobs come and go with the work
    print(cluster.scheduler_address)         # tcp://10.0.0.5:40123

and, while that Python stays open, on the same node:

    talker prepare grid /data/grid --out /data/prepared/grid --scheduler tcp://10.0.0.5:40123
    talker render --out /data/rendered --performers 960 --scheduler tcp://10.0.0.5:40123

Without dask-jobqueue the same in two lines, the workers as an array of jobs:

    dask scheduler --scheduler-file /data/scheduler.json &
    sbatch --array=1-200 --mem=2G --time=2:00:00 --wrap \
        "dask worker --nthreads 1 --scheduler-file /data/scheduler.json"

Kubernetes: the Dask operator, an image with this package, and a volume that many machines may write
to (here a claim named `talker-data`). The image, from a Dockerfile in a clone of this repository:

    FROM python:3.11-slim
    COPY . /talker
    RUN pip install --constraint /talker/constraints.txt "/talker[render,prepare]"

cluster.yaml, in which only the two names of the image and the claim are yours to change:

    apiVersion: kubernetes.dask.org/v1
    kind: DaskCluster
    metadata: {name: talker}
    spec:
      worker:
        replicas: 2
        spec:
          containers:
            - name: worker
              image: &image registry.example.org/talker:latest
              args: [dask, worker, --nthreads, "1", --name, $(DASK_WORKER_NAME)]
              resources: {requests: {cpu: "1", memory: 2Gi}, limits: {memory: 2Gi}}
              volumeMounts: &mounts [{name: data, mountPath: /data}]
          volumes: &volumes
            - name: data
              persistentVolumeClaim: {claimName: talker-data}
      scheduler:
        spec:
          containers:
            - name: scheduler
              image: *image
              args: [dask, scheduler]
              ports:
                - {name: tcp-comm, containerPort: 8786}
                - {name: http-dashboard, containerPort: 8787}
              readinessProbe: {httpGet: {port: http-dashboard, path: /health}}
              volumeMounts: *mounts
          volumes: *volumes
        service:
          type: ClusterIP
          selector: {dask.org/cluster-name: talker, dask.org/component: scheduler}
          ports:
            - {name: tcp-comm, port: 8786, targetPort: tcp-comm}
            - {name: http-dashboard, port: 8787, targetPort: http-dashboard}

and then, the last line in the scheduler's pod because it sees the volume, too:

    helm install --repo https://helm.dask.org --create-namespace -n dask-operator \
        --generate-name dask-kubernetes-operator
    kubectl apply -f cluster.yaml
    kubectl scale --replicas=50 daskworkergroup/talker-default
    kubectl exec -it deployment/talker-scheduler -- talker prepare grid /data/grid \
        --out /data/prepared/grid --scheduler tcp://talker-scheduler:8786
"""

from __future__ import annotations

import itertools
import logging
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from talker.errors import INSTALL, TalkerError

_AHEAD = 4  # tasks given out for each worker thread: enough to keep it busy, few to lose


def on_workers(
    function: Callable,
    tasks: Iterable,
    scheduler: str | None,
    workers: int,
    done: Callable[[Any], None],
    folders: list[Path],
) -> None:
    """Call `function(task)` once for each task, on Dask workers, and `done` with what it returns.

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
        raise TalkerError(f"several processes need Dask: {INSTALL}, or say --workers 1.") from error

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
            else:
                done(future.result())
            future.release()
            give_out(max(0, _wanted(client) - running.count()))
    if fatal:
        raise TalkerError(
            f"{len(fatal)} tasks were given up, because every worker that tried them died: give "
            "workers more memory, and run the same command again."
        )


def _wanted(client) -> int:
    """How many tasks should be with the scheduler; workers may have come or gone since."""
    return max(2, _AHEAD * sum(client.nthreads().values()))


def cores() -> int:
    """Processor cores that this process may use; where a system does not tell, all that it has."""
    own = getattr(os, "sched_getaffinity", None)
    return len(own(0)) if own else os.cpu_count() or 1


@contextmanager
def _client(scheduler: str | None, workers: int) -> Iterator:
    import dask
    from distributed import Client, LocalCluster

    if scheduler is None:
        settings = {
            "n_workers": workers or cores(),
            "threads_per_worker": 1,
            "dashboard_address": None,
            # A worker that is shut down during a heartbeat would print a traceback.
            "silence_logs": logging.CRITICAL,
        }
        # No task waits at a worker, or it would count as one of those that kill workers. Memory
        # that a frame lets go of is kept for the next: Dask's own setting gives it back at once,
        # and rendering then spends a third of its time on getting it again.
        kept = {"MALLOC_TRIM_THRESHOLD_": str(2**30), "MALLOC_MMAP_THRESHOLD_": str(2**25)}
        with (
            dask.config.set(
                {
                    "distributed.scheduler.worker-saturation": 1.0,
                    "distributed.nanny.pre-spawn-environ": kept
                    | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
                }
            ),
            LocalCluster(**settings) as cluster,
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
