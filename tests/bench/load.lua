-- load.lua - what wrk sends in a measurement, and what it found as one line of JSON.
--
--     wrk … -s load.lua URL -- page             the same page again and again
--     wrk … -s load.lua URL -- pages FILE       the paths of a file in turn, each with a query of its
--                                               own, so that no kept page answers it
--     wrk … -s load.lua URL -- comments FILE    a comment each, with a key of its own; the file has
--                                               a line "token topic" for each author
--
-- A failed request is counted by wrk (a status of 400 and above, a broken connection); done() reports it.

local serial, lines = 0, {}

local function read(name)
	for line in io.lines(name) do
		lines[#lines + 1] = line
	end
end

local function next_line()
	serial = serial + 1
	return lines[(serial - 1) % #lines + 1]
end

local makers = {
	pages = function()
		return wrk.format("GET", next_line() .. "?n=" .. serial)
	end,

	comments = function()
		local token, topic = next_line():match("(%S+) (%S+)")
		return wrk.format("POST", "/api/v1/topics/" .. topic .. "/comments", {
			["Authorization"] = "Bearer " .. token,
			["Content-Type"] = "application/json",
			["Idempotency-Key"] = run .. serial,
		}, body)
	end,
}

function init(arguments)
	if arguments[1] == "page" then
		return
	end
	read(arguments[2])
	run = string.format("%d-%d-", os.time(), math.floor(os.clock() * 1e9))
	body = '{"body":"' .. string.rep("On croit souvent que tout est dit. ", 14) .. '"}'
	request = makers[arguments[1]]
end

function done(summary, latency)
	local errors = summary.errors
	io.write(string.format(
		'\n{"count":%d,"seconds":%f,"bytes":%d,"refused":%d,"broken":%d,"p50_us":%d,"p99_us":%d}\n',
		summary.requests, summary.duration / 1e6, summary.bytes, errors.status,
		errors.connect + errors.read + errors.write + errors.timeout,
		latency:percentile(50), latency:percentile(99)))
end
