"""JSON as a tree that may hold what no `dict` can: keys twice, nesting without end."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from .plain import INTEGERS, Mutator, flipped, text

_DEPTHS = (60, 1500, 30_000)


@dataclass
class Members:
    """An object's members in their order, each key as often as it stands there."""

    pairs: list[list[Any]]


@dataclass(frozen=True)
class Verbatim:
    """Text that stands in the file as it is."""

    text: str


Place = tuple[list[Any], int]


def mutator(words: Sequence[str] = ()) -> Mutator:
    """Mutates one value of a document, however deep; what is no JSON is flipped."""

    def run(data: bytes, random: Random) -> bytes:
        try:
            document = json.loads(data, object_pairs_hook=lambda pairs: Members([[*pair] for pair in pairs]))
        except (ValueError, RecursionError):
            return flipped(data, random)
        if random.random() < 0.03:
            return flipped(data, random)
        holder = [document]
        places = list(_places(holder))
        _mutate(random.choice(places), places, random, words)
        return _written(holder[0]).encode("utf-8", "surrogatepass")

    return run


def _mutate(place: Place, places: Sequence[Place], random: Random, words: Sequence[str]) -> None:
    parent, index = place
    value = parent[index]
    pairs = value.pairs if isinstance(value, Members) else None
    match random.randrange(12):
        case 0 if pairs:
            del pairs[random.randrange(len(pairs))]
        case 1 if pairs:
            pair = random.choice(pairs)
            pairs.append([pair[0], _value(random, words)])
        case 2 if pairs:
            random.choice(pairs)[0] = text(random, [pair[0] for pair in pairs])
        case 3 if isinstance(value, list) and value:
            value.insert(0, random.choice(value))
        case 4 if isinstance(value, list) and value:
            del value[random.randrange(len(value))]
        case 5:
            others, place_of_other = random.choice(places)
            parent[index] = others[place_of_other]
        case 6:
            others, place_of_other = random.choice(places)
            parent[index], others[place_of_other] = others[place_of_other], value
        case 7 if random.random() < 0.4:
            depth = random.choice(_DEPTHS)
            opening, closing = random.choice((("[", "]"), ('{"a":', "}")))
            parent[index] = Verbatim(opening * depth + "1" + closing * depth)
        case 8 if isinstance(value, str):
            own = [one for container, at in places if isinstance(one := container[at], str)]
            parent[index] = text(random, words if words and random.random() < 0.5 else own)
        case 9 if isinstance(value, int | float):
            parent[index] = random.choice((*INTEGERS, -value, value + 1, value * 1000, float(value)))
        case _:
            parent[index] = _value(random, words)


def _value(random: Random, words: Sequence[str]) -> Any:
    others = (None, True, False, 0.5, 1e308, Members([]), [], [[]], Verbatim("NaN"), Verbatim("-Infinity"), Verbatim("1e999"))  # fmt: skip
    other = random.choice((Verbatim('"\\ud800"'), Verbatim('"\\u0000"'), Verbatim("9" * 5000), *others))
    return random.choice((random.choice(INTEGERS), text(random, words), other))


def _places(holder: list[Any]) -> Iterator[Place]:
    yield holder, 0
    waiting = list(holder)
    while waiting:
        value = waiting.pop()
        if isinstance(value, Members):
            for pair in value.pairs:
                yield pair, 1
                waiting.append(pair[1])
        elif isinstance(value, list):
            for index in range(len(value)):
                yield value, index
            waiting += value


def _written(value: Any, depth: int = 0) -> str:
    """As JSON; a value that was put within itself is cut off."""
    if depth > 100:
        return "0"
    if isinstance(value, Members):
        return "{" + ",".join(f"{json.dumps(key)}:{_written(item, depth + 1)}" for key, item in value.pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_written(item, depth + 1) for item in value) + "]"
    return value.text if isinstance(value, Verbatim) else json.dumps(value)
