#pragma once

#include <boost/system/result.hpp>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "eventgate/events/json_nodes.hpp"

namespace eventgate {

/// The body of a request, parsed once: the events in it, in the order posted. Events are ranges of its nodes.
///
/// Immutable. Moving it keeps every JsonValue of it valid.
class EventBatch {
 public:
  /// Parses `body`: an object, or an array of anything. Any other value is an error ("an object or an array").
  /// Events of an array are its elements, whatever their type: the gate judges them one by one. `body` is taken if that
  /// succeeds, and is what it was if not; room for kJsonPadding bytes more saves a copy.
  static boost::system::result<EventBatch, JsonError> parse(std::string&& body, const JsonLimits& limits = {});

  std::size_t size() const { return events_.size(); }
  JsonValue operator[](std::size_t index) const { return {nodes_.text.data(), nodes_.nodes.data(), events_[index]}; }

  /// The flaws inside the event at `index`.
  std::span<const JsonFlaw> flaws(std::size_t index) const;

  std::string_view body() const { return *body_; }

 private:
  EventBatch() = default;
  std::unique_ptr<std::string> body_;  // not moved with a small string's buffer
  JsonNodes nodes_;
  std::vector<std::uint32_t> events_;
};

}  // namespace eventgate
