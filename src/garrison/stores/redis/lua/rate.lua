-- Twin of garrison/limits/rate.py. The instant at which nothing is owed does not fit a double in units of
-- 1/refill microseconds, so it is kept as whole microseconds and a remainder: {'r', whole, rest, refill, unit}.
local NEVER = 9007199254740992
local floor, max, min = math.floor, math.max, math.min

local function ceil_ratio(number, by, over)
  -- ceil(number * by / over) without ever leaving 2^53: the whole part, and the rest bit by bit.
  local whole, rest = floor(number / over), number % over
  local bit = 1
  while bit <= rest do bit = bit * 2 end
  local quotient, left = 0, 0
  while bit > 1 do
    bit = bit / 2
    quotient, left = quotient * 2, left * 2
    if rest >= bit then
      rest = rest - bit
      quotient, left = quotient + floor(by / over), left + by % over
    end
    quotient, left = quotient + floor(left / over), left % over
  end
  return whole * by + quotient + (left > 0 and 1 or 0)
end

local function rate_owed(state, limit)
  if not state then return 0 end
  local owed = max((state[2] - now) * state[4] + state[3], 0)
  if state[4] ~= limit.refill or state[5] ~= limit.unit then
    owed = ceil_ratio(owed, limit.unit, state[5])
  end
  -- All beyond full is refused alike; what is that large may be inexact.
  return min(owed, limit.full + 1)
end

local function rate_state(owed, limit)
  local refill = limit.refill
  if refill == 0 then return {'r', now, owed, 0, limit.unit} end
  return {'r', now + floor(owed / refill), owed % refill, refill, limit.unit}
end

local function rate_reset(owed, limit)
  if owed == 0 then return 0 end
  return floor((owed - 1) % limit.unit / limit.refill) + 1
end

local function spend_rate(state, limit, cost)
  local before = rate_owed(state, limit)
  local owed = before + cost * limit.unit
  if owed <= limit.full then
    return rate_state(owed, limit), 1, floor((limit.full - owed) / limit.unit), 0, rate_reset(owed, limit)
  end
  -- A rate that became nothing: what is owed to it is never forgiven, and looking is free.
  if limit.refill == 0 then return nil, cost == 0 and 1 or 0, 0, cost == 0 and 0 or NEVER, 0 end
  owed = min(before, limit.full)
  local retry = NEVER
  if cost <= limit.burst then
    retry = -floor((limit.full - owed - cost * limit.unit) / limit.refill)
  end
  local kept = before > owed and rate_state(owed, limit) or nil
  return kept, 0, floor((limit.full - owed) / limit.unit), retry, rate_reset(owed, limit)
end

-- What a step spent that another node refused is given back by `back_…`, to nobody's gain: `at` is when it was spent.
local function back_rate(state, limit, cost, at)
  if state[4] ~= limit.refill or state[5] ~= limit.unit then return state end
  -- What came back since may have let others pass.
  local back = cost * limit.unit - max(now - at, 0) * limit.refill
  local owed = (state[2] - now) * state[4] + state[3]
  if back <= 0 or owed <= 0 or owed > limit.full then return state end
  return rate_state(max(owed - back, 0), limit)
end
