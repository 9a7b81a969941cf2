#include "api/client_endpoints.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "support/http_harness.hpp"
#include "support/paths.hpp"

namespace eventgate {
namespace {

std::string file_text(const std::string& name) {
  std::ifstream in(source_dir() + "/clients/js/" + name);
  return {std::istreambuf_iterator<char>(in), {}};
}

HttpReply get(HttpHarness& harness, std::string_view path, const std::vector<std::string>& headers = {}) {
  return harness.client().get(path, headers);
}

TEST(ClientEndpoints, AreTheFilesOfTheFolder) {
  HttpHarness harness;
  EXPECT_EQ(get(harness, "/client.js").body, file_text("client.min.js"));
  EXPECT_EQ(get(harness, "/client.classic.js").body, file_text("client.classic.min.js"));
  EXPECT_EQ(get(harness, "/client.d.ts").body, file_text("client.d.ts"));
  // The tag of the README names the script by its path.
  EXPECT_THAT(file_text("README.md"), testing::HasSubstr("https://intake.example" + std::string(kClientFiles[3].path)));
  EXPECT_EQ(get(harness, kClientFiles[3].path).body, file_text("client.classic.min.js"));
}

TEST(ClientEndpoints, AnyPageMayLoadThemWhateverCorsIs) {
  for (const bool none : {false, true}) {
    HttpHarness::Setup setup;
    setup.http.cors_origins = {"https://other.org"};
    if (none) {
      setup.http.cors_origins.clear();
      setup.http.cors.reset();
    }
    HttpHarness harness(setup);
    for (const ClientFile& file : kClientFiles) {
      const HttpReply reply = get(harness, file.path, {"Origin: https://a.org"});
      EXPECT_EQ(reply.status, 200u) << file.path;
      EXPECT_EQ(reply.header("content-type"), "text/javascript; charset=utf-8");
      EXPECT_EQ(reply.header("access-control-allow-origin"), "*");
      EXPECT_EQ(reply.header("cross-origin-resource-policy"), "cross-origin");
      EXPECT_EQ(reply.header("x-content-type-options"), "nosniff");
    }
  }
}

TEST(ClientEndpoints, MayBeKeptForAnHourOrByTheirHashForAYear) {
  HttpHarness harness;
  for (const ClientFile& file : kClientFiles) {
    const HttpReply reply = get(harness, file.path);
    EXPECT_EQ(reply.header("cache-control"),
              file.immutable ? "public, max-age=31536000, immutable" : "public, max-age=3600");
    const std::string tag = reply.header("etag").value_or("");
    EXPECT_THAT(tag, testing::MatchesRegex("W/\"[0-9a-f]+\""));
    if (file.immutable) {
      EXPECT_THAT(std::string(file.path), testing::HasSubstr(tag.substr(3, 16)));
    }
    const HttpReply known = get(harness, file.path, {"If-None-Match: \"x\", " + tag});
    EXPECT_EQ(known.status, 304u);
    EXPECT_EQ(known.body, "");
    EXPECT_EQ(known.header("access-control-allow-origin"), "*");
    EXPECT_EQ(get(harness, file.path, {"If-None-Match: W/\"0\""}).status, 200u);
  }
}

TEST(ClientEndpoints, TheClientHasAtMost4KilobytesCompressed) {
  HttpHarness harness;
  for (const char* const path : {"/client.js", "/client.classic.js"}) {
    const HttpReply reply = get(harness, path, {"Accept-Encoding: gzip, deflate"});
    EXPECT_EQ(reply.header("content-encoding"), "gzip");
    EXPECT_LE(reply.body.size(), 4096u) << path;
    EXPECT_GT(reply.body.size(), 2000u) << path;
  }
}

}  // namespace
}  // namespace eventgate
