#include "eventgate/repository/schema_repository.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <future>
#include <iostream>
#include <nlohmann/json.hpp>
#include <thread>

#include "eventgate/telemetry/metrics.hpp"
#include "eventgate/telemetry/telemetry.hpp"
#include "support/becomes.hpp"
#include "support/fake_object_reader.hpp"
#include "support/log_file.hpp"
#include "support/paths.hpp"
#include "support/temporary_folder.hpp"
#include "support/validated_event.hpp"

namespace eventgate {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

/// What the outcome of a load is, as text: the title, `not found`, or `failed: ` and the reason.
std::string text_of(const SchemaResult& result) {
  if (result) return (*result)->title().value_or("no title");
  return result.error().reason.empty() ? "not found" : "failed: " + result.error().reason;
}

std::string schema(const std::string& title) { return R"({"type":"object","title":")" + title + "\"}"; }

SchemaOptions bases(std::vector<std::string> uris) {
  SchemaOptions options;
  options.schema_base_uris = std::move(uris);
  options.schema_latest_ttl = hours(1);
  options.schema_negative_ttl = hours(1);
  return options;
}

/// Looked at again after so short a time that any later use may do it.
SchemaOptions looked_at_again(std::vector<std::string> uris) {
  auto options = bases(std::move(uris));
  options.schema_revalidate = milliseconds(1);
  return options;
}

class SchemaRepositoryTest : public testing::Test {
 protected:
  void start(SchemaOptions options) { repository_.emplace(std::move(options), reader_, telemetry_); }

  /// Starts a load. The future has its outcome.
  std::future<std::string> begin(const std::string& uri) {
    const auto outcome = std::make_shared<std::promise<std::string>>();
    repository_->load(uri, [outcome](const SchemaResult& result) { outcome->set_value(text_of(result)); });
    return outcome->get_future();
  }
  std::string load(const std::string& uri) { return begin(uri).get(); }

  /// What `find` knows now, or `unknown`.
  std::string find(const std::string& uri) const {
    const auto result = repository_->find(uri);
    return result ? text_of(*result) : "unknown";
  }

  /// What `find` knows once that is no longer `old`.
  std::string find_other_than(const std::string& uri, const std::string& old) const {
    std::string found = find(uri);
    for (; found == old; found = find(uri)) std::this_thread::yield();
    return found;
  }

  std::shared_ptr<FakeObjectReader> reader_ = std::make_shared<FakeObjectReader>();
  Metrics metrics_{"test"};
  Telemetry telemetry_{metrics_};
  std::optional<SchemaRepository> repository_;
};

TEST_F(SchemaRepositoryTest, ALoadedSchemaIsKnownByEveryFormOfItsUri) {
  start(bases({"/base"}));
  reader_->put("/base/a/1.0.0", schema("a"));
  EXPECT_EQ(find("/a/1.0.0"), "unknown");
  EXPECT_EQ(load("/a/1.0.0"), "a");
  for (const char* uri : {"/a/1.0.0", "a/1.0.0", "/a/1.0.0#", "a/1.0.0#"}) EXPECT_EQ(find(uri), "a") << uri;
  EXPECT_EQ(load("a/1.0.0#"), "a");
  EXPECT_THAT(reader_->reads(), ElementsAre("/base/a/1.0.0"));
  EXPECT_THAT(repository_->cached_uris(), ElementsAre("/a/1.0.0"));
}

TEST_F(SchemaRepositoryTest, TheFirstBaseThatHasASchemaWins) {
  start(bases({"/one/", "file:///two//", "/three"}));
  reader_->put("file:///two/a/1.0.0", schema("two"));
  reader_->put("/three/a/1.0.0", schema("three"));
  EXPECT_EQ(load("/a/1.0.0"), "two");
  EXPECT_THAT(reader_->reads(), ElementsAre("/one/a/1.0.0", "file:///two/a/1.0.0"));
}

TEST_F(SchemaRepositoryTest, WhatIsNoDocumentHidesNoneInALaterBase) {
  const LogFile log;
  start(bases({"http://one", "/two", "/three"}));
  int version = 0;
  for (const char* text : {"[1]", "<!DOCTYPE html><html><p>Hello: you</html>", "\n<html>", "<p>a: b",
                           "{\"title\": ", "5", "", "\xFF", "a: b: c"}) {
    const std::string uri = "/a/" + std::to_string(++version);
    reader_->put("http://one" + uri, text);
    reader_->put("/three" + uri, schema("three"));
    EXPECT_EQ(load(uri), "three") << text;
  }
  EXPECT_THAT(metrics_.text(), HasSubstr(R"(eventgate_schema_failures_total{service="test",cause="unreadable"} 9)"));
  EXPECT_THAT(log.texts(), testing::Contains(testing::AllOf(HasSubstr("http://one/a/1"), HasSubstr("found an array"))));
}

TEST_F(SchemaRepositoryTest, WhatIsNoDocumentIsAnErrorIfNoBaseHasOne) {
  start(bases({"/one", "http://two", "/three"}));
  reader_->put("/one/a/1.0.0", "[1]");
  EXPECT_EQ(load("/a/1.0.0"), "failed: expected a JSON or YAML object, found an array");
  reader_->put("/one/b/1.0.0", "[1]");
  reader_->put("/three/b/1.0.0", "5");
  EXPECT_EQ(load("/b/1.0.0"),
            "failed: /one/b/1.0.0: expected a JSON or YAML object, found an array; "
            "/three/b/1.0.0: expected a JSON or YAML object, found a number");
  reader_->put("/one/c/1.0.0", "[1]");
  reader_->fail("http://two", ReadError::Kind::unavailable, "no connection");
  EXPECT_EQ(load("/c/1.0.0"),
            "failed: http://two/c/1.0.0 is unavailable: no connection; "
            "/one/c/1.0.0: expected a JSON or YAML object, found an array");
}

TEST_F(SchemaRepositoryTest, ADocumentThatCannotBeUsedIsNotSoughtInTheNextBase) {
  start(bases({"/one", "/two"}));
  reader_->put("/one/a/1.0.0", R"({"type":"nonsense"})");
  reader_->put("/two/a/1.0.0", schema("two"));
  EXPECT_THAT(load("/a/1.0.0"), StartsWith("failed: at #/type"));
}

TEST_F(SchemaRepositoryTest, WhatIsNoDocumentHidesNoneBehindARef) {
  start(bases({"/one", "/two"}));
  reader_->put("/one/a/1.0.0", R"({"title":"a","properties":{"x":{"$ref":"/fragment/1.0.0#/definitions/d"}}})");
  reader_->put("/one/fragment/1.0.0", "[1]");
  reader_->put("/two/fragment/1.0.0", R"({"definitions":{"d":{"type":"string"}}})");
  EXPECT_EQ(load("/a/1.0.0"), "a");
}

TEST_F(SchemaRepositoryTest, WhatIsKeptCountsAfterAllBases) {
  const TemporaryFolder folder;
  auto options = bases({"http://one", "/two"});
  options.cache_dir = folder.path();
  start(options);
  reader_->put("http://one/a/1.0.0", schema("kept"));
  EXPECT_EQ(load("/a/1.0.0"), "kept");
  reader_->put("http://one/a/1.0.0", "<html>");
  start(options);
  EXPECT_EQ(load("/a/1.0.0"), "kept");
  reader_->put("/two/a/1.0.0", schema("two"));
  start(options);
  EXPECT_EQ(load("/a/1.0.0"), "two");
}

TEST_F(SchemaRepositoryTest, ABaseOfNoDocumentsLetsALaterOneBeReadAgain) {
  start(looked_at_again({"/one", "/two", "/three"}));
  reader_->put("/one/a/1.0.0", "<html>");
  reader_->put("/two/a/1.0.0", schema("old"));
  EXPECT_EQ(load("/a/1.0.0"), "old");
  reader_->put("/two/a/1.0.0", schema("new"));
  EXPECT_EQ(find_other_than("/a/1.0.0", "old"), "new");
  // The base that it came from has none now: what a later one has is another.
  reader_->put("/three/a/1.0.0", schema("another"));
  reader_->put("/two/a/1.0.0", "<html>");
  while (repository_->stale_count() == 0) EXPECT_EQ(find("/a/1.0.0"), "new");
  EXPECT_EQ(find("/a/1.0.0"), "new");
}

TEST_F(SchemaRepositoryTest, TheExtensionIsAppendedUnlessThereIsOne) {
  auto options = bases({"/base"});
  options.schema_file_extension = ".yaml";
  start(options);
  for (const char* uri : {"/a/1.0.0", "/a/1.0.0.yaml", "/a/latest", "/a/b.json", "/a.b/c", "/a/b."}) load(uri);
  EXPECT_THAT(reader_->reads(), ElementsAre("/base/a/1.0.0.yaml", "/base/a/1.0.0.yaml", "/base/a/latest.yaml",
                                            "/base/a/b.json", "/base/a.b/c.yaml", "/base/a/b..yaml"));
}

TEST_F(SchemaRepositoryTest, WhatNoBaseHasIsNotFoundAndRemembered) {
  start(bases({"/one", "/two"}));
  EXPECT_EQ(load("/a/1.0.0"), "not found");
  EXPECT_EQ(find("/a/1.0.0"), "not found");
  reader_->put("/one/a/1.0.0", schema("a"));
  EXPECT_EQ(load("/a/1.0.0"), "not found");
  EXPECT_EQ(reader_->reads().size(), 2U);
}

TEST_F(SchemaRepositoryTest, AFailureIsForgottenAfterItsTime) {
  auto options = bases({"/base"});
  options.schema_negative_ttl = milliseconds(0);
  start(options);
  EXPECT_EQ(load("/a/1.0.0"), "not found");
  EXPECT_EQ(find("/a/1.0.0"), "unknown");
  reader_->put("/base/a/1.0.0", schema("a"));
  EXPECT_EQ(load("/a/1.0.0"), "a");
  EXPECT_EQ(find("/a/1.0.0"), "a");
}

TEST_F(SchemaRepositoryTest, IllegalUrisAreNeverLookedFor) {
  start(bases({"/base"}));
  for (const char* uri : {"", "#", "//a", "/a/../b", "/a?x=1", "/a/1.0.0/"}) {
    EXPECT_EQ(find(uri), "not found") << uri;
    EXPECT_EQ(load(uri), "not found") << uri;
  }
  EXPECT_THAT(reader_->reads(), IsEmpty());
}

TEST_F(SchemaRepositoryTest, AbsoluteUrisAreLoadedOnlyIfAllowed) {
  start(bases({"/base"}));
  reader_->put("file:///a/1.0.0", schema("file"));
  EXPECT_THAT(find("file:///a/1.0.0"), HasSubstr("allow_absolute_schema_uris"));
  EXPECT_THAT(load("file:///a/1.0.0"), HasSubstr("allow_absolute_schema_uris"));
  EXPECT_THAT(reader_->reads(), IsEmpty());

  auto options = bases({"/base"});
  options.allow_absolute_schema_uris = true;
  options.schema_file_extension = ".yaml";
  start(options);
  reader_->put("http://host/b", schema("host"));
  EXPECT_EQ(load("http://host/b"), "host");
  EXPECT_EQ(find("http://host/b#"), "host");
}

constexpr const char* kAbsoluteFailed = "failed: its host gave no schema that can be used (the log says why)";

TEST_F(SchemaRepositoryTest, NoAbsoluteUriNamesAFile) {
  auto options = bases({"/base"});
  options.allow_absolute_schema_uris = true;
  start(options);
  int version = 0;
  for (const char* uri :
       {"file:///a/1.0.0", "FILE:///a", "file:/a", "ftp://host/a", "data:,{}", "c:/a", "urn:x", "http:/a", "https:a"}) {
    reader_->put(uri, schema("file"));
    EXPECT_THAT(load(uri), HasSubstr("or an http:// or https:// URI")) << uri;
    EXPECT_THAT(find(uri), HasSubstr("or an http:// or https:// URI")) << uri;
    const std::string path = "/ref/" + std::to_string(++version);
    reader_->put("/base" + path, R"({"properties":{"x":{"$ref":")" + std::string(uri) + R"("}}})");
    EXPECT_THAT(load(path), StartsWith("failed: ")) << uri;
    reader_->put("http://host" + path, R"({"properties":{"x":{"$ref":")" + std::string(uri) + R"("}}})");
    EXPECT_EQ(load("http://host" + path), kAbsoluteFailed) << uri;
    EXPECT_THAT(reader_->reads(), testing::Not(testing::Contains(uri)));
  }
}

TEST_F(SchemaRepositoryTest, FailuresOfAbsoluteUrisQuoteNothing) {
  const LogFile log;
  auto options = bases({"/base"});
  options.allow_absolute_schema_uris = true;
  start(options);
  reader_->fail("http://down", ReadError::Kind::unavailable, "no connection to 10.0.0.1:22");
  reader_->put("http://host/secret", "root: x: daemon");
  reader_->put("http://host/number", "5");
  reader_->put("http://host/type", R"({"type":"secret"})");
  reader_->put("http://host/ref", R"({"$ref":"/secret"})");
  reader_->put("/base/far", R"({"$ref":"http://host/secret"})");
  for (const char* uri : {"http://down/a", "http://host/secret", "http://host/number", "http://host/type",
                          "http://host/ref", "http://host/missing", "/far"}) {
    EXPECT_EQ(load(uri), kAbsoluteFailed) << uri;
    EXPECT_EQ(find(uri), kAbsoluteFailed) << uri;
  }
  EXPECT_THAT(log.texts(), testing::Contains(HasSubstr("no connection to 10.0.0.1:22")));
}

TEST_F(SchemaRepositoryTest, RequestsTakeTurns) {
  start(bases({"/base"}));
  reader_->hold("/base");
  std::vector<std::future<void>> outcomes;
  const auto begin_for = [&](const std::string& uri, std::uint64_t request) {
    const auto outcome = std::make_shared<std::promise<void>>();
    outcomes.push_back(outcome->get_future());
    repository_->load(
        uri, [outcome](const SchemaResult&) { outcome->set_value(); }, request);
  };
  for (int i = 0; i < 100; ++i) begin_for("/many/" + std::to_string(i), 1);
  reader_->await_reads("/base/many/2", 1);
  begin_for("/few", 2);
  // Three threads have jobs of the first request; the second has its turn after one more for each.
  reader_->let_through(6);
  EXPECT_TRUE(becomes([&] { return std::ranges::count(reader_->reads(), "/base/few") == 1; }));
  reader_->release();
  for (auto& outcome : outcomes) outcome.wait();
}

TEST_F(SchemaRepositoryTest, ABaseThatIsDownIsNamedIfNoOtherHasTheSchema) {
  start(bases({"http://down", "/disk"}));
  reader_->fail("http://down", ReadError::Kind::unavailable, "no connection");
  reader_->put("/disk/a/1.0.0", schema("a"));
  EXPECT_EQ(load("/a/1.0.0"), "a");
  EXPECT_EQ(load("/b/1.0.0"), "failed: http://down/b/1.0.0 is unavailable: no connection");
}

TEST_F(SchemaRepositoryTest, ASchemaIsLoadedOnceHoweverManyAskForIt) {
  start(bases({"/base"}));
  reader_->put("/base/a/1.0.0", schema("a"));
  reader_->hold("/base");
  std::vector<std::future<std::string>> outcomes;
  for (int i = 0; i < 20; ++i) outcomes.push_back(begin(i % 2 == 0 ? "/a/1.0.0" : "a/1.0.0#"));
  reader_->release();
  for (auto& outcome : outcomes) EXPECT_EQ(outcome.get(), "a");
  EXPECT_EQ(reader_->reads().size(), 1U);
}

TEST_F(SchemaRepositoryTest, AHostThatHangsDelaysNoSchemaOnDisk) {
  start(bases({"/disk", "http://hangs"}));
  reader_->hold("http://hangs");
  std::vector<std::future<std::string>> hanging;
  for (int i = 0; i < 100; ++i) hanging.push_back(begin("/missing/" + std::to_string(i)));
  reader_->await_reads("/disk/missing/99", 1);
  reader_->put("/disk/a/1.0.0", schema("a"));
  EXPECT_EQ(load("/a/1.0.0"), "a");
  reader_->release();
  for (auto& outcome : hanging) EXPECT_EQ(outcome.get(), "not found");
}

TEST_F(SchemaRepositoryTest, ARefOnAHostDelaysNoSchemaOnDisk) {
  start(bases({"/disk", "http://host"}));
  reader_->put("/disk/a/1.0.0", R"({"title":"a","allOf":[{"$ref":"/fragment/1.0.0#"}]})");
  reader_->put("/disk/b/1.0.0", schema("b"));
  reader_->put("http://host/fragment/1.0.0", schema("fragment"));
  reader_->hold("http://host");
  std::vector<std::future<std::string>> waiting;
  waiting.push_back(begin("/a/1.0.0"));
  reader_->await_reads("http://host/fragment/1.0.0", 1);
  EXPECT_EQ(load("/b/1.0.0"), "b");
  reader_->release();
  EXPECT_EQ(waiting[0].get(), "a");
}

TEST_F(SchemaRepositoryTest, TooManyWaitingLoadsFailAtOnceAndAreNotRemembered) {
  start(bases({"http://hangs"}));
  reader_->hold("http://hangs");
  std::vector<std::future<std::string>> waiting;
  for (int i = 0; i < 1100; ++i) waiting.push_back(begin("/missing/" + std::to_string(i)));
  EXPECT_EQ(waiting.back().get(), "failed: too many schemas wait to be loaded");
  waiting.pop_back();
  EXPECT_EQ(find("/missing/1099"), "unknown");
  reader_->release();
  for (auto& outcome : waiting) outcome.wait();
}

TEST_F(SchemaRepositoryTest, RefsAreReadThroughTheBases) {
  start(bases({"/one", "/two"}));
  reader_->put("/one/a/1.0.0", R"({"title":"a","properties":{"x":{"$ref":"/fragment/1.0.0#/definitions/d"}}})");
  reader_->put("/two/fragment/1.0.0", R"({"definitions":{"d":{"type":"string"}}})");
  EXPECT_EQ(load("/a/1.0.0"), "a");
  EXPECT_THAT(reader_->reads(), ElementsAre("/one/a/1.0.0", "/one/fragment/1.0.0", "/two/fragment/1.0.0"));
}

TEST_F(SchemaRepositoryTest, ARefThatLeadsNowhereIsNamed) {
  start(bases({"/base"}));
  reader_->put("/base/a/1.0.0", R"({"title":"a","properties":{"x":{"$ref":"/nope/1.0.0"}}})");
  EXPECT_THAT(load("/a/1.0.0"), testing::AllOf(StartsWith("failed: "), HasSubstr("#/properties/x"),
                                               HasSubstr("/nope/1.0.0 is in none of schema_base_uris")));
  EXPECT_EQ(find("/a/1.0.0"), load("/a/1.0.0"));
}

TEST_F(SchemaRepositoryTest, EveryDocumentOfASchemaIsChecked) {
  start(bases({"/base"}));
  reader_->put("/base/insecure/1.0.0", R"({"properties":{"v":{"pattern":"^a"}}})");
  reader_->put("/base/a/1.0.0", R"({"title":"a","properties":{"x":{"$ref":"/insecure/1.0.0"}}})");
  reader_->put("/base/b/1.0.0", R"({"title":"b","properties":{"v":{"maxLength":-1}}})");
  EXPECT_THAT(load("/insecure/1.0.0"), StartsWith("failed: at #/properties/v: expected maxLength beside pattern"));
  EXPECT_THAT(load("/a/1.0.0"), testing::AllOf(StartsWith("failed: "), HasSubstr("/insecure/1.0.0"),
                                               HasSubstr("#/properties/v: expected maxLength beside pattern")));
  EXPECT_EQ(load("/b/1.0.0"), "failed: at #/properties/v/maxLength: expected a non-negative integer");

  auto options = bases({"/base"});
  options.allow_insecure_schemas = true;
  start(options);
  EXPECT_EQ(load("/a/1.0.0"), "a");
}

TEST_F(SchemaRepositoryTest, OnlyDocumentsOfTheRepositoriesMayBeReferredTo) {
  start(bases({"/base"}));
  reader_->put("/base/a/1.0.0", R"({"title":"a","properties":{"x":{"$ref":"file:///etc/x.json"}}})");
  reader_->put("/base/b/1.0.0", R"({"title":"b","properties":{"x":{"$ref":"/../etc/x.json"}}})");
  reader_->put("file:///etc/x.json", schema("x"));
  EXPECT_THAT(load("/a/1.0.0"), StartsWith("failed: "));
  EXPECT_THAT(load("/b/1.0.0"), StartsWith("failed: "));
  EXPECT_THAT(reader_->reads(), testing::Not(testing::Contains("file:///etc/x.json")));
}

TEST_F(SchemaRepositoryTest, AVersionIsNeverReadAgain) {
  auto options = bases({"/base"});
  options.schema_latest_ttl = milliseconds(0);
  start(options);
  reader_->put("/base/a/1.0.0", schema("a"));
  EXPECT_EQ(load("/a/1.0.0"), "a");
  reader_->fail("/base", ReadError::Kind::unavailable);
  EXPECT_EQ(load("/a/1.0.0"), "a");
  EXPECT_EQ(find("/a/1.0.0"), "a");
  EXPECT_EQ(reader_->reads().size(), 1U);
}

TEST_F(SchemaRepositoryTest, LatestIsKeptForItsTime) {
  start(bases({"/base"}));
  reader_->put("/base/a/latest", schema("old"));
  EXPECT_EQ(load("/a/latest"), "old");
  reader_->put("/base/a/latest", schema("new"));
  EXPECT_EQ(find("/a/latest"), "old");
  EXPECT_EQ(load("/a/latest"), "old");
}

TEST_F(SchemaRepositoryTest, LatestOnDiskIsReadAgainAtOnce) {
  auto options = bases({"/base"});
  options.schema_latest_ttl = milliseconds(0);
  start(options);
  for (const std::string uri : {"/a/latest", "/a/latest.yaml"}) {
    reader_->put("/base" + uri, schema("old"));
    EXPECT_EQ(load(uri), "old");
    reader_->put("/base" + uri, schema("new"));
    EXPECT_EQ(find(uri), "unknown");
    EXPECT_EQ(load(uri), "new");
  }
}

TEST_F(SchemaRepositoryTest, LatestStaysInUseIfItCannotBeReadAgain) {
  auto options = bases({"/base"});
  options.schema_latest_ttl = milliseconds(0);
  start(options);
  reader_->put("/base/a/latest", schema("old"));
  EXPECT_EQ(load("/a/latest"), "old");
  reader_->fail("/base", ReadError::Kind::unavailable);
  EXPECT_EQ(load("/a/latest"), "old");
  reader_->put("/base/a/latest", "[broken");
  EXPECT_EQ(load("/a/latest"), "old");
  reader_->remove("/base/a/latest");
  EXPECT_EQ(load("/a/latest"), "old");
  EXPECT_THAT(repository_->cached_uris(), ElementsAre("/a/latest"));
}

TEST_F(SchemaRepositoryTest, LatestOfAHostServesWhileItIsReadAgain) {
  auto options = bases({"http://host"});
  options.schema_latest_ttl = milliseconds(20);
  start(options);
  reader_->put("http://host/a/latest", schema("old"));
  EXPECT_EQ(load("/a/latest"), "old");
  reader_->hold("http://host");
  reader_->put("http://host/a/latest", schema("new"));
  // It is old now and then older: the first `find` that sees it old starts a load, and only one.
  std::string seen = "old";
  while (seen == "old" && reader_->reads().size() < 2) seen = find("/a/latest");
  if (seen == "unknown") {
    // The machine was so slow that twice the time went by between two looks: then it must be loaded.
    reader_->release();
    EXPECT_EQ(load("/a/latest"), "new");
    return;
  }
  EXPECT_EQ(seen, "old");
  reader_->release();
  while (find("/a/latest") == "old") std::this_thread::yield();
  EXPECT_NE(find("/a/latest"), "old");
}

TEST_F(SchemaRepositoryTest, ANewVersionIsUsedWithoutARestart) {
  auto options = bases({"/base"});
  options.schema_negative_ttl = milliseconds(0);
  start(options);
  reader_->put("/base/a/1.0.0", schema("a"));
  EXPECT_EQ(load("/a/1.0.0"), "a");
  EXPECT_EQ(load("/a/1.1.0"), "not found");
  reader_->put("/base/a/1.1.0", schema("b"));
  EXPECT_EQ(load("/a/1.1.0"), "b");
  EXPECT_EQ(find("/a/1.0.0"), "a");
}

TEST_F(SchemaRepositoryTest, AVersionThatChangedIsNoticedAfterItsTimeAndWarnedOf) {
  const LogFile log;
  for (const std::string base : {"/base", "http://host"}) {
    start(looked_at_again({base}));
    reader_->put(base + "/a/1.0.0", schema("old"));
    EXPECT_EQ(load("/a/1.0.0"), "old");
    reader_->put(base + "/a/1.0.0", schema("new"));
    EXPECT_EQ(find_other_than("/a/1.0.0", "old"), "new");
    repository_.reset();
  }
  EXPECT_THAT(log.msgs(), testing::Contains(StartsWith("A schema in use has changed")).Times(2));
  EXPECT_THAT(metrics_.text(), HasSubstr("eventgate_schema_changes_total{service=\"test\"} 2"));
}

TEST_F(SchemaRepositoryTest, AChangeBehindARefIsNoticed) {
  start(looked_at_again({"/base"}));
  reader_->put("/base/a/1.0.0", R"({"title":"a","allOf":[{"$ref":"/fragment/1.0.0#"}]})");
  reader_->put("/base/fragment/1.0.0", schema("old"));
  EXPECT_EQ(load("/a/1.0.0"), "a");
  const SchemaPointer before = **repository_->find("/a/1.0.0");
  reader_->put("/base/fragment/1.0.0", schema("new"));
  while (**repository_->find("/a/1.0.0") == before) std::this_thread::yield();
  EXPECT_EQ(find("/a/1.0.0"), "a");
}

TEST_F(SchemaRepositoryTest, AVersionThatDidNotChangeStaysTheSame) {
  start(looked_at_again({"/base"}));
  reader_->put("/base/a/1.0.0", schema("a"));
  EXPECT_EQ(load("/a/1.0.0"), "a");
  const SchemaPointer before = **repository_->find("/a/1.0.0");
  while (reader_->reads().size() < 4) EXPECT_EQ(**repository_->find("/a/1.0.0"), before);
  EXPECT_THAT(metrics_.text(), HasSubstr("eventgate_schema_changes_total{service=\"test\"} 0"));
}

TEST_F(SchemaRepositoryTest, TheOldVersionServesWhileItIsLookedAtAgain) {
  start(looked_at_again({"http://host"}));
  reader_->put("http://host/a/1.0.0", schema("old"));
  EXPECT_EQ(load("/a/1.0.0"), "old");
  reader_->put("http://host/a/1.0.0", schema("new"));
  reader_->hold("http://host");
  while (reader_->reads().size() < 2) EXPECT_EQ(find("/a/1.0.0"), "old");
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(find("/a/1.0.0"), "old");
  EXPECT_EQ(load("/a/1.0.0"), "old");
  EXPECT_EQ(reader_->reads().size(), 2U) << "one look at a time";
  reader_->release();
  EXPECT_EQ(find_other_than("/a/1.0.0", "old"), "new");
}

TEST_F(SchemaRepositoryTest, AVersionThatCannotBeLookedAtAgainStaysInUse) {
  start(looked_at_again({"/base"}));
  reader_->put("/base/a/1.0.0", schema("old"));
  EXPECT_EQ(load("/a/1.0.0"), "old");
  const std::vector<std::function<void()>> mishaps{
      [&] { reader_->fail("/base", ReadError::Kind::unavailable); }, [&] { reader_->put("/base/a/1.0.0", "[broken"); },
      [&] { reader_->put("/base/a/1.0.0", R"({"title":"x","type":"nonsense"})"); },
      [&] { reader_->remove("/base/a/1.0.0"); }};
  for (const auto& mishap : mishaps) {
    reader_->remove("/base");  // The failure of the mishap before.
    mishap();
    const std::size_t reads = reader_->reads().size();
    while (reader_->reads().size() < reads + 3) EXPECT_EQ(find("/a/1.0.0"), "old");
    EXPECT_EQ(repository_->stale_count(), 1U);
  }
  reader_->put("/base/a/1.0.0", schema("new"));
  EXPECT_EQ(find_other_than("/a/1.0.0", "old"), "new");
  EXPECT_EQ(repository_->stale_count(), 0U);
}

TEST_F(SchemaRepositoryTest, ABaseThatIsDownLetsNoLaterOneReplaceWhatIsInUse) {
  start(looked_at_again({"http://one", "/two"}));
  reader_->put("http://one/a/1.0.0", schema("one"));
  reader_->put("/two/a/1.0.0", schema("two"));
  EXPECT_EQ(load("/a/1.0.0"), "one");
  reader_->fail("http://one", ReadError::Kind::unavailable);
  while (reader_->reads().size() < 4) EXPECT_EQ(find("/a/1.0.0"), "one");
  EXPECT_THAT(reader_->reads(), testing::Not(testing::Contains("/two/a/1.0.0")));
}

TEST_F(SchemaRepositoryTest, WhatAHostGaveIsKeptForAStartWithoutIt) {
  const LogFile log;
  const TemporaryFolder folder;
  auto options = bases({"/disk", "http://host"});
  options.cache_dir = folder.path() + "/cache";
  start(options);
  reader_->put("http://host/a/1.0.0", R"({"title":"a","allOf":[{"$ref":"/fragment/1.0.0#"}]})");
  reader_->put("http://host/fragment/1.0.0", schema("fragment"));
  EXPECT_EQ(load("/a/1.0.0"), "a");
  EXPECT_EQ(repository_->stale_count(), 0U);

  reader_->fail("http://host", ReadError::Kind::unavailable, "no connection");
  start(options);
  EXPECT_EQ(load("/a/1.0.0"), "a");
  EXPECT_EQ(repository_->stale_count(), 1U);
  EXPECT_THAT(load("/b/1.0.0"), HasSubstr("no connection")) << "not kept";
  EXPECT_THAT(log.texts(),
              testing::Contains(testing::AllOf(HasSubstr("the one kept in `cache_dir` is used"),
                                               HasSubstr("http://host/a/1.0.0"), HasSubstr("no connection"))));
  EXPECT_THAT(metrics_.text(), HasSubstr("eventgate_schema_cache_dir_uses_total{service=\"test\"} 2"));
}

TEST_F(SchemaRepositoryTest, WhatIsKeptIsNotUsedOverABaseThatAnswers) {
  const TemporaryFolder folder;
  auto options = bases({"http://host", "/disk"});
  options.cache_dir = folder.path();
  start(options);
  reader_->put("http://host/a/1.0.0", schema("old"));
  EXPECT_EQ(load("/a/1.0.0"), "old");
  reader_->put("http://host/a/1.0.0", schema("new"));
  start(options);
  EXPECT_EQ(load("/a/1.0.0"), "new");
  reader_->remove("http://host/a/1.0.0");
  start(options);
  EXPECT_EQ(load("/a/1.0.0"), "not found");
  reader_->fail("http://host", ReadError::Kind::unavailable);
  reader_->put("/disk/a/1.0.0", schema("disk"));
  start(options);
  EXPECT_EQ(load("/a/1.0.0"), "disk");
}

TEST_F(SchemaRepositoryTest, ACacheDirThatCannotBeWrittenIsWarnedOf) {
  const LogFile log;
  auto options = bases({"http://host"});
  options.cache_dir = "/dev/null/cache";
  start(options);
  reader_->put("http://host/a/1.0.0", schema("a"));
  EXPECT_EQ(load("/a/1.0.0"), "a");
  EXPECT_THAT(log.texts(), testing::Contains(HasSubstr("expected to write /dev/null/cache/schema-")));
}

TEST_F(SchemaRepositoryTest, TheLeastRecentlyUsedSchemaGoesFirst) {
  auto options = bases({"/base"});
  options.schema_cache_size = 2;
  start(options);
  for (const std::string name : {"a", "b", "c"}) reader_->put("/base/" + name, schema(name));
  load("/a");
  load("/b");
  EXPECT_EQ(find("/a"), "a");
  load("/c");
  EXPECT_THAT(repository_->cached_uris(), ElementsAre("/a", "/c"));
  EXPECT_EQ(find("/b"), "unknown");
}

TEST_F(SchemaRepositoryTest, FailuresAreBoundedAndPushOutNoSchema) {
  auto options = bases({"/base"});
  options.schema_cache_size = 2;
  start(options);
  reader_->put("/base/a", schema("a"));
  load("/a");
  for (const char* uri : {"/x", "/y", "/z"}) EXPECT_EQ(load(uri), "not found");
  EXPECT_EQ(find("/x"), "unknown");
  EXPECT_EQ(find("/y"), "not found");
  EXPECT_EQ(find("/z"), "not found");
  EXPECT_EQ(find("/a"), "a");
}

TEST_F(SchemaRepositoryTest, PrecachingLoadsWhatItCan) {
  auto options = bases({"/base"});
  for (int i = 0; i < 200; ++i) {
    options.schema_precache_uris.push_back("/a/" + std::to_string(i));
    reader_->put("/base/a/" + std::to_string(i), schema("a"));
  }
  options.schema_precache_uris.push_back("/missing/1.0.0");
  start(options);
  repository_->precache();
  EXPECT_EQ(repository_->cached_uris().size(), 200U);
  EXPECT_EQ(find("/missing/1.0.0"), "not found");
}

TEST_F(SchemaRepositoryTest, RequiredPrecachingNamesEverySchemaThatFails) {
  auto options = bases({"/base"});
  options.schema_precache_uris = {"/a/1.0.0", "/b/1.0.0", "/c/1.0.0", "/../d"};
  options.schema_precache_required = true;
  start(options);
  reader_->put("/base/a/1.0.0", schema("a"));
  reader_->put("/base/b/1.0.0", "[1]");
  EXPECT_THAT([&] { repository_->precache(); }, testing::ThrowsMessage<std::runtime_error>(EndsWith(
                                                    "/../d: it is in none of schema_base_uris; "
                                                    "/b/1.0.0: expected a JSON or YAML object, found an array; "
                                                    "/c/1.0.0: it is in none of schema_base_uris")));
  EXPECT_THAT(repository_->cached_uris(), ElementsAre("/a/1.0.0"));
}

TEST_F(SchemaRepositoryTest, WhatTheReaderThrowsIsAFailure) {
  class Throwing : public ObjectReader {
    boost::system::result<nlohmann::ordered_json, ReadError> read(const std::string&) override {
      throw std::runtime_error("disk on fire");
    }
  };
  repository_.emplace(bases({"/base"}), std::make_shared<Throwing>(), telemetry_);
  EXPECT_EQ(load("/a"), "failed: it could not be loaded: disk on fire");
}

TEST_F(SchemaRepositoryTest, AnEmptyBaseIsRefusedAtStart) {
  EXPECT_THAT(
      [&] {
        start(bases({"/base", ""}));
      },
      testing::ThrowsMessage<std::invalid_argument>(HasSubstr("schema_base_uris")));
}

TEST_F(SchemaRepositoryTest, StoppingAnswersEveryLoad) {
  start(bases({"/base"}));
  reader_->hold("/base");
  std::vector<std::future<std::string>> outcomes;
  for (int i = 0; i < 20; ++i) outcomes.push_back(begin("/a/" + std::to_string(i)));
  reader_->await_reads("/base/a/0", 1);
  std::thread stop([&] { repository_.reset(); });
  reader_->release();
  stop.join();
  for (auto& outcome : outcomes) EXPECT_THAT(outcome.get(), testing::AnyOf("not found", HasSubstr("stopping")));
}

TEST_F(SchemaRepositoryTest, ManyThreadsFindAndLoadTogether) {
  auto options = bases({"/base"});
  options.schema_cache_size = 3;
  options.schema_latest_ttl = milliseconds(0);
  options.schema_negative_ttl = milliseconds(0);
  start(options);
  for (int i = 0; i < 4; ++i) reader_->put("/base/a/" + std::to_string(i), schema("a"));
  reader_->put("/base/a/latest", schema("a"));
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 300; ++i) {
        const int which = (i * 7 + t) % 6;
        const std::string uri = which == 5 ? "/a/latest" : "/a/" + std::to_string(which);
        std::string outcome = find(uri);
        if (outcome == "unknown") outcome = load(uri);
        if (outcome != (which == 4 ? "not found" : "a")) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_LE(repository_->cached_uris().size(), 3U);
}

TEST_F(SchemaRepositoryTest, LoadsWikimediasRepositoryFromDiskAndAcceptsItsExamples) {
  const std::string root = shared_dir() + "/data/schema-repos/primary/jsonschema";
  if (!std::filesystem::exists(root)) GTEST_SKIP() << "no " << root;
  auto options = bases({root});
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    const std::filesystem::path path = entry.path();
    // A version, without its extension; `current.yaml` is what versions are made of.
    if (entry.is_regular_file() && std::filesystem::exists(path.string() + ".yaml")) {
      options.schema_precache_uris.push_back("/" + std::filesystem::relative(path, root).string());
    }
  }
  options.schema_precache_required = true;
  SchemaRepository repository(options, make_uri_reader({}), telemetry_);
  repository.precache();
  EXPECT_EQ(repository.cached_uris().size(), options.schema_precache_uris.size());
  EXPECT_GT(repository.cached_uris().size(), 130U);

  const auto reader = make_uri_reader({});
  std::size_t examples = 0;
  for (const std::string& uri : options.schema_precache_uris) {
    const auto schema = repository.find(uri);
    const auto document = reader->read(root + uri);
    ASSERT_TRUE(schema && *schema && document) << uri;
    for (const nlohmann::ordered_json& example : document->value("examples", nlohmann::ordered_json::array())) {
      const ValidatedEvent event = validated(***schema, example.dump());
      EXPECT_TRUE(event.valid()) << uri << ": " << errors_text(event.errors);
      ++examples;
    }
  }
  std::cout << "examples of the primary repository: " << examples << " of " << examples << " accepted\n";
  EXPECT_GT(examples, 60U);
}

TEST_F(SchemaRepositoryTest, RetriesWhatFailed) {
  auto options = bases({"/base"});
  options.schema_precache_uris = {"/precached/1.0.0"};
  start(options);
  repository_->precache();
  EXPECT_EQ(load("/a/1.0.0"), "not found");
  reader_->put("/base/a/1.0.0", schema("a"));
  reader_->put("/base/precached/1.0.0", schema("precached"));
  EXPECT_EQ(load("/a/1.0.0"), "not found");
  repository_->retry_failed();
  EXPECT_EQ(load("/a/1.0.0"), "a");
  EXPECT_EQ(find_other_than("/precached/1.0.0", "unknown"), "precached");
}

}  // namespace
}  // namespace eventgate
