"""Functions on arrays, and the same functions recorded where a model is described.

They are those of `keras.ops` that dense networks use. Called on arrays, numbers, lists and
variables they compute with NumPy and return arrays; called on symbolic tensors (or on variables in
a layer's `call`) they return symbolic tensors, and run when the model runs.
"""

# ruff: noqa: F401  (what is imported here is what the package offers)

from types import FunctionType

from dnnfast.ops.activation import (
    celu,
    elu,
    gelu,
    glu,
    hard_shrink,
    hard_sigmoid,
    hard_silu,
    hard_swish,
    hard_tanh,
    leaky_relu,
    log_sigmoid,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    soft_shrink,
    softplus,
    softsign,
    sparse_plus,
    sparse_sigmoid,
    squareplus,
    swish,
    tanh,
    tanh_shrink,
    threshold,
)
from dnnfast.ops.arithmetic import (
    add,
    arctan2,
    clip,
    divide,
    divide_no_nan,
    floor_divide,
    fmax,
    fmin,
    fmod,
    heaviside,
    hypot,
    ldexp,
    logaddexp,
    logaddexp2,
    maximum,
    minimum,
    mod,
    multiply,
    nan_to_num,
    nextafter,
    power,
    round,
    subtract,
    true_divide,
)
from dnnfast.ops.bits import (
    bitwise_and,
    bitwise_invert,
    bitwise_left_shift,
    bitwise_not,
    bitwise_or,
    bitwise_right_shift,
    bitwise_xor,
    gcd,
    lcm,
    left_shift,
    right_shift,
)
from dnnfast.ops.contraction import (
    einsum,
    rearrange,
)
from dnnfast.ops.control import (
    associative_scan,
    cond,
    custom_gradient,
    fori_loop,
    map,
    scan,
    switch,
    vectorize,
    vectorized_map,
    while_loop,
)
from dnnfast.ops.core import array_ as array
from dnnfast.ops.core import (
    cast,
    convert_to_numpy,
    convert_to_tensor,
    copy,
    dtype,
    is_tensor,
    ndim,
    saturate_cast,
    shape,
    size,
    stop_gradient,
    view,
)
from dnnfast.ops.creation import (
    empty,
    empty_like,
    eye,
    full,
    full_like,
    identity,
    ones,
    ones_like,
    tri,
    tril,
    triu,
    zeros,
    zeros_like,
)
from dnnfast.ops.cumulative import (
    cumprod,
    cumsum,
    diff,
    nancumprod,
    nancumsum,
    trapezoid,
)
from dnnfast.ops.decompositions import (
    cholesky,
    cholesky_inverse,
    det,
    eig,
    eigh,
    inv,
    logdet,
    matrix_rank,
    pinv,
    qr,
    slogdet,
    svd,
)
from dnnfast.ops.elementwise import (
    abs,
    absolute,
    angle,
    arccos,
    arccosh,
    arcsin,
    arcsinh,
    arctan,
    arctanh,
    cbrt,
    ceil,
    conj,
    conjugate,
    cos,
    cosh,
    deg2rad,
    erf,
    erfc,
    erfinv,
    exp,
    exp2,
    expm1,
    fabs,
    floor,
    i0,
    imag,
    log,
    log1p,
    log2,
    log10,
    negative,
    rad2deg,
    real,
    reciprocal,
    rsqrt,
    sign,
    sin,
    sinc,
    sinh,
    sqrt,
    square,
    tan,
    trunc,
)
from dnnfast.ops.in_models import in_models
from dnnfast.ops.joining import (
    append,
    array_split,
    concatenate,
    dsplit,
    dstack,
    hsplit,
    hstack,
    split,
    stack,
    unstack,
    vsplit,
    vstack,
)
from dnnfast.ops.linear_algebra import (
    cdist,
    cross,
    dot,
    inner,
    kron,
    matmul,
    outer,
    tensordot,
    vander,
    vdot,
)
from dnnfast.ops.logic import (
    allclose,
    equal,
    greater,
    greater_equal,
    isclose,
    isfinite,
    isinf,
    isnan,
    isneginf,
    isposinf,
    isreal,
    less,
    less_equal,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    not_equal,
    select,
    signbit,
    where,
)
from dnnfast.ops.missing import (
    nanargmax,
    nanargmin,
    nanmax,
    nanmean,
    nanmedian,
    nanmin,
    nanpercentile,
    nanprod,
    nanquantile,
    nanstd,
    nansum,
    nanvar,
)
from dnnfast.ops.normalization import (
    batch_normalization,
    layer_normalization,
    moments,
    normalize,
    rms_normalization,
)
from dnnfast.ops.norms import (
    norm,
)
from dnnfast.ops.probability import (
    binary_crossentropy,
    categorical_crossentropy,
    in_top_k,
    log_softmax,
    logsumexp,
    multi_hot,
    one_hot,
    softmax,
    sparse_categorical_crossentropy,
    sparsemax,
)
from dnnfast.ops.ranges import (
    arange,
    geomspace,
    linspace,
    logspace,
    meshgrid,
)
from dnnfast.ops.reduction import (
    all,
    amax,
    amin,
    any,
    argmax,
    argmin,
    count_nonzero,
    max,
    mean,
    min,
    prod,
    ptp,
    sum,
)
from dnnfast.ops.searching import (
    bincount,
    digitize,
    histogram,
    isin,
    nonzero,
    searchsorted,
    unique,
)
from dnnfast.ops.segments import (
    scatter,
    scatter_update,
    segment_max,
    segment_min,
    segment_prod,
    segment_sum,
)
from dnnfast.ops.shaping import (
    broadcast_to,
    diag,
    diagflat,
    diagonal,
    expand_dims,
    moveaxis,
    ravel,
    reshape,
    squeeze,
    swapaxes,
    trace,
    transpose,
)
from dnnfast.ops.sorting import (
    argpartition,
    argsort,
    sort,
    top_k,
)
from dnnfast.ops.statistics import (
    average,
    corrcoef,
    correlate,
    median,
    percentile,
    psnr,
    quantile,
    std,
    var,
)
from dnnfast.ops.systems import (
    lstsq,
    lu_factor,
    solve,
    solve_triangular,
)
from dnnfast.ops.taking import (
    get_item,
    slice,
    slice_update,
    take,
    take_along_axis,
    unravel_index,
)
from dnnfast.ops.tiling import (
    flip,
    fliplr,
    flipud,
    pad,
    repeat,
    roll,
    rot90,
    tile,
)
from dnnfast.ops.windows import (
    bartlett,
    blackman,
    hamming,
    hanning,
    kaiser,
)

__all__ = sorted(name for name, value in globals().items() if isinstance(value, FunctionType))
__all__.remove("in_models")

# Modules of this package use the functions themselves; called from outside, they describe models.
for _name in __all__:
    globals()[_name] = in_models(_name, globals()[_name])


def __getattr__(name: str) -> object:
    from dnnfast.layers.core.function_layer import find_class

    found = find_class(name)  # an operation of a saved model
    if found is None:
        raise AttributeError(f"module 'dnnfast.ops' has no attribute {name!r}")
    return found
