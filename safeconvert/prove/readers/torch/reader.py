"""An ExportedProgram as an ONNX graph, its inputs and outputs in the program's order."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from safeconvert.prove.kernel.terms import Refused
from safeconvert.prove.readers.torch.aliases import needed, require_unshared
from safeconvert.prove.readers.torch.archive import Program, kind_of, opened
from safeconvert.prove.readers.torch.call import Call, Sizes, Tensor
from safeconvert.prove.readers.torch.table import LEAD, OPERATORS, SIZES
from safeconvert.prove.readers.writer import Input, Writer


def read_torch(content: bytes | Path) -> onnx.ModelProto:
    """The graph of a file, or of what one holds. Raises Refused, naming what is not known."""
    try:
        return _read(opened(content))
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, zipfile.BadZipFile, RecursionError) as error:
        raise Refused(f"the file is damaged, or of another version ({type(error).__name__}: {error})") from error


def _read(program: Program) -> onnx.ModelProto:
    write = Writer()
    metas = program.graph["tensor_values"]
    known: dict[str, Tensor] = {}
    given: list[Input] = []
    for spec in program.signature["input_specs"]:
        [(kind, one)] = spec.items()
        name = one["arg"]["as_tensor"]["name"] if kind == "user_input" else one["arg"]["name"]
        known[name] = _described(name, metas[name])
        if kind == "user_input":
            given.append(Input(name, known[name].kind, known[name].shape))
            continue
        words = {"parameter": "parameter_name", "buffer": "buffer_name", "tensor_constant": "tensor_constant_name"}
        if kind not in words:
            raise Refused(f"an input that is a {kind}")
        known[name] = replace(known[name], name=write.constant(program.weights[one[words[kind]]]))
    require_unshared(program.graph)
    for node in needed(program.graph):
        _called(write, node, metas, known)
    outputs: list[tuple[Input, str]] = []
    for spec in program.signature["output_specs"]:
        [(kind, one)] = spec.items()
        if kind != "user_output":
            raise Refused(f"an output that is a {kind}")
        tensor = known[one["arg"]["as_tensor"]["name"]]
        outputs.append((Input(f"output_{len(outputs)}", tensor.kind, tensor.shape), tensor.name))
    return write.model(given, outputs)


def _called(write: Writer, node: Mapping[str, Any], metas: Mapping[str, Any], known: dict[str, Tensor]) -> None:
    """One node of the graph; what it makes is known from then on."""
    target = node["target"].removeprefix(LEAD)
    if target.startswith(("aten._assert", "aten.sym_constrain")):
        return  # they tell of sizes, and make nothing
    rule = OPERATORS.get(target) or SIZES.get(target)
    if rule is None:
        raise Refused(f"the operator {target}")
    names = list(_names(node["outputs"]))
    outputs = tuple(
        _described(name, metas[name]) if name in metas else Tensor(name, (1,), onnx.TensorProto.INT64) for name in names
    )
    arguments = {f"{place}" if target in SIZES else one["name"]: one["arg"] for place, one in enumerate(node["inputs"])}
    made = rule(Call(write, target, arguments, known, outputs))
    if len(made) > len(outputs):
        raise Refused(f"{target}: gives {len(outputs)} tensors")
    known.update({tensor.name: replace(tensor, name=name) for tensor, name in zip(outputs, made, strict=False)})


def _names(outputs: Sequence[Mapping[str, Any]]) -> list[str]:
    found = []
    for output in outputs:
        [(kind, one)] = output.items()
        if kind not in ("as_tensor", "as_tensors", "as_sym_int"):
            raise Refused(f"a node that makes {kind}")
        found += (
            [entry["name"] for entry in one]
            if kind == "as_tensors"
            else [one["as_name"] if kind == "as_sym_int" else one["name"]]
        )
    return found


def _described(name: str, meta: Mapping[str, Any]) -> Tensor:
    sizes: Sizes = tuple(int(one["as_int"]) if "as_int" in one else None for one in meta["sizes"])
    return Tensor(name, sizes, onnx.helper.np_dtype_to_tensor_dtype(np.dtype(kind_of(meta["dtype"]))))
