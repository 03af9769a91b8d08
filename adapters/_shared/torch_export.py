"""What both torch → ONNX exporters share: example inputs, names, and a check of the file made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch

from safeconvert.adapter_api.protocol import ConvertRequest
from safeconvert.core.signature import Signature
from safeconvert.errors import UnusableInput

from .torch_files import is_large
from .torch_trees import module_call
from .torch_trial import given_values, run_once, trials


def example_inputs(step: ConvertRequest, module: Any, batch: int = 1) -> tuple[torch.Tensor, ...]:
    """Values that the module runs on: the user's where it was given some, else zeros or ones; a free batch gets `batch` samples.

    Raises:
        UnusableInput: it runs on none of them.
    """
    assert step.signature is not None
    specs = step.signature.inputs
    names = [spec.name for spec in specs]
    call = module_call(module, names)
    given = [
        {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in values.items()}
        for values in given_values(names, step.model)
    ]
    complaint = ""
    for values in [*given, None]:
        for arguments in trials(specs, values, batch):
            complaint = run_once(call, [arguments])[1]
            if not complaint:
                return tuple(arguments[name] for name in names)
    raise UnusableInput(f"{step.model.path}: does not run on values made up: {complaint}")


def output_names(signature: Signature) -> list[str]:
    """Output names that clash with no input name."""
    taken = {spec.name for spec in signature.inputs}
    return [f"{spec.name}_out" if spec.name in taken else spec.name for spec in signature.outputs]


def finish(step: ConvertRequest) -> None:
    """Keep the weights inside the file where they are not many, and let onnx.checker have its say.

    An exporter that moved them to `<name>.data` beside the file would make a target of two files for no need. Those of a large model are
    left there: nobody can map them otherwise before ONNX Runtime has read the file whole, and beyond 2 GiB no file holds them.
    """
    data = Path(step.target + ".data")
    if not is_large(step.model.path) and data.exists():
        onnx.save(onnx.load(step.target), step.target)
        data.unlink()
    onnx.checker.check_model(step.target)
