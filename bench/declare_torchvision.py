"""Lets torchvision be imported beside a CPU-only torch, which onnx2torch needs; raw calls fail at the import otherwise."""

import torch

_library = torch.library.Library("torchvision", "DEF")
_library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
_library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
