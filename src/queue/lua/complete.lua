--[[
  Records a task as complete, releases every job that waits for it, and completes its own job, as BullMQ
  does it: in one step, because a crash between them must not lose a release. Fenced by the lease, so an
  attempt that lost it records nothing; ARGV[3] = '' adopts an output that was found to exist, unless
  an attempt is at work: one whose lease ran out is dead, or may no longer commit; or unless the task
  was invalidated since the look. Idempotent.

  KEYS[1] job key
  ARGV[1] prefix of Sluice's own keys  ARGV[2] task id  ARGV[3] attempt id or ''  ARGV[4] task name
  ARGV[5] answer (JSON)  ARGV[6] now (ms)  ARGV[7] the generation whose output was found
  ARGV[8] the units that the attempt holds, as in includes/resources.lua, or ''
  then, of an attempt: ARGV[9] BullMQ's lock token  ARGV[10] '1' to take the next job, or '0'
  ARGV[11] lock (ms)  ARGV[12], ARGV[13] age (s) and number of the completed jobs that are kept
  ARGV[14] data points of BullMQ's metrics
  Returns {how many jobs were waiting, or -1 when fenced out; what BullMQ's moveToFinished returned, or nil
  when it broke or was not asked for}
]]
local rcall = redis.call
--- @include "updateParentDepsIfNeeded"
--- @include "destructureJobKey"
--- @include "completeJob"
--- @include "resources"

local job, own, id = KEYS[1], ARGV[1], ARGV[2]
local attempt = own .. 'attempt:' .. id

local function queueOf(key, jobId) return getJobKeyPrefix(key, ':' .. jobId) end
local holder, expires = unpack(rcall('HMGET', attempt, 'holder', 'expires'))
if ARGV[3] == '' then
  local time = rcall('TIME')
  if holder and tonumber(expires) > time[1] * 1000 + math.floor(time[2] / 1000) then return { -1 } end
  if (rcall('HGET', own .. 'generations', id) or '0') ~= ARGV[7] then return { -1 } end
elseif holder ~= ARGV[3] then
  -- Recorded before, and the answer was lost?
  if rcall('HGET', own .. 'done:' .. id, 'attempt') ~= ARGV[3] then return { -1 } end
  return { 0, rcall('ZSCORE', queueOf(job, id) .. ':completed', id) and 0 }
end
rcall('HSET', own .. 'done:' .. id, 'name', ARGV[4], 'answer', ARGV[5], 'at', ARGV[6], 'attempt', ARGV[3])
-- The job of a task that had failed goes back to the queue when its output was found: its gate tells that
-- the task recovered.
local failed = ARGV[3] == '' and rcall('EXISTS', job) == 1 and rcall('HGET', attempt, 'failed')

-- What the task itself still waited for does not matter any more, and BullMQ would refuse to complete
-- its job.
if rcall('DEL', job .. ':dependencies') == 1 then
  moveParentToWaitIfNeeded(queueOf(job, id), job, id, ARGV[6])
end
local waiters = rcall('ZRANGE', own .. 'waiters:' .. id, 0, -1)
for _, waiter in ipairs(waiters) do
  if rcall('SREM', waiter .. ':dependencies', job) == 1 and rcall('EXISTS', waiter) == 1 then
    local waiterId = getJobIdFromKey(waiter)
    updateParentDepsIfNeeded(waiter, queueOf(waiter, waiterId), waiter .. ':dependencies', waiterId, job, ARGV[5],
      ARGV[6])
  end
end
rcall('DEL', attempt, own .. 'waiters:' .. id)
if failed then rcall('HSET', attempt, 'failed', failed) end
if ARGV[8] ~= '' then resources(own).callWaiting(ARGV[8]) end
if not ARGV[9] then return { #waiters } end
-- An error of BullMQ's is none of the record: its worker meets it again when it completes the job by itself.
local ok, ended = pcall(completeJob, queueOf(job, id), job, id, ARGV[6], { token = ARGV[9],
  lockDuration = ARGV[11], keepJobs = { age = tonumber(ARGV[12]), count = tonumber(ARGV[13]) },
  maxMetricsSize = ARGV[14] }, ARGV[10])
return { #waiters, ok and ended }
