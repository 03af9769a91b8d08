"""What a user asks of one run, as the CLI and the Python API hand it on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safeconvert.adapter_api.protocol import WHOLE, ModelPart
from safeconvert.compare.layout import Override
from safeconvert.compare.settings import VerifySettings
from safeconvert.config.origin import Origin
from safeconvert.core.cut import Cut
from safeconvert.core.optimize import Optimize

OPTIMIZE = tuple(Optimize)
"""Values of `optimize`."""
LAYER_ANALYSIS = ("onnxruntime", "tvm")
"""Back ends of the published layer analysis."""


@dataclass(frozen=True)
class ModelOptions:
    """How to open models.

    Attributes:
        input_shapes: by input name ("" for the only or first input); 0 is a free dimension.
        factory: `package.module:callable` for a bare state_dict.
        trust_pickle: let code in model files run.
        part: which part of a TensorFlow source is meant.
        cut: where a part is cut out of the source, whatever its format.
    """

    input_shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    factory: str = ""
    trust_pickle: bool = False
    part: ModelPart = WHOLE
    cut: Cut = field(default_factory=Cut)


@dataclass(frozen=True)
class DataOptions:
    """What the models are run on.

    Attributes:
        path: images, .npy, .npz or tar shards; None generates inputs.
        preprocessing: preset or file for images; "" leaves pixels raw.
        limit: at most so many samples of `path`, or how many to generate; None for all, or the configured number.
        ranges: by integer input, lowest and one past the highest value to generate.
        seed: of generated inputs and of the split; None for the configured one.
        target_preprocessing: preset or file that the target's deployment applies; "" where it is the source's.
        min_held_out: distinct inputs that have to be held out for a verdict; None for the configured number.
        nonfinite: inputs may hold NaN and Inf, which test how these propagate.
        shard: which part of many inputs is compared, from 1, and of how many parts; None for all.
    """

    path: Path | None = None
    preprocessing: str = ""
    limit: int | None = None
    ranges: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    seed: int | None = None
    target_preprocessing: str = ""
    min_held_out: int | None = None
    nonfinite: bool = False
    shard: tuple[int, int] | None = None


@dataclass(frozen=True)
class ConvertOptions:
    """One conversion.

    Attributes:
        source: the model file.
        target_format: `torch`, `keras`, `tf`, `tflite` or `onnx`.
        output: where the target goes; None puts it beside the source.
        route: adapters' names, comma separated; "" tries the known routes in order.
        routes: how many known routes are tried at most, in order, until one verifies: a number, or `all` to try each and keep
            the best; "" takes the configured number. Without effect beside `route`.
        opset: ONNX opset requested of exporters; 0 leaves it to them.
        optimize: in how few bits the target is stored and computed; see `core.optimize`.
        io: what a target in int8 takes and gives: `float32`, `int8` or `uint8`.
        key: Ed25519 private key that signs the certificate.
        keep_precision: never give a reduced target (`optimize`) its bits back; only say which layers the loss comes from.
        bake_preprocessing: build the source's preprocessing into the target, which then takes what
            `data.target_preprocessing` gives, or raw pixels.
        repair: repair a target that is not equivalent; False only localizes its faults.
        layer_analysis: back end of the published layer analysis, `onnxruntime` or `tvm`; "" leaves it out.
        source_format: what the source must be; "" takes what its content says.
        certificate: where `localize` and `repair` write one whatever the verdict; None: only of what was repaired.
        layer_errors: also compare the layers of a target that is right, and keep that as evidence.
        arguments: for the last converter of the route, by its own names; its manifest lists those that it honours.
        origin: the settings file.
    """

    source: Path
    target_format: str
    output: Path | None = None
    model: ModelOptions = field(default_factory=ModelOptions)
    data: DataOptions = field(default_factory=DataOptions)
    verify: VerifySettings = field(default_factory=VerifySettings)
    layouts: Mapping[str, Override] = field(default_factory=dict)
    route: str = ""
    routes: str = ""
    opset: int = 0
    optimize: str = "none"
    io: str = "float32"
    key: Path | None = None
    keep_precision: bool = False
    bake_preprocessing: bool = False
    repair: bool = True
    layer_analysis: str = ""
    source_format: str = ""
    certificate: Path | None = None
    layer_errors: bool = False
    arguments: Mapping[str, Any] = field(default_factory=dict)
    origin: Origin = field(default_factory=Origin)


@dataclass(frozen=True)
class VerifyOptions:
    """One verification of an existing conversion.

    Attributes:
        certificate: where to write the certificate; None writes none.
        origin: the settings file.
    """

    source: Path
    target: Path
    model: ModelOptions = field(default_factory=ModelOptions)
    data: DataOptions = field(default_factory=DataOptions)
    verify: VerifySettings = field(default_factory=VerifySettings)
    layouts: Mapping[str, Override] = field(default_factory=dict)
    certificate: Path | None = None
    key: Path | None = None
    origin: Origin = field(default_factory=Origin)
