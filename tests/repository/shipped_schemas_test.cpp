// The schemas in schemas/, as an operator gets them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <future>
#include <nlohmann/json.hpp>
#include <set>

#include "eventgate/json/json_nodes.hpp"
#include "eventgate/repository/schema_repository.hpp"
#include "eventgate/telemetry/metrics.hpp"
#include "eventgate/telemetry/telemetry.hpp"
#include "support/paths.hpp"

namespace eventgate {
namespace {

using nlohmann::ordered_json;

const std::filesystem::path kSchemas = source_dir() + "/schemas";

/// Every file and link of the repository, as a schema_uri.
std::vector<std::string> shipped_uris() {
  std::vector<std::string> uris;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(kSchemas)) {
    if (!entry.is_regular_file() || entry.path().extension() == ".md") continue;
    uris.push_back("/" + std::filesystem::relative(entry.path().parent_path(), kSchemas).string() + "/" +
                   entry.path().filename().string());
  }
  std::sort(uris.begin(), uris.end());
  return uris;
}

std::string file_name(const std::string& uri) { return uri.substr(uri.rfind('/') + 1); }

ordered_json document(const std::string& uri) {
  auto object = make_uri_reader({})->read(kSchemas.string() + uri);
  if (!object) throw std::runtime_error(uri + ": " + object.error().message);
  return *std::move(object);
}

class ShippedSchemas : public testing::Test {
 protected:
  SchemaResult load(const std::string& uri) {
    std::promise<SchemaResult> outcome;
    repository_.load(uri, [&](const SchemaResult& result) { outcome.set_value(result); });
    return outcome.get_future().get();
  }

  /// The errors that the schema at `uri` finds in `event`.
  std::string errors_of(const std::string& uri, const ordered_json& event) {
    const SchemaResult schema = load(uri);
    if (!schema) return "no schema: " + schema.error().reason;
    const std::string text = event.dump();
    const std::string padded = text + std::string(kJsonPadding, ' ');
    JsonNodes nodes;
    if (parse_json(std::string_view(padded).substr(0, text.size()), nodes)) return "no JSON";
    Validation validation;
    (*schema)->validate(nodes.root(), validation);
    std::string errors;
    for (const ValidationError& error : validation.errors) errors += error.data_path + " " + error.message + "\n";
    return errors;
  }

  Metrics metrics_{"test"};
  Telemetry telemetry_{metrics_};
  SchemaRepository repository_{[] {
                                 SchemaOptions options;
                                 options.schema_base_uris = {kSchemas.string()};
                                 return options;
                               }(),
                               make_uri_reader({}), telemetry_};
};

/// Puts what `from` has into `into`, whose own values win: objects together, `required` without doubles.
void merge(ordered_json& into, const ordered_json& from) {
  for (const auto& [key, value] : from.items()) {
    if (!into.contains(key)) {
      into[key] = value;
    } else if (into[key].is_object() && value.is_object()) {
      merge(into[key], value);
    } else if (key == "required") {
      for (const ordered_json& name : value) {
        if (std::find(into[key].begin(), into[key].end(), name) == into[key].end()) into[key].push_back(name);
      }
    }
  }
}

/// `current.yaml` as a version: no `allOf`, no `$ref`.
ordered_json flattened(ordered_json schema) {
  const ordered_json parts = schema.value("allOf", ordered_json::array());
  schema.erase("allOf");
  for (const ordered_json& part : parts) {
    ordered_json flat = part;
    if (part.contains("$ref")) {
      const std::string ref = part["$ref"];
      flat = document(ref.substr(0, ref.find('#')));
      for (const char* own : {"title", "description", "$id", "$schema", "examples"}) flat.erase(own);
    }
    merge(schema, flattened(flat));
  }
  return schema;
}

/// Without what does not count: the order of members and of `required`.
nlohmann::json normal(const ordered_json& schema) {
  nlohmann::json result = nlohmann::json::parse(schema.dump());
  const std::function<void(nlohmann::json&)> sort_required = [&](nlohmann::json& node) {
    if (node.is_object() && node.contains("required") && node["required"].is_array()) {
      std::sort(node["required"].begin(), node["required"].end());
    }
    if (node.is_structured()) {
      for (nlohmann::json& child : node) sort_required(child);
    }
  };
  sort_required(result);
  return result;
}

TEST_F(ShippedSchemas, AreWhatIsPromised) {
  const auto uris = shipped_uris();
  for (const char* uri :
       {"/fragment/common/1.0.0", "/fragment/common/2.0.0", "/fragment/http/latest", "/test/event/1.0.0",
        "/error/2.1.0", "/error/2.2.0", "/eventgate/ledger/1.0.0", "/analytics/link_hover/1.0.0",
        "/analytics/link_hover/1.1.0", "/analytics/link_hover/latest", "/analytics/link_hover/current.yaml",
        "/w3c/reportingapi/network_error/1.0.0", "/analytics/legacy/test/1.0.0"}) {
    EXPECT_THAT(uris, testing::Contains(uri));
  }
}

TEST_F(ShippedSchemas, AllCompile) {
  for (const std::string& uri : shipped_uris()) {
    const SchemaResult schema = load(uri);
    ASSERT_TRUE(schema) << uri << ": " << schema.error().reason;
    EXPECT_EQ((*schema)->title(), uri.substr(1, uri.rfind('/') - 1)) << uri;
  }
}

TEST_F(ShippedSchemas, AcceptTheirExamples) {
  for (const std::string& uri : shipped_uris()) {
    if (file_name(uri) == "current.yaml") continue;
    const ordered_json schema = document(uri);
    ASSERT_FALSE(schema.value("examples", ordered_json::array()).empty()) << uri;
    for (const ordered_json& example : schema["examples"]) EXPECT_EQ(errors_of(uri, example), "") << uri;
  }
}

TEST_F(ShippedSchemas, FragmentsAreUsedByRefAsWell) {
  const std::string uri = "/analytics/link_hover/current.yaml";
  const ordered_json schema = document(uri);
  for (ordered_json example : schema["examples"]) {
    EXPECT_EQ(errors_of(uri, example), "");
    example["meta"].erase("stream");
    EXPECT_EQ(errors_of(uri, example), ".meta should have required property 'stream'\n");
  }
}

TEST_F(ShippedSchemas, VersionsAreNamedAsTheyLie) {
  for (const std::string& uri : shipped_uris()) {
    const ordered_json schema = document(uri);
    const std::string id = schema["$id"];
    EXPECT_EQ(id.substr(0, id.rfind('/')), uri.substr(0, uri.rfind('/'))) << uri;
    const std::string name = file_name(uri);
    if (name[0] < '0' || name[0] > '9') continue;
    EXPECT_EQ(id, name.ends_with(".yaml") ? uri.substr(0, uri.size() - 5) : uri);
    for (const ordered_json& example : schema["examples"]) {
      EXPECT_EQ(example.value("$schema", id), id) << uri;
    }
  }
}

TEST_F(ShippedSchemas, LatestIsTheNewestVersionAndSoIsCurrentFlattened) {
  std::set<std::string> folders;
  for (const std::string& uri : shipped_uris()) folders.insert(uri.substr(0, uri.rfind('/')));
  for (const std::string& folder : folders) {
    const ordered_json latest = document(folder + "/latest");
    EXPECT_EQ(document(folder + "/latest.yaml"), latest) << folder;
    const ordered_json current = document(folder + "/current.yaml");
    EXPECT_EQ(current["$id"], latest["$id"]) << folder;
    EXPECT_EQ(normal(flattened(current)), normal(latest)) << folder;
    const std::string newest = latest["$id"];
    EXPECT_EQ(document(newest + ".yaml"), latest) << folder;
    EXPECT_FALSE(std::filesystem::exists(kSchemas.string() + newest.substr(0, newest.rfind('.')) + ".1.yaml"));
  }
}

TEST_F(ShippedSchemas, AreThoseOfTheShippedStreams) {
  const auto streams = make_uri_reader({})->read(source_dir() + "/config/stream-config.yaml");
  ASSERT_TRUE(streams) << streams.error().message;
  for (const auto& [stream, config] : streams->items()) {
    const std::string title = config.at("schema_title");
    EXPECT_TRUE(load("/" + title + "/latest")) << stream;
  }
  for (const std::string& uri : shipped_uris()) {
    if (uri.starts_with("/fragment/") || file_name(uri) != "latest") continue;
    const ordered_json schema = document(uri);
    for (const ordered_json& example : schema["examples"]) {
      const std::string stream = example["meta"]["stream"];
      ASSERT_TRUE(streams->contains(stream)) << uri << ": " << stream;
      EXPECT_EQ((*streams)[stream]["schema_title"], schema["title"]) << uri;
    }
  }
}

TEST_F(ShippedSchemas, HaveTheFieldsOfWikimediasWhereThoseExist) {
  const std::filesystem::path primary = shared_dir() + "/data/schema-repos/primary/jsonschema";
  if (!std::filesystem::exists(primary)) GTEST_SKIP() << "no " << primary;
  // What validation and the gate see of a schema; the texts are our own.
  const std::function<nlohmann::json(const nlohmann::json&)> rules = [&](const nlohmann::json& schema) {
    nlohmann::json result = schema;
    for (const char* text : {"title", "description", "$id", "$schema", "examples"}) {
      if (result.contains(text) && !result[text].is_object()) result.erase(text);
    }
    if (result.is_object()) {
      for (auto& [key, value] : result.items()) {
        if (value.is_object()) value = rules(value);
      }
    }
    return result;
  };
  int compared = 0;
  for (const std::string& uri : shipped_uris()) {
    const std::string name = file_name(uri);
    if (!name.ends_with(".yaml") || name[0] < '0' || name[0] > '9') continue;
    const auto theirs = make_uri_reader({})->read(primary.string() + uri);
    if (!theirs) continue;
    EXPECT_EQ(rules(normal(document(uri))), rules(normal(*theirs))) << uri;
    ++compared;
  }
  EXPECT_GE(compared, 8);
}

}  // namespace
}  // namespace eventgate
