#pragma once

#include <sys/mount.h>

#include <filesystem>
#include <string>

namespace eventgate {

/// A file system of its own, of `size` as mount(8) writes it. Can be had by root only.
class SmallDisk {
 public:
  explicit SmallDisk(const std::string& path, const std::string& size = "64k") : path_(path) {
    std::filesystem::create_directories(path_);
    mounted_ = ::mount("tmpfs", path_.c_str(), "tmpfs", 0, ("size=" + size).c_str()) == 0;
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  bool mounted() const { return mounted_; }

 private:
  std::string path_;
  bool mounted_ = false;
};

}  // namespace eventgate
