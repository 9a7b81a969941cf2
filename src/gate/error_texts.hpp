#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "eventgate/gate/event_status.hpp"

namespace eventgate {

struct ProcessResult;

/// The bound of the error texts of one reply: 4 times the body, at least 1 MB. An event's errors count as they stand in
/// the reply, once in `errors` and once in `errorsText`.
///
/// Use for one request, on its I/O thread. `result` has what is admitted so far; it must outlive this.
class ErrorTexts {
 public:
  static constexpr std::size_t kPerBodyByte = 4;
  static constexpr std::size_t kLeast = std::size_t{1} << 20;
  /// Bytes kept of a message beyond the bound.
  static constexpr std::size_t kShortMessage = 200;

  ErrorTexts(std::size_t body, const ProcessResult& result);

  /// Leaves out the errors of one event that are beyond the bound. The last one then is `maxErrors`, and its `limit` is
  /// the number of errors before it.
  void bound(std::vector<ValidationError>& errors);

  /// Cuts `message` to kShortMessage bytes if it is beyond the bound.
  void bound(std::string& message);

  /// Counts `bytes` more. Returns false, and counts nothing, if they are beyond the bound.
  bool admit(std::size_t bytes);

 private:
  /// Counts exactly from now on: what is admitted, and later texts.
  void begin_counting();

  const ProcessResult& result_;
  const std::size_t limit_;
  std::size_t used_ = 0;    // an upper estimate, which needs no look at the characters, until `counting_`
  std::size_t others_ = 0;  // of it, what `admit` counted
  bool counting_ = false;
};

}  // namespace eventgate
