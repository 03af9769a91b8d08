"""The code of a model, evaluated: what is plain is computed, and what is a tensor is written as operators of a graph."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from safeconvert.prove.kernel.terms import Refused
from safeconvert.prove.readers.torchscript.archive import Module, Script
from safeconvert.prove.readers.torchscript.values import Bound, Box, Missing, Size

Operator = Callable[[str, list[Any], Mapping[str, Any]], Any]
"""Calls an operator by name, with arguments by place and by name."""
_MOST = 2_000_000
"""Statements and expressions, of a model that does not end."""
_TYPED = ("annotate", "unchecked_cast")
_NUMBERS = {"int": int, "float": float, "bool": bool, "str": str}


@dataclass
class Evaluator:
    """Evaluates functions of a file's code."""

    script: Script
    operator: Operator
    _count: int = 0

    def call(self, function: Bound, args: Iterable[Any], keywords: Mapping[str, Any]) -> Any:
        """What a function returns."""
        given = function.code.args
        names = [one.arg for one in given.args]
        placed = [*([] if function.module is None else [function.module]), *args]
        if len(placed) > len(names) or given.vararg or given.kwarg or given.kwonlyargs:
            raise Refused(f"{function.name}: takes {len(names)} arguments")
        frame = _Frame(self, {**dict(zip(names, placed, strict=False)), **keywords})
        for name, default in zip(names[::-1], given.defaults[::-1], strict=False):
            if name not in frame.names:
                frame.names[name] = frame.value(default)
        if missing := [name for name in names if name not in frame.names]:
            raise Refused(f"{function.name}: {missing[0]} is not given")
        frame.block(function.code.body)
        return frame.returned

    def method(self, module: Module, name: str) -> Bound:
        """A method of a module."""
        methods = self.script.classes[module.kind].methods
        if name not in methods:
            raise Refused(f"{module.kind} has no method {name}")
        return Bound(f"{module.kind}.{name}", methods[name], module)

    def step(self) -> None:
        """Count. Raises Refused where it does not end."""
        self._count += 1
        if self._count > _MOST:
            raise Refused("code that does not end")


@dataclass
class _Frame:
    """A function that is being evaluated."""

    run: Evaluator
    names: dict[str, Any]
    returned: Any = None
    left: str = field(default="")
    """Why the rest of a block is not run: `return`, `break` or `continue`."""

    def block(self, statements: list[ast.stmt]) -> None:
        for one in statements:
            self.run.step()
            self._statement(one)
            if self.left:
                return

    def _statement(self, one: ast.stmt) -> None:
        match one:
            case ast.Assign(targets=[target], value=value):
                self._bind(target, self.value(value))
            case ast.AnnAssign(target=ast.Name() as target, value=ast.expr() as value):
                self._bind(target, self.value(value))
            case ast.Expr(value=value):
                self.value(value)
            case ast.Return(value=value):
                self.returned = None if value is None else self.value(value)
                self.left = "return"
            case ast.If(test=test, body=body, orelse=orelse):
                self.block(body if self._truth(test) else orelse)
            case ast.For(target=target, iter=over, body=body, orelse=[]):
                for item in self._items(self.value(over)):
                    self._bind(target, item)
                    if not self._goes_on(body):
                        break
            case ast.While(test=test, body=body, orelse=[]):
                while self._truth(test) and self._goes_on(body):
                    pass
            case ast.Pass():
                pass
            case ast.Break():
                self.left = "break"
            case ast.Continue():
                self.left = "continue"
            case _:
                raise Refused(f"a statement {type(one).__name__}")

    def _goes_on(self, body: list[ast.stmt]) -> bool:
        """Run a loop's body once; whether it is run again."""
        self.run.step()
        self.block(body)
        left = self.left
        self.left = "return" if left == "return" else ""
        return left in ("", "continue")

    def _bind(self, target: ast.expr, value: Any) -> None:
        if isinstance(target, ast.Name):
            self.names[target.id] = value
        elif isinstance(target, ast.Tuple | ast.List):
            items = self._items(value)
            if len(items) != len(target.elts):
                raise Refused(f"{len(items)} values for {len(target.elts)} names")
            for one, item in zip(target.elts, items, strict=True):
                self._bind(one, item)
        else:
            raise Refused("a model that changes its attributes")

    def _truth(self, test: ast.expr) -> bool:
        found = _read(self.value(test))
        if not isinstance(found, bool):
            raise Refused("a branch on what is computed" if isinstance(found, Box) else f"a branch on {_told(found)}")
        return found

    def _items(self, value: Any) -> list[Any]:
        if not isinstance(value, list | tuple | range | dict):
            raise Refused(f"items of {_told(value)}")
        return list(value)

    def value(self, one: ast.expr) -> Any:
        """What an expression is."""
        self.run.step()
        match one:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name):
                if name not in self.names:
                    raise Refused(f"the name {name}")
                return _read(self.names[name])
            case ast.Attribute():
                return self._attribute(one)
            case ast.Call():
                return self._call(one)
            case ast.List(elts=elts):
                return [self.value(each) for each in elts]
            case ast.Tuple(elts=elts):
                return tuple(self.value(each) for each in elts)
            case ast.Dict(keys=keys, values=values):
                return {
                    self.value(key): self.value(each) for key, each in zip(keys, values, strict=True) if key is not None
                }
            case ast.Subscript(value=value, slice=place):
                return self.run.operator("__getitem__", [self.value(value), self.value(place)], {})
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self.value(operand)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return self.value(body if self._truth(test) else orelse)
            case _:
                raise Refused(f"an expression {type(one).__name__}")

    def _attribute(self, one: ast.Attribute) -> Any:
        path = _path(one)
        if path[:1] == ["CONSTANTS"] and len(path) == 2:
            return self.run.script.constants[int(path[1].removeprefix("c"))]
        if path[:1] == ["__torch__"]:
            name = ".".join(path)
            if name not in self.run.script.functions:
                raise Refused(f"the name {name}")
            return Bound(name, self.run.script.functions[name])
        return self._of(self.value(one.value), one.attr)

    def _of(self, value: Any, name: str) -> Any:
        """An attribute of a value. Modules are in inference mode, as they are run."""
        if isinstance(value, Module):
            if name == "training":
                return False
            if name in value.values:
                return _read(value.values[name])
            constants = self.run.script.classes[value.kind].constants
            if name in constants:
                return self.value(constants[name])
            return self.run.method(value, name)
        if isinstance(value, Named) and name in value.fields:
            return value[value.fields.index(name)]
        return self.run.operator(name, [value], {})

    def _call(self, one: ast.Call) -> Any:
        if isinstance(one.func, ast.Name):
            word = one.func.id
            if word in _TYPED:
                return self.value(one.args[1])
            if word == "uninitialized":
                return Missing("what no branch has set")
            if word == "getattr":
                return self._of(self.value(one.args[0]), str(self.value(one.args[1])))
        args = [self.value(each) for each in one.args]
        keywords = {str(each.arg): self.value(each.value) for each in one.keywords}
        path = _path(one.func) if isinstance(one.func, ast.Attribute) else []
        if path[:1] in (["torch"], ["ops"]):
            return self.run.operator(".".join(path[1:]), args, keywords)
        name = ".".join(path)
        if path[:1] == ["__torch__"] and name in self.run.script.classes:
            return self._made(name, args)
        if isinstance(one.func, ast.Name) and one.func.id not in self.names:
            return self._builtin(one.func.id, args)
        function = self.value(one.func)
        if not isinstance(function, Bound):
            raise Refused(f"a call of {_told(function)}")
        return self.run.call(function, args, keywords)

    def _made(self, name: str, args: list[Any]) -> Any:
        fields = self.run.script.classes[name].fields
        if len(fields) != len(args) or not fields:
            raise Refused(f"an object of {name}")
        made = Named(args)
        made.fields = fields
        return made

    def _builtin(self, word: str, args: list[Any]) -> Any:
        if word in _NUMBERS and len(args) == 1 and isinstance(args[0], int | float | str):
            return _NUMBERS[word](args[0])
        if word == "int" and len(args) == 1 and isinstance(args[0], Size):
            return args[0]
        if word == "range" and all(isinstance(one, int) for one in args):
            return range(*args)
        if word == "range":
            raise Refused("a loop of a free number of steps")
        return self.run.operator(word, args, {})


class Named(tuple[Any, ...]):
    """A named tuple."""

    fields: tuple[str, ...] = ()


def _read(value: Any) -> Any:
    if isinstance(value, Missing):
        raise Refused(value.reason)
    return value


def _told(value: Any) -> str:
    return "a free size" if isinstance(value, Size) else f"a {type(value).__name__}"


def _path(one: ast.expr) -> list[str]:
    """The names of a path that begins with a name that the language knows, or []."""
    names: list[str] = []
    while isinstance(one, ast.Attribute):
        names.append(one.attr)
        one = one.value
    if isinstance(one, ast.Name) and one.id in ("torch", "ops", "__torch__", "CONSTANTS"):
        return [one.id, *reversed(names)]
    return []
