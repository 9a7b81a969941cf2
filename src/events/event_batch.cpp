#include "eventgate/events/event_batch.hpp"

#include <algorithm>
#include <utility>

namespace eventgate {

boost::system::result<EventBatch, JsonError> EventBatch::parse(std::string&& body, const JsonLimits& limits) {
  EventBatch batch;
  body.reserve(body.size() + kJsonPadding);
  batch.body_ = std::make_unique<std::string>(std::move(body));
  const auto refused = [&](JsonError error) {
    body = std::move(*batch.body_);
    return error;
  };
  if (std::optional<JsonError> error = parse_json(*batch.body_, batch.nodes_, limits))
    return refused(std::move(*error));

  const JsonValue root = batch.nodes_.root();
  if (root.is_object()) {
    batch.events_.push_back(root.index());
  } else if (root.is_array()) {
    for (const JsonValue event : root) batch.events_.push_back(event.index());
  } else {
    const auto offset = static_cast<std::size_t>(root.source().data() - batch.body_->data());
    return refused({offset, "an object or an array"});
  }
  return batch;
}

std::span<const JsonFlaw> EventBatch::flaws(std::size_t index) const {
  const std::uint32_t begin = events_[index];
  const std::uint32_t end = nodes_.nodes[begin].next;
  const auto from = [this](std::uint32_t node) {
    return std::ranges::lower_bound(nodes_.flaws, node, {}, &JsonFlaw::node);
  };
  return {from(begin), from(end)};
}

}  // namespace eventgate
