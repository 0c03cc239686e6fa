-- Asks for the paths in a file, in turn: https://github.com/wg/wrk/blob/master/SCRIPTING
local paths, count = {}, 0

function init(arguments)
  for path in io.lines(arguments[1]) do
    paths[#paths + 1] = path
  end
end

function request()
  count = count + 1
  return wrk.format("GET", paths[count % #paths + 1])
end

function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  local line = '{"answers": %d, "seconds": %f, "p50": %f, "p99": %f, "failed": %d}\n'
  local p50, p99 = latency:percentile(50) / 1000, latency:percentile(99) / 1000
  io.write(string.format(line, summary.requests, summary.duration / 1e6, p50, p99, failed))
end
