"""Help for tests: ``same`` compares what came back with what went in."""

from siftpack.testing.compare import same

__all__ = ["same"]
