"""Settings: defaults, overlays, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from safeconvert import arguments
from safeconvert.config import load_settings
from safeconvert.errors import UnusableInput
from safeconvert.verify.settings import Tolerance, VerifySettings


def test_defaults_agree_with_those_of_the_library() -> None:
    configured, built_in = load_settings().verify, VerifySettings()
    assert Tolerance(configured.rtol, configured.atol) == built_in.tolerance
    assert (configured.top_k, configured.cosine_threshold) == (built_in.top_k, built_in.cosine_threshold)
    assert configured.max_discrepancy == built_in.max_discrepancy == 0.0


def test_an_overlay_replaces_single_keys(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text("[inputs]\nseed = 9\n[verify]\nrtol = 1\n")
    settings = load_settings(tmp_path / "c.toml")
    assert settings.inputs.seed == 9 and settings.verify.rtol == 1.0
    assert settings.inputs.generated == load_settings().inputs.generated


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[inputs]\nsead = 1\n", "did you mean seed"),
        ("[input]\nseed = 1\n", "did you mean inputs"),
        ("[inputs]\nseed = 'x'\n", "inputs.seed"),
        ("[inputs]\nseed = 1.5\n", "inputs.seed"),
        ("[limits]\nseconds = true\n", "limits.seconds"),
        ("[limits]\nseconds = -1\n", "limits.seconds"),
        ("inputs = 3\n", "no table"),
        ("[[", "TOML"),
        ("[adapters]\nfolders = ['nowhere']\n", "no folder"),
        ("[adapters]\nfolders = 3\n", "not a list"),
    ],
)
def test_what_means_nothing_is_an_error_that_names_the_file(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text(text)
    with pytest.raises(UnusableInput) as raised:
        load_settings(path)
    assert "c.toml" in raised.value.message and says in raised.value.message + raised.value.advice


def test_the_small_languages_of_the_command_line() -> None:
    assert arguments.shapes(["1,3,8,8", "ids=?,16"]) == {"": (1, 3, 8, 8), "ids": (0, 16)}
    assert arguments.ranges(["ids=0:100"]) == {"ids": (0, 100)}
    assert arguments.layouts(["keep", "x=nchw->nhwc"]) == {"": "keep", "x": "NCHW->NHWC"}
    assert arguments.tolerances(["y=1e-3,0"]) == {"y": Tolerance(1e-3, 0.0)}
    for parse, text in (
        (arguments.shapes, "a,b"), (arguments.shapes, "1,-2"), (arguments.ranges, "ids=5:5"), (arguments.ranges, "0:5"),
        (arguments.layouts, "x=up"), (arguments.tolerances, "y=1"), (arguments.tolerances, "1,2"),
    ):  # fmt: skip
        with pytest.raises(UnusableInput):
            parse([text])
