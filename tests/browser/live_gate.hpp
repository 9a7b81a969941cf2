#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "support/gate_process.hpp"
#include "support/http_client.hpp"
#include "support/paths.hpp"
#include "support/web_driver.hpp"

// What the tests of the live page share: a gate, events, and what is in the page.

namespace eventgate {

inline constexpr const char* kNoDriver =
    "NO DRIVER HERE: the pages are not tested in a browser (Debian: chromium and chromium-driver)";

inline std::string shipped_config() { return source_dir() + "/config/config.yaml"; }

/// A gate with a live page, without Kafka unless `config` names one.
class LiveGate {
 public:
  explicit LiveGate(const std::string& config = "output_path: /dev/null\n", std::uint16_t port = 0)
      : process({shipped_config()}, "live: true\n" + config, {}, port) {}

  std::string uri(const std::string& target) const {
    return "http://127.0.0.1:" + std::to_string(process.port()) + target;
  }
  std::string page(const std::string& query = "") const { return uri("/live" + query); }
  unsigned post(const std::string& event, const std::string& query = "") const {
    return HttpClient(process.port()).post("/v1/events" + query, event).status;
  }

  GateProcess process;
};

/// An event whose member `test` is the JSON text `test`.
inline std::string test_event(const std::string& test, const std::string& stream = "test.event") {
  return R"({"$schema":"/test/event/1.0.0","meta":{"stream":")" + stream + R"("},"test":)" + test + "}";
}

// Scripts.

/// The events in the list, the newest first, as their outcome, stream, schema and notes.
inline constexpr const char* kListed =
    "return shown.slice().reverse().map(event => [event.outcome, event.stream || 'no stream', event.schema_uri || "
    "'no schema', ...noteTexts(event)].join(' '))";

inline constexpr const char* kConnected = "document.getElementById('state').textContent.startsWith('Connected')";

/// True if so many events are listed, and those in sight are drawn: 20 at least.
inline std::string listed(std::size_t count) {
  return "shown.length === " + std::to_string(count) +
         " && document.querySelectorAll('.row').length >= " + std::to_string(std::min<std::size_t>(count, 20));
}

/// Opens an event of the list, the newest being 0.
inline std::string opening(std::size_t place) { return "open(eventAt(" + std::to_string(place) + "));"; }

/// Shows a view of the opened event.
inline std::string tab(const std::string& name) { return "document.getElementById('tab-" + name + "').click();"; }

/// Sets a filter as somebody does who types and leaves the field.
inline std::string filter(const std::string& id, const std::string& value) {
  return "{ const field = document.getElementById('" + id + "'); field.value = '" + value +
         "'; field.dispatchEvent(new Event('change')); }";
}

inline std::string text_of(const std::string& id) { return "return document.getElementById('" + id + "').textContent"; }

}  // namespace eventgate
