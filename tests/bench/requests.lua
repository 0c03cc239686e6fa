-- wrk's script: arguments are the kind of request, a file of item ids and an access token.
-- https://github.com/wg/wrk/blob/master/SCRIPTING
local ids, count = {}, 0
local kind
local headers = { ["Content-Type"] = "application/json" }

function init(arguments)
  kind = arguments[1]
  for line in io.lines(arguments[2]) do
    ids[#ids + 1] = line
  end
  if kind == "create" or kind == "enqueue" then
    headers["Authorization"] = "Bearer " .. arguments[3]
  end
  math.randomseed(os.time())
end

function request()
  count = count + 1
  local id = ids[count % #ids + 1]
  if kind == "list" then
    return wrk.format("GET", "/api/v1/items?cursor=" .. id, headers)
  elseif kind == "first page" then
    return wrk.format("GET", "/api/v1/items", headers)
  elseif kind == "detail cold" then
    return wrk.format("GET", "/api/v1/items/" .. id, headers)
  elseif kind == "detail cached" then
    return wrk.format("GET", "/api/v1/items/" .. ids[1], headers)
  elseif kind == "create" then
    return wrk.format("POST", "/api/v1/items", headers, '{"title": "Tea", "body": "Two cups."}')
  elseif kind == "enqueue" then
    return wrk.format("POST", "/api/v1/exports", headers)
  elseif kind == "log-in" then
    -- Tries are limited by account and by address: these are many of both.
    local account = math.random(1000)
    headers["X-Forwarded-For"] = string.format("10.%d.%d.%d", math.random(0, 255), math.random(0, 255), math.random(0, 255))
    local body = string.format('{"email": "%d@example.com", "password": "%s"}', account, "correct horse battery staple")
    return wrk.format("POST", "/api/v1/tokens", headers, body)
  end
  return wrk.format("GET", "/health/live", headers)
end

function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  local line = '{"requests": %d, "seconds": %f, "p50": %f, "p99": %f, "failed": %d}\n'
  local p50, p99 = latency:percentile(50) / 1000, latency:percentile(99) / 1000
  io.write(string.format(line, summary.requests, summary.duration / 1e6, p50, p99, failed))
end
