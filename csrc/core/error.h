#pragma once
// Errors that cross rooms. A message says what was given, what was expected and what to do.

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>

namespace dnnfast {

// What kind of Python exception an error becomes.
enum class ErrorKind { value, type, state, internal };

class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  ErrorKind kind() const { return kind_; }

 private:
  ErrorKind kind_;
};

// The loss of a training step was NaN or infinite. The step was not applied.
class NonFiniteLoss : public std::runtime_error {
 public:
  NonFiniteLoss(int64_t step, double loss, const std::string& message)
      : std::runtime_error(message), step_(step), loss_(loss) {}
  int64_t step() const { return step_; }
  double loss() const { return loss_; }

 private:
  int64_t step_;
  double loss_;
};

// Joins the parts of a message; anything std::to_string takes, or a string.
inline std::string text(const std::string& s) { return s; }
inline std::string text(const char* s) { return s; }
template <class T>
std::string text(T value) {
  return std::to_string(value);
}
template <class First, class Second, class... Rest>
std::string text(const First& first, const Second& second, const Rest&... rest) {
  return text(first) + text(second, rest...);
}

template <class... Parts>
[[noreturn]] void fail(ErrorKind kind, const Parts&... parts) {
  throw Error(kind, text(parts...));
}

// Internal consistency: a failure is a bug of dnnfast, never of its user.
#define DNNFAST_CHECK(condition, ...)                                          \
  do {                                                                         \
    if (!(condition))                                                          \
      ::dnnfast::fail(::dnnfast::ErrorKind::internal,                          \
                      "internal check `" #condition "` failed: ", __VA_ARGS__, \
                      " (please report this with the model's summary)");       \
  } while (false)

}  // namespace dnnfast
