"""The table of flags: each is declared here once, and nowhere else.

From it come the options of the command line (`cli.build`), the keys under [flags] of a settings file (`project_file`), what
`safeconvert config` lists, the keywords of the Python API (`keywords`, written by `python -m tests.docs.reference`), and
`docs/commands.md`. No flag is read from the environment.
"""

from __future__ import annotations

from collections.abc import Mapping

from safeconvert.config.commands import COMMANDS
from safeconvert.config.flag import Flag, Group, Kind, References
from safeconvert.core.formats import PAIRS

_PAIRS = tuple(f"{source}2{target}" for source, target in PAIRS)
_CONVERT = ("convert", *_PAIRS)
_REPAIRS = (*_CONVERT, "repair", "localize")
_VERDICT = ("convert", "verify", "repair", "localize", *_PAIRS)
_COMPARES = (*_VERDICT, "prove")
_RUNS = (*_COMPARES, "pack", "adapters")

FLAGS: tuple[Flag, ...] = (
    Flag(
        "to", Kind.TEXT, Group.ROUTE, ("convert",), "Format of the target: torch, keras, tf, tflite or onnx.",
        default="", complete="formats",
    ),
    # Inputs
    Flag(
        "inputs", Kind.PATH, Group.INPUTS, _COMPARES,
        "Folder of images (and folders in it), .npy or .npz; WebDataset shards (.tar), Parquet or Arrow columns, or a folder of such: what "
        "source and target are compared on.",
        unset="64 generated inputs, which reach fewer of a model's paths than data does",
        takes="Inputs", drop_in=True,
    ),
    Flag(
        "preprocessing", Kind.TEXT, Group.INPUTS, _COMPARES,
        "Preset for images (torchvision, keras.mobilenet_v2, …) or a TOML file.",
        unset="raw pixels", complete="presets", takes="str", drop_in=True,
    ),
    Flag(
        "target-preprocessing", Kind.TEXT, Group.INPUTS, _REPAIRS,
        "Preset or TOML file that the target's deployment applies.",
        unset="the source's", complete="presets", takes="str",
    ),
    Flag(
        "bake-preprocessing", Kind.BOOL, Group.INPUTS, _REPAIRS,
        "Build the source's --preprocessing into the target, so that it takes images as --target-preprocessing gives them "
        "(raw pixels where that is left out).",
        default=False, takes="bool",
    ),
    Flag(
        "samples", Kind.INT, Group.INPUTS, _COMPARES,
        "Largest number of inputs that are used, or the number that is generated.",
        unset="all of --inputs; 64 generated, six or more of each kind",
        least=1, takes="int", drop_in=True,
    ),
    Flag(
        "seed", Kind.INT, Group.INPUTS, _COMPARES,
        "Random seed of generated inputs and of the steering/held-out split.",
        unset="0, so that a run can be repeated", least=0, takes="int", drop_in=True,
    ),
    Flag(
        "shard", Kind.TEXT, Group.INPUTS, ("verify",),
        "Part of many inputs: 2/8 compares the first ones, as every part does, and the second eighth of the others. Needs --certificate; "
        "merge makes one of all.",
        unset="all inputs", metavar="I/N", takes="str",
    ),
    Flag(
        "min-held-out", Kind.INT, Group.INPUTS, _COMPARES,
        "Distinct inputs, given and made up, that must be held out for a verdict.",
        unset="4; fewer are no evidence", least=1, takes="int", drop_in=True,
    ),
    Flag(
        "allow-nonfinite", Kind.BOOL, Group.INPUTS, _COMPARES,
        "Let --inputs hold NaN and Inf: NaN has to come out at the same places, Inf with the same sign, and all other numbers equal. "
        "Without it NaN and Inf are refused in inputs, and are never equal in outputs.",
        default=False, takes="bool", drop_in=True,
    ),
    Flag(
        "input-shape", Kind.TEXT, Group.INPUTS, _COMPARES,
        "Shape of an input that the model does not declare: 1,3,224,224, or name=1,16 for each of several; 0 is a free size.",
        unset="the model's own", many=True, metavar="SHAPE", takes="Shape | Mapping[str, Shape]", drop_in=True,
    ),
    Flag(
        "input-range", Kind.TEXT, Group.INPUTS, _COMPARES,
        "Values that are generated for an integer input: the lowest, and one past the highest; name=0:30522.",
        unset="read off the graph", many=True, metavar="NAME=LOW:HIGH",
        takes="Mapping[str, tuple[int, int]]", drop_in=True,
    ),
    Flag(
        "from", Kind.TEXT, Group.INPUTS, _COMPARES,
        "Node, layer or tensor of the source that the part to convert begins with; what lies before it is host code.",
        unset="the source's inputs", many=True, name="from_node", metavar="NODE", takes="str | Sequence[str]",
    ),
    Flag(
        "to-node", Kind.TEXT, Group.INPUTS, _COMPARES,
        "Node, layer or tensor of the source that the part to convert ends with; what lies behind it is host code.",
        unset="the source's outputs", many=True, metavar="NODE", takes="str | Sequence[str]",
    ),
    Flag(
        "model", Kind.TEXT, Group.INPUTS, _COMPARES,
        "package.module:callable that builds the module of a bare state_dict.",
        takes="str", runs_code=References.ALL,
    ),
    Flag(
        "trust-pickle", Kind.BOOL, Group.INPUTS, _COMPARES,
        "Let code inside model files run when they are loaded. Only for files that you trust.",
        default=False, takes="bool", only_named="it lets code in model files run",
    ),
    # Comparison
    Flag(
        "comparator", Kind.TEXT, Group.COMPARISON, _COMPARES,
        "label, top1, topk, allclose, cosine, exact, or package.module:function of your own.",
        unset="by output: labels and values of class scores, values of other floats, equality of integers",
        complete="comparators", takes="str", drop_in=True, runs_code=References.NAMED,
    ),
    Flag(
        "rtol", Kind.FLOAT, Group.COMPARISON, _COMPARES,
        "Relative tolerance, as a share of the largest output of a sample.",
        unset="1e-4; float32 sums in another order differ by up to 3e-5, a changed weight by more than 1e-4",
        takes="float", drop_in=True,
    ),
    Flag(
        "atol", Kind.FLOAT, Group.COMPARISON, _COMPARES,
        "Absolute tolerance, in the output's unit; added to the relative one.",
        unset="1e-5, below what changes a decision", takes="float", drop_in=True,
    ),
    Flag(
        "tolerance", Kind.TEXT, Group.COMPARISON, _COMPARES,
        "Tolerances of a single output: name=rtol,atol.",
        unset="--rtol and --atol", many=True, metavar="NAME=RTOL,ATOL",
        takes="Mapping[str, tuple[float, float]]", drop_in=True,
    ),
    Flag(
        "top-k", Kind.INT, Group.COMPARISON, _COMPARES,
        "Labels that the topk comparator compares.",
        unset="5, as is customary on ImageNet", least=1, takes="int", drop_in=True,
    ),
    Flag(
        "max-discrepancy", Kind.FLOAT, Group.COMPARISON, _COMPARES,
        "Share of inputs, from 0 to 1, that may differ.",
        unset="0; a conversion promises the same function", takes="float", drop_in=True,
    ),
    Flag(
        "metric", Kind.TEXT, Group.COMPARISON, ("verify", *_REPAIRS),
        "What decides in place of the comparator: accuracy over labels.csv, agreement with the source's labels, or package.module:function of your own.",
        unset="with --max-drop accuracy where inputs have labels, else agreement; without it the comparator decides",
        complete="metrics", takes="str", runs_code=References.NAMED,
    ),
    Flag(
        "max-drop", Kind.FLOAT, Group.COMPARISON, ("verify", *_REPAIRS),
        "Share, between 0 and 1, by which the metric may fall from source to target; it has to be shown with 95 % confidence.",
        unset="0.01 with --metric, one point of an accuracy", metavar="SHARE", takes="float",
    ),
    Flag(
        "tflite-runtime", Kind.TEXT, Group.COMPARISON, _VERDICT,
        "What runs TFLite files for the verdict: litert, plain (LiteRT without XNNPACK) or tensorflow.",
        unset="litert, with XNNPACK, which is what apps ship", metavar="RUNTIME", takes="str",
    ),
    Flag(
        "also-on", Kind.TEXT, Group.COMPARISON, _VERDICT,
        "Another runtime that a verified TFLite target is run on, and what it gives otherwise is reported: litert, plain, tensorflow or tflm. May be given "
        "several times.",
        unset="the one of --tflite-runtime alone",
        many=True, metavar="RUNTIME", takes="Sequence[str]",
    ),
    Flag(
        "search", Kind.FLOAT, Group.COMPARISON, _VERDICT,
        "Seconds of searching for inputs on which an equal target differs, from those that come nearest; 0 searches none.",
        unset="8 rounds of 64 inputs (3 of 4 for large models, 16 inputs where each is a call), counted and not timed, so that every run does the same",
        metavar="SECONDS", takes="float", drop_in=True,
    ),
    Flag(
        "target-layout", Kind.TEXT, Group.COMPARISON, _COMPARES,
        "Order of dimensions of the target: keep, NCHW->NHWC or NHWC->NCHW, or name=… for a single tensor. Converters to Keras, and so to "
        "TensorFlow and TFLite, give it where they can.",
        unset="channels last where images go to these formats; of an existing target read off the shapes, and needed where they do not tell", many=True, metavar="[NAME=]ORDER",
        takes="Override | Mapping[str, Override]", drop_in=True,
    ),
    # Route
    Flag(
        "route", Kind.TEXT, Group.ROUTE, _CONVERT, "Converters by name, comma separated.",
        unset="the known routes in order, until one verifies", complete="converters", takes="str",
    ),
    Flag(
        "routes", Kind.TEXT, Group.ROUTE, _CONVERT,
        "Number of routes that are tried at most, or all to try each and keep the best. Without effect beside --route.",
        unset="4, best first, and two with a last resort", metavar="N|all", takes="int | str",
    ),
    Flag(
        "opset", Kind.INT, Group.ROUTE, _CONVERT, "ONNX opset to export with.",
        default=0, unset="0, which leaves it to each exporter", least=0, takes="int",
    ),
    Flag(
        "optimize", Kind.TEXT, Group.ROUTE, _CONVERT,
        "TFLite: none, default or int8-weights (8-bit weights), float16, int8 (integers throughout) or int16x8; ONNX: none or int8. "
        "int8 and int16x8 are calibrated on steering inputs of --inputs.",
        default="none", unset="none, which keeps every bit", complete="optimizations", takes="str",
    ),
    Flag(
        "io", Kind.TEXT, Group.ROUTE, _CONVERT, "TFLite with --optimize int8: what the target takes and gives: float32, int8 or uint8.",
        default="float32", unset="float32, so that it is called as before", complete="ends", takes="str",
    ),
    Flag(
        "allow-select-tf-ops", Kind.BOOL, Group.ROUTE, _CONVERT,
        "TFLite only: operators that TFLite lacks may stay TensorFlow's; the target then needs the Flex delegate.",
        default=False, takes="bool",
    ),
    # Repair
    Flag(
        "repair", Kind.BOOL, Group.REPAIR, _CONVERT,
        "Repair a target that is not equivalent, or only name its faults.",
        default=True, negated=True, takes="bool",
    ),
    Flag(
        "layer-analysis", Kind.TEXT, Group.REPAIR, ("repair", "localize"),
        "Also rank layers by the published analysis (FetaFix): onnxruntime or tvm. Takes minutes.",
        complete="runtimes",
    ),
    Flag(
        "keep-precision", Kind.BOOL, Group.REPAIR, _REPAIRS,
        "TFLite only: name the reduced layers that the loss comes from, and restore none.",
        default=False, takes="bool",
    ),
    Flag(
        "all", Kind.BOOL, Group.REPAIR, ("pack",), "Also the faults that were repaired.", default=False, name="every",
    ),
    # Output
    Flag(
        "output", Kind.PATH, Group.OUTPUT, (*_CONVERT, "repair"), "Path of the target.",
        unset="beside the source, or for repair beside the target as NAME.repaired", short="-o", takes="Place",
    ),
    Flag(
        "output", Kind.PATH, Group.OUTPUT, ("report",), "Path of the page.",
        unset="beside the certificate", short="-o",
    ),
    Flag(
        "output", Kind.PATH, Group.OUTPUT, ("pack",), "Folder of the reproductions.",
        unset="TARGET.issues beside the certificate", short="-o",
    ),
    Flag(
        "output", Kind.PATH, Group.OUTPUT, ("merge",), "Path of the merged certificate.",
        unset="merged.certificate.json", short="-o",
    ),
    Flag(
        "folder", Kind.PATH, Group.OUTPUT, ("demo",), "Folder of the demo's files.",
        default="safeconvert-demo", unset="safeconvert-demo",
    ),
    Flag(
        "certificate", Kind.PATH, Group.OUTPUT, ("verify",), "Write the certificate here, whatever the verdict.",
        unset="none is written", takes="Place",
    ),
    Flag(
        "key", Kind.PATH, Group.OUTPUT, ("convert", "verify", "repair", "merge", *_PAIRS),
        "Ed25519 private key that signs the certificate.", metavar="FILE", unset="unsigned", takes="Place", drop_in=True,
    ),
    Flag(
        "public-key", Kind.PATH, Group.INPUTS, ("check", "show", "report", "attest", "merge"),
        "Ed25519 public key that the certificate must be signed with.", metavar="FILE.pub",
    ),
    Flag(
        "public-key", Kind.PATH, Group.INPUTS, ("gate",),
        "Ed25519 public key; every certificate must be signed with one of those given.",
        unset="[gate] signers of the settings file", many=True, metavar="FILE.pub",
    ),
    Flag(
        "target-only", Kind.BOOL, Group.INPUTS, ("check",), "Do not ask for the source file.", default=False,
    ),
    Flag(
        "proof", Kind.BOOL, Group.INPUTS, ("check",),
        "Also verify the proof again, from both files; their frameworks make the ONNX forms anew.", default=False,
    ),
    Flag(
        "require-signature", Kind.BOOL, Group.INPUTS, ("gate",),
        "Refuse certificates without a valid signature, by whatever key.", default=False,
    ),
    Flag(
        "acknowledge", Kind.PATH, Group.INPUTS, ("gate",), "TOML file of the obligations that the deployment meets.",
        unset="no obligation is met", metavar="FILE",
    ),
    *(
        Flag(key, Kind.PATH, Group.OUTPUT, ("attest",), text, metavar="FILE")
        for key, text in (
            ("sigstore-bundle", "Write the signed certificate as a Sigstore bundle."),
            ("test-result", "Write the verdict as an in-toto test-result statement."),
            ("ml-bom", "Write target, source and tools as a CycloneDX ML-BOM."),
            ("model-signature", "Write the OpenSSF model-signing signature of the target."),
        )
    ),
    Flag("key", Kind.PATH, Group.INPUTS, ("attest",), "Ed25519 private key that signs the test result.", metavar="FILE"),
    Flag(
        "ec-key", Kind.PATH, Group.INPUTS, ("attest",), "P-256 private key that signs the model (keygen --ec).",
        metavar="FILE",
    ),
    Flag("ec", Kind.BOOL, Group.OUTPUT, ("keygen",), "Make a P-256 key for attest --ec-key.", default=False, name="elliptic"),
    Flag(
        "relock", Kind.BOOL, Group.OUTPUT, ("adapters",),
        "Resolve the versions anew, and write the adapter's lock file.", default=False,
    ),
    Flag(
        "junit", Kind.PATH, Group.OUTPUT, (*_VERDICT, "show", "gate", "batch"), "Write JUnit XML for continuous integration.",
        metavar="FILE.xml", takes="Place",
    ),
    Flag(
        "model-explorer", Kind.PATH, Group.OUTPUT, (*_REPAIRS, "show"),
        "Write the error of every node for Google's Model Explorer, and the graphs beside it.",
        metavar="FILE.json", takes="Place",
    ),
    Flag(
        "report", Kind.PATH, Group.OUTPUT, _VERDICT, "Write an HTML page of the run, whatever its verdict.",
        unset="none is written; without a file name, beside the target", metavar="[FILE.html]", takes="Place | bool",
    ),
    Flag(
        "profile", Kind.PATH, Group.OUTPUT, _VERDICT,
        "Write where the time went: phases, worker calls, and the workers' starts and imports on one time line, in Chrome's trace format.",
        metavar="FILE.json", takes="Place",
    ),
    Flag(
        "json", Kind.BOOL, Group.OUTPUT, (*_RUNS, "check", "show", "demo", "config", "gate", "batch", "merge"),
        "Print one JSON object on stdout and nothing else.", default=False, name="as_json",
    ),
    Flag(
        "quiet", Kind.BOOL, Group.OUTPUT, (*_COMPARES, "check", "gate", "batch", "merge"), "Print nothing but errors.",
        default=False, short="-q",
    ),
    Flag(
        "verbose", Kind.BOOL, Group.OUTPUT, _COMPARES, "Also print the whole certificate, or every step of a proof.", default=False, short="-v",
    ),
    Flag(
        "results", Kind.PATH, Group.OUTPUT, ("batch",),
        "Folder of the ledger, the index of all reports, the logs, and the targets of jobs that name no output.", default="batch-results", unset="batch-results", metavar="DIR",
    ),
    Flag("pattern", Kind.TEXT, Group.INPUTS, ("batch",), "Which files of a folder are converted, such as '*.pt'.", default=""),
    Flag(
        "command", Kind.TEXT, Group.INPUTS, ("batch",), "Pair of formats for the files of a folder, such as torch2onnx.", default="",
    ),
    Flag(
        "only", Kind.TEXT, Group.INPUTS, ("batch",), "Run only jobs whose name (command, source, output) fits this pattern.",
        default="", metavar="PATTERN",
    ),
    Flag(
        "retry", Kind.TEXT, Group.INPUTS, ("batch",), "Give `failed` to run again what crashed or did not end with exit code 0.", default="",
        metavar="failed",
    ),
    Flag("dry-run", Kind.BOOL, Group.OUTPUT, ("batch",), "Print what would be run, and about how long it takes.", default=False),
    # Limits
    Flag(
        "slots", Kind.INT, Group.LIMITS, ("batch",), "Jobs that run at a time.",
        unset="one a core, and no more than fit into memory at 3 GiB each", least=1,
    ),
    Flag(
        "engine", Kind.TEXT, Group.LIMITS, ("batch",),
        "What runs the jobs: local (slots on this machine) or ray (tasks of a Ray cluster; needs safeconvert[ray]).",
        default="local", unset="local", metavar="ENGINE",
    ),
    Flag(
        "address", Kind.TEXT, Group.LIMITS, ("batch",), "Address of the Ray cluster, as ray.init takes it; auto for the one of this machine.",
        default="", unset="Ray is started on this machine, and ends with the batch", metavar="HOST:PORT",
    ),
    Flag(
        "timeout", Kind.FLOAT, Group.LIMITS, (*_COMPARES, "pack"), "Seconds that one call of a converter may take.", metavar="SECONDS",
        unset="3600; large models convert in minutes, an hour is a hang", least=1, takes="float", drop_in=True,
    ),
    Flag(
        "memory", Kind.INT, Group.LIMITS, (*_COMPARES, "pack"), "MiB of memory that one worker may take.", metavar="MIB",
        unset="three quarters of the machine's, so that it does not swap", least=64, takes="int", drop_in=True,
    ),
    Flag(
        "containment", Kind.TEXT, Group.LIMITS, _RUNS,
        "How workers are kept from your files, the network and other processes: auto (what the kernel gives), require (all of it, "
        "or nothing runs) or off.",
        unset="auto", complete="containments", takes="str", drop_in=True, metavar="MODE",
    ),
    Flag(
        "config", Kind.PATH, Group.LIMITS, (*_RUNS, "config", "gate"), "Settings file.", metavar="FILE.toml",
        unset="the nearest safeconvert.toml", takes="Place", only_named="it names the file itself",
    ),
    Flag(
        "trust-project", Kind.BOOL, Group.LIMITS, _RUNS,
        "Let a settings file that was found, and not named with --config, run code: [adapters], --model, and a --comparator or --metric "
        "of its own.",
        default=False, takes="bool", only_named="it would grant itself what it asks for",
    ),
)  # fmt: skip
"""Every flag, in the order of the help within its group."""


def known_flags() -> Mapping[str, Mapping[str, Flag]]:
    """The flags of each command by key, in the order of the table; {} for a command that has none."""
    known: dict[str, dict[str, Flag]] = {command.name: {} for command in COMMANDS}
    for flag in FLAGS:
        for command in flag.commands:
            known[command][flag.key] = flag
    return known


def keywords(command: str) -> dict[str, Flag]:
    """The flags of a command that its function of the Python API takes, by parameter; `to` is an argument of its own."""
    return {flag.parameter: flag for flag in known_flags()[command].values() if flag.takes}


def drop_in_keywords() -> dict[str, Flag]:
    """The flags that `safeconvert.compat.checking` takes, by parameter."""
    return {name: flag for name, flag in keywords("convert").items() if flag.drop_in}
