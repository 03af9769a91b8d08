"""Concat."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from safeconvert.prove.axioms.affine import affine, parts
from safeconvert.prove.axioms.axiom import Axiom
from safeconvert.prove.axioms.joined_maps import apart, joined_maps, of_piece
from safeconvert.prove.axioms.padding import padded
from safeconvert.prove.kernel.layout import Groups, Value, along, constant, transposed
from safeconvert.prove.kernel.node import Node
from safeconvert.prove.kernel.terms import Array, Constant, Refused, Store, Term

_ONE = "all of a part is one number"
_SAME = "what is joined in front and behind is the same number"
_FOLLOW = "each part of a tensor begins where the one before it ends"


def concatenated(n: Node) -> list[Value]:
    """Concat."""
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


def joined(store: Store, given: Sequence[Value], axis: int) -> Value:
    """Tensors one behind the other along an axis. Raises Refused where they hold the others in other parts."""
    found = [piece for part in given for piece in _pieces(store, part, axis)]
    bare = [apart(store, piece) for piece in found]
    values = [value for value, _ in bare]
    made = together(store, values, axis) or _joined(store, values, axis)
    behind = joined_maps(store, bare, axis)
    if behind is None:
        return made
    return Value(affine(store, made.term, *(along(array, made) for array in behind)), made.groups)


def _joined(store: Store, parts: Sequence[Value], axis: int) -> Value:
    first = next((part for part in parts if part.term.operator != "constant"), parts[0])
    lead = [a for a in range(len(first.term.shape)) if a not in first.groups[axis]]
    numbers = {a: index for index, a in enumerate(lead)}
    laid = [_in_order(store, part.term, _places(first, part, axis, numbers)) for part in parts]
    size = sum(part.shape[axis] for part in parts)
    shape = [first.term.shape[a] for a in lead] + ([size] if size != 1 else [])
    joined = (len(lead),) if size != 1 else ()
    groups: Groups = tuple(joined if n == axis else tuple(numbers[a] for a in g) for n, g in enumerate(first.groups))
    return Value(store.term("concat", shape, [term for term, _ in laid], tuple(along for _, along in laid)), groups)


def _in_order(store: Store, term: Term, places: tuple[int, ...]) -> tuple[Term, tuple[int, ...]]:
    """A part and where its axes lie in the whole: a constant with its axes in the whole's order, whatever order it was held in."""
    if term.operator != "constant":
        return term, places
    values = term.constants[0].values.transpose(np.argsort(places))
    return store.term("constant", values.shape, constants=[Constant(values)]), tuple(sorted(places))


def together(store: Store, parts: Sequence[Value], axis: int) -> Value | None:
    """The tensor of which the parts are all places along an axis, one after another; None where they are not."""
    origins = [_origin(part, axis) for part in parts]
    first = origins[0]
    if first is None:
        return None
    begins, end = [], 0
    for origin in origins:
        if origin is None or origin[0].term is not first[0].term or origin[0].groups != first[0].groups:
            return None
        begins.append(origin[1].start == end)
        end += len(origin[1])
    if end != first[0].term.shape[first[2]] or not AXIOM.holds(store, _FOLLOW, all(begins)):
        return None
    AXIOM.use(store)
    return transposed(store, first[0], range(len(first[0].groups)))


def _origin(part: Value, axis: int) -> tuple[Value, range, int] | None:
    """What a part is places of that stand beside each other, these places, and the axis of the term that they are along."""
    term, group = part.term, part.groups[axis]
    if term.operator != "take":
        return None
    own, start, step, count = term.setting
    if count == 1:
        places = tuple(tuple(a + (a >= own) for a in axes) for axes in part.groups)
        groups = (*places[:axis], (own, *places[axis]), *places[axis + 1 :])
    elif step == 1 and group[:1] == (own,):
        groups = part.groups
    else:
        return None
    return Value(term.operands[0], groups), range(start, start + count), own


def _pieces(store: Store, part: Value, axis: int) -> list[Value]:
    """What a tensor was joined of along the same axis, each with its part of what the whole is scaled and shifted by; itself where it was not."""
    core, *arrays = parts(part.term)
    last = len(core.shape) - 1
    if core.operator != "concat" or part.groups[axis] != (last,):
        return [part]
    own = pieces(core)
    terms = [
        piece.term if core is part.term else affine(store, piece.term, *(of_piece(a, own, number) for a in arrays))
        for number, piece in enumerate(own)
    ]
    return [
        Value(term, tuple(tuple(a for index in group for a in piece.groups[index]) for group in part.groups))
        for term, piece in zip(terms, own, strict=True)
    ]


def pieces(term: Term) -> list[Value]:
    """What was joined, each with an axis for each of the whole term's, of which the last is the one along which it was joined."""
    last = len(term.shape) - 1
    return [
        Value(
            one,
            (*((places.index(a),) for a in range(last)), tuple(places.index(a) for a in sorted(places) if a >= last)),
        )
        for one, places in zip(term.operands, term.setting, strict=True)
    ]


def _places(first: Value, part: Value, axis: int, numbers: dict[int, int]) -> tuple[int, ...]:
    """For each canonical axis of a part the axis of the whole that it lies along; several in the joined one are numbered on."""
    found = {a: len(numbers) + place for place, a in enumerate(part.groups[axis])}
    for number, (ours, theirs) in enumerate(zip(first.groups, part.groups, strict=True)):
        if number != axis:
            if [first.term.shape[a] for a in ours] != [part.term.shape[a] for a in theirs]:
                raise Refused("Concat: parts hold an axis in other parts")
            found.update({theirs[index]: numbers[a] for index, a in enumerate(ours)})
    return tuple(found[a] for a in range(len(part.term.shape)))


AXIOM = Axiom(
    "concatenation along an axis",
    "Concat along one axis commutes with any order of the others, where all parts hold them in one order; a part that is joined along the same "
    "axis is its parts; all places of one tensor, in order, are that tensor; constant parts of one number at both ends are padding with that number.",
    (_ONE, _SAME, _FOLLOW),
)
