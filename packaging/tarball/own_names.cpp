// lib/own_names.so of the tarball, which its loader puts before the program. The C library looks names up as
// /etc/nsswitch.conf says, by modules of the system (libnss_resolve, libnss_myhostname). Those are built for the
// system's C library, not for this one. So names come from /etc/hosts and from the servers of /etc/resolv.conf, which
// the C library reads by itself.
#include <nss.h>
#include <sys/prctl.h>

#include <initializer_list>

namespace {

[[gnu::constructor]] void use_own_names() {
  for (const char* const database : {"hosts", "passwd", "group", "services", "protocols", "networks"}) {
    const bool has_servers = database[0] == 'h' || database[0] == 'n';
    ::__nss_configure_lookup(database, has_servers ? "files dns" : "files");
  }
  ::prctl(PR_SET_NAME, "eventgate");  // otherwise ps has the loader's name
}

}  // namespace
