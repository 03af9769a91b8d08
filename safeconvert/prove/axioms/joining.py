"""Concat."""

from __future__ import annotations

from collections.abc import Sequence

from safeconvert.prove.axioms.axiom import Axiom
from safeconvert.prove.axioms.padding import padded
from safeconvert.prove.kernel.layout import Groups, Value, constant
from safeconvert.prove.kernel.node import Node
from safeconvert.prove.kernel.terms import Array, Refused, Store

_ONE = "all of a part is one number"
_SAME = "what is joined in front and behind is the same number"


def _concat(n: Node) -> list[Value]:
    parts = [o if isinstance(o, Value) else constant(n.store, o) for o in n.operands if o is not None]
    axis = n.attributes["axis"] % len(n.shape)
    AXIOM.use(n.store)
    if len(parts) == 1:
        return parts
    front, back = _uniform(n.store, parts), _uniform(n.store, parts[::-1])
    if len(front) + len(back) in range(1, len(parts)):
        numbers = [*front, *back]
        if AXIOM.holds(n.store, _SAME, len({array.tobytes() for array in numbers}) == 1):
            return [_padding(n.store, parts, axis, (len(front), len(back)), numbers[0])]
    return [joined(n.store, parts, axis)]


def _uniform(store: Store, parts: Sequence[Value]) -> list[Array]:
    """The numbers of the constant parts at the beginning that hold one number each."""
    found = []
    for part in parts:
        values = part.term.constants[0].values if part.term.operator == "constant" else None
        if values is None or not values.size:
            break
        if not AXIOM.holds(store, _ONE, bool((values == values.reshape(-1)[0]).all())):
            break
        found.append(values.reshape(-1)[0])
    return found


def _padding(store: Store, parts: Sequence[Value], axis: int, counts: tuple[int, int], number: Array) -> Value:
    """Parts of one number at both ends as padding of those between."""
    front, back = counts
    inner = parts[front : len(parts) - back]
    value = inner[0] if len(inner) == 1 else joined(store, inner, axis)
    if len(value.groups[axis]) != 1:
        raise Refused("Concat: pads an axis that is several, or of length 1")
    before, behind = (sum(part.shape[axis] for part in some) for some in (parts[:front], parts[len(parts) - back :]))
    return padded(store, value, [(value.groups[axis][0], before, behind)], ("constant", number))


def joined(store: Store, parts: Sequence[Value], axis: int) -> Value:
    """Tensors one behind the other along an axis. Raises Refused where they hold the others in other parts."""
    parts = [piece for part in parts for piece in _pieces(part, axis)]
    first = next((part for part in parts if part.term.operator != "constant"), parts[0])
    if any(len(part.groups[axis]) > 1 for part in parts):
        raise Refused("Concat: along an axis that is several")
    lead = [a for a in range(len(first.term.shape)) if a not in first.groups[axis]]
    numbers = {a: index for index, a in enumerate(lead)}
    along = tuple(_places(first, part, axis, numbers) for part in parts)
    size = sum(part.shape[axis] for part in parts)
    shape = [first.term.shape[a] for a in lead] + ([size] if size != 1 else [])
    joined = (len(lead),) if size != 1 else ()
    groups: Groups = tuple(joined if n == axis else tuple(numbers[a] for a in g) for n, g in enumerate(first.groups))
    return Value(store.term("concat", shape, [part.term for part in parts], along), groups)


def _pieces(part: Value, axis: int) -> list[Value]:
    """What a tensor was joined of along the same axis; itself where it was not."""
    term = part.term
    if term.operator != "concat" or part.groups[axis] != (len(term.shape) - 1,):
        return [part]
    return [
        Value(one, tuple(tuple(places.index(a) for a in group if a in places) for group in part.groups))
        for one, places in zip(term.operands, term.setting, strict=True)
    ]


def _places(first: Value, part: Value, axis: int, numbers: dict[int, int]) -> tuple[int, ...]:
    """For each canonical axis of a part the axis of the whole that it lies along."""
    found = dict.fromkeys(part.groups[axis], len(numbers))
    for number, (ours, theirs) in enumerate(zip(first.groups, part.groups, strict=True)):
        if number != axis:
            if [first.term.shape[a] for a in ours] != [part.term.shape[a] for a in theirs]:
                raise Refused("Concat: parts hold an axis in other parts")
            found.update({theirs[index]: numbers[a] for index, a in enumerate(ours)})
    return tuple(found[a] for a in range(len(part.term.shape)))


AXIOM = Axiom(
    "concatenation along an axis",
    "Concat along one axis commutes with any order of the others, where all parts hold them in one order; a part that is joined along the same "
    "axis is its parts; constant parts of one number at both ends are padding with that number.",
    (_ONE, _SAME),
    {"Concat": _concat},
)
