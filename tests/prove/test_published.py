"""Published bugs of converters and optimizers: none is proven, and each is shown by an input; what a right tool makes is proven."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest

from safeconvert.prove.disprove import Tolerances, counterexample
from safeconvert.prove.prover import prove
from tests.prove.graphs import contract, numbers
from tests.scenarios.published_bugs import BUGS, RIGHT, SOURCE, WRONG, Bug


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_it_is_refuted(bug: Bug) -> None:
    source, wrong = bug.model(SOURCE), bug.model(WRONG)
    found = prove(source, wrong, contract())
    assert not found.proven
    assert (
        counterexample((source, wrong), contract(), [numbers(bug.shape, 3)], found.unproven, Tolerances(1e-4, 1e-5))
        is not None
    )


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_what_is_right_is_proven(bug: Bug) -> None:
    source, right = bug.model(SOURCE), bug.model(RIGHT)
    one, two = (
        onnxruntime.InferenceSession(m.SerializeToString(), providers=["CPUExecutionProvider"]).run(
            None, {"x": numbers(bug.shape, 3)}
        )[0]
        for m in (source, right)
    )
    np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-5)
    assert prove(source, right, contract()).proven
