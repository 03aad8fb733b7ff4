#pragma once
// Assigns the temporary buffers of a program to one arena, sharing memory between buffers that are
// never needed at the same time.

#include <cstdint>
#include <vector>

namespace dnnfast::engine {

// A program is written twice by the same deterministic code: the first pass records how long each
// buffer lives, then place() assigns offsets, and the second pass gets the real addresses.
class BufferPlanner {
 public:
  // slack: phases between the lives of buffers that share memory.
  explicit BufferPlanner(int slack) : slack_(slack) {}
  // The i-th call of either pass is the same buffer. Returns its number.
  int request(int64_t bytes);
  // How many were requested so far in this pass.
  int count() const { return next_; }
  // The buffer is read or written in phase `now` (phases are separated by barriers).
  void use(int buffer, int now);
  // Never shares its memory (values that are read after the step).
  void keep(int buffer);

  // Ends the first pass: assigns offsets. Returns the arena's size in bytes.
  int64_t place();
  void start_second_pass(char* arena);

  // The first pass has only a stand-in address (not null, not to be read).
  float* address(int buffer) const;

 private:
  struct Interval {
    int64_t bytes = 0;
    int first = -1;
    int last = -1;
    bool keep = false;
    int64_t offset = 0;
  };
  bool overlap(const Interval& a, const Interval& b) const;

  int slack_;
  std::vector<Interval> intervals_;
  int next_ = 0;
  char* arena_ = nullptr;
  bool placed_ = false;
};

}  // namespace dnnfast::engine
