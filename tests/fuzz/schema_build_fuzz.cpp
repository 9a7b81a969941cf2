// Any text as what an author writes: what is read is written as YAML, read back and equal, and written the same again;
// as JSON, too. What comes of its $ref and allOf ends in time, has none left, and is the same when it is made once
// more.

#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "eventgate/fetch/authored_document.hpp"
#include "repository/all_of_merge.hpp"
#include "repository/js_value.hpp"
#include "repository/ref_replacement.hpp"
#include "repository/written_yaml_reader.hpp"
#include "repository/yaml_writer.hpp"
#include "require.hpp"

namespace {

using namespace eventgate;  // NOLINT: a program of one file

constexpr std::size_t kMaxSize = 1 << 20;

std::size_t depth_of(const JsValue& value) {
  std::size_t deepest = 0;
  if (value.is_list())
    for (const JsValue& item : value.list()) deepest = std::max(deepest, depth_of(item));
  if (value.is_object())
    for (const auto& member : value.object().members()) deepest = std::max(deepest, depth_of(member.second));
  return value.is_structured() ? deepest + 1 : 0;
}

/// Whether all of it can be read back: within the depth, and no key is a `<<`, which YAML merges.
bool can_be_read_back(const JsValue& value) { return depth_of(value) <= 64; }

void round_trip(const JsValue& value) {
  const std::string yaml = written_yaml(value);
  if (yaml.size() > kMaxSize || !value.is_object() || !can_be_read_back(value)) return;
  const auto read = parse_authored_text(yaml);
  require(read.has_value(), "what is written can be read", yaml + (read ? "" : read.error().message));
  const JsValue again = js_value(*read);
  require(is_equal(value, again), "what is written is read as it was", yaml);
  require(written_yaml(again) == yaml, "what is read is written as it was", yaml);
  if (const auto quick = read_written_yaml(yaml))
    require(is_equal(value, *quick), "what the quick reader takes it reads as it was", yaml);
  const std::string json = written_json(value);
  require(nlohmann::ordered_json::accept(json), "JSON is JSON", json);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto read = parse_authored_text(text);
  if (!read) return 0;
  const JsValue document = js_value(*read);
  round_trip(document);
  static_cast<void>(lines_of(text));
  const auto whole = replaced_refs(
      "/fuzz/current.yaml", document,
      [](const std::string&) -> boost::system::result<JsValue, NoDocument> { return NoDocument{"there is no other"}; });
  if (!whole) {
    require(!whole.error().message.empty(), "an error says something", std::string(text));
    return 0;
  }
  const auto merged = merged_all_of(*whole);
  if (!merged) {
    require(!merged.error().message.empty(), "an error says something", std::string(text));
    return 0;
  }
  set_numeric_bounds(*merged, std::int64_t{-9}, std::int64_t{9});
  round_trip(*merged);
  return 0;
}
