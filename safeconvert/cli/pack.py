"""`safeconvert pack`: faults as issues for a converter's tracker."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from safeconvert.cli.errors import people_errors
from safeconvert.cli.options import ConfigOption, JsonOption, MemoryOption, TimeoutOption


def pack(
    certificate: Annotated[
        Path, typer.Argument(help="A .certificate.json, its evidence beside it.", show_default=False)
    ],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Folder; <target>.issues beside the certificate by default.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Also the faults that were repaired.")] = False,
    timeout: TimeoutOption = None,
    memory: MemoryOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write each unrepaired fault as the smallest ONNX graph on which the raw converter still goes wrong.

    Each folder holds model.onnx, test_data_set_0, a program that runs the raw converter alone, and the issue's text. Where
    the converter goes wrong on no part of the model alone, the text says so.

    Example: safeconvert pack model.keras.rejected.certificate.json -o issues/
    """
    with people_errors(as_json):
        from safeconvert.app import runs
        from safeconvert.config.settings import load_settings
        from safeconvert.core.progress import display
        from safeconvert.report import pack as shown
        from safeconvert.reproduce.pack import pack as pack_faults

        settings = runs.with_limits(load_settings(config), timeout, memory)
        with display(not as_json and sys.stderr.isatty()) as phases:
            packed = pack_faults(certificate, output, every, settings, phases)
        if as_json:
            typer.echo(json.dumps(shown.pack_json(packed)))
        else:
            shown.print_pack(packed, every)
