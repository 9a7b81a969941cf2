#pragma once

#include <boost/system/result.hpp>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "eventgate/json/json_nodes.hpp"

namespace eventgate {

/// The body of a request, parsed once: the events in it, in the order posted. Events are ranges of its nodes.
///
/// Immutable, but for `forget_values`. Moving it keeps every JsonValue of it valid.
class EventBatch {
 public:
  /// Parses `body`: an object, or an array of anything. Any other value is an error ("an object or an array").
  /// Events of an array are its elements, whatever their type: the gate judges them one by one. `body` is taken if that
  /// succeeds, and is what it was if not; room for kJsonPadding bytes more saves a copy.
  static boost::system::result<EventBatch, JsonError> parse(std::string&& body, const JsonLimits& limits = {});

  std::size_t size() const { return values_->events.size(); }
  JsonValue operator[](std::size_t index) const {
    return {values_->nodes.text.data(), values_->nodes.nodes.data(), values_->events[index]};
  }

  /// The flaws inside the event at `index`.
  std::span<const JsonInteropIssue> flaws(std::size_t index) const;

  std::string_view body() const { return *body_; }

  /// Gives the nodes' memory to the next batch of this thread. From then on only `body` and texts of events are there.
  void forget_values();

 private:
  struct Values {
    JsonNodes nodes;
    std::vector<std::uint32_t> events;
  };
  /// Keeps them for a batch to come of the same thread, if they are small.
  struct Keep {
    void operator()(Values* values) const noexcept;
  };
  static std::vector<std::unique_ptr<Values>>& kept();

  EventBatch();
  std::unique_ptr<std::string> body_;  // not moved with a small string's buffer
  std::unique_ptr<Values, Keep> values_;
};

}  // namespace eventgate
