-- Twin of garrison/limits/calendar.py: {'c', used, end}.
local DAY, MONTH = 86400000000, 31 * 86400000000

local function new_month(year, month)
  -- Days from 1970 to the first of a month, by years that begin in March.
  if month <= 2 then year, month = year - 1, month + 12 end
  local leaps = floor(year / 4) - floor(year / 100) + floor(year / 400)
  return 365 * year + leaps + floor((153 * (month - 3) + 2) / 5) - 719468
end

local function period_end(window, at)
  if window ~= MONTH then return (floor(at / window) + 1) * window end
  local day = floor(at / DAY)
  local year, month = 1970 + floor(day * 400 / 146097) - 1, 1
  while new_month(year, month) <= day do
    month = month + 1
    if month > 12 then year, month = year + 1, 1 end
  end
  return new_month(year, month) * DAY
end

local function spend_calendar(state, limit, cost)
  local ends = period_end(limit.window, now)
  local used, moved = 0, false
  if state and state[3] > now then used, moved = state[2], state[3] > ends end
  local left = ends - now
  if used + cost <= limit.count then
    return {'c', used + cost, ends}, 1, limit.count - used - cost, 0, used + cost > 0 and left or 0
  end
  local kept = moved and {'c', used, ends} or nil
  local reset = used > 0 and limit.count > 0 and left or 0
  return kept, 0, max(limit.count - used, 0), cost <= limit.count and left or NEVER, reset
end

local function back_calendar(state, limit, cost, at)
  if state[3] ~= period_end(limit.window, at) or state[2] < cost then return state end
  return {'c', state[2] - cost, state[3]}
end
