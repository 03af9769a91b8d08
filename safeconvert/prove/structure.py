"""Are two graphs the same but for names and the order in which nodes are listed?

Each tensor gets a digest of the operator that makes it, of its attributes with defaults written out, and of the digests of
what it reads; constants count by value. Two graphs whose outputs have the same digests are isomorphic with equal weights,
so that they compute the same on every input, not only on those that were tried.
"""

from __future__ import annotations

import hashlib
import json

import numpy as np

from safeconvert.graph.attributes import attributes
from safeconvert.graph.view import GraphView

_COMMUTATIVE = {"Add", "Mul", "Max", "Min", "Sum", "And", "Or", "Xor", "Equal"}


def same_structure(one: GraphView, two: GraphView) -> bool:
    """Whether two tidied graphs are isomorphic with equal weights; inputs and outputs correspond in order."""
    return len(one.outputs) == len(two.outputs) and _outputs(one) == _outputs(two)


def _outputs(view: GraphView) -> list[str]:
    digests = {"": ""}
    for index, name in enumerate(view.inputs):
        digests[name] = f"input {index}"
    for name, value in view.constants.items():
        kept = np.ascontiguousarray(value)
        header = f"constant {kept.dtype.str} {kept.shape}".encode()
        digests[name] = hashlib.sha256(header + kept.tobytes()).hexdigest()
    shapes = {name: value.shape for name, value in view.constants.items()}
    for node in view.nodes:
        read = [digests[name] for name in node.input]
        if node.op_type in _COMMUTATIVE:
            read.sort()
        known = [shapes.get(name) for name in node.input]
        settings = json.dumps(attributes(node, view.opset, known), sort_keys=True, default=str)
        made = f"{node.domain} {node.op_type} {settings} {' '.join(read)}"
        for index, name in enumerate(node.output):
            digests[name] = hashlib.sha256(f"{index} {made}".encode()).hexdigest()
    return [digests[name] for name in view.outputs]
