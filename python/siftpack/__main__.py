"""``python -m siftpack`` is the command line."""

from siftpack.cli import main

main()
