"""The benchmarks run, leave a record, and the docs can be drawn from it."""

import json
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def run(*words: str) -> str:
    """What a script of ``benches/`` prints. Raises ``CalledProcessError`` if it fails."""
    return subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The record of a few cases, which is not kept."""
    folder = tmp_path_factory.mktemp("record")
    names = ("pack_clean", "small_context", "growth", "values 1000", "frame", "small_context dumps")
    only = [word for name in names for word in ("--only", name)]
    run("benches/run.py", "--quick", *only, "--record", str(folder))
    return next(folder.glob("*.json"))


def test_a_record_says_what_was_measured(recorded: Path) -> None:
    """Case, contestants, minimum and median, versions and command are in it, and how each aim was met."""
    record = json.loads(recorded.read_text())
    assert recorded.stem == f"{record['date']}-{record['machine']}"
    assert "--quick" in record["command"]
    assert {"siftpack", "ormsgpack", "msgspec"} <= record["versions"].keys()
    cases = {(case["question"], case["case"]): case["samples"] for case in record["cases"]}
    assert cases.keys() == {
        ("pack_clean", "small_context"),
        ("growth", "values 1000"),
        ("frame", "small_context dumps"),
    }
    assert {"siftpack", "reference", "ormsgpack", "msgspec", "pickle"} <= cases["pack_clean", "small_context"].keys()
    for samples in cases.values():
        assert all(0 < sample["minimum"] <= sample["median"] for sample in samples.values())
    aims = [(aim["question"], aim["against"]) for aim in record["aims"]]
    assert aims[:2] == [("pack_clean", "ormsgpack or msgspec"), ("pack_clean", "reference")]
    assert "| small_context |" in recorded.with_suffix(".md").read_text()


def test_pages_and_pictures_are_made_from_it(recorded: Path, tmp_path: Path) -> None:
    """The pictures are well-formed, the pages name the record, and what stands around the figures stays."""
    shutil.copytree(ROOT / "docs", tmp_path / "docs", ignore=shutil.ignore_patterns("plots"))
    shutil.copy(ROOT / "README.md", tmp_path)
    for _ in range(2):
        run("benches/draw.py", "--record", str(recorded), "--root", str(tmp_path))
    for name in ("pack_clean", "growth"):
        picture = ET.parse(tmp_path / "docs" / "plots" / f"{name}.svg").getroot()
        assert picture.tag.endswith("svg")
        assert "siftpack" in "".join(picture.itertext())
    for page, old in (
        (tmp_path / "docs" / "performance.md", "## How to read it"),
        (tmp_path / "README.md", "## Safety"),
    ):
        text = page.read_text()
        assert text.count(old) == text.count("<!-- end of figures -->") == 1
        assert json.loads(recorded.read_text())["date"] in text
