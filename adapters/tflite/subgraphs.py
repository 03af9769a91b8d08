"""Which subgraph of a TFLite file a signature runs."""

from __future__ import annotations

from ai_edge_litert import schema_py_generated as schema

from safeconvert.errors import UnusableInput


def require_first(path: str, content: bytes, key: str) -> None:
    """Raise UnusableInput where a signature runs another subgraph than the first: that one is what a caller without signatures and the readers run.

    Args:
        path, content: of the file.
        key: of the signature; "" where the file has none.
    """
    model = schema.Model.GetRootAs(content, 0)
    signatures = (model.SignatureDefs(number) for number in range(model.SignatureDefsLength()))
    index = next((one.SubgraphIndex() for one in signatures if (one.SignatureKey() or b"").decode() == key), 0)
    if index:
        raise UnusableInput(
            f"{path}: its signature {key} runs subgraph {index}, and a call without a signature subgraph 0: the file is two models",
            f"write the function of {key} to a file of its own, or first",
        )
