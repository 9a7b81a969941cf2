#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <exception>
#include <future>
#include <iostream>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "check.hpp"
#include "eventgate/cli/command_line.hpp"
#include "eventgate/cli/service.hpp"
#include "eventgate/config/config.hpp"
#include "eventgate/events/json_text.hpp"
#include "eventgate/logging/logging.hpp"
#include "spool_tool.hpp"

namespace eventgate {
namespace {

/// Watches for SIGTERM and SIGINT: the first asks to stop, the second ends the process at once. Made before any other
/// thread, so that these have the signals blocked.
class StopSignals {
 public:
  StopSignals() {
    ::signal(SIGPIPE, SIG_IGN);
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    std::thread([first = first_, signals] {
      first->name.set_value(next(signals));
      first->stop.request_stop();
      log(LogLevel::fatal, "ended at once by a second signal", {{"signal", std::string_view(next(signals))}});
      flush_log();
      ::_exit(1);
    }).detach();
  }

  /// Asked to stop by the first.
  std::stop_token stop() const { return first_->stop.get_token(); }

  /// Blocks until the first. Returns its name. Once.
  const char* wait() const { return first_->name.get_future().get(); }

 private:
  struct First {
    std::promise<const char*> name;
    std::stop_source stop;
  };

  static const char* next(const sigset_t& signals) {
    int signal = 0;
    while (sigwait(&signals, &signal) != 0) continue;
    return signal == SIGTERM ? "SIGTERM" : "SIGINT";
  }

  const std::shared_ptr<First> first_ = std::make_shared<First>();
};

int fail(const std::string& message) {
  flush_log();
  std::cerr << "eventgate: " << message << std::endl;
  return 1;
}

int serve(Config config) {
  const StopSignals signals;
  start_logging(config.logging);
  for (const std::string& warning : config.warnings) log(LogLevel::warn, warning);
  const std::string interface = config.http.interface;
  std::optional<Service> started;
  try {
    started.emplace(std::move(config), signals.stop());
  } catch (const std::exception&) {
    if (!signals.stop().stop_requested()) throw;
    log(LogLevel::info, "stopped before it served", {{"signal", std::string_view(signals.wait())}});
    flush_log();
    return 0;
  }
  Service& service = *started;
  if (const auto metrics_port = service.metrics_port()) {
    log(LogLevel::info, "listening",
        {{"interface", std::string_view(interface)},
         {"port", static_cast<long long>(service.port())},
         {"metrics_port", static_cast<long long>(*metrics_port)}});
  } else {
    log(LogLevel::info, "listening",
        {{"interface", std::string_view(interface)}, {"port", static_cast<long long>(service.port())}});
  }
  flush_log();
  log(LogLevel::info, "stop asked for", {{"signal", std::string_view(signals.wait())}});
  const bool drained = service.stop();
  flush_log();
  return drained ? 0 : 1;
}

int check(const std::vector<std::string>& files, bool as_json) {
  std::vector<std::string> problems, warnings;
  auto read = read_config(files);
  if (!read) problems = std::move(read.error().problems);
  const Config* const config = read ? &*read : read.error().rest.get();
  if (config) {
    LoggingOptions quiet = config->logging;
    quiet.output = "/dev/null";  // what goes wrong is in the problems
    start_logging(quiet);
    warnings = config->warnings;
    for (std::string& problem : problems_of(*config)) problems.push_back(std::move(problem));
  }
  if (as_json) {
    const auto print_list = [](const char* name, const std::vector<std::string>& texts) {
      std::cout << '"' << name << "\":[";
      for (std::size_t i = 0; i < texts.size(); ++i) std::cout << (i > 0 ? "," : "") << json_string(texts[i]);
      std::cout << ']';
    };
    std::cout << '{';
    print_list("problems", problems);
    std::cout << ',';
    print_list("warnings", warnings);
    std::cout << "}\n";
  } else {
    for (const std::string& warning : warnings) std::cout << "warning: " << warning << '\n';
    for (const std::string& problem : problems) std::cout << "problem: " << problem << '\n';
    if (problems.empty()) std::cout << "no problems\n";
  }
  std::cout.flush();
  return problems.empty() ? 0 : 1;
}

int run(const std::vector<std::string>& arguments) {
  const auto line = parse_command_line(arguments);
  if (!line) {
    std::cerr << "eventgate: " << line.error().message << "\n\n" << usage_text() << std::flush;
    return 2;
  }
  switch (line->command) {
    case CommandLine::Command::serve: {
      auto config = read_config(line->files);
      if (config) return serve(std::move(*config));
      std::string all;
      for (const std::string& problem : config.error().problems) all += (all.empty() ? "" : "\n") + problem;
      return fail(all);
    }
    case CommandLine::Command::check:
      return check(line->files, line->json);
    case CommandLine::Command::spool: {
      const int status = run_spool_tool(*line, std::cout);
      std::cout.flush();
      return status;
    }
    case CommandLine::Command::version:
      std::cout << version_text() << std::flush;
      return 0;
    case CommandLine::Command::help:
      std::cout << usage_text() << std::flush;
      return 0;
  }
  return 1;
}

}  // namespace
}  // namespace eventgate

int main(int argc, char** argv) {
  try {
    return eventgate::run(std::vector<std::string>(argv + 1, argv + argc));
  } catch (const std::exception& e) {
    return eventgate::fail(e.what());
  }
}
