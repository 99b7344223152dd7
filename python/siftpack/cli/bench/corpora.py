"""What is packed: named values, built once, the same on every machine.

Three sorts. ``plain`` data is what every MessagePack library reads back exactly; ``rich`` data is what only some
can take at all; ``dirty`` data has live machinery in it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

from siftpack.cli.bench import clean, dirty, records, untuned

Sort = Literal["plain", "rich", "dirty"]


@dataclass(frozen=True)
class Corpus:
    """A value to pack, and what may be asked of those who pack it."""

    name: str
    build: Callable[[], Any]
    sort: Sort = "plain"
    aimed: bool = True
    """False for data that shows that nothing was tuned to the other."""

    @cached_property
    def value(self) -> Any:
        """The value itself, built when first asked for. Raises ``ImportError`` where its library is not installed."""
        return self.build()


AIMED: tuple[Corpus, ...] = (
    Corpus("small_context", clean.small_context),
    Corpus("chat_run", clean.chat_run),
    Corpus("metric_rows", clean.metric_rows),
    Corpus("float_vectors", clean.float_vectors),
    Corpus("long_documents", clean.long_documents),
)
UNTUNED: tuple[Corpus, ...] = (
    Corpus("non_ascii_text", untuned.non_ascii_text, aimed=False),
    Corpus("repeated_keys", untuned.repeated_keys, aimed=False),
    Corpus("wide_dict", untuned.wide_dict, aimed=False),
    Corpus("ints", untuned.ints, aimed=False),
    Corpus("floats", untuned.floats, aimed=False),
    Corpus("deep", untuned.deep, aimed=False),
    Corpus("int_keys", untuned.int_keys, aimed=False),
)
MIXED = Corpus("mixed_values", untuned.mixed_values, sort="rich", aimed=False)
RECORDS: tuple[Corpus, ...] = (
    Corpus("dataclasses", records.dataclasses, sort="rich"),
    Corpus("namedtuples", records.namedtuples, sort="rich", aimed=False),
    Corpus("structs", records.structs, sort="rich", aimed=False),
    Corpus("models", records.models, sort="rich", aimed=False),
)
DIRTY: tuple[Corpus, ...] = (
    Corpus("dirty_context", dirty.context, sort="dirty"),
    Corpus("dirty_chat", dirty.chat_run, sort="dirty"),
)
DIRTY_LEAF = Corpus("one_dirty_leaf", dirty.one_leaf, sort="dirty")
PLAIN = AIMED + UNTUNED
CLEAN = (*PLAIN, MIXED, replace(RECORDS[0], aimed=False))
"""Without machinery: what can be copied and keyed."""
