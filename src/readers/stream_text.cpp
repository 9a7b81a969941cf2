#include "stream_text.hpp"

#include <charconv>

#include "eventgate/json/json_text.hpp"
#include "eventgate/readers/stream_start.hpp"

namespace eventgate {
namespace {

constexpr std::string_view kLineEnd = "\r\n";

void append_chunk_size(std::string& out, std::size_t size) {
  char digits[16];
  out.append(digits, std::to_chars(digits, digits + sizeof(digits), size, 16).ptr).append(kLineEnd);
}

/// Appends an id line. An empty id would make an EventSource forget the one it has.
void append_id(std::string& out, std::span<const StreamPosition> positions, bool ended = false) {
  if (positions.empty()) return;
  out += "id: ";
  append_stream_id(out, positions, ended);
  out += '\n';
}

}  // namespace

void StreamText::append_part(std::string& out, std::string_view part) const {
  if (part.empty()) return;
  if (chunked_) append_chunk_size(out, part.size());
  out += part;
  if (chunked_) out += kLineEnd;
}

void StreamText::append_before_frame(std::string& out, const Frame& frame,
                                     std::span<const StreamPosition> positions) const {
  thread_local std::string before;
  before.clear();
  std::size_t size = frame.text.size() - Frame::kEnd.size() + 1;
  if (format_ == StreamFormat::sse) {
    before += "event: message\n";
    append_id(before, positions);
    before += "data: ";
    size += before.size() + 1;
  }
  if (chunked_) append_chunk_size(out, size);
  out += before;
}

std::string_view StreamText::frame_text(const Frame& frame) const {
  std::string_view text = frame.text;
  if (format_ == StreamFormat::lines) {
    text.remove_suffix(Frame::kEnd.size() - 1);
  } else if (!chunked_) {
    text.remove_suffix(kLineEnd.size());
  }
  return text;
}

std::string_view StreamText::after_frame() const {
  return format_ == StreamFormat::lines && chunked_ ? kLineEnd : std::string_view();
}

void StreamText::append_preamble(std::string& out, std::span<const std::string> comments,
                                 std::span<const StreamPosition> positions) const {
  if (format_ == StreamFormat::lines) return;
  std::string text = ":ok\n\n";
  for (const std::string& comment : comments) text.append(": ").append(comment).append("\n");
  append_id(text, positions);
  if (text.size() > 5) text += '\n';
  append_part(out, text);
}

void StreamText::append_heartbeat(std::string& out, std::span<const StreamPosition> positions,
                                  const std::optional<std::string>& away_reason) const {
  if (format_ == StreamFormat::lines) return append_part(out, "\n");
  std::string text = ": heartbeat";
  if (away_reason) text += "; the source of the events does not answer";
  text += '\n';
  append_id(text, positions);
  text += '\n';
  append_part(out, text);
}

void StreamText::append_gap(std::string& out, std::string_view topic, const RecordGap& gap,
                            std::span<const StreamPosition> positions) const {
  if (format_ == StreamFormat::lines) return;
  std::string text = "event: gap\n";
  append_id(text, positions);
  text.append("data: ").append(gap_json(topic, gap)).append("\n\n");
  append_part(out, text);
}

void StreamText::append_comment(std::string& out, std::string_view comment,
                                std::span<const StreamPosition> positions) const {
  if (format_ == StreamFormat::lines) return;
  std::string text = ": ";
  text.append(comment).append("\n");
  append_id(text, positions);
  text += '\n';
  append_part(out, text);
}

void StreamText::append_end_event(std::string& out, std::string_view reason,
                                  std::span<const StreamPosition> positions) const {
  if (format_ == StreamFormat::lines) return;
  std::string text = "event: end\n";
  append_id(text, positions, true);
  text.append("data: {\"reason\":").append(json_string(reason)).append("}\n\n");
  append_part(out, text);
}

void StreamText::append_end(std::string& out, std::optional<std::chrono::milliseconds> retry) const {
  if (retry && format_ == StreamFormat::sse) append_part(out, "retry: " + std::to_string(retry->count()) + "\n\n");
  if (chunked_) out += "0\r\n\r\n";
}

}  // namespace eventgate
