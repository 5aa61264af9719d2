--[[
  Gives the lease back when an attempt ends without completing its task: not a crash.

  KEYS[1] attempt key of the task  ARGV[1] attempt id
]]
if redis.call('HGET', KEYS[1], 'holder') ~= ARGV[1] then return 0 end
return redis.call('HDEL', KEYS[1], 'holder', 'expires')
