#include "live_channel.hpp"

#include <utility>

#include "eventgate/json/json_nodes.hpp"
#include "eventgate/telemetry/stream_metrics.hpp"

namespace eventgate {
namespace {

constexpr std::size_t kMaxBatchEntries = 100;
constexpr std::size_t kMaxBatchBytes = 256 * 1024;

iovec part_of(std::string_view text) { return {const_cast<char*>(text.data()), text.size()}; }

}  // namespace

bool is_visible(const StreamRequest& request, const Frame& frame) {
  if (frame.canary && !request.canary) return false;
  if (request.filter.empty()) return true;
  thread_local std::string copy;
  thread_local JsonNodes nodes;
  const std::string_view event = frame.event();
  copy.assign(event);
  copy.resize(event.size() + kJsonPadding);
  if (parse_json(std::string_view(copy).substr(0, event.size()), nodes)) return false;
  return request.filter.matches(nodes.root());
}

LiveChannel::LiveChannel(std::shared_ptr<const StreamRequest> request, StreamText text, ReaderPositions positions,
                         StreamMetrics& metrics)
    : request_(std::move(request)),
      text_(text),
      positions_(std::move(positions)),
      base_positions_(positions_),
      metrics_(metrics) {}

bool LiveChannel::is_visible(const Frame& frame) {
  if (eventgate::is_visible(*request_, frame)) return true;
  metrics_.filtered(1);
  return false;
}

bool LiveChannel::add(std::size_t topic, const RingItem& item) {
  const std::string& name = request_->topics[topic];
  Entry entry{{}, item, topic, false, 0};
  switch (positions_.take(topic, name, item)) {
    case ReaderPositions::Step::nothing:
      break;
    case ReaderPositions::Step::gap:
      text_.append_gap(entry.before, name, positions_.gap(), positions_.all());
      break;
    case ReaderPositions::Step::frame:
      entry.sends_frame = is_visible(*item.frame);
      if (entry.sends_frame) text_.append_before_frame(entry.before, *item.frame, positions_.all());
      break;
  }
  entry.size = entry.before.size();
  if (entry.sends_frame) entry.size += text_.frame_text(*item.frame).size() + text_.after_frame().size();
  if (entries_.empty() && entry.size == 0) {
    base_positions_ = positions_;
    return false;
  }
  // A frame that is held back changes no position that a later one does not change, too.
  const bool sends = entry.size > 0;
  if (!sends && item.kind == RingItem::Kind::frame) return false;
  bytes_ += entry.size;
  entries_.push_back(std::move(entry));
  return sends;
}

std::uint64_t LiveChannel::window_begin() const {
  std::uint64_t number = first_;
  for (std::size_t bytes = bytes_; bytes > kWindow; ++number)
    bytes -= entries_[static_cast<std::size_t>(number - first_)].size;
  return number;
}

void LiveChannel::drop_before(std::uint64_t from) {
  while (!entries_.empty() && first_ < from) {
    Entry& entry = entries_.front();
    base_positions_.take(entry.topic, request_->topics[entry.topic], entry.item);
    bytes_ -= entry.size;
    entries_.pop_front();
    ++first_;
  }
  if (entries_.empty()) base_positions_ = positions_;
}

ReaderPositions LiveChannel::positions_at(std::uint64_t at) const {
  if (at >= head()) return positions_;
  ReaderPositions found = base_positions_;
  for (std::uint64_t number = first_; number < at; ++number) {
    const Entry& entry = entries_[static_cast<std::size_t>(number - first_)];
    found.take(entry.topic, request_->topics[entry.topic], entry.item);
  }
  return found;
}

const LiveChannel::Batch& LiveChannel::batch(std::uint64_t from) {
  if (batch_.from == from && from >= first_ && !batch_.ends.empty() && (batch_.full || batch_.until == head()))
    return batch_;
  batch_.parts.clear();
  batch_.ends.clear();
  batch_.events = 0;
  batch_.from = batch_.until = from;
  std::size_t bytes = 0;
  while (batch_.until < head() && batch_.ends.size() < kMaxBatchEntries && bytes < kMaxBatchBytes) {
    const Entry& entry = entries_[static_cast<std::size_t>(batch_.until - first_)];
    batch_.parts.push_back(part_of(entry.before));
    if (entry.sends_frame) {
      ++batch_.events;
      batch_.parts.push_back(part_of(text_.frame_text(*entry.item.frame)));
      if (!text_.after_frame().empty()) batch_.parts.push_back(part_of(text_.after_frame()));
    }
    batch_.ends.push_back(bytes += entry.size);
    ++batch_.until;
  }
  batch_.full = batch_.until < head();
  return batch_;
}

void LiveChannel::append_rest(std::string& out, std::uint64_t at, std::size_t sent) const {
  const Entry& entry = entries_[static_cast<std::size_t>(at - first_)];
  std::string whole = entry.before;
  if (entry.sends_frame) whole.append(text_.frame_text(*entry.item.frame)).append(text_.after_frame());
  out.append(whole, sent);
}

}  // namespace eventgate
