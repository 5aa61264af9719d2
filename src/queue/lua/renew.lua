--[[
  Extends the lease of an attempt. An expired lease that nobody took since is taken again: after a
  freeze of Redis the attempt that was running goes on.

  KEYS[1] attempt key of the task  ARGV[1] attempt id  ARGV[2] lease (ms)  ARGV[3] job key
  ARGV[4] prefix of Sluice's own keys  ARGV[5] the units that it holds, as in includes/resources.lua, or ''
  Returns 1, or 0 when another attempt holds the lease, it is gone, or units of it were given away.
]]
local rcall = redis.call
--- @include "resources"

if rcall('HGET', KEYS[1], 'holder') ~= ARGV[1] then return 0 end
if ARGV[5] ~= '' and not resources(ARGV[4]).holds(ARGV[3], ARGV[5], ARGV[1]) then return 0 end
local time = rcall('TIME')
rcall('HSET', KEYS[1], 'expires', time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(ARGV[2]))
return 1
