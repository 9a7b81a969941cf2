#include "written_yaml_reader.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "eventgate/fetch/js_yaml_scalar.hpp"
#include "yaml_writer.hpp"

namespace eventgate {
namespace {

constexpr std::size_t kIndent = 2;
constexpr std::size_t kMaxDepth = 64;

/// Reads the text as if the writer had made it, and gives up at the first difference.
class Reader {
 public:
  explicit Reader(std::string_view text) {
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      const std::string_view line = text.substr(0, end);
      const std::size_t indent = std::min(line.find_first_not_of(' '), line.size());
      lines_.push_back({indent, line.substr(indent)});
      text.remove_prefix(std::min(end + 1, text.size()));
    }
  }

  std::optional<JsValue> document() {
    auto value = block(0, 0);
    if (!value || at_ != lines_.size()) return std::nullopt;
    return value;
  }

 private:
  struct Line {
    std::size_t indent;
    std::string_view text;  ///< The line without its indentation.
  };

  std::optional<JsValue> block(std::size_t indent, std::size_t depth) {
    if (at_ == lines_.size() || lines_[at_].indent != indent || lines_[at_].text.empty() || depth > kMaxDepth)
      return std::nullopt;
    return is_item(lines_[at_].text) ? list(indent, depth) : object(indent, depth);
  }

  static bool is_item(std::string_view text) { return text == "-" || text.starts_with("- "); }

  std::optional<JsValue> list(std::size_t indent, std::size_t depth) {
    JsList items;
    while (at_ < lines_.size() && lines_[at_].indent == indent && is_item(lines_[at_].text)) {
      Line& line = lines_[at_];
      const std::string_view rest = line.text.substr(std::min<std::size_t>(line.text.size(), 2));
      std::optional<JsValue> item;
      if (is_item(rest) || key_end(rest) != std::string_view::npos) {
        line = {indent + kIndent, rest};  // a block may begin on the line of the dash
        item = block(indent + kIndent, depth + 1);
      } else {
        item = value(rest, indent, depth);
      }
      if (!item) return std::nullopt;
      items.push_back(*std::move(item));
    }
    return items;
  }

  std::optional<JsValue> object(std::size_t indent, std::size_t depth) {
    auto members = js_object();
    while (at_ < lines_.size() && lines_[at_].indent == indent && !lines_[at_].text.empty()) {
      const std::string_view text = lines_[at_].text;
      const std::size_t end = key_end(text);
      if (end == std::string_view::npos) return std::nullopt;
      const auto key = scalar(text.substr(0, end));
      if (!key || key->is_structured()) return std::nullopt;
      const std::string name = text[0] == '\'' ? key->text() : std::string(text.substr(0, end));
      if (members->has(name)) return std::nullopt;
      auto member = value(text.substr(std::min(end + 2, text.size())), indent, depth);
      if (!member) return std::nullopt;
      members->set(name, *std::move(member));
    }
    return members;
  }

  /// Returns the place of the colon after the key at the start of `text`.
  static std::size_t key_end(std::string_view text) {
    std::size_t end = 0;
    if (text.starts_with('\'')) {
      end = closing_quote(text);
      if (end == std::string_view::npos) return end;
      ++end;
    } else {
      if (text.empty() || std::string_view("\"&*!|>?[{").find(text[0]) != std::string_view::npos)
        return std::string_view::npos;
      end = std::min(text.find(':'), text.size());
    }
    const bool is_colon = end < text.size() && text[end] == ':' && (end + 1 == text.size() || text[end + 1] == ' ');
    return is_colon ? end : std::string_view::npos;
  }

  static std::size_t closing_quote(std::string_view text) {
    for (std::size_t i = 1; i < text.size(); ++i) {
      if (text[i] != '\'') continue;
      if (i + 1 == text.size() || text[i + 1] != '\'') return i;
      ++i;
    }
    return std::string_view::npos;
  }

  /// Reads a value that begins with `text` on this line. Its blocks are indented by more than `indent`.
  std::optional<JsValue> value(std::string_view text, std::size_t indent, std::size_t depth) {
    ++at_;
    if (text.empty()) return block(indent + kIndent, depth + 1);
    if (text[0] == '|' || text[0] == '>') return block_scalar(text, indent + kIndent);
    return scalar(text);
  }

  static std::optional<JsValue> scalar(std::string_view text) {
    if (text == "[]") return JsList{};
    if (text == "{}") return js_object();
    if (text[0] == '\'') {
      if (closing_quote(text) != text.size() - 1) return std::nullopt;
      std::string plain;
      for (std::size_t i = 1; i + 1 < text.size(); ++i) {
        plain += text[i];
        if (text[i] == '\'') ++i;
      }
      return plain;
    }
    if (std::string_view("\"&*!?[]{},#%@`").find(text[0]) != std::string_view::npos) return std::nullopt;
    return js_value(js_yaml_value(std::string(text)));
  }

  std::optional<JsValue> block_scalar(std::string_view header, std::size_t indent) {
    std::vector<std::string> content;
    for (; at_ < lines_.size(); ++at_) {
      const Line& line = lines_[at_];
      if (!line.text.empty() && line.indent < indent) break;
      content.push_back(std::string(line.indent > indent ? line.indent - indent : 0, ' ').append(line.text));
    }
    if (content.empty()) return std::nullopt;
    std::string text = header[0] == '|' ? joined(content) : unfolded(content);
    if (!header.ends_with('-')) text += '\n';
    return text;
  }

  static std::string joined(const std::vector<std::string>& lines) {
    std::string text = lines.front();
    for (std::size_t i = 1; i < lines.size(); ++i) text.append("\n").append(lines[i]);
    return text;
  }

  static std::string unfolded(const std::vector<std::string>& lines) {
    std::string text;
    std::size_t blank = 0;
    bool is_first = true;
    bool before_indented = false;
    for (const std::string& line : lines) {
      if (line.empty()) {
        ++blank;
        continue;
      }
      const bool indented = line[0] == ' ';
      if (is_first) {
        text.append(blank, '\n');
      } else if (before_indented || indented) {
        text.append(blank + 1, '\n');
      } else if (blank == 0) {
        text += ' ';
      } else {
        text.append(blank, '\n');
      }
      text += line;
      is_first = false;
      before_indented = indented;
      blank = 0;
    }
    return text.append(blank, '\n');
  }

  std::vector<Line> lines_;
  std::size_t at_ = 0;
};

}  // namespace

std::optional<JsValue> read_written_yaml(std::string_view text) {
  if (!text.ends_with('\n') || text.find_first_of("\r\t") != std::string_view::npos) return std::nullopt;
  auto value = Reader(text).document();
  if (!value || !value->is_object() || written_yaml(*value) != text) return std::nullopt;
  return value;
}

}  // namespace eventgate
