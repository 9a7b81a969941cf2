#include "eventgate/streams/stream_config_source.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <nlohmann/json.hpp>

#include "eventgate/telemetry/telemetry.hpp"
#include "support/log_file.hpp"
#include "support/temporary_folder.hpp"

namespace eventgate {
namespace {

using std::chrono::milliseconds;
using testing::AllOf;
using testing::HasSubstr;
using Json = nlohmann::ordered_json;

/// The result of one read.
struct Reply {
  Reply(Json object) : result(boost::system::in_place_value, std::move(object)) {}
  Reply(ReadError error) : result(boost::system::in_place_error, std::move(error)) {}
  boost::system::result<Json, ReadError> result;
};

Reply unavailable(const std::string& message) { return ReadError{ReadError::Kind::unavailable, message}; }

/// Gives the replies it was made with, one a read, then the last one again and again.
class ScriptedReader : public ObjectReader {
 public:
  explicit ScriptedReader(std::deque<Reply> replies) : replies_(std::move(replies)) {}

  boost::system::result<Json, ReadError> read(const std::string& uri) override {
    const std::lock_guard lock(mutex_);
    uris.push_back(uri);
    read_again_.notify_all();
    Reply reply = replies_.front();
    if (replies_.size() > 1) replies_.pop_front();
    return reply.result;
  }

  /// Waits until there were `count` reads.
  bool reads(std::size_t count) {
    std::unique_lock lock(mutex_);
    return read_again_.wait_for(lock, std::chrono::seconds(60), [&] { return uris.size() >= count; });
  }

  std::vector<std::string> uris;

 private:
  std::mutex mutex_;
  std::condition_variable read_again_;
  std::deque<Reply> replies_;
};

struct StreamConfigSourceTest : testing::Test {
  LogFile log;
  Metrics metrics{"gate"};
  Telemetry telemetry{metrics};
  StreamConfigOptions options{{"http://wiki/api.php"}, "", milliseconds(0), 0, ""};
  std::shared_ptr<ScriptedReader> reader;

  std::unique_ptr<StreamConfigSource> source(std::deque<Reply> replies,
                                             std::function<void(const StreamConfigs&)> changed = {}) {
    reader = std::make_shared<ScriptedReader>(std::move(replies));
    return std::make_unique<StreamConfigSource>(options, reader, telemetry, std::move(changed));
  }

  void expect_refused(Reply reply, const std::string& reason) {
    EXPECT_THAT([&] { source({reply}); }, testing::ThrowsMessage<std::runtime_error>(
                                              AllOf(HasSubstr("'http://wiki/api.php'"), HasSubstr(reason))));
  }
};

const Json kStreams = Json::parse(R"({"test.event": {"schema_title": "test"}})");
const Json kNewStreams = Json::parse(R"({"test.event": {"schema_title": "new"}})");

TEST_F(StreamConfigSourceTest, TheFirstOneIsReadAtOnce) {
  const auto before = std::chrono::system_clock::now();
  const auto configs = source({kStreams});
  EXPECT_EQ(configs->current()->json(), kStreams.dump());
  EXPECT_GE(configs->read_at(), before);
  EXPECT_THAT(reader->uris, testing::ElementsAre("http://wiki/api.php"));
}

TEST_F(StreamConfigSourceTest, TheObjectAtTheDottedPathIsTaken) {
  options.stream_config_object_path = "query.streams";
  EXPECT_EQ(source({Json{{"query", {{"streams", kStreams}}}}})->current()->json(), kStreams.dump());
}

TEST_F(StreamConfigSourceTest, AMissingObjectNamesTheOptionAndTheKey) {
  options.stream_config_object_path = "query.streams";
  expect_refused(Json{{"query", {{"other", 1}}}}, "`query.streams` (option `stream_config_object_path`)");
  expect_refused(Json{{"query", 1}}, "no `streams`");
}

TEST_F(StreamConfigSourceTest, AnErrorOfTheActionApiIsAFailure) {
  options.stream_config_object_path = "streams";
  expect_refused(Json::parse(R"({"error": {"code": "internal_api_error", "info": "Caught"}, "streams": {}})"),
                 "internal_api_error: Caught");
  expect_refused(Json::parse(R"({"error": "x", "streams": {}})"), "\"x\"");
  options.stream_config_object_path = "";
  expect_refused(Json::parse(R"({"error": {"code": "badvalue", "info": "Unrecognized"}, "servedby": "mw1"})"),
                 "badvalue: Unrecognized");
}

TEST_F(StreamConfigSourceTest, AStreamMayBeCalledError) {
  const Json streams = Json::parse(R"({"error": {"schema_title": "error"}, "warnings": {"schema_title": "w"}})");
  EXPECT_EQ(source({streams})->current()->find("error")->schema_title, "error");
}

TEST_F(StreamConfigSourceTest, WarningsOfTheActionApiAreLogged) {
  options.stream_config_object_path = "streams";
  source({Json{{"warnings", {{"main", {{"*", "Unrecognized parameter: x."}}}}}, {"streams", kStreams}}});
  EXPECT_THAT(log.line().dump(), AllOf(HasSubstr("\"level\":40"), HasSubstr("Unrecognized parameter: x.")));
}

TEST_F(StreamConfigSourceTest, PhpsEmptyArrayIsNoStreamsAndWarned) {
  options.stream_config_object_path = "streams";
  EXPECT_EQ(source({Json{{"streams", Json::array()}}})->current()->json(), "{}");
  EXPECT_THAT(log.line().dump(), HasSubstr("no stream is declared"));
}

TEST_F(StreamConfigSourceTest, AStartIsTriedAsOftenAsRetriesSay) {
  options.stream_config_retries = 2;
  const auto configs = source({unavailable("refused"), unavailable("refused"), kStreams});
  EXPECT_EQ(configs->current()->json(), kStreams.dump());
  EXPECT_THAT(log.msgs(), testing::ElementsAre("Stream configs cannot be read", "Stream configs are read"));
}

TEST_F(StreamConfigSourceTest, AStartThatFailsForGoodThrowsWithUriAndReason) {
  options.stream_config_retries = 1;
  expect_refused(unavailable("Connection refused"), "Connection refused");
  EXPECT_EQ(reader->uris.size(), 2u);
}

TEST_F(StreamConfigSourceTest, ABadEntryIsRefusedAloneWithALogLineAndAMetric) {
  const auto configs =
      source({Json::parse(R"({"bad": {"schema_title": 5}, "/(/": {}, "test.event": {"schema_title": "test"}})")});
  EXPECT_EQ(configs->current()->find("test.event")->schema_title, "test");
  EXPECT_THAT(*configs->unusable_reason(), AllOf(HasSubstr("'bad': schema_title"), HasSubstr("'/(/'")));
  EXPECT_THAT(log.msgs(), testing::ElementsAre("Stream configs are read",
                                               "Entries of the stream configs cannot be used: events of their streams "
                                               "fail"));
  EXPECT_THAT(metrics.text(), HasSubstr("eventgate_stream_config_unusable_entries{service=\"gate\"} 2"));
}

TEST_F(StreamConfigSourceTest, ABadEntryOfARefreshIsRefusedAloneAndGoesWhenItIsGood) {
  const Json bad = Json::parse(R"({"test.event": {"schema_title": 5}, "other": {"schema_title": "new"}})");
  const auto configs = source({kStreams, bad, bad, kNewStreams});
  EXPECT_EQ(configs->unusable_reason(), std::nullopt);
  configs->reload()();
  configs->reload()();
  EXPECT_EQ(configs->current()->find("other")->schema_title, "new");
  EXPECT_THAT(*configs->unusable_reason(), HasSubstr("'test.event'"));
  configs->reload()();
  EXPECT_EQ(configs->unusable_reason(), std::nullopt);
  EXPECT_THAT(metrics.text(), HasSubstr("eventgate_stream_config_unusable_entries{service=\"gate\"} 0"));
  EXPECT_THAT(log.msgs(), testing::Contains(HasSubstr("Entries of the stream configs")).Times(1));
}

TEST_F(StreamConfigSourceTest, SeveralUris_LaterDocumentIsLaidOverEarlierOne) {
  options.stream_config_uri = {"/base.yaml", "/ours.yaml"};
  const auto configs = source({Json::parse(R"({"a": {"schema_title": "a", "sample": {"rate": 1}}, "b": {}})"),
                               Json::parse(R"({"a": {"sample": {"rate": 0.5}}, "c": {"schema_title": "c"}})")});
  EXPECT_EQ(
      Json::parse(configs->current()->json()),
      Json::parse(R"({"a": {"sample": {"rate": 0.5}, "schema_title": "a"}, "c": {"schema_title": "c"}, "b": {}})"));
}

TEST_F(StreamConfigSourceTest, SeveralUris_StartAsksOnlyThoseAgainThatFail) {
  options.stream_config_uri = {"/one", "/two"};
  options.stream_config_retries = 1;
  const auto configs = source({kStreams, unavailable("refused"), Json::parse(R"({"b": {"schema_title": "b"}})")});
  EXPECT_THAT(reader->uris, testing::ElementsAre("/one", "/two", "/two"));
  EXPECT_EQ(configs->current()->size(), 2u);
}

TEST_F(StreamConfigSourceTest, SeveralUris_OneThatNeverCouldBeReadFailsTheStart) {
  options.stream_config_uri = {"/one", "http://wiki/api.php"};
  options.stream_config_retries = 0;
  EXPECT_THAT(
      [&] {
        source({kStreams, unavailable("refused")});
      },
      testing::ThrowsMessage<std::runtime_error>(AllOf(HasSubstr("'http://wiki/api.php'"), HasSubstr("refused"))));
}

TEST_F(StreamConfigSourceTest, SeveralUris_OneThatFailsKeepsItsLastGoodAndTheOtherIsNew) {
  options.stream_config_uri = {"/one", "/two"};
  options.stream_config_ttl = milliseconds(1);
  std::promise<std::string> changed;
  std::once_flag once;
  const auto configs =
      source({kStreams, Json::parse(R"({"b": {"schema_title": "b"}})"), unavailable("refused"),
              Json::parse(R"({"b": {"schema_title": "new"}})"), unavailable("refused"), unavailable("refused")},
             [&](const StreamConfigs& now) { std::call_once(once, [&] { changed.set_value(now.json()); }); });
  EXPECT_EQ(Json::parse(changed.get_future().get()),
            Json::parse(R"({"b": {"schema_title": "new"}, "test.event": {"schema_title": "test"}})"));
  EXPECT_THAT(log.msgs(), testing::Contains("Stream configs cannot be read: the last good ones stay in use"));
}

TEST_F(StreamConfigSourceTest, SeveralUris_ReloadThatCannotReadOneChangesNothingAndNamesIt) {
  options.stream_config_uri = {"/one", "/two"};
  const auto configs = source({kStreams, Json::object(), kNewStreams, unavailable("refused")});
  EXPECT_THAT([&] { configs->reload(); },
              testing::ThrowsMessage<std::runtime_error>(AllOf(HasSubstr("'/two'"), HasSubstr("refused"))));
  EXPECT_EQ(configs->current()->json(), kStreams.dump());
}

TEST_F(StreamConfigSourceTest, GateIsHeldToTheConfigsOfItsWiki) {
  const Json per_wiki = Json::parse(
      R"({"default": {"a": {"schema_title": "a"}}, "+metawiki": {"m": {"schema_title": "m"}}, "+dewiki": {"d": {}}})");
  options.stream_config_default_settings = R"({"topic_prefixes": null})";
  EXPECT_EQ(Json::parse(source({per_wiki})->current()->json()),
            Json::parse(R"({"m": {"schema_title": "m", "topic_prefixes": null},
                            "a": {"schema_title": "a", "topic_prefixes": null}})"));
  options.stream_config_wiki = "dewiki";
  EXPECT_NE(source({per_wiki})->current()->find("d"), nullptr);
}

TEST_F(StreamConfigSourceTest, EntryThatOnlyAnotherWikiHas_IsNamedIfItIsBad) {
  const auto configs = source({Json::parse(R"({"default": {}, "+dewiki": {"/x(/": {"schema_title": "x"}}})")});
  EXPECT_THAT(*configs->unusable_reason(), HasSubstr("'/x(/' is a bad regex"));
}

TEST_F(StreamConfigSourceTest, StreamTakenOut_IsKnownAndLogged) {
  const auto configs = source({kStreams, Json::parse(R"({"other": {"schema_title": "o"}})")});
  configs->reload()();
  EXPECT_TRUE(configs->current()->is_taken_out("test.event", std::chrono::system_clock::now()));
  EXPECT_FALSE(configs->current()->is_taken_out("never", std::chrono::system_clock::now()));
  EXPECT_THAT(log.msgs(), testing::Contains("A stream is taken out of the stream configs: its events are refused from "
                                            "now on"));
}

TEST_F(StreamConfigSourceTest, WithoutATtlItIsReadOnce) {
  const auto configs = source({kStreams, kNewStreams});
  EXPECT_EQ(configs->current()->json(), kStreams.dump());
  EXPECT_EQ(reader->uris.size(), 1u);
}

TEST_F(StreamConfigSourceTest, ARefreshReplacesTheCurrentAndTellsOfIt) {
  options.stream_config_ttl = milliseconds(1);
  std::promise<std::string> changed;
  std::once_flag once;
  const auto configs = source({kStreams, kNewStreams}, [&](const StreamConfigs& now) {
    std::call_once(once, [&] { changed.set_value(now.json()); });
  });
  EXPECT_EQ(changed.get_future().get(), kNewStreams.dump());
  EXPECT_EQ(configs->current()->json(), kNewStreams.dump());
}

TEST_F(StreamConfigSourceTest, WhatWasCurrentOutlivesARefresh) {
  options.stream_config_ttl = milliseconds(1);
  const auto configs = source({kStreams, kNewStreams});
  const auto kept = configs->current();
  const std::string before = kept->json();
  ASSERT_TRUE(reader->reads(4));
  EXPECT_EQ(kept->json(), before);
}

TEST_F(StreamConfigSourceTest, AFailedRefreshKeepsTheLastGoodOneWarnsOnceAndCounts) {
  options.stream_config_ttl = milliseconds(1);
  auto configs = source({kStreams, unavailable("refused")});
  ASSERT_TRUE(reader->reads(5));
  EXPECT_EQ(configs->current()->json(), kStreams.dump());
  configs.reset();
  EXPECT_THAT(log.msgs(), testing::ElementsAre("Stream configs are read",
                                               "Stream configs cannot be read: the last good ones stay in use"));
  // The read that stopping met does not count.
  const auto counted = [&](std::size_t failures) {
    return HasSubstr("eventgate_stream_config_failures_total{service=\"gate\"} " + std::to_string(failures));
  };
  EXPECT_THAT(metrics.text(), testing::AnyOf(counted(reader->uris.size() - 1), counted(reader->uris.size() - 2)));
}

TEST_F(StreamConfigSourceTest, ARefreshThatIsNoObjectKeepsTheLastGoodOne) {
  options.stream_config_ttl = milliseconds(1);
  const auto configs = source({kStreams, Json::parse(R"(["test.event"])")});
  ASSERT_TRUE(reader->reads(3));
  EXPECT_EQ(configs->current()->json(), kStreams.dump());
}

TEST_F(StreamConfigSourceTest, StoppingDoesNotWaitForTheTtl) {
  options.stream_config_ttl = std::chrono::hours(1);
  source({kStreams}).reset();
  EXPECT_EQ(reader->uris.size(), 1u);
}

TEST_F(StreamConfigSourceTest, StartWithoutTheHost_UsesTheCopyInCacheDir) {
  const TemporaryFolder folder;
  options.cache_dir = folder.path() + "/cache";
  const auto before = source({kStreams})->read_at();
  const auto configs = source({unavailable("refused")});
  EXPECT_EQ(configs->current()->json(), kStreams.dump());
  EXPECT_LT(configs->read_at() - before, std::chrono::minutes(1));
  EXPECT_THAT(log.texts().back(), HasSubstr("is used"));
}

TEST_F(StreamConfigSourceTest, CacheOfAnotherUriOrBroken_IsNotUsed) {
  const TemporaryFolder folder;
  options.cache_dir = folder.path();
  source({kStreams});
  for (const auto& file : std::filesystem::directory_iterator(folder.path())) std::ofstream(file.path()) << "{\"a\"";
  expect_refused(unavailable("refused"), "refused");
  source({kStreams});
  options.stream_config_uri.front() += "?other";
  EXPECT_THROW(source({unavailable("refused")}), std::runtime_error);
}

TEST_F(StreamConfigSourceTest, ACacheDirThatCannotBeWrittenIsWarnedOf) {
  options.cache_dir = "/dev/null/cache";
  EXPECT_EQ(source({kStreams})->current()->json(), kStreams.dump());
  EXPECT_THAT(log.texts().back(), AllOf(HasSubstr("\"level\":40"), HasSubstr("/dev/null/cache")));
}

TEST_F(StreamConfigSourceTest, Reload_IsPutToUseByTheReturnedFunction) {
  int changes = 0;
  const auto found = source({Json{{"a", {{"schema_title", "test"}}}}, Json{{"b", {{"schema_title", "test"}}}}},
                            [&changes](const StreamConfigs&) { ++changes; });
  const auto use = found->reload();
  EXPECT_NE(found->current()->find("a"), nullptr);
  EXPECT_EQ(changes, 0);
  use();
  EXPECT_EQ(found->current()->find("a"), nullptr);
  EXPECT_NE(found->current()->find("b"), nullptr);
  EXPECT_EQ(changes, 1);
}

TEST_F(StreamConfigSourceTest, FailedReload_ChangesNothing) {
  const auto found =
      source({Json{{"a", {{"schema_title", "test"}}}}, unavailable("it is down"), Json::parse(R"(["b"])")});
  EXPECT_THAT([&] { found->reload(); }, testing::ThrowsMessage<std::runtime_error>(HasSubstr("it is down")));
  EXPECT_THAT([&] { found->reload(); }, testing::ThrowsMessage<std::invalid_argument>(HasSubstr("of type array")));
  EXPECT_NE(found->current()->find("a"), nullptr);
}

}  // namespace
}  // namespace eventgate
