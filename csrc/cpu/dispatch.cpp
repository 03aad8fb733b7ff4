#include "cpu/dispatch.h"

#include <cstdlib>

#include "core/error.h"

namespace dnnfast::cpu {
namespace {

struct Variant {
  const char* name;
  bool (*runs_here)();
  KernelTable (*make)();
};

const Variant kVariants[] = {
    {"baseline", [] { return true; }, baseline::make_table},
#if defined(DNNFAST_X86_VARIANTS)
    {"avx2", [] { return bool(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")); },
     avx2::make_table},
    {"avx512",
     [] {
       return bool(__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                   __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"));
     },
     avx512::make_table},
#endif
};

KernelTable choose() {
  const char* wanted = std::getenv("DNNFAST_ISA");
  if (wanted && *wanted) {
    std::string names;
    for (const std::string& name : available_isas()) names += (names.empty() ? "" : ", ") + name;
    for (const Variant& variant : kVariants)
      if (wanted == std::string(variant.name) && variant.runs_here()) return variant.make();
    fail(ErrorKind::value, "DNNFAST_ISA=", wanted, " is not available here; choose one of: ", names,
         ", or unset it to use the widest");
  }
  const Variant* best = nullptr;
  for (const Variant& variant : kVariants)
    if (variant.runs_here()) best = &variant;
  return best->make();
}

}  // namespace

std::vector<std::string> available_isas() {
  std::vector<std::string> names;
  for (const Variant& variant : kVariants)
    if (variant.runs_here()) names.push_back(variant.name);
  return names;
}

const KernelTable& kernels() {
  static const KernelTable table = choose();
  return table;
}

}  // namespace dnnfast::cpu
