#include "topic_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <system_error>
#include <utility>

#include "eventgate/base/timestamp.hpp"
#include "eventgate/json/json_nodes.hpp"

namespace eventgate {
namespace {

namespace fs = std::filesystem;

constexpr int kHourBits = 33;  // bits of an offset below its hour
constexpr std::int64_t kHourBytes = std::int64_t{1} << kHourBits;
/// An event may be dated so long after it was written. `offset_at` relies on it.
constexpr std::chrono::hours kMaxDatedAhead{1};
constexpr std::size_t kBlock = 64 * 1024;                // bytes that are read at a time, at least
constexpr std::size_t kMaxLine = std::size_t{64} << 20;  // a longer line is not read

std::int64_t first_offset(Hour hour) { return static_cast<std::int64_t>(hour.time_since_epoch().count()) << kHourBits; }

Hour hour_of(std::int64_t offset) { return Hour(std::chrono::hours(offset >> kHourBits)); }

/// An open file. Closes it.
class OpenFile {
 public:
  explicit OpenFile(const fs::path& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)) {}
  OpenFile(const OpenFile&) = delete;
  ~OpenFile() {
    if (fd_ >= 0) ::close(fd_);
  }

  /// Reads up to `size` bytes at `at`. Returns their number; 0 at the end and after an error.
  std::size_t read(char* bytes, std::size_t size, std::int64_t at) const {
    std::size_t done = 0;
    while (fd_ >= 0 && done < size) {
      const ssize_t count = ::pread(fd_, bytes + done, size - done, at + static_cast<std::int64_t>(done));
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) break;
      done += static_cast<std::size_t>(count);
    }
    return done;
  }

 private:
  const int fd_;
};

/// One part file of an hour.
struct PartFile {
  fs::path path;
  std::string started;    // the part of its name that says when its writer started
  std::int64_t made = 0;  // nanoseconds; tells the files of writers apart that started in the same second
  std::int64_t size = 0;
  std::int64_t begin = 0;  // bytes of the hour before it
};

/// Returns the part files of a partition, in the order written.
std::vector<PartFile> part_files(const fs::path& partition) {
  std::vector<PartFile> files;
  std::error_code ignored;
  for (fs::directory_iterator it(partition, ignored), end; it != end; it.increment(ignored)) {
    const std::string name = it->path().filename().native();
    if (!name.starts_with("part-") || !name.ends_with(".ndjson")) continue;
    struct statx status {};
    if (::statx(AT_FDCWD, it->path().c_str(), 0, STATX_SIZE | STATX_TYPE | STATX_BTIME, &status) != 0) continue;
    if (!S_ISREG(status.stx_mode)) continue;
    PartFile& file = files.emplace_back();
    file.path = it->path();
    file.started = name.substr(0, name.rfind('-'));
    if ((status.stx_mask & STATX_BTIME) != 0)
      file.made = static_cast<std::int64_t>(status.stx_btime.tv_sec) * 1'000'000'000 + status.stx_btime.tv_nsec;
    file.size = static_cast<std::int64_t>(status.stx_size);
  }
  std::sort(files.begin(), files.end(), [](const PartFile& a, const PartFile& b) {
    return std::tie(a.started, a.made, a.path) < std::tie(b.started, b.made, b.path);
  });
  std::int64_t begin = 0;
  for (PartFile& file : files) {
    file.begin = begin;
    begin += file.size;
  }
  return files;
}

/// Returns the offset in the file behind the last line end before `end`.
std::int64_t end_of_lines(const OpenFile& open, std::int64_t end) {
  std::string block;
  // Nearly always the byte before `end` is one.
  for (std::size_t want = 1; end > 0; want = kBlock) {
    const std::size_t size = std::min(static_cast<std::size_t>(end), want);
    block.resize(size);
    const std::int64_t begin = end - static_cast<std::int64_t>(size);
    block.resize(open.read(block.data(), size, begin));
    const std::size_t found = block.rfind('\n');
    if (found != std::string::npos) return begin + static_cast<std::int64_t>(found) + 1;
    end = begin;
  }
  return 0;
}

/// Returns the number in a name such as `month=11`.
std::optional<unsigned> number_of(std::string_view name, std::string_view key) {
  unsigned value = 0;
  if (!name.starts_with(key)) return std::nullopt;
  name.remove_prefix(key.size());
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), value);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return value;
}

/// Returns the numbers of the directories in `parent` that are named `key` and a number, ascending.
std::vector<unsigned> numbered_directories(const fs::path& parent, std::string_view key) {
  std::vector<unsigned> found;
  std::error_code ignored;
  for (fs::directory_iterator it(parent, ignored), end; it != end; it.increment(ignored))
    if (const auto number = number_of(it->path().filename().native(), key)) found.push_back(*number);
  std::sort(found.begin(), found.end());
  return found;
}

std::string padded(std::string_view key, unsigned number, std::size_t digits) {
  std::string text = std::to_string(number);
  if (text.size() < digits) text.insert(0, digits - text.size(), '0');
  return std::string(key) + text;
}

std::optional<Hour> make_hour(unsigned year, unsigned month, unsigned day, unsigned hour) {
  const std::chrono::year_month_day date(std::chrono::year(static_cast<int>(year)), std::chrono::month(month),
                                         std::chrono::day(day));
  if (!date.ok() || hour > 23) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(hour);
}

struct Level {
  std::string_view key;
  std::size_t digits;
};
constexpr Level kLevels[] = {{"year=", 4}, {"month=", 2}, {"day=", 2}, {"hour=", 2}};

}  // namespace

TopicFiles::TopicFiles(fs::path directory, FieldPath dt_field)
    : directory_(std::move(directory)), dt_field_(std::move(dt_field)) {}

/// Returns the first or the last hour that has a directory. Empty years, months and days are passed over.
std::optional<Hour> TopicFiles::edge_hour(const std::string& topic, bool last) const {
  struct Step {
    fs::path path;
    std::vector<unsigned> numbers;  // those that are left to try, the next one at the end
  };
  std::vector<Step> steps;
  unsigned chosen[4] = {};
  const auto open_level = [&](fs::path path) {
    std::vector<unsigned> numbers = numbered_directories(path, kLevels[steps.size()].key);
    if (!last) std::reverse(numbers.begin(), numbers.end());
    steps.push_back({std::move(path), std::move(numbers)});
  };
  open_level(directory_ / topic);
  while (!steps.empty()) {
    Step& step = steps.back();
    const std::size_t level = steps.size() - 1;
    if (step.numbers.empty()) {
      steps.pop_back();
      continue;
    }
    chosen[level] = step.numbers.back();
    step.numbers.pop_back();
    if (level == 3) {
      if (const auto hour = make_hour(chosen[0], chosen[1], chosen[2], chosen[3])) return hour;
    } else {
      open_level(step.path / padded(kLevels[level].key, chosen[level], kLevels[level].digits));
    }
  }
  return std::nullopt;
}

std::optional<Hour> TopicFiles::hour_after(const std::string& topic, Hour hour) const {
  const std::optional<Hour> last = edge_hour(topic, true);
  if (!last || *last <= hour) return std::nullopt;
  if (const std::optional<Hour> first = edge_hour(topic, false); first && *first > hour) return first;
  std::error_code ignored;
  for (Hour next = hour + std::chrono::hours(1); next < *last; next += std::chrono::hours(1))
    if (fs::is_directory(directory_ / topic / hour_path(next), ignored)) return next;
  return last;
}

PartitionBounds TopicFiles::bounds(const std::string& topic) const {
  PartitionBounds found;
  const std::optional<Hour> first = edge_hour(topic, false);
  const std::optional<Hour> last = edge_hour(topic, true);
  if (!first || !last) return found;
  found.begin = first_offset(*first);
  found.end = first_offset(*last);
  const std::vector<PartFile> files = part_files(directory_ / topic / hour_path(*last));
  for (auto file = files.rbegin(); file != files.rend(); ++file) {
    if (const std::int64_t end = end_of_lines(OpenFile(file->path), file->size); end > 0) {
      found.end += file->begin + end;
      break;
    }
  }
  return found;
}

SourceRecord TopicFiles::make_record(Hour hour, std::int64_t line_end, std::string line) const {
  SourceRecord record;
  record.offset = first_offset(hour) + line_end;
  record.timestamp = std::chrono::milliseconds(hour.time_since_epoch()).count();
  if (!dt_field_.empty()) {
    thread_local JsonNodes nodes;
    const std::size_t size = line.size();
    line.resize(size + kJsonPadding);
    if (!parse_json(std::string_view(line).substr(0, size), nodes) && nodes.root().is_object()) {
      const std::optional<JsonValue> dt = dt_field_.find(nodes.root());
      if (dt && dt->is_string()) {
        if (const auto time = parse_timestamp(dt->string()); time && *time > 0) record.timestamp = *time;
      }
    }
    line.resize(size);
  }
  record.value = std::move(line);
  return record;
}

/// Appends records of `hour` from byte `byte` on. Returns the byte behind the last line that was read or passed over.
std::int64_t TopicFiles::read_hour(const std::string& topic, Hour hour, std::int64_t byte, std::size_t max_bytes,
                                   std::vector<SourceRecord>& into) const {
  std::size_t budget = max_bytes;
  std::string block;
  const std::vector<PartFile> files = part_files(directory_ / topic / hour_path(hour));
  for (std::size_t i = 0; i < files.size(); ++i) {
    const PartFile& file = files[i];
    const bool is_last = i + 1 == files.size();
    const std::int64_t file_end = file.begin + file.size;
    if (byte >= file_end && !is_last) continue;
    const OpenFile open(file.path);
    bool in_line = false;  // in a line that is too long
    byte = file.begin + end_of_lines(open, std::max<std::int64_t>(byte - file.begin, 0));
    std::size_t want = std::max(std::min(budget, std::size_t{1} << 20), kBlock);
    while (byte < file_end) {
      block.resize(want);
      block.resize(open.read(block.data(), want, byte - file.begin));
      std::size_t at = 0;
      for (std::size_t end; (end = block.find('\n', at)) != std::string::npos; at = end + 1) {
        const std::int64_t line_end = byte + static_cast<std::int64_t>(end);
        if (line_end >= kHourBytes) return byte + static_cast<std::int64_t>(at);
        if (!std::exchange(in_line, false)) {
          SourceRecord record = make_record(hour, line_end, block.substr(at, end - at));
          const std::size_t size = record.size();
          into.push_back(std::move(record));
          if (size >= budget) return line_end + 1;
          budget -= size;
        }
      }
      byte += static_cast<std::int64_t>(at);
      if (block.size() < want) break;
      if (at > 0) continue;
      // The line is longer than the block.
      if (want >= kMaxLine) {
        byte += static_cast<std::int64_t>(block.size());
        in_line = true;
      } else {
        want *= 2;
      }
    }
    // What a writer left without a line end never gets one once there is another file.
    if (!is_last) byte = file_end;
  }
  return byte;
}

FetchedRecords TopicFiles::fetch(const std::string& topic, std::int64_t offset, std::size_t max_bytes) const {
  FetchedRecords fetched;
  fetched.next = offset;
  std::error_code ignored;
  if (!fs::is_directory(directory_ / topic / hour_path(hour_of(offset)), ignored)) {
    const std::optional<Hour> first = edge_hour(topic, false);
    if (!first) {
      fetched.at_end = true;
      return fetched;
    }
    if (offset < first_offset(*first)) {
      // An offset of 0 is that of a topic without files.
      if (offset > 0) fetched.gap = RecordGap{0, offset, first_offset(*first)};
      fetched.next = first_offset(*first);
    }
  }
  if (const PartitionBounds now = bounds(topic); fetched.next > now.end) {
    fetched.gap = RecordGap{0, offset, now.end};
    fetched.next = now.end;
  }
  for (;;) {
    const Hour hour = hour_of(fetched.next);
    // The next hour is looked for first: what the hour has then is all of it.
    const std::optional<Hour> next = hour_after(topic, hour);
    fetched.next =
        first_offset(hour) + read_hour(topic, hour, fetched.next - first_offset(hour), max_bytes, fetched.records);
    if (!fetched.records.empty()) return fetched;
    if (!next) {
      fetched.at_end = true;
      return fetched;
    }
    fetched.next = first_offset(*next);
  }
}

std::optional<std::int64_t> TopicFiles::offset_at(const std::string& topic, std::int64_t timestamp) const {
  const std::optional<Hour> first = edge_hour(topic, false);
  if (!first) return std::nullopt;
  const Hour wanted = std::chrono::floor<std::chrono::hours>(
      TimeMilliseconds(std::chrono::milliseconds(std::clamp<std::int64_t>(timestamp, 0, std::int64_t{1} << 50))));
  std::int64_t offset = first_offset(std::max(*first, wanted - kMaxDatedAhead));
  for (;;) {
    const FetchedRecords fetched = fetch(topic, offset, std::size_t{1} << 20);
    for (const SourceRecord& record : fetched.records)
      if (record.timestamp >= timestamp) return record.offset;
    if (fetched.at_end || fetched.next <= offset) return std::nullopt;
    offset = fetched.next;
  }
}

std::vector<fs::path> TopicFiles::watched_directories(const std::string& topic) const {
  std::vector<fs::path> found{directory_, directory_ / topic};
  for (const Level& level : kLevels) {
    const std::vector<unsigned> numbers = numbered_directories(found.back(), level.key);
    if (numbers.empty()) break;
    found.push_back(found.back() / padded(level.key, numbers.back(), level.digits));
  }
  return found;
}

}  // namespace eventgate
