#pragma once
// What each family's source file gives to the kernel table (table.cpp) of its instruction set.

#include "cpu/kernel.h"

namespace dnnfast::cpu::DNNFAST_ISA {

void register_array_index(KernelTable& table);  // array_index.cpp
void register_array_map(KernelTable& table);
void register_array_product(KernelTable& table);
void register_gather(KernelTable& table);  // gather.cpp
void register_dense_forward(KernelTable& table);
void register_dense_backward_weight(KernelTable& table);
void register_dense_backward_input(KernelTable& table);
void register_activation(KernelTable& table);  // activation.cpp
void register_batchnorm(KernelTable& table);   // batchnorm.cpp
void register_softmax(KernelTable& table);     // softmax.cpp
void register_loss(KernelTable& table);        // loss.cpp
void register_metric(KernelTable& table);      // metric.cpp
void register_merge(KernelTable& table);       // merge.cpp
void register_optimizer(KernelTable& table);   // optimizer.cpp
void register_optimizer_whole(KernelTable& table);
void register_samples(KernelTable& table);  // samples.cpp

}  // namespace dnnfast::cpu::DNNFAST_ISA
