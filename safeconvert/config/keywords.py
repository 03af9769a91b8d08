"""The keywords of `safeconvert.convert` and `safeconvert.verify`, for type checkers and editors.

Written from `config.flags` by `python -m tests.docs.reference`; change them there. None, or a keyword left out, takes what the
settings file says, and then the default.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any, TypedDict

import numpy as np

from safeconvert.compare.layout import Override

Place = str | PathLike[str]
Inputs = Place | np.ndarray[Any, Any] | Mapping[str, np.ndarray[Any, Any]]
"""A folder of images, `.npy` or `.npz`; or an array, or arrays by input name, samples along axis 0."""
Shape = Sequence[int | None]
"""None is a free size."""


class ConvertKeywords(TypedDict, total=False):
    """Of `safeconvert.convert`."""

    inputs: Inputs | None
    """Folder of images (and folders in it), .npy or .npz; WebDataset shards (.tar), Parquet or Arrow columns, or a folder of such: what source and target are compared on. Default: 64 generated inputs, which reach fewer of a model's paths than data does."""
    preprocessing: str | None
    """Preset for images (torchvision, keras.mobilenet_v2, …) or a TOML file. Default: raw pixels."""
    target_preprocessing: str | None
    """Preset or TOML file that the target's deployment applies. Default: the source's."""
    bake_preprocessing: bool | None
    """Build the source's --preprocessing into the target, so that it takes images as --target-preprocessing gives them (raw pixels where that is left out)."""
    samples: int | None
    """Largest number of inputs that are used, or the number that is generated. Default: all of --inputs; 64 generated, six or more of each kind."""
    seed: int | None
    """Random seed of generated inputs and of the steering/held-out split. Default: 0, so that a run can be repeated."""
    min_held_out: int | None
    """Distinct inputs, given and made up, that must be held out for a verdict. Default: 4; fewer are no evidence."""
    allow_nonfinite: bool | None
    """Let --inputs hold NaN and Inf: NaN has to come out at the same places, Inf with the same sign, and all other numbers equal. Without it NaN and Inf are refused in inputs, and are never equal in outputs."""
    input_shape: Shape | Mapping[str, Shape] | None
    """Shape of an input that the model does not declare: 1,3,224,224, or name=1,16 for each of several; 0 is a free size. Default: the model's own."""
    input_range: Mapping[str, tuple[int, int]] | None
    """Values that are generated for an integer input: the lowest, and one past the highest; name=0:30522. Default: read off the graph."""
    from_node: str | Sequence[str] | None
    """Node, layer or tensor of the source that the part to convert begins with; what lies before it is host code. Default: the source's inputs."""
    to_node: str | Sequence[str] | None
    """Node, layer or tensor of the source that the part to convert ends with; what lies behind it is host code. Default: the source's outputs."""
    model: str | None
    """package.module:callable that builds the module of a bare state_dict."""
    trust_pickle: bool | None
    """Let code inside model files run when they are loaded. Only for files that you trust."""
    comparator: str | None
    """label, top1, topk, allclose, cosine, exact, or package.module:function of your own. Default: by output: labels and values of class scores, values of other floats, equality of integers."""
    rtol: float | None
    """Relative tolerance, as a share of the largest output of a sample. Default: 1e-4; float32 sums in another order differ by up to 3e-5, a changed weight by more than 1e-4."""
    atol: float | None
    """Absolute tolerance, in the output's unit; added to the relative one. Default: 1e-5, below what changes a decision."""
    tolerance: Mapping[str, tuple[float, float]] | None
    """Tolerances of a single output: name=rtol,atol. Default: --rtol and --atol."""
    top_k: int | None
    """Labels that the topk comparator compares. Default: 5, as is customary on ImageNet."""
    max_discrepancy: float | None
    """Share of inputs, from 0 to 1, that may differ. Default: 0; a conversion promises the same function."""
    metric: str | None
    """What decides in place of the comparator: accuracy over labels.csv, agreement with the source's labels, or package.module:function of your own. Default: with --max-drop accuracy where inputs have labels, else agreement; without it the comparator decides."""
    max_drop: float | None
    """Share, between 0 and 1, by which the metric may fall from source to target; it has to be shown with 95 % confidence. Default: 0.01 with --metric, one point of an accuracy."""
    tflite_runtime: str | None
    """What runs TFLite files for the verdict: litert, plain (LiteRT without XNNPACK) or tensorflow. Default: litert, with XNNPACK, which is what apps ship."""
    also_on: Sequence[str] | None
    """Another runtime that a verified TFLite target is run on, and what it gives otherwise is reported: litert, plain, tensorflow or tflm. May be given several times. Default: the one of --tflite-runtime alone."""
    search: float | None
    """Seconds of searching for inputs on which an equal target differs, from those that come nearest; 0 searches none. Default: 8 rounds of 64 inputs (3 of 4 for large models, 16 inputs where each is a call), counted and not timed, so that every run does the same."""
    target_layout: Override | Mapping[str, Override] | None
    """Order of dimensions of the target: keep, NCHW->NHWC or NHWC->NCHW, or name=… for a single tensor. Converters to Keras, and so to TensorFlow and TFLite, give it where they can. Default: channels last where images go to these formats; of an existing target read off the shapes, and needed where they do not tell."""
    route: str | None
    """Converters by name, comma separated. Default: the known routes in order, until one verifies."""
    routes: int | str | None
    """Number of routes that are tried at most, or all to try each and keep the best. Without effect beside --route. Default: 4, best first, and two with a last resort."""
    opset: int | None
    """ONNX opset to export with. Default: 0, which leaves it to each exporter."""
    optimize: str | None
    """TFLite: none, default or int8-weights (8-bit weights), float16, int8 (integers throughout) or int16x8; ONNX: none or int8. int8 and int16x8 are calibrated on steering inputs of --inputs. Default: none, which keeps every bit."""
    io: str | None
    """TFLite with --optimize int8: what the target takes and gives: float32, int8 or uint8. Default: float32, so that it is called as before."""
    allow_select_tf_ops: bool | None
    """TFLite only: operators that TFLite lacks may stay TensorFlow's; the target then needs the Flex delegate."""
    repair: bool | None
    """Repair a target that is not equivalent, or only name its faults."""
    keep_precision: bool | None
    """TFLite only: name the reduced layers that the loss comes from, and restore none."""
    output: Place | None
    """Path of the target. Default: beside the source, or for repair beside the target as NAME.repaired."""
    key: Place | None
    """Ed25519 private key that signs the certificate. Default: unsigned."""
    junit: Place | None
    """Write JUnit XML for continuous integration."""
    model_explorer: Place | None
    """Write the error of every node for Google's Model Explorer, and the graphs beside it."""
    report: Place | bool | None
    """Write an HTML page of the run, whatever its verdict. Default: none is written; without a file name, beside the target."""
    profile: Place | None
    """Write where the time went: phases, worker calls, and the workers' starts and imports on one time line, in Chrome's trace format."""
    timeout: float | None
    """Seconds that one call of a converter may take. Default: 3600; large models convert in minutes, an hour is a hang."""
    memory: int | None
    """MiB of memory that one worker may take. Default: three quarters of the machine's, so that it does not swap."""
    containment: str | None
    """How workers are kept from your files, the network and other processes: auto (what the kernel gives), require (all of it, or nothing runs) or off. Default: auto."""
    config: Place | None
    """Settings file. Default: the nearest safeconvert.toml."""
    trust_project: bool | None
    """Let a settings file that was found, and not named with --config, run code: [adapters], --model, and a --comparator or --metric of its own."""


class VerifyKeywords(TypedDict, total=False):
    """Of `safeconvert.verify`."""

    inputs: Inputs | None
    """Folder of images (and folders in it), .npy or .npz; WebDataset shards (.tar), Parquet or Arrow columns, or a folder of such: what source and target are compared on. Default: 64 generated inputs, which reach fewer of a model's paths than data does."""
    preprocessing: str | None
    """Preset for images (torchvision, keras.mobilenet_v2, …) or a TOML file. Default: raw pixels."""
    samples: int | None
    """Largest number of inputs that are used, or the number that is generated. Default: all of --inputs; 64 generated, six or more of each kind."""
    seed: int | None
    """Random seed of generated inputs and of the steering/held-out split. Default: 0, so that a run can be repeated."""
    shard: str | None
    """Part of many inputs: 2/8 compares the first ones, as every part does, and the second eighth of the others. Needs --certificate; merge makes one of all. Default: all inputs."""
    min_held_out: int | None
    """Distinct inputs, given and made up, that must be held out for a verdict. Default: 4; fewer are no evidence."""
    allow_nonfinite: bool | None
    """Let --inputs hold NaN and Inf: NaN has to come out at the same places, Inf with the same sign, and all other numbers equal. Without it NaN and Inf are refused in inputs, and are never equal in outputs."""
    input_shape: Shape | Mapping[str, Shape] | None
    """Shape of an input that the model does not declare: 1,3,224,224, or name=1,16 for each of several; 0 is a free size. Default: the model's own."""
    input_range: Mapping[str, tuple[int, int]] | None
    """Values that are generated for an integer input: the lowest, and one past the highest; name=0:30522. Default: read off the graph."""
    from_node: str | Sequence[str] | None
    """Node, layer or tensor of the source that the part to convert begins with; what lies before it is host code. Default: the source's inputs."""
    to_node: str | Sequence[str] | None
    """Node, layer or tensor of the source that the part to convert ends with; what lies behind it is host code. Default: the source's outputs."""
    model: str | None
    """package.module:callable that builds the module of a bare state_dict."""
    trust_pickle: bool | None
    """Let code inside model files run when they are loaded. Only for files that you trust."""
    comparator: str | None
    """label, top1, topk, allclose, cosine, exact, or package.module:function of your own. Default: by output: labels and values of class scores, values of other floats, equality of integers."""
    rtol: float | None
    """Relative tolerance, as a share of the largest output of a sample. Default: 1e-4; float32 sums in another order differ by up to 3e-5, a changed weight by more than 1e-4."""
    atol: float | None
    """Absolute tolerance, in the output's unit; added to the relative one. Default: 1e-5, below what changes a decision."""
    tolerance: Mapping[str, tuple[float, float]] | None
    """Tolerances of a single output: name=rtol,atol. Default: --rtol and --atol."""
    top_k: int | None
    """Labels that the topk comparator compares. Default: 5, as is customary on ImageNet."""
    max_discrepancy: float | None
    """Share of inputs, from 0 to 1, that may differ. Default: 0; a conversion promises the same function."""
    metric: str | None
    """What decides in place of the comparator: accuracy over labels.csv, agreement with the source's labels, or package.module:function of your own. Default: with --max-drop accuracy where inputs have labels, else agreement; without it the comparator decides."""
    max_drop: float | None
    """Share, between 0 and 1, by which the metric may fall from source to target; it has to be shown with 95 % confidence. Default: 0.01 with --metric, one point of an accuracy."""
    tflite_runtime: str | None
    """What runs TFLite files for the verdict: litert, plain (LiteRT without XNNPACK) or tensorflow. Default: litert, with XNNPACK, which is what apps ship."""
    also_on: Sequence[str] | None
    """Another runtime that a verified TFLite target is run on, and what it gives otherwise is reported: litert, plain, tensorflow or tflm. May be given several times. Default: the one of --tflite-runtime alone."""
    search: float | None
    """Seconds of searching for inputs on which an equal target differs, from those that come nearest; 0 searches none. Default: 8 rounds of 64 inputs (3 of 4 for large models, 16 inputs where each is a call), counted and not timed, so that every run does the same."""
    target_layout: Override | Mapping[str, Override] | None
    """Order of dimensions of the target: keep, NCHW->NHWC or NHWC->NCHW, or name=… for a single tensor. Converters to Keras, and so to TensorFlow and TFLite, give it where they can. Default: channels last where images go to these formats; of an existing target read off the shapes, and needed where they do not tell."""
    certificate: Place | None
    """Write the certificate here, whatever the verdict. Default: none is written."""
    key: Place | None
    """Ed25519 private key that signs the certificate. Default: unsigned."""
    junit: Place | None
    """Write JUnit XML for continuous integration."""
    report: Place | bool | None
    """Write an HTML page of the run, whatever its verdict. Default: none is written; without a file name, beside the target."""
    profile: Place | None
    """Write where the time went: phases, worker calls, and the workers' starts and imports on one time line, in Chrome's trace format."""
    timeout: float | None
    """Seconds that one call of a converter may take. Default: 3600; large models convert in minutes, an hour is a hang."""
    memory: int | None
    """MiB of memory that one worker may take. Default: three quarters of the machine's, so that it does not swap."""
    containment: str | None
    """How workers are kept from your files, the network and other processes: auto (what the kernel gives), require (all of it, or nothing runs) or off. Default: auto."""
    config: Place | None
    """Settings file. Default: the nearest safeconvert.toml."""
    trust_project: bool | None
    """Let a settings file that was found, and not named with --config, run code: [adapters], --model, and a --comparator or --metric of its own."""
