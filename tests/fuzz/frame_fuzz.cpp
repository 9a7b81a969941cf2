// Records of any bytes become frames. The first line of the input is the key, the rest the value. A frame is JSON in
// one line of UTF-8, says where its record is, and has no field that is redacted.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "eventgate/base/utf8.hpp"
#include "eventgate/json/json_nodes.hpp"
#include "eventgate/readers/event_filter.hpp"
#include "eventgate/readers/frame.hpp"
#include "eventgate/readers/redaction.hpp"
#include "require.hpp"

namespace {

using namespace eventgate;

const RedactionRules& rules() {
  static const RedactionRules kRules(
      parse_redaction(nlohmann::ordered_json::parse(R"([{"fields": ["secret", "a.secret", "meta.secret"]},
          {"fields": ["b"], "replace": {}}, {"fields": ["c"], "when": {"d": [1, "x"]}}])"))
          .rules,
      {{"ru.wikipedia.org", {"Secret page"}}});
  return kRules;
}

/// A text in memory of its own size, with what parsing needs behind it.
struct Parsed {
  explicit Parsed(std::string_view event) : text(event) {
    text.append(kJsonPadding, ' ');
    is_json = !parse_json(std::string_view(text).substr(0, event.size()), nodes);
  }
  std::string text;
  JsonNodes nodes;
  bool is_json;
};

void require_place(JsonValue event) {
  const auto meta = event.find("meta");
  require(meta.has_value() && meta->type() != JsonType::null);
  if (!meta->is_object()) return;
  const auto topic = meta->find("topic");
  const auto partition = meta->find("partition");
  const auto offset = meta->find("offset");
  require(topic && topic->is_string() && topic->string_equals("eqiad.x"));
  require(partition && partition->source() == "3" && offset && offset->source() == "12");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t line_end = input.find('\n');
  SourceRecord record;
  record.partition = 3;
  record.offset = 12;
  if (line_end != std::string_view::npos) record.key = input.substr(0, line_end);
  record.value = input.substr(line_end == std::string_view::npos ? 0 : line_end + 1);
  const Frame plain = make_frame("eqiad.x", record, nullptr);
  const Frame redacted = make_frame("eqiad.x", record, &rules());
  for (const Frame* const frame : {&plain, &redacted}) {
    require(frame->text.empty() == (frame->skip != SkipCause::none));
    if (frame->skip != SkipCause::none) continue;
    const std::string_view event = frame->event();
    require(event.find_first_of("\r\n") == std::string_view::npos);
    require(find_invalid_utf8(event) == std::string_view::npos);
    const Parsed parsed(event);
    require(parsed.is_json && parsed.nodes.root().is_object());
    require_place(parsed.nodes.root());
  }
  require(redacted.skip == plain.skip || redacted.skip == SkipCause::not_redacted);
  if (redacted.skip != SkipCause::none) return 0;
  const Parsed parsed(redacted.event());
  const JsonValue event = parsed.nodes.root();
  require(!event.find("secret"));
  if (const auto meta = event.find("meta"); meta && meta->is_object()) require(!meta->find("secret"));
  for (auto at = event.begin(); at != event.end(); ++at) {
    const JsonValue key = *at;
    const JsonValue value = *++at;
    if (key.string_equals("a") && value.is_object()) require(!value.find("secret"));
    if (key.string_equals("b")) require(value.source() == "{}");
  }
  const EventFilter filter({{FieldPath("secret"), {"x"}, false}});
  require(!filter.matches(event));
  return 0;
}
