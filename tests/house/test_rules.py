"""The rules of the house, kept by looking at the source."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "python" / "siftpack"
RUST = ROOT / "rust"
OPTIONAL = {
    *(
        "pydantic",
        "attr",
        "attrs",
        "msgspec",
        "numpy",
        "pandas",
        "torch",
        "redis",
        "valkey",
        "langchain_core",
        "langgraph",
    ),
    *("agents", "openai", "pydantic_ai", "crewai", "autogen_agentchat", "llama_index", "google", "smolagents"),
    *(
        "hypothesis",
        "pytest",
        "typer",
        "rich",
        "ormsgpack",
        "msgpack",
        "orjson",
        "zstandard",
        "sentry_sdk",
        "jsonpickle",
        "blake3",
    ),
    *("prometheus_client", "opentelemetry", "structlog"),
}
MODULES = sorted(PACKAGE.rglob("*.py"))
SOURCES = sorted(path for path in RUST.rglob("*.rs") if "target" not in path.parts)


def tracked() -> list[Path]:
    """Every file of the project that is, or would be, under version control."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [ROOT / name for name in listed if (ROOT / name).is_file()]


def code(path: Path) -> list[tuple[int, str]]:
    """The lines of a Rust file without comments, attributes and string contents, numbered."""
    text = re.sub(r"/\*.*?\*/", lambda found: "\n" * found[0].count("\n"), path.read_text(), flags=re.S)
    lines = []
    for number, line in enumerate(text.splitlines(), 1):
        bare = re.sub(r'"(?:[^"\\]|\\.)*"', '""', line).split("//")[0]
        if not bare.lstrip().startswith(("#[", "#![")):
            lines.append((number, bare))
    return lines


def found(paths: list[Path], pattern: str) -> list[str]:
    """Where Rust code outside comments and attributes matches."""
    word = re.compile(pattern)
    return [f"{path.relative_to(ROOT)}:{number}" for path in paths for number, line in code(path) if word.search(line)]


def imports(path: Path, *, top: bool) -> set[str]:
    """The modules a file imports, at its top level alone or anywhere; not those for type checkers."""
    tree = ast.parse(path.read_text())
    nodes = tree.body if top else list(ast.walk(tree))
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def test_there_is_something_to_look_at() -> None:
    """The rules below look at files that exist."""
    assert len(MODULES) > 10
    assert len(SOURCES) > 5
    assert len(tracked()) > 30


def test_the_wire_crate_knows_no_python() -> None:
    """No source and no manifest of the wire crate names pyo3."""
    wire = [path for path in SOURCES if (RUST / "wire") in path.parents]
    assert wire
    assert found(wire, r"pyo3|Py_|PyObject") == []
    assert "pyo3" not in (RUST / "wire" / "Cargo.toml").read_text()


def test_unsafe_stands_in_ffi_alone() -> None:
    """``unsafe`` is said in ``ffi.rs`` or the ``ffi`` folder of the extension and nowhere else."""
    ffi = [path for path in SOURCES if path == RUST / "src" / "ffi.rs" or (RUST / "src" / "ffi") in path.parents]
    assert found([path for path in SOURCES if path not in ffi], r"\bunsafe\b") == []


def test_every_unsafe_block_says_why_it_is_sound() -> None:
    """A ``SAFETY`` comment stands shortly above every ``unsafe`` block."""
    silent = []
    for path in SOURCES:
        lines = path.read_text().splitlines()
        for number, line in code(path):
            if re.search(r"\bunsafe\s*\{", line) and not any(
                "SAFETY" in near for near in lines[max(0, number - 6) : number]
            ):
                silent.append(f"{path.relative_to(ROOT)}:{number}")
    assert silent == []


def test_foreign_code_runs_in_one_room() -> None:
    """Only ``foreign.rs`` calls Python callables."""
    others = [path for path in SOURCES if path != RUST / "src" / "foreign.rs"]
    methods, functions = (
        r"\.call[01]?\(|\.call_method|\.(repr|str)\(\)",
        r"PyObject_(Call|Vectorcall|Repr|Str\b)|PyEval_",
    )
    assert found(others, f"{methods}|{functions}") == []


def test_the_foreign_room_is_the_only_one_to_import() -> None:
    """Python modules are imported by ``foreign.rs`` alone."""
    others = [path for path in SOURCES if path != RUST / "src" / "foreign.rs"]
    assert found(others, r"PyModule::import|\.import\(|PyImport_") == []


def test_errors_import_nothing() -> None:
    """``errors.py`` stands on its own."""
    assert imports(PACKAGE / "errors.py", top=False) == set()


def test_no_file_is_named_after_nothing() -> None:
    """No file is called utils, helpers, common, misc or base."""
    nameless = {"utils", "util", "helpers", "helper", "common", "misc", "shared"}
    assert [path for path in tracked() if path.stem in nameless or path.parent.name in nameless] == []


def test_no_file_names_a_path_of_one_machine() -> None:
    """No tracked text holds a path that exists on one machine only."""
    places = re.compile("|".join(("/wor" + "k/", "/roo" + "t/", "/hom" + "e/[a-z]", "/User" + "s/")))
    named = []
    for path in tracked():
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        named += [
            f"{path.relative_to(ROOT)}:{at}" for at, line in enumerate(text.splitlines(), 1) if places.search(line)
        ]
    assert named == []


def test_the_package_does_not_lean_on_its_reference() -> None:
    """Only the reference, the test helpers and the commands that measure against it import the reference."""
    rooms = (PACKAGE / "reference", PACKAGE / "testing", PACKAGE / "cli" / "demo.py", PACKAGE / "cli" / "bench")
    leaning = [
        path.relative_to(ROOT)
        for path in MODULES
        if not any(room in (path, *path.parents) for room in rooms)
        and any(
            name == "siftpack.reference" or name.startswith("siftpack.reference.") for name in imports(path, top=False)
        )
    ]
    assert leaning == []


def test_optional_libraries_are_never_imported_at_the_top() -> None:
    """Modules outside the command line and the test helpers import optional libraries where they use them."""
    rooms = (PACKAGE / "cli", PACKAGE / "testing")
    eager = {
        str(path.relative_to(ROOT)): sorted(bad)
        for path in MODULES
        if not any(room in path.parents for room in rooms)
        and (bad := {name for name in imports(path, top=True) if name.partition(".")[0] in OPTIONAL})
    }
    assert eager == {}


def test_a_file_is_a_room() -> None:
    """No source file is longer than 450 lines."""
    long = {
        path
        for path in [*MODULES, *SOURCES, *(ROOT / "tests").rglob("*.py")]
        if len(path.read_text().splitlines()) > 450
    }
    assert long == set()


def test_every_test_says_what_it_shows() -> None:
    """Every test function has a docstring."""
    silent = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and not ast.get_docstring(node)
    ]
    assert silent == []


@pytest.mark.parametrize(
    "name",
    ["errors", "policy", "report", "report_html", "advice", "classify", "redact", "registry", "listed", "agents"],
)
def test_importing_a_module_imports_no_optional_library(name: str) -> None:
    """A fresh interpreter that imports a module of the package has none of the optional libraries loaded."""
    program = f"import siftpack.{name}, sys; print(*sorted({sorted(OPTIONAL)!r} & sys.modules.keys()))".replace(
        "[", "{"
    ).replace("]", "}")
    import sys

    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
