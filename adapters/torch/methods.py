"""The methods of a TorchScript archive."""

from __future__ import annotations

from typing import Any

import torch


def uncalled_methods(module: Any) -> list[str]:
    """Methods that a caller can call and forward() does not, sorted; [] of a module that is no TorchScript."""
    if not isinstance(module, torch.jit.ScriptModule):
        return []
    methods = set(module._c._method_names())
    called, todo = set[str](), ["forward"]
    while todo:
        name = todo.pop()
        called.add(name)
        nodes = module._c._get_method(name).graph.findAllNodes("prim::CallMethod", recurse=True)
        todo += {node.s("name") for node in nodes} & methods - called
    return sorted(name for name in methods - called if not name.startswith("_"))
