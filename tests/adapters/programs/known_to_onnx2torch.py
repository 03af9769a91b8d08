"""Prints, as JSON, which of the operators given as arguments the installed onnx2torch has a converter for, in any version of ONNX' operator set."""

import json
import sys

from onnx import defs

from adapters._shared.torch_files import declare_torchvision_operators

declare_torchvision_operators()
from onnx2torch.node_converters import get_converter


def known(operator: str) -> bool:
    for version in range(1, defs.onnx_opset_version() + 1):
        try:
            get_converter(operator, version)
            return True
        except NotImplementedError:
            continue
    return False


print(json.dumps(sorted(filter(known, sys.argv[1:]))))
