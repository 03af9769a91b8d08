"""The names under which a torch program's calls are known to whoever wrote the model."""

from __future__ import annotations

import torch


def layer_of(node: torch.fx.Node) -> str:
    """The module that a call belongs to, by its path; with the call's own name where that is a module that holds others."""
    stack = list((node.meta.get("nn_module_stack") or {}).values())
    path, kind = stack[-1][:2] if stack else ("", "")
    path = str(path).removeprefix("L['self']").lstrip(".")
    if path and "torch.nn.modules" in str(kind) and "container" not in str(kind):
        return path
    held = next((str(read.target) for read in node.all_input_nodes if read.op == "get_attr"), "")
    if "." in held:
        return held.rpartition(".")[0]
    return f"{path}.{node.name}" if path else node.name
