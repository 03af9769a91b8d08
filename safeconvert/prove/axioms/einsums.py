"""Einsum of two tensors."""

from __future__ import annotations

import math

from safeconvert.prove.axioms.axiom import Axiom
from safeconvert.prove.axioms.contraction import contract
from safeconvert.prove.axioms.operands import mixed, only_floating
from safeconvert.prove.axioms.tensor_products import tensor_product
from safeconvert.prove.kernel.layout import Value, reshaped, transposed
from safeconvert.prove.kernel.node import Node
from safeconvert.prove.kernel.terms import Refused


def _einsum(n: Node) -> list[Value]:
    only_floating(n)
    sides = n.attributes["equation"].replace(" ", "").split("->")
    labels = sides[0].split(",")
    if (
        len(sides) != 2
        or len(labels) != 2
        or "." in sides[0]
        or any(len(set(word)) != len(word) for word in (*labels, sides[1]))
    ):
        raise Refused("Einsum: not of two tensors with a letter for each axis")
    one, two, out = str(labels[0]), str(labels[1]), str(sides[1])
    shared = [letter for letter in one if letter in two]
    summed = "".join(letter for letter in shared if letter not in out)
    batch = "".join(letter for letter in shared if letter in out)
    if any(letter not in out and letter not in summed for letter in one + two):
        raise Refused("Einsum: sums a letter of one tensor")
    AXIOM.use(n.store)
    free = ["".join(letter for letter in word if letter in out and letter not in batch) for word in (one, two)]
    shapes = [operand.shape for operand in n.operands if operand is not None]
    sizes = {
        letter: size
        for word, shape in zip(labels, shapes, strict=True)
        for letter, size in zip(word, shape, strict=True)
    }

    def count(word: str) -> int:
        return math.prod(sizes[letter] for letter in word)

    def arranged(value: Value, word: str, parts: tuple[str, ...]) -> Value:
        moved = transposed(n.store, value, [word.index(letter) for letter in "".join(parts)])
        return reshaped(n.store, moved, [count(part) for part in parts])

    if all(isinstance(operand, Value) for operand in n.operands):
        left = arranged(n.value(0), one, (batch, free[0], summed))
        right = arranged(n.value(1), two, (batch, summed, free[1]))
        made, order = tensor_product(n.store, left, right), batch + free[0] + free[1]
    else:
        value, position = mixed(n)
        if batch:
            raise Refused("Einsum: a constant by sample")
        word, other = labels[position], labels[1 - position]
        matrix = n.real(1 - position).transpose([other.index(letter) for letter in summed + free[1 - position]])
        made = contract(
            n.store,
            arranged(value, word, (free[position], summed)),
            1,
            matrix.reshape(count(summed), count(free[1 - position])),
        )
        order = free[position] + free[1 - position]
    parted = reshaped(n.store, made, [sizes[letter] for letter in order])
    return [transposed(n.store, parted, [order.index(letter) for letter in out])]


AXIOM = Axiom(
    "sums over letters",
    "An Einsum of two tensors is a product of matrices, sample by sample: of the letters that both have and the result has not.",
    (),
    {"Einsum": _einsum},
)
