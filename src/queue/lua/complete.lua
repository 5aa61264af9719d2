--[[
  Records a task as complete and releases every job that waits for it, in one step and before BullMQ
  completes the job: a crash between the two must not lose a release. Fenced by the lease, so an
  attempt that lost it records nothing; ARGV[3] = '' adopts an output that was found to exist, unless
  an attempt is at work. Idempotent.

  KEYS[1] job key
  ARGV[1] prefix of Sluice's own keys  ARGV[2] task id  ARGV[3] attempt id or ''  ARGV[4] task name
  ARGV[5] answer (JSON)  ARGV[6] now (ms)
  Returns how many jobs were waiting, or -1 when fenced out.
]]
local rcall = redis.call
--- @include "updateParentDepsIfNeeded"
--- @include "destructureJobKey"

local job, own, id = KEYS[1], ARGV[1], ARGV[2]
local attempt = own .. 'attempt:' .. id
local holder = rcall('HGET', attempt, 'holder')
if ARGV[3] == '' then
  if holder then return -1 end
elseif holder ~= ARGV[3] then
  return -1
end
rcall('HSET', own .. 'done:' .. id, 'name', ARGV[4], 'answer', ARGV[5], 'at', ARGV[6], 'attempt', ARGV[3])
rcall('DEL', attempt)
local waiters = rcall('SMEMBERS', own .. 'waiters:' .. id)
for _, waiter in ipairs(waiters) do
  if rcall('SREM', waiter .. ':dependencies', job) == 1 and rcall('EXISTS', waiter) == 1 then
    local waiterId = getJobIdFromKey(waiter)
    local queue = getJobKeyPrefix(waiter, ':' .. waiterId)
    updateParentDepsIfNeeded(waiter, queue, waiter .. ':dependencies', waiterId, job, ARGV[5], ARGV[6])
  end
end
if #waiters > 0 then rcall('DEL', own .. 'waiters:' .. id) end
return #waiters
