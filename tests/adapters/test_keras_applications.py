"""Layers of Keras' own applications are Keras'; the functions beside them, which fetch files, are not for a file to call."""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.command import ROOT

sys.path.insert(0, str(ROOT))
from adapters._shared.keras_files import open_keras
from adapters._shared.untrusted.keras_config import inspect_keras
from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.errors import UnusableInput

keras = pytest.importorskip("keras")
convnext = pytest.importorskip("keras.src.applications.convnext")
resnet = pytest.importorskip("keras.src.applications.inception_resnet_v2")


def test_a_model_of_their_layers_is_opened_and_computes_the_same(tmp_path: Path) -> None:
    x = keras.Input((4,))
    scaled = convnext.StochasticDepth(0.1)(convnext.LayerScale(0.5, 4)(x))
    model = keras.Model(x, resnet.CustomScaleLayer(0.3)([scaled, x]))
    model.save(tmp_path / "m.keras")
    given = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    opened = open_keras(ModelRequest(str(tmp_path / "m.keras")))
    np.testing.assert_array_equal(opened.predict(given, verbose=0), model.predict(given, verbose=0))


@pytest.mark.parametrize(("module", "kind", "named"), [
    ("keras.src.applications.imagenet_utils", "function", "decode_predictions"), ("keras.src.applications.convnext", "function", "LayerScale"),
    ("keras.src.applications.convnext", "ConvNeXt", "ConvNeXt"), ("keras.src.utils.file_utils", "LayerScale", "LayerScale"),
])  # fmt: skip
def test_all_else_of_them_is_refused(module: str, kind: str, named: str, tmp_path: Path) -> None:
    config = {"module": module, "class_name": kind, "config": named, "registered_name": named}
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        archive.writestr(
            "config.json", json.dumps({"class_name": "Functional", "module": "keras", "config": {"layers": [config]}})
        )
    with pytest.raises(UnusableInput, match="Keras does not have"):
        inspect_keras(ModelRequest(str(tmp_path / "m.keras")), "keras_v3")
