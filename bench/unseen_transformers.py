"""The unseen bench's models of transformers: tiny configurations, seeded weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn
from unseen_sizes import SAMPLES
from unseen_torch import Made
from zoo_models import redrawn

LENGTH, WIDTH, VOCABULARY = 16, 32, 100
_SMALL: dict[str, Any] = {
    "hidden_size": WIDTH, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64, "vocab_size": VOCABULARY,
    "max_position_embeddings": 64,
}  # fmt: skip
_BART: dict[str, Any] = {
    "d_model": WIDTH, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 4, "decoder_attention_heads": 4,
    "encoder_ffn_dim": 64, "decoder_ffn_dim": 64, "vocab_size": VOCABULARY, "max_position_embeddings": 64,
}  # fmt: skip
_T5: dict[str, Any] = {
    "d_model": WIDTH,
    "d_kv": 8,
    "d_ff": 64,
    "num_layers": 2,
    "num_heads": 4,
    "vocab_size": VOCABULARY,
}
_IMAGE: dict[str, Any] = {k: v for k, v in _SMALL.items() if k not in ("vocab_size", "max_position_embeddings")} | {
    "image_size": 32, "patch_size": 8,
}  # fmt: skip
_AUDIO: dict[str, Any] = _SMALL | {
    "conv_dim": (16, 16, 16), "conv_kernel": (10, 3, 3), "conv_stride": (5, 2, 2), "num_feat_extract_layers": 3,
    "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 4, "mask_time_prob": 0.0, "layerdrop": 0.0,
}  # fmt: skip
_GQA: dict[str, Any] = _SMALL | {"num_key_value_heads": 2}

TEXT: dict[str, tuple[str, dict[str, Any]]] = {
    "roberta": ("Roberta", _SMALL | {"pad_token_id": 1}), "electra": ("Electra", _SMALL | {"embedding_size": 24}),
    "albert": ("Albert", _SMALL | {"embedding_size": 24}),
    "distilbert": ("DistilBert", {"dim": WIDTH, "n_layers": 2, "n_heads": 4, "hidden_dim": 64, "vocab_size": VOCABULARY}),
    "mobilebert": ("MobileBert", _SMALL | {"embedding_size": 24, "intra_bottleneck_size": 32, "true_hidden_size": 32}),
    "mpnet": ("MPNet", _SMALL), "deberta_v2": ("DebertaV2", _SMALL | {"relative_attention": True, "pos_att_type": ["p2c", "c2p"]}),
    "squeezebert": ("SqueezeBert", _SMALL | {"embedding_size": WIDTH}), "convbert": ("ConvBert", _SMALL | {"embedding_size": 24, "head_ratio": 2}),
    "fnet": ("FNet", _SMALL),
}  # fmt: skip
DECODERS: dict[str, tuple[str, dict[str, Any]]] = {
    "gpt2": ("GPT2", {"n_embd": WIDTH, "n_layer": 2, "n_head": 4, "n_positions": 64, "vocab_size": VOCABULARY}),
    "opt": ("OPT", _SMALL | {"ffn_dim": 64, "word_embed_proj_dim": WIDTH}), "gpt_neox": ("GPTNeoX", _SMALL),
    "bloom": ("Bloom", {"hidden_size": WIDTH, "n_layer": 2, "n_head": 4, "vocab_size": VOCABULARY}),
    "llama": ("Llama", _GQA), "mistral": ("Mistral", _GQA), "qwen2": ("Qwen2", _GQA), "gemma2": ("Gemma2", _GQA | {"head_dim": 8}),
    "phi": ("Phi", _SMALL),
}  # fmt: skip
PAIRS: dict[str, tuple[str, dict[str, Any]]] = {
    "t5": ("T5", _T5), "bart": ("Bart", _BART), "marian": ("Marian", _BART | {"pad_token_id": 0, "decoder_start_token_id": 0}),
}  # fmt: skip
IMAGES: dict[str, tuple[str, dict[str, Any]]] = {
    "deit_hf": ("DeiT", _IMAGE), "dinov2": ("Dinov2", _IMAGE), "beit_hf": ("Beit", _IMAGE | {"use_relative_position_bias": True}),
    "swinv2": ("Swinv2", {"image_size": 32, "patch_size": 4, "embed_dim": 16, "depths": [1, 1], "num_heads": [2, 4], "window_size": 4}),
    "segformer": ("Segformer", {"hidden_sizes": [8, 16, 24, 32], "depths": [1, 1, 1, 1], "num_attention_heads": [1, 2, 2, 4]}),
    "poolformer_hf": ("PoolFormer", {"hidden_sizes": [8, 16, 24, 32], "depths": [1, 1, 1, 1]}),
    "clip_vision": ("CLIPVision", _IMAGE), "siglip_vision": ("SiglipVision", _IMAGE),
}  # fmt: skip
AUDIO: dict[str, tuple[str, dict[str, Any]]] = {"wav2vec2": ("Wav2Vec2", _AUDIO), "hubert": ("Hubert", _AUDIO)}
OTHERS = ("gpt2_cache", "clip", "whisper_encoder")


class Called(nn.Module):
    """A model of transformers that is called by position and gives its first output, as tensors alone."""

    def __init__(self, model: nn.Module, names: tuple[str, ...]) -> None:
        super().__init__()
        self.model, self.names = model, names

    def forward(self, *tensors: torch.Tensor) -> torch.Tensor:
        """The last hidden states."""
        return self.model(**dict(zip(self.names, tensors, strict=True)), return_dict=True)[0]


class Cached(nn.Module):
    """One step of a decoder: the next token, and keys and values of the tokens before it; the scores, and all keys and values."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """int64 (N, 1), and (N, layers, heads, T, size) twice."""
        from transformers import DynamicCache

        cache = DynamicCache()
        for layer in range(keys.shape[1]):
            cache.update(keys[:, layer], values[:, layer], layer)
        found = self.model(input_ids=input_ids, past_key_values=cache, use_cache=True)
        after = found.past_key_values
        return (
            found[0],
            torch.stack([layer.keys for layer in after.layers], 1),
            torch.stack([layer.values for layer in after.layers], 1),
        )


class Clip(nn.Module):
    """The features of an image and of a text."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixel_values: torch.Tensor, input_ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Two vectors a sample."""
        found = self.model(pixel_values=pixel_values, input_ids=input_ids)
        return found.image_embeds, found.text_embeds


def transformers_model(name: str) -> Made:
    """A model by the bench's name."""
    torch.manual_seed(0)
    random = np.random.default_rng(0)
    ids = random.integers(2, VOCABULARY, (SAMPLES, LENGTH))
    mask = (np.arange(LENGTH) < random.integers(4, LENGTH + 1, (SAMPLES, 1))).astype(np.int64)
    image = random.normal(size=(SAMPLES, 3, 32, 32)).astype(np.float32)
    if name in TEXT:
        given = {"input_ids": ids} | ({} if name == "fnet" else {"attention_mask": mask})
        return _called(_model(*TEXT[name]), given)
    if name in DECODERS:
        return _called(_model(*DECODERS[name], use_cache=False), {"input_ids": ids})
    if name in PAIRS:
        return _called(
            _model(*PAIRS[name], use_cache=False), {"input_ids": ids, "decoder_input_ids": ids[:, ::-1].copy()}
        )
    if name in IMAGES:
        size = 64 if name in ("segformer", "poolformer_hf") else 32
        pixels = random.normal(size=(SAMPLES, 3, size, size)).astype(np.float32)
        return _called(_model(*IMAGES[name]), {"pixel_values": pixels})
    if name in AUDIO:
        return _called(_model(*AUDIO[name]), {"input_values": random.normal(size=(SAMPLES, 800)).astype(np.float32)})
    rest: dict[str, Callable[[], Made]] = {
        "gpt2_cache": lambda: _cached(ids, random), "clip": lambda: _clip(ids, image), "whisper_encoder": lambda: _whisper(random),
    }  # fmt: skip
    return rest[name]()


def _model(family: str, given: dict[str, Any], **more: Any) -> nn.Module:
    import transformers

    config = getattr(transformers, f"{family}Config")(**given, **more)
    config._attn_implementation = "eager"
    return _redrawn(getattr(transformers, f"{family}Model")(config))


def _redrawn(model: nn.Module) -> nn.Module:
    random = np.random.default_rng(0)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            value = redrawn(name, parameter.numpy(), random, False)
            if value is not None:
                parameter.copy_(torch.tensor(value))
    return model.eval()


def _called(model: nn.Module, inputs: dict[str, np.ndarray]) -> Made:
    return Made(Called(model, tuple(inputs)), inputs)


def _cached(ids: np.ndarray, random: np.random.Generator) -> Made:
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(**DECODERS["gpt2"][1])
    config._attn_implementation = "eager"
    past = [random.normal(size=(SAMPLES, 2, 4, 8, WIDTH // 4)).astype(np.float32) for _ in range(2)]
    inputs = {"input_ids": ids[:, :1], "keys": past[0], "values": past[1]}
    return Made(Cached(_redrawn(GPT2LMHeadModel(config))), inputs)


def _clip(ids: np.ndarray, image: np.ndarray) -> Made:
    from transformers import CLIPConfig, CLIPModel

    text = _SMALL | {"eos_token_id": VOCABULARY - 1, "pad_token_id": 0, "bos_token_id": 1}
    config = CLIPConfig(text_config=text, vision_config=_IMAGE, projection_dim=16)
    config._attn_implementation = "eager"
    return Made(Clip(_redrawn(CLIPModel(config))), {"pixel_values": image, "input_ids": ids})


def _whisper(random: np.random.Generator) -> Made:
    from transformers import WhisperConfig
    from transformers.models.whisper.modeling_whisper import WhisperEncoder

    config = WhisperConfig(
        d_model=WIDTH,
        encoder_layers=2,
        encoder_attention_heads=4,
        encoder_ffn_dim=64,
        num_mel_bins=20,
        max_source_positions=32,
    )
    config._attn_implementation = "eager"
    heard = random.normal(size=(SAMPLES, 20, 64)).astype(np.float32)
    return _called(_redrawn(WhisperEncoder(config)), {"input_features": heard})
