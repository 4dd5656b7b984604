-- Plays steps, one after the other, each all or none. ARGV[1]: steps in MessagePack, each {what, asks}; the reply, too, has
-- four numbers for each ask of a `take` or `peek`: 0 refused, 1 passed, 2 would be refused; remaining; retry; reset.
-- A key holds every counter of one subject: {name of the limit = {end of life, state}}; its end in whole
-- seconds, which take five bytes.
local SPEND = {
  rate = spend_rate, log = spend_log, window = spend_window, calendar = spend_calendar,
  concurrency = spend_concurrency,
}
local BACK = {
  rate = back_rate, log = back_log, window = back_window, calendar = back_calendar, concurrency = back_concurrency,
}
local reply = {}

local function stored(key)
  local value = redis.call('GET', key)
  if not value or value == '' then return {} end
  return cmsgpack.unpack(value)
end

local function keep(key, counters)
  local live, last = {}, 0
  for name, entry in pairs(counters) do
    if entry[1] * 1000000 > now then
      live[name], last = entry, max(last, entry[1])
    end
  end
  local milliseconds = max(math.ceil((last * 1000000 - now) / 1000), 1)
  redis.call('SET', key, cmsgpack.pack(live), 'PX', string.format('%.0f', milliseconds))
end

local function limit_of(ask)
  return {
    count = ask[4], window = ask[5], burst = ask[6], refill = ask[7], unit = ask[8], full = ask[6] * ask[8],
    slice = ask[9], drain = ask[10], observe = ask[12],
  }
end

local function lease_of(ask)
  return struct.pack('>I4I4', ask[13], ask[14])
end

-- A state within a step: by key and name, {state, whether it is to be written, drain}.
local function copy(held)
  local out = {}
  for id, each in pairs(held) do out[id] = each end
  return out
end

local function spend(ask, id, cost, before, after)
  local limit = limit_of(ask)
  local held = after[id]
  local kept, passed, remaining, retry, reset = SPEND[ask[3]](held[1], limit, cost, lease_of(ask))
  if passed == 1 then
    if cost > 0 then after[id] = {kept, true, limit.drain} end
  elseif kept then
    after[id] = {kept, true, limit.drain}
    before[id] = after[id]
  end
  if passed == 0 and limit.observe then passed = 2 end
  return {passed, remaining, retry, reset}
end

local function play(what, asks)
  local values, ids, before = {}, {}, {}
  for number, ask in ipairs(asks) do
    local key = KEYS[ask[1]]
    values[key] = values[key] or stored(key)
    local id = ask[1] .. ' ' .. ask[2]
    ids[number] = id
    local entry = values[key][ask[2]]
    before[id] = before[id] or {entry and entry[2], false}
  end
  local after, verdicts, all = copy(before), {}, true
  for number, ask in ipairs(asks) do
    verdicts[number] = spend(ask, ids[number], ask[11], before, after)
    all = all and verdicts[number][1] > 0
  end
  if not all then
    for number, ask in ipairs(asks) do
      if verdicts[number][3] == 0 then verdicts[number] = spend(ask, ids[number], 0, before, copy(before)) end
    end
    after = before
  end
  for _, verdict in ipairs(verdicts) do
    for _, figure in ipairs(verdict) do reply[#reply + 1] = figure end
  end
  if what == 'peek' then return end
  local changed = {}
  for number, ask in ipairs(asks) do
    local held = after[ids[number]]
    if held[2] then
      local key = KEYS[ask[1]]
      values[key][ask[2]] = {math.ceil((now + held[3] + spare * 1000) / 1000000), held[1]}
      changed[key] = true
    end
  end
  for key in pairs(changed) do keep(key, values[key]) end
end

local function release(asks)
  for _, ask in ipairs(asks) do
    local key = KEYS[ask[1]]
    local counters = stored(key)
    local entry = counters[ask[2]]
    if entry then
      local mark = ask[3] == 'concurrency' and lease_of(ask) or ask[13]
      entry[2] = BACK[ask[3]](entry[2], limit_of(ask), ask[11], mark)
      keep(key, counters)
    end
  end
end

for _, step in ipairs(cmsgpack.unpack(ARGV[1])) do
  if step[1] == 'release' then
    release(step[2])
  elseif step[1] == 'reset' then
    for _, ask in ipairs(step[2]) do redis.call('SET', KEYS[ask[1]], '', 'PX', '1') end
  elseif step[1] == 'hold' then
    -- A `take` that may be given back says when it was.
    reply[#reply + 1] = now
    play('take', step[2])
  else
    play(step[1], step[2])
  end
end
-- One text is read many times faster by a client than as many numbers.
return cmsgpack.pack(reply)
