--[[
  Takes the lease of a task that was invalidated, to remove its outputs; not when an attempt has it,
  which removes them itself, and not when they were removed already.

  KEYS[1] attempt key of the task  ARGV[1] holder  ARGV[2] lease (ms)
  Returns 1, or 0.
]]
local rcall = redis.call
local stale, expires = unpack(rcall('HMGET', KEYS[1], 'stale', 'expires'))
local time = rcall('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if not stale or (expires and tonumber(expires) > now) then return 0 end
rcall('HDEL', KEYS[1], 'began')
rcall('HSET', KEYS[1], 'holder', ARGV[1], 'expires', now + tonumber(ARGV[2]))
return 1
