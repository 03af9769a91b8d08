"""Run each .onnx of a folder on its inputs through one back end: `sampled.py torch|keras FOLDER`; prints what was refused."""

import json
import sys
import warnings
from pathlib import Path

import numpy as np
import onnx

warnings.filterwarnings("ignore")


back_end, folder = sys.argv[1], Path(sys.argv[2])
if back_end == "torch":
    import torch

    from adapters.torch_ops.adapter import export
    from adapters.torch_ops.module import GraphModule

    def converted(made):
        module = GraphModule(made).eval()
        sizes = [[d.dim_value or 2 for d in value.type.tensor_type.shape.dim] for value in made.graph.input]
        free = [not value.type.tensor_type.shape.dim[0].dim_value for value in made.graph.input]
        examples = tuple(torch.zeros(size) for size in sizes)
        with torch.inference_mode():
            module(*examples)
        module.close()
        program = export(module, examples, free).module()
        return lambda feeds: program(*map(torch.from_numpy, feeds))[0].numpy()
else:
    import keras

    from adapters.keras_ops.model import build

    def converted(made):
        build(made).save(folder / "made.keras")
        loaded = keras.models.load_model(folder / "made.keras", safe_mode=True)
        return lambda feeds: np.asarray(keras.tree.flatten(loaded(feeds))[0])


said = {}
for path in sorted(folder.glob("*.onnx")):
    made = onnx.load(path)
    try:
        call = converted(made)
    except NotImplementedError as error:
        said[path.stem] = str(error)
        continue
    for data in sorted(folder.glob(f"{path.stem}-*.npz")):
        with np.load(data) as archive:
            np.save(data.with_suffix(f".{back_end}.npy"), call([archive[v.name] for v in made.graph.input]))
print(json.dumps(said))
