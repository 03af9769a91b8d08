"""What has to hold before a target is quantised, or decided by a metric; and how sure each target shown to the held-out inputs must be."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from safeconvert.compare.bounds import clopper_pearson_upper
from safeconvert.compare.custom import load
from safeconvert.compare.drop import needed, shown_by
from safeconvert.compare.metrics import ACCURACY, metric_for
from safeconvert.compare.settings import METRICS, DropSettings, VerifySettings
from safeconvert.config.options import ConvertOptions, DataOptions
from safeconvert.core.optimize import Io, Optimize
from safeconvert.errors import NoVerdict, UnusableInput
from safeconvert.repair.float_target import FORMATS
from safeconvert.verification.counting import least_held_out
from safeconvert.verification.native import unchanged_contract
from safeconvert.verification.scored import drop_of, labels_of
from safeconvert.verification.source import Source
from safeconvert.workers.run import Run

_HALF = 0.5  # an accuracy above it is no chance, however uneven the labels are
_FIRST = 0.8  # of the probability of error: what the first target may spend of it that is shown to the held-out inputs


def check_quantization(options: ConvertOptions) -> None:
    """Refuse what cannot be quantised, before anything takes time.

    Raises:
        UnusableInput: the message says why.
    """
    kind = Optimize(options.optimize)
    if options.io not in tuple(Io):
        raise UnusableInput(f"--io {options.io}: unknown", f"one of {', '.join(Io)}")
    if options.io != Io.FLOAT32 and (kind is not Optimize.INT8 or options.target_format != "tflite"):
        raise UnusableInput(f"--io {options.io}: is for TFLite targets with --optimize int8", "leave it out")
    wanted = {Optimize.INT8: FORMATS}.get(kind, ("tflite",))
    if kind is not Optimize.NONE and options.target_format not in wanted:
        raise UnusableInput(
            f"--optimize {kind}: is for {' and '.join(wanted)} targets, not for {options.target_format}", "leave it out"
        )
    if kind.calibrated and options.data.path is None:
        raise UnusableInput(
            f"--optimize {kind}: measures the ranges of activations on inputs, and none are given; generated ones would calibrate "
            "the model for noise",
            "give inputs like those that it will work on: --inputs",
        )
    if options.verify.drop is not None and kind is Optimize.NONE:
        raise UnusableInput(
            "--max-drop: a target in as many bits as its source has to be the same function",
            "leave it out, or give --optimize int8, int16x8, default or float16",
        )
    staged = kind.calibrated or options.verify.drop is not None
    if staged and options.bake_preprocessing:
        raise UnusableInput(f"--bake-preprocessing: is not for --optimize {kind}", "leave one of them out")
    if staged and options.arguments:
        raise UnusableInput(f"--optimize {kind}: takes no arguments of the converter's own", "leave them out")


def require_metric(settings: VerifySettings, data: DataOptions) -> None:
    """Refuse a metric that cannot be used, before anything takes time.

    Raises:
        UnusableInput: there is no such metric, or no inputs are given.
    """
    drop = settings.drop
    if drop is None:
        return
    if data.path is None:
        raise UnusableInput(
            "--max-drop: a metric means nothing on generated inputs", "give inputs of the model's task: --inputs"
        )
    if drop.metric not in ("", *METRICS):
        if ":" not in drop.metric:
            metric_for(drop.metric, labelled=True)
        load(drop.metric, str(Path.cwd()), "--metric")


def require_evidence(run: Run, source: Source, settings: VerifySettings, data: DataOptions) -> None:
    """Refuse a verdict that the given inputs held out are too few for, whatever the target.

    Raises:
        NoVerdict: they are, or the source itself is no good by the metric.
        UnusableInput: the metric needs labels that are not there.
    """
    held_out = source.held_out[source.held_out < source.data.inputs.count]
    least = least_held_out(run, data)
    if len(held_out) < least:
        raise NoVerdict(
            f"{source.file.named}: {len(held_out)} distinct inputs are held out of {source.data.inputs.count}, and a verdict needs {least}",
            "give more inputs that differ",
        )
    if settings.drop is None:
        return
    labels = labels_of(source)
    _require_enough(run, source, settings.drop, held_out, labels)
    _require_sense(source, settings.drop, held_out, labels)


def _require_enough(
    run: Run, source: Source, settings: DropSettings, held_out: np.ndarray, labels: np.ndarray | None
) -> None:
    """Refuse a bound that so few inputs cannot show, whatever they give; a metric of the user's own has none that is known before.

    Raises:
        NoVerdict: the message says how many it takes, how many there are, and what to do.
        UnusableInput: no such metric, or accuracy without labels.
    """
    of_labels = metric_for(settings.metric, labels is not None) == ACCURACY and labels is not None
    known = held_out[labels[held_out] >= 0] if of_labels and labels is not None else held_out
    most = needed(settings.allowed, settings.confidence)
    if settings.metric not in ("", *METRICS) or len(known) >= most:
        return
    without = f", {len(held_out) - len(known)} of them without a label" if len(known) < len(held_out) else ""
    share = run.settings.inputs.held_out
    count, labelled = math.ceil(most / share), " with labels" if of_labels else ""
    how = f"raise --samples to {count}" if source.data.limited else f"give {count} distinct inputs{labelled} or more"
    least = math.ceil(1000 * shown_by(len(known), settings.confidence)) / 1000
    larger = f", or allow what {len(known)} can show: --max-drop {least:g}" if least < 1 else ""
    raise NoVerdict(
        f"--max-drop {settings.allowed:g}: {len(known)} held-out inputs{labelled} cannot show it, even where none is lost; it takes {most} "
        f"({len(held_out)} distinct ones are held out of {source.data.inputs.count}{without})",
        f"{how}, of which {100 * share:g} % are held out{larger}",
    )


def _require_sense(source: Source, settings: DropSettings, held_out: np.ndarray, labels: np.ndarray | None) -> None:
    """Refuse a metric that the source itself does no good by: what never scores has nothing to lose.

    An accuracy has to be above the share of the commonest label with 95 % confidence, unless it is above one half.

    Raises:
        NoVerdict: it is not; labels of another numbering are the usual cause.
        UnusableInput: the metric cannot be computed.
    """
    signature = source.session.signature
    own = drop_of(unchanged_contract(signature, signature), source, source.outputs, held_out, settings)
    chance = 0.0
    if own.metric == "accuracy" and labels is not None:
        known = labels[held_out][labels[held_out] >= 0]
        chance = float(np.unique(known, return_counts=True)[1].max()) / len(known) if len(known) else 0.0
    right = round(own.source * own.samples) if own.samples else 0
    least = 1 - clopper_pearson_upper(own.samples - right, own.samples) if own.whole else own.source
    if own.samples and own.source < _HALF and least <= chance:
        raise NoVerdict(
            f"--metric {own.metric}: the source itself has {100 * own.source:.3g} % on {own.samples} held-out inputs, which shows nothing: "
            f"naming the commonest label has {100 * chance:.3g} %",
            "give labels in the source's own numbering (many models count the background as class 0), or --metric agreement",
        )


def with_looks(settings: VerifySettings, look: int) -> VerifySettings:
    """The settings for the target that is shown to the held-out inputs as number `look`, counted from 0.

    Each look may be wrong by chance. The first spends four fifths of the probability that is left at all, each further one half of
    what the others left, so that together they stay below it (Bonferroni).
    """
    if settings.drop is None:
        return settings
    doubt = 1 - settings.drop.confidence
    own = _FIRST * doubt if look == 0 else (1 - _FIRST) * doubt / 2**look
    return replace(settings, drop=replace(settings.drop, confidence=1 - own))
