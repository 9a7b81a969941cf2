#include "http/router.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace eventgate {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

const Router kRouter(true, true, true);

Route route(std::string_view target) { return kRouter.find(target).route; }

TEST(Router, OneFurtherSlashBehindTheVersionIsTakenAndNoOther) {
  EXPECT_EQ(route("/v1//events"), Route::events);
  EXPECT_EQ(route("/V1//Events?hasty=true"), Route::events);
  EXPECT_EQ(route("/v1//stream-configs/a"), Route::stream_configs);
  for (const char* target :
       {"//v1/events", "/v1///events", "/v1/_test//events", "//healthz", "/v1//events//", "/_info//name"})
    EXPECT_EQ(route(target), Route::unknown) << target;
}

TEST(Router, AnEscapedSlashSeparatesNoSegments) {
  for (const char* target : {"/v1%2fevents", "/v1%2Fevents", "%2Fv1/events", "/v1/%2fevents", "/v1%2F%2Fevents"})
    EXPECT_EQ(route(target), Route::unknown) << target;
  EXPECT_FALSE(kRouter.find("/v1%2fevents").malformed);
  EXPECT_EQ(route("/v1/%65vents"), Route::events);
  EXPECT_THAT(kRouter.find("/v1/stream-configs/a%2Fb").streams, ElementsAre("a/b"));
}

TEST(Router, FindsEveryRoute) {
  EXPECT_EQ(route("/v1/events"), Route::events);
  EXPECT_EQ(route("/v1/_test/events"), Route::test_events);
  EXPECT_EQ(route("/v1/stream-configs"), Route::stream_configs);
  EXPECT_EQ(route("/_info"), Route::info);
  EXPECT_EQ(route("/_info/name"), Route::info_name);
  EXPECT_EQ(route("/_info/version"), Route::info_version);
  EXPECT_EQ(route("/_info/home"), Route::info_home);
  EXPECT_EQ(route("/?spec"), Route::root);
  EXPECT_EQ(route("/robots.txt"), Route::robots);
  EXPECT_EQ(route("/healthz"), Route::healthz);
  EXPECT_EQ(route("/readyz"), Route::readyz);
  EXPECT_EQ(route("/live"), Route::live_page);
  EXPECT_EQ(route("/v1/live?stream=a"), Route::live_feed);
  EXPECT_EQ(route("/v1/live/schema?uri=/a"), Route::live_schema);
}

TEST(Router, CaseEscapesAndASlashAtTheEndDoNotCount) {
  EXPECT_EQ(route("/V1/EVENTS"), Route::events);
  EXPECT_EQ(route("/v1/%65vents"), Route::events);
  EXPECT_EQ(route("/_info/"), Route::info);
  EXPECT_EQ(route("/_info//"), Route::unknown);
  EXPECT_EQ(route("//_info"), Route::unknown);
  EXPECT_EQ(route("/_info/../robots.txt"), Route::unknown);
  EXPECT_EQ(route("/v1/events%00"), Route::unknown);
}

TEST(Router, AbsoluteFormIsItsPath) {
  const Target target = kRouter.find("HTTP://en.wikipedia.org:80/v1/events?hasty=1");
  EXPECT_EQ(target.route, Route::events);
  EXPECT_EQ(target.query, "hasty=1");
  EXPECT_EQ(route("http://en.wikipedia.org?spec"), Route::root);
  EXPECT_EQ(route("http://en.wikipedia.org"), Route::root);
  EXPECT_EQ(route("en.wikipedia.org:443"), Route::unknown);
  EXPECT_EQ(route("*"), Route::unknown);
}

TEST(Router, RoutesThatAreNotConfiguredAreNotThere) {
  const Router router(false, false);
  EXPECT_EQ(router.find("/v1/_test/events").route, Route::unknown);
  EXPECT_EQ(router.find("/v1/stream-configs").route, Route::unknown);
  EXPECT_EQ(router.find("/v1/stream-configs/a").route, Route::unknown);
  EXPECT_EQ(router.find("/live").route, Route::unknown);
  EXPECT_EQ(router.find("/v1/live").route, Route::unknown);
  EXPECT_EQ(router.find("/v1/live/schema").route, Route::unknown);
}

TEST(Router, NamesOfStreamsAreSeparatedByCommasOrBars) {
  EXPECT_THAT(kRouter.find("/v1/stream-configs").streams, IsEmpty());
  EXPECT_THAT(kRouter.find("/v1/stream-configs/").streams, IsEmpty());
  EXPECT_THAT(kRouter.find("/v1/stream-configs/a,b%7Cc,").streams, ElementsAre("a", "b", "c"));
  EXPECT_THAT(kRouter.find("/v1/stream-configs/%2F%5Ea%2F").streams, ElementsAre("/^a/"));
  EXPECT_THAT(kRouter.find("/v1/stream-configs/,").streams, ElementsAre(""));
  EXPECT_EQ(route("/v1/stream-configs/a/b"), Route::unknown);
}

TEST(Router, BadEscapeInThePathIsMalformed) {
  for (const std::string_view target : {"/%zz", "/v1/events%", "/v1/stream-configs/%4"})
    EXPECT_TRUE(kRouter.find(target).malformed) << target;
}

TEST(Router, QueryIsDecoded) {
  EXPECT_THAT(parse_query("a=b%20c+d&&hasty&e=&=f&g=h=i"),
              ElementsAre(Pair("a", "b c d"), Pair("hasty", ""), Pair("e", ""), Pair("", "f"), Pair("g", "h=i")));
  EXPECT_THAT(parse_query(""), IsEmpty());
}

TEST(Router, ANameOrValueWithABadEscapeStandsForItself) {
  EXPECT_THAT(parse_query("a=%2&%xx=%4142%&b=%41+%2B&c=%41+%"),
              ElementsAre(Pair("a", "%2"), Pair("%xx", "%4142%"), Pair("b", "A +"), Pair("c", "%41 %")));
  EXPECT_THAT(parse_query("a=%ff%41&b=%C3%A9&c=%ED%A0%80&%C3=%EF%BF%BD"),
              ElementsAre(Pair("a", "%ff%41"), Pair("b", "\xC3\xA9"), Pair("c", "%ED%A0%80"), Pair("%C3", "\uFFFD")));
}

TEST(Router, EveryRouteSaysWhatItTakes) {
  EXPECT_EQ(route_allow(Route::events), "POST");
  EXPECT_TRUE(route_takes(Route::events, Method::post));
  EXPECT_FALSE(route_takes(Route::events, Method::get));
  EXPECT_EQ(route_allow(Route::info), "GET,HEAD");
  EXPECT_TRUE(route_takes(Route::info, Method::head));
  EXPECT_EQ(route_allow(Route::test_events), "GET,HEAD");
  EXPECT_TRUE(route_takes(Route::test_events, Method::head));
  EXPECT_EQ(route_allow(Route::live_page), "GET,HEAD");
  EXPECT_EQ(route_allow(Route::live_feed), "GET,HEAD");
  EXPECT_TRUE(route_takes(Route::live_feed, Method::head));
  EXPECT_EQ(route_allow(Route::live_schema), "GET,HEAD");
  EXPECT_TRUE(route_takes(Route::live_schema, Method::get));
  EXPECT_TRUE(route_takes(Route::live_schema, Method::head));
  EXPECT_FALSE(route_takes(Route::info, Method::other));
}

TEST(Router, PathsAreNamedAsMetricsNameThem) {
  EXPECT_EQ(route_path(Route::events), "v1/events");
  EXPECT_EQ(route_path(Route::info_name), "_info/name");
  EXPECT_EQ(route_path(Route::root), "root");
  EXPECT_EQ(route_path(Route::unknown), "");
}

}  // namespace
}  // namespace eventgate
