#include "eventgate/streams/stream_settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace eventgate {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> mistakes(const char* declaration) {
  return misplaced_settings(nlohmann::ordered_json::parse(declaration));
}

TEST(StreamSettings, AKeyThatDiffersByALetterOrTwoIsNamedWithTheRightOne) {
  EXPECT_THAT(mistakes(R"({"schema_titel": "a"})"), ElementsAre("'schema_titel': expected `schema_title`"));
  EXPECT_THAT(mistakes(R"({"message_key_field": {}})"),
              ElementsAre("'message_key_field': expected `message_key_fields`"));
  EXPECT_THAT(mistakes(R"({"producers": {"event_gate": {}}})"),
              ElementsAre("'producers.event_gate': expected `eventgate`"));
  EXPECT_THAT(mistakes(R"({"producers": {"eventgate": {"enrich_field_from_http_header": {}}}})"),
              ElementsAre("'producers.eventgate.enrich_field_from_http_header': expected "
                          "`enrich_fields_from_http_headers`"));
}

TEST(StreamSettings, AKeyInTheWrongPlaceIsNamedWithTheRightOne) {
  EXPECT_THAT(mistakes(R"({"eventgate": {}})"), ElementsAre("'eventgate': expected in `producers`"));
  EXPECT_THAT(mistakes(R"({"producers": {"enrich_fields_from_http_headers": {}, "schema_title": "a"}})"),
              ElementsAre("'producers.enrich_fields_from_http_headers': expected in `producers.eventgate`",
                          "'producers.schema_title': expected in the declaration of the stream itself"));
}

TEST(StreamSettings, SettingsOfOthersAreNoMistake) {
  EXPECT_THAT(
      mistakes(R"({"schema_title": "a", "destination_event_service": "b", "topics": [], "canary_events_enabled": true,
                           "sample": {"schema_title": 1}, "producers": {"metrics_platform_client": {"events": []}},
                           "consumers": {"eventgate": {}}, "stream": "a", "topic_prefixes": ["a."]})"),
      IsEmpty());
  // A near one beside the right one is another's, too.
  EXPECT_THAT(mistakes(R"({"schema_title": "a", "schema_titles": []})"), IsEmpty());
  EXPECT_THAT(mistakes("5"), IsEmpty());
  EXPECT_THAT(mistakes(R"({"producers": []})"), IsEmpty());
}

}  // namespace
}  // namespace eventgate
