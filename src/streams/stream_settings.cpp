#include "eventgate/streams/stream_settings.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

#include "eventgate/base/edit_distance.hpp"

namespace eventgate {
namespace {

using Json = nlohmann::ordered_json;

/// A setting that StreamConfigs reads.
struct Setting {
  std::string_view object;  ///< Where it stands, such as `producers`. Empty: in the declaration itself.
  std::string_view key;
};

/// As StreamConfigs reads them.
constexpr Setting kSettings[] = {{"", "schema_title"},
                                 {"", "message_key_fields"},
                                 {"", "topic_prefixes"},
                                 {"", "retention"},
                                 {"", "producers"},
                                 {"producers", "eventgate"},
                                 {"producers.eventgate", "enrich_fields_from_http_headers"}};

/// Edits that still make a typing error of a key.
constexpr std::size_t kMaxEdits = 2;
/// Bytes of a key that is compared: each of ours is shorter.
constexpr std::size_t kMaxKey = 64;

const Setting* setting_at(std::string_view object, std::string_view key) {
  const auto* const found = std::find_if(std::begin(kSettings), std::end(kSettings), [&](const Setting& setting) {
    return setting.object == object && setting.key == key;
  });
  return found == std::end(kSettings) ? nullptr : found;
}

/// What is wrong with a key that the gate does not read in `object`. Empty: it is another service's.
std::string mistake(std::string_view object, const std::string& key, const Json& members) {
  for (const Setting& setting : kSettings)
    if (setting.key == key)
      return setting.object.empty() ? "expected in the declaration of the stream itself"
                                    : "expected in `" + std::string(setting.object) + "`";
  for (const Setting& setting : kSettings) {
    const bool is_near =
        setting.object == object && key.size() <= kMaxKey && edit_distance(key, setting.key) <= kMaxEdits;
    if (is_near && !members.contains(std::string(setting.key))) return "expected `" + std::string(setting.key) + "`";
  }
  return {};
}

void add_mistakes(std::string_view object, const Json& members, std::vector<std::string>& mistakes) {
  if (!members.is_object()) return;
  for (const auto& [key, value] : members.items()) {
    const std::string path = object.empty() ? key : std::string(object) + '.' + key;
    if (!setting_at(object, key)) {
      if (const std::string what = mistake(object, key, members); !what.empty())
        mistakes.push_back('\'' + path + "': " + what);
    } else if (path == "producers" || path == "producers.eventgate") {
      add_mistakes(path, value, mistakes);
    }
  }
}

}  // namespace

std::vector<std::string> misplaced_settings(const Json& declaration) {
  std::vector<std::string> mistakes;
  add_mistakes("", declaration, mistakes);
  return mistakes;
}

}  // namespace eventgate
