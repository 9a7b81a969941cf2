#include "eventgate/repository/jsonschema_tools_config.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string_view>

#include "eventgate/base/edit_distance.hpp"
#include "eventgate/fetch/object_reader.hpp"

namespace eventgate {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kFileName = ".jsonschema-tools.yaml";
constexpr const char* kKeys[] = {"schemaBasePath",
                                 "schemaBaseUris",
                                 "contentTypes",
                                 "currentName",
                                 "schemaVersionField",
                                 "schemaTitleField",
                                 "shouldDereference",
                                 "shouldSymlinkExtensionless",
                                 "shouldSymlinkLatest",
                                 "shouldGenerateExample",
                                 "enforcedNumericBounds",
                                 "ignoreSchemas",
                                 "skipSchemaTestCases",
                                 "gitStaged",
                                 "shouldGitAdd",
                                 "dryRun",
                                 "logLevel"};

std::string nearest_key(std::string_view given) {
  return *std::min_element(std::begin(kKeys), std::end(kKeys), [&](const char* a, const char* b) {
    return edit_distance(given, a) < edit_distance(given, b);
  });
}

/// Reads the keys of a file into a config.
class Reader {
 public:
  Reader(std::string file, JsonschemaToolsConfig& config) : file_(std::move(file)), config_(config) {}

  void read(const Json& object) {
    for (const auto& [key, value] : object.items()) {
      key_ = key;
      read_key(value);
    }
  }

 private:
  void read_key(const Json& value) {
    if (key_ == "schemaBasePath") {
      config_.schemaBasePath = text(value);
    } else if (key_ == "schemaBaseUris") {
      config_.schemaBaseUris = texts(value);
    } else if (key_ == "contentTypes") {
      config_.contentTypes = texts(value);
      for (const std::string& type : config_.contentTypes)
        if (type != "yaml" && type != "json") refuse("yaml or json", type);
      if (config_.contentTypes.empty()) refuse("at least one content type");
    } else if (key_ == "currentName") {
      config_.currentName = text(value);
    } else if (key_ == "schemaVersionField") {
      config_.schemaVersionField = text(value);
    } else if (key_ == "schemaTitleField") {
      config_.schemaTitleField = text(value);
    } else if (key_ == "shouldDereference") {
      config_.shouldDereference = flag(value);
    } else if (key_ == "shouldSymlinkExtensionless") {
      config_.shouldSymlinkExtensionless = flag(value);
    } else if (key_ == "shouldSymlinkLatest") {
      config_.shouldSymlinkLatest = flag(value);
    } else if (key_ == "shouldGenerateExample") {
      config_.shouldGenerateExample = flag(value);
    } else if (key_ == "gitStaged") {
      config_.gitStaged = flag(value);
    } else if (key_ == "shouldGitAdd") {
      config_.shouldGitAdd = flag(value);
    } else if (key_ == "dryRun") {
      config_.dryRun = flag(value);
    } else if (key_ == "enforcedNumericBounds") {
      config_.enforcedNumericBounds.reset();
      if (value.is_array() && value.size() == 2 && value[0].is_number() && value[1].is_number())
        config_.enforcedNumericBounds = {value[0].get<double>(), value[1].get<double>()};
      else if (!value.is_null() && value != false)
        refuse("two numbers, or false");
    } else if (key_ == "ignoreSchemas") {
      config_.ignoreSchemas = texts(value);
    } else if (key_ == "skipSchemaTestCases") {
      if (!value.is_object()) refuse("patterns of $id, each with a list of test cases");
      config_.skipSchemaTestCases.clear();
      for (const auto& [pattern, cases] : value.items())
        config_.skipSchemaTestCases.emplace_back(pattern, texts(cases));
    } else if (key_ != "logLevel") {
      config_.warnings.push_back(file_ + ": unknown key '" + key_ + "'; did you mean '" + nearest_key(key_) + "'?");
    }
  }

  [[noreturn]] void refuse(const std::string& expected, const std::string& found = "") const {
    throw std::runtime_error(file_ + ": " + key_ + ": expected " + expected +
                             (found.empty() ? "" : ", found '" + found + "'"));
  }

  std::vector<std::string> texts(const Json& list) const {
    std::vector<std::string> out;
    if (list.is_array())
      for (const Json& item : list)
        if (item.is_string()) out.push_back(item.get<std::string>());
    if (!list.is_array() || out.size() != list.size()) refuse("a list of texts");
    return out;
  }

  std::string text(const Json& value) const {
    if (!value.is_string() || value.get_ref<const std::string&>().empty()) refuse("a text");
    return value.get<std::string>();
  }

  bool flag(const Json& value) const {
    if (!value.is_boolean()) refuse("true or false");
    return value.get<bool>();
  }

  const std::string file_;
  std::string key_;
  JsonschemaToolsConfig& config_;
};

void read_file(const fs::path& file, JsonschemaToolsConfig& config, ObjectReader& reader) {
  std::error_code ignored;
  if (fs::is_empty(file, ignored)) {  // an empty file sets no option
    config.has_file = true;
    return;
  }
  const auto object = reader.read(file.string());
  if (!object) throw std::runtime_error(file.string() + ": " + object.error().message);
  Reader(file.lexically_normal().string(), config).read(*object);
  config.has_file = true;
}

std::string without_slash(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

}  // namespace

fs::path JsonschemaToolsConfig::base() const {
  return without_slash((folder / schemaBasePath).lexically_normal().string());
}

std::vector<std::string> JsonschemaToolsConfig::base_uris() const {
  if (schemaBaseUris.empty()) return {base().string()};
  std::vector<std::string> uris;
  for (const std::string& uri : schemaBaseUris)
    uris.push_back(
        without_slash(uri.find("://") == std::string::npos ? (folder / uri).lexically_normal().string() : uri));
  return uris;
}

std::string JsonschemaToolsConfig::current_file() const {
  return fs::path(currentName).extension().empty() ? currentName + '.' + contentTypes.front() : currentName;
}

JsonschemaToolsConfig read_jsonschema_tools_config(const std::vector<std::string>& files, ObjectReader& reader) {
  JsonschemaToolsConfig config;
  if (!files.empty()) {
    for (const std::string& file : files) {
      std::error_code ignored;
      if (fs::exists(file, ignored))
        read_file(file, config, reader);
      else  // the original ignores it
        config.warnings.push_back(file + ": expected a config file, found none");
    }
    return config;
  }
  std::error_code error;
  const fs::path here = fs::current_path(error);
  fs::path folder = ".";
  for (fs::path at = here; !error; at = at.parent_path()) {
    if (fs::exists(at / kFileName, error)) {
      config.folder = folder;
      read_file(folder / kFileName, config, reader);
      break;
    }
    if (at == at.parent_path()) break;
    folder = folder == "." ? fs::path("..") : folder / "..";
  }
  return config;
}

JsonschemaToolsConfig find_jsonschema_tools_config(const fs::path& directory, ObjectReader& reader) {
  const auto same_folder = [](const fs::path& a, const fs::path& b) {
    std::error_code ignored;
    return fs::equivalent(a, b, ignored);
  };
  std::error_code ignored;
  for (const fs::path& folder : {directory, fs::canonical(directory, ignored).parent_path()}) {
    if (!fs::exists(folder / kFileName, ignored)) continue;
    JsonschemaToolsConfig config;
    config.folder = folder;
    read_file(folder / kFileName, config, reader);
    if (same_folder(folder, directory) || same_folder(config.base(), directory)) return config;
  }
  JsonschemaToolsConfig config;
  config.folder = directory;
  if (fs::is_directory(directory / "jsonschema", ignored)) config.schemaBasePath = "jsonschema";
  return config;
}

}  // namespace eventgate
