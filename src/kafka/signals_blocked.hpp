#pragma once

#include <pthread.h>

#include <csignal>

namespace eventgate {

/// Blocks signals for the threads that are started meanwhile. librdkafka's threads then take none of the gate's
/// signals, and a broken connection is an error instead of SIGPIPE.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

}  // namespace eventgate
