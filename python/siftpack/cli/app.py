"""The commands and their options. What they do is in the modules they call."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from siftpack.cli.signals import Signals

WIDTH_PIPED = 120
"""Columns where the output is no terminal."""

app = typer.Typer(
    help="Sift live objects out of data.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # its tracebacks can show local values
)


def console() -> Console:
    """Plain text in, plain text out: paths hold brackets that must not be read as markup."""
    return Console(markup=False, highlight=False, width=None if sys.stdout.isatty() else WIDTH_PIPED)


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
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="What packb or dumps wrote.")],
) -> None:
    """Show the form of a file, its flags, and the types inside."""
    from siftpack.cli.inspect import show

    if not show(console(), file.read_bytes()):
        raise typer.Exit(1)


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
