"""Compare a fused kernel with its specification in NumPy.

python examples/kernel_and_reference.py
"""

import numpy as np

from dnnfast import kernels, reference

rng = np.random.default_rng(0)
x, w, b = rng.standard_normal((32, 784)), rng.standard_normal((784, 300)) / 28, np.zeros(300)
options = {"activation": "gelu", "rate": 0.2, "seed": 1}

fast = kernels.dense_forward(x, w, b, **options)
exact = reference.dense_forward(x, w, b, **options)
error = np.linalg.norm(fast - exact) / np.linalg.norm(exact)
print(f"dense + bias + gelu + dropout: relative error {error:.1e}")
print("the same elements are dropped:", np.array_equal(fast == 0, exact == 0))
