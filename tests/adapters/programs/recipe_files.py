"""Files by a recipe of each operator's own, of a net of three layers: `recipe_files.py FOLDER`. Prints what is in each, and how far it is off."""

import json
import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from adapters.tflite import recipes
from adapters.tflite.runtime import interpreter
from adapters.tflite_converter import quantize, ranges

folder = Path(sys.argv[1])
keras.utils.set_random_seed(0)
model = keras.Sequential(
    [
        keras.Input((16, 16, 8)),
        keras.layers.Conv2D(16, 1, activation="relu"),
        keras.layers.Conv2D(64, 1),
        keras.layers.Conv2D(4, 1),
    ]
)
(folder / "float.tflite").write_bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())
inputs = (np.random.default_rng(0).normal(size=(120, 16, 16, 8)) ** 3).astype(
    np.float32
)  # rare values that all ranges follow
np.save(folder / "inputs.npy", inputs)
feeds, calibrated = [[str(folder / "inputs.npy")]], str(folder / "calibrated.tflite")
quantize.calibrate(str(folder / "float.tflite"), feeds, False, calibrated)
names = [one["name"] for one in quantize.operators(calibrated)]


def outputs(path: str) -> np.ndarray:
    made = interpreter(Path(path).read_bytes())
    made.allocate_tensors()
    given, result = made.get_input_details()[0], made.get_output_details()[0]
    found = []
    for row in inputs[100:]:
        value = row[None]
        if given["dtype"] != np.float32:
            limits, (scale, zero) = np.iinfo(given["dtype"]), given["quantization"]
            value = np.clip(np.rint(value / scale) + zero, limits.min, limits.max).astype(given["dtype"])
        made.set_tensor(given["index"], value)
        made.invoke()
        value = made.get_tensor(result["index"]).astype(np.float64)
        scale, zero = result["quantization"]
        found.append((value - zero) * scale if result["dtype"] != np.float32 else value)
    return np.concatenate(found)


wanted, found = outputs(str(folder / "float.tflite")), {}


def written(name: str, path: str, answer: dict) -> None:
    found[name] = {
        "float": [names.index(one) for one in answer["float"]],
        "sixteen": [names.index(one) for one in answer["sixteen"]],
        "operators": answer["operators"],
        "off": float(np.abs(outputs(path) - wanted).mean()),
        "bytes": Path(path).stat().st_size,
        "taken": sum(
            detail["name"].endswith(("_dequant", "_quantized"))
            for detail in interpreter(Path(path).read_bytes()).get_tensor_details()
        ),
        "ends": interpreter(Path(path).read_bytes()).get_input_details()[0]["dtype"].__name__,
    }


target = str(folder / "made.tflite")
written("tensorflow", target, quantize.quantize(calibrated, [], "float32", target))
for name, recipe, io in (
    ("eight", {}, "float32"),
    ("uint8", {}, "uint8"),
    ("sixteen", {"sixteen": names[:2]}, "float32"),
    ("integers", {"sixteen": names[:2]}, "int8"),
    ("dynamic", {"dynamic": names[1:2]}, "float32"),
    ("weights", {"weights": names[1:2]}, "float32"),
    ("half", {"half": names[1:2]}, "float32"),
    ("float", {"float": names[1:2]}, "float32"),
):
    written(name, target, recipes.quantize(calibrated, recipe, io, target))
ends = {}
for key, io in (
    ("sixteen", "float32"),
    ("sixteen", "int8"),
    ("float", "int8"),
    ("float", "uint8"),
    ("dynamic", "int8"),
):
    recipes.quantize(calibrated, {key: names[-1:]}, io, target)
    made = interpreter(Path(target).read_bytes())
    both = made.get_input_details()[0], made.get_output_details()[0]
    ends[f"{key} {io}"] = [detail["dtype"].__name__ for detail in both]
narrower = ranges.narrower_ranges(calibrated, feeds, False)
ranged = str(folder / "ranged.tflite")
ranges.with_ranges(calibrated, narrower, ranged)
written("ranged", target, quantize.quantize(ranged, [], "float32", target))
print(
    json.dumps(
        {"files": found, "ends": ends, "narrower": len(narrower), "means": recipes.means_by_operator(calibrated)}
    )
)
