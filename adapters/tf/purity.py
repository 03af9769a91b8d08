"""What a TensorFlow function's outputs depend on beside its inputs, by the operators that it holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from .._shared.tf_files import TfFile

_DRAWING = (
    "RandomUniform", "RandomStandardNormal", "TruncatedNormal", "ParameterizedTruncatedNormal", "RandomGamma", "RandomPoisson",
    "RandomShuffle", "Multinomial", "StatefulUniform", "StatefulStandardNormal", "StatefulTruncatedNormal", "StatefulRandomBinomial",
    "RngReadAndSkip", "RngSkip", "SampleDistortedBoundingBox", "RandomCrop",
)  # fmt: skip
"""Begin the names of operators whose results are drawn. Those that begin with Stateless are functions of their seed."""
_WRITING = (
    "Assign",
    "ResourceScatter",
    "ResourceApply",
    "Scatter",
    "LookupTableInsert",
    "LookupTableImport",
    "StackPush",
)
"""Begin the names of operators that write state."""
_PURE = ("ScatterNd",)
"""Begin the names of operators that only seem to."""


def impurities(file: TfFile) -> list[str]:
    """A line for each operator that a call runs, those of the functions that it calls among them, in the graph's order."""
    graph = _graph(file)
    library = {one.signature.name: one.node_def for one in graph.library.function}
    found = []
    for node in _nodes(graph.node, library, set()):
        if node.op.startswith(_DRAWING):
            found.append(f"draws random numbers at {node.name} ({node.op})")
        elif node.op.startswith(_WRITING) and not node.op.startswith(_PURE):
            found.append(f"changes its own state while it runs, at {node.name} ({node.op})")
    return list(dict.fromkeys(found))


def _graph(file: TfFile) -> Any:
    """All of a signature's function, which runs what writes state whether a result is wanted or not; of a graph what its outputs need."""
    if file.graph_def is None:
        return file.function.graph.as_graph_def()
    outputs = [name.split(":")[0] for name in file.tensor_names[1]]
    return tf.compat.v1.graph_util.extract_sub_graph(file.graph_def, outputs)


def _nodes(nodes: Any, library: dict[str, Any], seen: set[str]) -> Iterator[tf.compat.v1.NodeDef]:
    for node in nodes:
        yield node
        for value in node.attr.values():
            for name in (value.func.name, *(one.name for one in value.list.func)):
                if name in library and name not in seen:
                    seen.add(name)
                    yield from _nodes(library[name], library, seen)
