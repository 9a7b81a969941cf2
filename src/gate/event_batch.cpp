#include "eventgate/gate/event_batch.hpp"

#include <algorithm>
#include <new>
#include <utility>

namespace eventgate {

namespace {

/// Batches whose memory a thread keeps. More are in use only while that many requests wait at once.
constexpr std::size_t kMaxFreeBatches = 64;
/// Nodes that the kept memory of a batch may hold, so that a large request does not hold memory for ever.
constexpr std::size_t kMaxFreeNodes = 8 * 1024;

}  // namespace

std::vector<std::unique_ptr<EventBatch::Values>>& EventBatch::free_values() {
  thread_local std::vector<std::unique_ptr<Values>> values;
  return values;
}

EventBatch::EventBatch() {
  auto& free = free_values();
  if (free.empty()) {
    values_.reset(new Values);
  } else {
    values_.reset(free.back().release());
    free.pop_back();
  }
}

void EventBatch::Recycle::operator()(Values* values) const noexcept {
  std::unique_ptr<Values> held(values);
  auto& free = free_values();
  if (free.size() >= kMaxFreeBatches || values->nodes.nodes.capacity() > kMaxFreeNodes) return;
  if (free.capacity() < kMaxFreeBatches) {
    try {
      free.reserve(kMaxFreeBatches);
    } catch (const std::bad_alloc&) {
      return;  // keeping is optional
    }
  }
  values->events.clear();
  free.push_back(std::move(held));
}

void EventBatch::release_values() { values_.reset(); }

boost::system::result<EventBatch, JsonError> EventBatch::parse(std::string&& body, const JsonLimits& limits) {
  EventBatch batch;
  body.reserve(body.size() + kJsonPadding);
  batch.body_ = std::make_unique<std::string>(std::move(body));
  Values& values = *batch.values_;
  const auto fail = [&](JsonError error) {  // NOLINT(bugprone-use-after-move): what is not accepted goes back
    body = std::move(*batch.body_);
    return error;
  };
  if (std::optional<JsonError> error = parse_json(*batch.body_, values.nodes, limits)) return fail(std::move(*error));

  const JsonValue root = values.nodes.root();
  if (root.is_object()) {
    values.events.push_back(root.index());
  } else if (root.is_array()) {
    for (const JsonValue event : root) values.events.push_back(event.index());
  } else {
    const auto offset = static_cast<std::size_t>(root.source().data() - batch.body_->data());
    return fail({offset, "an object or an array"});
  }
  return batch;
}

std::span<const JsonInteropIssue> EventBatch::flaws(std::size_t index) const {
  const JsonNodes& nodes = values_->nodes;
  if (nodes.interop_issues.empty()) return {};
  const std::uint32_t begin = values_->events[index];
  const std::uint32_t end = nodes.nodes[begin].next;
  const auto from = [&nodes](std::uint32_t node) {
    return std::ranges::lower_bound(nodes.interop_issues, node, {}, &JsonInteropIssue::node);
  };
  return {from(begin), from(end)};
}

}  // namespace eventgate
