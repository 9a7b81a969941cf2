#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "eventgate/logging/log.hpp"

namespace eventgate {

/// The process's log goes to a fresh file while this lives.
class LogFile {
 public:
  explicit LogFile(LoggingOptions options = {}) {
    std::string pattern = testing::TempDir() + "log.XXXXXX";
    directory_ = mkdtemp(pattern.data());
    options.output = directory_ / "log";
    start_logging(options);
  }
  explicit LogFile(LogLevel level) : LogFile(at_level(level)) {}
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;
  ~LogFile() {
    start_logging({});
    std::filesystem::remove_all(directory_);
  }

  static LoggingOptions at_level(LogLevel level) {
    LoggingOptions options;
    options.level = level;
    return options;
  }

  std::vector<std::string> texts() const {
    flush_log();
    std::ifstream file(directory_ / "log");
    std::vector<std::string> result;
    for (std::string line; std::getline(file, line);) result.push_back(line);
    return result;
  }

  std::vector<nlohmann::ordered_json> lines() const {
    std::vector<nlohmann::ordered_json> result;
    for (const std::string& text : texts()) result.push_back(nlohmann::ordered_json::parse(text));
    return result;
  }

  nlohmann::ordered_json line() const { return lines().at(0); }

  /// The `msg` of each line.
  std::vector<std::string> msgs() const {
    std::vector<std::string> result;
    for (const auto& line : lines()) result.push_back(line.at("msg"));
    return result;
  }

 private:
  std::filesystem::path directory_;
};

}  // namespace eventgate
