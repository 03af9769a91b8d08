"""How the lists of allowed operators were made: from the frameworks' registries, by the rules below.

`python -m tests.attacks.operator_lists` writes them again after an upgrade; what it adds or takes away is to be read before it is
committed. Nothing is allowed because it is in a registry: a list is what was read.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from pathlib import Path

from adapters._shared.untrusted.words import words

FOLDER = Path(__file__).resolve().parents[2] / "adapters" / "_shared" / "untrusted" / "operators"

_STRINGS = words("""
Delete Float Int __contains__ __getitem__ __interpolate __upsample _assert_async _assert_scalar _convolution_mode
_functional_assert_async _functional_assert_scalar _linalg_check_errors _linalg_eigh _linalg_svd _print _set_item add any capitalize
center clear conv1d conv2d conv3d copy count device dict div div_ divide divide_ einsum endswith eq expandtabs fft_fft fft_fft2
fft_fftn fft_hfft fft_hfft2 fft_hfftn fft_ifft fft_ifft2 fft_ifftn fft_ihfft fft_ihfft2 fft_ihfftn fft_irfft fft_irfft2 fft_irfftn
fft_rfft fft_rfft2 fft_rfftn find format ge gelu gelu_ get gt index index_reduce index_reduce_ isalnum isalpha isdecimal isdigit
isidentifier islower isnumeric isprintable isspace istitle isupper items join keys le len linalg_cond linalg_eigh linalg_eigvalsh
linalg_lstsq linalg_matrix_norm linalg_norm linalg_qr linalg_svd linalg_svdvals list ljust lower lstrip lt meshgrid nanquantile ne ord
pad pad_sequence partition percentFormat pop popitem quantile remove replace rfind rindex rjust rpartition rsplit rstrip scatter
scatter_ scatter_reduce scatter_reduce_ searchsorted segment_reduce setdefault slice sort sorted split splitlines startswith stft
strip swapcase title update upper values warn zfill
""")
"""Of aten, what takes text: a mode, a message, an equation, or text to compute with. No other operator can name a file."""

_NOT_ATEN = re.compile(
    r".*_backward.*|_backward|backward|.*_(jvp|mps|xla.*|cudnn.*|miopen.*|triton.*)|_?(cudnn|miopen|mps|cufft|triton|mkl|mkldnn|nnpack)_.*"
    r"|_copy_from.*|_?(test|record|debug|use|amp|autocast|foreach|fused|validate|cslt|slow|lstm_mps|propagate|philox)_.*"
    r"|.*_unsafe|_sparse_.*unsafe.*|unsafe_.*|_foobar|_get_.*|_version|_pin_memory|_make_dep_token|_fill_mem_eff_dropout_mask_"
    r"|_(jagged|padded_dense|efficient_attention|flash_attention|scaled_mm|scaled_grouped|grouped_mm|ncf|nested|transform_bias)_?.*"
    r"|_dtype|from_file|save|set|set_|set_data|record_stream|grad|retain_grad|retains_grad|get_gradients|manual_seed|seed|initial_seed"
    r"|Generator|hash|has_torch_function|is_set_to|is_vulkan_available|output_nr|owner|owner_name|is_owner|confirmed_by_owner|to_here"
    r"|local_value|cuda|pin_memory|set_grad_enabled|is_distributed|_lazy_clone|_has_same_storage_numel|sparse_resize.*|_coalesced_?"
    r"|_sparse_(coo|compressed)_tensor_with_dims.*|_resize_output_?|get_autocast_dtype|_mixed_dtypes_linear|_sparse_semi.*|fbgemm_.*|_histogramdd.*|_wrapped.*|_triton.*"
)
"""Of aten, what an inference needs none of: gradients, other devices, random state, unchecked memory, and what reads the machine."""

_FOREIGN = ("Storage", "Stream", "RRef", "AnyClass", "torch.classes", "PyObject")

_OTHER_TORCH = {
    "prim": "NumToTensor RaiseException TupleIndex TupleUnpack abs data device dtype is_cpu is_cuda is_ipu is_maia is_meta is_mkldnn "
    "is_mps is_mtia is_nested is_quantized is_sparse is_sparse_csr is_vulkan is_xla is_xpu itemsize layout max min nbytes rangelist "
    "requires_grad tolist type unchecked_cast unchecked_unwrap_optional EnumName EnumValue Print Uninitialized StringIndex "
    "ModuleContainerIndex ConstantChunk shape name",
    "prims": "abs acos acosh add amax amin as_strided asin asinh atan atan2 atanh bessel_i0 bessel_i0e bessel_i1 bessel_i1e bessel_j0 "
    "bessel_j1 bitwise_and bitwise_not bitwise_or bitwise_xor broadcast_in_dim cat cbrt ceil clone collapse collapse_view conj "
    "conj_physical convert_element_type cos cosh digamma div eq erf erf_inv erfc erfcx exp exp2 expm1 fft_c2c fft_c2r fft_r2c fill "
    "floor fmax fmin fmod frexp full full_like gcd ge gt hypot igamma igammac imag iota isfinite item le lgamma log log10 log1p log2 lt "
    "maximum minimum mul ndtri ne neg nextafter normal pow prod real reciprocal remainder reshape rev round rsqrt scalar_tensor "
    "shift_left shift_right_arithmetic sign signbit sin sinh split_dim sqrt squeeze sub sum tan tanh transpose trunc uniform var view_of "
    "where xor_sum zeta",
    "quantized_decomposed": "choose_qparams choose_qparams_per_token choose_qparams_per_token_asymmetric choose_qparams_symmetric "
    "convert_element_type dequantize_per_channel dequantize_per_channel_group dequantize_per_tensor dequantize_per_token "
    "fake_quant_per_channel quantize_per_channel quantize_per_channel_group quantize_per_tensor quantize_per_token",
    "torchvision": "deform_conv2d nms ps_roi_align ps_roi_pool roi_align roi_pool",
    "higher_order": "associative_scan cond map_impl out_dtype scan while_loop wrap_with_autocast wrap_with_set_grad_enabled",
}

_NOT_TENSORFLOW = re.compile(
    r"_.*|Abort|.*Accumulator.*|.*Apply.*|.*Assert(Next|Prev).*|.*Barrier.*|Batch|BatchFunction|BoostedTrees.*|.*Checkpoint.*|.*Collective.*"
    r"|.*[Cc]ompress.*|Copy|CopyHost|CopyToMesh|CustomAggregator|DTensor.*|.*Dataset.*|Debug.*|.*Dump.*|.*File.*|GenerateVocabRemapping"
    r"|ImmutableConst|Initialize.*|.*Iterator.*|.*Mlir.*|.*MutexV.*|Nccl.*|.*Optimizer.*|.*Proto.*|.*PyFunc.*|.*Queue.*|.*Reader.*|.*Recv.*"
    r"|Relayout.*|.*Restore.*|Risc.*|.*Rpc.*|.*Save.*|Sdca.*|.*Send.*|.*Session.*|Sharded.*|.*SparseCore.*|.*Stats.*|.*TPU.*|Tpu.*|Unbatch.*"
    r"|WindowOp|WorkerHeartbeat|.*Xla.*|.*DedupData|CompositeTensorVariant.*|.*Prelinearize.*|DestroyTemporaryVariable|RemoteCall"
    r"|ConstructionFails|Old|KernelLabel.*|Get(Deadline|ElementAtIndex|Options)|DecodeJSONExample|.*Prefetch.*|StoreMinibatch.*|.*TestAttr|NegTrain|Skipgram|Ref(In|Out).*|Stub.*"
)
"""Of the operators without state, what touches files, datasets, other machines, debuggers, or text in files' formats."""

_STATEFUL = words("""
AnonymousHashTable AnonymousMutableDenseHashTable AnonymousMutableHashTable AnonymousMutableHashTableOfTensors Assert
AssignAddVariableOp AssignSubVariableOp AssignVariableOp Case CheckNumerics CheckNumericsV2 CudnnRNN CudnnRNNBackprop
CudnnRNNBackpropV2 CudnnRNNBackpropV3 CudnnRNNV2 CudnnRNNV3 DestroyResourceOp DeviceIndex DisableCopyOnRead Empty GuaranteeConst
HashTable HashTableV2 If InitializeTable InitializeTableV2 LookupTableExportV2 LookupTableFindV2 LookupTableImportV2
LookupTableInsertV2 LookupTableRemoveV2 LookupTableSizeV2 Multinomial MutableDenseHashTable MutableDenseHashTableV2 MutableHashTable
MutableHashTableOfTensors MutableHashTableOfTensorsV2 MutableHashTableV2 NonDeterministicInts ParameterizedTruncatedNormal Print
PrintV2 RandomCrop RandomGamma RandomPoisson RandomPoissonV2 RandomShuffle RandomStandardNormal RandomUniform RandomUniformInt
ReadVariableOp ResourceCountUpTo ResourceGather ResourceGatherNd ResourceScatterAdd ResourceScatterDiv ResourceScatterMax
ResourceScatterMin ResourceScatterMul ResourceScatterNdAdd ResourceScatterNdMax ResourceScatterNdMin ResourceScatterNdSub
ResourceScatterNdUpdate ResourceScatterSub ResourceScatterUpdate ResourceStridedSliceAssign RngReadAndSkip RngSkip
SampleDistortedBoundingBox SampleDistortedBoundingBoxV2 Stack StackCloseV2 StackPopV2 StackPushV2 StackV2 StatefulPartitionedCall
StatefulRandomBinomial StatefulStandardNormal StatefulStandardNormalV2 StatefulTruncatedNormal StatefulUniform StatefulUniformFullInt
StatefulUniformInt StatelessRandomGetAlg TensorArray TensorArrayCloseV3 TensorArrayConcatV3 TensorArrayGatherV3 TensorArrayGrad
TensorArrayGradV2 TensorArrayGradV3 TensorArrayGradWithShape TensorArrayReadV3 TensorArrayScatterV3 TensorArraySizeV3
TensorArraySplitV3 TensorArrayV2 TensorArrayV3 TensorArrayWriteV3 TruncatedNormal VarHandleOp VarIsInitializedOp Variable VariableShape
VariableV2 While CudnnRNNCanonicalToParams CudnnRNNCanonicalToParamsV2
CudnnRNNParamsSize CudnnRNNParamsToCanonical CudnnRNNParamsToCanonicalV2
""")
"""Of the operators with state, what keeps it in memory: variables, tables filled from the graph, random numbers, control flow."""


def torch_operators() -> list[str]:
    """`namespace::name` of all that may stand in a TorchScript archive or an ExportedProgram."""
    import torch

    types: dict[str, set[str]] = defaultdict(set)
    for schema in torch._C._jit_get_all_schemas():
        types[schema.name] |= {str(argument.type) for argument in (*schema.arguments, *schema.returns)}
    allowed = []
    for name, used in types.items():
        namespace, _, operator = name.partition("::")
        foreign = any(kind in one for kind in _FOREIGN for one in used)
        if namespace == "quantized":
            allowed.append(name)
        takes_text = any("str" in one for one in used) and operator not in _STRINGS
        if namespace == "aten" and not foreign and not takes_text and not _NOT_ATEN.fullmatch(operator):
            allowed.append(name)
    allowed += [f"{namespace}::{name}" for namespace, names in _OTHER_TORCH.items() for name in names.split()]
    return sorted(set(allowed))


def tensorflow_operators() -> list[str]:
    """Names of all that may stand in a GraphDef or its function library."""
    from tensorflow.core.framework import op_def_pb2
    from tensorflow.python.client import pywrap_tf_session
    from tensorflow.python.framework import kernels

    listed = op_def_pb2.OpList()
    listed.ParseFromString(pywrap_tf_session.TF_GetBuffer(pywrap_tf_session.TF_GetAllOpList()))
    running = {
        kernel.op for kernel in kernels.get_all_registered_kernels().kernel if kernel.device_type in ("CPU", "DEFAULT")
    }
    functional = {"StatelessIf", "StatelessWhile", "StatelessCase", "PartitionedCall"}
    pure = {
        operator.name
        for operator in listed.op
        if not operator.is_stateful
        and operator.name in running | functional
        and not _NOT_TENSORFLOW.fullmatch(operator.name)
    }
    return sorted(pure | set(_STATEFUL))


def main() -> int:
    """Write both lists; print what changed."""
    for name, operators in (("torch.txt", torch_operators()), ("tensorflow.txt", tensorflow_operators())):
        path = FOLDER / name
        before = set(path.read_text().split()) if path.exists() else set()
        print(f"{name}: {len(operators)} operators")
        for mark, changed in (("+", set(operators) - before), ("-", before - set(operators))):
            print("\n".join(f"{mark} {operator}" for operator in sorted(changed)))
        path.write_text("\n".join(operators) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
