#include "eventgate/schema/metaschemas.hpp"

#include <array>
#include <nlohmann/json.hpp>

#include "metaschema_texts.hpp"  // Made by CMake from the files in metaschemas/.

namespace eventgate {

const nlohmann::ordered_json& metaschema_document(Metaschema metaschema) {
  static const std::array<nlohmann::ordered_json, 4> documents = {
      nlohmann::ordered_json::parse(kDraft04Text), nlohmann::ordered_json::parse(kDraft06Text),
      nlohmann::ordered_json::parse(kDraft07Text), nlohmann::ordered_json::parse(kSecureText)};
  return documents[static_cast<std::size_t>(metaschema)];
}

bool find_draft(std::string_view uri, Metaschema& draft) {
  if (uri.ends_with('#')) uri.remove_suffix(1);
  uri.remove_prefix(uri.starts_with("https://") ? 8 : uri.starts_with("http://") ? 7 : uri.size());
  if (uri == "json-schema.org/draft-04/schema") {
    draft = Metaschema::draft_04;
  } else if (uri == "json-schema.org/draft-06/schema") {
    draft = Metaschema::draft_06;
  } else if (uri == "json-schema.org/draft-07/schema") {
    draft = Metaschema::draft_07;
  } else {
    return false;
  }
  return true;
}

}  // namespace eventgate
