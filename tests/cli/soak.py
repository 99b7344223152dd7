"""A program: a million mixed old entries migrated by a command that is killed again and again. ``make soak`` runs it.

    python -m tests.cli.soak [SCALE]

SCALE 1 is 10^6 entries. Ends with 1 if anything was lost, written for another time, or in the report for no reason.
"""

import datetime as dt
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from siftpack.testing import servers
from tests.cli.mixed import check, fill, whole

RECORD = Path(__file__).parents[1] / "faults" / "record"
KILLS = 10


def killed(command: list[str], folder: Path, after: float) -> dict[str, Any]:
    """One run that ends after some seconds at the latest: what it did, and the most memory that it had."""
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    deadline = time.monotonic() + after
    peak = 0
    while process.poll() is None and time.monotonic() < deadline:
        peak = max(peak, resident(process.pid))
        time.sleep(0.05)
    process.kill()
    out, _ = process.communicate()
    return {"ended": process.returncode, "peak_kb": peak, "found": json.loads(out) if process.returncode == 0 else None}


def resident(pid: int) -> int:
    """The most memory that a process had so far, in kB; 0 where that cannot be seen."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)


def main(scale: float) -> int:
    count = round(1_000_000 * scale)
    began = time.monotonic()
    with servers.single() as server, server.client() as client, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wanted = fill(client, count)
        filled = time.monotonic()
        command = [sys.executable, "-m", "siftpack", "migrate", server.url, *whole(folder), "--apply", "--json"]
        chance = random.Random(3)
        runs = [killed(command, folder, chance.uniform(2, 2 + 20 * scale)) for _ in range(KILLS)]
        runs.append(killed(command, folder, 3600))
        done = time.monotonic()
        lines = (folder / "siftpack-migrate.refused.jsonl").read_text().splitlines()[1:]
        reasons = {(line := json.loads(each))["key"]: line["reason"] for each in lines}
        try:
            check(client, wanted, reasons)
            wrong = int(len(lines) != len(reasons))
        except AssertionError as failed:
            sys.stdout.write(f"{failed}\n"[:2000])
            wrong = 1
    about = {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "entries": count,
        "wrong": wrong,
        "kills": sum(run["ended"] == -9 for run in runs),
        "peak_mb": round(max(run["peak_kb"] for run in runs) / 1024, 1),
        "seconds": {"fill": round(filled - began, 1), "migrate": round(done - filled, 1)},
        "last_run": next((run["found"] for run in runs if run["found"]), None),
    }
    RECORD.mkdir(exist_ok=True)
    path = RECORD / f"{about['date']}-migrate.json"
    path.write_text(json.dumps(about, indent=2) + "\n")
    sys.stdout.write(f"{wrong} wrong; recorded in {path.name}\n")
    return wrong


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0))
