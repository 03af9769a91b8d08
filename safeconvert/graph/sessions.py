"""ONNX Runtime sessions as safeconvert opens them: on the CPU, quiet, and with threads that rest where there is no work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import onnx

_QUIET = 4
"""ONNX Runtime's severity of fatal errors; all others are raised."""


def open_session(model: onnx.ModelProto | str, *, optimized: bool = True, format_said: bool = False) -> Any:
    """An `onnxruntime.InferenceSession`.

    Its threads sleep until there is work. ONNX Runtime lets them spin, between operators and for some milliseconds behind a run: that takes a third
    of a MobileNet's processor time, and most of a small net's. Weights that stay in their file (`graph.stored`) are mapped, and used as they lie
    there: packed for the processor, as ONNX Runtime does with others, they would be in memory once more.

    Args:
        model: a graph, or the path of a file.
        optimized: whether ONNX Runtime may rewrite the graph.
        format_said: the file is ONNX, whatever it is called.

    Raises:
        Exception: what ONNX Runtime raises; its errors share no other base class.
    """
    import onnxruntime

    from safeconvert.graph.stored import in_folder, large_graph

    graph = large_graph(model) if isinstance(model, str) else model
    graph, folder = (None, "") if graph is None else in_folder(graph)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _QUIET
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if format_said:
        options.add_session_config_entry("session.load_model_format", "ONNX")
    if not optimized:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        # Most of what such a graph makes is given out, and copied: an arena would hold it once more, in blocks of twice the size.
        options.enable_cpu_mem_arena = False
        options.enable_mem_pattern = False
    if folder:
        options.add_session_config_entry("session.model_external_initializers_file_folder_path", folder)
        options.add_session_config_entry("session.disable_prepacking", "1")
    content = model if graph is None else graph.SerializeToString()
    del model, graph  # who hands over the only copy of a part of a graph need not hold it beside ONNX Runtime's own
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
