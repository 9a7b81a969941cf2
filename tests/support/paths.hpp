#pragma once

#include <string>

/// Where the tests find what they use. The paths are compiled into paths.cpp alone, so that the other units of the
/// tests are the same in every clone, and ccache knows them there.
namespace eventgate {

/// The project's root directory.
const std::string& source_dir();

/// Recordings of the original and Wikimedia's data, which are not part of the project. The directory may be missing.
const std::string& shared_dir();

/// The built `eventgate`.
const std::string& gate_binary();

/// The folder of axe-core, which a test of pages installs there.
const std::string& axe_folder();

/// The folder of clients of streams and of nginx, which `./dev test` installs there. It may be missing.
const std::string& clients_folder();

/// The folder of the run's shared Kafka broker.
const std::string& kafka_folder();

}  // namespace eventgate
