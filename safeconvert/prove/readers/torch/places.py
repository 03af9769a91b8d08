"""aten's operators that move, cut, join and pad, and those on sizes."""

from __future__ import annotations

import numpy as np
import onnx

from safeconvert.prove.kernel.terms import Refused
from safeconvert.prove.readers.torch.call import Call, Rule, Tensor, size
from safeconvert.prove.readers.writer import FAR


def reshaped(c: Call) -> list[str]:
    """view and reshape."""
    name = "size" if "size" in c.arguments else "shape"
    return [c.write("Reshape", c.tensor().name, c.sizes(name), allowzero=1)]


def flattened(c: Call) -> list[str]:
    """flatten from an axis to another."""
    x = c.tensor()
    rank = len(x.shape)
    first, last = int(c.value("start_dim", 0)) % rank, int(c.value("end_dim", -1)) % rank
    held = [axis for axis in range(rank) if not first <= axis <= last]
    ends = [c.write("Shape", x.name, start=axis, end=axis + 1) for axis in held]
    parts = [*ends[:first], c.write.integers(-1), *ends[first:]]
    return [c.write("Reshape", x.name, c.write("Concat", *parts, axis=0), allowzero=1)]


def permuted(c: Call) -> list[str]:
    """permute."""
    rank = len(c.tensor().shape)
    return [c.write("Transpose", c.tensor().name, perm=[int(axis) % rank for axis in c.value("dims", [])])]


def swapped(c: Call) -> list[str]:
    """transpose of two axes, and t."""
    rank = len(c.tensor().shape)
    order = list(range(rank))
    one, two = int(c.value("dim0", 0)) % rank, int(c.value("dim1", 1)) % rank
    order[one], order[two] = order[two], order[one]
    return [c.write("Transpose", c.tensor().name, perm=order)]


def turned(c: Call) -> list[str]:
    """numpy_T: all axes the other way around."""
    return [c.write("Transpose", c.tensor().name, perm=list(range(len(c.tensor().shape)))[::-1])]


def widened(c: Call) -> list[str]:
    """unsqueeze."""
    return [c.write("Unsqueeze", c.tensor().name, c.write.integers(int(c.value("dim", None))))]


def squeezed(c: Call) -> list[str]:
    """squeeze of axes that have a length of 1; others stay."""
    x, given = c.tensor(), c.value("dim", None)
    rank = len(x.shape)
    axes = [int(axis) % rank for axis in ([given] if isinstance(given, int) else given)]
    gone = [axis for axis in axes if x.shape[axis] == 1]
    if any(x.shape[axis] is None for axis in axes):
        raise Refused(f"{c.target}: of a free size")
    return [c.write("Squeeze", x.name, c.write.integers(*gone)) if gone else x.name]


def joined(c: Call) -> list[str]:
    """cat; lists of nothing are left out, as torch does whatever the others' axes."""
    given = c.listed("tensors")
    held = [one for one in given if one.shape != (0,)] or given
    return [c.write("Concat", *(one.name for one in held), axis=int(c.value("dim", 0)))]


def stacked(c: Call) -> list[str]:
    """stack along a new axis."""
    axis = int(c.value("dim", 0))
    at = c.write.integers(axis)
    return [c.write("Concat", *(c.write("Unsqueeze", one.name, at) for one in c.listed("tensors")), axis=axis)]


def parted(c: Call) -> list[str]:
    """split, split_with_sizes and chunk, by the sizes of what they make."""
    axis = int(c.value("dim", 0))
    sizes = [size(c, one, axis) for one in c.outputs]
    given = c.write.integers(*sizes)
    return c.write.several("Split", [c.tensor().name, given], len(sizes), axis=axis)


def cut(c: Call) -> list[str]:
    """slice along an axis, of which the ends may be computed."""
    given = (("start", 0), ("end", FAR), ("dim", 0), ("step", 1))
    return [c.write("Slice", c.tensor().name, *(c.integer(name, default) for name, default in given))]


def tiled(c: Call) -> list[str]:
    """repeat: along axes that are new in front, too."""
    [(kind, found)] = c.arguments["repeats"].items()
    x, count = c.tensor(), len(found)
    if kind not in ("as_ints", "as_sym_ints"):
        raise Refused(f"{c.target}: repeats is {kind}")
    new = count - len(x.shape)
    name = c.write("Unsqueeze", x.name, c.write.integers(*range(new))) if new else x.name
    return [c.write("Tile", name, c.sizes("repeats"))]


def spread_as(c: Call) -> list[str]:
    """expand_as: to the shape of another."""
    return [c.write("Expand", c.tensor().name, c.write("Shape", c.tensor("other").name))]


def gathered(c: Call) -> list[str]:
    """gather along an axis, element by element."""
    c.only(sparse_grad=False)
    return [c.write("GatherElements", c.tensor().name, c.tensor("index").name, axis=int(c.value("dim", None)))]


def differences(c: Call) -> list[str]:
    """diff of neighbours along an axis, with what is joined to the ends first."""
    c.only(n=1)
    x, axis = c.tensor(), int(c.value("dim", -1))
    joined = [one for one in (c.optional("prepend"), x, c.optional("append")) if one is not None]
    if any(one.kind != x.kind for one in joined) or x.kind == onnx.TensorProto.BOOL:
        raise Refused(f"{c.target}: of truths, or of mixed types")
    name = c.write("Concat", *(one.name for one in joined), axis=axis) if len(joined) > 1 else x.name
    ends = ([1], [FAR]), ([0], [-1])
    later, earlier = (
        c.write("Slice", name, c.write.integers(*start), c.write.integers(*end), c.write.integers(axis)) for start, end in ends
    )  # fmt: skip
    return [c.write("Sub", later, earlier)]


def selected(c: Call) -> list[str]:
    """select of one place along an axis, which goes."""
    place = c.write.constant(np.asarray(int(c.value("index", None)), np.int64))
    return [c.write("Gather", c.tensor().name, place, axis=int(c.value("dim", None)))]


def expanded(c: Call) -> list[str]:
    """expand; a size of -1 stays, as one of 1 does in ONNX."""
    return [c.write("Expand", c.tensor().name, c.sizes("size", stays=1))]


def unbound(c: Call) -> list[str]:
    """unbind: all places along an axis, which goes."""
    axis, count = int(c.value("dim", 0)), len(c.outputs)
    parts = c.write.several("Split", [c.tensor().name, c.write.integers(*[1] * count)], count, axis=axis)
    return [c.write("Squeeze", part, c.write.integers(axis)) for part in parts]


def flipped(c: Call) -> list[str]:
    """flip of some axes."""
    return [c.write.turned(c.tensor().name, [int(axis) for axis in c.value("dims", [])])]


def rolled(c: Call) -> list[str]:
    """roll along some axes."""
    shifts, axes = (c.value(name, []) for name in ("shifts", "dims"))
    if len(shifts) != len(axes):
        raise Refused(f"{c.target}: of all numbers")
    name = c.tensor().name
    for shift, axis in zip(shifts, axes, strict=True):
        held = size(c, c.tensor(), axis)
        at = -shift % held
        ends = ([at], [FAR]), ([0], [at])
        parts = [
            c.write("Slice", name, c.write.integers(*start), c.write.integers(*end), c.write.integers(axis))
            for start, end in ends
        ]
        name = c.write("Concat", *parts, axis=axis) if at else name
    return [name]


def padded(c: Call) -> list[str]:
    """pad and constant_pad_nd: amounts of the last axis first."""
    x, amounts = c.tensor(), [int(n) for n in c.value("pad", [])]
    mode = c.value("mode", "constant")
    if mode not in ("constant", "reflect"):
        raise Refused(f"{c.target}: mode {mode}")
    rank, pairs = len(x.shape), list(zip(amounts[::2], amounts[1::2], strict=True))[::-1]
    by_axis = [(0, 0)] * (rank - len(pairs)) + pairs
    given = c.write.integers(*(front for front, _ in by_axis), *(back for _, back in by_axis))
    number = c.value("value", None)
    fill = [c.write.number(float(number))] if mode == "constant" and number else []
    if fill and not x.floating:
        raise Refused(f"{c.target}: of another type than float32")
    return [c.write("Pad", x.name, given, *fill, mode=mode)]


def rows(c: Call) -> list[str]:
    """index_select: some indices along an axis."""
    return [c.write("Gather", c.tensor().name, c.tensor("index").name, axis=int(c.value("dim", None)))]


def indexed(c: Call) -> list[str]:
    """index by tensors of integers along axes that follow each other, broadcast to each other; other axes whole."""
    [(kind, given)] = c.arguments["indices"].items()
    if kind not in ("as_optional_tensors", "as_tensors"):
        raise Refused(f"{c.target}: indices are {kind}")
    entries = [{"as_tensor": one} for one in given] if kind == "as_tensors" else given
    found = {axis: c.tensors[one["as_tensor"]["name"]] for axis, one in enumerate(entries) if "as_tensor" in one}
    if any(one.kind not in (onnx.TensorProto.INT32, onnx.TensorProto.INT64) for one in found.values()):
        raise Refused(f"{c.target}: by truths")
    first, count = min(found), len(found)
    if count == 1:
        return [c.write("Gather", c.tensor().name, found[first].name, axis=first)]
    if max(found) != first + count - 1:
        raise Refused(f"{c.target}: by tensors with axes between them")
    return [_points(c, first, list(found.values()))]


def _points(c: Call, first: int, indices: list[Tensor]) -> str:
    """The entries that several indices name together; the axes of the indices stand where the first of those axes stood."""
    rank, count = len(c.tensor().shape), len(indices)
    names = [
        one.name if one.kind == onnx.TensorProto.INT64 else c.write("Cast", one.name, to=onnx.TensorProto.INT64) for one in indices
    ]  # fmt: skip
    shape = c.write("Shape", c.write("Max", *names))
    drawn = [c.write("Unsqueeze", c.write("Expand", name, shape), c.write.integers(-1)) for name in names]
    rest = [axis for axis in range(rank) if not first <= axis < first + count]
    lead = c.tensor().name
    if first:
        lead = c.write("Transpose", lead, perm=[*range(first, first + count), *rest])
    found = c.write("GatherND", lead, c.write("Concat", *drawn, axis=-1))
    wide = max(len(one.shape) for one in indices)
    order = [*range(wide, wide + first), *range(wide), *range(wide + first, wide + len(rest))]
    return c.write("Transpose", found, perm=order) if first else found


def size_of(c: Call) -> list[str]:
    """sym_size: a size, as a list of one."""
    axis = int(c.value("dim", None)) % len(c.tensor().shape)
    return [c.write("Shape", c.tensor().name, start=axis, end=axis + 1)]


def of_sizes(operator: str) -> Rule:
    """Arithmetic on sizes."""

    def rule(c: Call) -> list[str]:
        names = []
        for given in c.arguments.values():
            [(kind, found)] = given.items()
            if kind == "as_sym_int" and "as_name" in found:
                names.append(c.tensors[found["as_name"]].name)
            elif kind in ("as_int", "as_sym_int"):
                names.append(c.write.integers(found if kind == "as_int" else found["as_int"]))
            else:
                raise Refused(f"{c.target}: of {kind}")
        return [c.write(operator, *names)]

    return rule
