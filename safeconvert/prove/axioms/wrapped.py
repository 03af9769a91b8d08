"""Numbers of rows that are counted from the end where they are negative."""

from __future__ import annotations

from safeconvert.prove.axioms.axiom import Axiom
from safeconvert.prove.kernel.layout import Value
from safeconvert.prove.kernel.terms import Store, Term

_ROWS = "what is added is the number of rows"
_ZERO = "it is added below zero"
_ITSELF = "what is compared and what is added to are the number itself"


def unwrapped(store: Store, index: Value, rows: int) -> Value:
    """Numbers of rows of a table without what makes those of negative ones, which Gather counts from the end itself."""
    if index.term.operator != "where" or not _plain(index.term):
        return index
    less, raised, number = index.term.operands
    bound = less.operands[1].constants[0].values
    itself = less.operands[0] is number and raised.operands == (number,)
    asked = (
        (_ROWS, bool((raised.constants[0].values == rows).all())),
        (_ZERO, bool((bound == 0).all())),
        (_ITSELF, itself),
    )
    if not all(AXIOM.holds(store, condition, truth) for condition, truth in asked):
        return index
    AXIOM.use(store)
    return unwrapped(store, Value(number, index.groups), rows)


def _plain(term: Term) -> bool:
    """Whether a choice is where(a < constant, b + constant, c), axis for axis."""
    less, raised, number = term.operands
    order = tuple(range(len(term.shape)))
    if less.operator != "Less" or raised.operator != "same" or raised.setting[0][:2] != ("", "Add"):
        return False
    _, _, _, form = raised.setting
    read = [one for one in form if isinstance(one, tuple)]
    return (
        [constant.values.size for constant in raised.constants] == [1]
        and len(read) == 1
        and tuple(axis for group in read[0][0] for axis in group) == order
        and term.setting == (order, order)
        and {number.shape, less.operands[0].shape, raised.operands[0].shape} == {term.shape}
        and less.operands[1].operator == "constant"
        and less.operands[1].shape == ()
    )


AXIOM = Axiom(
    "rows from the end",
    "The row of a table of n rows by the number (i < 0 ? i + n : i) is that by i: negative numbers count from the end.",
    (_ROWS, _ZERO, _ITSELF),
)
