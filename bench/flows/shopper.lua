-- One thread of wrk is one shopper with one connection: it sends the requests of its own file, always in their order
-- and each when the one before is answered. So many steps in a row are one operation, whose time is from sending its
-- first request to having its last answer.
--
-- Arguments: the folder of the files, which are named 1, 2, 3 …; steps of an operation; seconds; "repeat" or "once".
-- A shopper is through after so many seconds, or at the end of a file that is not repeated, but never in the middle of an
-- operation, so that nothing it has asked for is still being done. It says so on standard error.
-- `done` prints one line of JSON.

local ffi = require "ffi"
ffi.cdef [[
  struct timespec { long seconds; long nanoseconds; };
  int clock_gettime(int clock, struct timespec *time);
]]
local MONOTONIC = 1
local time = ffi.new("struct timespec")
local shoppers = {}

local function microseconds()
  ffi.C.clock_gettime(MONOTONIC, time)
  return tonumber(time.seconds) * 1e6 + tonumber(time.nanoseconds) / 1e3
end

function setup(thread)
  table.insert(shoppers, thread)
  thread:set("number", #shoppers)
end

function init(arguments)
  steps, seconds, is_repeated = tonumber(arguments[2]), tonumber(arguments[3]), arguments[4] == "repeat"
  requests, position = {}, 1
  local file = assert(io.open(arguments[1] .. "/" .. number, "rb"))
  for text in file:read("*a"):gmatch("%Z+") do
    table.insert(requests, text)
  end
  file:close()
  times, failed, failure = {}, 0, ""
end

-- wrk asks for a request that it does not send, so nothing moves on before an answer.
function request()
  sent = microseconds()
  if position % steps == 1 or steps == 1 then
    began = sent
    first = first or sent
  end
  return requests[position]
end

function response(status, headers, body)
  last = microseconds()
  if status >= 400 then
    failed = failed + 1
    failure = status .. " " .. body:sub(1, 300)
  end
  local is_over = position % steps == 0
  if is_over then
    table.insert(times, last - began)
  end
  local is_at_end = position == #requests
  position = is_at_end and 1 or position + 1
  if is_over and last - first >= seconds * 1e6 or is_at_end and not is_repeated then
    io.stderr:write("through\n")
    wrk.thread:stop()
  end
end

local function quoted(text)
  return '"' .. text:gsub('[%c"\\\128-\255]', function(c) return ("\\u%04x"):format(c:byte()) end) .. '"'
end

function done(summary)
  local all, began, ended, failed, failure = {}, math.huge, 0, 0, ""
  for _, shopper in ipairs(shoppers) do
    for _, time in ipairs(shopper:get("times")) do
      table.insert(all, time)
    end
    began = math.min(began, shopper:get("first") or math.huge)
    ended = math.max(ended, shopper:get("last") or 0)
    failed = failed + shopper:get("failed")
    failure = failure .. shopper:get("failure")
  end
  table.sort(all)
  local function percentile(percent)
    return (all[math.max(1, math.ceil(#all * percent / 100))] or 0) / 1e3
  end
  local broken = summary.errors
  print(('{"operations": %d, "seconds": %.6f, "p50_ms": %.3f, "p99_ms": %.3f, "max_ms": %.3f, "failed": %d, "failure": %s}')
    :format(#all, math.max(0, ended - began) / 1e6, percentile(50), percentile(99), percentile(100),
      failed + broken.connect + broken.read + broken.write + broken.timeout, quoted(failure:sub(1, 300))))
end
