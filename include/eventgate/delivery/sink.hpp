#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "eventgate/delivery/record.hpp"

namespace eventgate {

// Records on their way out of the gate:
//
//     EventGate -> FanOut -> Kafka's sink, or a spool's sink in front of it -> brokers
//                         -> file sink                                      -> files
//
// Each sink settles the record's DeliveryHandle. The request waits for the DeliveryBatch of all its handles.

/// A destination of records. FanOut hands each record to every sink.
///
/// Thread-safe.
class Sink {
 public:
  virtual ~Sink() = default;

  /// Returns `kafka` or `file`, which is a label of metrics and log lines.
  virtual std::string_view name() const = 0;

  /// Takes `records` in order. Settles the handle of each exactly once, on any thread, perhaps before this returns.
  /// Does not block.
  virtual void produce(std::span<const Record> records, Assurance assurance) = 0;

  /// Returns true if the sink keeps string_views into records after `produce` returns. The caller must then keep the
  /// texts alive until every handle is settled or timed out.
  virtual bool borrows_record_text() const { return false; }

  /// Starts to load what the sink needs to know about `topic`, so that its first record is not slow. Does not block.
  virtual void prefetch_metadata(const std::string& topic) = 0;

  /// Returns why the sink cannot produce now, or nullopt if it can.
  virtual std::optional<std::string> not_ready_reason() const = 0;

  /// Returns the problem of a sink that takes records all the same, or nullopt.
  virtual std::optional<std::string> degraded_reason() const { return std::nullopt; }

  /// Returns why the sink would refuse every new record, or nullopt. Clients should then retry later.
  virtual std::optional<std::string> overload_reason() const { return std::nullopt; }

  /// Returns true if the metadata of `topic` is loaded.
  virtual bool has_metadata(const std::string& /*topic*/) const { return true; }

  /// Returns how long the sink holds records back to send them together.
  virtual std::chrono::milliseconds linger(Assurance) const { return std::chrono::milliseconds(0); }

  /// Reads again the files that the sink's options name, if they have changed. The function it returns puts them to
  /// use; call it at most once. Throws std::invalid_argument if the files cannot be used. Blocks briefly.
  virtual std::function<void()> reload() {
    return [] {};
  }

  /// Waits until every record is settled, or until `deadline`. Then fails the rest, as `unknown` unless the sink knows
  /// that they were not produced. Call after the last `produce`. Blocks, so do not call it on an I/O thread.
  virtual void stop(std::chrono::steady_clock::time_point deadline) = 0;
};

}  // namespace eventgate
