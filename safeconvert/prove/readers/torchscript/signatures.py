"""How TorchScript calls aten operators: which overload, and what the arguments are called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_WRITTEN = """
_convolution.default input weight bias stride padding dilation transposed output_padding groups benchmark deterministic cudnn_enabled allow_tf32
_convolution_mode.padding input weight bias stride padding dilation groups
conv1d.default input weight bias stride padding dilation groups
conv2d.default input weight bias stride padding dilation groups
conv3d.default input weight bias stride padding dilation groups
conv_transpose1d.default input weight bias stride padding output_padding groups dilation
conv_transpose2d.input input weight bias stride padding output_padding groups dilation
conv_transpose3d.input input weight bias stride padding output_padding groups dilation
max_pool1d.default self kernel_size stride padding dilation ceil_mode
max_pool2d.default self kernel_size stride padding dilation ceil_mode
max_pool3d.default self kernel_size stride padding dilation ceil_mode
avg_pool1d.default self kernel_size stride padding ceil_mode count_include_pad
avg_pool2d.default self kernel_size stride padding ceil_mode count_include_pad divisor_override
avg_pool3d.default self kernel_size stride padding ceil_mode count_include_pad divisor_override
adaptive_avg_pool1d.default self output_size
adaptive_avg_pool2d.default self output_size
adaptive_avg_pool3d.default self output_size
batch_norm.default input weight bias running_mean running_var training momentum eps cudnn_enabled
layer_norm.default input normalized_shape weight bias eps cudnn_enable
group_norm.default input num_groups weight bias eps cudnn_enabled
upsample_nearest2d.vec input output_size scale_factors
upsample_bilinear2d.vec input output_size align_corners scale_factors
linear.default input weight bias
addmm.default self mat1 mat2 beta alpha
matmul.default self other
mm.default self mat2
bmm.default self mat2
embedding.default weight indices padding_idx scale_grad_by_freq sparse
scaled_dot_product_attention.default query key value attn_mask dropout_p is_causal scale enable_gqa
_native_multi_head_attention.default query key value embed_dim num_head qkv_weight qkv_bias proj_weight proj_bias mask need_weights average_attn_weights mask_type
lstm.input input hx params has_biases num_layers dropout train bidirectional batch_first
gru.input input hx params has_biases num_layers dropout train bidirectional batch_first
dropout.default input p train
feature_dropout.default input p train
alpha_dropout.default input p train
add.Tensor self other alpha
sub.Tensor self other alpha
mul.Tensor self other
div.Tensor self other rounding_mode
pow.Tensor_Tensor self exponent
rsub.Scalar self other alpha
maximum.default self other
minimum.default self other
lt.Tensor self other
gt.Tensor self other
le.Tensor self other
ge.Tensor self other
eq.Tensor self other
ne.Tensor self other
where.self condition self other
logical_and.default self other
logical_or.default self other
logical_xor.default self other
bitwise_and.Tensor self other
bitwise_or.Tensor self other
argmax.default self dim keepdim
argmin.default self dim keepdim
clamp.default self min max
clamp_min.default self min
hardtanh.default self min_val max_val
leaky_relu.default self negative_slope
prelu.default self weight
elu.default self alpha scale input_scale
gelu.default self approximate
softplus.default self beta threshold
softmax.int self dim dtype
log_softmax.int self dim dtype
mean.dim self dim keepdim dtype
sum.dim_IntList self dim keepdim dtype
amax.default self dim keepdim
amin.default self dim keepdim
max.dim self dim keepdim
min.dim self dim keepdim
to.dtype self dtype non_blocking copy memory_format
view.default self size
reshape.default self shape
flatten.using_ints self start_dim end_dim
unflatten.int self dim sizes
permute.default self dims
transpose.int self dim0 dim1
unsqueeze.default self dim
squeeze.dim self dim
cat.default tensors dim
stack.default tensors dim
split.Tensor self split_size dim
split_with_sizes.default self split_sizes dim
chunk.default self chunks dim
slice.Tensor self dim start end step
select.int self dim index
narrow.default self dim start length
expand.default self size implicit
broadcast_to.default self size
expand_as.default self other
repeat.default self repeats
unbind.int self dim
flip.default self dims
roll.default self shifts dims
pad.default self pad mode value
constant_pad_nd.default self pad value
reflection_pad1d.default self padding
reflection_pad2d.default self padding
index_select.default self dim index
index.Tensor self indices
masked_fill.Scalar self mask value
zeros.default size dtype layout device pin_memory
ones.default size dtype layout device pin_memory
zeros_like.default self dtype layout device pin_memory memory_format
ones_like.default self dtype layout device pin_memory memory_format
full_like.default self fill_value dtype layout device pin_memory memory_format
new_zeros.default self size dtype layout device pin_memory
new_ones.default self size dtype layout device pin_memory
new_full.default self size fill_value dtype layout device pin_memory
full.default size fill_value dtype layout device pin_memory
arange.start_step start end step dtype layout device pin_memory
__and__.Tensor self other
__or__.Tensor self other
__xor__.Tensor self other
cumsum.default self dim dtype
diff.default self n dim prepend append
gather.default self dim index sparse_grad
type_as.default self other
linalg_vector_norm.default self ord dim keepdim dtype
_weight_norm.default v g dim
baddbmm.default self batch1 batch2 beta alpha
contiguous.default self memory_format
clone.default self memory_format
pixel_shuffle.default self upscale_factor
"""
_SIGNATURES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    line.split()[0].split(".")[0]: (line.split()[0].split(".")[1], tuple(line.split()[1:]))
    for line in _WRITTEN.split("\n")
    if line
}


FACTORIES = ("zeros", "ones", "full", "arange")
"""Operators that make tensors of plain values."""


def signed(name: str, args: list[Any], keywords: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The operator's full name, and its arguments by theirs. Raises ValueError for too many."""
    overload, names = _SIGNATURES.get(name, ("default", ("self",)))
    plain = [one for one in args if not isinstance(one, str)]
    if name == "arange" and len(plain) == 1:
        names = ("end",)
    elif name in ("max", "min") and len(args) == 2 and not isinstance(args[1], int):
        overload, names = "other", ("self", "other")
    if len(args) > len(names):
        raise ValueError(f"{name}: {len(args)} arguments")
    given = {**dict(zip(names, args, strict=False)), **keywords}
    if name.startswith("conv") and isinstance(given.get("padding"), str):
        overload = "padding"
    elif name in ("mean", "sum") and not isinstance(given.get("dim", []), list):
        raise ValueError(f"{name}: of an overload that is not known")
    elif name in ("mean", "sum") and "dim" not in given:
        overload = "default"
    elif name == "pow":
        overload = "Tensor_Scalar" if isinstance(given["exponent"], int | float) else "Tensor_Tensor"
    elif name in ("lt", "gt", "le", "ge", "eq", "ne") and isinstance(given["other"], int | float | bool):
        overload = "Scalar"
    return f"aten.{name}.{overload}", given
