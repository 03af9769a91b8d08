"""What a signature of a TFLite file runs: what a call without signatures does too, or the file is two models."""

from __future__ import annotations

from collections import Counter

from ai_edge_litert import schema_py_generated as schema

from safeconvert.errors import UnusableInput


def require_first(path: str, content: bytes, key: str) -> None:
    """Raise UnusableInput where a signature is not what a caller without signatures runs, or not the same for every runtime.

    It has to be the only one of its name, run the first subgraph, and name the inputs and outputs of that one, each by one name.

    Args:
        path, content: of the file.
        key: of the signature; "" where the file has none.
    """
    model = schema.Model.GetRootAs(content, 0)
    signatures = [model.SignatureDefs(number) for number in range(model.SignatureDefsLength())]
    named = [one for one in signatures if (one.SignatureKey() or b"").decode() == key]
    if not named:
        return
    if len(named) > 1:
        raise UnusableInput(
            f"{path}: has {len(named)} signatures {key}: one runtime runs the first, another the last",
            "give each a name of its own",
        )
    index = named[0].SubgraphIndex()
    if index:
        raise UnusableInput(
            f"{path}: its signature {key} runs subgraph {index}, and a call without a signature subgraph 0: the file is two models",
            f"write the function of {key} to a file of its own, or first",
        )
    _require_ends(path, model.Subgraphs(0), named[0], key)


def _require_ends(path: str, graph: schema.SubGraph, signature: schema.SignatureDef, key: str) -> None:
    """Raise UnusableInput where a signature names one tensor as two, or one that no call without a signature gives or takes."""
    for side, own, maps in (
        ("input", graph.InputsAsNumpy(), [signature.Inputs(at) for at in range(signature.InputsLength())]),
        ("output", graph.OutputsAsNumpy(), [signature.Outputs(at) for at in range(signature.OutputsLength())]),
    ):
        names = Counter((one.Name() or b"").decode(errors="replace") for one in maps)
        twice = [name for name, count in names.items() if count > 1]
        if twice:
            raise UnusableInput(f"{path}: its signature {key} has two {side}s {twice[0]}", "convert the model again")
        for one in maps:
            if one.TensorIndex() not in list(own):
                raise UnusableInput(
                    f"{path}: {side} {(one.Name() or b'').decode(errors='replace')} of its signature {key} is none of a call without a signature: the file is two models",
                    "convert the model again",
                )
