#include "eventgate/io/epoll_reactor.hpp"

#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <system_error>
#include <utility>

namespace eventgate {
namespace {

/// Events that a turn of the I/O thread handles, before Asio's other handlers run.
constexpr std::size_t kMaxEvents = 64;

constexpr std::uint32_t kInputEvents = EPOLLIN | EPOLLRDHUP | EPOLLET;

}  // namespace

EpollEntry::EpollEntry(EpollReactor& reactor, int descriptor) : reactor_(reactor), descriptor_(descriptor) {
  epoll_event event{.events = kInputEvents, .data = {.ptr = this}};
  if (::epoll_ctl(reactor_.epoll_.native_handle(), EPOLL_CTL_ADD, descriptor_, &event) != 0) {
    const int error = errno;
    ::close(descriptor_);
    throw std::system_error(error, std::generic_category(), "epoll_ctl");
  }
  ++reactor_.entries_;
  reactor_.wait_for_events();
}

int EpollEntry::release_descriptor() {
  ::epoll_ctl(reactor_.epoll_.native_handle(), EPOLL_CTL_DEL, descriptor_, nullptr);
  return std::exchange(descriptor_, -1);
}

EpollEntry::~EpollEntry() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (--reactor_.entries_ > 0) return;
  boost::system::error_code ignored;
  reactor_.epoll_.cancel(ignored);  // lets a context without connections run out of work
}

void EpollEntry::cancel() {
  if (!waiter_ || cancelled_) return;
  cancelled_ = true;
  unlink();
  reactor_.ready_.push_back(*this);
  boost::asio::post(reactor_.epoll_.get_executor(), [reactor = &reactor_] { reactor->resume_ready(); });
}

void EpollEntry::suspend(ResumeHandle coroutine) noexcept {
  waiter_.emplace(std::move(coroutine));
  reactor_.waiting_.push_back(*this);
}

void EpollEntry::watch_output() noexcept {
  if (watches_output_) return;
  watches_output_ = true;
  epoll_event event{.events = kInputEvents | EPOLLOUT, .data = {.ptr = this}};
  ::epoll_ctl(reactor_.epoll_.native_handle(), EPOLL_CTL_MOD, descriptor_, &event);
}

EpollReactor::EpollReactor(boost::asio::execution_context& context)
    : service(context), epoll_(static_cast<boost::asio::io_context&>(context).get_executor()) {
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
  epoll_.assign(epoll);
}

void EpollReactor::shutdown() noexcept {
  for (List* list : {&waiting_, &ready_}) {
    while (!list->empty()) {
      // The coroutine owns the entry.
      EpollEntry& entry = list->front();
      entry.unlink();
      const ResumeHandle dropped = *std::exchange(entry.waiter_, std::nullopt);
    }
  }
}

void EpollReactor::wait_for_events() {
  if (waits_) return;
  waits_ = true;
  epoll_.async_wait(boost::asio::posix::descriptor_base::wait_read, [this](const boost::system::error_code&) {
    waits_ = false;
    if (entries_ > 0) dispatch_events();
  });
}

void EpollReactor::dispatch_events() {
  std::array<epoll_event, kMaxEvents> events;
  const int count = ::epoll_wait(epoll_.native_handle(), events.data(), static_cast<int>(events.size()), 0);
  // A resumed coroutine may destroy other entries, so all events are noted first.
  for (std::size_t i = 0; count > 0 && i < static_cast<std::size_t>(count); ++i) {
    EpollEntry& entry = *static_cast<EpollEntry*>(events[i].data.ptr);
    if (!entry.note_events(events[i].events)) continue;
    entry.unlink();
    ready_.push_back(entry);
  }
  resume_ready();
  if (entries_ > 0) wait_for_events();
}

void EpollReactor::resume_ready() {
  List ready;
  ready.swap(ready_);
  while (!ready.empty()) {
    EpollEntry& entry = ready.front();
    entry.unlink();
    ResumeHandle waiter = *std::exchange(entry.waiter_, std::nullopt);
    waiter.resume();
  }
}

}  // namespace eventgate
