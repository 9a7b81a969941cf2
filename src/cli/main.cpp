#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <iostream>
#include <iterator>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "canary_tool.hpp"
#include "check.hpp"
#include "eventgate/cli/command_line.hpp"
#include "eventgate/cli/service.hpp"
#include "eventgate/config/config.hpp"
#include "eventgate/json/json_text.hpp"
#include "eventgate/logging/log.hpp"
#include "health.hpp"
#include "schema_build.hpp"
#include "schema_tool.hpp"
#include "service_manager.hpp"
#include "spool_tool.hpp"
#include "streams_tool.hpp"
#include "tables_tool.hpp"
#include "validate.hpp"

namespace eventgate {
namespace {

/// Waits for signals on a thread of its own. The first SIGTERM or SIGINT requests a stop, the second ends the process
/// at once, and SIGHUP requests a reload. Other signals that would end the process are a warning. Create it before any
/// other thread, because threads inherit the blocked signals.
class Signals {
 public:
  Signals() {
    ::signal(SIGPIPE, SIG_IGN);
    sigset_t signals;
    sigemptyset(&signals);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGALRM}) sigaddset(&signals, signal);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    std::thread([seen = seen_, signals] {
      for (;;) {
        int signal = 0;
        while (sigwait(&signals, &signal) != 0) continue;
        seen->note(signal);
      }
    }).detach();
  }

  /// Returns the token that SIGTERM or SIGINT sets.
  std::stop_token stop() const { return seen_->stop.get_token(); }

  /// Blocks until a signal asks for something. Returns the name of the signal that stops the service, or nullopt after
  /// one or more SIGHUPs.
  std::optional<const char*> wait() const {
    std::unique_lock lock(seen_->mutex);
    seen_->changed.wait(lock, [this] { return seen_->first || seen_->hangup; });
    if (!seen_->first) seen_->hangup = false;
    return seen_->first;
  }

 private:
  struct Seen {
    void note(int signal) {
      if (signal != SIGTERM && signal != SIGINT && signal != SIGHUP) {
        log(LogLevel::warn, "A signal means nothing here: SIGHUP reads files again, SIGTERM stops",
            {{"signal", std::string_view(sigdescr_np(signal))}});
        return;
      }
      const char* const name = signal == SIGTERM ? "SIGTERM" : "SIGINT";
      {
        const std::lock_guard lock(mutex);
        if (signal == SIGHUP) {
          hangup = true;
        } else if (!first) {
          first = name;
        } else {
          log(LogLevel::fatal, "ended at once by a second signal", {{"signal", std::string_view(name)}});
          flush_log(std::chrono::milliseconds(200));
          ::_exit(1);
        }
      }
      changed.notify_all();
      if (signal != SIGHUP) stop.request_stop();
    }

    std::mutex mutex;
    std::condition_variable changed;
    std::optional<const char*> first;
    bool hangup = false;
    std::stop_source stop;
  };

  const std::shared_ptr<Seen> seen_ = std::make_shared<Seen>();
};

/// Writes `text` to standard error, and gives up if it takes nothing for 2 s.
void write_error(std::string_view text) {
  while (!text.empty()) {
    pollfd ready{STDERR_FILENO, POLLOUT, 0};
    const int found = ::poll(&ready, 1, 2000);
    if (found < 0 && errno == EINTR) continue;
    if (found <= 0) return;
    const ssize_t size = ::write(STDERR_FILENO, text.data(), std::min<std::size_t>(text.size(), PIPE_BUF));
    if (size > 0) {
      text.remove_prefix(static_cast<std::size_t>(size));
    } else if (size == 0 || (errno != EINTR && errno != EAGAIN)) {
      return;
    }
  }
}

int fail(const std::string& message) {
  flush_log();
  write_error("eventgate: " + message + "\n");
  return 1;
}

std::string joined(const std::vector<std::string>& problems) {
  std::string all;
  for (const std::string& problem : problems) all += (all.empty() ? "" : "\n") + problem;
  return all;
}

/// Blocks until it is asked to stop. The signal's name.
const char* serve_until_stop(const Signals& signals, const std::vector<std::string>& files, Service& service,
                             ServiceManager& manager) {
  for (;;) {
    if (const auto signal = signals.wait()) return *signal;
    manager.reloading();
    manager.reloaded(service.reload(files, signals.stop()));
  }
}

/// Logs what a person opens, with `--dev`.
void say_where(const std::string& interface, std::uint16_t port, bool has_live) {
  const bool is_any = interface == "0.0.0.0" || interface == "::";
  const std::string host = is_any                                     ? "127.0.0.1"
                           : interface.find(':') != std::string::npos ? '[' + interface + ']'
                                                                      : interface;
  const std::string url = "http://" + host + ':' + std::to_string(port);
  log(LogLevel::info, "Schemas and stream configs are looked at each second (--dev)",
      {{"events", url + "/v1/events"},
       {"live", has_live ? url + "/live" : std::string("off")},
       {"documentation", url + "/?doc"}});
}

int serve(const std::vector<std::string>& files, Config config) {
  const Signals signals;
  start_logging(config.logging);
  start_log_thread();
  const std::chrono::milliseconds shutdown_timeout = config.shutdown_timeout;
  for (const std::string& warning : config.warnings) log(LogLevel::warn, warning);
  const std::optional<int> socket = inherited_socket();
  const std::string interface = config.http.interface;
  const std::string metrics_interface =
      config.http.metrics_interface.empty() ? interface : config.http.metrics_interface;
  const std::uint16_t port = config.http.port;
  const bool is_dev = config.dev;
  const bool has_live = config.live;
  std::optional<Service> started;
  ServiceManager manager(config.startup_timeout);
  manager.status("starting: schemas and stream configs are read");
  try {
    started.emplace(std::move(config), signals.stop(), socket);
  } catch (const std::exception&) {
    if (!signals.stop().stop_requested()) throw;
    std::optional<const char*> signal;
    while (!signal) signal = signals.wait();
    log(LogLevel::info, "stopped before it served", {{"signal", std::string_view(*signal)}});
    flush_log(shutdown_timeout);
    return 0;
  }
  Service& service = *started;
  if (socket && port != 0 && port != service.port()) {
    log(LogLevel::warn, "The port of the inherited socket counts, not `port`",
        {{"port", static_cast<long long>(port)}});
  }
  if (const auto metrics_port = service.metrics_port()) {
    log(LogLevel::info, "listening",
        {{"interface", std::string_view(interface)},
         {"port", static_cast<long long>(service.port())},
         {"metrics_port", static_cast<long long>(*metrics_port)},
         {"metrics_interface", std::string_view(metrics_interface)}});
  } else {
    log(LogLevel::info, "listening",
        {{"interface", std::string_view(interface)}, {"port", static_cast<long long>(service.port())}});
  }
  if (is_dev) say_where(interface, service.port(), has_live);
  manager.watch({[&service] { return service.not_ready_reason(); }, [&service] { return service.stale(); },
                 [&service](const std::function<void()>& done) { service.turn(done); }});
  const char* const signal = serve_until_stop(signals, files, service, manager);
  const auto deadline = std::chrono::steady_clock::now() + shutdown_timeout;
  manager.stopping();
  log(LogLevel::info, "stop asked for", {{"signal", std::string_view(signal)}});
  const bool drained = service.stop();
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  flush_log(std::max(left, std::chrono::milliseconds(0)));
  return drained ? 0 : 1;
}

int check(const std::vector<std::string>& files, bool as_json, const std::string& wiki) {
  std::vector<std::string> problems, warnings;
  auto read = read_config(files);
  if (!read) problems = std::move(read.error().problems);
  const Config* const config = read ? &*read : read.error().rest.get();
  if (config) {
    LoggingOptions quiet = config->logging;
    quiet.output = "/dev/null";  // what goes wrong is in the problems
    start_logging(quiet);
    warnings = config->warnings;
    // Where the gate starts they are warnings; whoever checks wants the config as it will be.
    for (const std::string& unset : config->unset_variables) {
      std::erase(warnings, unset);
      problems.push_back(unset);
    }
    Findings found = findings_of(*config, wiki);
    std::move(found.problems.begin(), found.problems.end(), std::back_inserter(problems));
    std::move(found.warnings.begin(), found.warnings.end(), std::back_inserter(warnings));
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

/// Whether the gate of this config answers on this host.
int check_health(const std::vector<std::string>& files) {
  auto config = read_config(files);
  if (!config) return fail(joined(config.error().problems));
  const auto problem = health_problem(config->http);
  return problem ? fail(*problem) : 0;
}

/// The exit status, once all output is out.
int finished(int status) {
  std::cout.flush();
  return status;
}

int run(const std::vector<std::string>& arguments) {
  const auto line = parse_command_line(arguments);
  if (!line) {
    std::cerr << "eventgate: " << line.error().message << "\nTry: " << line.error().command << " --help" << std::endl;
    return 2;
  }
  switch (line->command) {
    case CommandLine::Command::serve: {
      auto config = read_config(line->files, line->dev ? ConfigUse::development : ConfigUse::service);
      if (config) return serve(line->files, std::move(*config));
      return fail(joined(config.error().problems));
    }
    case CommandLine::Command::check:
      return check(line->files, line->json, line->wiki);
    case CommandLine::Command::health:
      return check_health(line->files);
    case CommandLine::Command::validate:
      return run_validate(*line, std::cout, std::cerr);
    case CommandLine::Command::streams:
      return finished(run_streams(*line, std::cout));
    case CommandLine::Command::canary:
      return finished(run_canary(*line, std::cout, std::cerr));
    case CommandLine::Command::schema_build:
    case CommandLine::Command::schema_dereference:
      return run_schema_build(*line, std::cin, std::cout, std::cerr);
    case CommandLine::Command::schema_new:
      return finished(run_schema_new(*line, std::cout));
    case CommandLine::Command::schema_show:
      return finished(run_schema_show(*line, std::cin, std::cout));
    case CommandLine::Command::schema_diff:
      return finished(run_schema_diff(*line, std::cout));
    case CommandLine::Command::schema_types:
      return finished(run_schema_types(*line, std::cout));
    case CommandLine::Command::schema_test:
      return finished(run_schema_test(*line, std::cout, std::cerr));
    case CommandLine::Command::spool:
      return finished(run_spool_tool(*line, std::cout));
    case CommandLine::Command::tables:
      return finished(run_tables(*line, std::cout, std::cerr));
    case CommandLine::Command::tables_compact:
      return finished(run_tables_compact(*line, std::cout, std::cerr));
    case CommandLine::Command::tables_publish:
      return finished(run_tables_publish(*line, std::cout, std::cerr));
    case CommandLine::Command::tables_purge:
      return finished(run_tables_purge(*line, std::cout, std::cerr));
    case CommandLine::Command::version:
      std::cout << version_text() << std::flush;
      return 0;
    case CommandLine::Command::help:
      std::cout << line->help << std::flush;
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
