"""Are two ONNX graphs the same function? Shown by what their outputs are, not by running them.

Both graphs are read into terms of one store (`reading`), node by node, by the axioms of `axioms`; where an output of the target is the
term of the source's output in the contract's order of axes, the two are equal *for every input*, over the real numbers, up to the
relative difference of constants that the proof states. What floating point does to both is not part of it.

Free dimensions are given a prime each, the same in both graphs; a proof is for these sizes, and `Proof.sizes` says which. No search, so that
the time grows with the number of nodes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import onnx

from safeconvert.compare.contract import Contract
from safeconvert.compare.layout import TensorContract
from safeconvert.graph.view import tidy
from safeconvert.prove.reading import Reading, read
from safeconvert.prove.terms import TermStore
from safeconvert.prove.values import Value, canonical, transposed

_PRIMES = (97, 89, 83, 79, 73, 71, 67, 61)


@dataclass(frozen=True)
class Unproven:
    """A node of the target that is no known term of the source although all that it reads is.

    Attributes:
        target: the target's node.
        operator: its operator.
        reads: tensors of the source that carry what it reads.
    """

    target: str
    operator: str
    reads: tuple[str, ...]


@dataclass(frozen=True)
class Proof:
    """What was shown.

    Attributes:
        proven: whether every output is.
        outputs: names of the source's outputs that are.
        apart: the largest relative difference of constants that were taken for one another.
        axioms: how often each axiom spoke in the target.
        sizes: by input of the source the shape that the proof is for.
        unproven: where the target leaves what is known; empty where all is proven.
        same_file: whether both graphs are equal to the byte, so that there was nothing to prove.
    """

    proven: bool
    outputs: tuple[str, ...]
    apart: float
    axioms: Mapping[str, int]
    sizes: Mapping[str, tuple[int, ...]]
    unproven: tuple[Unproven, ...]
    same_file: bool


def prove(source: onnx.ModelProto, target: onnx.ModelProto, contract: Contract) -> Proof:
    """Prove that a target graph is a source graph under a contract of their inputs and outputs, or say where that ends.

    Args:
        source, target: the graphs.
        contract: which tensors correspond, by the names that the graphs give them, and in what order of axes.
    """
    sizes = _sizes(source, target, contract.inputs)
    left = tidy(_bound(source, {t.source.name: sizes[t.source.name] for t in contract.inputs}))
    right = tidy(_bound(target, {t.target.name: _moved(sizes[t.source.name], t) for t in contract.inputs}))
    store = TermStore()
    inputs, theirs = {}, {}
    for number, tensor in enumerate(contract.inputs):
        shape, groups = canonical(sizes[tensor.source.name])
        value = Value(store.term("input", shape, setting=(number,)), groups)
        inputs[tensor.source.name] = value
        theirs[tensor.target.name] = value if tensor.permutation is None else transposed(value, tensor.permutation)
    ours, other = read(store, left, inputs), read(store, right, theirs)
    outputs = tuple(t.source.name for t in contract.outputs if _equal(ours, other, t))
    proven = len(outputs) == len(contract.outputs) and bool(outputs)
    axioms: dict[str, int] = {}
    for name in other.axioms:
        axioms[name or "nothing known"] = axioms.get(name or "nothing known", 0) + 1
    return Proof(
        proven, outputs, store.apart, dict(sorted(axioms.items())), sizes, () if proven else tuple(_frontier(ours, other)),
        source.SerializeToString(deterministic=True) == target.SerializeToString(deterministic=True),
    )  # fmt: skip


def _equal(source: Reading, target: Reading, tensor: TensorContract) -> bool:
    one, two = source.values.get(tensor.source.name), target.values.get(tensor.target.name)
    if one is None or two is None:
        return False
    wanted = one if tensor.permutation is None else transposed(one, tensor.permutation)
    return (wanted.term.number, wanted.groups) == (two.term.number, two.groups)


def _frontier(source: Reading, target: Reading) -> list[Unproven]:
    """Where the target first computes what the source does not."""
    known: dict[int, str] = {}
    for name, value in source.values.items():
        known.setdefault(value.term.number, name)
    found = []
    for node in target.view.nodes:
        made = [target.values.get(name) for name in node.output if name]
        if all(value is not None and value.term.number in known for value in made):
            continue
        reads = [target.values.get(name) for name in node.input if name and name not in target.view.constants]
        if all(value is not None and value.term.number in known for value in reads):
            names = tuple(known[value.term.number] for value in reads if value is not None)
            found.append(Unproven(node.name, node.op_type, names))
    return found


def _sizes(
    source: onnx.ModelProto, target: onnx.ModelProto, tensors: Sequence[TensorContract]
) -> dict[str, tuple[int, ...]]:
    """Concrete shapes: what one side fixes, else a prime for each name of a free dimension (all first axes share one)."""
    left, right = _declared(source), _declared(target)
    primes: dict[str, int] = {}
    sizes: dict[str, tuple[int, ...]] = {}
    for tensor in tensors:
        ours, theirs = left[tensor.source.name], right[tensor.target.name]
        order = tensor.permutation or tuple(range(len(ours)))
        shape = []
        for axis, size in enumerate(ours):
            other = theirs[order.index(axis)]
            if isinstance(size, int) or isinstance(other, int):
                shape.append(size if isinstance(size, int) else int(other))
                continue
            name = "batch" if axis == 0 else size or f"{tensor.source.name}.{axis}"
            primes.setdefault(name, _PRIMES[len(primes) % len(_PRIMES)])
            shape.append(primes[name])
        sizes[tensor.source.name] = tuple(shape)
    return sizes


def _declared(model: onnx.ModelProto) -> dict[str, list[int | str]]:
    """Input shapes: a number, or the name of a free dimension ("" where it has none)."""
    return {
        value.name: [
            d.dim_value if d.HasField("dim_value") and d.dim_value > 0 else d.dim_param
            for d in value.type.tensor_type.shape.dim
        ]
        for value in model.graph.input
    }


def _bound(model: onnx.ModelProto, shapes: Mapping[str, tuple[int, ...]]) -> onnx.ModelProto:
    """A copy whose inputs have concrete shapes, and nothing else declares one."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    del copy.graph.value_info[:]
    for value in copy.graph.input:
        for dimension, size in zip(value.type.tensor_type.shape.dim, shapes.get(value.name, ()), strict=False):
            dimension.dim_value = size
    for value in copy.graph.output:
        value.type.tensor_type.ClearField("shape")
    return copy


def _moved(shape: tuple[int, ...], tensor: TensorContract) -> tuple[int, ...]:
    return shape if tensor.permutation is None else tuple(shape[axis] for axis in tensor.permutation)
