#include "repository/schema_cache.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "eventgate/schema/schema_compiler.hpp"

namespace eventgate {
namespace {

using Update = SchemaCache::Update;

SchemaResult schema(const std::string& uri) {
  const RefReader none = [](const std::string&) -> boost::system::result<const nlohmann::ordered_json*, std::string> {
    return std::string("none");
  };
  return *compile_schema(uri, nlohmann::ordered_json::object(), none);
}

SchemaOrigin origin(std::size_t digest) {
  SchemaOrigin made;
  made.digest = digest;
  return made;
}

Update store(SchemaCache& cache, const std::string& key, SchemaResult result, std::size_t digest = 1) {
  return cache.store(key, result, origin(digest), true);
}

TEST(SchemaCache, StoreTellsWhatChanged) {
  const SchemaOptions options;
  SchemaCache cache(options);
  EXPECT_EQ(store(cache, "a", SchemaFailure{"bad"}), Update::failed);
  EXPECT_EQ(store(cache, "a", schema("/a")), Update::loaded);
  EXPECT_EQ(store(cache, "a", schema("/a")), Update::unchanged);
  EXPECT_EQ(store(cache, "a", schema("/a"), 2), Update::changed);
  EXPECT_EQ(cache.stale_count(), 0U);
  SchemaResult result = SchemaFailure{"bad"};
  EXPECT_EQ(cache.store("a", result, origin(3), true), Update::failed_to_reload);
  EXPECT_TRUE(result.has_value());
  EXPECT_EQ(cache.stale_count(), 1U);
}

TEST(SchemaCache, FailureIsRememberedUntilForgotten) {
  const SchemaOptions options;
  SchemaCache cache(options);
  EXPECT_FALSE(cache.find("a").result.has_value());
  store(cache, "a", SchemaFailure{"bad"});
  EXPECT_EQ(cache.find("a").result->error().reason, "bad");
  cache.forget_failures();
  EXPECT_FALSE(cache.find("a").result.has_value());
}

TEST(SchemaCache, FailureIsNotRememberedUnlessAsked) {
  const SchemaOptions options;
  SchemaCache cache(options);
  SchemaResult result = SchemaFailure{"bad"};
  EXPECT_EQ(cache.store("a", result, origin(1), false), Update::failed);
  EXPECT_FALSE(cache.find("a").result.has_value());
}

TEST(SchemaCache, LeastRecentlyUsedIsEvicted) {
  SchemaOptions options;
  options.schema_cache_size = 2;
  SchemaCache cache(options);
  store(cache, "a", schema("/a"));
  store(cache, "b", schema("/b"));
  cache.find("a");
  store(cache, "c", schema("/c"));
  EXPECT_THAT(cache.uris(), testing::ElementsAre("/a", "/c"));
}

TEST(SchemaCache, OneCallerRefreshesAtATime) {
  SchemaOptions options;
  options.schema_revalidate = std::chrono::milliseconds(1);
  SchemaCache cache(options);
  store(cache, "a", schema("/a"));
  while (!cache.find("a").needs_refresh) {
  }
  const auto second = cache.find("a");
  EXPECT_FALSE(second.needs_refresh);
  EXPECT_TRUE(second.result.has_value());
  cache.end_refresh("a");
  EXPECT_TRUE(cache.find("a").needs_refresh);
}

// A file is read at once, so that the next event is judged by what it says. A host may hang.
TEST(SchemaCache, RevalidateFirst_OnlyAVersionOnDiskMustBeLoadedBeforeItsNextUse) {
  SchemaOptions options;
  options.schema_revalidate = std::chrono::milliseconds(1);
  options.schema_revalidate_first = true;
  SchemaCache cache(options);
  store(cache, "a", schema("/a"));
  while (cache.find("a").result) {
  }
  SchemaOrigin of_a_host = origin(1);
  of_a_host.asked_host = true;
  SchemaResult result = schema("/b");
  cache.store("b", result, of_a_host, true);
  SchemaCache::Lookup found = cache.find("b");
  while (!found.needs_refresh) found = cache.find("b");
  EXPECT_TRUE(found.result.has_value());
}

TEST(SchemaCache, TellsTheDigestOfWhatIsCached) {
  const SchemaOptions options;
  SchemaCache cache(options);
  EXPECT_EQ(cache.digest_of("a"), std::nullopt);
  store(cache, "a", schema("/a"), 7);
  EXPECT_EQ(cache.digest_of("a"), 7u);
}

}  // namespace
}  // namespace eventgate
