--[[
  Remembers that a task failed for good, and wakes the jobs whose run asked for it, unless they wait
  for others, too: the failure is thrown into their run. Jobs that require it go on waiting.
  Atomic, and before BullMQ fails the job: who waits for it must not miss it.

  KEYS[1] job key
  ARGV[1] prefix of Sluice's own keys  ARGV[2] task id  ARGV[3] now (ms)  ARGV[4] failure (JSON)
  Returns how many jobs were told.
]]
local rcall = redis.call
--- @include "moveParentToWaitIfNoPendingDependencies"
--- @include "destructureJobKey"

local job, own, id = KEYS[1], ARGV[1], ARGV[2]
rcall('HSET', own .. 'attempt:' .. id, 'failed', ARGV[3], 'failure', ARGV[4])
-- A cancel that came too late for this attempt: the task is ended all the same.
rcall('HDEL', own .. 'attempt:' .. id, 'cancel')
local told = 0
for _, waiter in ipairs(rcall('ZRANGE', own .. 'waiters:' .. id, 0, -1)) do
  local waiterId = getJobIdFromKey(waiter)
  if rcall('HEXISTS', own .. 'attempt:' .. waiterId, 'yielded') == 1 then
    rcall('ZREM', own .. 'waiters:' .. id, waiter)
    if rcall('SREM', waiter .. ':dependencies', job) == 1 then
      told = told + 1
      moveParentToWaitIfNoPendingDependencies(getJobKeyPrefix(waiter, ':' .. waiterId), waiter .. ':dependencies',
        waiter, waiterId, ARGV[3])
    end
  end
end
return told
