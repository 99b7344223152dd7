"""The examples run, and their claims hold."""

import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def test_many_users_survive_what_is_killed() -> None:
    """Twenty users with two agents each get their own answers after a worker died, and while the server is dying."""
    program = [sys.executable, str(EXAMPLES / "many_users.py")]
    done = subprocess.run(program, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    rounds = [line for line in done.stdout.splitlines() if " users " in line]
    assert len(rounds) == 7
    assert "40 results     40 hits" in rounds[1]
    assert "40 results     40 hits" in rounds[6]
