"""Drop-ins: other converters' own entry points, verified and repaired.

    from safeconvert.compat import tf2onnx          # instead of: import tf2onnx
    python -m safeconvert.compat.tf2onnx …          # instead of: python -m tf2onnx.convert …

Each takes the library's own arguments and gives back what the library gives back, after that was verified against the
source in its own framework; otherwise it raises `safeconvert.NotEquivalent`, with the certificate on it. An argument that
cannot be honoured is an error that names it. What the models are run on comes from the project's settings file, or from

    with safeconvert.compat.checking(inputs=array) as checked:
        module = onnx2torch.convert(model)
    checked.last.predicate                          # the certificate's content
"""

from __future__ import annotations

from safeconvert.compat._session import Checked, checking

__all__ = ["Checked", "checking"]
