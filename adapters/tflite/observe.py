"""The inner tensors of a TFLite model, as LiteRT's plain kernels compute them: every tensor is kept, no delegate fuses any."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from safeconvert.adapter_api.intermediates import Intermediate

from .runtime import interpreter


def observe(content: bytes, fed: Mapping[int, tuple[str, np.ndarray]]) -> list[Intermediate]:
    """What each operator of the main graph gives, in order; integers with a scale as the real numbers that they stand for.

    Args:
        content: of the file.
        fed: by number of each input tensor its name and value, of the sizes that are to be allocated.
    """
    keeping = interpreter(content, delegate=False, keep=True)
    for index, (_, value) in fed.items():
        keeping.resize_tensor_input(index, list(value.shape))
    keeping.allocate_tensors()
    for index, (_, value) in fed.items():
        keeping.set_tensor(index, value)
    keeping.invoke()
    details = {detail["index"]: detail for detail in keeping.get_tensor_details()}
    names = {index: name for index, (name, _) in fed.items()}
    found = []
    for operator in keeping._get_ops_details():
        reads = tuple(dict.fromkeys(names[int(index)] for index in operator["inputs"] if int(index) in names))
        for index in map(int, operator["outputs"]):
            detail = details.get(index)
            if detail is None:
                continue
            names[index] = f"{detail['name']}#{index}"
            value = _real(keeping.get_tensor(index), detail)
            layer = detail["name"].partition(";")[0]  # a fused operator lists all that it stands for
            found.append(Intermediate(layer, operator["op_name"], names[index], reads, value))
    return found


def _real(value: np.ndarray, detail: Mapping[str, Any]) -> np.ndarray:
    scales, zeros = (detail["quantization_parameters"][key] for key in ("scales", "zero_points"))
    if len(scales) != 1 or value.dtype.kind not in "iu":
        return value
    return ((value.astype(np.float64) - int(zeros[0])) * float(scales[0])).astype(np.float32)
