"""What the benchmarks pack: named values, built once, the same on every machine.

Three sorts. ``plain`` data is what every MessagePack library reads back exactly; ``rich`` data is what only some
can take at all; ``dirty`` data has live machinery in it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from corpus import clean, dirty, untuned

Sort = Literal["plain", "rich", "dirty"]


@dataclass(frozen=True)
class Corpus:
    """A value to pack, and what may be asked of those who pack it."""

    name: str
    build: Callable[[], Any]
    sort: Sort = "plain"
    aimed: bool = False
    """Among the five the aims are measured on; the others show that nothing was tuned to those."""

    @cached_property
    def value(self) -> Any:
        """The value itself, built when first asked for."""
        return self.build()


ALL: tuple[Corpus, ...] = (
    Corpus("small_context", clean.small_context, aimed=True),
    Corpus("chat_run", clean.chat_run, aimed=True),
    Corpus("metric_rows", clean.metric_rows, aimed=True),
    Corpus("float_vectors", clean.float_vectors, aimed=True),
    Corpus("long_documents", clean.long_documents, aimed=True),
    Corpus("non_ascii_text", untuned.non_ascii_text),
    Corpus("repeated_keys", untuned.repeated_keys),
    Corpus("wide_dict", untuned.wide_dict),
    Corpus("ints", untuned.ints),
    Corpus("floats", untuned.floats),
    Corpus("deep", untuned.deep),
    Corpus("int_keys", untuned.int_keys),
    Corpus("mixed_values", untuned.mixed_values, sort="rich"),
    Corpus("dataclasses", untuned.dataclasses_with_datetimes, sort="rich"),
    Corpus("dirty_context", dirty.context, sort="dirty"),
    Corpus("dirty_chat", dirty.chat_run, sort="dirty"),
    Corpus("one_dirty_leaf", dirty.one_leaf, sort="dirty"),
)
BY_NAME = {corpus.name: corpus for corpus in ALL}
