// The alerts, rules and dashboard that are shipped in ops/, held to the metrics that the gate exports, to their tests
// and to docs/alerts.md.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eventgate/fetch/object_reader.hpp"
#include "eventgate/telemetry/metrics.hpp"
#include "eventgate/telemetry/stream_metrics.hpp"
#include "eventgate/telemetry/telemetry.hpp"
#include "support/becomes.hpp"
#include "support/gate_process.hpp"
#include "support/http_client.hpp"
#include "support/paths.hpp"

namespace eventgate {
namespace {

using nlohmann::ordered_json;
using Names = std::set<std::string>;

std::string text_of(const std::string& file) {
  std::ifstream in(source_dir() + "/" + file);
  return {std::istreambuf_iterator<char>(in), {}};
}

ordered_json object_of(const std::string& file) {
  auto object = parse_object_text(text_of(file));
  if (object) return *std::move(object);
  ADD_FAILURE() << file << ": " << object.error().message;
  return ordered_json::object();
}

std::vector<ordered_json> rules_of(const std::string& file) {
  std::vector<ordered_json> rules;
  const ordered_json object = object_of(file);
  for (const ordered_json& group : object["groups"])
    for (const ordered_json& rule : group["rules"]) rules.push_back(rule);
  return rules;
}

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == ':';
}

/// The metrics that a PromQL expression names: identifiers that are no function, no operator and no label. What is in
/// braces, brackets and quotes is passed over, and so are the labels in parentheses behind `by` and the like.
Names metric_names(std::string_view expression) {
  static const Names kListsLabels{"by", "without", "on", "ignoring", "group_left", "group_right"};
  static const Names kOperators{"and", "or", "unless", "bool", "offset", "inf", "nan", "atan2"};
  Names names;
  const auto pass_string = [&](std::size_t at) {
    const char quote = expression[at++];
    while (at < expression.size() && expression[at] != quote) at += expression[at] == '\\' && quote != '`' ? 2 : 1;
    return std::min(at + 1, expression.size());
  };
  const auto pass_until = [&](std::size_t at, char end) {
    while (at < expression.size() && expression[at] != end) {
      const char c = expression[at];
      at = c == '"' || c == '\'' || c == '`' ? pass_string(at) : at + 1;
    }
    return std::min(at + 1, expression.size());
  };
  const auto pass_space = [&](std::size_t at) {
    return std::min(expression.find_first_not_of(" \n", at), expression.size());
  };
  for (std::size_t at = 0; at < expression.size();) {
    const char c = expression[at];
    if (c == '"' || c == '\'' || c == '`') {
      at = pass_string(at);
    } else if (c == '{' || c == '[') {
      at = pass_until(at, c == '{' ? '}' : ']');
    } else if (is_name_char(c)) {
      const std::size_t begin = at;
      while (at < expression.size() && (is_name_char(expression[at]) || expression[at] == '.')) ++at;
      const std::string word(expression.substr(begin, at - begin));
      if (c >= '0' && c <= '9') continue;
      const std::size_t next = pass_space(at);
      if (kListsLabels.contains(word)) {
        if (next < expression.size() && expression[next] == '(') at = pass_until(next, ')');
        continue;
      }
      const bool called = next < expression.size() && expression[next] == '(';
      const bool aggregates =
          expression.substr(next).starts_with("by ") || expression.substr(next).starts_with("without ");
      if (!called && !aggregates && !kOperators.contains(word)) names.insert(word);
    } else {
      ++at;
    }
  }
  return names;
}

TEST(MetricNames, AreThoseThatAnExpressionNames) {
  EXPECT_EQ(metric_names(R"(sum by (job, le) (rate(a_total{b="c}", d!~'e\'f'}[5m])) / (g:h:rate5m > 0.5))"),
            (Names{"a_total", "g:h:rate5m"}));
  EXPECT_EQ(metric_names("x and on (job, instance) y unless ignoring(z) max without (w) (v offset 5m) or 1e3 * time()"),
            (Names{"x", "y", "v"}));
  EXPECT_EQ(metric_names("topk(15, a) + histogram_quantile(0.99, b)"), (Names{"a", "b"}));
}

/// What rules record, alerts ask and panels show, with where that is.
std::vector<std::pair<std::string, std::string>> expressions() {
  std::vector<std::pair<std::string, std::string>> found;
  for (const char* file : {"ops/prometheus/recording.yaml", "ops/prometheus/alerts.yaml"})
    for (const ordered_json& rule : rules_of(file))
      found.emplace_back(rule.value("alert", rule.value("record", "")), rule["expr"].get<std::string>());
  const ordered_json dashboard = object_of("ops/grafana/eventgate.json");
  for (const ordered_json& panel : dashboard["panels"])
    if (panel.contains("targets"))
      for (const ordered_json& target : panel["targets"])
        found.emplace_back("panel " + panel["title"].get<std::string>(), target["expr"].get<std::string>());
  for (const ordered_json& annotation : dashboard["annotations"]["list"])
    if (annotation.contains("expr"))
      found.emplace_back("annotation " + annotation["name"].get<std::string>(), annotation["expr"].get<std::string>());
  for (const ordered_json& variable : dashboard["templating"]["list"]) {
    if (variable["type"] != "query") continue;
    // label_values(METRIC, LABEL)
    const auto query = variable["definition"].get<std::string>();
    const std::size_t begin = query.find('(') + 1;
    found.emplace_back("variable " + variable["name"].get<std::string>(),
                       query.substr(begin, query.rfind(',') - begin));
  }
  return found;
}

void add_names(const std::string& metrics, Names& names) {
  std::istringstream lines(metrics);
  for (std::string line; std::getline(lines, line);)
    if (!line.empty() && line[0] != '#') names.insert(line.substr(0, line.find_first_of("{ ")));
}

/// What a gate exports that has Kafka, a spool and stream configs, after some events; its brokers are not there.
Names exported_by_a_gate() {
  const TemporaryFolder folder;
  GateProcess gate({"config/config.yaml"}, "spool: {path: " + folder.path() +
                                               "/spool}\nkafka: {conf: {metadata.broker.list: '127.0.0.1:1', "
                                               "statistics.interval.ms: 50}}\nlegacy: {schemas: {Test: 1.0.0}}\n");
  HttpClient client(gate.port());
  const std::string event = R"({"$schema": "/test/event/1.0.0", "meta": {"stream": "test.event"}, "test": )";
  EXPECT_EQ(client.post("/v1/events", event + R"("x"})").status, 201u);
  EXPECT_EQ(client.post("/v1/events", event + "5}").status, 400u);
  EXPECT_EQ(client.get("/beacon/event?%7B").status, 204u);
  Names names;
  EXPECT_TRUE(becomes([&] {
    names.clear();
    add_names(HttpClient(gate.metrics_port()).get("/metrics").body, names);
    return names.contains("eventgate_rdkafka_msg_cnt") && names.contains("eventgate_legacy_beacons_total");
  }));
  return names;
}

/// What it exports, too, if what seldom happens does: the same functions count it.
Names exported_in_time() {
  Metrics metrics("gate");
  Telemetry telemetry(metrics);
  telemetry.request_rejected("timeout");
  telemetry.schema_failed("/a/1.0.0", "broken");
  telemetry.record_delivered("guaranteed", std::chrono::milliseconds(1));
  telemetry.record_failed("guaranteed", "a", "_MSG_TIMED_OUT", "Local: Message timed out");
  telemetry.late_delivery("guaranteed", true);
  telemetry.producer_error("guaranteed", "_TRANSPORT", "down");
  telemetry.producer_statistics("guaranteed", R"({"name": "n", "type": "producer", "brokers": {"b": {
      "name": "b", "nodeid": 1, "state": "UP", "txerrs": 0, "txretries": 0, "req_timeouts": 0, "rtt": {"avg": 1}}}})");
  telemetry.canary_streams({"test.event"});
  StreamMetrics streams(metrics);
  streams.reader_connected({"a"});
  streams.reader_disconnected({"a"}, "too_slow");
  streams.reader_refused("not_found");
  streams.record_skipped("a", 1, "not_json");
  streams.gap_found("a", 0, 1, 2);
  streams.lag_changed("a", 1);
  streams.ring_changed("a", 1);
  Names names;
  add_names(metrics.text(), names);
  return names;
}

TEST(Ops, EveryMetricThatIsNamedIsExported) {
  Names known = exported_by_a_gate();
  known.merge(exported_in_time());
  known.insert("up");  // Prometheus's own
  for (const ordered_json& rule : rules_of("ops/prometheus/recording.yaml")) known.insert(rule["record"]);
  std::size_t count = 0;
  for (const auto& [where, expression] : expressions()) {
    const Names names = metric_names(expression);
    EXPECT_FALSE(names.empty()) << where;
    for (const std::string& name : names) EXPECT_TRUE(known.contains(name)) << where << " names " << name;
    count += names.size();
  }
  EXPECT_GT(count, 100u);
}

TEST(Ops, EveryAlertSaysWhatItIsAndWhereMoreIsSaid) {
  const std::string docs = text_of("docs/alerts.md");
  std::size_t sections = 0;
  for (std::size_t at = docs.find("\n## "); at != std::string::npos; at = docs.find("\n## ", at + 1)) ++sections;
  const std::vector<ordered_json> alerts = rules_of("ops/prometheus/alerts.yaml");
  EXPECT_EQ(sections, alerts.size());
  for (const ordered_json& alert : alerts) {
    const auto name = alert["alert"].get<std::string>();
    EXPECT_THAT(alert["labels"].value("severity", ""), testing::AnyOf("critical", "warning")) << name;
    EXPECT_FALSE(alert["annotations"].value("summary", "").empty()) << name;
    EXPECT_FALSE(alert["annotations"].value("description", "").empty()) << name;
    std::string anchor = name;
    std::transform(anchor.begin(), anchor.end(), anchor.begin(), [](unsigned char c) { return std::tolower(c); });
    EXPECT_EQ(alert["annotations"].value("runbook_url", ""),
              "{{ or $externalLabels.eventgate_docs \"docs\" }}/alerts.md#" + anchor);
    EXPECT_THAT(docs, testing::HasSubstr("\n## " + name + "\n"));
  }
}

TEST(Ops, EveryAlertIsTestedInBothDirections) {
  std::multiset<std::string> firing, quiet;
  const ordered_json object = object_of("tests/ops/alerts_test.yaml");
  for (const ordered_json& test : object["tests"])
    for (const ordered_json& alert : test["alert_rule_test"])
      (alert["exp_alerts"].empty() ? quiet : firing).insert(alert["alertname"].get<std::string>());
  std::multiset<std::string> alerts;
  for (const ordered_json& alert : rules_of("ops/prometheus/alerts.yaml"))
    alerts.insert(alert["alert"].get<std::string>());
  EXPECT_FALSE(alerts.empty());
  EXPECT_EQ(firing, alerts);
  EXPECT_EQ(quiet, alerts);
}

TEST(Ops, DashboardBeginsWithTheTableOfStreamsAndMarksRestartsAndReloads) {
  const ordered_json dashboard = object_of("ops/grafana/eventgate.json");
  const ordered_json& table = dashboard["panels"][1];
  EXPECT_EQ(table["title"], "Streams");
  EXPECT_EQ(table["type"], "table");
  std::vector<std::string> columns;
  for (const ordered_json& name : table["transformations"][1]["options"]["renameByName"]) columns.push_back(name);
  EXPECT_THAT(columns, testing::ElementsAre("Stream", "Received", "Refused", "Top cause", "Last seen"));
  std::vector<std::string> marks;
  for (const ordered_json& annotation : dashboard["annotations"]["list"])
    if (annotation.contains("expr")) marks.push_back(annotation["name"]);
  EXPECT_THAT(marks, testing::ElementsAre("Restarts", "Reloads"));
}

/// Metrics that a gate exports with its first refusal, rejection or failure.
TEST(Ops, PanelsOfWhatSeldomHappensShowZeroBeforeItDoes) {
  static const Names kLater{"job_stream_cause:eventgate_refused:rate5m",
                            "job_stream:eventgate_refused:ratio5m",
                            "eventgate_rejected_requests_total",
                            "eventgate_validation_errors_total",
                            "eventgate_record_failures_total",
                            "eventgate_producer_errors_total",
                            "eventgate_late_deliveries_total",
                            "eventgate_schema_failures_total",
                            "eventgate_spool_records_total",
                            "eventstreams_connected_clients",
                            "eventgate_stream_refused_total",
                            "eventgate_stream_disconnects_total",
                            "eventgate_stream_lag_records",
                            "eventgate_stream_records_skipped_total",
                            "eventgate_stream_gaps_total",
                            "eventgate_stream_buffer_bytes",
                            "eventgate_legacy_beacons_total"};
  std::size_t found = 0;
  const ordered_json dashboard = object_of("ops/grafana/eventgate.json");
  for (const ordered_json& panel : dashboard["panels"]) {
    if (!panel.contains("targets")) continue;
    for (const ordered_json& target : panel["targets"]) {
      const auto expression = target["expr"].get<std::string>();
      const Names names = metric_names(expression);
      if (!std::any_of(names.begin(), names.end(), [](const std::string& name) { return kLater.contains(name); }))
        continue;
      ++found;
      EXPECT_THAT(expression, testing::EndsWith(" or on() vector(0)")) << panel["title"];
    }
  }
  EXPECT_GE(found, kLater.size());
}

TEST(Ops, DashboardSaysOfEachPanelWhatItShows) {
  const ordered_json dashboard = object_of("ops/grafana/eventgate.json");
  EXPECT_GE(dashboard["schemaVersion"].get<int>(), 36);
  std::set<std::string> variables;
  for (const ordered_json& variable : dashboard["templating"]["list"]) variables.insert(variable["name"]);
  EXPECT_THAT(variables, testing::UnorderedElementsAre("datasource", "job", "instance", "stream"));
  std::set<int> ids;
  for (const ordered_json& panel : dashboard["panels"]) {
    const auto title = panel["title"].get<std::string>();
    EXPECT_TRUE(ids.insert(panel["id"].get<int>()).second) << title;
    if (panel["type"] == "row") continue;
    EXPECT_FALSE(panel.value("description", "").empty()) << title;
    EXPECT_FALSE(panel["fieldConfig"]["defaults"].value("unit", "").empty()) << title;
    EXPECT_EQ(panel["datasource"]["uid"], "${datasource}") << title;
    EXPECT_FALSE(panel["targets"].empty()) << title;
  }
}

}  // namespace
}  // namespace eventgate
