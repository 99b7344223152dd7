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
