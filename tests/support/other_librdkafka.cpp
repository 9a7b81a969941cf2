// Preloaded, it makes librdkafka say that it is of a version that no test has seen.

extern "C" int rd_kafka_version() { return 0x7f0000ff; }
extern "C" const char* rd_kafka_version_str() { return "127.0.0"; }
