#pragma once
// The parts of dnnfast._core.kernels, by op family.

#include <pybind11/pybind11.h>

namespace dnnfast::bindings {

void bind_dense_kernels(pybind11::module_& m);      // kernels.cpp
void bind_pointwise_kernels(pybind11::module_& m);  // kernels.cpp
void bind_row_wise_kernels(pybind11::module_& m);   // kernels.cpp
void bind_batchnorm_kernels(pybind11::module_& m);  // kernels_training.cpp
void bind_loss_kernels(pybind11::module_& m);       // kernels_training.cpp
void bind_optimizer_kernels(pybind11::module_& m);  // kernels_optimizer.cpp
void bind_samples_kernels(pybind11::module_& m);    // kernels.cpp

}  // namespace dnnfast::bindings
