"""The operators of a TFLite file, checked before an interpreter loads it.

TensorFlow's interpreter runs any of TensorFlow's operators in a `.tflite` ("Select TF ops"): the operator that runs is the one in the
node's own options, whatever the file's list of operators calls it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ai_edge_litert import schema_py_generated as schema

from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.errors import UnusableInput

from .allowed import tensorflow_operators

_CUSTOM = schema.BuiltinOperator.CUSTOM
_FLEX = "Flex"
_KNOWN = frozenset({"AudioSpectrogram", "Mfcc", "NumericVerify", "TFLite_Detection_PostProcess"})
_ADVICE = "convert the model without these operators, or pass --trust-pickle if you trust whoever made the file"


def inspect_tflite(request: ModelRequest, content: bytes) -> None:
    """Check the operators of a file's content.

    Raises:
        UnusableInput: an operator of TensorFlow that is not on the list, one that TensorFlow's interpreter does not have, or
            weights in another file.
    """
    if request.trust_pickle:
        return
    try:
        found = list(_foreign(schema.Model.GetRootAs(content)))
    except Exception as error:  # a damaged flatbuffer makes its reader raise anything
        raise UnusableInput(f"{request.path}: a damaged TFLite file", "make or download the file again") from error
    if found:
        raise UnusableInput(f"{request.path}: {found[0]}; refused", _ADVICE)


def _foreign(model: Any) -> Iterator[str]:
    """What is not on the list, a sentence each."""
    if model.ExternalBufferGroupsLength():
        yield "its weights lie in another file, which the model names"
    codes = [model.OperatorCodes(index) for index in range(model.OperatorCodesLength())]
    for index in range(model.SubgraphsLength()):
        graph = model.Subgraphs(index)
        for number in range(graph.OperatorsLength()):
            operator = graph.Operators(number)
            code = codes[operator.OpcodeIndex()]
            if max(code.BuiltinCode(), code.DeprecatedBuiltinCode()) == _CUSTOM:
                yield from _custom(code, operator, f"node {number} of subgraph {index}")


def _custom(code: Any, operator: Any, where: str) -> Iterator[str]:
    name = (code.CustomCode() or b"").decode("utf-8", errors="replace")
    if not name.startswith(_FLEX):
        if name not in _KNOWN:
            yield f"operator {name!r} of {where} is not TFLite's own"
        return
    named = {name[len(_FLEX) :]}
    if operator.CustomOptionsLength():
        named |= _in_options(bytes(operator.CustomOptionsAsNumpy().tobytes()))
    for one in sorted(named - tensorflow_operators() | (named & {"PrintV2"})):
        yield f"operator {one!r} of {where} is not one that only computes"


def _in_options(options: bytes) -> set[str]:
    """The operators that a Flex node's options name: by itself, and in its NodeDef."""
    from flatbuffers import flexbuffers  # with TensorFlow's protobuf classes, which only such files need
    from google.protobuf.message import DecodeError
    from tensorflow.core.framework import node_def_pb2

    root = flexbuffers.GetRoot(bytearray(options))
    if not root.IsVector or len(root.AsVector) < 2 or not all(root.AsVector[index].IsString for index in (0, 1)):
        return {"without a NodeDef"}
    name, serialised = (bytes(root.AsVector[index].AsStringBytes) for index in (0, 1))
    node = node_def_pb2.NodeDef()
    try:
        node.ParseFromString(serialised)
    except DecodeError:
        return {"with a damaged NodeDef"}
    return {name.decode("utf-8", errors="replace"), node.op}


def inspect_tflite_file(request: ModelRequest) -> None:
    """`inspect_tflite` of the file itself."""
    inspect_tflite(request, Path(request.path).read_bytes())
