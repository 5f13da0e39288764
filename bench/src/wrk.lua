-- The request comes from the environment, so that wrk builds it once; the result goes out as one line of JSON.
-- BENCH_BODY: the file with the request's body. BENCH_HEADERS: lines of `name: value`, in which `{request}` and `{session}`
-- are replaced for each request. BENCH_RUN: what no other run has.
local file = assert(io.open(os.getenv("BENCH_BODY"), "rb"))
wrk.body = file:read("*a")
file:close()
wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
local varied = false
local one_of_a_kind = false
for name, value in (os.getenv("BENCH_HEADERS") or ""):gmatch("([^\n:]+): ([^\n]*)") do
  wrk.headers[name] = value
  varied = varied or value:find("{", 1, true)
  one_of_a_kind = one_of_a_kind or value:find("{request}", 1, true)
end

local function written(values)
  local headers = {}
  for name, value in pairs(wrk.headers) do
    headers[name] = tostring(value):gsub("{(%a+)}", values)
  end
  return wrk.format(nil, nil, headers)
end

local sessions = 1000
if one_of_a_kind then
  local run = os.getenv("BENCH_RUN")
  local sent = 0
  function request()
    sent = sent + 1
    return written({ request = run .. "-" .. sent, session = sent % sessions })
  end
elseif varied then
  -- Written beforehand: a load that is slow to write its requests makes the gateway wake it more often.
  local requests = {}
  local sent = 0
  function init()
    for session = 1, sessions do
      requests[session] = written({ session = session })
    end
  end
  function request()
    sent = sent % sessions + 1
    return requests[sent]
  end
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    'BENCH {"requests":%d,"failures":%d,"timeouts":%d,"seconds":%.6f,"p50Ms":%.3f,"p99Ms":%.3f}\n',
    summary.requests,
    errors.status + errors.connect + errors.read + errors.write,
    errors.timeout,
    summary.duration / 1e6,
    latency:percentile(50) / 1000,
    latency:percentile(99) / 1000
  ))
end
