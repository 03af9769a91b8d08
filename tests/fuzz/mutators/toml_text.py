"""Settings files, line by line and value by value."""

from __future__ import annotations

import json
from collections.abc import Sequence
from random import Random

from .plain import INTEGERS, Mutator, flipped, text

_VALUES = (
    "true", "false", "inf", "-inf", "nan", "1e400", "0x7f", "[]", "[[]]", "{}", "{ a = 1 }", "1979-05-27", "07:32:00",
    "1979-05-27T07:32:00Z", "''", '"""\n"""', "[1, 'a']", "{ onnx2tf = 'venv/bin/python' }", "9" * 40, "9" * 5000, "[" * 400 + "]" * 400, "[" * 20_000,
)  # fmt: skip
_DEEP = "a" + ".a" * 2000 + " = 1"


def mutator(words: Sequence[str]) -> Mutator:
    """Mutates a line of a settings file.

    Args:
        words: keys, sections and values that mean something in it.
    """

    def run(data: bytes, random: Random) -> bytes:
        if random.random() < 0.05:
            return flipped(data, random)
        lines = data.decode("utf-8", "replace").split("\n")
        place = random.randrange(len(lines))
        key, equals, _ = lines[place].partition(" = ")
        match random.randrange(9):
            case 0:
                del lines[place]
            case 1:
                lines.insert(random.randrange(len(lines)), lines[place])
            case 2:
                lines.insert(place, f"[{random.choice(words)}]")
            case 3:
                lines.insert(place, f"[[{random.choice(words)}]]")
            case 4:
                lines.insert(place, f"{random.choice(words)} = {_value(random, words)}")
            case 5:
                lines.insert(place, f"{random.choice(words)}.{random.choice(words)} = {_value(random, words)}")
            case 6 if random.random() < 0.1:
                lines.insert(place, _DEEP)
            case _ if equals:
                lines[place] = random.choice(
                    (f"{key} = {_value(random, words)}", f"{random.choice(words)} = {_value(random, words)}")
                )
            case _:
                lines[place] = flipped(lines[place].encode(), random).decode("utf-8", "replace")
        return "\n".join(lines).encode("utf-8", "surrogatepass")

    return run


def _value(random: Random, words: Sequence[str]) -> str:
    written = json.dumps(text(random, words)).replace("\\ud", "\\\\ud")
    return random.choice((written, str(random.choice(INTEGERS)), random.choice(_VALUES), str(random.uniform(-2, 2))))
