#include "eventgate/files/file_sink.hpp"

#include <string_view>
#include <thread>
#include <utility>

#include "file_writer.hpp"

namespace eventgate {
namespace {

constexpr std::chrono::seconds kDestructorTimeout{10};  // to write what waits, if `stop` was not called

class FileSink final : public Sink {
 public:
  FileSink(FileSinkOptions options, Telemetry& telemetry)
      : writer_(std::make_shared<FileWriter>(std::move(options), telemetry)),
        thread_([writer = writer_] { writer->run(); }) {}

  ~FileSink() override { stop(std::chrono::steady_clock::now() + kDestructorTimeout); }

  std::string_view name() const override { return "file"; }
  void produce(std::span<const Record> records, Assurance) override { writer_->produce(records); }
  void prefetch_metadata(const std::string&) override {}
  std::optional<std::string> not_ready_reason() const override { return writer_->not_ready_reason(); }
  std::function<void()> reload() override {
    return [writer = writer_] { writer->reopen(); };
  }

  void stop(std::chrono::steady_clock::time_point deadline) override {
    if (!thread_.joinable()) return;
    if (writer_->stop(deadline)) {
      thread_.join();
    } else {
      thread_.detach();
    }
  }

 private:
  std::shared_ptr<FileWriter> writer_;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<Sink> make_file_sink(FileSinkOptions options, Telemetry& telemetry) {
  return std::make_unique<FileSink>(std::move(options), telemetry);
}

}  // namespace eventgate
