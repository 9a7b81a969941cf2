#pragma once

#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "becomes.hpp"
#include "http_client.hpp"
#include "process_group.hpp"
#include "temporary_folder.hpp"

namespace eventgate {

/// The path of a program, or nothing.
inline std::string program_path(const std::string& name) {
  const char* const path = std::getenv("PATH");
  std::string_view rest = path == nullptr ? "" : path;
  while (!rest.empty()) {
    const std::size_t end = rest.find(':');
    const std::string candidate = std::string(rest.substr(0, end)) + "/" + name;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  return "";
}

/// A headless Chromium that is driven (W3C WebDriver, by Debian's chromium-driver), with a profile of its own. Every
/// failure throws std::runtime_error.
class WebDriver {
 public:
  using Json = nlohmann::json;

  static bool available() { return !program_path("chromedriver").empty() && !program_path("chromium").empty(); }

  WebDriver() {
    find_port();
    Json arguments = {"--headless=new",
                      "--no-sandbox",
                      "--disable-gpu",
                      "--disable-dev-shm-usage",
                      "--disable-quic",
                      "--window-size=1280,900",
                      "--no-first-run",
                      "--no-proxy-server",
                      "--disable-background-networking",
                      "--disable-component-update",
                      "--disable-sync",
                      "--user-data-dir=" + folder_.path() + "/profile"};
    const Json options = {{"binary", program_path("chromium")}, {"args", std::move(arguments)}};
    const Json always = {{"browserName", "chrome"}, {"goog:chromeOptions", options}};
    session_ =
        "/session/" +
        command("POST", "/session", {{"capabilities", {{"alwaysMatch", always}}}}).at("sessionId").get<std::string>();
  }
  void open(const std::string& uri) { command("POST", session_ + "/url", {{"url", uri}}); }

  /// Opens another window, and goes on in it. The handle of the former one, for `switch_to`.
  std::string open_window() {
    const std::string former = command("GET", session_ + "/window", nullptr);
    switch_to(command("POST", session_ + "/window/new", {{"type", "tab"}}).at("handle"));
    return former;
  }
  std::string switch_to(const std::string& window) {
    const std::string former = command("GET", session_ + "/window", nullptr);
    command("POST", session_ + "/window", {{"handle", window}});
    return former;
  }

  /// Takes the network from the page, or gives it back.
  void go_offline(bool offline) {
    const Json parameters = {
        {"offline", offline}, {"latency", 0}, {"downloadThroughput", -1}, {"uploadThroughput", -1}};
    command("POST", session_ + "/goog/cdp/execute", {{"cmd", "Network.enable"}, {"params", Json::object()}});
    command("POST", session_ + "/goog/cdp/execute",
            {{"cmd", "Network.emulateNetworkConditions"}, {"params", parameters}});
  }

  /// What the body of a function comes to in the page.
  Json run(const std::string& script) {
    return command("POST", session_ + "/execute/sync", {{"script", script}, {"args", Json::array()}});
  }

  /// Tells the page whether its reader likes it `light` or `dark`.
  void prefer(const std::string& scheme) {
    const Json feature = {{"name", "prefers-color-scheme"}, {"value", scheme}};
    const Json parameters = {{"features", Json::array({feature})}};
    command("POST", session_ + "/goog/cdp/execute", {{"cmd", "Emulation.setEmulatedMedia"}, {"params", parameters}});
  }

  /// Whether an expression becomes true in the page.
  bool becomes_true(const std::string& expression) {
    return becomes([&] { return run("return Boolean(" + expression + ")") == true; });
  }

  /// Types into what has the focus. Keys without a character are those of the specification, such as kEnter.
  void press(const std::string& keys) {
    Json actions = Json::array();
    for (std::size_t i = 0; i < keys.size();) {
      std::size_t size = 1;  // of a character in UTF-8
      while (i + size < keys.size() && (static_cast<unsigned char>(keys[i + size]) & 0xC0) == 0x80) ++size;
      for (const char* const type : {"keyDown", "keyUp"})
        actions.push_back({{"type", type}, {"value", keys.substr(i, size)}});
      i += size;
    }
    const Json keyboard = {{"type", "key"}, {"id", "keyboard"}, {"actions", std::move(actions)}};
    command("POST", session_ + "/actions", {{"actions", Json::array({keyboard})}});
  }
  /// Moves the pointer to a place of the window, in CSS pixels. With `click`, presses and releases its first button.
  void point(int x, int y, bool click = false) {
    Json actions = {{{"type", "pointerMove"}, {"duration", 0}, {"x", x}, {"y", y}}};
    if (click)
      for (const char* const type : {"pointerDown", "pointerUp"}) actions.push_back({{"type", type}, {"button", 0}});
    const Json mouse = {{"type", "pointer"},
                        {"id", "mouse"},
                        {"parameters", {{"pointerType", "mouse"}}},
                        {"actions", std::move(actions)}};
    command("POST", session_ + "/actions", {{"actions", Json::array({mouse})}});
  }

  /// The same for the middle of the element that an expression names.
  void point_at(const std::string& element, bool click = false) {
    const Json place = run("const box = (" + element + ").getBoundingClientRect();" +
                           "return [Math.round(box.left + box.width / 2), Math.round(box.top + box.height / 2)]");
    point(place[0], place[1], click);
  }

  /// What the promise that the body of a function returns comes to.
  Json run_async(const std::string& script) {
    return command("POST", session_ + "/execute/async",
                   {{"script", "const done = arguments[0]; (async () => {" + script +
                                   "})().then(done, (error) => done(String(error)))"},
                    {"args", Json::array()}});
  }

  /// Gives the page a window of this size in CSS pixels.
  void resize(int width, int height) {
    const Json parameters = {{"width", width}, {"height", height}, {"deviceScaleFactor", 1}, {"mobile", false}};
    command("POST", session_ + "/goog/cdp/execute",
            {{"cmd", "Emulation.setDeviceMetricsOverride"}, {"params", parameters}});
  }

  /// Lets pages save files, into `folder`.
  void download_to(const std::string& folder) {
    command("POST", session_ + "/goog/cdp/execute",
            {{"cmd", "Browser.setDownloadBehavior"}, {"params", {{"behavior", "allow"}, {"downloadPath", folder}}}});
  }

  /// A picture of the window: a PNG in Base64.
  std::string screenshot() { return command("GET", session_ + "/screenshot", nullptr); }

  static constexpr const char* kTab = "\ue004";
  static constexpr const char* kEnter = "\ue007";
  static constexpr const char* kEscape = "\ue00c";
  static constexpr const char* kEnd = "\ue010";
  static constexpr const char* kHome = "\ue011";
  static constexpr const char* kRight = "\ue014";
  static constexpr const char* kUp = "\ue013";
  static constexpr const char* kDown = "\ue015";

 private:
  void find_port() {
    const bool started = becomes([&] {
      const std::string text = processes_.log();
      constexpr std::string_view kStarted = "started successfully on port ";
      const std::size_t at = text.find(kStarted);
      if (at == std::string::npos || text.find('\n', at) == std::string::npos) return false;
      port_ = static_cast<std::uint16_t>(std::stoul(text.substr(at + kStarted.size())));
      return true;
    });
    if (!started) throw std::runtime_error("chromedriver does not say its port");
  }

  Json command(const std::string& method, const std::string& path, const Json& body) {
    HttpClient client(port_, std::chrono::seconds(120));
    const HttpReply reply = client.exchange(http_request(method, path, body.is_null() ? "" : body.dump(),
                                                         {"Content-Type: application/json; charset=utf-8"}));
    Json value = Json::parse(reply.body).at("value");
    if (reply.status != 200) throw std::runtime_error("WebDriver: " + path + ": " + value.dump());
    return value;
  }

  TemporaryFolder folder_;
  ProcessGroup processes_{{program_path("chromedriver"), "--port=0"}, folder_.path()};
  std::uint16_t port_ = 0;
  std::string session_;
};

}  // namespace eventgate
