--[[
  Forgets the history of tasks whose last attempt is too old. Atomic, because a task may get an attempt
  between the look and the deletion.

  KEYS[1] sorted set of tasks by the time (ms) of their last attempt
  ARGV[1] prefix of the tasks' history keys  ARGV[2] oldest time to keep (ms)  ARGV[3] how many tasks
  Returns how many tasks were forgotten.
]]
local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(' .. ARGV[2], 'LIMIT', 0, ARGV[3])
for _, id in ipairs(ids) do
  redis.call('UNLINK', ARGV[1] .. id)
  redis.call('ZREM', KEYS[1], id)
end
return #ids
