"""Transformers spoiled in one place each: none may be proven equal to the net that it was made of.

    python bench/proof_transformers.py [MUTANTS]

Six tiny seeded nets of transformers, as an ExportedProgram that a reader of its own reads, beside what PyTorch's exporter makes of it; of each MUTANTS (40) seeded copies have
one number of the weights, one whole number (an index, a size, an axis), one attribute or one operator changed, or two operands exchanged.
A copy that is proven may only be one that computes the same.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import declare_torchvision  # noqa: F401  torchvision, which transformers imports, needs it beside a torch without CUDA
import numpy as np
import onnx
import onnxruntime
import torch
from common import ROOT, table
from onnx import numpy_helper
from unseen_torch import Made
from unseen_transformers import transformers_model

sys.path.insert(0, str(ROOT))

from in_order import in_order

from safeconvert.prove.prover import prove
from safeconvert.prove.readers.read import read_native

NETS = ("gpt2", "roberta", "llama", "distilbert", "bart", "t5")
HEAD = ("net", "nodes of the target", "as it was", "mutants", "not proven", "harmless", "wrong and proven", "which")
BATCH = 3
"""Of the sizes that a proof is tried for alone, where none is found for all."""
_OTHER = {
    "Add": "Sub", "Sub": "Add", "Mul": "Div", "Div": "Mul", "Tanh": "Erf", "Erf": "Tanh", "Sqrt": "Exp", "Relu": "Sigmoid", "ReduceMean": "ReduceMax",
    "LessOrEqual": "Less", "Less": "LessOrEqual", "GreaterOrEqual": "Greater", "And": "Or",
}  # fmt: skip
_CHANGED: dict[int, Callable[[Any], Any]] = {
    onnx.AttributeProto.INT: lambda value: value + 1, onnx.AttributeProto.FLOAT: lambda value: 10 * value + 0.1,
    onnx.AttributeProto.INTS: lambda value: list(reversed(value)),
}  # fmt: skip


def rows(count: int) -> list[tuple[object, ...]]:
    """A row for each net."""
    return [_row(name, count) for name in NETS]


def _row(name: str, count: int) -> tuple[object, ...]:
    made = transformers_model(name)
    with tempfile.TemporaryDirectory() as folder:
        source, target = _both(made, Path(folder))
    contract = in_order(source, target, free=BATCH)
    as_it_was = prove(source, target, contract)
    outcomes: Counter[str] = Counter()
    wrong = []
    for seed in range(count):
        copy = onnx.ModelProto()
        copy.CopyFrom(target)
        what = _spoil(copy, random.Random(f"{name} {seed}"))
        outcome = _outcome(source, target, copy)
        outcomes[outcome] += 1
        if outcome == "proven":
            wrong.append(what)
        print(name, seed, outcome, what, file=sys.stderr, flush=True)
    said = ("proven" + (" (these sizes)" if as_it_was.alone else "")) if as_it_was.proven else "not proven"
    return (
        name, len(target.graph.node), said, count, outcomes["not proven"], outcomes["harmless"], outcomes["proven"], "; ".join(wrong),
    )  # fmt: skip


def _both(made: Made, folder: Path) -> tuple[onnx.ModelProto, onnx.ModelProto]:
    """What the reader reads of an ExportedProgram with a free batch, and what the exporter makes of it."""
    given = tuple(torch.tensor(array[:2]) for array in made.inputs.values())
    batch = torch.export.Dim("batch", min=1, max=64)
    program = torch.export.export(made.module, given, dynamic_shapes=(tuple({0: batch} for _ in given),))
    torch.export.save(program, folder / "net.pt2")
    exported = torch.onnx.export(program, dynamo=True)
    assert exported is not None
    exported.save(str(folder / "net.onnx"))
    return read_native(folder / "net.pt2", "torch"), onnx.load(folder / "net.onnx")


def _spoil(model: onnx.ModelProto, draw: random.Random) -> str:
    """Change a graph in one place; says what was changed."""
    kind = draw.choice((_weight, _whole_number, _attribute, _operator, _operands))
    return kind(model, draw)


def _weight(model: onnx.ModelProto, draw: random.Random) -> str:
    return _number(model, draw, np.float32, lambda value: 1.1 * value + 0.1)


def _whole_number(model: onnx.ModelProto, draw: random.Random) -> str:
    return _number(model, draw, np.int64, lambda value: value + 1)


def _number(model: onnx.ModelProto, draw: random.Random, dtype: type, change: Callable[[Any], Any]) -> str:
    held = [
        one for one in model.graph.initializer if numpy_helper.to_array(one).dtype == dtype and any(one.dims or [1])
    ]
    chosen = draw.choice(held)
    array = numpy_helper.to_array(chosen).copy()
    place = draw.randrange(array.size)
    array.flat[place] = change(array.flat[place])
    chosen.CopyFrom(numpy_helper.from_array(array, chosen.name))
    return f"{chosen.name}, number {place}"


def _attribute(model: onnx.ModelProto, draw: random.Random) -> str:
    places = [
        (node, one) for node in model.graph.node for one in node.attribute
        if (one.type in _CHANGED and list(reversed(one.ints)) != list(one.ints)) or one.type in (onnx.AttributeProto.INT, onnx.AttributeProto.FLOAT)
    ]  # fmt: skip
    node, chosen = draw.choice(places)
    value = onnx.helper.get_attribute_value(chosen)
    chosen.CopyFrom(onnx.helper.make_attribute(chosen.name, _CHANGED[chosen.type](value)))
    return f"{chosen.name} of {node.op_type} {node.name}"


def _operator(model: onnx.ModelProto, draw: random.Random) -> str:
    node = draw.choice([one for one in model.graph.node if one.op_type in _OTHER])
    before, node.op_type = node.op_type, _OTHER[node.op_type]
    return f"{node.name}: {before} to {node.op_type}"


def _operands(model: onnx.ModelProto, draw: random.Random) -> str:
    node = draw.choice([one for one in model.graph.node if one.op_type in ("Sub", "Div", "MatMul", "Where", "Concat")])
    node.input[-1], node.input[-2] = node.input[-2], node.input[-1]
    return f"operands of {node.op_type} {node.name}"


def _outcome(source: onnx.ModelProto, target: onnx.ModelProto, copy: onnx.ModelProto) -> str:
    try:
        found = prove(source, copy, in_order(source, copy, free=BATCH))
    except (ValueError, KeyError):
        return "not proven"
    if not found.proven:
        return "not proven"
    return "harmless" if _same(target, copy, (BATCH,) * 4 if found.alone else (1, 2, 3, 5)) else "proven"


def _same(one: onnx.ModelProto, two: onnx.ModelProto, batches: Sequence[int]) -> bool:
    """Whether two graphs give the same numbers on drawn inputs of each of the batches; false where one does not run."""
    draw = np.random.default_rng(0)
    for batch in batches:
        feeds = {}
        for value in one.graph.input:
            shape = [d.dim_value or batch for d in value.type.tensor_type.shape.dim]
            feeds[value.name] = draw.integers(0, 2 if "mask" in value.name else 100, shape).astype(np.int64)
        try:
            results = [
                onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"]).run(
                    None, feeds
                )
                for model in (one, two)
            ]
        except Exception:  # noqa: BLE001  ONNX Runtime raises many kinds; a graph that does not run is another
            return False
        for a, b in zip(*results, strict=True):
            if a.shape != b.shape or not np.allclose(a, b, rtol=1e-5, atol=1e-6):
                return False
    return True


if __name__ == "__main__":
    print(table(HEAD, rows(int(sys.argv[1]) if len(sys.argv) > 1 else 40)))
