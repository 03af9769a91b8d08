"""The attributes of a torch model in ONNX's terms: arguments of an ExportedProgram's calls, or settings of nn.Modules.

TorchScript holds them as constants in its code, which is left alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from safeconvert.adapter_api.attributes import Layer, set_attributes
from safeconvert.adapter_api.changes import AttributeChange
from safeconvert.errors import UnusableInput

_aten = torch.ops.aten
# ONNX operator, and for each of its attributes the position of the argument and what stands for it where it is absent
_CALLS: Mapping[Any, tuple[str, Mapping[str, tuple[int, Any]]]] = {
    _aten.conv1d.default: ("Conv", {"strides": (3, 1), "pads": (4, 0), "dilations": (5, 1), "group": (6, 1)}),
    _aten.conv2d.default: ("Conv", {"strides": (3, 1), "pads": (4, 0), "dilations": (5, 1), "group": (6, 1)}),
    _aten.conv3d.default: ("Conv", {"strides": (3, 1), "pads": (4, 0), "dilations": (5, 1), "group": (6, 1)}),
    _aten.leaky_relu.default: ("LeakyRelu", {"alpha": (1, 0.01)}),
    _aten.elu.default: ("Elu", {"alpha": (1, 1.0)}),
    _aten.batch_norm.default: ("BatchNormalization", {"epsilon": (7, 1e-5)}),
    _aten.layer_norm.default: ("LayerNormalization", {"epsilon": (4, 1e-5)}),
    _aten.hardtanh.default: ("Clip", {"min": (1, -1.0), "max": (2, 1.0)}),
    _aten.clamp.default: ("Clip", {"min": (1, None), "max": (2, None)}),
    _aten.softmax.int: ("Softmax", {"axis": (1, -1)}),
}
_MODULES: Mapping[type, tuple[str, Mapping[str, str]]] = {
    torch.nn.Conv1d: ("Conv", {"strides": "stride", "pads": "padding", "dilations": "dilation"}),
    torch.nn.Conv2d: ("Conv", {"strides": "stride", "pads": "padding", "dilations": "dilation"}),
    torch.nn.Conv3d: ("Conv", {"strides": "stride", "pads": "padding", "dilations": "dilation"}),
    torch.nn.LeakyReLU: ("LeakyRelu", {"alpha": "negative_slope"}),
    torch.nn.ELU: ("Elu", {"alpha": "alpha"}),
    torch.nn.BatchNorm1d: ("BatchNormalization", {"epsilon": "eps"}),
    torch.nn.BatchNorm2d: ("BatchNormalization", {"epsilon": "eps"}),
    torch.nn.LayerNorm: ("LayerNormalization", {"epsilon": "eps"}),
    torch.nn.Hardtanh: ("Clip", {"min": "min_val", "max": "max_val"}),
    torch.nn.ReLU6: ("Clip", {"min": "min_val", "max": "max_val"}),
    torch.nn.Softmax: ("Softmax", {"axis": "dim"}),
}
_SPATIAL = {"strides", "pads", "dilations"}


def set_in_program(program: Any, changes: Sequence[AttributeChange]) -> None:
    """Set arguments of an ExportedProgram's calls. Raises UnusableInput where a change is not one call's argument."""
    graph = program.graph_module.graph
    held = {**program.state_dict, **program.constants}
    signature = program.graph_signature
    names = {
        **signature.inputs_to_parameters,
        **signature.inputs_to_buffers,
        **signature.inputs_to_lifted_tensor_constants,
    }
    layers = []
    for node in graph.nodes:
        if node.op != "call_function" or node.target not in _CALLS:
            continue
        operator, indices = _CALLS[node.target]
        tensors = [held[names[entry.name]] for entry in node.all_input_nodes if entry.name in names]
        weights = tuple(tensor.detach().numpy() for tensor in tensors if tensor.dim() >= 2)
        rank = weights[0].ndim - 2 if operator == "Conv" and weights else 0
        settings = {
            name: _in_onnx(name, node.args[index] if index < len(node.args) else default, rank)
            for name, (index, default) in indices.items()
        }

        def put(name: str, value: Any, node: Any = node, indices: Any = indices) -> None:
            index = indices[name][0]
            missing = [indices[other][1] for other in indices if len(node.args) <= indices[other][0] < index]
            if len(node.args) + len(missing) < index:
                raise UnusableInput(f"call {node.name}: argument {index} cannot be added")
            arguments = [*node.args, *missing][: max(index, len(node.args))]
            arguments[index : index + 1] = [_in_torch(name, value, node.name)]
            node.args = tuple(arguments)

        layers.append(Layer(node.name, operator, settings, weights, put))
    set_attributes(layers, changes)
    program.graph_module.recompile()


def set_in_module(module: torch.nn.Module, changes: Sequence[AttributeChange]) -> None:
    """Set attributes of the modules in a module. Raises UnusableInput where a change is not one module's."""
    layers = []
    for path, part in module.named_modules():
        if type(part) not in _MODULES:
            continue
        operator, names = _MODULES[type(part)]
        weights = tuple(value.detach().numpy() for value in part.parameters(recurse=False) if value.dim() >= 2)
        rank = weights[0].ndim - 2 if operator == "Conv" and weights else 0
        settings = {name: _in_onnx(name, getattr(part, own), rank) for name, own in names.items()}

        def put(name: str, value: Any, part: Any = part, names: Any = names, path: str = path) -> None:
            wanted = _in_torch(name, value, path)
            setattr(part, names[name], tuple(wanted) if isinstance(wanted, list) else wanted)

        layers.append(Layer(path, operator, settings, weights, put))
    set_attributes(layers, changes)


def _in_onnx(name: str, value: Any, rank: int) -> Any:
    if name not in _SPATIAL:
        return value
    sizes = list(value) if isinstance(value, list | tuple) else [value] * rank
    sizes = sizes * rank if len(sizes) == 1 else sizes
    return [*sizes, *sizes] if name == "pads" else sizes


def _in_torch(name: str, value: Any, node: str) -> Any:
    if name != "pads":
        return value
    half = len(value) // 2
    if list(value[:half]) != list(value[half:]):
        raise UnusableInput(f"{node}: torch pads both ends alike, not {value}")
    return list(value[:half])
