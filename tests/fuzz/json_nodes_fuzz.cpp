// Any bytes: parse_json takes what nlohmann::json takes and reads the same values, but for what it does otherwise on
// purpose: the depth limit, lone surrogates, numbers outside a double and strings that are no UTF-8 (which nlohmann
// refuses and we flag), and a NUL (which nlohmann takes for the end of the text).

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eventgate/base/utf8.hpp"
#include "eventgate/json/event_patch.hpp"
#include "eventgate/json/json_error_text.hpp"
#include "eventgate/json/json_nodes.hpp"
#include "eventgate/json/json_text.hpp"
#include "require.hpp"

namespace {

using eventgate::JsonError;
using eventgate::JsonLimits;
using eventgate::JsonNode;
using eventgate::JsonNodes;
using eventgate::JsonType;
using eventgate::JsonValue;

/// A text in memory of its own size, so that a sanitizer sees every byte read beyond its padding.
struct Parsed {
  std::unique_ptr<char[]> memory;
  JsonNodes nodes;
  std::optional<JsonError> error;

  Parsed(std::string_view text, const JsonLimits& limits, char padding) {
    memory = std::make_unique<char[]>(text.size() + eventgate::kJsonPadding);
    std::copy(text.begin(), text.end(), memory.get());
    std::fill_n(memory.get() + text.size(), eventgate::kJsonPadding, padding);
    error = eventgate::parse_json({memory.get(), text.size()}, nodes, limits);
    if (error)
      require(eventgate::json_error_text({memory.get(), text.size()}, *error).size() < 400, "an error's text is short");
  }
};

/// Holds what nlohmann reads to the nodes, one by one.
class Referee : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit Referee(const JsonNodes& nodes) : nodes_(nodes) {}

  bool null() override { return leaf(JsonType::null); }
  bool boolean(bool value) override {
    require(current().is_true() == value, "booleans are the same");
    return leaf(JsonType::boolean);
  }
  bool number_integer(std::int64_t value) override { return number(static_cast<double>(value)); }
  bool number_unsigned(std::uint64_t value) override { return number(static_cast<double>(value)); }
  bool number_float(double value, const std::string&) override { return number(value); }
  bool string(std::string& value) override {
    require(current().is_string(), "a string is a string");
    require(current().string() == value, "strings have the same content");
    require(current().string_equals(value), "strings equal their content");
    require(!current().string_equals(value + "x"), "strings equal nothing longer");
    require(value.empty() || !current().string_equals(std::string_view(value).substr(1)), "strings equal no part");
    return leaf(JsonType::string);
  }
  bool key(std::string& value) override { return string(value); }
  bool binary(nlohmann::json::binary_t&) override { return false; }
  bool start_object(std::size_t) override { return start(JsonType::object, '{'); }
  bool end_object() override { return end('}'); }
  bool start_array(std::size_t) override { return start(JsonType::array, '['); }
  bool end_array() override { return end(']'); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception&) override { return false; }

  bool done() const { return index_ == nodes_.nodes.size() && open_.empty(); }
  std::size_t depth() const { return depth_; }

 private:
  JsonValue current() const {
    require(index_ < nodes_.nodes.size(), "there is a node for every value");
    return {nodes_.text.data(), nodes_.nodes.data(), index_};
  }

  bool leaf(JsonType type) {
    require(current().type() == type, "types are the same");
    require(current().node().next == index_ + 1, "a scalar holds nothing");
    ++index_;
    return true;
  }

  bool number(double value) {
    const std::string source(current().source());
    require(std::strtod(source.c_str(), nullptr) == value, "numbers are the same");
    const bool fraction = source.find_first_of(".eE") != std::string::npos;
    require(fraction == ((current().node().flags & JsonNode::kFraction) != 0), "kFraction says what is there");
    return leaf(JsonType::number);
  }

  bool start(JsonType type, char bracket) {
    require(current().type() == type, "types are the same");
    require(current().source().front() == bracket, "a container begins with its bracket");
    open_.push_back(index_++);
    depth_ = std::max(depth_, open_.size());
    return true;
  }

  bool end(char bracket) {
    const JsonValue container(nodes_.text.data(), nodes_.nodes.data(), open_.back());
    require(container.node().next == index_, "a container ends where its siblings begin");
    require(container.source().back() == bracket, "a container ends with its bracket");
    open_.pop_back();
    return true;
  }

  const JsonNodes& nodes_;
  std::uint32_t index_ = 0;
  std::vector<std::uint32_t> open_;
  std::size_t depth_ = 0;
};

/// Requires that nlohmann reads from the text of `nodes` what is in them. Returns how deep it is.
std::size_t compare(const JsonNodes& nodes) {
  Referee referee(nodes);
  require(nlohmann::json::sax_parse(nodes.text, &referee), "nlohmann takes what we take");
  require(referee.done(), "there is a value for every node");
  return referee.depth();
}

void check_error(std::string_view text, const JsonError& error, const JsonLimits& limits) {
  require(error.offset <= text.size(), "an error is in the text");
  require(!error.expected.empty(), "an error says what was expected");
  const Parsed before(text.substr(0, error.offset), limits, ']');
  require(!before.error || before.error->offset == error.offset, "nothing is wrong before the first error");
}

bool is_utf8(std::string_view bytes) { return eventgate::to_valid_utf8(bytes) == bytes; }

/// Requires that the flaw is of the first byte of its string that is no UTF-8.
void check_invalid_utf8(std::string_view text, JsonValue value, std::size_t offset) {
  require(offset > value.node().begin && offset + 1 < value.node().end, "a byte that is no UTF-8 is in its string");
  const std::size_t begin = value.node().begin;
  require(is_utf8(text.substr(begin, offset - begin)), "the first byte that is no UTF-8 is named");
  require(!is_utf8(text.substr(offset, value.node().end - offset)), "a byte that is no UTF-8 is none");
}

/// The text with something harmless in place of each flaw.
std::string repaired(const JsonNodes& nodes) {
  eventgate::EventPatch splice;
  std::uint32_t before = ~std::uint32_t{0};
  for (const eventgate::JsonInteropIssue& flaw : nodes.interop_issues) {
    const JsonValue value(nodes.text.data(), nodes.nodes.data(), flaw.node);
    const bool is_string = flaw.kind != eventgate::JsonInteropIssue::Kind::not_a_double;
    if (flaw.kind == eventgate::JsonInteropIssue::Kind::invalid_utf8)
      check_invalid_utf8(nodes.text, value, flaw.offset);
    require(before == ~std::uint32_t{0} || before <= flaw.node, "flaws are in the order of the text");
    // A string may have a lone surrogate and a byte that is no UTF-8.
    if (std::exchange(before, flaw.node) == flaw.node) continue;
    require(is_string == value.is_string(), "a flaw is of a string or of a number");
    require(!nlohmann::json::accept(value.source()), "nlohmann refuses what is flawed");
    splice.replace(value, is_string ? "\"x\"" : "0");
  }
  std::string text;
  splice.apply(nodes.root(), text);
  return text;
}

void check_splice(JsonValue root, const JsonLimits& limits) {
  const eventgate::FieldPath path("a.b.c");
  eventgate::EventPatch splice;
  const bool there = path.find(root).has_value();
  const bool added = splice.add(root, path, "[\"added\"]");
  require(!(there && added), "what is there is not added");
  std::string text;
  splice.apply(root, text);
  const Parsed completed(text, limits, '}');
  require(!completed.error, "a completed event is JSON");
  require(path.find(completed.nodes.root()).has_value() == (there || added), "what was added is there");
}

/// Adds strings to objects of the text, and requires that the nodes that come with them are those of a parse.
void check_spliced_nodes(JsonValue root, const JsonLimits& limits) {
  eventgate::EventPatch splice;
  const JsonNode* const nodes = root.nodes();
  for (std::uint32_t i = 0; i < root.node().next; ++i)
    if (nodes[i].type == JsonType::object && (nodes[i].begin & 1) == 0)
      splice.add_member({root.base(), nodes, i}, "a\"dded", (i & 1) == 0 ? "\"\"" : "\"\\u0000\"");
  for (const char* path : {"a.b.c", "a.b.d", "e"}) splice.add(root, eventgate::FieldPath(path), "\"added\"");
  std::string text;
  JsonNodes made;
  require(splice.apply_with_nodes(root, text, made), "strings bring their nodes");
  const Parsed parsed(text, limits, '}');
  require(!parsed.error, "a completed event is JSON");
  require(std::ranges::equal(made.nodes, parsed.nodes.nodes,
                             [](const JsonNode& a, const JsonNode& b) {
                               return a.begin == b.begin && a.end == b.end && a.next == b.next && a.type == b.type &&
                                      a.flags == b.flags;
                             }),
          "the nodes made are those of a parse");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const JsonLimits limits{size + 8};  // never reached
  const Parsed parsed(text, limits, '1');
  const bool is_taken = nlohmann::json::accept(text);
  if (parsed.error) {
    require(!is_taken || text.find('\0') != std::string_view::npos, "we take what nlohmann takes");
    check_error(text, *parsed.error, limits);
    return 0;
  }

  const bool flagged = std::ranges::any_of(parsed.nodes.interop_issues, [](const eventgate::JsonInteropIssue& flaw) {
    return flaw.kind == eventgate::JsonInteropIssue::Kind::invalid_utf8;
  });
  require(flagged != is_utf8(text), "what is no UTF-8 is flagged");
  std::size_t depth;
  if (parsed.nodes.interop_issues.empty()) {
    depth = compare(parsed.nodes);
  } else {
    require(!is_taken, "nlohmann refuses a text with a flaw");
    const Parsed whole(repaired(parsed.nodes), limits, '"');
    require(!whole.error && whole.nodes.interop_issues.empty(), "without its flaws a text is whole");
    require(whole.nodes.nodes.size() == parsed.nodes.nodes.size(), "a flaw is one node");
    depth = compare(whole.nodes);
  }
  check_splice(parsed.nodes.root(), limits);
  check_spliced_nodes(parsed.nodes.root(), limits);

  if (depth > 0) {
    require(!Parsed(text, {depth}, '1').error, "the limit is how deep a text may be");
    const Parsed too_deep(text, {depth - 1}, '1');
    require(too_deep.error.has_value(), "a text deeper than the limit is refused");
    check_error(text, *too_deep.error, {depth - 1});
  }
  return 0;
}
