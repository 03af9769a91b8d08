"""Other ranges for the activations of a calibrated file: TensorFlow's own calibration by histograms, for as little error as eight bits allow.

The smallest and largest value that was ever seen make steps so wide that one rare value costs all others. The range of least squared
error saturates it. Source: `HISTOGRAM_MSE_MAX_FREQUENCY` of TensorFlow's calibration methods.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from tensorflow.compiler.mlir.quantization.stablehlo import quantization_config_pb2 as options_pb2
from tensorflow.compiler.mlir.quantization.tensorflow.calibrator import calibration_statistics_pb2 as statistics_pb2
from tensorflow.compiler.mlir.quantization.tensorflow.calibrator.calibration_algorithm import get_min_max_value
from tensorflow.lite.python import schema_py_generated as schema

from .._shared.calibration_calls import calibrated
from .._shared.tflite_computed import computed
from .._shared.tflite_model import model_of

_BINS = 512
_CALLS = (
    100  # TensorFlow's guide asks for 100 at least; a histogram needs no rare values, which the given range has already
)
_NARROWER = 0.99  # of the range: less than that is the width of the histogram's own bins


def narrower_ranges(path: str, feeds: Sequence[Sequence[str]], whole: bool) -> dict[str, list[float]]:
    """By name of an operator, the range of its result that loses least in eight bits, where that is not all of it.

    Args:
        path: a calibrated `.tflite`.
        feeds, whole: as it was calibrated on.
    """
    known = _ranges(path)
    wanted = {one.name for one in computed(Path(path).read_bytes()) if one.in_float} & set(known)
    totals = {name: np.zeros(_BINS) for name in wanted}
    for values in islice(_results(path, feeds, whole, wanted), _CALLS):
        for name, value in values.items():
            totals[name] += np.histogram(value, _BINS, known[name])[0]
    found = {name: _least_error(totals[name], *known[name]) for name in sorted(wanted) if totals[name].any()}
    return {
        name: [low, high] for name, (low, high) in found.items() if high - low < _NARROWER * float(np.ptp(known[name]))
    }


def with_ranges(path: str, ranges: Mapping[str, Sequence[float]], target: str) -> None:
    """Write a calibrated file with other ranges of some results, by the names of their operators."""
    model = model_of(Path(path).read_bytes())
    for tensor in model.subgraphs[0].tensors:
        own = ranges.get(tensor.name.decode())
        if own is not None:
            tensor.quantization.min, tensor.quantization.max = (np.array([end], np.float32) for end in own)
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    Path(target).write_bytes(bytes(builder.Output()))


def _ranges(path: str) -> dict[str, tuple[float, float]]:
    tensors = schema.ModelT.InitFromPackedBuf(Path(path).read_bytes(), 0).subgraphs[0].tensors
    numbers = {tensor.name.decode(): tensor.quantization for tensor in tensors}
    known = {
        name: each for name, each in numbers.items() if each is not None and each.min is not None and len(each.min) == 1
    }
    found = {name: (float(each.min[0]), float(each.max[0])) for name, each in known.items()}
    return {name: (low, high) for name, (low, high) in found.items() if high > low}


def _results(
    path: str, feeds: Sequence[Sequence[str]], whole: bool, wanted: set[str]
) -> Iterator[dict[str, np.ndarray[Any, Any]]]:
    """What operators give, call by call."""
    plain = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    made = Interpreter(path, experimental_preserve_all_tensors=True, experimental_op_resolver_type=plain)
    for _ in calibrated(made, feeds, whole):
        numbers = {detail["name"]: detail["index"] for detail in made.get_tensor_details() if detail["name"] in wanted}
        yield {name: made.get_tensor(index) for name, index in numbers.items()}


def _least_error(counts: np.ndarray[Any, Any], low: float, high: float) -> tuple[float, float]:
    statistics = statistics_pb2.CalibrationStatistics()
    histogram = statistics.histogram_statistics
    histogram.lower_bound, histogram.bin_width = low, (high - low) / len(counts)
    histogram.hist_freq.extend(counts.tolist())
    method = options_pb2.CalibrationOptions.CALIBRATION_METHOD_HISTOGRAM_MSE_MAX_FREQUENCY
    least, most = get_min_max_value(statistics, options_pb2.CalibrationOptions(calibration_method=method))
    width = float(histogram.bin_width) / 2  # ends in the middle of a bin stand for its outer edges
    return float(least) - width, float(most) + width
