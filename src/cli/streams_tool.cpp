#include "streams_tool.hpp"

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <ostream>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "config_files.hpp"
#include "eventgate/fetch/object_reader.hpp"
#include "eventgate/json/printable.hpp"
#include "eventgate/streams/stream_catalog.hpp"
#include "eventgate/streams/stream_documents.hpp"

namespace eventgate {
namespace {

using Json = nlohmann::ordered_json;
using Settings = std::map<std::string, std::string>;  // dotted path to the value's JSON text

/// Adds the values of `object` by dotted path. Lists are values.
void flatten(const Json& object, const std::string& path, Settings& out) {
  if (!object.is_object() || object.empty()) {
    out.emplace(path, object.dump(-1, ' ', false, Json::error_handler_t::replace));
    return;
  }
  for (const auto& [key, value] : object.items()) flatten(value, path.empty() ? key : path + '.' + key, out);
}

Settings settings_of(const Json& declaration) {
  Settings settings;
  flatten(declaration, "", settings);
  return settings;
}

/// Appends a line for each setting of `stream` that differs.
void append_changes(const std::string& stream, const Json& before, const Json& after, std::string& out) {
  const Settings old_settings = settings_of(before), new_settings = settings_of(after);
  std::set<std::string> paths;
  for (const auto& [path, value] : old_settings) paths.insert(path);
  for (const auto& [path, value] : new_settings) paths.insert(path);
  const auto value_at = [](const Settings& settings, const std::string& path) {
    const auto found = settings.find(path);
    return found == settings.end() ? std::string("(none)") : found->second;
  };
  for (const std::string& path : paths) {
    const std::string from = value_at(old_settings, path), to = value_at(new_settings, path);
    if (from != to) out += "  ~ " + printable(stream + ' ' + path + ": " + from + " -> " + to) + '\n';
  }
}

/// Returns a line for each difference: `+` a new stream, `-` one that is taken out, `~` a setting.
std::string changes(const Json& before, const Json& after) {
  std::map<std::string, std::pair<const Json*, const Json*>> streams;
  for (const auto& [name, settings] : before.items()) streams[name].first = &settings;
  for (const auto& [name, settings] : after.items()) streams[name].second = &settings;
  std::string text;
  for (const auto& [name, both] : streams) {
    if (!both.first) {
      text += "  + " + printable(name) + '\n';
    } else if (!both.second) {
      text += "  - " + printable(name) + '\n';
    } else {
      append_changes(name, *both.first, *both.second, text);
    }
  }
  return text;
}

/// Returns `uris` with `file` in place of the one that has the same file name, else of the last.
std::vector<std::string> replaced(std::vector<std::string> uris, const std::string& file) {
  const auto name = std::filesystem::path(file).filename();
  for (std::string& uri : uris) {
    if (std::filesystem::path(uri).filename() != name) continue;
    uri = file;
    return uris;
  }
  uris.back() = file;
  return uris;
}

int print_changes(const WikiDeclarations& before, const WikiDeclarations& after, const std::string& only,
                  std::ostream& out) {
  std::set<std::string> wikis{"default"};
  for (const WikiDeclarations* const declarations : {&before, &after})
    for (const std::string& wiki : declarations->wikis()) wikis.insert(wiki);
  if (!only.empty()) wikis = {only};
  std::map<std::string, std::string> wikis_by_changes;
  for (const std::string& wiki : wikis) {
    const std::string text = changes(before.of(wiki), after.of(wiki));
    if (text.empty()) continue;
    std::string& names = wikis_by_changes[text];
    names += (names.empty() ? "" : ", ") + wiki;
  }
  if (wikis_by_changes.empty()) out << "no changes\n";
  for (const auto& [text, names] : wikis_by_changes) out << names << ":\n" << text;
  return 0;
}

}  // namespace

int run_streams(const CommandLine& line, std::ostream& out) {
  const Config config = config_of(line.files);
  log_nothing(config.logging);
  const StreamConfigOptions& options = config.streams;
  if (options.stream_config_uri.empty()) throw std::runtime_error("expected `stream_config_uri` in the config");
  if (!line.wiki.empty() && !is_wiki_name(line.wiki))
    throw std::runtime_error("--wiki: expected 1 to 64 of a-z, 0-9, '_', '-'");
  const auto reader = make_uri_reader(config.stream_reader);
  const WikiDeclarations declarations = read_declarations(options, options.stream_config_uri, *reader);
  if (!line.diff.empty()) {
    const auto uris = replaced(options.stream_config_uri, line.diff);
    return print_changes(declarations, read_declarations(options, uris, *reader), line.wiki, out);
  }
  const StreamCatalog catalog(declarations);
  std::vector<std::string> unknown;
  const std::string& wiki = line.wiki.empty() ? options.stream_config_wiki : line.wiki;
  const auto streams = parse_object_text(catalog.of(wiki).json({}, unknown));
  if (!streams) throw std::runtime_error(streams.error().message);
  out << streams->dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
  return 0;
}

}  // namespace eventgate
