#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "eventgate/json/json_text.hpp"
#include "support/validated_event.hpp"

// Formats, through schemas that name them. The verdicts are those of AJV 6's regular expressions ("fast").

namespace eventgate {
namespace {

bool matches(const std::string& format, const std::string& text) {
  const auto schema = compiled(R"({"format": ")" + format + "\"}");
  return validated(*schema, json_string(text)).valid();
}

/// The texts among `texts` that are of `format`.
std::vector<std::string> matching(const std::string& format, const std::vector<std::string>& texts) {
  std::vector<std::string> found;
  for (const std::string& text : texts)
    if (matches(format, text)) found.push_back(text);
  return found;
}

using testing::ElementsAre;

TEST(Formats, Date_ChecksTheRangeOfTensOnly) {
  EXPECT_THAT(matching("date", {"2020-01-31", "2020-19-39", "2020-20-01", "2020-01-40", "2020-1-31", "2020-01-31 ",
                                "2020-01-31\n", "a020-01-31", ""}),
              ElementsAre("2020-01-31", "2020-19-39"));
}

TEST(Formats, TimeMayLackAZone) {
  EXPECT_THAT(matching("time", {"10:20:30", "10:20:30.5z", "23:59:60", "29:59:59Z", "10:20:30+01", "10:20:30-0130",
                                "10:20:30+01:30", "10:20:30.", "30:00:00", "10:20", "10:20:60", "10:20:30+1",
                                "10:20:30Zx", "10:20:30+01:"}),
              ElementsAre("10:20:30", "10:20:30.5z", "23:59:60", "29:59:59Z", "10:20:30+01", "10:20:30-0130",
                          "10:20:30+01:30"));
}

TEST(Formats, DateTimeNeedsAZoneAndTakesAnySpaceAsSeparator) {
  EXPECT_THAT(matching("date-time", {"2020-04-02T19:11:20.942Z", "2020-04-02t19:11:20+01:00", "2020-04-02 19:11:20z",
                                     "2020-04-02\xC2\xA0"
                                     "19:11:20Z",
                                     "2020-04-02\xE2\x80\xA8"
                                     "19:11:20Z",
                                     "2020-04-02T19:11:20", "2020-04-02T19:11:20ZZ", "2020-04-02x19:11:20Z",
                                     "2020-04-02", "2020-04-02T25:61:00Z"}),
              ElementsAre("2020-04-02T19:11:20.942Z", "2020-04-02t19:11:20+01:00", "2020-04-02 19:11:20z",
                          "2020-04-02\xC2\xA0"
                          "19:11:20Z",
                          "2020-04-02\xE2\x80\xA8"
                          "19:11:20Z"));
}

TEST(Formats, UriHasASchemeAndNoSpace) {
  EXPECT_THAT(
      matching("uri", {"http://a/b?c#d", "urn:x", "a+b-1.c:", "1a:x", "/a", "http://a b", "a:\xE3\x80\x80", ""}),
      ElementsAre("http://a/b?c#d", "urn:x", "a+b-1.c:"));
}

TEST(Formats, UriReferenceHasNoBackslashAtItsStartOrInItsFragment) {
  EXPECT_THAT(matching("uri-reference", {"", "/a", "a\\b", "#x", "http://a#b", "\\a", "a#\\b", "a b", "#a b"}),
              ElementsAre("", "/a", "a\\b", "#x", "http://a#b"));
}

TEST(Formats, UriTemplateHasWellFormedExpressions) {
  EXPECT_THAT(matching("uri-template", {"http://x/{a,b*,c:3}{?q}%20", "{+a}", "\xC3\xA9", "{a", "{}", "{a:0}",
                                        "{a:12345}", "{a,}", "a b", "%2", "a}b"}),
              ElementsAre("http://x/{a,b*,c:3}{?q}%20", "{+a}", "\xC3\xA9"));
}

TEST(Formats, UrlHasAPublicHost) {
  EXPECT_THAT(matching("url", {"http://example.com", "HTTPS://user:pw@a-b.example.com:8080/x?y",
                               "ftp://223.255.255.254/", "http://\xC3\xBC.\xC3\xA9t", "http://a@b@example.com",
                               "http://example.com?x", "http://localhost", "http://10.0.0.1", "http://192.168.1.1",
                               "http://172.16.0.1", "http://224.1.1.1", "http://1.1.1.255", "http://a..bc",
                               "http://a-.bc", "http://a.b", "http://a.bc:1", "http://a.bc/x y", "gopher://a.bc"}),
              ElementsAre("http://example.com", "HTTPS://user:pw@a-b.example.com:8080/x?y", "ftp://223.255.255.254/",
                          "http://\xC3\xBC.\xC3\xA9t", "http://a@b@example.com"));
}

TEST(Formats, EmailHasLabelsOfNoMoreThan63Characters) {
  const std::string label(63, 'a');
  EXPECT_THAT(matching("email", {"a.b+c@d-e.f", "!#$%&'*@x", "a@" + label, "a@" + label + "a", "a@b-", "a@-b", "@b",
                                 "a@", "a b@c", "a@b..c", "a@b@c"}),
              ElementsAre("a.b+c@d-e.f", "!#$%&'*@x", "a@" + label));
}

TEST(Formats, HostnameHas253CharactersAtMost) {
  const std::string label(63, 'a');
  const std::string longest = label + "." + label + "." + label + "." + std::string(61, 'b');
  EXPECT_THAT(matching("hostname", {"a.b-c.D", "a.", longest, longest + ".", longest + "b", "-a", "a-", "a..b", "", ".",
                                    "a_b", label + "a"}),
              ElementsAre("a.b-c.D", "a.", longest, longest + "."));
}

TEST(Formats, Ipv4_MayHaveLeadingZeros) {
  EXPECT_THAT(matching("ipv4", {"1.2.3.4", "255.255.255.255", "01.002.0.1", "256.1.1.1", "1.2.3", "1.2.3.4.5",
                                "0001.2.3.4", "1.2.3.4 "}),
              ElementsAre("1.2.3.4", "255.255.255.255", "01.002.0.1"));
}

TEST(Formats, Ipv6_MayHaveEveryForm) {
  const std::vector<std::string> good = {"::",
                                         "::1",
                                         "1::",
                                         "1:2:3:4:5:6:7:8",
                                         "1:2:3:4:5:6:7::",
                                         "::2:3:4:5:6:7:8",
                                         "1::3:4:5:6:7:8",
                                         "::ffff:1.2.3.4",
                                         "1:2:3:4:5:6:1.2.3.4",
                                         "1:2::4:1.2.3.4",
                                         " fe80::1%eth0\n",
                                         "ABCD::"};
  EXPECT_THAT(matching("ipv6", good), testing::ElementsAreArray(good));
  EXPECT_THAT(matching("ipv6", {"", ":", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "12345::", "::g",
                                "1:2:3:4:5:6:7:1.2.3.4", "1:2:3:4:5::1.2.3.4:", "::1.2.3", "::01.2.3.4", "::256.2.3.4",
                                "::%", "::1 x", "1:2:3:4:5:6::7:8", "1:"}),
              ElementsAre());
}

TEST(Formats, Regex_IsThatOfJavaScript) {
  const std::vector<std::string> good = {
      "^a+(b|c)*?$", "[a-z]{2,3}", "(?<n>a)\\k<n>", "(?=a)*",  "(?<!a)b", "\\1(a)", "{",    "a{,2}", "[]",
      "[^]",         "[\\w-a]",    "\\c",           "\\u{61}", "]",       "}",      "(?:)", ""};
  EXPECT_THAT(matching("regex", good), testing::ElementsAreArray(good));
  EXPECT_THAT(matching("regex", {"(", ")", "[", "a**", "*", "{1}", "x{2,1}", "[b-a]", "\\", "(?i)a", "(?<=a)+", "^*",
                                 "(?<a>x)(?<a>y)", "(?<1>a)", "(?<n>a)\\k", "a\\Z"}),
              ElementsAre());
}

TEST(Formats, UuidMayBeAUrn) {
  EXPECT_THAT(matching("uuid", {"12345678-1234-1234-1234-123456789aBc", "URN:uuid:12345678-1234-1234-1234-123456789abc",
                                "12345678-1234-1234-1234-123456789ab", "12345678123412341234123456789abc",
                                "12345678-1234-1234-1234-123456789abg", "urn:uuid:"}),
              ElementsAre("12345678-1234-1234-1234-123456789aBc", "URN:uuid:12345678-1234-1234-1234-123456789abc"));
}

TEST(Formats, JsonPointersEscapeTheirTildes) {
  EXPECT_THAT(matching("json-pointer", {"", "/", "/a/~0~1", "a", "/~", "/~2"}), ElementsAre("", "/", "/a/~0~1"));
  EXPECT_THAT(matching("json-pointer-uri-fragment", {"#", "#/a/%20~0", "", "/", "#a", "#/%2", "#/ ", "#/~2"}),
              ElementsAre("#", "#/a/%20~0"));
  EXPECT_THAT(matching("relative-json-pointer", {"0", "10/a", "1#", "01", "/a", "1a", "1#x", ""}),
              ElementsAre("0", "10/a", "1#"));
}

TEST(Formats, ValueIsNotAString_IsValid) {
  const auto schema = compiled(R"({"format": "date-time"})");
  EXPECT_TRUE(validated(*schema, "12").valid());
  EXPECT_TRUE(validated(*schema, "null").valid());
}

TEST(Formats, StringHasEscapes_ItsContentIsValidated) {
  const auto schema = compiled(R"({"format": "date"})");
  EXPECT_TRUE(validated(*schema, R"("\u00320\u00320-01-01")").valid());
  EXPECT_FALSE(validated(*schema, R"("2020-01-01\n")").valid());
}

TEST(Formats, AMegabyteIsReadInLinearTime) {
  const std::vector<std::string> hostile = {std::string(1 << 20, 'a'),
                                            std::string(1 << 20, '@'),
                                            "http://" + std::string(1 << 20, '@'),
                                            std::string(1 << 20, '{'),
                                            std::string(1 << 20, '('),
                                            std::string(1 << 20, ':'),
                                            "http://" + std::string(1 << 20, '.'),
                                            std::string(1 << 20, '%'),
                                            "::%" + std::string(1 << 20, ' ') + "x",
                                            std::string(1 << 20, '\\')};
  std::vector<std::shared_ptr<const CompiledSchema>> schemas;
  for (const char* format :
       {"date", "time", "date-time", "uri", "uri-reference", "uri-template", "url", "email", "hostname", "ipv4", "ipv6",
        "regex", "uuid", "json-pointer", "json-pointer-uri-fragment", "relative-json-pointer"})
    schemas.push_back(compiled(R"({"format": ")" + std::string(format) + "\"}"));
  // Within the test's time limit.
  for (const std::string& text : hostile) {
    const ParsedText parsed(json_string(text));
    Validation validation;
    for (const auto& schema : schemas) schema->validate(parsed.value(), validation);
  }
  EXPECT_FALSE(matches("email", hostile[0]));
}

}  // namespace
}  // namespace eventgate
