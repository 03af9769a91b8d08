"""The node tests of onnx' own backend suite, as files: a model each, the inputs and the outputs that the suite expects."""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from common import WORK

_ROUNDING = float(np.finfo(np.float32).eps)
FOLDER = WORK / "operators" / "cases"
_NUMBERS = {
    "float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "bool",
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One node test.

    Attributes:
        name: as the suite names it.
        model: the ONNX file.
        data: an `.npz` with the inputs `in0`, `in1`, … and the expected outputs `out0`, `out1`, ….
        rtol, atol: the suite's tolerance for this test.
    """

    name: str
    model: Path
    data: Path
    rtol: float
    atol: float

    def inputs(self) -> list[np.ndarray]:
        """In the order of the graph's inputs."""
        return _numbered(self.data, "in")

    def outputs(self) -> list[np.ndarray]:
        """What the suite expects."""
        return _numbered(self.data, "out")


def cases() -> list[Case]:
    """All tests whose tensors are floats, integers or booleans that numpy has, in the default operator domain."""
    index = FOLDER / "index.json"
    if not index.exists():
        _write(index)
    return [
        Case(name, FOLDER / f"{name}.onnx", FOLDER / f"{name}.npz", rtol, atol)
        for name, (rtol, atol) in json.loads(index.read_text()).items()
    ]


def of_onnx_runtime(case: Case) -> str:
    """What ONNX Runtime makes of a case: `right`, `wrong` (of what the suite expects) or `does not run`."""
    import onnxruntime

    onnxruntime.set_default_logger_severity(4)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    feeds = dict(zip([value.name for value in onnx.load(case.model).graph.input], case.inputs(), strict=True))
    try:
        session = onnxruntime.InferenceSession(str(case.model), options, providers=["CPUExecutionProvider"])
        outputs = session.run(None, feeds)
    except Exception:  # noqa: BLE001 - ONNX Runtime's refusals have no common base
        return "does not run"
    return "wrong" if judge([np.asarray(y) for y in outputs], case.outputs(), case.rtol, case.atol) else "right"


def judge(outputs: list[np.ndarray], expected: list[np.ndarray], rtol: float, atol: float) -> str:
    """Why the outputs are not what the suite expects; "" where they are. Another dtype with the same values is right.

    Values may be off by a float32 rounding of the largest: the suite's expected arrays are, where zero is right
    (1.9e-7 in `test_dft_inverse`, beyond the suite's 1e-7, which ONNX Runtime misses too). A float16 may be two units in
    its last place off: the suite's 1e-3 is one or two of them, depending on the value.
    """
    if len(outputs) != len(expected):
        return f"{len(outputs)} outputs instead of {len(expected)}"
    for ours, theirs in zip(outputs, expected, strict=True):
        if ours.shape != theirs.shape:
            return f"shape {list(ours.shape)} instead of {list(theirs.shape)}"
        last_place = 2 * np.spacing(np.abs(theirs)).astype(np.float64) if theirs.dtype == np.float16 else 0.0
        ours, theirs = ours.astype(np.float64), theirs.astype(np.float64)
        largest = np.max(np.abs(theirs), initial=0.0, where=np.isfinite(theirs))
        near = np.isclose(ours, theirs, rtol, max(atol, 1e-7, _ROUNDING * largest), equal_nan=True)
        if not np.all(near | (np.abs(ours - theirs) <= last_place)):
            return "other values"
    return ""


def _numbered(path: Path, stem: str) -> list[np.ndarray]:
    with np.load(path) as archive:
        return [archive[f"{stem}{number}"] for number in range(sum(name.startswith(stem) for name in archive.files))]


def _write(index: Path) -> None:
    from onnx.backend.test.loader import load_model_tests

    FOLDER.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tests = load_model_tests(kind="node")
    kept = {}
    for test in tests:
        if not _plain(test):
            continue
        inputs, outputs = test.data_sets[0]
        onnx.save(test.model, FOLDER / f"{test.name}.onnx")
        arrays = {f"in{i}": np.asarray(a) for i, a in enumerate(inputs)}
        arrays |= {f"out{i}": np.asarray(a) for i, a in enumerate(outputs)}
        np.savez(FOLDER / f"{test.name}.npz", **arrays)
        kept[test.name] = (test.rtol, test.atol)
    index.write_text(json.dumps(kept))


def _plain(test: object) -> bool:
    model = test.model
    if any(entry.domain not in ("", "ai.onnx") for entry in model.opset_import):
        return False
    for value in [*model.graph.input, *model.graph.output]:
        kind = value.type
        if not kind.HasField("tensor_type"):
            return False
        if np.dtype(onnx.helper.tensor_dtype_to_np_dtype(kind.tensor_type.elem_type)).name not in _NUMBERS:
            return False
    return all(
        isinstance(array, (np.ndarray, np.generic)) and array.dtype.name in _NUMBERS
        for side in test.data_sets[0]
        for array in side
    )
