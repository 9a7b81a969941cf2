#include "yaml_document.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <istream>
#include <streambuf>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "document_frame.hpp"
#include "eventgate/base/is_one_of.hpp"
#include "eventgate/base/ordered_json.hpp"
#include "eventgate/base/utf8.hpp"
#include "yaml_scalars.hpp"

namespace eventgate {
namespace {

using Json = nlohmann::ordered_json;

/// Limit of the nodes, keys included, that anchors and aliases copy in one document. Real documents copy dozens; a
/// "billion laughs" attack copies millions.
constexpr std::size_t kMaxAliasedNodes = 100'000;
/// Limit of the bytes that they copy, as a multiple of the document's size. A document counts as `kMinAliasedText`
/// bytes at least, because many streams may share one config.
constexpr std::size_t kMaxAliasedTexts = 16;
constexpr std::size_t kMinAliasedText = 64 * 1024;

ReadError invalid(std::string message) { return {ReadError::Kind::invalid, std::move(message)}; }

struct YamlError {
  YAML::Mark mark;
  std::string message;
};

/// Builds the document from yaml-cpp's events. Throws YamlError.
class YamlBuilder : public YAML::EventHandler {
 public:
  /// `text_size` is the size of the document in bytes.
  YamlBuilder(std::size_t max_depth, std::size_t text_size)
      : max_depth_(max_depth), max_aliased_bytes_(kMaxAliasedTexts * std::max(text_size, kMinAliasedText)) {}

  Json root;

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    // An empty node or a plain word for null. As a key it is the word `null`.
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
  /// The size of a value.
  struct Extent {
    std::size_t nodes = 1;  ///< Keys included.
    std::size_t bytes = 0;  ///< Strings and keys.
    std::size_t depth = 0;  ///< Levels of objects and arrays.
  };
  struct YamlFrame : DocumentFrame {
    YAML::Mark mark;
    YAML::anchor_t anchor = 0;
    Extent extent;
    bool merge = false;        ///< The key is a plain `<<`.
    std::vector<bool> merged;  ///< The members that `<<` has merged. The object's own members replace them.
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

  /// Returns the value of a scalar by its tag. yaml-cpp gives a quoted scalar without a tag the tag `!`.
  static Json scalar(const YAML::Mark& mark, const std::string& tag, std::string text) {
    constexpr std::string_view kCore = "tag:yaml.org,2002:";
    if (tag == "?") return plain_scalar(text);
    if (tag == "!" || tag.empty()) return text;
    if (tag.starts_with(kCore)) {
      const std::string name = tag.substr(kCore.size());
      if (name == "str") return text;
      Json value = plain_scalar(text);
      if (name == "timestamp" && value.is_string() && yaml_timestamp(text)) return value;
      if ((name == "null" && value.is_null()) || (name == "bool" && value.is_boolean()) ||
          (name == "int" && value.is_number_integer()) || (name == "float" && value.is_number_float())) {
        return value;
      }
      if (name == "float" && value.is_number_integer()) return value.get<double>();
      if (is_one_of(name, {"timestamp", "null", "bool", "int", "float"})) {
        throw YamlError{mark, "expected a value of the tag !!" + name + ", found '" + message_text(text) + "'"};
      }
    }
    throw YamlError{mark, "expected a tag of YAML's core schema, found '" + message_text(tag) + "'"};
  }

  /// Returns `text` as UTF-8. yaml-cpp decodes the escapes `\N` and `\_` to the bytes 85 and A0.
  static std::string repaired(const YAML::Mark& mark, const std::string& text) {
    if (find_invalid_utf8(text) == std::string::npos) return text;
    std::string result;
    const char* const end = text.data() + text.size();
    for (const char* at = text.data(); at != end;) {
      const Utf8Step step = utf8_step(at, end);
      if (step.valid) {
        result.append(at, step.size);
        at += step.size;
        continue;
      }
      if (*at != '\x85' && *at != '\xA0') throw YamlError{mark, "expected valid UTF-8"};
      result += '\xC2';
      result += *at++;
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
      throw YamlError{mark, "expected a tag of YAML's core schema, found '" + message_text(tag) + "'"};
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

  /// Adds a finished value to the innermost frame.
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

  /// Merges the members of `source`. The object's own keys win, and among several sources the first.
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

/// A stream buffer over a text, without a copy, and a document end marker behind it. Without the marker yaml-cpp
/// accepts a quoted scalar that is not closed, and drops the last newline of a block scalar at the end.
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
    char* begin = const_cast<char*>(text.data());  // The stream is only read.
    setg(begin, begin, begin + text.size());
  }

  std::string_view end_;
};

/// Returns the offset of the first character of `text` (valid UTF-8) that YAML forbids (1.2, section 5.1: c-printable),
/// or npos.
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

/// Returns true if the indentation of the line at `mark` has a tab, which YAML forbids.
bool begins_with_tab(std::string_view text, const YAML::Mark& mark) {
  for (int line = 0; line < mark.line && !text.empty(); ++line)
    text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
  const std::size_t end = text.find_first_not_of(" \t");
  return text.substr(0, end).find('\t') != std::string_view::npos;
}

}  // namespace

boost::system::result<Json, ReadError> parse_yaml_document(std::string_view text, std::size_t max_depth) {
  if (const std::size_t at = find_unprintable(text); at != std::string_view::npos) {
    return invalid("expected text without control characters, found one at " + line_and_column(text, at));
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
    const std::string reason = unclosed ? "a quoted scalar is not closed" : message_text(error.msg);
    std::string message = "expected JSON or YAML, but " + at_mark(error.mark, reason);
    if (begins_with_tab(text, error.mark)) message += "; expected spaces as indentation, found a tab";
    return invalid(std::move(message));
  }
  // Json converts from nearly everything, so the result must be told that this is its value.
  return {boost::system::in_place_value, std::move(builder.root)};
}

}  // namespace eventgate
