"""The nesting of a program's inputs and outputs, as torch writes it in JSON.

torch imports the module that a `defaultdict` or an enumeration in it names, and writes the keys into the code that it generates.
"""

from __future__ import annotations

import json
import re
from typing import Any

_PLAIN = frozenset(
    {
        "builtins.tuple",
        "builtins.list",
        "builtins.dict",
        "collections.OrderedDict",
        "collections.deque",
        "builtins.slice",
    }
    | {f"torch.fx.immutable_collections.{name}" for name in ("immutable_list", "immutable_dict")}
    | {"torch.Size"}
)
_FACTORIES = frozenset({"dict", "list", "int", "float", "set", "str", "tuple"})
_KEY = re.compile(r"[\w.\-/: ]{0,200}")


def check_treespec(text: str) -> None:
    """Raise ValueError unless it is made of tuples, lists and dictionaries with plain keys, and arguments are called by identifiers."""
    try:
        protocol, spec = json.loads(text)
        _check(spec)
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError("no nesting of inputs and outputs") from error
    if protocol != 1:
        raise ValueError(f"a nesting of protocol {protocol!r}")
    _require_identifiers(spec)


def _check(spec: dict[str, Any]) -> None:
    kind, context = spec["type"], spec["context"]
    if kind == "collections.defaultdict":
        if context["default_factory_module"] != "builtins" or context["default_factory_name"] not in _FACTORIES:
            raise ValueError(f"imports {context['default_factory_module']}.{context['default_factory_name']}")
        _require_keys(context["dict_context"])
    elif kind is None:
        if context is not None:
            raise ValueError("a leaf with content")
    elif kind in _PLAIN:
        _require_keys(json.loads(context))
    else:
        raise ValueError(f"holds a {kind}, which is not one of Python's own containers")
    for child in spec["children_spec"]:
        _check(child)


def _require_keys(context: Any) -> None:
    """Keys are plain text or numbers; also as a deque's length."""
    for key in context if isinstance(context, list) else [context]:
        if not (key is None or isinstance(key, bool | int) or (isinstance(key, str) and _KEY.fullmatch(key))):
            raise ValueError(f"the key {str(key)[:60]!r} is not plain text")


def _require_identifiers(spec: dict[str, Any]) -> None:
    """The keys of the keyword arguments become names in generated code."""
    children = spec["children_spec"]
    if spec["type"] == "builtins.tuple" and len(children) == 2 and children[1]["type"] == "builtins.dict":
        for key in json.loads(children[1]["context"]) or ():
            if not (isinstance(key, str) and key.isidentifier()):
                raise ValueError(f"the argument {str(key)[:60]!r} is no identifier")
