"""Keras files that would run code, or read files of the machine: `python keras_files.py FOLDER`."""

from __future__ import annotations

import io
import json
import os
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

import h5py
import keras
import numpy as np
import tensorflow as tf
from places import Place, make_all, rewritten

NAME = "model.keras"


def dense() -> Any:
    """A net with one matrix of 8 times 8."""
    return keras.Sequential([keras.Input((8,)), keras.layers.Dense(8, use_bias=False, name="dense")])


def bytes_of(model: Any, place: Place) -> bytes:
    """The archive of a model."""
    path = place.folder / "made.keras"
    model.save(path)
    content = path.read_bytes()
    path.unlink()
    return content


def edited(place: Place, change: Callable[[dict[str, Any]], None], model: Any = None) -> None:
    """A model's archive with its configuration changed."""

    def run(data: bytes) -> bytes:
        loaded = json.loads(data)
        change(loaded)
        return json.dumps(loaded).encode()

    content = rewritten(bytes_of(model or dense(), place), {"config.json": run})
    (place.model / NAME).write_bytes(content)


def _layer(config: dict[str, Any]) -> Callable[[dict[str, Any]], None]:
    """Put a layer's configuration in the place of the dense one."""

    def change(loaded: dict[str, Any]) -> None:
        layers = loaded["config"]["layers"]
        layers[1] = {**layers[1], "build_config": None, **config}

    return change


def code_in_a_lambda(place: Place) -> None:
    """A Lambda whose function is stored as bytecode."""
    marker = place.marker
    function = eval(f"lambda x: (__import__('os').system('touch {marker}'), x)[1]")
    (place.model / NAME).write_bytes(
        bytes_of(keras.Sequential([keras.Input((8,)), keras.layers.Lambda(function)]), place)
    )


def code_in_an_older_file(place: Place) -> None:
    """The same in the HDF5 form."""
    marker = place.marker
    function = eval(f"lambda x: (__import__('os').system('touch {marker}'), x)[1]")
    keras.Sequential([keras.Input((8,)), keras.layers.Lambda(function)]).save(place.model / "model.h5")


def other_module(place: Place) -> None:
    """A class of another module, which Keras would import."""
    edited(place, _layer({"module": "os", "class_name": "system", "config": {"command": f"touch {place.marker}"}}))


def other_function(place: Place) -> None:
    """An activation that is a function of Keras' own utilities: it downloads."""
    function = {"module": "keras.utils", "class_name": "function", "config": "get_file", "registered_name": "get_file"}
    edited(place, _layer({"class_name": "Activation", "config": {"activation": function, "name": "a"}}))


def other_model(place: Place) -> None:
    """A layer that loads a SavedModel, which writes a file."""

    class Writes(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None, 8], tf.float32)])
        def __call__(self, x: Any) -> Any:
            with tf.control_dependencies([tf.io.write_file(place.marker, "ran")]):
                return tf.identity(x)

    folder = str(place.folder / "other")
    module = Writes()
    tf.saved_model.save(module, folder, signatures=module.__call__)
    edited(
        place,
        _layer(
            {"class_name": "TFSMLayer", "config": {"filepath": folder, "call_endpoint": "serving_default", "name": "a"}}
        ),
    )


def archive_behind_hdf5(place: Place) -> None:
    """An HDF5 file by its beginning, and an archive by its end: the end is what a name that ends in .keras has read."""
    other_model(place)
    dense().save(place.folder / "plain.h5")
    archive = (place.model / NAME).read_bytes()
    (place.model / NAME).write_bytes((place.folder / "plain.h5").read_bytes() + archive)


def hdf5_behind_archive(place: Place) -> None:
    """An archive by its beginning, and an HDF5 file behind it, which a name that ends in .h5 has read."""
    code_in_an_older_file(place)
    path = place.model / "model.h5"
    archive = bytes_of(dense(), place)
    size = 1 << max(len(archive) - 1, 512).bit_length()
    with h5py.File(path) as evil, h5py.File(place.folder / "both.h5", "w", userblock_size=size) as both:
        for name, value in evil.attrs.items():
            both.attrs[name] = value
        for name in evil:
            evil.copy(name, both)
    content = bytearray((place.folder / "both.h5").read_bytes())
    content[: len(archive)] = archive
    path.write_bytes(bytes(content))


def words_of_a_file(place: Place) -> None:
    """A vocabulary that is a file of the machine."""
    config = {"class_name": "IntegerLookup", "config": {"vocabulary": place.secret, "name": "a", "num_oov_indices": 1}}
    edited(place, _layer(config))


def _weights_elsewhere(place: Place, change: Callable[[Any], None]) -> None:
    def run(data: bytes) -> bytes:
        path = place.folder / "weights.h5"
        path.write_bytes(data)
        with h5py.File(path, "a") as file:
            change(file)
        return path.read_bytes()

    (place.model / NAME).write_bytes(rewritten(bytes_of(dense(), place), {"model.weights.h5": run}))


def _kernel(file: Any) -> str:
    found: list[str] = []
    file.visititems(
        lambda name, item: found.append(name) if isinstance(item, h5py.Dataset) and item.ndim == 2 else None
    )
    return found[0]


def external_data(place: Place) -> None:
    """A matrix whose numbers lie in a file of the machine."""

    def change(file: Any) -> None:
        name = _kernel(file)
        del file[name]
        file.create_dataset(name, (8, 8), "f4", external=[(place.secret, 0, 256)])

    _weights_elsewhere(place, change)


def external_link(place: Place) -> None:
    """A matrix that is a link into another file."""
    with h5py.File(place.folder / "other.h5", "w") as other:
        other["matrix"] = np.full((8, 8), 7.25, "f4")

    def change(file: Any) -> None:
        name = _kernel(file)
        del file[name]
        file[name] = h5py.ExternalLink(str(place.folder / "other.h5"), "/matrix")

    _weights_elsewhere(place, change)


def virtual_data(place: Place) -> None:
    """A matrix that is a view of another file."""
    with h5py.File(place.folder / "other.h5", "w") as other:
        other["matrix"] = np.full((8, 8), 7.25, "f4")

    def change(file: Any) -> None:
        name = _kernel(file)
        del file[name]
        layout = h5py.VirtualLayout((8, 8), "f4")
        layout[:] = h5py.VirtualSource(str(place.folder / "other.h5"), "matrix", (8, 8))
        file.create_virtual_dataset(name, layout)

    _weights_elsewhere(place, change)


def external_data_in_an_older_file(place: Place) -> None:
    """The same in the HDF5 form."""
    path = place.model / "model.h5"
    dense().save(path)
    with h5py.File(path, "a") as file:
        name = _kernel(file)
        del file[name]
        file.create_dataset(name, (8, 8), "f4", external=[(place.secret, 0, 256)])


def member_twice(place: Place) -> None:
    """Two configurations of one name."""
    made = io.BytesIO(bytes_of(dense(), place))
    with zipfile.ZipFile(made, "a") as archive:
        archive.writestr("config.json", archive.read("config.json"))
    (place.model / NAME).write_bytes(made.getvalue())


ATTACKS = {
    one.__name__: one
    for one in (
        code_in_a_lambda, code_in_an_older_file, other_module, other_function, other_model, archive_behind_hdf5, hdf5_behind_archive,
        words_of_a_file, external_data,
        external_link, virtual_data, external_data_in_an_older_file, member_twice,
    )
}  # fmt: skip


def legitimate(path: Path) -> None:
    """A functional model of many kinds of layers."""
    x = keras.Input((8, 8, 3))
    y = keras.layers.Conv2D(4, 3, padding="same", activation="gelu", kernel_regularizer="l2")(x)
    y = keras.layers.BatchNormalization()(y) + keras.ops.mean(y, axis=-1, keepdims=True)
    y = keras.layers.GlobalAveragePooling2D()(y)
    y = keras.layers.Dense(3, activation="softmax", kernel_initializer=keras.initializers.HeNormal(seed=1))(y)
    model = keras.Model(x, y)
    model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
    model.save(path)


if __name__ == "__main__":
    make_all(ATTACKS, Path(sys.argv[1]))
    legitimate(Path(sys.argv[1]) / "legitimate.keras")
    dense().save(Path(sys.argv[1]) / "legitimate.h5")
