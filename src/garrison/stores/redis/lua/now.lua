-- The server's clock, so that no caller's clock can lock anyone out; microseconds.
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
-- Milliseconds that a key outlives its drain.
local spare = 1000
