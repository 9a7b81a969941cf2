-- wrk's script: posts the file BENCH_BODY, and prints what the bench reads.
local file = assert(io.open(assert(os.getenv("BENCH_BODY"), "BENCH_BODY is not set"), "rb"))
wrk.method = "POST"
wrk.body = file:read("*a")
wrk.headers["Content-Type"] = "application/json"
file:close()

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format("bench %d %d %d %.0f\n", summary.requests, errors.status,
                         errors.connect + errors.read + errors.write + errors.timeout, latency:percentile(99)))
end
