#include "chunked_body.hpp"

#include <algorithm>

#include "eventgate/base/ascii.hpp"
#include "head_check.hpp"

namespace eventgate {

namespace {

/// Hexadecimal digits of a chunk's size. 64 bits have as many.
constexpr unsigned kMaxDigits = 16;

}  // namespace

std::size_t ChunkedBody::decode(std::string_view bytes) {
  std::size_t used = 0;
  while (used < bytes.size() && state_ == State::incomplete) {
    if (part_ == Part::data) {
      const std::size_t here = static_cast<std::size_t>(std::min<std::uint64_t>(chunk_, bytes.size() - used));
      if (body_) body_->append(bytes.substr(used, here));
      used += here;
      size_ += here;
      chunk_ -= here;
      if (chunk_ == 0) part_ = Part::data_cr;
      continue;
    }
    decode_frame(bytes[used++]);
  }
  return used;
}

/// Decodes one character outside a chunk's data.
void ChunkedBody::decode_frame(char c) {
  switch (part_) {
    case Part::size:
      read_size_digit(c);
      break;
    case Part::extension:
      if (c == '\r') {
        part_ = Part::line_end;
      } else if (is_field_text(c)) {
        count_extra_byte();
      } else {
        end(State::malformed);
      }
      break;
    case Part::line_end:
      if (c == '\n') {
        end_size_line();
      } else {
        end(State::malformed);
      }
      break;
    case Part::data_cr:
      part_ = Part::data_lf;
      if (c != '\r') end(State::malformed);
      break;
    case Part::data_lf:
      part_ = Part::size;
      if (c != '\n') end(State::malformed);
      break;
    case Part::trailer:
      if (c == '\r') {
        part_ = Part::last_lf;
      } else if (is_token_character(c)) {
        part_ = Part::field_name;
        count_extra_byte();
      } else {
        end(State::malformed);  // a blank, for example, which begins a folded line
      }
      break;
    case Part::field_name:
      if (c == ':') {
        part_ = Part::field_value;
      } else if (!is_token_character(c)) {
        end(State::malformed);
        break;
      }
      count_extra_byte();
      break;
    case Part::field_value:
      if (c == '\r') {
        part_ = Part::field_lf;
      } else if (is_field_text(c)) {
        count_extra_byte();
      } else {
        end(State::malformed);
      }
      break;
    case Part::field_lf:
      part_ = Part::trailer;
      if (c != '\n') end(State::malformed);
      break;
    case Part::last_lf:
      end(c == '\n' ? State::complete : State::malformed);
      break;
    case Part::data:
      break;
  }
}

void ChunkedBody::read_size_digit(char c) {
  if (const int digit = hex_value(c); digit >= 0 && !blank_seen_) {
    if (++digits_ > kMaxDigits) return end(State::malformed);
    chunk_ = chunk_ * 16 + static_cast<unsigned>(digit);
    return;
  }
  if (digits_ == 0) return end(State::malformed);
  if (c == '\r') {
    part_ = Part::line_end;
  } else if (c == ' ' || c == '\t') {
    blank_seen_ = true;
    count_extra_byte();
  } else if (c == ';') {
    part_ = Part::extension;
    count_extra_byte();
  } else {
    end(State::malformed);
  }
}

/// Ends the line of a chunk's size.
void ChunkedBody::end_size_line() {
  digits_ = 0;
  blank_seen_ = false;
  if (chunk_ == 0) {
    part_ = Part::trailer;
    return;
  }
  part_ = Part::data;
  if (chunk_ > limit_ - size_) end(State::too_large);
}

void ChunkedBody::count_extra_byte() {
  if (++extras_ > max_extras_ + size_) end(State::too_large);
}

}  // namespace eventgate
