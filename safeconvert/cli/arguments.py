"""The positional arguments that commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Source = Annotated[Path, typer.Argument(help="Model file or SavedModel folder.", show_default=False)]
Target = Annotated[Path, typer.Argument(help="The model converted from it.", show_default=False)]
Certificate = Annotated[Path, typer.Argument(help="A .certificate.json.", show_default=False)]
