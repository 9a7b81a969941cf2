#include "json_document.hpp"

#include <utility>
#include <vector>

#include "document_frame.hpp"
#include "eventgate/base/ordered_json.hpp"
#include "eventgate/fetch/js_yaml_scalar.hpp"

namespace eventgate {
namespace {

using Json = nlohmann::ordered_json;

/// Builds the document from nlohmann's events. nlohmann's own builder accepts duplicate keys and any depth.
class JsonBuilder : public nlohmann::json_sax<Json> {
 public:
  JsonBuilder(std::size_t max_depth, YamlRules rules) : max_depth_(max_depth), rules_(rules) {}

  Json root;
  std::string error;
  bool syntax_error = false;

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t& text) override {
    return add(rules_ == YamlRules::js_yaml ? js_yaml_value(text) : Json(value));
  }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool binary(binary_t&) override { return false; }

  bool start_object(std::size_t) override { return open(Json::object()); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    DocumentFrame& frame = frames_.back();
    frame.key = std::move(name);
    frame.has_key = true;
    if (frame.members.emplace(frame.key, frame.members.size()).second) return true;
    error = "expected each key once in an object, found a second '" + pointer_of(frames_) + "'";
    return false;
  }

  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& exception) override {
    std::string_view what = exception.what();
    if (const auto end = what.find("] "); end != std::string_view::npos) what.remove_prefix(end + 2);
    error = message_text(what);
    syntax_error = true;
    return false;
  }

 private:
  bool add(Json value) {
    if (frames_.empty()) {
      root = std::move(value);
      return true;
    }
    DocumentFrame& frame = frames_.back();
    if (frame.value.is_array()) {
      frame.value.push_back(std::move(value));
    } else {
      append_member(frame.value, std::move(frame.key), std::move(value));
      frame.has_key = false;
    }
    return true;
  }

  bool open(Json value) {
    if (frames_.size() >= max_depth_) {
      error = depth_message(max_depth_, frames_);
      return false;
    }
    frames_.emplace_back().value = std::move(value);
    return true;
  }

  bool close() {
    Json value = std::move(frames_.back().value);
    frames_.pop_back();
    return add(std::move(value));
  }

  std::size_t max_depth_;
  const YamlRules rules_;
  std::vector<DocumentFrame> frames_;
};

}  // namespace

JsonDocument parse_json_document(std::string_view text, std::size_t max_depth, YamlRules rules) {
  JsonBuilder builder(max_depth, rules);
  if (Json::sax_parse(text.begin(), text.end(), &builder)) return {std::move(builder.root), {}, false};
  return {Json(), std::move(builder.error), builder.syntax_error};
}

}  // namespace eventgate
