"""The demo: a small CNN trained, converted and verified."""

from __future__ import annotations

import shutil
from pathlib import Path

from safeconvert.app.runs import run_convert
from safeconvert.config.options import ConvertOptions, DataOptions
from safeconvert.config.settings import Settings
from safeconvert.core.progress import Phases
from safeconvert.errors import AdapterFailure, UnusableInput
from safeconvert.report.outcome import Demo
from safeconvert.workers.requests import CallFunction
from safeconvert.workers.run import open_run

_DEMO_SEED = 7
_TRAINER = Path(__file__).resolve().parents[1] / "demo"


def run_demo(folder: Path, settings: Settings, phases: Phases) -> Demo:
    """Train a small CNN on handwritten digits, convert it from torch to Keras, verify it on the held-out digits."""
    folder = folder.absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnusableInput(f"{folder}: cannot be made: {error.strerror}", "name another with --folder") from error
    with (
        open_run(settings, phases) as run,
        phases.phase("training on handwritten digits"),
    ):
        made = run.folder("demo")
        request = CallFunction(_TRAINER, "train", {"folder": made, "seed": _DEMO_SEED})
        try:
            trained = run.pool.worker("train").call("demo", "training", request)
        except AdapterFailure as failure:
            raise UnusableInput(f"{folder}: the demo could not train: {failure.cause}", "", failure.log) from failure
        try:
            for name in ("digits.pt", "digits.npy"):
                shutil.copyfile(made / name, folder / name)
        except OSError as error:
            raise UnusableInput(f"{folder}: cannot be written: {error.strerror}", "free some space") from error
    options = ConvertOptions(
        source=folder / "digits.pt",
        target_format="keras",
        output=folder / "digits.keras",
        data=DataOptions(path=folder / "digits.npy"),
    )
    outcome = run_convert(options, settings, phases)
    return Demo(folder, options.source, folder / "digits.npy", outcome=outcome, **trained)
