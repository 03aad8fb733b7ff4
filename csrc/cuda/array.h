#pragma once
// Ops on arrays of any number of axes. The ops hold much, kernels get little: a task points to its op, which with its tape is
// copied to the device when a program is compiled.

#include "cuda/array_index.h"
#include "cuda/array_map.h"
#include "cuda/array_product.h"
#include "cuda/array_scan.h"
