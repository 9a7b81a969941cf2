#pragma once

#include <map>
#include <set>
#include <sstream>
#include <string>

namespace eventgate {

/// The ledger's series in a text of metrics.
class LedgerSamples {
 public:
  explicit LedgerSamples(const std::string& metrics) {
    std::istringstream text(metrics);
    for (std::string line; std::getline(text, line);) {
      if (!line.starts_with(kPrefix)) continue;
      const std::size_t labels = line.find('{');
      const std::size_t space = line.rfind(' ');
      const std::string name = line.substr(kPrefix.size(), labels - kPrefix.size());
      const std::string stream = label(line, "stream");
      const double number = std::stod(line.substr(space + 1));
      series_[line.substr(0, space)] = number;
      values_[name][stream] += number;
      if (name == "refused_total") refused_[stream][label(line, "cause")] = number;
      if (!stream.empty()) streams_.insert(stream);
    }
  }

  /// Of eventgate_ledger_<name>; all causes of a refusal together. 0 if there is none.
  double value(const std::string& name, const std::string& stream) const {
    const auto family = values_.find(name);
    if (family == values_.end()) return 0;
    const auto found = family->second.find(stream);
    return found == family->second.end() ? 0 : found->second;
  }
  std::map<std::string, double> refused(const std::string& stream) const {
    const auto found = refused_.find(stream);
    return found == refused_.end() ? std::map<std::string, double>() : found->second;
  }
  double unjudged() const { return value("unjudged", ""); }
  const std::set<std::string>& streams() const { return streams_; }

  /// What may only grow, by its line.
  std::map<std::string, double> counters() const {
    std::map<std::string, double> all;
    for (const auto& [name, number] : series_)
      if (name.find("_total{") != std::string::npos) all.emplace(name, number);
    return all;
  }

  /// The streams whose sums do not balance; empty if they all do, and nothing is less than 0.
  std::string imbalance() const {
    std::string wrong;
    for (const std::string& stream : streams_) {
      const auto of = [&](const char* name) { return value(name, stream); };
      if (of("received_total") != of("refused_total") + of("produced_total") + of("spooled_total") +
                                      of("delivery_unknown_total") + of("lost_total") + of("in_flight"))
        wrong += stream + ": events; ";
      if (of("spool_found_total") + of("spool_stored_total") != of("spool_replayed_total") +
                                                                    of("spool_acknowledged_late_total") +
                                                                    of("spool_dropped_total") + of("spool_records"))
        wrong += stream + ": records in the spool; ";
    }
    for (const auto& [name, number] : series_)
      // What should be below 0 comes out of an unsigned number as one that no double counts to.
      if (number < 0 || number > 9007199254740991.0) wrong += name + " is below 0; ";
    if (streams_.empty()) wrong += "no stream";
    return wrong;
  }

 private:
  static constexpr std::string_view kPrefix = "eventgate_ledger_";

  static std::string label(const std::string& line, const std::string& name) {
    const std::string start = name + "=\"";
    const std::size_t found = line.find(start);
    if (found == std::string::npos) return {};
    const std::size_t begin = found + start.size();
    return line.substr(begin, line.find('"', begin) - begin);
  }

  std::map<std::string, double> series_;
  std::map<std::string, std::map<std::string, double>> values_;
  std::map<std::string, std::map<std::string, double>> refused_;
  std::set<std::string> streams_;
};

}  // namespace eventgate
