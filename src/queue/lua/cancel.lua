--[[
  Cancels a task, until a person retries it. One at work is only marked: its worker is told through a
  channel and ends it; a worker that never heard of it finds the mark at the gate of the next attempt.
  One that waits, for whatever, fails at once.
  Atomic, because a worker may take the job between the look and the move.

  KEYS[1] job key
  ARGV[1] prefix of Sluice's own keys  ARGV[2] queue key  ARGV[3] task id  ARGV[4] who cancels
  ARGV[5] now (ms)  ARGV[6] the error that the job fails with
  Returns 'complete' | 'absent' | 'failed' (before) | 'running' (marked) | 'cancelled'
]]
local rcall = redis.call
--- @include "removeJobFromAnyState"

local job, own, queue, id = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local attempt = own .. 'attempt:' .. id
if rcall('EXISTS', own .. 'done:' .. id) == 1 then return 'complete' end
if rcall('EXISTS', job) == 0 or rcall('ZSCORE', queue .. ':completed', id) then return 'absent' end
-- Ticks leave it alone until somebody retries it.
rcall('HSET', attempt, 'held', 1)
if rcall('ZSCORE', queue .. ':failed', id) then
  rcall('HDEL', attempt, 'cancel')
  return 'failed'
end
local time = rcall('TIME')
local expires = rcall('HGET', attempt, 'expires')
local leased = expires and tonumber(expires) > time[1] * 1000 + math.floor(time[2] / 1000)
if leased or rcall('EXISTS', job .. ':lock') == 1 or rcall('LPOS', queue .. ':active', id) then
  rcall('HSET', attempt, 'cancel', ARGV[4])
  return 'running'
end
rcall('HDEL', attempt, 'cancel')
local before = removeJobFromAnyState(queue .. ':', id)
rcall('HSET', job, 'failedReason', ARGV[6], 'finishedOn', ARGV[5])
rcall('ZADD', queue .. ':failed', ARGV[5], id)
rcall('XADD', queue .. ':events', '*', 'event', 'failed', 'jobId', id, 'failedReason', ARGV[6], 'prev', before)
return 'cancelled'
