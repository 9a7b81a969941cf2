#pragma once

#include <boost/system/result.hpp>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eventgate/json/json_nodes.hpp"

namespace eventgate {

/// The events in the body of a request, parsed once, in the order posted. Each event is a range of the batch's nodes.
///
/// Immutable except for `release_values`. Values of a batch stay valid when it is moved.
class EventBatch {
 public:
  /// Parses `body`: an object is one event, an array has its elements as events, of whatever type. Returns the error
  /// "an object or an array" for any other value. Takes `body` on success, and leaves it unchanged on failure. Spare
  /// capacity of kJsonPadding bytes in `body` saves a copy.
  static boost::system::result<EventBatch, JsonError> parse(std::string&& body, const JsonLimits& limits = {});

  std::size_t size() const { return values_->events.size(); }
  JsonValue operator[](std::size_t index) const {
    return {values_->nodes.text.data(), values_->nodes.nodes.data(), values_->events[index]};
  }

  /// Returns the flaws inside the event at `index`.
  std::span<const JsonInteropIssue> flaws(std::size_t index) const;

  std::string_view body() const { return *body_; }

  /// Returns the text that the client sent as the event at `index`.
  std::string_view sent_text(std::size_t index) const { return sent_ ? *sent_ : (*this)[index].source(); }

  /// Says that the only event was made from another text, which the client sent. Values of the batch stay valid.
  void set_sent_text(std::string text) { sent_ = std::make_unique<std::string>(std::move(text)); }

  /// Gives the memory of the parsed values to the next batch of this thread. Only `body` and the texts of events stay
  /// valid.
  void release_values();

 private:
  struct Values {
    JsonNodes nodes;
    std::vector<std::uint32_t> events;
  };
  /// Keeps the memory of small values for the thread's next batch.
  struct Recycle {
    void operator()(Values* values) const noexcept;
  };
  static std::vector<std::unique_ptr<Values>>& free_values();

  EventBatch();
  std::unique_ptr<std::string> body_;  // on the heap: moving a short string would move its bytes
  std::unique_ptr<Values, Recycle> values_;
  std::unique_ptr<std::string> sent_;  // null: the events are as sent
};

}  // namespace eventgate
