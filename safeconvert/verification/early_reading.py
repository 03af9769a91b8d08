"""The graph of a source's file that a proof starts from: read and looked at in the background, while converters and the target run."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from safeconvert.compare.settings import VerifySettings
from safeconvert.core.formats import ModelFile
from safeconvert.core.signature import Signature
from safeconvert.verification.native_forms import (
    NativeForm,
    NativeModel,
    Unread,
    native_form,
    read_again,
    readable_beside,
)
from safeconvert.verification.types import Counted
from safeconvert.workers.run import Run


@dataclass(frozen=True)
class EarlyForm:
    """What is being found out about the graph of a source's file.

    Attributes:
        model: the source, as it was run.
        counted: the samples that give verdicts.
        form: the graph, or why there is none.
    """

    model: NativeModel
    counted: Counted
    form: Future[NativeForm | Unread]

    def of(self, model: NativeModel, counted: Counted) -> NativeForm | Unread | None:
        """What was found of a model on the samples that count, waited for; None where it was looked at on others."""
        same = model.chunks == self.model.chunks and model.outputs is self.model.outputs
        ours, theirs = self.counted, counted
        counts = np.array_equal(ours.held_out, theirs.held_out) and np.array_equal(ours.joined, theirs.joined)
        return self.form.result() if same and counts else None


def begin_reading(run: Run, file: ModelFile, signature: Signature) -> Callable[[], Path] | None:
    """Begin to read a file; what waits for the graph and raises as `read_again`, or None where that is no work for the background."""
    if not readable_beside(file.path, file.format):
        return None
    return run.threads.submit(read_again, run, "source", (file.path, file.format), signature.inputs).result


def begin_looking(
    run: Run, model: NativeModel, counted: Counted, settings: VerifySettings, reading: Callable[[], Path]
) -> EarlyForm:
    """Begin to compare what is read with the source, as `native_form` does."""
    looking = partial(native_form, run, model, counted, settings, reading)
    return EarlyForm(model, counted, run.threads.submit(looking))
