#include "schema_build.hpp"

#include <algorithm>
#include <filesystem>
#include <istream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>
#include <stdexcept>
#include <utility>

#include "eventgate/fetch/authored_document.hpp"
#include "eventgate/fetch/object_reader.hpp"
#include "eventgate/json/printable.hpp"
#include "eventgate/repository/version_builder.hpp"
#include "eventgate/repository/version_files.hpp"
#include "git_repository.hpp"
#include "schema_watch.hpp"

namespace eventgate {
namespace {

namespace fs = std::filesystem;
using Of = SchemaBuildOptions::Of;

/// Returns the `current` files that the paths of the command line name.
std::vector<std::string> named_currents(const std::vector<std::string>& paths, const JsonschemaToolsConfig& config) {
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    std::error_code error;
    std::string file = path;
    if (fs::is_directory(path, error)) {
      file = (fs::path(path) / config.current_file()).string();
    } else if (!fs::exists(path, error)) {
      const fs::path below = config.base() / path;
      if (!fs::is_directory(below, error))
        throw std::runtime_error("'" + path + "': expected a current, its folder, or a title in " +
                                 config.base().string());
      file = (below / config.current_file()).string();
    }
    file = fs::path(file).lexically_normal().string();
    if (std::find(files.begin(), files.end(), file) == files.end()) files.push_back(std::move(file));
  }
  return files;
}

/// Returns `file`, an absolute path from git, relative to the working directory.
std::string from_here(const std::string& file) {
  std::error_code error;
  const fs::path relative = fs::path(file).lexically_relative(fs::canonical(".", error));
  return relative.empty() ? file : relative.string();
}

bool is_in(const std::string& file, const fs::path& folder) {
  std::error_code error;
  const std::string below =
      fs::weakly_canonical(file, error).lexically_relative(fs::weakly_canonical(folder, error)).string();
  return !below.empty() && below != ".." && !below.starts_with("../");
}

std::vector<std::string> changed_currents(const JsonschemaToolsConfig& config, bool staged) {
  const GitRepository git(config.base().string());
  if (!git.found())
    throw std::runtime_error("expected a git repository, which knows what changed, around " + config.base().string() +
                             "; PATH names a current, --all builds every one");
  std::vector<std::string> files;
  for (const std::string& file : git.changed_files(staged))
    if (fs::path(file).filename() == config.current_file() && is_in(file, config.base()))
      files.push_back(from_here(file));
  return files;
}

/// Returns the currents that are not built in this run although they refer to one that is.
std::vector<std::string> dependents_of(const std::vector<MadeVersion>& all, VersionBuilder& builder,
                                       const JsonschemaToolsConfig& config, ObjectReader& reader) {
  std::vector<std::string> found;
  std::error_code error;
  if (all.empty() || !fs::is_directory(config.base(), error)) return found;
  const auto is_made = [&](const std::string& file) {
    return std::any_of(all.begin(), all.end(), [&](const MadeVersion& made) { return made.current.file == file; });
  };
  for (const std::string& file : builder.find_currents()) {
    if (is_made(file)) continue;
    const auto document = reader.read(file);
    if (!document) continue;
    const std::string text = document->dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
    for (const MadeVersion& made : all) {
      if (made.current.title.empty()) continue;
      const std::string start = "\"/" + made.current.title + '/';
      const std::size_t at = text.find("\"$ref\":" + start);
      if (at == std::string::npos) continue;
      const std::size_t begin = at + 8;
      const std::size_t end = std::min(text.find_first_of("\"#", begin), text.size());
      found.push_back(file + " refers to " + text.substr(begin, end - begin) + "; " + made.current.title + " is now " +
                      made.version);
    }
  }
  return found;
}

RepositoryProblem published(const MadeVersion& made, const VersionFile& file) {
  const auto before = read_file_text(file.path);
  if (before && says_the_same(made, *before))
    return {made.current.file, 0, "", "published-version",
            "expected " + file.path + " in the bytes that are made now; it is published and says the same in others " +
                "(--overwrite writes over it)"};
  std::vector<SemanticVersion> versions = versions_in(fs::path(file.path).parent_path().string());
  SemanticVersion own;
  read_version(made.version, own);
  if (versions.empty()) versions.push_back(own);
  const SemanticVersion next = next_version(made, before ? *before : "", std::max(own, versions.back()));
  const std::string id = made.id.substr(0, made.id.rfind('/') + 1) + next.text();
  return {made.current.file, 0, "", "published-version",
          "expected another version than " + made.version + ", because " + file.path +
              " is published and says something else: the next is " + id + " (--overwrite writes over it)"};
}

/// Returns true if a file with other content may be overwritten.
class Publication {
 public:
  Publication(bool overwrite, const std::set<std::string>* own) : overwrite_(overwrite), own_(own) {}

  bool protects(const VersionFile& file) {
    std::error_code error;
    if (overwrite_ || file.is_link || !fs::exists(file.path, error)) return false;
    const std::string folder = fs::path(file.path).parent_path().string();
    if (!git_) git_ = std::make_unique<GitRepository>(folder);
    if (git_->found()) return git_->is_committed(file.path);
    return !own_ || !own_->contains(file.path);
  }

 private:
  const bool overwrite_;
  const std::set<std::string>* const own_;
  std::unique_ptr<GitRepository> git_;
};

/// Builds and writes the versions of `currents`.
SchemaBuild build_all(const std::vector<CurrentSchema>& currents, VersionBuilder& builder,
                      const JsonschemaToolsConfig& config, const SchemaBuildOptions& options, ObjectReader& reader,
                      std::set<std::string>* own) {
  SchemaBuild build;
  for (const CurrentSchema& current : currents) builder.expect(current);
  Publication publication(options.overwrite, own);
  std::vector<MadeVersion> all;
  std::vector<VersionFile> files;
  for (const CurrentSchema& current : currents) {
    auto made = builder.made(current);
    if (!made) {
      build.problems.push_back(made.error());
      continue;
    }
    std::error_code error;
    const std::string folder = options.output_dir.empty() ? current.folder : options.output_dir;
    if (!fs::is_directory(folder, error)) {
      build.problems.push_back({current.file, 0, "", "schema-build", "expected the folder " + folder + " to write to"});
      continue;
    }
    for (VersionFile& file : files_of(*made, config, folder)) {
      build.of_versions.push_back(file.path);
      if (file.is_there()) continue;
      if (publication.protects(file)) {
        build.problems.push_back(published(*made, file));
        break;
      }
      build.files.push_back(file.path);
      files.push_back(std::move(file));
    }
    build.warnings.insert(build.warnings.end(), made->warnings.begin(), made->warnings.end());
    build.built.push_back((made->current.title.empty() ? made->id : made->current.title) + ' ' + made->version);
    all.push_back(*std::move(made));
  }
  if (!build.problems.empty()) return build;
  if (!options.dry_run && !options.check) {
    write_files(files);
    if (own) own->insert(build.files.begin(), build.files.end());
    // Files of an earlier run that are not staged yet are staged, too.
    if (options.git_add.value_or(false) && !build.of_versions.empty())
      GitRepository(fs::path(build.of_versions.front()).parent_path().string()).add(build.of_versions);
  }
  if (options.of == Of::changed || options.watch) build.dependents = dependents_of(all, builder, config, reader);
  return build;
}

int report(const SchemaBuild& build, const SchemaBuildOptions& options, std::ostream& out, std::ostream& errors) {
  for (const RepositoryProblem& warning : build.warnings) errors << "warning: " << warning.text() << '\n';
  for (const RepositoryProblem& problem : build.problems) errors << problem.text() << '\n';
  if (!build.problems.empty()) {
    errors << "nothing is written\n";
    return 1;
  }
  for (const std::string& file : build.files) {
    if (options.check)
      out << printable(file + ": expected what its current makes") << '\n';
    else if (options.dry_run)
      out << printable("would write " + file) << '\n';
    else
      errors << printable("wrote " + file) << '\n';
  }
  for (const std::string& dependent : build.dependents) errors << printable("note: " + dependent) << '\n';
  if (options.verbose)
    for (const std::string& built : build.built) errors << printable("built " + built) << '\n';
  return options.check && !build.files.empty() ? 1 : 0;
}

/// Reads the files that the command line names. A file that cannot be read is a problem.
std::vector<CurrentSchema> read_all(const std::vector<std::string>& files, const VersionBuilder& builder,
                                    std::vector<RepositoryProblem>& problems) {
  std::vector<CurrentSchema> currents;
  for (const std::string& file : files) {
    auto current = builder.read_current(file);
    if (current)
      currents.push_back(*std::move(current));
    else
      problems.push_back(current.error());
  }
  return currents;
}

int fail(const std::vector<RepositoryProblem>& problems, std::ostream& errors) {
  for (const RepositoryProblem& problem : problems) errors << problem.text() << '\n';
  return 1;
}

int dereference(const CommandLine& line, std::istream& in, std::ostream& out, std::ostream& errors) {
  const auto reader = make_author_reader();
  const JsonschemaToolsConfig config = schema_tools_config(line, *reader, errors);
  VersionBuilder builder(config, *reader);
  std::vector<RepositoryProblem> problems;
  std::vector<CurrentSchema> schemas;
  if (line.build.paths.empty())
    schemas.push_back({"standard input", "", "", input_text(in)});
  else
    schemas = read_all(named_currents(line.build.paths, config), builder, problems);
  if (!problems.empty()) return fail(problems, errors);
  const auto text =
      schemas.size() == 1 ? builder.merged(schemas.front(), "yaml", false) : builder.merged_list(schemas, "yaml");
  if (!text) return fail({text.error()}, errors);
  out << *text << std::flush;
  return 0;
}

int print_versions(const std::vector<CurrentSchema>& currents, VersionBuilder& builder, std::ostream& out,
                   std::ostream& errors) {
  for (const CurrentSchema& current : currents) {
    const auto text = builder.merged(current, "yaml", true);
    if (!text) return fail({text.error()}, errors);
    out << *text;
  }
  out.flush();
  return 0;
}

}  // namespace

std::string input_text(std::istream& in) {
  constexpr std::size_t kMaxSize = 1 << 20;
  std::string text;
  char buffer[4096];
  while (in.read(buffer, sizeof buffer) || in.gcount() > 0) {
    text.append(buffer, static_cast<std::size_t>(in.gcount()));
    if (text.size() > kMaxSize)
      throw std::runtime_error("standard input: expected at most " + std::to_string(kMaxSize) + " bytes");
  }
  return text;
}

JsonschemaToolsConfig schema_tools_config(const CommandLine& line, ObjectReader& reader, std::ostream& errors) {
  const SchemaBuildOptions& options = line.build;
  JsonschemaToolsConfig config = read_jsonschema_tools_config(options.config_paths, reader);
  for (const std::string& warning : config.warnings) errors << printable("warning: " + warning) << '\n';
  const auto from_folder = [&](const std::string& path) {
    // A path on the command line is relative to the working directory, a path in the config to its folder.
    return path.find("://") == std::string::npos ? fs::absolute(path).string() : path;
  };
  if (!line.repository.empty() && line.command == CommandLine::Command::schema_build) {
    if (config.schemaBaseUris.empty()) config.schemaBaseUris = {config.schemaBasePath};
    config.folder = ".";
    config.schemaBasePath = line.repository;
  }
  if (!options.schema_base_uris.empty()) {
    config.schemaBaseUris.clear();
    for (const std::string& uri : options.schema_base_uris)
      config.schemaBaseUris.push_back(config.folder == "." ? uri : from_folder(uri));
  }
  if (!options.content_types.empty()) config.contentTypes = options.content_types;
  if (options.schema_version_field) config.schemaVersionField = *options.schema_version_field;
  if (options.current_name) config.currentName = *options.current_name;
  if (options.no_dereference) config.shouldDereference = false;
  if (options.no_symlink_extensionless) config.shouldSymlinkExtensionless = false;
  if (options.no_symlink_latest) config.shouldSymlinkLatest = false;
  return config;
}

SchemaBuild build_schemas(const std::vector<std::string>& files, const JsonschemaToolsConfig& config,
                          const SchemaBuildOptions& options, ObjectReader& reader, std::set<std::string>* own) {
  VersionBuilder builder(config, reader);
  SchemaBuild unread;
  const std::vector<CurrentSchema> currents = read_all(files, builder, unread.problems);
  if (!unread.problems.empty()) return unread;
  return build_all(currents, builder, config, options, reader, own);
}

int run_schema_build(const CommandLine& line, std::istream& in, std::ostream& out, std::ostream& errors) {
  if (line.command == CommandLine::Command::schema_dereference) return dereference(line, in, out, errors);
  const auto reader = make_author_reader();
  const JsonschemaToolsConfig config = schema_tools_config(line, *reader, errors);
  SchemaBuildOptions options = line.build;
  options.dry_run = options.dry_run || config.dryRun;
  options.staged = options.staged || (options.of == Of::changed && config.gitStaged);
  if (!options.git_add && options.asks_config_for_git_add) options.git_add = config.shouldGitAdd;

  if (options.of == Of::input) {
    if (options.output_dir.empty())
      throw std::runtime_error(
          "expected --output-dir for a schema from standard input, or paths; `schema show --merged -` prints it");
    VersionBuilder builder(config, *reader);
    const CurrentSchema current{"standard input", options.output_dir, "", input_text(in)};
    if (options.to_output) return print_versions({current}, builder, out, errors);
    return report(build_all({current}, builder, config, options, *reader, nullptr), options, out, errors);
  }

  std::vector<std::string> files;
  switch (options.of) {
    case Of::paths:
      files = named_currents(options.paths, config);
      break;
    case Of::all:
      files = VersionBuilder(config, *reader).find_currents();
      break;
    case Of::changed:
      if (!options.watch || GitRepository(config.base().string()).found())
        files = changed_currents(config, options.staged);
      break;
    case Of::input:
      break;
  }
  if (options.watch) return watch_schemas(files, config, options, *reader, out);
  if (options.to_output || !options.output_dir.empty()) {
    VersionBuilder builder(config, *reader);
    std::vector<RepositoryProblem> problems;
    std::vector<CurrentSchema> currents = read_all(files, builder, problems);
    if (!problems.empty()) return fail(problems, errors);
    if (options.to_output) return print_versions(currents, builder, out, errors);
    for (CurrentSchema& current : currents) {  // any title is allowed
      current.folder = options.output_dir;
      current.title.clear();
    }
    return report(build_all(currents, builder, config, options, *reader, nullptr), options, out, errors);
  }
  return report(build_schemas(files, config, options, *reader, nullptr), options, out, errors);
}

}  // namespace eventgate
