#include "eventgate/http/router.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/system/error_code.hpp>
#include <memory>
#include <string>
#include <utility>

#include "http/request_parser.hpp"

namespace eventgate {
namespace {

using testing::HasSubstr;

/// Answers with the status that it was made with.
class StatusEndpoint final : public Endpoint {
 public:
  explicit StatusEndpoint(unsigned status) : status_(status) {}
  Task<Reply> handle(Exchange& /*exchange*/) override {
    Response response;
    response.status = status_;
    co_return response;
  }

 private:
  const unsigned status_;
};

Route route_to(Method method, std::string_view path, bool own_origin_only = false) {
  return {method, path, "operation", std::make_unique<StatusEndpoint>(200), own_origin_only};
}

Router make_router() {
  std::vector<Route> routes;
  routes.push_back(route_to(Method::post, "/v1/events"));
  routes.push_back(route_to(Method::get, "/v1/_test/events"));
  routes.push_back(route_to(Method::get, "/v1/stream-configs"));
  routes.push_back(route_to(Method::get, "/v1/stream-configs/{streams}"));
  routes.push_back(route_to(Method::get, "/_info"));
  routes.push_back(route_to(Method::get, "/_info/name"));
  routes.push_back(route_to(Method::get, "/"));
  routes.push_back(route_to(Method::get, "/live", true));
  routes.push_back(route_to(Method::get, "/both"));
  routes.push_back(route_to(Method::post, "/both"));
  routes.push_back(route_to(Method::get, "/v2/stream/{streams}"));
  routes.back().takes_last_event_id = true;
  return Router(std::move(routes), "Look elsewhere.");
}

const Router kRouter = make_router();

/// The label of the resource that `target` leads to; `none` without one.
std::string label(std::string_view target) {
  const Router::Match match = kRouter.find(target);
  return match.resource ? std::string(match.resource->label) : "none";
}

std::string parameter(std::string_view target) { return kRouter.find(target).parameter; }

Request request_of(std::string_view method, std::string_view target) {
  Request request;
  RequestParser parser(request, 16384, 100);
  boost::system::error_code error;
  parser.parse(std::string(method) + ' ' + std::string(target) + " HTTP/1.1\r\nHost: x\r\n\r\n", error);
  EXPECT_FALSE(error) << error.message();
  return request;
}

Response default_response(std::string_view method, std::string_view target) {
  return kRouter.default_response(kRouter.find(target), request_of(method, target));
}

TEST(Router, SecondSlashAfterTheVersionIsIgnored) {
  EXPECT_EQ(label("/v1//events"), "v1/events");
  EXPECT_EQ(label("/V1//Events?hasty=true"), "v1/events");
  EXPECT_EQ(label("/v1//stream-configs/a"), "v1/stream-configs");
  for (const char* target : {"//v1/events", "/v1///events", "/v1/_test//events", "/v1//events//", "/_info//name"})
    EXPECT_EQ(label(target), "none") << target;
}

TEST(Router, EscapedSlashSeparatesNoSegments) {
  for (const char* target : {"/v1%2fevents", "/v1%2Fevents", "%2Fv1/events", "/v1/%2fevents", "/v1%2F%2Fevents"})
    EXPECT_EQ(label(target), "none") << target;
  EXPECT_FALSE(kRouter.find("/v1%2fevents").malformed);
  EXPECT_EQ(label("/v1/%65vents"), "v1/events");
  EXPECT_EQ(parameter("/v1/stream-configs/a%2Fb"), "a/b");
}

TEST(Router, CaseEscapesAndASlashAtTheEndAreIgnored) {
  EXPECT_EQ(label("/V1/EVENTS"), "v1/events");
  EXPECT_EQ(label("/v1/%65vents"), "v1/events");
  EXPECT_EQ(label("/_info/"), "_info");
  EXPECT_EQ(label("/_info//"), "none");
  EXPECT_EQ(label("//_info"), "none");
  EXPECT_EQ(label("/_info/../v1/events"), "none");
  EXPECT_EQ(label("/v1/events%00"), "none");
}

TEST(Router, AbsoluteFormLeadsToItsPath) {
  const Router::Match match = kRouter.find("HTTP://en.wikipedia.org:80/v1/events?hasty=1");
  EXPECT_EQ(match.resource->label, "v1/events");
  EXPECT_EQ(match.query, "hasty=1");
  EXPECT_EQ(label("http://en.wikipedia.org?spec"), "root");
  EXPECT_EQ(label("http://en.wikipedia.org"), "root");
  EXPECT_EQ(label("en.wikipedia.org:443"), "none");
  EXPECT_EQ(label("*"), "none");
}

TEST(Router, ParameterIsTheDecodedLastSegment) {
  EXPECT_EQ(parameter("/v1/stream-configs"), "");
  EXPECT_EQ(parameter("/v1/stream-configs/"), "");
  EXPECT_EQ(parameter("/v1/stream-configs/a,b%7Cc,/"), "a,b|c,");
  EXPECT_EQ(parameter("/v1/stream-configs/%2F%5Ea%2F"), "/^a/");
  EXPECT_EQ(label("/v1/stream-configs/a/b"), "none");
}

TEST(Router, BadEscapeInThePathIsMalformed) {
  for (const std::string_view target : {"/%zz", "/v1/events%", "/v1/stream-configs/%4"})
    EXPECT_TRUE(kRouter.find(target).malformed) << target;
  const Response response = default_response("GET", "/%zz");
  EXPECT_EQ(response.status, 400u);
  EXPECT_EQ(response.rejection_cause, "malformed_target");
}

TEST(Router, MethodsOfAPathFollowFromItsRows) {
  const Router::Resource& events = *kRouter.find("/v1/events").resource;
  EXPECT_EQ(events.allow, "POST");
  EXPECT_NE(events.endpoint(Method::post), nullptr);
  EXPECT_EQ(events.endpoint(Method::get), nullptr);
  const Router::Resource& info = *kRouter.find("/_info").resource;
  EXPECT_EQ(info.allow, "GET,HEAD");
  EXPECT_EQ(info.endpoint(Method::head), info.endpoint(Method::get));
  EXPECT_EQ(info.endpoint(Method::options), nullptr);
  EXPECT_EQ(info.endpoint(Method::other), nullptr);
  const Router::Resource& both = *kRouter.find("/both").resource;
  EXPECT_EQ(both.allow, "GET,HEAD,POST");
  EXPECT_NE(both.endpoint(Method::get), both.endpoint(Method::post));
}

TEST(Router, UnknownPathIs404AndProxyRequestIs405) {
  const Response unknown = default_response("GET", "/nowhere");
  EXPECT_EQ(unknown.status, 404u);
  EXPECT_THAT(unknown.body, HasSubstr("Nothing is at this path. Look elsewhere."));
  const Response proxy = default_response("CONNECT", "en.wikipedia.org:443");
  EXPECT_EQ(proxy.status, 405u);
  EXPECT_EQ(proxy.extra_headers, "allow: GET,HEAD,POST,OPTIONS\r\n");
}

TEST(Router, OtherMethodIs405WithAllow) {
  const Response response = default_response("PUT", "/_info");
  EXPECT_EQ(response.status, 405u);
  EXPECT_EQ(response.extra_headers, "allow: GET,HEAD\r\n");
  EXPECT_FALSE(response.own_origin_only);
  EXPECT_TRUE(default_response("POST", "/live").own_origin_only);
}

TEST(Router, AStreamAllowsOptionsToo) {
  EXPECT_EQ(default_response("POST", "/v2/stream/a").extra_headers, "allow: GET, HEAD, OPTIONS\r\n");
  EXPECT_THAT(default_response("OPTIONS", "/v2/stream/a").extra_headers, HasSubstr("last-event-id"));
}

TEST(Router, OptionsListsTheMethods) {
  const Response response = default_response("OPTIONS", "/v1/events");
  EXPECT_EQ(response.status, 200u);
  EXPECT_EQ(response.extra_headers, "allow: POST\r\n");
  EXPECT_EQ(response.body, "POST");
}

}  // namespace
}  // namespace eventgate
