"""``siftpack inspect`` says what some bytes are and shows no value."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("typer")
rich_console = pytest.importorskip("rich.console")

import siftpack  # noqa: E402 - after the skips
from siftpack.cli.inspect import show, type_counts  # noqa: E402


def shown(data: bytes) -> tuple[bool, str]:
    text = io.StringIO()
    return show(rich_console.Console(file=text, markup=False), data), text.getvalue()


def test_a_frame_is_shown_with_its_flags() -> None:
    """A frame's version and flags, and the types of its content, are shown."""
    read, text = shown(siftpack.dumps({"name": "hidden", "show": print}))
    assert read
    assert "version 1, flags: lossy, key id 0" in text
    assert "hidden" not in text


def test_plain_bytes_are_shown() -> None:
    """MessagePack without a frame is named so."""
    read, text = shown(siftpack.packb([1, 2]))
    assert read
    assert "plain MessagePack" in text
    assert "int" in text


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\xc1\x01", b"\xc1\x02\x00\x00\xc0", b"\xc0\xc0"])
def test_bytes_that_cannot_be_read_are_said_so(data: bytes) -> None:
    """Anything unreadable is one clear line and a failure, never a traceback."""
    read, text = shown(data)
    assert not read
    assert "cannot be read" in text


def test_types_are_counted_at_any_depth() -> None:
    """Counting keeps its own stack."""
    deep: list[object] = []
    for _ in range(50_000):
        deep = [deep]
    assert type_counts(deep)["list"] == 50_001


def test_the_command_exits_with_one_for_bad_bytes(tmp_path: Path) -> None:
    """The exit code tells a script whether the file can be read."""
    file = tmp_path / "bad"
    file.write_bytes(b"\xc1")
    done = subprocess.run(
        [sys.executable, "-m", "siftpack", "inspect", str(file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


def test_missing_libraries_are_one_line_of_advice() -> None:
    """Without typer the command line says what to install and exits with 2."""
    code = "import sys; sys.modules['typer'] = None; from siftpack.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines() == ["The command line needs typer and rich: pip install 'siftpack[cli]'"]


def test_a_file_is_one_object_for_scripts(tmp_path: Path) -> None:
    """``--json`` tells form, flags and types of a file; what is no file is one line."""
    from typer.testing import CliRunner

    from siftpack.cli.app import app

    (tmp_path / "good").write_bytes(siftpack.dumps([1, print]))
    done = CliRunner().invoke(app, ["inspect", str(tmp_path / "good"), "--json"])
    facts = json.loads(done.stdout)
    assert (facts["form"], facts["types"]) == ("siftpack v1 data lossy unbound", {"list": 1, "int": 1})
    assert (done.exit_code, facts["frame"]) == (0, {"version": 1, "flags": ["lossy"]})
    for source, words in ((str(tmp_path / "none"), "no such file"), ("redis://:secret@h", "needs a KEY")):
        done = CliRunner().invoke(app, ["inspect", source])
        assert (done.exit_code, words in done.stderr, "secret" in done.output) == (2, True, False)
