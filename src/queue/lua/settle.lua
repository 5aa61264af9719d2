--[[
  The outputs of a task's former generation are gone: from now on its outputs count again. Only the
  holder of the lease may say so: what another one removed may have been the next generation's.

  KEYS[1] attempt key of the task  ARGV[1] holder
  Returns 1, or 0 when the lease is lost.
]]
if redis.call('HGET', KEYS[1], 'holder') ~= ARGV[1] then return 0 end
redis.call('HDEL', KEYS[1], 'stale')
return 1
