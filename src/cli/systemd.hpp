#pragma once

// libsystemd, or functions in its place that do nothing: EVENTGATE_SYSTEMD in CMake.

#ifdef EVENTGATE_SYSTEMD

#include <systemd/sd-daemon.h>

namespace eventgate {
inline constexpr bool kHasSystemd = true;
}

#else

#include <cstdint>

namespace eventgate {

inline constexpr bool kHasSystemd = false;

inline constexpr int SD_LISTEN_FDS_START = 3;
inline int sd_notify(int, const char*) { return 0; }
inline int sd_watchdog_enabled(int, std::uint64_t*) { return 0; }
inline int sd_listen_fds(int) { return 0; }
inline int sd_is_socket_inet(int, int, int, int, std::uint16_t) { return 0; }

}  // namespace eventgate

#endif
