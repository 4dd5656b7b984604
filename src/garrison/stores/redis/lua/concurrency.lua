-- Twin of garrison/limits/concurrency.py: {'n', leases}, each a double (its end) and the eight bytes of its number,
-- which do not fit a Lua number and are compared only.
local function lease_end(leases, number)
  return (struct.unpack('>d', leases, 16 * number - 15))
end

local function spend_concurrency(state, limit, cost, lease)
  local leases, moved, latest = state and state[2] or '', false, now + limit.window
  local all = #leases / 16
  if all > 0 and lease_end(leases, all) > latest then
    local mended = {}
    for number = 1, all do
      local name = string.sub(leases, 16 * number - 7, 16 * number)
      mended[number] = struct.pack('>d', min(lease_end(leases, number), latest)) .. name
    end
    leases, moved = table.concat(mended), true
  end
  local gone = 0
  while gone < all and lease_end(leases, gone + 1) <= now do gone = gone + 1 end
  local held = all - gone
  local function reset(live, count)
    local first = max(count - limit.count, 0)
    return count > first and lease_end(live, first + 1) - now or 0
  end
  if held + cost <= limit.count then
    local live = string.sub(leases, 16 * gone + 1) .. string.rep(struct.pack('>d', latest) .. lease, cost)
    return {'n', live}, 1, limit.count - held - cost, 0, reset(live, held + cost)
  end
  local retry = NEVER
  if cost <= limit.count then retry = lease_end(leases, gone + held + cost - limit.count) - now end
  local kept = moved and {'n', leases} or nil
  return kept, 0, max(limit.count - held, 0), retry, reset(string.sub(leases, 16 * gone + 1), held)
end

local function back_concurrency(state, _, _, lease)
  local kept = {}
  for number = 1, #state[2] / 16 do
    local place = string.sub(state[2], 16 * number - 15, 16 * number)
    if string.sub(place, 9) ~= lease then kept[#kept + 1] = place end
  end
  return {'n', table.concat(kept)}
end
