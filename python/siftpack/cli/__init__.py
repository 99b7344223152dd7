"""The command line: ``siftpack demo``, ``bench``, ``inspect``, ``scan``, ``migrate`` and ``doctor``."""

import sys


def main() -> None:
    """Run the command line; exits with 2 and one line of advice where its libraries are not installed."""
    try:
        from siftpack.cli.app import app
    except ModuleNotFoundError as missing:
        if missing.name not in ("typer", "rich"):
            raise
        print("The command line needs typer and rich: pip install 'siftpack[cli]'", file=sys.stderr)
        raise SystemExit(2) from None
    app()
