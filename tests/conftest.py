"""A small model in every form, made once a session by the frameworks themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from safeconvert.workers.templates import Templates, sharing
from tests.command import Called, safeconvert
from tests.program import KERAS, TORCH, run_program

PROGRAMS = Path(__file__).parent / "programs"


@pytest.fixture(scope="session", autouse=True)
def templates() -> Iterator[Templates]:
    """Processes that have imported the frameworks: all workers of this process' tests are forked from them."""
    with Templates() as made, sharing(made):
        yield made


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory, templates: Templates) -> Path:
    """A folder with a small model in every form that safeconvert reads; see `programs/forms_torch.py` and `forms_keras.py` for their names."""
    folder = tmp_path_factory.mktemp("whole")
    run_program(PROGRAMS / "forms_torch.py", folder, modules=TORCH)
    run_program(PROGRAMS / "forms_keras.py", folder, modules=KERAS)
    return folder


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory, templates: Templates) -> Path:
    """A TorchScript CNN on (N,3,8,8) with ten classes."""
    path = tmp_path_factory.mktemp("fakes") / "model.pt"
    run_program(PROGRAMS / "traced_cnn.py", path, modules=TORCH)
    return path


@dataclass(frozen=True)
class Converted:
    """One conversion with every file that it writes.

    Attributes:
        called: the call.
        certificate, junit, nodes: certificate, JUnit XML, and node data for Model Explorer.
        model: the target, or the rejected candidate.
    """

    called: Called
    certificate: Path
    junit: Path
    nodes: Path
    model: Path


def _converted(folder: Path, source: Path, name: str, made: str, *flags: object) -> Converted:
    junit, nodes = folder / "junit.xml", folder / "nodes.json"
    called = safeconvert(
        "convert", source, "--to", flags[0], "-o", folder / name, "--samples", "14", *flags[1:],
        "--junit", junit, "--model-explorer", nodes,
    )  # fmt: skip
    return Converted(called, folder / f"{made}.certificate.json", junit, nodes, folder / made)


@pytest.fixture(scope="session")
def verified(whole: Path, tmp_path_factory: pytest.TempPathFactory) -> Converted:
    """A Keras model as TFLite, verified."""
    folder = tmp_path_factory.mktemp("verified")
    return _converted(folder, whole / "model.keras", "model.tflite", "model.tflite", "tflite")


@pytest.fixture(scope="session")
def refuted(tmp_path_factory: pytest.TempPathFactory) -> Converted:
    """An ONNX model as onnx2keras 0.0.25 itself converts it, which ignores Selu's alpha and gamma; not repaired."""
    import onnx

    from tests.onnx_models import selu_net

    folder = tmp_path_factory.mktemp("refuted")
    onnx.save(selu_net(), folder / "selu.onnx")
    return _converted(
        folder, folder / "selu.onnx", "selu.keras", "selu.keras.rejected", "keras", "--no-repair",
        "--route", "fake_raw", "--config", Path(__file__).parent / "fakes" / "fakes.toml",
    )  # fmt: skip
