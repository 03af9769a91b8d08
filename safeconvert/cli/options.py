"""The arguments and options that commands share, with their help texts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from safeconvert.cli import completion
from safeconvert.cli.project_defaults import use_project

SourceArgument = Annotated[Path, typer.Argument(help="Model file or SavedModel folder.", show_default=False)]
OutputOption = Annotated[
    Path | None, typer.Option("-o", "--output", help="Where the target goes; beside the source if left out.")
]
InputsOption = Annotated[
    Path | None,
    typer.Option("--inputs", help="Folder of images, .npy or .npz to verify on; generated if left out."),
]
PreprocessingOption = Annotated[
    str,
    typer.Option(
        "--preprocessing",
        help="Preset for images (torchvision, keras.mobilenet_v2, …) or a TOML file.",
        autocompletion=completion.presets,
    ),
]
TargetPreprocessingOption = Annotated[
    str,
    typer.Option(
        "--target-preprocessing",
        help="Preset or TOML file that the target's deployment applies.",
        autocompletion=completion.presets,
    ),
]
SamplesOption = Annotated[
    int | None, typer.Option("--samples", min=1, help="Use at most so many inputs, or generate so many.")
]
SeedOption = Annotated[int | None, typer.Option("--seed", min=0, help="Of generated inputs and of the split.")]
ShapeOption = Annotated[
    list[str] | None,
    typer.Option("--input-shape", help="1,3,224,224, or name=1,16 for each of several inputs.", metavar="SHAPE"),
]
RangeOption = Annotated[
    list[str] | None,
    typer.Option("--input-range", help="Range of an integer input: name=0:30522.", metavar="NAME=LOW:HIGH"),
]
ModelOption = Annotated[
    str, typer.Option("--model", help="package.module:callable that builds the module of a bare state_dict.")
]
TrustOption = Annotated[
    bool, typer.Option("--trust-pickle", help="Let code inside model files run on load. Only for files you trust.")
]
RouteOption = Annotated[
    str,
    typer.Option(
        "--route",
        help="Converters by name, comma separated; the known routes in order if left out.",
        autocompletion=completion.converters,
    ),
]
RoutesOption = Annotated[
    str,
    typer.Option(
        "--routes",
        help="Try at most so many routes of real converters, or all and keep the best. Without effect beside --route.",
        metavar="N|all",
    ),
]
OpsetOption = Annotated[int, typer.Option("--opset", min=0, help="ONNX opset to export with; 0 leaves it to each.")]
OptimizeOption = Annotated[
    str,
    typer.Option(
        "--optimize",
        help="TFLite only: none, default (8-bit weights) or float16.",
        autocompletion=completion.optimizations,
    ),
]
SelectTfOption = Annotated[
    bool,
    typer.Option(
        "--allow-select-tf-ops", help="TFLite only: operators that TFLite lacks may stay TensorFlow's (Flex)."
    ),
]
ComparatorOption = Annotated[
    str,
    typer.Option(
        "--comparator",
        help="label, top1, topk, allclose, cosine, exact or package.module:function.",
        autocompletion=completion.comparators,
    ),
]
RtolOption = Annotated[float | None, typer.Option("--rtol", help="Relative to the largest output of a sample.")]
AtolOption = Annotated[float | None, typer.Option("--atol", help="Absolute tolerance.")]
ToleranceOption = Annotated[
    list[str] | None,
    typer.Option("--tolerance", help="For one output: name=rtol,atol.", metavar="NAME=RTOL,ATOL"),
]
TopKOption = Annotated[int | None, typer.Option("--top-k", min=1, help="Labels compared by topk.")]
MaxDiscrepancyOption = Annotated[
    float | None, typer.Option("--max-discrepancy", help="Share of inputs that may differ; 0 by default.")
]
LayoutOption = Annotated[
    list[str] | None,
    typer.Option("--target-layout", help="keep, NCHW->NHWC or NHWC->NCHW, or name=…, where shapes do not tell."),
]
LayerAnalysisOption = Annotated[
    str,
    typer.Option(
        "--layer-analysis",
        help="Also rank layers as FetaFix does: onnxruntime or tvm. Takes minutes.",
        autocompletion=completion.runtimes,
    ),
]
RepairOption = Annotated[
    bool, typer.Option("--repair/--no-repair", help="Repair a target that is not equivalent, or only say its faults.")
]
BakeOption = Annotated[
    bool,
    typer.Option(
        "--bake-preprocessing",
        help="Build the source's --preprocessing into the target, so that it takes pictures as --target-preprocessing "
        "gives them (raw pixels by default).",
    ),
]
KeepPrecisionOption = Annotated[
    bool,
    typer.Option("--keep-precision", help="TFLite only: say which reduced layers the loss comes from, restore none."),
]
KeyOption = Annotated[Path | None, typer.Option("--key", help="Ed25519 private key that signs the certificate.")]
ReportOption = Annotated[
    Path | None,
    typer.Option(
        "--report", help="Write one HTML page of the run, beside the target if left out.", metavar="[FILE.html]"
    ),
]
TimeoutOption = Annotated[
    float | None, typer.Option("--timeout", min=1, help="Seconds that one converter call may take.")
]
MemoryOption = Annotated[int | None, typer.Option("--memory", min=64, help="MiB that one worker may take.")]
ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config", help="Settings file; else the nearest safeconvert.toml.", is_eager=True, callback=use_project
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout and nothing else.")]
QuietOption = Annotated[bool, typer.Option("-q", "--quiet", help="Print nothing but errors.")]
VerboseOption = Annotated[bool, typer.Option("-v", "--verbose", help="Also print the certificate in full.")]
JunitOption = Annotated[
    Path | None, typer.Option("--junit", help="Write JUnit XML for continuous integration.", metavar="FILE.xml")
]
ModelExplorerOption = Annotated[
    Path | None,
    typer.Option(
        "--model-explorer",
        help="Write the error of every node for Google's Model Explorer, and the graphs beside it.",
        metavar="FILE.json",
    ),
]
