"""The lists of operators that a model file may hold; everything else is refused by name.

An operator is on a list because it computes outputs from inputs and touches nothing else: no file, no other process, no code.
`tests/attacks/operator_lists.py` makes the lists and states the rules.
"""

from __future__ import annotations

import functools
from pathlib import Path

_FOLDER = Path(__file__).parent / "operators"


@functools.cache
def torch_operators() -> frozenset[str]:
    """`namespace::name` of the operators of TorchScript archives and ExportedPrograms."""
    return frozenset((_FOLDER / "torch.txt").read_text(encoding="ascii").split())


@functools.cache
def tensorflow_operators() -> frozenset[str]:
    """Names of the operators of TensorFlow graphs."""
    return frozenset((_FOLDER / "tensorflow.txt").read_text(encoding="ascii").split())
