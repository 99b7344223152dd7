"""A program: checked traffic of a process with busy threads and of the children it forks. Prints one line of JSON.

python -m tests.faults.forked URL CHILDREN OPERATIONS
"""

import json
import os
import sys
import threading
import warnings
from typing import Any

from siftpack.cache import Cache
from siftpack.testing.traffic import Worker, drive
from tests.faults.busy import patient


def child(cache: Any, number: int, operations: int) -> int:
    """What a forked child does with the cache of its parent; 0 if every answer was right."""
    workers = [Worker(100 + number * 2 + each, 200, seed=1) for each in range(2)]
    threads = [threading.Thread(target=drive, args=(cache, worker, operations // 2)) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    right = all(not worker.wrong and worker.checked == operations // 2 for worker in workers)
    healthy = not cache.stats()["errors"] and cache.health()["ok"]
    return 0 if right and healthy else 1


def main(url: str, children: int, operations: int) -> dict[str, Any]:
    warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of what is tested here
    cache = Cache.from_url(url, namespace="forked", client=patient(url))
    cache.clear_namespace()
    workers = [Worker(number, 200, seed=1) for number in range(4)]
    threads = [threading.Thread(target=drive, args=(cache, worker, operations)) for worker in workers]
    for thread in threads:
        thread.start()
    born = []
    for number in range(children):
        pid = os.fork()
        if pid == 0:
            os._exit(child(cache, number, operations))
        born.append(pid)
    ends = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in born]
    for thread in threads:
        thread.join()
    return {
        "children": ends,
        "wrong": sum(len(worker.wrong) for worker in workers),
        "checked": sum(worker.checked for worker in workers) + children * operations,
        "errors": cache.stats()["errors_by_kind"],
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))) + "\n")
