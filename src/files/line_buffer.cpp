#include "line_buffer.hpp"

#include <cstring>

namespace eventgate {
namespace {

constexpr std::size_t kMaxKeptCapacity = 1u << 20;  // bytes of one chunk that `clear` keeps
constexpr std::size_t kMaxKeptChunks = 64;          // chunks that `clear` keeps

}  // namespace

void LineBuffer::append(std::string_view topic, std::string_view value, DeliveryHandle* handle,
                        SteadyTime handed_over) {
  LineChunk& chunk = chunk_for(topic);
  const std::size_t begin = chunk.bytes.size();
  chunk.bytes.append(value);
  // Strings of JSON have no raw line ends, so these are between tokens, where a space has the same meaning.
  for (const char line_end : {'\n', '\r'}) {
    char* at = chunk.bytes.data() + begin;
    char* const end = chunk.bytes.data() + chunk.bytes.size();
    while ((at = static_cast<char*>(std::memchr(at, line_end, static_cast<std::size_t>(end - at))))) *at++ = ' ';
  }
  chunk.bytes += '\n';
  chunk.lines.push_back({handle, chunk.bytes.size(), handed_over});
  bytes_ += chunk.bytes.size() - begin;
}

void LineBuffer::clear() {
  for (std::size_t i = 0; i < used_; ++i) {
    LineChunk& chunk = chunks_[i];
    if (chunk.bytes.capacity() > kMaxKeptCapacity) {
      chunk = LineChunk();
    } else {
      chunk.bytes.clear();
      chunk.lines.clear();
    }
  }
  if (chunks_.size() > kMaxKeptChunks) chunks_.resize(kMaxKeptChunks);
  by_topic_.clear();
  used_ = last_ = bytes_ = 0;
}

LineChunk& LineBuffer::chunk_for(std::string_view topic) {
  if (used_ > 0 && chunks_[last_].topic == topic) return chunks_[last_];
  if (const auto found = by_topic_.find(topic); found != by_topic_.end()) return chunks_[last_ = found->second];
  if (used_ == chunks_.size()) chunks_.emplace_back();
  by_topic_.emplace(topic, used_);
  last_ = used_++;
  chunks_[last_].topic = topic;
  return chunks_[last_];
}

}  // namespace eventgate
