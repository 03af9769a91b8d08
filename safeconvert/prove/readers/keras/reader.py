"""A Keras file of a Functional or Sequential model as an ONNX graph, with the names and the order of its inputs and outputs."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import onnx

from safeconvert.prove.kernel.terms import Refused
from safeconvert.prove.readers.keras.archive import Archive, Weights, opened, places_of
from safeconvert.prove.readers.keras.calls import Call, Place, Reference, calls_of, places
from safeconvert.prove.readers.keras.layer import Layer, Tensor
from safeconvert.prove.readers.keras.operation import Operation
from safeconvert.prove.readers.keras.operations import OPERATIONS
from safeconvert.prove.readers.keras.table import LAYERS
from safeconvert.prove.readers.writer import Input, Writer

_KINDS = {"float32": onnx.TensorProto.FLOAT, "int32": onnx.TensorProto.INT32, "int64": onnx.TensorProto.INT64}
_FILL = {"Pad": {"constant_values"}}
"""By operation the arguments that may be given by name, behind those in order."""
_MODELS = {"Functional", "Model", "Sequential"}


def read_keras(content: bytes) -> onnx.ModelProto:
    """The graph of a file. Raises Refused, naming what is not known."""
    try:
        return _read(opened(content))
    except (
        OSError,
        ValueError,
        KeyError,
        IndexError,
        TypeError,
        AttributeError,
        zipfile.BadZipFile,
        RecursionError,
    ) as error:
        raise Refused(f"the file is damaged, or of another version ({type(error).__name__}: {error})") from error


def _read(archive: Archive) -> onnx.ModelProto:
    model, write = archive.configuration, Writer()
    given = _inputs(model)
    made = _model(
        write,
        archive,
        model,
        "",
        [Tensor(one.name, len(one.shape), one.kind) for one in given],
    )
    outputs = [(Input(f"output_{n}" if len(made) > 1 else "output", t.kind, (None,) * t.rank), t.name)
               for n, t in enumerate(made)]  # fmt: skip
    return write.model(given, outputs)


def _inputs(model: Mapping[str, Any]) -> list[Input]:
    """The inputs, as the layers that stand for them say."""
    _known(model)
    config = model["config"]
    layers = {layer["config"]["name"]: layer for layer in config["layers"]}
    names = (
        [config["layers"][0]["config"]["name"]]
        if model["class_name"] == "Sequential"
        else [p[0] for p in places(config["input_layers"])]
    )
    found = []
    for name in names:
        own = layers[name]["config"]
        shape = own.get("batch_shape", own.get("batch_input_shape"))
        if layers[name]["class_name"] != "InputLayer" or shape is None or own.get("sparse") or own.get("ragged"):
            raise Refused(f"the layer {name} says no input's shape")
        if own.get("dtype") not in _KINDS:
            raise Refused(f"the input {name} is of the type {own.get('dtype')}")
        found.append(Input(name, _KINDS[own["dtype"]], tuple(None if size is None else int(size) for size in shape)))
    return found


def _model(
    write: Writer, archive: Archive, model: Mapping[str, Any], place: str, inputs: Sequence[Tensor]
) -> list[Tensor]:
    """The outputs of a model, whole or within another, on inputs."""
    _known(model)
    config = model["config"]
    layers = config["layers"]
    saved = [layer for layer in layers if layer.get("module") not in OPERATIONS]
    weights, within = archive.weights(place, saved), places_of(place, saved)
    if model["class_name"] == "Sequential":
        [tensor] = inputs
        for layer in layers:
            if layer["class_name"] != "InputLayer":
                [tensor] = _called(write, archive, (layer, within, weights), [tensor], {})
        return [tensor]
    known = dict(zip(places(config["input_layers"]), inputs, strict=True))
    waiting: list[tuple[Mapping[str, Any], int, Call]] = [
        (layer, number, call) for layer in layers if layer["class_name"] != "InputLayer" for number, call in enumerate(calls_of(layer))
    ]  # fmt: skip
    while waiting:
        later = []
        for layer, number, call in waiting:
            if not all(one in known for one in call.references()):
                later.append((layer, number, call))
                continue
            if layer.get("module") in OPERATIONS:
                made = _operated(write, layer, call, known)
            else:
                read, settings = call.tensors()
                made = _called(write, archive, (layer, within, weights), [known[one] for one in read], settings)
            known.update({(layer["config"]["name"], number, n): tensor for n, tensor in enumerate(made)})
        if len(later) == len(waiting):
            raise Refused(f"the layer {later[0][0]['config']['name']} reads what nothing makes")
        waiting = later
    return [known[one] for one in places(config["output_layers"])]


def _operated(write: Writer, layer: Mapping[str, Any], call: Call, known: Mapping[Place, Tensor]) -> list[Tensor]:
    """What an operation makes. Raises Refused for one that is unknown, or called by names."""
    kind, rules = layer["class_name"], OPERATIONS[layer["module"]]
    if (
        kind not in rules
        or layer.get("registered_name") not in (None, kind)
        or set(call.settings) - _FILL.get(kind, set())
    ):
        raise Refused(f"the operation {layer['module']}.{layer.get('registered_name') or kind}")

    def tensor(value: Any) -> Any:
        if isinstance(value, list):
            return [tensor(one) for one in value]
        return known[value.place] if isinstance(value, Reference) else value

    given = [tensor(one) for one in (*call.arguments, *call.settings.values())]
    made = rules[kind](Operation(write, kind, layer["config"], given))
    return made if isinstance(made, list) else [made]


def _called(
    write: Writer, archive: Archive, known: tuple[Mapping[str, Any], Mapping[str, str], Weights], inputs: Sequence[Tensor],
    settings: Mapping[str, Any],
) -> list[Tensor]:  # fmt: skip
    layer, within, weights = known
    name, kind = str(layer["config"]["name"]), layer["class_name"]
    if kind in _MODELS:
        if settings:
            raise Refused(f"the model {name} is called with {sorted(settings)}")
        return _model(write, archive, layer, within[name], inputs)
    policy = _policy(layer)
    entry = LAYERS[kind]
    if settings.keys() - entry.idle and kind != "MultiHeadAttention":
        raise Refused(f"{kind}: called with {sorted(settings)}")
    held = weights(name, entry.parts)[: entry.used]
    if any(array.dtype != policy for array in held):
        raise Refused(f"{kind}: has weights that are not {policy}")
    return [entry.rule(Layer(write, kind, layer["config"], held, tuple(inputs), settings))]


def _known(model: Mapping[str, Any]) -> None:
    if model["class_name"] not in _MODELS or model.get("registered_name") not in (None, model["class_name"]):
        raise Refused(f"a model of the class {model.get('registered_name') or model['class_name']}")


def _policy(layer: Mapping[str, Any]) -> str:
    """The type that a layer computes in. Raises Refused for a layer that is not Keras' own, unknown, or of other than float32; tables may hold integers."""
    kind, config = layer["class_name"], layer["config"]
    module = layer.get("module", "keras.layers")
    if kind not in LAYERS or module != LAYERS[kind].module or layer.get("registered_name") not in (None, kind):
        raise Refused(f"the layer {module}.{layer.get('registered_name') or kind}")
    policy = config.get("dtype", "float32")
    policy = policy.get("config", {}).get("name") if isinstance(policy, dict) else policy
    taken = _KINDS if kind == "Embedding" else {"float32"}
    if policy not in taken or config.get("quantization_config") is not None:
        raise Refused(f"{kind}: computes in {policy}, or is quantised")
    return str(policy)
