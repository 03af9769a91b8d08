"""One call of an aten operator as its rule sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx

from safeconvert.prove.kernel.terms import Refused
from safeconvert.prove.readers.writer import Writer

Sizes = tuple[int | None, ...]


@dataclass(frozen=True)
class Tensor:
    """A tensor: its name in the graph, its sizes (None where free), and its element type in ONNX."""

    name: str
    shape: Sizes
    kind: int

    @property
    def floating(self) -> bool:
        """Whether it holds numbers of float32."""
        return bool(self.kind == onnx.TensorProto.FLOAT)


@dataclass(frozen=True)
class Call:
    """A call: arguments by the names of the operator's schema, as torch's own schema writes them; those at their defaults are absent."""

    write: Writer
    target: str
    arguments: Mapping[str, Mapping[str, Any]]
    tensors: Mapping[str, Tensor]
    outputs: tuple[Tensor, ...]

    def tensor(self, name: str = "self") -> Tensor:
        """A tensor that is given. Raises Refused where it is another thing."""
        found = self.optional(name)
        if found is None:
            raise Refused(f"{self.target}: {name} is no tensor")
        return found

    def optional(self, name: str) -> Tensor | None:
        """A tensor, or None where none is given."""
        given = self.arguments.get(name, {"as_none": True})
        if "as_tensor" in given:
            return self.tensors[given["as_tensor"]["name"]]
        if "as_none" in given:
            return None
        raise Refused(f"{self.target}: {name} is {next(iter(given))}")

    def listed(self, name: str) -> list[Tensor]:
        """A list of tensors."""
        return [self.tensors[one["name"]] for one in self.arguments[name]["as_tensors"]]

    def value(self, name: str, default: Any) -> Any:
        """A number, word, truth, or list of numbers that is constant; None where it is given so. Raises Refused for one that is computed."""
        if name not in self.arguments:
            return default
        [(kind, found)] = self.arguments[name].items()
        if kind == "as_none":
            return None
        if kind in ("as_int", "as_float", "as_bool", "as_string", "as_ints", "as_floats", "as_bools"):
            return found
        if kind == "as_sym_ints" and all("as_int" in one for one in found):
            return [one["as_int"] for one in found]
        raise Refused(f"{self.target}: {name} is {kind}")

    def only(self, **wanted: Any) -> None:
        """Raises Refused where an argument is given as another than this one."""
        for name, value in wanted.items():
            if self.value(name, value) != value:
                raise Refused(f"{self.target}: {name} is {self.value(name, value)}")

    def numbers(self, name: str, count: int, default: int) -> list[int]:
        """A list of a number for each of some axes; one number stands for all."""
        found = self.value(name, [default] * count)
        found = list(found) if isinstance(found, list) else [found]
        return found * count if len(found) == 1 else found

    def sizes(self, name: str, stays: int = -1) -> str:
        """A list of sizes, some of which may be computed, as a tensor; `stays` is what is written for -1."""
        [(kind, found)] = self.arguments[name].items()
        if kind == "as_ints":
            return self.write.integers(*(stays if size == -1 else size for size in found))
        if kind != "as_sym_ints":
            raise Refused(f"{self.target}: {name} is {kind}")
        parts = [
            self.write.integers(stays if one["as_int"] == -1 else one["as_int"])
            if "as_int" in one
            else self.tensors[one["as_name"]].name
            for one in found
        ]
        return self.write("Concat", *parts, axis=0)

    def integer(self, name: str, default: int) -> str:
        """An integer, which may be computed, as a list of one. Raises Refused for any other number."""
        given = self.arguments.get(name, {"as_none": True})
        [(kind, found)] = given.items()
        if kind == "as_sym_int" and "as_name" in found:
            return self.tensors[found["as_name"]].name
        value = found["as_int"] if kind == "as_sym_int" else self.value(name, default)
        value = default if value is None else value
        if int(value) != value:
            raise Refused(f"{self.target}: {name} is {value}")
        return self.write.integers(int(value))

    def operand(self, name: str, kind: int | None = None) -> str:
        """A tensor, or a number of a type, the result's where none is given."""
        given = self.arguments[name]
        if "as_tensor" in given:
            return self.tensors[given["as_tensor"]["name"]].name
        wanted = onnx.helper.tensor_dtype_to_np_dtype(self.outputs[0].kind if kind is None else kind)
        return self.write.constant(np.asarray(self.value(name, None), wanted))

    def only_float(self, name: str = "self") -> Tensor:
        """A tensor of float32. Raises Refused for any other."""
        found = self.tensor(name)
        if not found.floating:
            raise Refused(f"{self.target}: of another type than float32")
        return found


Rule = Callable[[Call], Sequence[str]]
"""Names of a call's outputs in the graph. Raises Refused for what it does not know."""


def size(call: Call, tensor: Tensor, axis: int) -> int:
    """A size of a tensor. Raises Refused where it is free."""
    found = tensor.shape[axis]
    if found is None:
        raise Refused(f"{call.target}: a size is free")
    return found
