#include <filesystem>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "eventgate/fetch/authored_document.hpp"
#include "eventgate/fetch/object_reader.hpp"
#include "eventgate/json/json_text.hpp"
#include "eventgate/json/printable.hpp"
#include "eventgate/repository/repository_lint.hpp"
#include "schema_tool.hpp"

namespace eventgate {
namespace {

/// Escapes text for a workflow command of GitHub. In properties `:` and `,` are escaped, too.
std::string escaped(std::string_view text, bool is_property) {
  std::string out;
  for (const char c : text) {
    if (c == '%')
      out += "%25";
    else if (c == '\r')
      out += "%0D";
    else if (c == '\n')
      out += "%0A";
    else if (c == ':' && is_property)
      out += "%3A";
    else if (c == ',' && is_property)
      out += "%2C";
    else
      out += c;
  }
  return out;
}

void print_json(const RepositoryProblem& problem, std::ostream& out) {
  out << "{\"file\":" << json_string(problem.file)
      << ",\"line\":" << (problem.line > 0 ? std::to_string(problem.line) : "null")
      << ",\"pointer\":" << json_string(problem.pointer) << ",\"rule\":" << json_string(problem.rule)
      << ",\"message\":" << json_string(problem.message) << "}\n";
}

void print_github(const RepositoryProblem& problem, std::ostream& out) {
  const std::string message =
      printable((problem.pointer.empty() ? "" : problem.pointer + ": ") + problem.message + " (" + problem.rule + ")");
  out << "::error file=" << escaped(printable(problem.file), true);
  if (problem.line > 0) out << ",line=" << problem.line;
  out << "::" << escaped(message, false) << '\n';
}

}  // namespace

int run_schema_test(const CommandLine& line, std::ostream& out, std::ostream& errors) {
  const auto reader = make_author_reader();
  std::error_code error;
  if (!std::filesystem::is_directory(line.repository, error))
    throw std::runtime_error("'" + line.repository + "': expected the folder of a schema repository");
  const JsonschemaToolsConfig config = find_jsonschema_tools_config(line.repository, *reader);
  for (const std::string& warning : config.warnings) errors << printable("warning: " + warning) << '\n';
  const std::vector<RepositoryProblem> problems = repository_problems(config, *reader);
  for (const RepositoryProblem& problem : problems) {
    if (line.json)
      print_json(problem, out);
    else if (line.github)
      print_github(problem, out);
    else
      out << problem.text() << '\n';
  }
  if (problems.empty() && !line.json && !line.github) out << "no problems\n";
  return problems.empty() ? 0 : 1;
}

}  // namespace eventgate
