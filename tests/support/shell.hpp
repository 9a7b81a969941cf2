#pragma once

#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "paths.hpp"
#include "temporary_folder.hpp"

namespace eventgate {

inline std::string file_content(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline std::vector<std::string> lines_in(const std::string& text) {
  std::vector<std::string> all;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    all.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return all;
}

/// Runs commands of sh in a folder. The program is there as `eventgate`, and `eventgate schema` as `jsonschema-tools`;
/// git has a user and no config of this machine.
class Shell {
 public:
  explicit Shell(std::string folder) : folder_(std::move(folder)) {
    add_program("jsonschema-tools", gate_binary() + " schema");
    add_program("eventgate", gate_binary());
  }

  /// The exit status; less than 0 if a signal ended it.
  int run(const std::string& command, const std::string& input = "") {
    const std::string in = tools_.write("in", input);
    const std::string script = tools_.write("script", command + "\n");
    const std::string line = "cd " + folder_ + " && PATH=" + tools_.path() +
                             ":$PATH GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.org "
                             "GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.org sh " +
                             script + " < " + in + " > " + tools_.path() + "/out 2> " + tools_.path() + "/err";
    const int status = std::system(line.c_str());
    output = file_content(tools_.path() + "/out");
    errors = file_content(tools_.path() + "/err");
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  std::string output;  ///< Of the last command.
  std::string errors;

 private:
  void add_program(const std::string& name, const std::string& command) const {
    const std::string file = tools_.write(name, "#!/bin/sh\nexec " + command + " \"$@\"\n");
    std::filesystem::permissions(file, std::filesystem::perms::owner_all);
  }

  const std::string folder_;
  TemporaryFolder tools_;
};

}  // namespace eventgate
