#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "eventgate/gate/gate_types.hpp"

namespace eventgate {

/// Bounds the error texts of one reply: 4 times the body, at least 1 MB. Otherwise a small request could cause a reply
/// of any size. An event's errors count twice, as they stand in `errors` and in `errorsText` of the reply.
///
/// Use for one request, on its I/O thread.
class ErrorTextBudget {
 public:
  /// Bytes of error texts for each byte of the body.
  static constexpr std::size_t kPerBodyByte = 4;
  /// Bytes for the smallest body, so that a short request still gets every error.
  static constexpr std::size_t kMinimum = std::size_t{1} << 20;
  /// Bytes that stay of a message beyond the budget: enough to tell what is wrong.
  static constexpr std::size_t kShortMessage = 200;

  /// `body_size` is in bytes. `result` holds the texts spent so far, and must outlive this.
  ErrorTextBudget(std::size_t body_size, const ProcessResult& result);

  /// Spends the texts of one event's errors. Replaces those beyond the budget by one error `maxErrors`, whose `limit`
  /// is the number of errors before it.
  void limit_errors(std::vector<ValidationError>& errors);

  /// Spends `message`. Beyond the budget, cuts it to kShortMessage bytes.
  void limit_message(std::string& message);

  /// Spends `bytes` of other texts. Returns false, and spends nothing, if the budget does not suffice.
  bool spend(std::size_t bytes);

 private:
  /// Replaces the estimate of the bytes spent by their exact number, and counts exactly from now on.
  void begin_exact_count();

  const ProcessResult& result_;
  const std::size_t limit_;
  std::size_t spent_ = 0;        // an upper estimate, which needs no look at each character, until `is_exact_`
  std::size_t spent_other_ = 0;  // the part of `spent_` that `spend` added
  bool is_exact_ = false;
};

}  // namespace eventgate
