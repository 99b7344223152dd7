"""The peak of memory while one contestant packs: ``python benches/peak.py CORPUS SIZE CONTESTANT``.

Prints bytes for each byte of output. A process of its own, because what is once freed is used again without a trace.
"""

import gc
import sys
from pathlib import Path
from typing import Any

from siftpack.cli.bench import clean, peers, untuned

PROCESS = Path("/proc/self")


def main(corpus: str, size: int, name: str) -> float:
    """Pack so many of the corpus, once something small has been packed to have everything loaded."""
    write = (
        peers.SIFTPACK.pack
        if name == "siftpack"
        else {each.name: each for each in peers.installed()}[name].ways[0].pack
    )
    build: Any = getattr(clean, corpus, None) or getattr(untuned, corpus)
    write(build(2))
    value = build(size)
    before = _texts(value)
    gc.collect()
    (PROCESS / "clear_refs").write_text("5")  # the peak so far is forgotten
    resting = _status("VmRSS")
    data = write(value)
    peak = _status("VmHWM")
    assert name != "siftpack" or _texts(value) == before, "the data itself grew"
    return (peak - resting) / len(data)


def _status(word: str) -> int:
    lines = (PROCESS / "status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(word))


def _texts(value: Any) -> int:
    """Bytes of all that is in it: a string grows where its UTF-8 is kept beside it."""
    children = value if isinstance(value, list) else value.values() if isinstance(value, dict) else ()
    return sys.getsizeof(value) + sum(map(_texts, children))


if __name__ == "__main__":
    print(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
