// docs/config.md, made of the options' own names and defaults and of the meanings in config/config.yaml.

#include <gtest/gtest.h>

#include <cctype>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "eventgate/config/config.hpp"
#include "support/paths.hpp"

namespace eventgate {
namespace {

const std::string kReference = source_dir() + "/docs/config.md";

std::string text_of(const std::string& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// A cell of a table.
std::string cell(const std::string& text) {
  std::string result;
  for (const char c : text) result += c == '|' ? std::string("\\|") : std::string(1, c);
  return result;
}

std::string unquoted(const std::string& json) {
  return json.size() > 1 && json.front() == '"' ? json.substr(1, json.size() - 2) : json;
}

class Reference {
 public:
  explicit Reference(const Config& defaults) : defaults_(defaults.options.begin(), defaults.options.end()) {}

  std::string of(const std::string& config_yaml) {
    std::istringstream lines(config_yaml);
    for (std::string line; std::getline(lines, line);) take(line);
    end_options();
    return out_;
  }

  /// Options of which nothing was said.
  std::vector<std::string> missing() const {
    std::vector<std::string> left;
    for (const auto& [name, value] : defaults_)
      if (!told_.contains(name)) left.push_back(name);
    return left;
  }

 private:
  void take(const std::string& line) {
    if (line.starts_with("# --- ")) return begin_section(line.substr(6));
    if (!started_) return;
    const std::size_t indent = line.find_first_not_of(' ');
    if (indent == std::string::npos) return end_options();
    const bool hash = line[indent] == '#';
    const std::size_t start = indent + (hash ? 1 : 0);
    const bool option = start < line.size() && std::isalpha(static_cast<unsigned char>(line[start])) != 0;
    if (option) {
      take_option(indent, line.substr(start, line.find(':') - start));
    } else if (hash) {
      if (!names_.empty()) end_options();
      take_comment(line.substr(std::min(line.size(), start + 1)));
    }
  }

  void begin_section(const std::string& title) {
    end_options();
    started_ = true;
    // Behind the name there may be a sentence.
    const std::size_t stop = title.find(". ");
    out_ += "\n## " + title.substr(0, stop) + "\n\n";
    if (stop != std::string::npos) out_ += title.substr(stop + 2) + "\n\n";
    out_ += "| option | default | meaning |\n|---|---|---|\n";
  }

  void take_comment(const std::string& text) {
    const std::size_t first = text.find_first_not_of(' ');
    if (first == std::string::npos) return;
    // Indented: an example, which stays as it is.
    const std::string part = first > 0 ? '`' + text.substr(first) + '`' : text;
    if (!comment_.empty()) comment_ += ' ';
    comment_ += part;
  }

  void take_option(std::size_t indent, const std::string& name) {
    parents_.resize(std::min(parents_.size(), indent / 2));
    parents_.push_back(name);
    std::string path;
    for (const std::string& part : parents_) path += (path.empty() ? "" : ".") + part;
    names_.push_back(path);
  }

  void end_options() {
    std::string options, values;
    for (const std::string& name : names_) {
      const auto found = defaults_.find(name);
      if (found == defaults_.end()) continue;  // an object that holds options
      told_.insert({name, true});
      options += (options.empty() ? "`" : ", `") + name + '`';
      values += (values.empty() ? "" : ", ") +
                (found->second == "null" ? std::string("none") : '`' + cell(unquoted(found->second)) + '`');
    }
    if (!options.empty())
      out_ += "| " + options + " | " + values + " | " + cell(comment_) + " |\n";
    else if (!names_.empty())
      out_ += "| `" + names_.front() + "` | | " + cell(comment_) + " |\n";
    names_.clear();
    comment_.clear();
  }

  const std::map<std::string, std::string> defaults_;
  std::map<std::string, bool> told_;
  bool started_ = false;
  std::vector<std::string> parents_;
  std::vector<std::string> names_;
  std::string comment_;
  std::string out_;
};

TEST(ConfigReference, IsMadeOfTheOptionsAndTheShippedConfig) {
  const auto defaults = config_of(nlohmann::ordered_json::object(), "defaults");
  ASSERT_TRUE(defaults.has_value());
  Reference reference(*defaults);
  const std::string made =
      "# Options\n\n"
      "<!-- Made by `EVENTGATE_WRITE_DOCUMENTS=1 ./dev test -R ConfigReference`; the meanings are "
      "config/config.yaml's. -->\n\n"
      "Every option, with its default where a config says nothing; config/config.yaml, which is shipped, sets some of "
      "them. A file may have\n"
      "the original's layout (service-runner's, with `services: [{name, conf}]`) or these names at its top. Several "
      "`-c` are merged, later over\n"
      "earlier, object by object. Sizes are `100kb`, `4mb`, `1gb` or a number of bytes; durations `250ms`, `10s`, "
      "`5m`, `1h` or `7d`;\n"
      "`{env(NAME,default)}` stands for a variable of the environment. A wrong value is an error that names file, key, "
      "value and what was\n"
      "expected; an unknown key a warning with the nearest name. `eventgate check` tells all of them.\n" +
      reference.of(text_of(source_dir() + "/config/config.yaml"));
  EXPECT_EQ(reference.missing(), std::vector<std::string>());
  if (std::getenv("EVENTGATE_WRITE_DOCUMENTS") != nullptr) std::ofstream(kReference) << made;
  EXPECT_EQ(text_of(kReference), made) << "written anew with EVENTGATE_WRITE_DOCUMENTS=1 in the environment";
}

}  // namespace
}  // namespace eventgate
