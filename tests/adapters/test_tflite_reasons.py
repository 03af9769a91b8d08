"""TensorFlow's pages of MLIR in one line: operator, numbers, layer."""

from __future__ import annotations

import sys

from tests.command import ROOT

sys.path.insert(0, str(ROOT))

from adapters.tflite_converter import reasons

_TEXT = """Could not translate MLIR to FlatBuffer.<unknown>:0: error: loc(callsite(fused["FloorDiv:", "functional_1/floordiv@__inference_function_21"] at callsite(fused["PartitionedCall:", "PartitionedCall@__inference"]))): 'tf.FloorDiv' op is neither a custom op nor a flex op
TF Select ops: FloorDiv
Details:
\ttf.FloorDiv(tensor<?x6xi64>, tensor<i64>) -> (tensor<?x6xi64>) : {device = ""}

<unknown>:0: note: see current operation:
"""


def test_operator_type_and_layer_are_named() -> None:
    said = "operator FloorDiv of int64 at layer functional_1/floordiv: TFLite has no operator of its own for it"
    assert reasons.reason(_TEXT) == said


def test_a_text_that_names_none_is_its_first_line() -> None:
    assert reasons.reason("\nInput 0 of node while was not set\nmore") == "Input 0 of node while was not set"
