-- Twins of garrison/limits/log.py and window.py: one counter of two shapes.
-- A log is {'l', instants as doubles of eight bytes}; a window {'w', length, index, counts, newest first}.
local SLICES = 16

local function window_aged(state)
  -- Seventeen counts, the newest first, as of now; and whether the clock stepped back.
  local slices = floor(now / state[2]) - state[3]
  local counts, total, shift = {}, 0, max(slices, 0)
  for place = 1, SLICES + 1 do
    local from = place - shift
    counts[place] = from >= 1 and state[3 + from] or 0
    total = total + counts[place]
  end
  return counts, total, slices < 0
end

local function instant(log, number)
  return (struct.unpack('>d', log, 8 * number - 7))
end

local function log_reset(log, first, held, limit)
  -- `first`: number of the first that counts.
  local oldest = first + max(held - limit.count, 0)
  if held <= max(held - limit.count, 0) then return 0 end
  return instant(log, oldest) + limit.window - now
end

local function log_of(state, limit)
  if not state then return '', false end
  if state[1] == 'w' then
    local _, total = window_aged(state)
    return string.rep(struct.pack('>d', now), min(total, limit.count)), true
  end
  local log = state[2]
  local last = #log / 8
  if last > 0 and instant(log, last) > now then
    local mended = {}
    for number = 1, last do mended[number] = struct.pack('>d', min(instant(log, number), now)) end
    return table.concat(mended), true
  end
  return log, false
end

local function spend_log(state, limit, cost)
  local log, moved = log_of(state, limit)
  local all = #log / 8
  local gone = 0
  while gone < all and instant(log, gone + 1) <= now - limit.window do gone = gone + 1 end
  local held = all - gone
  if held + cost <= limit.count then
    local live = string.sub(log, 8 * gone + 1) .. string.rep(struct.pack('>d', now), cost)
    return {'l', live}, 1, limit.count - held - cost, 0, log_reset(live, 1, held + cost, limit)
  end
  local retry = NEVER
  if cost <= limit.count then retry = instant(log, all - (limit.count - cost)) + limit.window - now end
  return moved and {'l', log} or nil, 0, max(limit.count - held, 0), retry, log_reset(log, gone + 1, held, limit)
end

local function window_leaves(counts, limit, needed)
  local age = SLICES + 1
  while age > 0 and counts[age] == 0 do age = age - 1 end
  if age == 0 then return 0 end
  local freed = counts[age]
  while freed < needed do
    age = age - 1
    freed = freed + counts[age]
  end
  return (floor(now / limit.slice) - (age - 1) + SLICES + 1) * limit.slice - now
end

local function window_state(counts, limit)
  local state = {'w', limit.slice, floor(now / limit.slice)}
  for place = 1, SLICES + 1 do state[3 + place] = counts[place] end
  return state
end

local function fresh(total)
  local counts = {total}
  for place = 2, SLICES + 1 do counts[place] = 0 end
  return counts
end

local function spend_window(state, limit, cost)
  local counts, total, moved = fresh(0), 0, false
  if state and state[1] == 'l' then
    total, moved = #state[2] / 8, true
    counts = fresh(total)
  elseif state then
    counts, total, moved = window_aged(state)
    if state[2] ~= limit.slice then counts, moved = fresh(total), true end
  end
  if total + cost <= limit.count then
    counts[1] = counts[1] + cost
    return window_state(counts, limit), 1, limit.count - total - cost, 0, window_leaves(counts, limit, 1)
  end
  local retry = cost <= limit.count and window_leaves(counts, limit, total + cost - limit.count) or NEVER
  local reset = limit.count > 0 and window_leaves(counts, limit, max(total - limit.count, 0) + 1) or 0
  return moved and window_state(counts, limit) or nil, 0, max(limit.count - total, 0), retry, reset
end

local function back_log(state, _, cost, at)
  if state[1] ~= 'l' then return state end
  local kept, left = {}, cost
  for number = 1, #state[2] / 8 do
    if left > 0 and instant(state[2], number) == at then
      left = left - 1
    else
      kept[#kept + 1] = string.sub(state[2], 8 * number - 7, 8 * number)
    end
  end
  return {'l', table.concat(kept)}
end

local function back_window(state, limit, cost, at)
  if state[1] ~= 'w' or state[2] ~= limit.slice then return state end
  local age = state[3] - floor(at / limit.slice)
  if age < 0 or age > SLICES or state[4 + age] < cost then return state end
  state[4 + age] = state[4 + age] - cost
  return state
end
