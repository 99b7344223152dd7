"""The commands and their options. What they do is in the modules they call."""

import contextlib
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from siftpack.cli.signals import Signals

if TYPE_CHECKING:
    from siftpack.cli.stores import Store

WIDTH_PIPED = 120
"""Columns where the output is no terminal."""

app = typer.Typer(
    help="Sift live objects out of data.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # its tracebacks can show local values
)
Url = Annotated[
    str,
    typer.Argument(
        envvar="REDIS_URL",
        show_envvar=True,
        help="redis://, rediss://, unix://, redis+sentinel:// or redis+cluster://, as for Cache.from_url.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="One object of JSON on standard output, for scripts.")]
Match = Annotated[str | None, typer.Option(help="Only keys that match this glob of Redis.")]


def console() -> Console:
    """Plain text in, plain text out: paths hold brackets that must not be read as markup.

    What the encoding of the output does not have is written as an escape.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    return Console(markup=False, highlight=False, width=None if sys.stdout.isatty() else WIDTH_PIPED)


@contextlib.contextmanager
def _store(url: str, signals: Signals) -> Iterator["Store"]:
    """The store of a URL. Errors end the command with one line and their exit code, signals with 128 + number."""
    from siftpack.cli.stores import Store, Trouble, told

    try:
        with signals.installed(), Store(url) as store, told(store.shown):
            yield store
    except Trouble as trouble:
        typer.echo(f"siftpack: {trouble}", err=True)
        raise typer.Exit(trouble.code) from None


def _json(found: Any) -> None:
    print(json.dumps(found, indent=2))


@app.command()
def demo(
    server: Annotated[bool, typer.Option(help="Store the bytes in Valkey or Redis and read them back.")] = True,
) -> None:
    """Sift an agent context full of machinery, store it, read it back, compare."""
    try:
        from siftpack.cli.demo import run
    except ModuleNotFoundError as missing:
        if (missing.name or "").startswith("siftpack"):
            raise
        typer.echo(f"The demo needs {missing.name}: pip install 'siftpack[demo]'", err=True)
        raise typer.Exit(2) from None
    signals = Signals()
    with signals.installed():
        passed = run(console(), signals, server=server)
    raise typer.Exit(signals.exit_code or (0 if passed else 1))


@app.command()
def inspect(
    source: Annotated[str, typer.Argument(metavar="FILE|URL", help="What packb or dumps wrote, or a store.")],
    key: Annotated[str | None, typer.Argument(help="The key of an entry in the store.")] = None,
    escaped: Annotated[bool, typer.Option(help=r"KEY is written as scan prints it, with \xNN and \\.")] = False,
    as_json: Json = False,
) -> None:
    """Show the form of a file or of one entry of a store, its flags, and the types inside. Values are not shown."""
    if key is None:
        _inspect_file(source, as_json)
        return
    from siftpack.cli.explain import explain, show
    from siftpack.cli.written import unwritten

    with _store(source, Signals()) as store:
        facts = explain(store, unwritten(key) if escaped else key.encode("utf-8", "surrogateescape"))
    _json(facts) if as_json else show(console(), facts)
    raise typer.Exit(1 if facts["problem"] else 0)


def _inspect_file(source: str, as_json: bool) -> None:
    from siftpack.cli.explain import contents
    from siftpack.cli.forms import recognise
    from siftpack.cli.inspect import show
    from siftpack.cli.stores import shown_url

    try:
        data = Path(source).read_bytes()
    except OSError as wrong:
        looks_like_url = "://" in source
        reason = "a URL needs a KEY behind it" if looks_like_url else (wrong.strerror or "cannot be read").lower()
        typer.echo(f"siftpack: {shown_url(source) if looks_like_url else source}: {reason}", err=True)
        raise typer.Exit(2) from None
    if not as_json:
        raise typer.Exit(0 if show(console(), data) else 1)
    facts = {"bytes": len(data), "form": recognise(data, len(data)).label, "problem": None, **contents(data, None)}
    _json(facts)
    raise typer.Exit(1 if facts["problem"] else 0)


@app.command()
def scan(
    url: Url,
    match: Match = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Stop after so many keys.")] = None,
    top: Annotated[int, typer.Option(min=0, max=1000, help="How many of the largest strings are listed.")] = 10,
    as_json: Json = False,
) -> None:
    """Count which formats a store holds, their sizes and times to live. By SCAN, and without reading whole values."""
    from siftpack.cli.progress import Progress
    from siftpack.cli.scan import count, show
    from siftpack.cli.tallies import Tally

    signals, tally = Signals(), Tally(top)
    with _store(url, signals) as store, contextlib.suppress(SystemExit), Progress() as progress:
        count(store, tally, None if match is None else match.encode("utf-8", "surrogateescape"), limit, progress)
    _json(tally.plain()) if as_json else show(console(), tally, limit)
    raise typer.Exit(signals.exit_code)


@app.command()
def doctor(url: Url, as_json: Json = False) -> None:
    """Look at a server as the home of a cache: version, latency, memory, formats, namespaces. Ends with 1 if bad."""
    from siftpack.cli.doctor import examine, show

    with _store(url, Signals()) as store:
        page = examine(store, url)
    _json(page) if as_json else show(console(), page)
    raise typer.Exit(0 if page["healthy"] else 1)


@app.command()
def migrate(  # noqa: PLR0913, PLR0917 - one argument an option
    url: Url,
    namespace: Annotated[str, typer.Option(help="The namespace of the cache that is to read the entries.")],
    read: Annotated[
        list[str] | None, typer.Option(help="Formats to read: json, text, integer, pickle, frame. Default: json.")
    ] = None,
    match: Match = None,
    user: Annotated[str | None, typer.Option(help="Old keys become keys of this user.")] = None,
    shared: Annotated[bool, typer.Option("--shared", help="Old keys become keys that belong to nobody.")] = False,
    mapping: Annotated[
        str | None, typer.Option("--map", help="A regular expression with (?P<key>...), and (?P<user>...) perhaps.")
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the old entry beside a new one of another name.")] = False,
    hash_tags: Annotated[bool | None, typer.Option(help="As the cache's hash_tags. Default: for clusters.")] = None,
    lossy: Annotated[bool, typer.Option("--lossy", help="Rewrite values too of which something is left out.")] = False,
    compress: Annotated[bool, typer.Option("--compress", help="Compress large entries with zlib.")] = False,
    max_bytes: Annotated[int, typer.Option(min=1, help="Values larger than this are left as they are.")] = 2**24,
    pickle_secret: Annotated[
        Path | None, typer.Option(help="A file with the secret that pickles are signed with.")
    ] = None,
    allow: Annotated[list[str] | None, typer.Option(help="MODULE:NAME that a signed pickle may load.")] = None,
    seal: Annotated[Path | None, typer.Option(help="A file with the keys of the cache's seal: ID HEX a line.")] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Write. Without it nothing is written.")] = False,
    report: Annotated[Path, typer.Option(help="A line of JSON for each key that was refused.")] = Path(
        "siftpack-migrate.refused.jsonl"
    ),
    ledger: Annotated[Path, typer.Option(help="Where --apply notes how far it came.")] = Path(
        "siftpack-migrate.ledger.json"
    ),
    restart: Annotated[bool, typer.Option("--restart", help="Forget how far an earlier run came.")] = False,
    as_json: Json = False,
) -> None:
    """Rewrite old entries as the cache's own, with their time to live. A dry run unless --apply; goes on if ended."""
    from siftpack.cli.request import Request
    from siftpack.cli.run import Files, Run

    signals, run = Signals(), Run(Files(ledger if apply else None, report, restart))
    try:
        with _store(url, signals) as store:
            request = Request(
                namespace=namespace,
                readers=tuple(read or ("json",)),
                match=match,
                user=user,
                shared=shared,
                pattern=mapping,
                keep=keep,
                hash_tags=store.cluster if hash_tags is None else hash_tags,
                lossy=lossy,
                compress=compress,
                max_bytes=max_bytes,
                pickle_secret=pickle_secret,
                allow=tuple(allow or ()),
                seal=seal,
            )
            run.make(store, request)
    finally:
        run.tell(console(), as_json=as_json)
    raise typer.Exit(signals.exit_code or (0 if run.finished else 1))


@app.command()
def bench(
    only: Annotated[list[str] | None, typer.Option(help="A corpus, by name; may be said again.")] = None,
    seconds: Annotated[float, typer.Option(min=0.001, max=10, help="For each library and corpus.")] = 0.1,
) -> None:
    """Check siftpack and the serializers installed here, then time them side by side; at most two minutes."""
    from siftpack.cli.bench.command import run

    try:
        passed = run(console(), seconds=seconds, only=only or ())
    except LookupError as unknown:
        raise typer.BadParameter(str(unknown), param_hint="--only") from None
    raise typer.Exit(0 if passed else 1)
