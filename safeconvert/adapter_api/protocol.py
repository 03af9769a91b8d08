"""The contract between safeconvert and an adapter: what it is requested to do, and what it answers.

A *framework* adapter offers `load(request) -> Model` (see `runtime.feeding.Model`); a *converter* adapter offers
`convert(request) -> reply`. Both run in workers and get these classes as JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from safeconvert.core.permutation import NCHW_TO_NHWC as NCHW_TO_NHWC
from safeconvert.core.permutation import NHWC_TO_NCHW as NHWC_TO_NCHW
from safeconvert.core.permutation import Permutation as Permutation
from safeconvert.core.permutation import channels_last as channels_last
from safeconvert.core.permutation import channels_second as channels_second
from safeconvert.core.signature import Signature


@dataclass(frozen=True)
class ModelPart:
    """Which part of a TensorFlow model is meant.

    Attributes:
        signature: of a SavedModel; "" is `serving_default`, or the first where there is none of that name.
        tags: of the SavedModel's graph; () is its only one.
        inputs, outputs: tensors (`name:0`) between which a graph is cut out of a frozen graph or checkpoint, or outputs of
            a SavedModel's signature; () takes all.
    """

    signature: str = ""
    tags: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> ModelPart:
        """The inverse of `asdict`."""
        return ModelPart(data["signature"], tuple(data["tags"]), tuple(data["inputs"]), tuple(data["outputs"]))


WHOLE = ModelPart()
"""The whole model."""


CandidateInput = tuple[str, tuple[int, ...], str]
"""Name, shape (0 = free) and type that an input may have."""


@dataclass(frozen=True)
class ModelRequest:
    """A model file to open.

    Attributes:
        path: absolute path of the file or folder.
        input_shapes: shapes given by the user, by input name ("" = the only or the first input); 0 = free dimension.
        candidate_shapes: shapes to try first where the format does not declare any (of the other model of a pair, of the data).
        candidate_inputs: all inputs of the other model of a pair, in its order, where there are several; tried before
            `candidate_shapes`: which of them holds integers is not seen from shapes.
        factory: `package.module:callable` that builds the module a bare state_dict belongs to.
        trust_pickle: the user allows code in the file to run.
        search_path: folder put on the import path for `factory`.
        part: which part of a TensorFlow model is meant.
        sample: the user's `.npy` or `.npz`, whose values a source that declares no inputs is tried on; "" where there is none.
        runtime: which of several runtimes of its format is to run it; "" is the usual one.
    """

    path: str
    input_shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    candidate_shapes: tuple[tuple[int, ...], ...] = ()
    candidate_inputs: tuple[CandidateInput, ...] = ()
    factory: str = ""
    trust_pickle: bool = False
    search_path: str = ""
    part: ModelPart = WHOLE
    sample: str = ""
    runtime: str = ""

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> ModelRequest:
        """The inverse of `to_json`."""
        return ModelRequest(
            **{
                **data,
                "input_shapes": {name: tuple(shape) for name, shape in data["input_shapes"].items()},
                "candidate_shapes": tuple(tuple(shape) for shape in data["candidate_shapes"]),
                "candidate_inputs": tuple(
                    (name, tuple(shape), dtype) for name, shape, dtype in data["candidate_inputs"]
                ),
                "part": ModelPart.from_json(data["part"]),
            }
        )

    def to_json(self) -> dict[str, Any]:
        """A JSON-able form."""
        return asdict(self)


@dataclass(frozen=True)
class ConvertRequest:
    """One step of a route.

    Attributes:
        model: the model file to convert.
        target: absolute path that the converter writes; a folder where the target format is one.
        signature: of `model`, resolved (every dimension but the batch is fixed), or None for an intermediate file.
        opset: ONNX opset to export to; 0 leaves it to the adapter.
        optimize: TFLite only: "none", "default" (dynamic-range 8 bit) or "float16".
        select_tf_ops: TFLite only: operators that TFLite lacks may stay TensorFlow's.
        arguments: the converter's own arguments, by its own names; the manifest lists those that an adapter honours.
        keep_open: sizes that the source leaves free are to stay free (see `TensorSpec.open`); asked of a route's last step, and of the others
            where all converters of the route can keep them (`open_sizes` in the manifest).
        layouts: by position of the source's inputs and of its outputs, the order of dimensions that the user wants of the target ("keep",
            "NCHW->NHWC", "NHWC->NCHW"), "" for one that is not said; () where none is.
    """

    model: ModelRequest
    target: str
    signature: Signature | None = None
    opset: int = 0
    optimize: str = "none"
    arguments: Mapping[str, Any] = field(default_factory=dict)
    select_tf_ops: bool = False
    keep_open: bool = False
    layouts: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> ConvertRequest:
        """The inverse of `to_json`."""
        signature = data["signature"]
        return ConvertRequest(
            model=ModelRequest.from_json(data["model"]),
            target=data["target"],
            signature=Signature.from_json(signature) if signature else None,
            opset=data["opset"],
            optimize=data["optimize"],
            arguments=data["arguments"],
            select_tf_ops=data["select_tf_ops"],
            keep_open=data.get("keep_open", False),
            layouts=(tuple(data.get("layouts", ((), ()))[0]), tuple(data.get("layouts", ((), ()))[1])),
        )

    def to_json(self) -> dict[str, Any]:
        """A JSON-able form."""
        return asdict(self)


@dataclass(frozen=True)
class ConvertReply:
    """What a converter declares that it did to the order of dimensions.

    Attributes:
        inputs: for each input, in order, the permutation (target dimension j is source dimension p[j]), or None for
            "unchanged".
        outputs: the same for outputs.
        notes: remarks for the certificate (exporter settings, rewrites).
        obligations: what a user of the target must do or have that the source did not ask for, one line each.
    """

    inputs: tuple[Permutation | None, ...]
    outputs: tuple[Permutation | None, ...]
    notes: tuple[str, ...] = ()
    obligations: tuple[str, ...] = ()

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> ConvertReply:
        """The inverse of `to_json`."""

        def permutations(items: Any) -> tuple[Permutation | None, ...]:
            return tuple(tuple(item) if item is not None else None for item in items)

        return ConvertReply(
            permutations(data["inputs"]),
            permutations(data["outputs"]),
            tuple(data["notes"]),
            tuple(data.get("obligations", ())),
        )

    def to_json(self) -> dict[str, Any]:
        """A JSON-able form."""
        return asdict(self)

    def then(self, following: ConvertReply) -> ConvertReply:
        """The permutations of this step followed by another step's."""
        return ConvertReply(
            _compose(self.inputs, following.inputs),
            _compose(self.outputs, following.outputs),
            self.notes + following.notes,
            self.obligations + following.obligations,
        )


UNCHANGED = ConvertReply((), ())
"""No dimension moved on any input or output."""


def _compose(
    first: tuple[Permutation | None, ...], second: tuple[Permutation | None, ...]
) -> tuple[Permutation | None, ...]:
    length = max(len(first), len(second))
    first += (None,) * (length - len(first))
    second += (None,) * (length - len(second))
    composed = []
    for one, two in zip(first, second, strict=True):
        if one is None or two is None:
            both = one if two is None else two
        else:
            both = tuple(one[axis] for axis in two)
        composed.append(None if both == tuple(range(len(both or ()))) else both)
    return tuple(composed)
