#include "dry_run.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <exception>
#include <optional>
#include <utility>

namespace eventgate {

ProcessResult process_blocking(EventGate& gate, const EventBatch& batch, const RequestContext& request,
                               boost::asio::io_context& context) {
  std::optional<ProcessResult> result;
  context.restart();  // it stopped when the work of the last call was done
  const auto work = boost::asio::make_work_guard(context);
  spawn(context.get_executor(), gate.process(batch, request),
        [&](const std::exception_ptr&, ProcessResult processed) { result = std::move(processed); });
  while (!result) context.run_one();
  return *std::move(result);
}

}  // namespace eventgate
