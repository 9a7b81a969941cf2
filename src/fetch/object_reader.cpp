#include "eventgate/fetch/object_reader.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "eventgate/base/ascii.hpp"
#include "eventgate/base/percent.hpp"
#include "eventgate/fetch/authored_document.hpp"
#include "http_fetch.hpp"

namespace eventgate {
namespace {

using Text = boost::system::result<std::string, ReadError>;

std::string size_message(std::size_t max_size) { return "expected at most " + std::to_string(max_size) + " bytes"; }

ReadError file_error(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
    case ENAMETOOLONG:
      return {ReadError::Kind::not_found, "no such file"};
    default:
      return {ReadError::Kind::unavailable, std::string("expected a readable file: ") + std::strerror(error)};
  }
}

Text read_file(const std::string& path, std::size_t max_size) {
  if (path.empty() || path.find('\0') != std::string::npos) return file_error(ENOENT);
  // Non-blocking, because a FIFO without a writer would block the reader.
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (file < 0) return file_error(errno);
  const struct Closer {
    int file;
    ~Closer() { ::close(file); }
  } closer{file};
  struct stat status {};
  if (::fstat(file, &status) != 0) return file_error(errno);
  if (S_ISDIR(status.st_mode)) return ReadError{ReadError::Kind::not_found, "expected a file, found a directory"};
  if (!S_ISREG(status.st_mode)) return ReadError{ReadError::Kind::invalid, "expected a regular file"};
  std::string text;
  for (;;) {
    const std::size_t had = text.size();
    constexpr std::size_t kStep = 64 * 1024;
    text.resize(had + kStep);
    const ssize_t got = ::read(file, text.data() + had, kStep);
    text.resize(had + static_cast<std::size_t>(got > 0 ? got : 0));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return file_error(errno);
    if (text.size() > max_size) return ReadError{ReadError::Kind::invalid, size_message(max_size)};
    if (got == 0) return text;
  }
}

/// Returns the path of the file that a checked-out symbolic link names, or an empty text. Where links are disabled, Git
/// writes a file with the name of the target, and schema repositories have many links (`latest`, `1.0.0` to
/// `1.0.0.yaml`).
std::string link_target(const std::string& path, std::string_view text) {
  if (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  if (text.empty() || text.size() > 255 || text == "." || text == "..") return {};
  for (const char c : text) {
    if (!is_ascii_alphanumeric(c) && std::string_view("._-+").find(c) == std::string_view::npos) return {};
  }
  return path.substr(0, path.rfind('/') + 1).append(text);
}

/// Returns the path of a `file://` URI (RFC 8089) without `localhost`, decoded. The URI may hold a relative path, which
/// the RFC does not allow.
std::string file_uri_path(std::string_view rest) {
  if (rest.starts_with("localhost/")) rest.remove_prefix(std::string_view("localhost").size());
  return percent_decode(rest);
}

class UriReader : public ObjectReader {
 public:
  explicit UriReader(UriReaderOptions options) : options_(options), http_(std::move(options)) {}

  boost::system::result<nlohmann::ordered_json, ReadError> read(const std::string& uri) override {
    return read_until(uri, std::chrono::steady_clock::time_point::max());
  }

  boost::system::result<nlohmann::ordered_json, ReadError> read_until(
      const std::string& uri, std::chrono::steady_clock::time_point deadline) override {
    if (uri.starts_with("http://") || uri.starts_with("https://")) {
      auto text = http_.get(uri, deadline);
      if (!text) return text.error();
      return parse(*text);
    }
    constexpr std::string_view kFile = "file://";
    const bool is_file_uri = uri.starts_with(kFile);
    if (!is_file_uri && uri.find("://") != std::string::npos) {
      return ReadError{ReadError::Kind::invalid, "expected a path or a file://, http:// or https:// URI"};
    }
    const std::string path = is_file_uri ? file_uri_path(std::string_view(uri).substr(kFile.size())) : uri;
    auto text = read_file(path, options_.max_size);
    if (!text) return text.error();
    auto object = parse(*text);
    if (object) return object;
    if (const std::string target = link_target(path, *text); !target.empty()) {
      if (auto target_text = read_file(target, options_.max_size)) {
        return parse(*target_text);
      }
    }
    return object;
  }

  void stop() override { http_.stop(); }

  std::function<void()> reload_credentials() override { return http_.reload_credentials(); }

 private:
  boost::system::result<nlohmann::ordered_json, ReadError> parse(std::string_view text) const {
    return parse_object_text(text, options_.max_depth, options_.yaml_rules);
  }

  UriReaderOptions options_;
  HttpFetch http_;
};

}  // namespace

boost::system::result<nlohmann::ordered_json, ReadError> ObjectReader::read_until(
    const std::string& uri, std::chrono::steady_clock::time_point /*deadline*/) {
  return read(uri);
}

boost::system::result<std::string, ReadError> read_file_text(const std::string& path, std::size_t max_size) {
  return read_file(path, max_size);
}

std::unique_ptr<ObjectReader> make_uri_reader(UriReaderOptions options) {
  return std::make_unique<UriReader>(std::move(options));
}

std::unique_ptr<ObjectReader> make_author_reader() {
  UriReaderOptions options;
  options.yaml_rules = YamlRules::js_yaml;
  return make_uri_reader(std::move(options));
}

}  // namespace eventgate
