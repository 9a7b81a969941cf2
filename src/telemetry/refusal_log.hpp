#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace eventgate {

/// Writes the log lines of what is refused: for each kind of refusal one at once, and then at most one a minute.
///
/// A kind is a stream, a schema and a cause. Its name never holds a text of a client: the caller passes names of
/// declared streams and loaded schemas only, and the client's own texts as an example. A line looks like this:
///
///     {"level":40,"msg":"Events are refused","stream":"test.event","schema_uri":"/test/event/1.0.0","cause":"invalid",
///      "message":"'.test' should be string","count":17,"total":902,"since":"2026-11-22T02:39:06.102Z"}
///
/// `count` is of the time since the line before, whose first refusal has `message`; `total` is of all since `since`.
/// A kind that is not seen for an hour is forgotten. Thread-safe.
class RefusalLog {
 public:
  using Clock = std::chrono::steady_clock;

  /// Kinds that are kept. Beyond, a refusal counts for its cause alone.
  static constexpr std::size_t kMaxKinds = 1000;
  /// Bytes of a text of a client in a line.
  static constexpr std::size_t kMaxExample = 200;
  static constexpr std::size_t kMaxMessage = 500;
  static constexpr std::chrono::seconds kInterval{60};
  static constexpr std::chrono::minutes kForgetAfter{60};

  /// One refusal. The texts are copied.
  struct Refusal {
    std::string_view msg;  ///< Of the line: a string literal.
    std::string_view cause;
    std::string_view stream = {};              ///< A declared stream, else empty.
    std::string_view schema_uri = {};          ///< Of a loaded schema, else empty. Counts only with `stream`.
    std::string_view example_stream = {};      ///< What the client sent. Shown if `stream` is empty.
    std::string_view example_schema_uri = {};  ///< What the client sent. Shown if `schema_uri` is empty.
    std::string_view message = {};
  };

  /// Counts `refusal`, and writes a line if one is due.
  void add(const Refusal& refusal, Clock::time_point now = Clock::now());

  /// Writes the lines that are due, and forgets kinds that are not seen any more. Call it now and then, so that the
  /// last refusals of a kind get their line.
  void write_due(Clock::time_point now = Clock::now());

  /// Writes the lines of everything that has none yet: call it at the end.
  void write_all(Clock::time_point now = Clock::now());

  /// Returns the kinds that are kept.
  std::size_t size() const;

 private:
  /// A kind and what was seen of it.
  struct Kind {
    std::string_view msg;
    std::string stream;
    std::string schema_uri;
    std::string cause;
    std::chrono::system_clock::time_point since;  ///< Of its first refusal.
    std::uint64_t total = 0;
    Clock::time_point last_seen;
    Clock::time_point last_line;
    std::uint64_t count = 0;  ///< Refusals without a line.
    // Of the first of these.
    std::string message;
    std::string example_stream;
    std::string example_schema_uri;
  };
  using Kinds = std::map<std::string, Kind, std::less<>>;

  Kind& kind_of(const Refusal& refusal, Clock::time_point now);
  void forget_old(Clock::time_point now);
  static void write(Kind& kind, Clock::time_point now);

  mutable std::mutex mutex_;
  Kinds kinds_;
  std::string key_;  // memory that is used again
};

}  // namespace eventgate
