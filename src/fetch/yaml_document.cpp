#include "yaml_document.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <cstdint>
#include <istream>
#include <streambuf>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "document_frame.hpp"
#include "eventgate/base/is_one_of.hpp"
#include "eventgate/base/json_pointer.hpp"
#include "eventgate/base/ordered_json.hpp"
#include "eventgate/base/utf8.hpp"
#include "eventgate/fetch/js_yaml_scalar.hpp"
#include "flow_scalars.hpp"
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
  YamlBuilder(std::size_t max_depth, std::size_t text_size, YamlRules rules)
      : max_depth_(max_depth),
        max_aliased_bytes_(kMaxAliasedTexts * std::max(text_size, kMinAliasedText)),
        rules_(rules) {}

  Json root;
  std::vector<AuthoredDocument::Alias> aliases;

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
    if (anchored.value.is_structured()) {
      if (!frames_.empty() && frames_.back().merge)
        merged_from_ = &anchored.path;
      else
        aliases.push_back({next_path(), anchored.path});
    }
    place(mark, anchored.value, anchored.extent);
    merged_from_ = nullptr;
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    std::string text = repaired(mark, value);
    const bool plain = tag == "?" || tag == "tag:yaml.org,2002:merge";
    if (is_key(mark)) {
      if (tag == "?" && rules_ == YamlRules::js_yaml) text = js_yaml_key(text);
      return set_key(mark, std::move(text), plain);
    }
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
    ValuePath path;  ///< Of an object or an array.
  };

  /// Returns the way to the value that comes next.
  ValuePath next_path() const {
    ValuePath path;
    for (const YamlFrame& frame : frames_) {
      const auto member = frame.value.is_object() ? frame.members.find(frame.key) : frame.members.end();
      path.push_back(static_cast<std::uint32_t>(member == frame.members.end() ? frame.value.size() : member->second));
    }
    return path;
  }

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
  Json scalar(const YAML::Mark& mark, const std::string& tag, std::string text) const {
    constexpr std::string_view kCore = "tag:yaml.org,2002:";
    const auto plain_value = [&](const std::string& plain) {
      return rules_ == YamlRules::js_yaml ? js_yaml_value(plain) : plain_scalar(plain);
    };
    if (tag == "?") return plain_value(text);
    if (tag == "!" || tag.empty()) return text;
    if (tag.starts_with(kCore)) {
      const std::string name = tag.substr(kCore.size());
      if (name == "str") return text;
      Json value = plain_value(text);
      if (name == "timestamp" && value.is_string() && yaml_timestamp(text)) return value;
      if (value.is_binary() &&
          name == (value.get_binary().subtype() == std::uint64_t(JsYamlSubtype::date) ? "timestamp" : "int"))
        return value;
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
      anchors_[anchor] = {value, extent, {}};
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
      anchors_[frame.anchor] = {frame.value, frame.extent, next_path()};
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
  void merge(const YAML::Mark& mark, YamlFrame& frame, const Json& source) {
    if (source.is_array()) {
      for (const Json& item : source) {
        if (!item.is_object()) throw YamlError{mark, "expected only mappings in the list to merge by '<<'"};
        merge(mark, frame, item);
      }
      return;
    }
    if (!source.is_object()) throw YamlError{mark, "expected a mapping, or a list of them, to merge by '<<'"};
    std::uint32_t place = 0;
    for (const auto& [key, value] : source.get_ref<const Json::object_t&>()) {
      if (!frame.members.contains(key)) {
        frame.key = key;
        if (merged_from_ && value.is_structured()) {
          aliases.push_back({next_path(), *merged_from_});
          aliases.back().anchor.push_back(place);
        }
        set_member(frame, key, value, true);
      }
      ++place;
    }
  }

  std::size_t max_depth_;
  const std::size_t max_aliased_bytes_;
  const YamlRules rules_;
  const ValuePath* merged_from_ = nullptr;  ///< The anchored object that `<<: *anchor` is merging.
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

boost::system::result<AuthoredDocument, ReadError> parse_one_document(std::string_view text, std::size_t max_depth,
                                                                      YamlRules rules) {
  TextBuffer buffer(text);
  std::istream stream(&buffer);
  YamlBuilder builder(max_depth, text.size(), rules);
  try {
    YAML::Parser parser(stream);
    if (!parser.HandleNextDocument(builder)) return invalid("expected a JSON or YAML object, found no document");
    YamlBuilder next(max_depth, text.size(), rules);
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
  return AuthoredDocument{std::move(builder.root), std::move(builder.aliases)};
}

/// Returns true if there may be a scalar with a header such as `>+` or `>2+`.
bool has_kept_folded_scalar(std::string_view text) {
  for (std::size_t at = text.find('>'); at != std::string_view::npos; at = text.find('>', at + 1)) {
    const std::string_view header = text.substr(at + 1, 2);
    if (header.starts_with('+') || (header.size() == 2 && header[0] >= '1' && header[0] <= '9' && header[1] == '+'))
      return true;
  }
  return false;
}

/// Finds the lines of a document's members and items.
class LineFinder : public YAML::EventHandler {
 public:
  std::unordered_map<std::string, std::size_t> lines;

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override { scalar(mark, "null"); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { scalar(mark, ""); }
  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t, const std::string& value) override {
    scalar(mark, value);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
    open(mark, false);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
    open(mark, true);
  }
  void OnSequenceEnd() override { frames_.pop_back(); }
  void OnMapEnd() override { frames_.pop_back(); }

 private:
  /// Bytes of all pointers: a document of 1 MB with long keys above many others would come to gigabytes.
  static constexpr std::size_t kMaxPointers = 16 << 20;

  struct Open {
    std::string pointer;
    bool is_map = false;
    bool has_key = false;
    std::string key;
    std::size_t items = 0;
  };

  void scalar(const YAML::Mark& mark, const std::string& value) {
    if (!frames_.empty() && frames_.back().is_map && !frames_.back().has_key) {
      Open& frame = frames_.back();
      frame.key = value;
      frame.has_key = true;
      note(pointer(), mark);
      return;
    }
    next(mark);
  }

  void open(const YAML::Mark& mark, bool is_map) {
    std::string at = next(mark);
    frames_.emplace_back();
    frames_.back().pointer = std::move(at);
    frames_.back().is_map = is_map;
  }

  /// The pointer of the value that begins here.
  std::string next(const YAML::Mark& mark) {
    if (frames_.empty()) {
      note("", mark);
      return {};
    }
    std::string at = pointer();
    Open& frame = frames_.back();
    if (frame.is_map) {
      frame.has_key = false;
    } else {
      note(at, mark);
      ++frame.items;
    }
    return at;
  }

  std::string pointer() const {
    const Open& frame = frames_.back();
    if (!frame.is_map) return frame.pointer + '/' + std::to_string(frame.items);
    return frame.pointer + '/' + escape_pointer_token(frame.key);
  }

  void note(const std::string& at, const YAML::Mark& mark) {
    pointers_ += at.size();
    if (pointers_ > kMaxPointers || mark.line < 0) throw YAML::Exception(mark, "too many pointers");
    lines.emplace(at, static_cast<std::size_t>(mark.line) + 1);
  }

  std::vector<Open> frames_;
  std::size_t pointers_ = 0;
};

}  // namespace

boost::system::result<AuthoredDocument, ReadError> parse_yaml_document(std::string_view text, std::size_t max_depth,
                                                                       YamlRules rules) {
  if (const std::size_t at = find_unprintable(text); at != std::string_view::npos) {
    return invalid("expected text without control characters, found one at " + line_and_column(text, at));
  }
  auto document = parse_one_document(text, max_depth, rules);
  // What yaml-cpp refuses or reads otherwise is written for it in another way. An error is that of the text as it is.
  std::string mended;
  if (!document) {
    mended = mended_flow_scalars(text);
    if (mended != text) document = parse_one_document(mended, max_depth, rules);
    if (!document) return document;
  }
  const std::string_view taken = mended.empty() ? text : mended;
  if (has_kept_folded_scalar(taken)) {
    const std::string kept = mended_kept_scalars(taken);
    if (kept != taken) return parse_one_document(kept, max_depth, rules);
  }
  return document;
}

std::unordered_map<std::string, std::size_t> lines_of(std::string_view text) {
  LineFinder finder;
  // Only spaces and quotes are added, so lines stay.
  const std::string mended = mended_flow_scalars(text);
  TextBuffer buffer(mended);
  std::istream stream(&buffer);
  try {
    YAML::Parser parser(stream);
    parser.HandleNextDocument(finder);
  } catch (const YAML::Exception&) {
    // Those found so far will do.
  }
  return std::move(finder.lines);
}

}  // namespace eventgate
