"""Calls of aten operators from TorchScript, by the table that ExportedPrograms are read by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import onnx
from onnx import helper

from safeconvert.prove.kernel.terms import Array, Refused
from safeconvert.prove.readers.torch.aliases import FRESH
from safeconvert.prove.readers.torch.call import Call, Sizes, Tensor
from safeconvert.prove.readers.torch.table import OPERATORS
from safeconvert.prove.readers.torchscript.arrays import Arrays
from safeconvert.prove.readers.torchscript.facts import Facts
from safeconvert.prove.readers.torchscript.plain import plain
from safeconvert.prove.readers.torchscript.signatures import FACTORIES, signed
from safeconvert.prove.readers.torchscript.values import Box, Group, Missing, Size
from safeconvert.prove.readers.writer import Writer

_FREE = ("other", "exponent", "value", "alpha", "min", "max")
"""Arguments of which a tensor of no axes counts as a number, as torch counts it where types are chosen."""
_PARTS = ("split", "split_with_sizes", "chunk", "unbind")
_SEVERAL = {"max": 2, "min": 2, "_native_multi_head_attention": 2, "lstm": 3, "gru": 2}
"""Operators that give several tensors, and how many."""
_SAME = ("NumToTensor", "Int", "Float", "item", "tolist", "ScalarImplicit", "IntImplicit")
_ASKED = frozenset(
    ("dim", "size", "len", "dtype", "is_floating_point", "device", "numel", "is_nested", "__is__", "__isnot__", "append", "__getitem__",
     "__contains__", "requires_grad", "is_cuda", "_set_item", "list")
)  # fmt: skip
"""What is asked of tensors, or done to lists of them, and computes nothing."""
_UNKNOWN = Tensor("", (), 0)
_PROMOTING = ("add", "sub", "mul", "div")
_PROMOTED = {onnx.TensorProto.FLOAT, onnx.TensorProto.BOOL, onnx.TensorProto.INT32, onnx.TensorProto.INT64}
"""Of a float32 tensor and these, torch makes float32 whatever their axes."""


@dataclass
class Aten:
    """Writes operators into a graph."""

    write: Writer
    facts: Facts
    arrays: Arrays = field(default_factory=Arrays)
    _constants: dict[int, tuple[Array, Box]] = field(default_factory=dict)

    def __call__(self, name: str, args: list[Any], keywords: Mapping[str, Any]) -> Any:
        """Call an operator, as the code of a model names it."""
        space, _, name = name.rpartition(".")
        if name == "RaiseException":
            raise Refused("the model raises an error at these sizes")
        if name in _SAME and len(args) == 1 and not isinstance(args[0], Box | np.ndarray):
            return args[0]
        if space not in ("", "aten", "prim"):
            raise Refused(f"the operator {space}.{name}")
        given = [*args[:1], *map(_number, args[1:])]
        if self.arrays.knows(name, given, keywords):
            return self.arrays(name, given, keywords)
        if name.endswith("_") and not name.endswith("__") and isinstance(given[0], np.ndarray):
            raise Refused(f"{name} writes into what is given")
        if _plain(given) and name not in FACTORIES:
            return plain(self.write, name, list(map(_number, given)), keywords)
        if name in _ASKED:
            return self._asked(name, given, keywords)
        return self._computed(name, given, keywords)

    def _asked(self, name: str, args: list[Any], keywords: Mapping[str, Any]) -> Any:
        """What is asked of a tensor, or of a list of some."""
        if not isinstance(args[0], Box | np.ndarray):
            return plain(self.write, name, args, keywords)
        if name in ("__is__", "__isnot__"):
            return (args[0] is args[1]) == (name == "__is__")
        tensor = self._tensor(args[0])
        if name == "dim":
            return len(tensor.shape)
        if name in ("size", "len"):
            places = range(len(tensor.shape))
            if name == "size" and len(args) == 1:
                return [self._size(tensor, axis) for axis in places]
            return self._size(tensor, places[args[1] if name == "size" else 0])
        if name == "dtype":
            return _number_of(tensor.kind)
        if name == "is_floating_point":
            return tensor.floating
        if name in ("is_nested", "requires_grad", "is_cuda"):
            return False
        if name == "device":
            return "cpu"
        raise Refused(f"the operator {name} of a tensor")

    def _size(self, tensor: Tensor, axis: int) -> int | Size:
        found = tensor.shape[axis]
        return found if found is not None else Size(self.write("Shape", tensor.name, start=axis, end=axis + 1))

    def _tensor(self, one: Box | Array) -> Tensor:
        return self.boxed(one).tensor

    def boxed(self, one: Box | Array) -> Box:
        """A tensor of the graph; weights and constants become one of its constants."""
        if isinstance(one, Box):
            return one
        self.arrays.hand_over(one)
        if id(one) not in self._constants:
            name = self.write.constant(one)
            tensor = Tensor(name, one.shape, helper.np_dtype_to_tensor_dtype(one.dtype))
            self._constants[id(one)] = one, Box(tensor, Group(given=True))
        return self._constants[id(one)][1]

    def _computed(self, name: str, args: list[Any], keywords: Mapping[str, Any]) -> Any:
        writes = name.endswith("_") and not name.endswith("__")
        plainly = name.removesuffix("_") if writes else name
        if (
            args
            and isinstance(args[0], np.ndarray)
            and args[0].ndim == 0
            and len(args) > 1
            and isinstance(args[1], Box)
        ):
            args = [args[0].astype(helper.tensor_dtype_to_np_dtype(args[1].tensor.kind)), *args[1:]]
        if plainly == "dropout" and writes:
            writes = False  # at inference it changes nothing; its rule refuses it in training
        try:
            target, given = signed(plainly, args, keywords)
        except ValueError as error:
            raise Refused(str(error)) from error
        rule = OPERATORS.get(target)
        if rule is None:
            if writes:
                raise Refused(f"the operator {target}")
            return Missing(f"the operator {target}")
        boxes: list[Box] = []
        known: dict[str, Tensor] = {}
        arguments = {key: self._argument(key, one, boxes, known) for key, one in given.items()}
        outputs = self._expected(plainly, given, [box.tensor for box in boxes])
        made = rule(Call(self.write, target, arguments, known, outputs))
        tensors = [self.facts.tensor(one) for one in made]
        if writes:
            boxes[0].overwrite(tensors[0], target)
            return boxes[0]
        fresh = target.startswith(FRESH) and made[0] not in known
        group = Group(given=False) if fresh or not boxes else _joined(boxes)
        results = [Box(tensor, group) for tensor in tensors]
        if plainly in _PARTS:
            return results
        unread = [Missing(f"another output of {target}")] * (_SEVERAL.get(plainly, 1) - len(results))
        return (*results, *unread) if plainly in _SEVERAL and not target.endswith(".other") else results[0]

    def _argument(self, key: str, one: Any, boxes: list[Box], known: dict[str, Tensor]) -> dict[str, Any]:
        """An argument as torch's schema of ExportedPrograms writes it."""
        if isinstance(one, Box | np.ndarray):
            boxes.append(self.boxed(one))
            known[boxes[-1].tensor.name] = boxes[-1].tensor
            return {"as_tensor": {"name": boxes[-1].tensor.name}}
        if isinstance(one, Missing):
            raise Refused(one.reason)
        if one is None:
            return {"as_none": True}
        if isinstance(one, Size):
            known[one.name] = self.facts.tensor(one.name)
            return {"as_sym_int": {"as_name": one.name}}
        if isinstance(one, bool):
            return {"as_bool": one}
        if key == "dtype" and isinstance(one, int):
            return {"as_scalar_type": one + 1}
        if isinstance(one, int | float | str):
            return {f"as_{type(one).__name__.replace('str', 'string')}": one}
        if isinstance(one, list | tuple):
            return self._listed(key, list(one), boxes, known)
        raise Refused(f"an argument {key} that is a {type(one).__name__}")

    def _listed(self, key: str, items: list[Any], boxes: list[Box], known: dict[str, Tensor]) -> dict[str, Any]:
        if any(isinstance(one, Box | np.ndarray) for one in items):
            entries = [self._argument(key, one, boxes, known) for one in items]
            if all("as_tensor" in one for one in entries):
                return {"as_tensors": [one["as_tensor"] for one in entries]}
            return {"as_optional_tensors": entries}
        if any(isinstance(one, Size) for one in items):
            return {
                "as_sym_ints": [
                    {"as_int": one} if isinstance(one, int) else self._argument(key, one, boxes, known)["as_sym_int"]
                    for one in items
                ]
            }
        for kind, word in ((bool, "as_bools"), (int, "as_ints"), ((int, float), "as_floats")):
            if all(isinstance(one, kind) for one in items):
                return {word: items}
        raise Refused(f"an argument {key} of several kinds")

    def _expected(self, name: str, given: Mapping[str, Any], tensors: list[Tensor]) -> tuple[Tensor, ...]:
        """What torch would say that a call gives, as far as rules ask for it: types, and the sizes of parts."""
        if name in _PARTS:
            return tuple(Tensor("", shape, tensors[0].kind) for shape in _parts(name, given, tensors[0].shape))
        if isinstance(given.get("dtype"), int):
            return (replace(_UNKNOWN, kind=_kind_of(given["dtype"])),)
        if name in FACTORIES:
            return (replace(_UNKNOWN, kind=_made_kind(name, given)),)
        kinds = {one.kind for one in tensors}
        if name == "cumsum" and not tensors[0].floating:
            return (replace(_UNKNOWN, kind=onnx.TensorProto.INT64),)
        if name in _PROMOTING and onnx.TensorProto.FLOAT in kinds and kinds <= _PROMOTED:
            return (replace(_UNKNOWN, kind=onnx.TensorProto.FLOAT),)
        if len(kinds) != 1:
            return (_UNKNOWN,)
        [kind] = kinds
        broken = name == "div" or any(isinstance(given.get(word), float) for word in ("other", "exponent"))
        floating = kind in (onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE, onnx.TensorProto.FLOAT16)
        return (replace(_UNKNOWN, kind=kind if floating or not broken else onnx.TensorProto.FLOAT),)


def _made_kind(name: str, given: Mapping[str, Any]) -> int:
    """The type of what is made of numbers, where none is named: of zeros and ones float32, else that of the numbers."""
    numbers = [given[word] for word in ("fill_value", "start", "end", "step") if given.get(word) is not None]
    if name in ("zeros", "ones") or any(isinstance(one, float) for one in numbers):
        return int(onnx.TensorProto.FLOAT)
    return int(onnx.TensorProto.BOOL if numbers and isinstance(numbers[0], bool) else onnx.TensorProto.INT64)


def _parts(name: str, given: Mapping[str, Any], shape: Sizes) -> list[Sizes]:
    axis = int(given.get("dim", 0)) % len(shape)
    held = shape[axis]
    if held is None or not all(
        isinstance(given.get(word, 0), int | list) for word in ("split_size", "chunks", "split_sizes")
    ):
        raise Refused(f"{name}: along a free size")
    if name == "unbind":
        return [shape[:axis] + shape[axis + 1 :]] * held
    if name == "split_with_sizes" or isinstance(given.get("split_size"), list):
        sizes = list(given["split_sizes" if name == "split_with_sizes" else "split_size"])
    else:
        most = given["split_size"] if name == "split" else -(-held // given["chunks"])
        sizes = [min(most, held - start) for start in range(0, held, most)]
    return [(*shape[:axis], size, *shape[axis + 1 :]) for size in sizes]


def _joined(boxes: list[Box]) -> Group:
    """One group of all that may share numbers."""
    group = boxes[0].group
    for box in boxes[1:]:
        if box.group is not group:
            group.given |= box.group.given
            for one in box.group.members:
                one.group = group
                group.members.append(one)
    return group


def _number(one: Any) -> Any:
    """A constant of no axes as a number."""
    return one.item() if isinstance(one, np.ndarray) and one.ndim == 0 else one


def _plain(given: Any) -> bool:
    """Whether there is no tensor in it that has axes, or is computed."""
    return not any(
        isinstance(one, Box)
        or (isinstance(one, np.ndarray) and one.ndim > 0)
        or (isinstance(one, list | tuple) and not _plain(one))
        for one in given
    )


def _kind_of(number: int) -> int:
    from safeconvert.prove.readers.torch.archive import kind_of

    return int(helper.np_dtype_to_tensor_dtype(np.dtype(kind_of(number + 1))))


def _number_of(kind: int) -> int:
    """torch's number of an element type in TorchScript."""
    for number in range(12):
        try:
            if _kind_of(number) == kind:
                return number
        except Refused:
            continue
    raise Refused("an element type that is not read")
