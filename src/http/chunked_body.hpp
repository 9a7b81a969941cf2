#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace eventgate {

/// Decodes a body in the chunked transfer coding (RFC 9112, section 7.1), as it comes.
///
/// It is strict where a lax reader and a strict one would see different requests. A line ends in CRLF. A control
/// character other than HTAB in a chunk's line or a trailer field is malformed, in a quoted string too. So is a folded
/// trailer field. Extensions and trailer fields are checked and dropped.
///
/// Use on one I/O thread.
class ChunkedBody {
 public:
  enum class State : std::uint8_t {
    incomplete,  ///< More bytes must come.
    complete,    ///< The last line of the trailer section has come.
    malformed,   ///< The bytes break the grammar. The end of the request is not known.
    too_large,   ///< A chunk would make the data larger than the limit, or extensions and trailer fields exceed theirs.
  };

  /// Appends the data to `body`, which must outlive this, or drops it if `body` is null. The data may have `limit`
  /// bytes. Extensions and trailer fields together may have `max_extras` bytes more than the data so far.
  ChunkedBody(std::string* body, std::size_t limit, std::size_t max_extras)
      : body_(body), limit_(limit), max_extras_(max_extras) {}

  /// Decodes the start of `bytes`, which begins where the last call stopped. Returns how many bytes are used: all of
  /// them while the state is `incomplete`, those up to the end of the body when it becomes `complete`.
  std::size_t decode(std::string_view bytes);

  State state() const { return state_; }

  /// Returns the bytes of data so far.
  std::size_t size() const { return size_; }

 private:
  enum class Part : std::uint8_t {
    size,         // the digits of a chunk's size
    extension,    // what follows them in the line
    line_end,     // the LF of that line
    data,         // a chunk's data
    data_cr,      // the CR behind the data
    data_lf,      // and its LF
    trailer,      // the start of a trailer field, or of the last line
    field_name,   // within a trailer field's name
    field_value,  // within its value
    field_lf,     // the LF of a trailer field's line
    last_lf,      // the LF of the last line
  };

  void end(State state) { state_ = state; }
  void decode_frame(char c);
  void read_size_digit(char c);
  void end_size_line();
  void count_extra_byte();

  std::string* const body_;
  const std::size_t limit_;
  const std::size_t max_extras_;
  State state_ = State::incomplete;
  Part part_ = Part::size;
  std::uint64_t chunk_ = 0;  // bytes of the chunk that are to come
  unsigned digits_ = 0;      // of its size
  bool blank_seen_ = false;  // behind the digits
  std::size_t size_ = 0;     // bytes of data
  std::size_t extras_ = 0;   // bytes of extensions and trailer fields
};

}  // namespace eventgate
