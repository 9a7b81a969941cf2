// The documents of schemas, for those who look at them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "eventgate/repository/schema_repository.hpp"
#include "eventgate/telemetry/metrics.hpp"
#include "eventgate/telemetry/telemetry.hpp"
#include "support/fake_object_reader.hpp"

namespace eventgate {
namespace {

using testing::HasSubstr;
using DereferenceStart = SchemaRepository::DereferenceStart;

class SchemaDocumentTest : public testing::Test {
 protected:
  void start(const std::string& base) {
    SchemaOptions options;
    options.schema_base_uris = {base};
    repository_.emplace(options, reader_, telemetry_);
  }

  void load(const std::string& uri) {
    std::promise<bool> loaded;
    repository_->load(uri, [&](const SchemaResult& result) { loaded.set_value(result.has_value()); });
    EXPECT_TRUE(loaded.get_future().get());
  }

  struct Begun {
    DereferenceStart reading;
    std::future<std::string> outcome;  ///< The text, or `failed: ` and the reason; `changed: ` before it.
  };
  Begun begin(const std::string& uri) {
    const auto outcome = std::make_shared<std::promise<std::string>>();
    const DereferenceStart reading = repository_->begin_dereferencing(
        uri, SchemaRepository::Dereferenceable::cached, [outcome](const SchemaDocument& document) {
          const SchemaText& text = document.text;
          outcome->set_value((document.has_changed ? "changed: " : "") +
                             (text ? *text : "failed: " + text.error().reason));
        });
    return {reading, outcome->get_future()};
  }

  std::shared_ptr<FakeObjectReader> reader_ = std::make_shared<FakeObjectReader>();
  Metrics metrics_{"test"};
  Telemetry telemetry_{metrics_};
  std::optional<SchemaRepository> repository_;
};

TEST_F(SchemaDocumentTest, IsWhatDereferencedGives) {
  start("/base");
  reader_->put("/base/a/1.0.0", R"({"title":"a","allOf":[{"$ref":"/b/1.0.0#"}],"maximum":9007199254740993})");
  reader_->put("/base/b/1.0.0", R"({"title":"b"})");
  load("/a/1.0.0");
  for (const std::string uri : {"/a/1.0.0", "a/1.0.0", "/a/1.0.0#"})
    EXPECT_EQ(begin(uri).outcome.get(), *repository_->dereferenced(uri)) << uri;
  EXPECT_EQ(begin("/a/1.0.0").outcome.get(), R"({
  "title": "a",
  "allOf": [
    {
      "title": "b"
    }
  ],
  "maximum": 9007199254740993
}
)");
}

TEST_F(SchemaDocumentTest, TellsWhetherItChangedSinceItWasLoaded) {
  start("/base");
  reader_->put("/base/a/1.0.0", R"({"title":"a","allOf":[{"$ref":"/b/1.0.0#"}]})");
  reader_->put("/base/b/1.0.0", R"({"title":"b"})");
  load("/a/1.0.0");
  EXPECT_THAT(begin("/a/1.0.0").outcome.get(), testing::StartsWith("{"));
  reader_->put("/base/b/1.0.0", R"({"title":"c"})");
  EXPECT_THAT(begin("/a/1.0.0").outcome.get(), testing::StartsWith("changed: {"));
  reader_->put("/base/b/1.0.0", R"({"type":"none"})");
  EXPECT_THAT(begin("/a/1.0.0").outcome.get(), testing::StartsWith("changed: failed: "));
}

TEST_F(SchemaDocumentTest, OfASchemaThatIsNotKeptNothingIsRead) {
  start("/base");
  reader_->put("/base/a/1.0.0", R"({"title":"a"})");
  for (const std::string uri : {"/a/1.0.0", "", "/../etc/passwd", "http://host/a/1.0.0"})
    EXPECT_EQ(begin(uri).reading, DereferenceStart::not_cached) << uri;
  EXPECT_THAT(reader_->reads(), testing::IsEmpty());
}

TEST_F(SchemaDocumentTest, WhatCannotBeReadAnyMoreIsAFailure) {
  start("/base");
  reader_->put("/base/a/1.0.0", R"({"title":"a"})");
  load("/a/1.0.0");
  reader_->remove("/base/a/1.0.0");
  EXPECT_EQ(begin("/a/1.0.0").outcome.get(), "changed: failed: ");
  reader_->fail("/base", ReadError::Kind::unavailable, "it is down");
  EXPECT_EQ(begin("/a/1.0.0").outcome.get(), "changed: failed: /base/a/1.0.0 is unavailable: it is down");
}

TEST_F(SchemaDocumentTest, TwoAreReadAtATimeAndLoadsGoOnBeside) {
  start("http://host");
  reader_->put("http://host/a/1.0.0", R"({"title":"a"})");
  reader_->put("http://host/b/1.0.0", R"({"title":"b"})");
  load("/a/1.0.0");
  reader_->hold("http://host/a");
  Begun first = begin("/a/1.0.0"), second = begin("/a/1.0.0");
  EXPECT_EQ(first.reading, DereferenceStart::started);
  EXPECT_EQ(second.reading, DereferenceStart::started);
  EXPECT_EQ(begin("/a/1.0.0").reading, DereferenceStart::too_many);
  load("/b/1.0.0");
  reader_->release();
  EXPECT_THAT(first.outcome.get(), HasSubstr("\"a\""));
  EXPECT_THAT(second.outcome.get(), HasSubstr("\"a\""));
  Begun third = begin("/a/1.0.0");
  EXPECT_EQ(third.reading, DereferenceStart::started);
  EXPECT_THAT(third.outcome.get(), HasSubstr("\"a\""));
}

TEST_F(SchemaDocumentTest, StoppingAnswersWhoWaits) {
  start("/base");
  reader_->put("/base/a/1.0.0", R"({"title":"a"})");
  load("/a/1.0.0");
  reader_->hold("/base");
  Begun first = begin("/a/1.0.0"), second = begin("/a/1.0.0");
  std::thread stop([&] { repository_.reset(); });
  reader_->release();
  stop.join();
  for (Begun* const begun : {&first, &second})
    EXPECT_THAT(begun->outcome.get(), testing::AnyOf(HasSubstr("\"a\""), HasSubstr("the gate is stopping")));
}

}  // namespace
}  // namespace eventgate
