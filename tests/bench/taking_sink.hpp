#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "eventgate/delivery/sink.hpp"

namespace eventgate::bench {

/// Takes every record at once, so that what comes before a sink can be measured.
class TakingSink final : public Sink {
 public:
  std::string_view name() const override { return "file"; }
  void produce(std::span<const Record> records, Assurance) override {
    for (const Record& record : records) record.handle->succeed();
  }
  void prefetch_metadata(const std::string&) override {}
  std::optional<std::string> not_ready_reason() const override { return std::nullopt; }
  void stop(std::chrono::steady_clock::time_point) override {}
};

inline std::vector<std::unique_ptr<Sink>> one(std::unique_ptr<Sink> sink) {
  std::vector<std::unique_ptr<Sink>> sinks;
  sinks.push_back(std::move(sink));
  return sinks;
}

}  // namespace eventgate::bench
