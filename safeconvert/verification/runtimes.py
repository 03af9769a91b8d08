"""A verified TFLite target on further runtimes: what they give otherwise than the one that decides, as remarks.

The format leaves an integer operator's rounding to its kernel, and kernels differ: what is verified on one runtime is no other's answer.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from safeconvert.compare.comparison import Comparison
from safeconvert.compare.contract import Contract
from safeconvert.compare.quantized import is_quantized
from safeconvert.compare.settings import VerifySettings
from safeconvert.conversion.models import evaluate, open_model
from safeconvert.core.runtimes import Runtime
from safeconvert.core.text import first_line
from safeconvert.errors import SafeconvertError
from safeconvert.verification.native import compare, feed_across, unchanged_contract
from safeconvert.verification.pair import Pair
from safeconvert.verification.types import Verification
from safeconvert.workers.run import Run


def with_runtimes(run: Run, pair: Pair, found: Verification, settings: VerifySettings) -> Verification:
    """A verification with a remark for each further runtime that is requested; as it is where the target is not equal, or none is.

    Never raises for a runtime that cannot run the target: the remark says why.
    """
    if not found.native.equal or not settings.also_on or pair.target.session.adapter.format != "tflite":
        return found
    remarks = tuple(_remark(run, pair, found, settings, runtime) for runtime in settings.also_on)
    return replace(found, remarks=(*found.remarks, *remarks))


def _remark(run: Run, pair: Pair, found: Verification, settings: VerifySettings, runtime: Runtime) -> str:
    source, chunks = pair.source, pair.source.data.chunks
    contract = unchanged_contract(found.target, found.target)
    plain = replace(settings, comparator=None, drop=None, tolerances={})
    try:
        session = open_model(run, "target", "tflite", replace(pair.target.request, runtime=str(runtime)))
        feeds = feed_across(pair.contract, chunks, run.folder("feed"))
        outputs = evaluate(run, session, feeds, f"running the target on {runtime.words}")
        session.close()
    except SafeconvertError as error:
        return f"runtime fault: {runtime.words} does not run the target: {first_line(str(error))}"
    figures = compare(contract, found.outputs, outputs, chunks, plain).result(np.asarray(source.held_out))
    return said(runtime, Runtime(run.settings.tflite.runtime), contract, figures)


def said(runtime: Runtime, deciding: Runtime, contract: Contract, figures: Comparison) -> str:
    """What another runtime gives otherwise than the one that decides, in one line."""
    inputs = f"{figures.samples} held-out inputs"
    if figures.equal:
        return f"{runtime.words} gives the same on {inputs}, max-abs {figures.max_abs:.3g}"
    scales = {
        tensor.target.name: tensor.target.quantization for tensor in contract.outputs if is_quantized(tensor.target)
    }
    steps = [
        output.max_abs / scale.scale for output in figures.outputs if (scale := scales.get(output.name)) is not None
    ]
    beside = f", {max(steps):.0f} steps of the output's scale at most" if steps else ""
    return (
        f"runtime fault: {runtime.words} gives other values on {figures.beyond_tolerance} of {inputs}, other labels on "
        f"{figures.disagreements}; max-abs {figures.max_abs:.3g}{beside}: what is verified is {deciding.words}"
    )
