"""The real tf2onnx, with one row of the table wrong."""

from pathlib import Path

import onnx

from safeconvert.core.resources import data_folder
from safeconvert.workers._worker import load_adapter


def convert(request):
    reply = load_adapter(str(Path(data_folder("adapters")) / "tf2onnx")).convert(request)
    model = onnx.load(request["target"])
    read = {name for node in model.graph.node if node.op_type == "Gather" for name in node.input}
    table = next(tensor for tensor in model.graph.initializer if tensor.name in read and len(tensor.dims) == 2)
    rows = onnx.numpy_helper.to_array(table).copy()
    rows[1001] += 1
    table.CopyFrom(onnx.numpy_helper.from_array(rows, table.name))
    onnx.save(model, request["target"])
    return reply
