"""What a user of the target is told of sizes, places and precision."""

from __future__ import annotations

from dataclasses import replace

from safeconvert.compare.contract import make_contract
from safeconvert.compare.half_precision import within_half
from safeconvert.compare.settings import Tolerance, VerifySettings
from safeconvert.core.signature import Signature, TensorSpec

IMAGE = TensorSpec("x", (None, 3, 48, 96), "float32", open=(3,))
OUTPUT = TensorSpec("y", (None, 4), "float32")


def obligations(source: Signature, target: Signature) -> list[str]:
    return list(make_contract(source, target).obligations)


def test_a_size_of_this_run_that_the_target_fixes_is_named() -> None:
    found = obligations(Signature((IMAGE,), (OUTPUT,)), Signature((replace(IMAGE, open=()),), (OUTPUT,)))
    assert found == ["input x: target takes size 96 in dimension 3 (width) only; source takes any"]


def test_a_size_that_stays_free_is_no_obligation() -> None:
    free = replace(IMAGE, shape=(None, 3, 48, None), open=())
    assert obligations(Signature((IMAGE,), (OUTPUT,)), Signature((free,), (OUTPUT,))) == []
    assert obligations(Signature((IMAGE,), (OUTPUT,)), Signature((IMAGE,), (OUTPUT,))) == []


def test_outputs_at_other_places_are_named_and_those_that_have_none_are_not() -> None:
    first, second = replace(OUTPUT, name="a"), replace(OUTPUT, name="b")
    source = Signature((IMAGE,), (first, second))
    swapped = Signature((IMAGE,), (replace(first, position=1), replace(second, position=0)))
    assert obligations(source, swapped) == [
        "output a: is number 1 of the target's outputs, and 0 of the source's",
        "output b: is number 0 of the target's outputs, and 1 of the source's",
    ]
    by_name = Signature((IMAGE,), (replace(second, position=-1), replace(first, position=-1)))
    assert obligations(source, by_name) == []


def test_outputs_computed_in_halves_are_compared_within_their_unit() -> None:
    half = replace(OUTPUT, computed="float16")
    settings = within_half(VerifySettings(), [half, replace(OUTPUT, name="z")])
    assert settings.tolerance_for("y").rtol == 2.0**-10 and settings.tolerance_for("z").rtol == 1e-4
    given = VerifySettings(tolerances={"y": Tolerance(1e-6, 0.0)})
    assert within_half(given, [half]).tolerance_for("y").rtol == 1e-6
    found = obligations(Signature((IMAGE,), (half,)), Signature((IMAGE,), (OUTPUT,)))
    assert found == ["output y: source computes in float16; compared within its precision, 9.8e-04 of the scale"]
