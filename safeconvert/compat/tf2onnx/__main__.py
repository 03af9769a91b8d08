"""`python -m safeconvert.compat.tf2onnx` with the arguments of `python -m tf2onnx.convert`."""

from safeconvert.compat.tf2onnx.command import main

if __name__ == "__main__":
    main()
