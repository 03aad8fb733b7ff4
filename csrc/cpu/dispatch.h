#pragma once
// Chooses the kernels for this machine, once.

#include <string>
#include <vector>

#include "cpu/kernel.h"

namespace dnnfast::cpu {

namespace baseline {
KernelTable make_table();
}
#if defined(DNNFAST_X86_VARIANTS)
namespace avx2 {
KernelTable make_table();
}
namespace avx512 {
KernelTable make_table();
}
#endif

// The instruction sets that this build has and this machine runs, widest last.
std::vector<std::string> available_isas();

// The widest of them, or the one named by the environment variable DNNFAST_ISA (for tests and
// comparisons). Throws Error(value) when that one is not available.
const KernelTable& kernels();

}  // namespace dnnfast::cpu
