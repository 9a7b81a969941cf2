// bin/eventgate of the tarball. It starts lib/eventgate through the loader and the libraries beside it, so nothing of
// the system's C library takes part. It is linked statically and has no use for a file besides those of the tarball: it
// also starts where there is neither a shell nor /proc.
//
// It tells the program by environment variables where things are: EVENTGATE_HOME is the tarball's folder, for the
// config; OpenSSL and SASL read the others. A variable that is set already stays as it is.
#include <sys/auxv.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>

namespace {

using Path = std::array<char, PATH_MAX>;

// Where distributions have the certificates of the authorities that they trust.
constexpr std::array kCertificateFiles = {
    "/etc/ssl/certs/ca-certificates.crt",                 // Debian, Ubuntu, Alpine, Arch
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  // RHEL, Fedora
    "/etc/pki/tls/certs/ca-bundle.crt",                   // RHEL, Fedora: the older name
    "/etc/ssl/ca-bundle.pem",                             // SUSE
    "/etc/ssl/cert.pem",                                  // Alpine without ca-certificates
};

[[noreturn]] void fail(const char* what, const char* name) {
  std::fprintf(stderr, "eventgate: %s '%s': %s\n", what, name, std::strerror(errno));
  std::exit(1);
}

/// Cuts the last `count` names off `path`.
bool cut_names(Path& path, int count) {
  for (; count > 0; --count) {
    char* const slash = std::strrchr(path.data(), '/');
    if (!slash) return false;
    *slash = '\0';
  }
  return true;
}

/// The folder of the tarball: two names above this program. Without /proc the kernel's own text is the path of the
/// call.
Path home_folder() {
  Path path{};
  const ssize_t length = ::readlink("/proc/self/exe", path.data(), path.size() - 1);
  if (length <= 0) {
    const auto* const called = reinterpret_cast<const char*>(::getauxval(AT_EXECFN));
    if (!called || !::realpath(called, path.data())) fail("no folder of", called ? called : "this program");
  }
  if (!cut_names(path, 2)) fail("no folder above", path.data());
  if (std::strpbrk(path.data(), " :")) {  // the loader takes them for the end of a path
    errno = EINVAL;
    fail("expected a folder without spaces and colons, found", path.data());
  }
  return path;
}

Path below(const Path& home, const char* name) {
  Path path{};
  const int length = std::snprintf(path.data(), path.size(), "%s/%s", home.data(), name);
  if (length < 0 || static_cast<std::size_t>(length) >= path.size()) {
    errno = ENAMETOOLONG;
    fail("no path for", name);
  }
  return path;
}

void set_variables(const Path& home) {
  ::setenv("EVENTGATE_HOME", home.data(), 1);
  ::setenv("OPENSSL_CONF", below(home, "etc/openssl.cnf").data(), 0);
  ::setenv("OPENSSL_MODULES", below(home, "lib/ossl-modules").data(), 0);
  ::setenv("SASL_PATH", below(home, "lib/sasl2").data(), 0);
  // These name libraries for the system's C library.
  ::unsetenv("LD_PRELOAD");
  ::unsetenv("LD_LIBRARY_PATH");
  if (std::getenv("SSL_CERT_FILE") || std::getenv("SSL_CERT_DIR")) return;
  for (const char* const file : kCertificateFiles) {
    if (::access(file, R_OK) == 0) {
      ::setenv("SSL_CERT_FILE", file, 1);
      return;
    }
  }
}

}  // namespace

int main(int count, char** words) {
  static std::array<char*, 1024> arguments{};
  const Path home = home_folder();
  set_variables(home);
  Path loader = below(home, "lib/ld-linux-x86-64.so.2");
  Path libraries = below(home, "lib");
  Path names = below(home, "lib/own_names.so");
  Path program = below(home, "lib/eventgate");
  static char library_path[] = "--library-path", preload[] = "--preload", no_cache[] = "--inhibit-cache",
              name[] = "--argv0", own[] = "eventgate";
  std::size_t used = 0;
  for (char* const word :
       {own, no_cache, library_path, libraries.data(), preload, names.data(), name, own, program.data()})
    arguments[used++] = word;
  for (int i = 1; i < count; ++i) {
    if (used + 1 == arguments.size()) {
      errno = E2BIG;
      fail("too many arguments before", words[i]);
    }
    arguments[used++] = words[i];
  }
  ::execv(loader.data(), arguments.data());
  fail("cannot start", loader.data());
}
