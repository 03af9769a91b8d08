"""Functions of which the sign of what they read is the sign of what they give."""

from __future__ import annotations

from safeconvert.prove.axioms.axiom import Axiom

ODD = "the function is odd"
FUNCTIONS = {"Erf", "Tanh", "Sin", "Sinh", "Tan", "Asin", "Asinh", "Atan", "Atanh", "Softsign"}
AXIOM = Axiom(
    "odd functions",
    "f(-x) = -f(x) for erf, tanh, sin, sinh, tan, their inverses, and softsign.",
    (ODD,),
)
