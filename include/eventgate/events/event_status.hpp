#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace eventgate {

/// One thing wrong with an event, in AJV 6's form.
struct ValidationError {
  std::string keyword;
  std::string data_path;  ///< JavaScript property form: `.meta.id`, `['a-b']`, `[0]`; empty for the event itself.
  std::string
      schema_path;     ///< `#/properties/meta/properties/id/type`, or `/fragment/x/1.0.0#/...` behind a called `$ref`.
  std::string params;  ///< A JSON object's text.
  std::string message;
  /// Of an error inside `propertyNames`: the name it is about. AJV writes it last.
  std::optional<std::string> property_name = std::nullopt;
};

/// Appends `error` as AJV writes it, a JSON object.
void append_error(std::string& out, const ValidationError& error);

/// AJV's errorsText with an empty data variable: `'.test' should be string, '.meta.id' should match format "uuid"`.
std::string errors_text(const std::vector<ValidationError>& errors);

/// What is known of an event whose produce failed: see spec "delivery".
enum class Delivery : std::uint8_t {
  not_produced,  ///< It is not in Kafka and never will be.
  unknown,       ///< It may be there now or later.
};

/// What became of an event that was not produced. One that was has no status: it is counted.
struct EventStatus {
  enum class Kind : std::uint8_t { invalid, error };
  Kind kind = Kind::error;
  std::size_t index = 0;                ///< Its place in the posted array.
  std::string event;                    ///< JSON text, as completed as it got. A string of the text if it has a flaw.
  std::vector<ValidationError> errors;  ///< Of an invalid one.
  std::string message;                  ///< Of an error.
  bool has_delivery = false;            ///< An error of delivery: `delivery` says what is known.
  Delivery delivery = Delivery::not_produced;
  bool retry = true;  ///< Of an error of delivery: false if sending the event again is of no use.
};

/// Appends `status` as it stands in a reply: `{"status", "event", "context", "index"}`, `context` with `errors` and
/// `errorsText` of an invalid event, with `message` of an error, and with `delivery` of one of delivery; `retry` is
/// there if it is false.
void append_status(std::string& out, const EventStatus& status);

}  // namespace eventgate
