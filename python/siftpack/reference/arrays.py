"""Arrays and tables: one value each, or parts that are walked."""

from typing import Any

from siftpack import wire
from siftpack.classify import Spec
from siftpack.policy import Action
from siftpack.reference.keys import Keys
from siftpack.reference.ledger import GONE, At
from siftpack.reference.record import Gathered
from siftpack.report import ACTIONS, KINDS
from siftpack.values import Leaf, Loss, Parts, build, cost, portable


def payload(leaf: Leaf) -> bytes:
    """The payload of an array: its items put in C order."""
    return leaf.head + memoryview(leaf.items).tobytes()


def size(leaf: Leaf) -> int:
    """How many bytes the payload will have."""
    return len(leaf.head) + memoryview(leaf.items).nbytes


class Arrays(Keys):
    """What the walk does with an instance whose plan has the shape ``PARTS``."""

    def kept(self, obj: Any, at: At, depth: int, *, forced: bool, hops: int = 0) -> Any:
        """What is left of an object by its kind; see ``sift``."""
        raise NotImplementedError

    def elements(self, found: Any, at: At, depth: int, *, places: bool = False, names: Any = None) -> list[Any]:
        """What is left of each element; see ``sift``."""
        raise NotImplementedError

    def array(self, obj: Any, spec: Spec, at: At, depth: int) -> Any:
        """One value, or the parts of an object array or table, of which a lost one becomes None."""
        assert spec.lower is not None
        found = spec.lower(obj)
        if found is None:
            self.note(spec.kind, type(obj), Action.DROP, at.steps)
            return GONE
        self.attributes(obj, spec, at.steps)
        self.losses(found.losses, at)
        if type(found) is Leaf:
            return self.leaf(found, at, depth)
        inside = self.deeper(depth, at.steps)
        self.enter(obj)
        try:
            return self.parts(found, at, inside)
        finally:
            self.exit(obj)

    def leaf(self, found: Leaf, at: At, depth: int) -> Any:
        """An array that is one value; lists of its items where there are no ext values."""
        self.fits(size(found), at.steps)
        self.charge(cost(wire.NDARRAY, size(found)), at.steps)
        if not self.native:
            return self.kept(portable.of_payload(wire.NDARRAY, payload(found)), at, depth, forced=True)
        self.spend(portable.ext_size(size(found)), at.steps)
        return build(wire.NDARRAY, payload(found))

    def parts(self, found: Parts, at: At, depth: int) -> Any:
        """What the parts come to; no path addresses what is inside."""
        kept = self.elements(found.parts, At(at.steps, ()), depth, places=True, names=found.names)
        return Gathered(wire.SIFTED if self.alters else wire.PARTS, kept) if self.native else kept

    def losses(self, found: tuple[Loss, ...], at: At) -> None:
        """Note what an array does not keep."""
        for step, kind, cls, action in found:
            self.note(KINDS[kind], cls, ACTIONS[action], at.steps if step is None else (*at.steps, step))
