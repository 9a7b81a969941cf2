#include "topic_ring.hpp"

#include <algorithm>

namespace eventgate {

TopicRing::TopicRing(std::string topic, std::size_t max_bytes, std::span<const PartitionOffset> begin)
    : topic_(std::move(topic)), max_bytes_(max_bytes) {
  for (const PartitionOffset& place : begin) {
    Partition& partition = partitions_[place.id.partition];
    partition.front.offset = partition.back.offset = place.offset;
  }
}

std::deque<TopicRing::Record>::const_iterator TopicRing::Partition::at(std::int64_t offset) const {
  return std::lower_bound(records.begin(), records.end(), offset,
                          [](const Record& record, std::int64_t o) { return record.place.offset < o; });
}

std::vector<TopicRing::Older> TopicRing::fronts() const {
  const std::lock_guard lock(mutex_);
  std::vector<Older> found;
  for (const auto& [number, partition] : partitions_)
    found.push_back({number, partition.front.offset, partition.front.offset});
  return found;
}

void TopicRing::prepend(std::span<const Older> parts, std::vector<RingItem> frames) {
  const std::lock_guard lock(mutex_);
  std::size_t bytes = 0;
  for (const RingItem& item : frames) bytes += item.size();
  if (bytes_ + bytes > max_bytes_) return;
  for (const Older& part : parts) {
    const auto partition = partitions_.find(part.partition);
    if (partition == partitions_.end() || partition->second.front.offset != part.end) return;
  }
  for (auto item = frames.rbegin(); item != frames.rend(); ++item) {
    const RecordPlace place{item->frame->offset, item->frame->timestamp};
    partitions_[item->partition()].records.push_front({place, --first_});
    items_.push_front(std::move(*item));
  }
  for (const Older& part : parts) partitions_[part.partition].front = {part.begin, std::nullopt};
  bytes_ += bytes;
}

std::size_t TopicRing::room() const {
  const std::lock_guard lock(mutex_);
  return max_bytes_ - std::min(bytes_, max_bytes_);
}

bool TopicRing::wait_for(std::int32_t partition, std::int64_t offset,
                         std::chrono::steady_clock::time_point deadline) const {
  std::unique_lock lock(mutex_);
  return grown_.wait_until(lock, deadline, [&] {
    const auto found = partitions_.find(partition);
    return found != partitions_.end() && found->second.back.offset > offset;
  });
}

std::size_t TopicRing::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

void TopicRing::drop_first() {
  const RingItem& item = items_.front();
  Partition& partition = partitions_[item.partition()];
  if (item.kind == RingItem::Kind::frame) {
    partition.front = {item.frame->offset + 1, item.frame->timestamp + 1};
    if (!partition.records.empty()) partition.records.pop_front();
  } else {
    partition.front = {item.gap.to, std::nullopt};
    others_.pop_front();
  }
  bytes_ -= item.size();
  items_.pop_front();
  ++first_;
}

void TopicRing::append(std::vector<RingItem> items) {
  {
    const std::lock_guard lock(mutex_);
    for (RingItem& item : items) {
      const bool is_known = partitions_.contains(item.partition());
      if (item.kind == RingItem::Kind::started && is_known) continue;
      Partition& partition = partitions_[item.partition()];
      if (!is_known)
        partition.first = partition.front.offset =
            item.kind == RingItem::Kind::frame ? item.frame->offset : item.gap.to;
      if (item.kind == RingItem::Kind::frame) {
        partition.back = {item.frame->offset + 1, item.frame->timestamp + 1};
        partition.records.push_back({{item.frame->offset, item.frame->timestamp}, first_ + items_.size()});
      } else {
        // What lies before a topic that was made anew belongs to another one.
        if (item.is_new_topic()) {
          ++generation_;
          // Its other partitions have told so already, or will: what they have stays.
          while (std::any_of(items_.begin(), items_.end(),
                             [&](const RingItem& other) { return other.partition() == item.partition(); }))
            drop_first();
          partition.front = {item.gap.to, std::nullopt};
          partition.first.reset();
        }
        partition.back = {item.gap.to, std::nullopt};
        others_.push_back(first_ + items_.size());
      }
      bytes_ += item.size();
      items_.push_back(std::move(item));
    }
    while (bytes_ > max_bytes_ && items_.size() > 1) drop_first();
  }
  grown_.notify_all();
  tell();
}

void TopicRing::clear() {
  {
    const std::lock_guard lock(mutex_);
    while (!items_.empty()) drop_first();
  }
  tell();
}

TopicRing::Head TopicRing::head(std::map<std::int32_t, Place>& places) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [number, partition] : partitions_) places[number] = partition.back;
  return {first_ + items_.size(), generation_};
}

std::uint64_t TopicRing::generation() const {
  const std::lock_guard lock(mutex_);
  return generation_;
}

bool TopicRing::read(std::uint64_t from, std::uint64_t until, std::size_t max, std::vector<RingItem>& into) const {
  const std::lock_guard lock(mutex_);
  if (from < first_) return false;
  const std::uint64_t end = std::min({until, first_ + items_.size(), from + max});
  for (std::uint64_t number = from; number < end; ++number)
    into.push_back(items_[static_cast<std::size_t>(number - first_)]);
  return true;
}

std::optional<std::uint64_t> TopicRing::find(ReaderPositions& positions, std::size_t topic) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [number, partition] : partitions_) {
    // A partition that was there before the ring, and that the reader does not know, is one of a topic that was
    // deleted.
    if (!positions.find(topic, number))
      positions.find_or_add(topic, topic_, number, partition.first.value_or(partition.back.offset));
    const StreamPosition* const position = positions.find(topic, number);
    if (position && position->offset < partition.front.offset) return std::nullopt;
  }
  std::uint64_t wanted = others_.empty() ? first_ + items_.size() : others_.front();
  for (const auto& [number, partition] : partitions_) {
    const StreamPosition* const position = positions.find(topic, number);
    const auto record = position ? partition.at(position->offset) : partition.records.begin();
    if (record != partition.records.end()) wanted = std::min(wanted, record->number);
  }
  return wanted;
}

std::optional<RecordPlace> TopicRing::record_at(std::int32_t partition, std::int64_t offset) const {
  const std::lock_guard lock(mutex_);
  const auto found = partitions_.find(partition);
  if (found == partitions_.end() || offset < found->second.front.offset) return std::nullopt;
  const auto record = found->second.at(offset);
  return record == found->second.records.end() ? std::nullopt : std::optional(record->place);
}

void TopicRing::add_listener(const void* owner, std::function<void()> listener) {
  const std::lock_guard lock(listeners_mutex_);
  listeners_.emplace_back(owner, std::move(listener));
}

void TopicRing::remove_listener(const void* owner) {
  const std::lock_guard lock(listeners_mutex_);
  std::erase_if(listeners_, [owner](const auto& listener) { return listener.first == owner; });
}

void TopicRing::tell() {
  const std::lock_guard lock(listeners_mutex_);
  for (const auto& [owner, listener] : listeners_) listener();
}

}  // namespace eventgate
