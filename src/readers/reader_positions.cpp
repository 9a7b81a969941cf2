#include "reader_positions.hpp"

#include <algorithm>
#include <utility>

namespace eventgate {

ReaderPositions::ReaderPositions(const std::vector<std::string>& topics, std::vector<StreamPosition> positions)
    : index_(topics.size()) {
  for (StreamPosition& position : positions) {
    const auto topic = std::find(topics.begin(), topics.end(), position.topic);
    if (topic == topics.end()) continue;
    StreamPosition& added = find_or_add(static_cast<std::size_t>(topic - topics.begin()), position.topic,
                                        position.partition, position.offset);
    added = std::move(position);
  }
}

StreamPosition* ReaderPositions::find(std::size_t topic, std::int32_t partition) {
  const std::vector<std::int32_t>& index = index_[topic];
  if (partition < 0 || static_cast<std::size_t>(partition) >= index.size()) return nullptr;
  const std::int32_t at = index[static_cast<std::size_t>(partition)];
  return at < 0 ? nullptr : &positions_[static_cast<std::size_t>(at)];
}

StreamPosition& ReaderPositions::find_or_add(std::size_t topic, const std::string& name, std::int32_t partition,
                                             std::int64_t offset) {
  if (StreamPosition* const known = find(topic, partition)) return *known;
  std::vector<std::int32_t>& index = index_[topic];
  const auto number = static_cast<std::size_t>(partition);
  if (number >= index.size()) index.resize(number + 1, -1);
  index[number] = static_cast<std::int32_t>(positions_.size());
  return positions_.emplace_back(StreamPosition{name, partition, offset, std::nullopt});
}

void ReaderPositions::mark_old(std::size_t topic) {
  for (std::size_t number = 0; number < index_[topic].size(); ++number)
    if (index_[topic][number] >= 0) old_.emplace_back(topic, static_cast<std::int32_t>(number));
}

ReaderPositions::Step ReaderPositions::take(std::size_t topic, const std::string& name, const RingItem& item) {
  switch (item.kind) {
    case RingItem::Kind::started:
      find_or_add(topic, name, item.gap.partition, item.gap.to);
      return Step::nothing;
    case RingItem::Kind::gap: {
      StreamPosition& position = find_or_add(topic, name, item.gap.partition, item.gap.from);
      // A topic that was made anew begins again; a reader that began after that is not sent back.
      const bool was_old = item.is_new_topic() && std::erase(old_, std::pair(topic, item.gap.partition)) > 0;
      const bool is_new_topic = item.is_new_topic() && (was_old || position.offset >= item.gap.from);
      if (!is_new_topic && position.offset >= item.gap.to) return Step::nothing;
      gap_ = {item.gap.partition, position.offset, item.gap.to};
      position.offset = item.gap.to;
      position.timestamp.reset();
      return Step::gap;
    }
    case RingItem::Kind::frame:
      break;
  }
  const Frame& frame = *item.frame;
  StreamPosition& position = find_or_add(topic, name, frame.partition, frame.offset);
  if (frame.offset < position.offset) return Step::nothing;
  position.offset = frame.offset + 1;
  position.timestamp = frame.timestamp + 1;
  return frame.skip == SkipCause::none ? Step::frame : Step::nothing;
}

}  // namespace eventgate
