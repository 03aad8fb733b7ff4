// The kernel table of one instruction set.

#include "cpu/dispatch.h"
#include "cpu/families.h"
#include "cpu/gemm.h"

namespace dnnfast::cpu::DNNFAST_ISA {

#define DNNFAST_TEXT_OF(name) #name
#define DNNFAST_TEXT(name) DNNFAST_TEXT_OF(name)

KernelTable make_table() {
  KernelTable table{};
  table.isa = DNNFAST_TEXT(DNNFAST_ISA);
  table.vector_lanes = kLanes;
  table.panel_width = kPanelWidth;
  register_array_index(table);
  register_array_map(table);
  register_array_product(table);
  register_gather(table);
  register_dense_forward(table);
  register_dense_backward_weight(table);
  register_dense_backward_input(table);
  register_activation(table);
  register_batchnorm(table);
  register_softmax(table);
  register_loss(table);
  register_metric(table);
  register_merge(table);
  register_optimizer(table);
  register_samples(table);
  return table;
}

}  // namespace dnnfast::cpu::DNNFAST_ISA
