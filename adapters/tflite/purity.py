"""What a TFLite model's outputs depend on beside its inputs, by the operators that it holds."""

from __future__ import annotations

from ai_edge_litert import schema_py_generated as schema

_DRAWING = ("RANDOM_UNIFORM", "RANDOM_STANDARD_NORMAL", "MULTINOMIAL")
_WRITING = ("ASSIGN_VARIABLE",)
_NAMES = {number: name for name, number in vars(schema.BuiltinOperator).items() if not name.startswith("_")}


def impurities(content: bytes) -> list[str]:
    """A line for each operator, in the file's order; subgraphs that CALL_ONCE runs at the start only set state up, and are left out.

    The state of a fused recurrent layer is no line: LiteRT's kernels say in no field whether they begin anew.
    """
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    codes = [_NAMES.get(max(one.builtinCode, one.deprecatedBuiltinCode), "") for one in model.operatorCodes]
    once = {
        operator.builtinOptions.initSubgraphIndex
        for graph in model.subgraphs
        for operator in graph.operators or ()
        if codes[operator.opcodeIndex] == "CALL_ONCE"
    }
    found = []
    for index, graph in enumerate(model.subgraphs):
        for operator in graph.operators or () if index not in once else ():
            name = codes[operator.opcodeIndex]
            if name in _DRAWING:
                tensor = graph.tensors[operator.outputs[0]].name
                found.append(f"draws random numbers at {tensor.decode(errors='replace') if tensor else index} ({name})")
            elif name in _WRITING:
                found.append(f"changes its own state while it runs ({name})")
    return list(dict.fromkeys(found))
