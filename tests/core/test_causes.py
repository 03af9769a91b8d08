"""What an operator said is found in the messages in which frameworks hide it."""

from __future__ import annotations

import pytest

from safeconvert.core.causes import cause_line

_AUTOGRAPH = """in user code:

    File "/a/layer.py", line 12, in call  *
        return tf.matmul(x, self.w)

    ValueError: Dimensions must be equal, but are 3 and 4 for '{{node MatMul}}'
"""
_TORCHSCRIPT = """The following operation failed in the TorchScript interpreter.
Traceback of TorchScript (most recent call last):
  File "code/__torch__/Net.py", line 7, in forward
    return torch.matmul(x, w)
           ~~~~~~~~~~~~ <--- HERE
RuntimeError: mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)
"""
_KERAS = (
    "Exception encountered when calling Dense.call().\n\n\x1b[1mMatrix size-incompatible: In[0]: [2,3], In[1]: [4,5]\x1b[0m"
    "\n\nArguments received by Dense.call():\n  • inputs=tf.Tensor(shape=(2, 3), dtype=float32)"
)
_EXECUTION = """Graph execution error:

Detected at node net/Reshape defined at (most recent call last):
  File "/a/run.py", line 3, in <module>
    model(x)

Input to reshape is a tensor with 12 values, but the requested shape has 10
\t [[{{node net/Reshape}}]] [Op:__inference_f_12]
"""
_EXPORT = """Failed to convert the exported program to an ONNX model. \x1b[96mThis is step 3/3\x1b[0m of exporting the model to ONNX. Next steps:
- If there is a missing ONNX function, implement it and register it to the registry.

## Exception summary

<class 'torch.onnx._internal.exporter._errors.DispatchError'>: No ONNX function found for aten.linalg_svd.default
⬆️
<class 'torch.onnx._internal.exporter._errors.ConversionError'>: Error when translating node %linalg_svd : aten.linalg_svd.default
"""


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        (_AUTOGRAPH, "Dimensions must be equal, but are 3 and 4 for '{{node MatMul}}'"),
        (_TORCHSCRIPT, "mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)"),
        (_KERAS, "Matrix size-incompatible: In[0]: [2,3], In[1]: [4,5]"),
        (_EXECUTION, "Input to reshape is a tensor with 12 values, but the requested shape has 10"),
        (_EXPORT, "No ONNX function found for aten.linalg_svd.default"),
        ("Unsupported operator Det at node d\nmore", "Unsupported operator Det at node d"),
        ("in user code:\n", "in user code:"),
        ("", ""),
    ],
)
def test_the_line_that_says_why_is_found(message: str, cause: str) -> None:
    assert cause_line(message) == cause


def test_a_long_one_is_cut() -> None:
    assert cause_line("Graph execution error:\n\n" + "a" * 50, 10) == "a" * 9 + "…"
