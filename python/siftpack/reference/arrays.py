"""Arrays and tables: one value each, or parts that are walked."""

from typing import Any

from siftpack import wire
from siftpack.classify import Spec
from siftpack.policy import Action, Kind
from siftpack.reference.keys import ACTIONS, GONE, KINDS, Keys, Steps
from siftpack.values import Leaf, Loss, Parts, build, cost
from siftpack.values.containers import assemble


def payload(leaf: Leaf) -> bytes:
    """The payload of an array: its items put in C order."""
    return leaf.head + memoryview(leaf.items).tobytes()


def size(leaf: Leaf) -> int:
    """How many bytes the payload will have."""
    return len(leaf.head) + memoryview(leaf.items).nbytes


class Arrays(Keys):
    """What the walk does with an instance whose plan has the shape ``PARTS``."""

    def visit(self, obj: Any, steps: Steps, depth: int) -> Any:
        """Any object; see ``sift``."""
        raise NotImplementedError

    def array(self, obj: Any, spec: Spec, steps: Steps, depth: int) -> Any:
        """One value, or the parts of an object array or table, of which a lost one becomes None."""
        if id(obj) in self.open:
            self.note(Kind.CYCLE, type(obj), Action.DROP, steps)
            return GONE
        assert spec.lower is not None
        found = spec.lower(obj)
        if found is None:
            self.note(spec.kind, type(obj), Action.DROP, steps)
            return GONE
        self.attributes(obj, spec, steps)
        self.losses(found.losses, steps)
        if type(found) is Leaf:
            self.fits(size(found), steps)
            self.charge(cost(wire.NDARRAY, size(found)), steps)
            return build(wire.NDARRAY, payload(found))
        inside = self.enter(obj, steps, depth)
        assert inside is not None
        try:
            return self.parts(found, steps, inside)
        finally:
            self.open.discard(id(obj))

    def parts(self, found: Parts, steps: Steps, depth: int) -> Any:
        """What the parts come to."""
        places = [steps if name is None else (*steps, name) for name in found.names]
        visited = [self.visit(part, place, depth) for part, place in zip(found.parts, places, strict=True)]
        return assemble(wire.PARTS, [None if kept is GONE else kept for kept in visited])

    def losses(self, found: tuple[Loss, ...], steps: Steps) -> None:
        """Note what an array does not keep."""
        for step, kind, cls, action in found:
            self.note(KINDS[kind], cls, ACTIONS[action], steps if step is None else (*steps, step))
