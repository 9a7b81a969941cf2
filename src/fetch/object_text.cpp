#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <istream>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <streambuf>
#include <unordered_map>
#include <utility>

#include "eventgate/fetch/object_reader.hpp"

namespace eventgate {
namespace {

using Json = nlohmann::ordered_json;

/// Nodes, keys among them, that anchors and aliases may copy in one document: real ones copy dozens, a bomb millions.
constexpr std::size_t kMaxAliasedNodes = 100'000;
/// Bytes of strings and keys that they may copy, as a multiple of the document's text. A shorter text counts as
/// `kMinAliasedText` bytes, because many streams may share one config.
constexpr std::size_t kMaxAliasedTexts = 16;
constexpr std::size_t kMinAliasedText = 64 * 1024;
/// Longest text quoted from a document in a message, bytes.
constexpr std::size_t kMaxQuoted = 300;

using Result = boost::system::result<Json, ReadError>;

/// Json converts to and from nearly everything, so a result of it must be told which it is.
Result success(Json value) { return Result(boost::system::in_place_value, std::move(value)); }

ReadError invalid(std::string message) { return {ReadError::Kind::invalid, std::move(message)}; }

/// Length of the well-formed UTF-8 sequence at `at` (RFC 3629), 0 if there is none.
std::size_t sequence_length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) -> unsigned {
    return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0U;
  };
  const auto continues = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead < 0xC2) return 0;
  if (lead < 0xE0) return continues(1) ? 2 : 0;
  if (lead < 0xF0) {
    if (!continues(1) || !continues(2)) return 0;
    if (lead == 0xE0 && byte(1) < 0xA0) return 0;
    if (lead == 0xED && byte(1) > 0x9F) return 0;
    return 3;
  }
  if (lead > 0xF4 || !continues(1) || !continues(2) || !continues(3)) return 0;
  if (lead == 0xF0 && byte(1) < 0x90) return 0;
  if (lead == 0xF4 && byte(1) > 0x8F) return 0;
  return 4;
}

/// Where the first ill-formed byte is, npos if there is none.
std::size_t find_invalid_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = sequence_length(text, at);
    if (length == 0) return at;
    at += length;
  }
  return std::string_view::npos;
}

/// `text` fit to stand in a message: valid UTF-8 and of bounded length.
std::string quotable(std::string_view text) {
  std::string result;
  for (std::size_t at = 0; at < text.size() && result.size() < kMaxQuoted;) {
    const std::size_t length = sequence_length(text, at);
    if (length == 0) {
      result += "\xEF\xBF\xBD";
      at += 1;
    } else {
      result += text.substr(at, length);
      at += length;
    }
  }
  if (result.size() >= kMaxQuoted) result += "...";
  return result;
}

std::string position(std::string_view text, std::size_t at) {
  const std::string_view before = text.substr(0, at);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const auto start = before.rfind('\n');
  const auto column = start == std::string_view::npos ? at + 1 : at - start;
  return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

/// What is being built while a document is read: the open objects and arrays, outermost first.
struct Frame {
  Json value;
  std::string key;  ///< Of the member whose value comes next.
  bool has_key = false;
  std::unordered_map<std::string, std::size_t> members;  ///< Name to its place in an object.
};

template <typename AnyFrame>
std::string pointer_of(const std::vector<AnyFrame>& frames) {
  std::string pointer;
  for (const Frame& frame : frames) {
    if (frame.value.is_array()) {
      pointer += '/' + std::to_string(frame.value.size());
    } else if (frame.has_key) {
      pointer += '/';
      for (const char c : quotable(frame.key)) {
        if (c == '~') {
          pointer += "~0";
        } else if (c == '/') {
          pointer += "~1";
        } else {
          pointer += c;
        }
      }
    }
  }
  return pointer;
}

template <typename AnyFrame>
std::string depth_message(std::size_t max_depth, const std::vector<AnyFrame>& frames) {
  return "expected at most " + std::to_string(max_depth) + " levels of objects and arrays, found more at '" +
         quotable(pointer_of(frames)) + "'";
}

/// Appends a member, whose name the caller knows to be new: ordered_map's own insertions search from the start.
void append_member(Json& object, std::string key, Json value) {
  object.get_ref<Json::object_t&>().emplace_back(std::move(key), std::move(value));
}

/// Builds a document from nlohmann's parser, which by itself keeps duplicate keys silently and has no bound of depth.
class JsonBuilder : public nlohmann::json_sax<Json> {
 public:
  explicit JsonBuilder(std::size_t max_depth) : max_depth_(max_depth) {}

  Json root;
  std::string error;
  bool syntax_error = false;

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t&) override { return add(value); }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool binary(binary_t&) override { return false; }

  bool start_object(std::size_t) override { return open(Json::object()); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    Frame& frame = frames_.back();
    frame.key = std::move(name);
    frame.has_key = true;
    if (frame.members.emplace(frame.key, frame.members.size()).second) return true;
    error = "expected each key once in an object, found a second '" + pointer_of(frames_) + "'";
    return false;
  }

  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& exception) override {
    std::string_view what = exception.what();
    if (const auto end = what.find("] "); end != std::string_view::npos) what.remove_prefix(end + 2);
    error = quotable(what);
    syntax_error = true;
    return false;
  }

 private:
  bool add(Json value) {
    if (frames_.empty()) {
      root = std::move(value);
      return true;
    }
    Frame& frame = frames_.back();
    if (frame.value.is_array()) {
      frame.value.push_back(std::move(value));
    } else {
      append_member(frame.value, std::move(frame.key), std::move(value));
      frame.has_key = false;
    }
    return true;
  }

  bool open(Json value) {
    if (frames_.size() >= max_depth_) {
      error = depth_message(max_depth_, frames_);
      return false;
    }
    frames_.emplace_back().value = std::move(value);
    return true;
  }

  bool close() {
    Json value = std::move(frames_.back().value);
    frames_.pop_back();
    return add(std::move(value));
  }

  std::size_t max_depth_;
  std::vector<Frame> frames_;
};

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string_view without_sign(std::string_view text) {
  return !text.empty() && (text[0] == '-' || text[0] == '+') ? text.substr(1) : text;
}

Json integer(std::string_view digits, int base, bool negative) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (error == std::errc() && end == digits.data() + digits.size()) {
    if (!negative) return value;
    if (value <= std::uint64_t{1} << 63U) return static_cast<std::int64_t>(0 - value);
  }
  double wide = 0;
  for (const char c : digits) {
    wide = wide * base + (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
  }
  if (base == 10) std::from_chars(digits.data(), digits.data() + digits.size(), wide);
  return negative ? -wide : wide;
}

/// `[-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`
std::optional<double> floating(std::string_view text) {
  const std::string_view number = without_sign(text);
  std::string_view mantissa = number;
  if (const auto e = number.find_first_of("eE"); e != std::string_view::npos) {
    if (!all_digits(without_sign(number.substr(e + 1)))) return std::nullopt;
    mantissa = number.substr(0, e);
  }
  const auto dot = mantissa.find('.');
  const std::string_view whole = mantissa.substr(0, dot);
  const std::string_view fraction = dot == std::string_view::npos ? "" : mantissa.substr(dot + 1);
  if (whole.empty() ? !all_digits(fraction) : !all_digits(whole) || !(fraction.empty() || all_digits(fraction))) {
    return std::nullopt;
  }
  double value = 0;
  // from_chars leaves the value alone when it is out of range; strtod makes it HUGE_VAL or 0, as a reader in C does.
  if (std::from_chars(number.data(), number.data() + number.size(), value).ec != std::errc()) {
    value = std::strtod(std::string(number).c_str(), nullptr);
  }
  return text[0] == '-' ? -value : value;
}

/// A timestamp as js-yaml's default schema knows it, written as its Date object comes out in JSON: UTC, milliseconds.
/// Nothing if it is none or no date of the calendar.
std::optional<std::string> timestamp(std::string_view text) {
  std::size_t at = 0;
  const auto number = [&](std::size_t least, std::size_t most) -> std::optional<int> {
    int value = 0;
    std::size_t digits = 0;
    while (digits < most && at < text.size() && text[at] >= '0' && text[at] <= '9') {
      value = value * 10 + (text[at++] - '0');
      ++digits;
    }
    if (digits < least) return std::nullopt;
    return value;
  };
  const auto skip = [&](std::string_view any) {
    if (at >= text.size() || any.find(text[at]) == std::string_view::npos) return false;
    ++at;
    return true;
  };
  const auto year = number(4, 4);
  if (!year || !skip("-")) return std::nullopt;
  const auto month_start = at;
  const auto month = number(1, 2);
  if (!month || !skip("-")) return std::nullopt;
  const bool two_digit_month = at - month_start == 3;
  const auto day_start = at;
  const auto day = number(1, 2);
  if (!day) return std::nullopt;
  const bool two_digits = two_digit_month && at - day_start == 2;

  int hour = 0;
  int minute = 0;
  int second = 0;
  int millisecond = 0;
  int offset = 0;  // minutes
  if (at == text.size()) {
    if (!two_digits) return std::nullopt;
  } else {
    if (!skip("Tt")) {
      if (!skip(" \t")) return std::nullopt;
      while (skip(" \t")) {
      }
    }
    const auto hours = number(1, 2);
    if (!hours || !skip(":")) return std::nullopt;
    const auto minutes = number(2, 2);
    if (!minutes || !skip(":")) return std::nullopt;
    const auto seconds = number(2, 2);
    if (!seconds) return std::nullopt;
    hour = *hours;
    minute = *minutes;
    second = *seconds;
    if (skip(".")) {
      int weight = 100;
      while (at < text.size() && text[at] >= '0' && text[at] <= '9') {
        millisecond += weight * (text[at++] - '0');
        weight /= 10;
      }
    }
    while (skip(" \t")) {
    }
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) {
      const int sign = text[at++] == '-' ? -1 : 1;
      const auto zone_hours = number(1, 2);
      if (!zone_hours) return std::nullopt;
      int zone_minutes = 0;
      if (skip(":")) {
        const auto minutes_of_zone = number(2, 2);
        if (!minutes_of_zone) return std::nullopt;
        zone_minutes = *minutes_of_zone;
      }
      offset = sign * (*zone_hours * 60 + zone_minutes);
    } else {
      skip("Z");
    }
    if (at != text.size()) return std::nullopt;
  }

  using std::chrono::year_month_day;
  const year_month_day date{std::chrono::year{*year}, std::chrono::month{static_cast<unsigned>(*month)},
                            std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  const auto time = std::chrono::sys_days{date} + std::chrono::hours{hour} + std::chrono::minutes{minute - offset} +
                    std::chrono::seconds{second};
  const auto days = std::chrono::floor<std::chrono::days>(time);
  const year_month_day utc{days};
  const std::chrono::hh_mm_ss clock{time - days};
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(utc.year()),
                static_cast<unsigned>(utc.month()), static_cast<unsigned>(utc.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()), millisecond);
  return buffer;
}

bool one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

/// A plain scalar, by the core schema of YAML 1.2 (10.3.2) and, for timestamps, as js-yaml reads it.
Json plain_scalar(const std::string& text) {
  if (text.empty() || one_of(text, {"~", "null", "Null", "NULL"})) return nullptr;
  if (one_of(text, {"true", "True", "TRUE"})) return true;
  if (one_of(text, {"false", "False", "FALSE"})) return false;
  if (all_digits(without_sign(text))) return integer(without_sign(text), 10, text[0] == '-');
  const auto only = [&](std::string_view digits) {
    return text.size() > 2 && text.find_first_not_of(digits, 2) == std::string::npos;
  };
  if (text.starts_with("0x") && only("0123456789abcdefABCDEF")) return integer(text.substr(2), 16, false);
  if (text.starts_with("0o") && only("01234567")) return integer(text.substr(2), 8, false);
  if (one_of(without_sign(text), {".inf", ".Inf", ".INF"})) {
    const double infinity = std::numeric_limits<double>::infinity();
    return text[0] == '-' ? -infinity : infinity;
  }
  if (one_of(text, {".nan", ".NaN", ".NAN"})) return std::numeric_limits<double>::quiet_NaN();
  if (const auto number = floating(text)) return *number;
  if (auto time = timestamp(text)) return *std::move(time);
  return text;
}

struct YamlError {
  YAML::Mark mark;
  std::string message;
};

/// Builds a document from yaml-cpp's events.
class YamlBuilder : public YAML::EventHandler {
 public:
  /// `text_size` in bytes, of the whole document.
  YamlBuilder(std::size_t max_depth, std::size_t text_size)
      : max_depth_(max_depth), max_aliased_bytes_(kMaxAliasedTexts * std::max(text_size, kMinAliasedText)) {}

  Json root;

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    // An empty node, or one of the plain words for null: as a key it is the word `null`.
    if (is_key(mark)) return set_key(mark, "null", false);
    add(mark, nullptr, anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) throw YamlError{mark, "expected an alias of a finished node, found one of its parent"};
    const Anchored& anchored = found->second;
    if (is_key(mark)) {
      if (!anchored.value.is_string()) throw YamlError{mark, "expected a scalar as a key"};
      count_aliased(mark, anchored.extent);
      return set_key(mark, anchored.value.get<std::string>(), false);
    }
    if (frames_.size() + anchored.extent.depth > max_depth_) throw YamlError{mark, depth_message(max_depth_, frames_)};
    count_aliased(mark, anchored.extent);
    place(mark, anchored.value, anchored.extent);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    std::string text = repaired(mark, value);
    const bool plain = tag == "?" || tag == "tag:yaml.org,2002:merge";
    if (is_key(mark)) return set_key(mark, std::move(text), plain);
    add(mark, scalar(mark, tag, std::move(text)), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, "tag:yaml.org,2002:seq", Json::array(), anchor);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, "tag:yaml.org,2002:map", Json::object(), anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override { close(); }

 private:
  /// How large a value is.
  struct Extent {
    std::size_t nodes = 1;  ///< Keys are nodes, too.
    std::size_t bytes = 0;  ///< Of strings and keys.
    std::size_t depth = 0;  ///< Levels of objects and arrays.
  };
  struct YamlFrame : Frame {
    YAML::Mark mark;
    YAML::anchor_t anchor = 0;
    Extent extent;
    bool merge = false;        ///< The key is a plain `<<`.
    std::vector<bool> merged;  ///< Members that came by `<<` and may be replaced by the object's own.
  };
  struct Anchored {
    Json value;
    Extent extent;
  };

  bool is_key(const YAML::Mark&) const {
    return !frames_.empty() && frames_.back().value.is_object() && !frames_.back().has_key;
  }

  void set_key(const YAML::Mark& mark, std::string key, bool plain) {
    YamlFrame& frame = frames_.back();
    frame.extent.nodes += 1;
    frame.extent.bytes += key.size();
    frame.merge = plain && key == "<<";
    frame.key = std::move(key);
    frame.has_key = true;
    if (frame.merge) return;
    const auto found = frame.members.find(frame.key);
    if (found != frame.members.end() && !frame.merged[found->second]) {
      throw YamlError{mark, "expected each key once in a mapping, found a second '" + pointer_of(frames_) + "'"};
    }
  }

  /// A scalar's value by its tag. An untagged quoted one comes with the tag `!`.
  static Json scalar(const YAML::Mark& mark, const std::string& tag, std::string text) {
    constexpr std::string_view kCore = "tag:yaml.org,2002:";
    if (tag == "?") return plain_scalar(text);
    if (tag == "!" || tag.empty()) return text;
    if (tag.starts_with(kCore)) {
      const std::string name = tag.substr(kCore.size());
      if (name == "str") return text;
      Json value = plain_scalar(text);
      if (name == "timestamp" && value.is_string() && timestamp(text)) return value;
      if ((name == "null" && value.is_null()) || (name == "bool" && value.is_boolean()) ||
          (name == "int" && value.is_number_integer()) || (name == "float" && value.is_number_float())) {
        return value;
      }
      if (name == "float" && value.is_number_integer()) return value.get<double>();
      if (one_of(name, {"timestamp", "null", "bool", "int", "float"})) {
        throw YamlError{mark, "expected a value of the tag !!" + name + ", found '" + quotable(text) + "'"};
      }
    }
    throw YamlError{mark, "expected a tag of YAML's core schema, found '" + quotable(tag) + "'"};
  }

  /// yaml-cpp writes the escapes `\N` and `\_` as the bare bytes 85 and A0 instead of their UTF-8.
  static std::string repaired(const YAML::Mark& mark, const std::string& text) {
    if (find_invalid_utf8(text) == std::string::npos) return text;
    std::string result;
    for (std::size_t at = 0; at < text.size();) {
      if (const std::size_t length = sequence_length(text, at)) {
        result.append(text, at, length);
        at += length;
        continue;
      }
      if (text[at] != '\x85' && text[at] != '\xA0') throw YamlError{mark, "expected valid UTF-8"};
      result += '\xC2';
      result += text[at++];
    }
    return result;
  }

  void count_aliased(const YAML::Mark& mark, const Extent& extent) {
    aliased_nodes_ += extent.nodes;
    aliased_bytes_ += extent.bytes;
    if (aliased_nodes_ > kMaxAliasedNodes) {
      throw YamlError{mark, "expected at most " + std::to_string(kMaxAliasedNodes) + " nodes behind anchors"};
    }
    if (aliased_bytes_ > max_aliased_bytes_) {
      throw YamlError{mark, "expected at most " + std::to_string(max_aliased_bytes_) + " bytes behind anchors"};
    }
  }

  void add(const YAML::Mark& mark, Json value, YAML::anchor_t anchor) {
    Extent extent;
    if (value.is_string()) extent.bytes = value.get_ref<const std::string&>().size();
    if (anchor != 0) {
      count_aliased(mark, extent);
      anchors_[anchor] = {value, extent};
    }
    place(mark, std::move(value), extent);
  }

  void open(const YAML::Mark& mark, const std::string& tag, std::string_view own_tag, Json value,
            YAML::anchor_t anchor) {
    if (is_key(mark)) throw YamlError{mark, "expected a scalar as a key"};
    if (!tag.empty() && tag != "?" && tag != "!" && tag != own_tag) {
      throw YamlError{mark, "expected a tag of YAML's core schema, found '" + quotable(tag) + "'"};
    }
    if (frames_.size() >= max_depth_) throw YamlError{mark, depth_message(max_depth_, frames_)};
    YamlFrame& frame = frames_.emplace_back();
    frame.value = std::move(value);
    frame.mark = mark;
    frame.anchor = anchor;
    frame.extent.depth = 1;
  }

  void close() {
    YamlFrame frame = std::move(frames_.back());
    frames_.pop_back();
    if (frame.anchor != 0) {
      count_aliased(frame.mark, frame.extent);
      anchors_[frame.anchor] = {frame.value, frame.extent};
    }
    place(frame.mark, std::move(frame.value), frame.extent);
  }

  /// Puts a finished value where it belongs.
  void place(const YAML::Mark& mark, Json value, const Extent& extent) {
    if (frames_.empty()) {
      root = std::move(value);
      return;
    }
    YamlFrame& frame = frames_.back();
    frame.extent.nodes += extent.nodes;
    frame.extent.bytes += extent.bytes;
    frame.extent.depth = std::max(frame.extent.depth, extent.depth + 1);
    if (frame.value.is_array()) {
      frame.value.push_back(std::move(value));
      return;
    }
    frame.has_key = false;
    if (frame.merge) return merge(mark, frame, value);
    set_member(frame, std::move(frame.key), std::move(value), false);
  }

  static void set_member(YamlFrame& frame, std::string key, Json value, bool merged) {
    const auto [found, added] = frame.members.emplace(key, frame.merged.size());
    if (added) {
      append_member(frame.value, std::move(key), std::move(value));
      frame.merged.push_back(merged);
      return;
    }
    (frame.value.get_ref<Json::object_t&>().begin() + static_cast<std::ptrdiff_t>(found->second))->second =
        std::move(value);
    frame.merged[found->second] = merged;
  }

  /// The object's own keys win, before or after the `<<`; of several sources the first that has a key.
  static void merge(const YAML::Mark& mark, YamlFrame& frame, const Json& source) {
    if (source.is_array()) {
      for (const Json& item : source) {
        if (!item.is_object()) throw YamlError{mark, "expected only mappings in the list to merge by '<<'"};
        merge(mark, frame, item);
      }
      return;
    }
    if (!source.is_object()) throw YamlError{mark, "expected a mapping, or a list of them, to merge by '<<'"};
    for (const auto& [key, value] : source.get_ref<const Json::object_t&>()) {
      if (!frame.members.contains(key)) set_member(frame, key, value, true);
    }
  }

  std::size_t max_depth_;
  const std::size_t max_aliased_bytes_;
  std::vector<YamlFrame> frames_;
  std::unordered_map<YAML::anchor_t, Anchored> anchors_;
  std::size_t aliased_nodes_ = 0;
  std::size_t aliased_bytes_ = 0;
};

/// A stream over text that is not copied, and an end of the document: else yaml-cpp would take a quoted scalar that is
/// not closed, and a block scalar that ends the text would lack its last newline.
class TextBuffer : public std::streambuf {
 public:
  explicit TextBuffer(std::string_view text) : end_(text.ends_with('\n') ? "...\n" : "\n...\n") { show(text); }

 private:
  int_type underflow() override {
    if (end_.empty()) return traits_type::eof();
    show(std::exchange(end_, {}));
    return traits_type::to_int_type(*gptr());
  }

  void show(std::string_view text) {
    char* begin = const_cast<char*>(text.data());  // Only read: nothing puts into the stream.
    setg(begin, begin, begin + text.size());
  }

  std::string_view end_;
};

/// Where the first character is that YAML does not know (1.2, 5.1: c-printable), npos if there is none. Of valid UTF-8.
std::size_t find_unprintable(std::string_view text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
    if (byte(0) < 0x20 ? text[at] != '\t' && text[at] != '\n' && text[at] != '\r' : byte(0) == 0x7F) return at;
    if (byte(0) == 0xC2 && byte(1) < 0xA0 && byte(1) != 0x85) return at;             // U+0080 to U+009F but U+0085
    if (byte(0) == 0xEF && byte(1) == 0xBF && (byte(2) & 0xFEU) == 0xBE) return at;  // U+FFFE and U+FFFF
  }
  return std::string_view::npos;
}

std::string at_mark(const YAML::Mark& mark, const std::string& message) {
  return "line " + std::to_string(mark.line + 1) + ", column " + std::to_string(mark.column + 1) + ": " + message;
}

/// Whether the indentation of the line at `mark` has a tab, which YAML forbids.
bool begins_with_tab(std::string_view text, const YAML::Mark& mark) {
  for (int line = 0; line < mark.line && !text.empty(); ++line)
    text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
  const std::size_t end = text.find_first_not_of(" \t");
  return text.substr(0, end).find('\t') != std::string_view::npos;
}

Result parse_yaml(std::string_view text, std::size_t max_depth) {
  if (const std::size_t at = find_unprintable(text); at != std::string_view::npos) {
    return invalid("expected text without control characters, found one at " + position(text, at));
  }
  TextBuffer buffer(text);
  std::istream stream(&buffer);
  YamlBuilder builder(max_depth, text.size());
  try {
    YAML::Parser parser(stream);
    if (!parser.HandleNextDocument(builder)) return invalid("expected a JSON or YAML object, found no document");
    YamlBuilder next(max_depth, text.size());
    if (parser.HandleNextDocument(next)) return invalid("expected one YAML document, found several");
  } catch (const YamlError& error) {
    return invalid(at_mark(error.mark, error.message));
  } catch (const YAML::Exception& error) {
    const bool unclosed = error.msg == YAML::ErrorMsg::DOC_IN_SCALAR;
    const std::string reason = unclosed ? "a quoted scalar is not closed" : quotable(error.msg);
    std::string message = "expected JSON or YAML, but " + at_mark(error.mark, reason);
    if (begins_with_tab(text, error.mark)) message += "; expected spaces as indentation, found a tab";
    return invalid(std::move(message));
  }
  return success(std::move(builder.root));
}

std::string type_with_article(const Json& value) {
  const std::string name = value.type_name();
  return name == "null" ? name : (name == "array" ? "an " : "a ") + name;
}

}  // namespace

boost::system::result<Json, ReadError> parse_object_text(std::string_view text, std::size_t max_depth) {
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    return invalid("expected a JSON or YAML object, found nothing");
  }
  if (const std::size_t at = find_invalid_utf8(text); at != std::string_view::npos) {
    return invalid("expected valid UTF-8, found something else at " + position(text, at));
  }
  if (const std::size_t at = text.find('\0'); at != std::string_view::npos) {
    return invalid("expected text, found a NUL byte at " + position(text, at));
  }
  // A page of one line with a colon would be a YAML mapping. What begins with `<<` is one on purpose.
  if (const std::size_t at = text.find_first_not_of(" \t\r\n"); text[at] == '<' && !text.substr(at).starts_with("<<")) {
    return invalid("expected a JSON or YAML object, found markup");
  }
  JsonBuilder json(max_depth);
  Json document;
  if (Json::sax_parse(text.begin(), text.end(), &json)) {
    document = std::move(json.root);
  } else if (!json.syntax_error) {
    return invalid(std::move(json.error));
  } else {
    auto yaml = parse_yaml(text, max_depth);
    if (!yaml) {
      // What begins as JSON is meant as JSON: its error says more.
      const char first = text[text.find_first_not_of(" \t\r\n")];
      if (first == '{' || first == '[') return invalid("expected JSON or YAML, but as JSON: " + json.error);
      return yaml.error();
    }
    document = *std::move(yaml);
  }
  if (!document.is_object()) {
    return invalid("expected a JSON or YAML object, found " + type_with_article(document));
  }
  return success(std::move(document));
}

}  // namespace eventgate
