"""The kinds of faults that are looked for between cut points, in the order in which their differences are listed.

To add one, write its module beside the others and add its line; see docs/adding-a-fault-kind.md.
"""

from __future__ import annotations

from safeconvert.localize.kinds import Kind
from safeconvert.repair import computation_graph, hyperparameters, tensor_structure, weights

KINDS: tuple[Kind, ...] = (
    computation_graph.KIND,
    tensor_structure.KIND,
    weights.KIND,
    hyperparameters.KIND,
)
