#include "eventgate/readers/frame.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <vector>

#include "eventgate/base/ascii.hpp"
#include "eventgate/base/utf8.hpp"
#include "eventgate/json/json_nodes.hpp"
#include "eventgate/json/json_text.hpp"
#include "eventgate/readers/redaction.hpp"

namespace eventgate {
namespace {

constexpr JsonLimits kLimits{.depth = 128};
constexpr std::string_view kBlanks = " \t\r\n";

/// A range of the event's text, and the text in its place. An insertion has an empty range.
struct TextEdit {
  std::uint32_t begin;
  std::uint32_t end;
  std::string_view text;
};

/// Appends `bytes` with each maximal invalid part as one U+FFFD (Unicode, section 3.9), as a browser reads them.
void append_valid_utf8(std::string& out, std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t valid = std::min(find_invalid_utf8(bytes), bytes.size());
    out.append(bytes.substr(0, valid));
    bytes.remove_prefix(valid);
    if (bytes.empty()) return;
    out += kReplacementCharacter;
    bytes.remove_prefix(utf8_step(bytes.data(), bytes.data() + bytes.size()).size);
  }
}

/// Appends `text` with each run of line ends as one blank. Valid JSON has line ends outside strings only.
void append_in_one_line(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const std::size_t line_end = text.find_first_of("\r\n");
    out.append(text.substr(0, line_end));
    if (line_end == std::string_view::npos) return;
    out += ' ';
    text.remove_prefix(std::min(text.find_first_not_of("\r\n", line_end), text.size()));
  }
}

std::string_view number_text(std::int64_t value, std::array<char, 24>& buffer) {
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return {buffer.data(), static_cast<std::size_t>(end.ptr - buffer.data())};
}

/// Makes frames. Keeps its memory from record to record.
class FrameMaker {
 public:
  void make(const std::string& topic, const SourceRecord& record, const RedactionRules* rules, Frame& frame) {
    frame.skip = parse(record);
    if (frame.skip != SkipCause::none) return;
    const JsonValue event = nodes_.root();
    edits_.clear();
    redaction_.clear();
    if (rules && !rules->apply(event, redaction_)) {
      frame.skip = SkipCause::not_redacted;
      return;
    }
    const auto meta = event.find("meta");
    if (meta && meta->is_object()) {
      const auto domain = meta->find("domain");
      frame.canary = domain && domain->is_string() && domain->string_equals("canary");
    }
    for (const auto& [node, text] : redaction_.replaced) {
      const JsonNode& value = nodes_.nodes[node];
      edits_.push_back({value.begin, value.end, text});
    }
    splice_meta(event, meta, topic, record);
    write(frame.text);
  }

 private:
  SkipCause parse(const SourceRecord& record) {
    if (!record.value) return SkipCause::null_value;
    const std::string& value = *record.value;
    if (value.find_first_not_of(kBlanks) == std::string::npos) return SkipCause::empty_value;
    text_.clear();
    text_.reserve(value.size() + kJsonPadding);
    text_ = value;
    text_.append(kJsonPadding, ' ');
    const std::string_view text = std::string_view(text_).substr(0, value.size());
    if (parse_json(text, nodes_, kLimits)) {
      // A text of any depth is JSON all the same.
      return parse_json(text, nodes_, {.depth = value.size() + 1}) ? SkipCause::not_json : SkipCause::too_deep;
    }
    return nodes_.root().is_object() ? SkipCause::none : SkipCause::not_object;
  }

  /// Writes the members that `meta` gets into `members_`: pairs of key and value, as JSON texts without quotes of keys.
  void make_members(const std::string& topic, const SourceRecord& record) {
    member_texts_[0].clear();
    append_json_string(member_texts_[0], topic);
    std::array<char, 24> digits;
    member_texts_[1] = number_text(record.partition, digits);
    member_texts_[2] = number_text(record.offset, digits);
    member_texts_[3].clear();
    if (record.key) append_json_string(member_texts_[3], *record.key);
  }

  void splice_meta(JsonValue event, const std::optional<JsonValue>& meta, const std::string& topic,
                   const SourceRecord& record) {
    make_members(topic, record);
    std::array<bool, kKeys.size()> is_there{};
    meta_members_.clear();
    if (meta && meta->is_object()) {
      for (auto at = meta->begin(); at != meta->end(); ++at) {
        const JsonValue key = *at;
        ++at;
        for (std::size_t i = 0; i < kKeys.size(); ++i) {
          if (member_texts_[i].empty() || !key.string_equals(kKeys[i]) || is_removed(key.index())) continue;
          const JsonNode& value = (*at).node();
          edits_.push_back({value.begin, value.end, member_texts_[i]});
          is_there[i] = true;
        }
      }
    }
    for (std::size_t i = 0; i < kKeys.size(); ++i) {
      if (is_there[i] || member_texts_[i].empty()) continue;
      if (!meta_members_.empty()) meta_members_ += ',';
      meta_members_.append(1, '"').append(kKeys[i]).append("\":").append(member_texts_[i]);
    }
    if (meta && meta->is_object()) {
      change_object(*meta, meta_members_);
      change_parents(event, meta->index());
    } else if (!meta) {
      made_meta_ = "\"meta\":{" + meta_members_ + '}';
      change_object(event, made_meta_);
      change_parents(event, event.index());
    } else {
      if (meta->type() == JsonType::null) {
        made_meta_ = '{' + meta_members_ + '}';
        edits_.push_back({meta->node().begin, meta->node().end, made_meta_});
      }
      change_parents(event, kNone);
    }
  }

  /// Removes members of every object but `done`, whose members were removed.
  void change_parents(JsonValue event, std::uint32_t done) {
    if (redaction_.removed.empty()) return;
    const std::uint32_t end = event.node().next;
    for (std::uint32_t i = event.index(); i < end; ++i) {
      const JsonNode& node = nodes_.nodes[i];
      if (node.type != JsonType::object || i == done) continue;
      const auto first = std::upper_bound(redaction_.removed.begin(), redaction_.removed.end(), i);
      if (first == redaction_.removed.end()) return;
      if (*first < node.next) change_object(JsonValue(event.base(), event.nodes(), i), {});
    }
  }

  bool is_removed(std::uint32_t key) const {
    return std::binary_search(redaction_.removed.begin(), redaction_.removed.end(), key);
  }

  /// Removes members of `object`, and adds `added` behind the last one. The commas fit.
  void change_object(JsonValue object, std::string_view added) {
    std::uint32_t insert_at = object.node().begin + 1;
    bool has_kept = false;
    std::uint32_t previous_end = insert_at;
    for (auto at = object.begin(); at != object.end();) {
      const JsonValue key = *at;
      ++at;
      const std::uint32_t value_end = (*at).node().end;
      ++at;
      if (is_removed(key.index())) {
        if (has_kept) {
          edits_.push_back({previous_end, value_end, {}});
        } else {
          edits_.push_back({key.node().begin, at == object.end() ? value_end : (*at).node().begin, {}});
        }
      } else {
        has_kept = true;
      }
      insert_at = previous_end = value_end;
    }
    if (added.empty()) return;
    if (has_kept) edits_.push_back({insert_at, insert_at, ","});
    edits_.push_back({insert_at, insert_at, added});
  }

  void write(std::string& out) {
    // An edit inside another one has no text of its own to change.
    std::stable_sort(edits_.begin(), edits_.end(), [](const TextEdit& a, const TextEdit& b) {
      const bool a_inserts = a.begin == a.end;
      const bool b_inserts = b.begin == b.end;
      if (a.begin != b.begin) return a.begin < b.begin;
      // An insertion comes before what begins there, and the longer of two ranges holds the shorter.
      return a_inserts != b_inserts ? a_inserts : a.end > b.end;
    });
    const std::string_view text = nodes_.text;
    const bool has_invalid =
        std::any_of(nodes_.interop_issues.begin(), nodes_.interop_issues.end(),
                    [](const JsonInteropIssue& issue) { return issue.kind == JsonInteropIssue::Kind::invalid_utf8; });
    const bool has_line_end =
        std::memchr(text.data(), '\n', text.size()) || std::memchr(text.data(), '\r', text.size());
    const auto copy = [&](std::string_view part) {
      if (!has_invalid && !has_line_end) {
        out.append(part);
        return;
      }
      line_.clear();
      append_in_one_line(line_, part);
      append_valid_utf8(out, line_);
    };
    out.clear();
    out.reserve(text.size() + meta_members_.size() + 32);
    std::size_t at = 0;
    // White space around the event is no part of it.
    const std::size_t last = text.find_last_not_of(kBlanks) + 1;
    at = text.find_first_not_of(kBlanks);
    for (const TextEdit& edit : edits_) {
      if (edit.begin < at) continue;
      copy(text.substr(at, edit.begin - at));
      out.append(edit.text);
      at = edit.end;
    }
    copy(text.substr(at, last - at));
    out.append(Frame::kEnd);
  }

  static constexpr std::array<std::string_view, 4> kKeys{"topic", "partition", "offset", "key"};
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  std::string text_;
  JsonNodes nodes_;
  RedactionEdits redaction_;
  std::vector<TextEdit> edits_;
  std::array<std::string, kKeys.size()> member_texts_;  ///< Values for kKeys. Empty: none.
  std::string meta_members_;
  std::string made_meta_;
  std::string line_;
};

}  // namespace

std::string_view skip_cause_name(SkipCause cause) {
  switch (cause) {
    case SkipCause::none:
      return "none";
    case SkipCause::null_value:
      return "null_value";
    case SkipCause::empty_value:
      return "empty_value";
    case SkipCause::not_json:
      return "not_json";
    case SkipCause::not_object:
      return "not_object";
    case SkipCause::too_deep:
      return "too_deep";
    case SkipCause::not_redacted:
      return "not_redacted";
  }
  return "none";
}

Frame make_frame(const std::string& topic, const SourceRecord& record, const RedactionRules* rules) {
  // A thread frees what a single large record has taken.
  constexpr std::size_t kKeptText = std::size_t{1} << 20;
  static thread_local FrameMaker maker;
  Frame frame;
  frame.partition = record.partition;
  frame.offset = record.offset;
  frame.timestamp = record.timestamp;
  maker.make(topic, record, rules, frame);
  if (record.value && record.value->size() > kKeptText) maker = FrameMaker();
  return frame;
}

}  // namespace eventgate
