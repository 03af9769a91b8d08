"""What the code of a model computes with: plain values of Python, sizes that are free, and tensors that may be written into."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from safeconvert.prove.kernel.terms import Refused
from safeconvert.prove.readers.torch.call import Tensor
from safeconvert.prove.readers.torchscript.archive import Module


@dataclass(frozen=True)
class Size:
    """A number that depends on free sizes: the name of a tensor of one integer."""

    name: str


@dataclass(frozen=True)
class Bound:
    """A function of the file's code, and the module that it is a method of."""

    name: str
    code: ast.FunctionDef
    module: Module | None = None


@dataclass
class Group:
    """Tensors that may share their numbers; `given` where the file or the caller holds them too."""

    given: bool
    members: list[Box] = field(default_factory=list)


@dataclass(eq=False)
class Box:
    """A tensor, which operators may write into: from then on it is another, and whatever shares its numbers cannot be told."""

    _tensor: Tensor
    group: Group
    _stale: str = ""

    def __post_init__(self) -> None:
        self.group.members.append(self)

    @property
    def tensor(self) -> Tensor:
        """The tensor as it is now. Raises Refused where something else was written into its numbers."""
        if self._stale:
            raise Refused(self._stale)
        return self._tensor

    def overwrite(self, tensor: Tensor, target: str) -> None:
        """Write into it. Raises Refused for what the caller or the file holds, and for numbers of another type or size."""
        if self.group.given:
            raise Refused(f"{target} writes into what is given")
        if (tensor.kind, tensor.shape) != (self._tensor.kind, self._tensor.shape):
            raise Refused(f"{target} writes numbers of another type or size")
        for one in self.group.members:
            one._stale = f"{target} writes into numbers that are read elsewhere"
        self._tensor, self._stale = tensor, ""


@dataclass(frozen=True)
class Missing:
    """What an operator that is not known would give: an error where it is read."""

    reason: str
