"""Three hundred records of one shape, declared in the ways people declare records."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from siftpack.cli.bench.clean import WORDS, sentence

COUNT = 300


@dataclass
class Order:
    """A record of the ordinary kind."""

    number: int
    customer: str
    created: datetime
    updated: datetime
    total: float
    open: bool = True
    lines: list[str] = field(default_factory=list)


class OrderTuple(NamedTuple):
    """The same as a named tuple."""

    number: int
    customer: str
    created: datetime
    updated: datetime
    total: float
    open: bool
    lines: list[str]


def dataclasses() -> list[Any]:
    """Dataclasses with two aware datetimes each."""
    return _orders(Order)


def namedtuples() -> list[Any]:
    """Named tuples."""
    return _orders(OrderTuple)


def structs() -> list[Any]:
    """``msgspec.Struct``. Raises ``ImportError`` where msgspec is not installed."""
    import msgspec

    return _orders(msgspec.defstruct("OrderStruct", list(Order.__annotations__.items())))


def models() -> list[Any]:
    """pydantic models. Raises ``ImportError`` where pydantic is not installed."""
    import pydantic

    fields: dict[str, Any] = {name: (kind, ...) for name, kind in Order.__annotations__.items()}
    return _orders(pydantic.create_model("OrderModel", **fields))


def _orders(make: Callable[..., Any]) -> list[Any]:
    rng = random.Random(18)
    start = datetime(2026, 1, 14, 9, 26, 53, 589793, tzinfo=UTC)
    return [
        make(
            number=number,
            customer=sentence(rng, 2),
            created=start + timedelta(seconds=number),
            updated=start + timedelta(seconds=number * 7, microseconds=number),
            total=rng.random() * 1000,
            open=number % 3 == 0,
            lines=rng.sample(WORDS, 2),
        )
        for number in range(COUNT)
    ]
