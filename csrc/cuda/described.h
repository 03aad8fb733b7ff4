#pragma once
// A GPU that is only described: models are planned for it as for the real one, on any machine, and nothing runs.

#include "ops/backend.h"

namespace dnnfast::cuda {

// Weights lie as they are written in mathematics: all columns in one panel.
inline constexpr int64_t kPanelWidth = int64_t{1} << 40;
// A kernel may hold a layer, its loss and the gradient below.
inline constexpr int kPhasesTogether = 3;

class DescribedBackend : public ops::Backend {
 public:
  std::string name() const override { return "cuda:described (an H200, 132 multiprocessors)"; }
  int64_t panel_width() const override { return kPanelWidth; }
  int phases_together() const override { return kPhasesTogether; }
  // Of the host: a session keeps its values here.
  std::unique_ptr<ops::Memory> allocate(size_t bytes) override;
  void upload(void* device, const void* host, size_t bytes) override;
  void download(void* host, const void* device, size_t bytes) override;
  std::unique_ptr<ops::Executable> compile(ops::Program program, int64_t batch_capacity) override;
};

}  // namespace dnnfast::cuda
