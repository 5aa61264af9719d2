--[[
  Extends the lease of an attempt. An expired lease that nobody took since is taken again: after a
  freeze of Redis the attempt that was running goes on.

  KEYS[1] attempt key of the task  ARGV[1] attempt id  ARGV[2] lease (ms)
  Returns 1, or 0 when another attempt holds the lease or it is gone.
]]
local rcall = redis.call
if rcall('HGET', KEYS[1], 'holder') ~= ARGV[1] then return 0 end
local time = rcall('TIME')
rcall('HSET', KEYS[1], 'expires', time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(ARGV[2]))
return 1
