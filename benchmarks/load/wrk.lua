-- For wrk: POSTs one body again and again, each time with the next number in its gap.
-- Arguments after "--": the file before the gap, the file after it, the first number. The last line printed is JSON.

local ffi = require("ffi")
ffi.cdef [[
    typedef struct { long seconds; long nanoseconds; } moment;
    int clock_gettime(int clock, moment *now);
]]
local MONOTONIC = 1
local moment = ffi.new("moment")

local function now()
    ffi.C.clock_gettime(MONOTONIC, moment)
    return tonumber(moment.seconds) + tonumber(moment.nanoseconds) / 1e9
end

local threads = {}

function setup(thread)
    threads[#threads + 1] = thread
end

local function content(path)
    local file = assert(io.open(path, "rb"))
    local bytes = file:read("*a")
    file:close()
    return bytes
end

function init(arguments)
    before, after, number = content(arguments[1]), content(arguments[2]), tonumber(arguments[3])
    right, wrong, wrong_status, latest = 0, 0, 0, 0
end

function request()
    number = number + 1
    return wrk.format("POST", nil, nil, before .. string.format("%016d", number) .. after)
end

function response(status)
    if status == 200 then
        right, latest = right + 1, now()
    else
        wrong, wrong_status = wrong + 1, status
    end
end

-- wrk stops in the middle of what is under way. Where 32 answers come in one wave, whole waves would be lost or won by
-- chance, so the time after the latest answer is told and can be left out.
function done(summary, latency)
    local thread, broken = threads[1], summary.errors
    local silence = thread:get("latest") > 0 and now() - thread:get("latest") or 0
    local errors = thread:get("wrong") + broken.connect + broken.read + broken.write + broken.timeout
    print(string.format(
        '{"seconds": %.4f, "silence": %.4f, "answers": %d, "errors": %d, "wrong_status": %d, '
            .. '"p50_ms": %.3f, "p99_ms": %.3f, "longest_ms": %.3f}',
        summary.duration / 1e6, silence, thread:get("right"), errors, thread:get("wrong_status"),
        latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3))
end
