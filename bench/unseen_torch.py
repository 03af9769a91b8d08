"""The unseen bench's models of timm, ultralytics and torchvision: `Made` of a name. Seeded weights, BatchNorm from pictures."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from common import WORK
from paper_models import pictures
from torch import nn
from unseen_sizes import SAMPLES
from zoo_models import redrawn

MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])

TIMM: dict[str, dict[str, Any]] = {
    "ghostnet_050": {}, "hardcorenas_a": {}, "mixnet_s": {}, "tinynet_e": {}, "rexnetr_100": {}, "mobilenetv4_conv_small": {},
    "fbnetc_100": {}, "lcnet_050": {}, "dla46_c": {}, "hrnet_w18_small": {}, "res2net50_48w_2s": {}, "resnest14d": {},
    "skresnet18": {}, "legacy_seresnet18": {}, "ese_vovnet19b_slim": {}, "cspresnet50": {}, "repvgg_a0": {}, "mobileone_s0": {},
    "selecsls42": {}, "dpn48b": {}, "hgnetv2_b0": {}, "nf_regnet_b0": {}, "eca_botnext26ts_256": {"size": 256},
    "halonet26t": {"size": 256}, "levit_128s": {"size": 224}, "pit_ti_224": {"size": 224}, "mixer_s32_224": {"size": 224},
    "resmlp_12_224": {"size": 224}, "gmlp_ti16_224": {"size": 224},
    "cait_xxs24_224": {"img_size": 64, "depth": 4}, "coat_lite_tiny": {"img_size": 64}, "crossvit_tiny_240": {"size": 240},
    "convit_tiny": {"img_size": 64, "depth": 12}, "xcit_nano_12_p16_224": {"img_size": 64},
    "beit_base_patch16_224": {"img_size": 64, "embed_dim": 96, "depth": 3, "num_heads": 3},
    "poolformer_s12": {}, "edgenext_xx_small": {}, "mobilevit_xxs": {"size": 128}, "mobilevitv2_050": {"size": 128},
    "efficientformer_l1": {"size": 224}, "efficientvit_b0": {}, "fastvit_t8": {"size": 128}, "repvit_m0_9": {},
    "tiny_vit_5m_224": {"size": 224}, "coatnet_pico_rw_224": {"size": 224}, "twins_pcpvt_small": {"img_size": 64},
    "visformer_tiny": {"img_size": 64}, "convmixer_768_32": {"size": 64}, "focalnet_tiny_srf": {"size": 64},
    "davit_tiny": {"size": 64}, "inception_next_atto": {}, "starnet_s1": {}, "pvt_v2_b0": {}, "mambaout_femto": {}, "rdnet_tiny": {},
    "sequencer2d_s": {"size": 224}, "caformer_s18": {}, "hiera_tiny_224": {"size": 224},
}  # fmt: skip
"""What `timm.create_model` is given; `size` is the pixels of a model that is made for a size, or that is not 64."""
ULTRALYTICS = ("yolov8n", "yolo11n", "yolov8n-seg", "yolo11n-pose", "yolov8n-cls")
SEGMENTATION = ("lraspp_mobilenet_v3_large", "deeplabv3_mobilenet_v3_large", "fcn_resnet50")


@dataclass(frozen=True)
class Made:
    """A module and its inputs by name, samples along axis 0."""

    module: nn.Module
    inputs: Mapping[str, np.ndarray]


class First(nn.Module):
    """A module's first output, or the one of a name."""

    def __init__(self, module: nn.Module, key: str = "") -> None:
        super().__init__()
        self.module, self.key = module, key

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """As the module's."""
        found = self.module(image)
        if self.key:
            return found[self.key]
        return found[0] if isinstance(found, tuple | list) else found


def timm_model(name: str) -> Made:
    """A model of timm for 10 classes."""
    import timm

    torch.manual_seed(0)
    given = dict(TIMM[name])
    size = given.pop("size", given.get("img_size", 64))
    model = timm.create_model(name, pretrained=False, num_classes=10, **given)
    return _settled(model, size)


def ultralytics_model(name: str) -> Made:
    """A model of ultralytics as its own export has it: the decoded boxes with their scores, and masks' prototypes."""
    os.environ.setdefault("YOLO_CONFIG_DIR", str(WORK))  # else it writes into the home folder
    from ultralytics.nn.tasks import ClassificationModel, DetectionModel, PoseModel, SegmentationModel

    kinds = {"seg": SegmentationModel, "pose": PoseModel, "cls": ClassificationModel}
    torch.manual_seed(0)
    kind = kinds.get(name.partition("-")[2], DetectionModel)
    model = kind(f"{name}.yaml", ch=3, verbose=False)
    made = _settled(model, 64)
    for module in model.modules():
        for flag, value in (("export", True), ("dynamic", False), ("format", "onnx")):
            if hasattr(module, flag) and hasattr(module, "forward") and not isinstance(module, nn.Sequential):
                setattr(module, flag, value)
    return made


def segmentation_model(name: str) -> Made:
    """A segmentation model of torchvision for 5 classes."""
    from torchvision.models import segmentation

    torch.manual_seed(0)
    model = getattr(segmentation, name)(weights=None, weights_backbone=None, num_classes=5)
    return _settled(First(model, "out"), 64)


def _settled(model: nn.Module, size: int) -> Made:
    """A model whose every weight matters to its outputs: constants redrawn, BatchNorm statistics from pictures."""
    random = np.random.default_rng(0)
    scaled = torch.tensor(((pictures(size) / 255 - MEAN) / STD).transpose(0, 3, 1, 2), dtype=torch.float32)
    norms = [module for module in model.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    shifts = {id(norm.bias) for norm in norms}
    with torch.no_grad():
        for parameter_name, parameter in model.named_parameters():
            value = redrawn(parameter_name, parameter.numpy(), random, id(parameter) in shifts)
            if value is not None:
                parameter.copy_(torch.tensor(value))
        if norms:
            for norm in norms:
                norm.train()
                norm.momentum = None  # the mean over all batches
            for start in range(0, 32, 16):
                model(scaled[start : start + 16])
    model.eval()
    return Made(model, {"image": scaled[:SAMPLES].numpy()})
