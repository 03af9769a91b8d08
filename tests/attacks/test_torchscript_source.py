"""The text of a TorchScript archive: every name that could be an operator's is looked at. No framework is imported."""

from __future__ import annotations

import pytest

from adapters._shared.untrusted.torchscript_source import check_source, defined, parsed

OPERATORS = {"from_file", "save", "load", "relu"}
HEAD = "class Net(Module):\n  __parameters__ = []\n  path : str\n  def forward(self: __torch__.Net,\n    x: Tensor) -> Tensor:\n"


def check(body: str) -> None:
    tree = parsed(HEAD + "".join(f"    {line}\n" for line in body.splitlines()))
    check_source(tree, defined(tree), OPERATORS.__contains__)


@pytest.mark.parametrize(
    "body",
    [
        "return torch.relu(x)", "_0 = __torch__.torch.nn.functional.relu\nreturn _0(x, False, )",
        'ops.prim.RaiseException("torch.load(ops.aten.from_file)")\nreturn x', "return (self).forward(x, )",
        "y = getattr(self, \"0\")\nreturn (y).forward(x, )", "a, b, = torch.max(x, 1)\nreturn a", "return torch.add(x, CONSTANTS.c0)",
        "y = annotate(List[int], [])\nz = torch.append(y, int(2))\nreturn x", "return ops.quantized.relu6(x)",
        "for i in range(3):\n  x = torch.mul(x, 2)\nreturn x", "n = ops.prim.NumToTensor(torch.size(x, 0))\nreturn n",
        "return torch.full([2], inf)  # a comment",
    ],
)  # fmt: skip
def test_what_torch_writes_is_read(body: str) -> None:
    check(body)


@pytest.mark.parametrize(
    "body",
    [
        "return torch.from_file(self.path, True, 4)", "return ops.aten.from_file(self.path)", "return (self.path).from_file(True)",
        "f = torch.from_file\nreturn f(self.path)", "t = torch\nreturn t.relu(x)", "o = ops\nreturn o.aten.relu(x)",
        "o = ops.aten\nreturn o.from_file(x)", 'return getattr(torch, "from_file")(x)', 'f = getattr(self.path, "from_file")\nreturn f()',
        "return getattr(self.path, self.path)()", "return ops.profiler._record_function_enter(x)", "return exec(x)", "import os",
        "return __torch__.torch.classes.c10d.FileStore(self.path, 1)", "s = __torch__.torch.classes\nreturn x",
        "return torch.ops.aten.relu(x)", "return x \\\n  .relu()", "\treturn x", "return torch.relu(x)  # type: (Tensor) -> Tensor",
        'return """a\nb"""', "return f'{x}'", "return ops.debugprims.load_tensor(self.path)", "return ops.prim.PythonOp(x)",
        "return torch.jit.load(self.path)", "return (lambda y: torch.save(y, self.path))(x)",
    ],
)  # fmt: skip
def test_anything_else_is_refused(body: str) -> None:
    with pytest.raises(ValueError):
        check(body)


def test_a_method_of_the_archive_does_not_hide_an_operator() -> None:
    """The archive defines `from_file` itself; `"path".from_file()` would still be the operator."""
    text = (
        HEAD
        + "    return (self.path).from_file(True)\n  def from_file(self: __torch__.Net) -> Tensor:\n    return self.x\n"
    )
    tree = parsed(text)
    with pytest.raises(ValueError, match="operator from_file"):
        check_source(tree, defined(tree), OPERATORS.__contains__)
