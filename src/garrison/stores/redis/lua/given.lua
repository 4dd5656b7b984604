-- For tests: the caller's clock, and keys that live by the test rather than by the server.
local now = tonumber(ARGV[2])
local spare = 400000000000
