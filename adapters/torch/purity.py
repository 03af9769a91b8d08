"""What a PyTorch model's outputs depend on beside its inputs: random numbers that it draws, and state of its own that its calls change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from .._shared.torch_files import TorchFile


class Watch:
    """What the calls of a model draw and change; entered around each call.

    Random numbers are seen by the state of PyTorch's generator, and state by what it is behind a call, so that nothing counts that
    stands in a branch that is not run.
    """

    def __init__(self, file: TorchFile) -> None:
        self._file = file
        self._drew = False
        self._begun = torch.empty(0)
        self._names = tuple(_assigned(file))
        self._before = dict(_state(file.module, self._names))

    def __enter__(self) -> None:
        self._begun = torch.get_rng_state()

    def __exit__(self, *_: object) -> None:
        self._drew |= not torch.equal(self._begun, torch.get_rng_state())

    def found(self) -> list[str]:
        """A line each, of the calls so far."""
        now = dict(_state(self._file.module, self._names))
        changed = [name for name, before in self._before.items() if not _same(before, now.get(name))]
        drawn = ["draws random numbers"] if self._drew else []
        return [*drawn, *(f"changes its own {name} while it runs" for name in changed)]


def _assigned(file: TorchFile) -> Iterator[str]:
    """Attributes that the code of a TorchScript archive assigns to."""
    if file.kind == "torchscript":
        graph = file.module.inlined_graph  # its nodes live as long as it does
        yield from sorted({node.s("name") for node in graph.findAllNodes("prim::SetAttr", recurse=True)})


def _state(module: Any, names: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    """Parameters, buffers and these attributes of any submodule, tensors with how often they were written in place."""
    for name, tensor in module.state_dict(keep_vars=True).items():
        if torch.is_tensor(tensor):
            yield name, _mark(tensor)
    for path, part in module.named_modules() if names else ():
        for name in names:
            if hasattr(part, name):
                yield f"{path}.{name}".lstrip("."), _mark(getattr(part, name))


def _mark(value: Any) -> Any:
    """What tells whether it was changed; of a tensor also the tensor, so that no other takes its place in memory meanwhile."""
    if not torch.is_tensor(value):
        return value
    return value, value.data_ptr(), 0 if value.is_inference() else value._version


def _same(before: Any, now: Any) -> bool:
    if isinstance(before, tuple) and isinstance(now, tuple) and before and torch.is_tensor(before[0]):
        return before[1:] == now[1:]
    return type(before) is type(now) and bool(before == now)
