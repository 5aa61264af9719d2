--[[
  Makes a blocked job wait for its requirements: each that is not complete becomes a member of
  BullMQ's own dependency set of the job, and the job the last of its waiters, which are released in
  this order. A job that has nothing to wait for is released, and one whose own task is complete. Does
  nothing to a job in another state than waiting-children, because an active one may only be linked by its
  own processor; one that is in no state at all is put there first. Idempotent.
  Atomic, because a requirement may complete between the look and the link.

  KEYS[1] job key of the waiting task
  ARGV[1] prefix of Sluice's own keys  ARGV[2] its queue key  ARGV[3] its id  ARGV[4] now (ms)
  ARGV[5] '1' when these are the last of its requirements, else '': then it is not released
  then for each requirement: job key, task id
  Returns how many requirements are open, or -1.
]]
local rcall = redis.call
--- @include "moveParentToWaitIfNoPendingDependencies"
--- @include "jobState"
--- @include "placeInLine"

local job = KEYS[1]
local dependencies = job .. ':dependencies'
if not rcall('ZSCORE', ARGV[2] .. ':waiting-children', ARGV[3]) then
  if rcall('EXISTS', job) == 0 or jobState(ARGV[2], ARGV[3]) then return -1 end
  rcall('ZADD', ARGV[2] .. ':waiting-children', ARGV[4], ARGV[3])
end
if rcall('EXISTS', ARGV[1] .. 'done:' .. ARGV[3]) == 1 then
  rcall('DEL', dependencies)
  moveParentToWaitIfNeeded(ARGV[2], job, ARGV[3], ARGV[4])
  return 0
end
local place, open = placeInLine(), {}
for i = 6, #ARGV, 2 do
  local answer = rcall('HGET', ARGV[1] .. 'done:' .. ARGV[i + 1], 'answer')
  if answer then
    rcall('SREM', dependencies, ARGV[i])
    rcall('HSETNX', job .. ':processed', ARGV[i], answer)
  else
    rcall('ZADD', ARGV[1] .. 'waiters:' .. ARGV[i + 1], 'NX', place, job)
    open[#open + 1] = ARGV[i]
  end
  if #open == 1000 or (#open > 0 and i + 1 == #ARGV) then
    rcall('SADD', dependencies, unpack(open))
    open = {}
  end
end
if ARGV[5] == '1' then
  -- A task that run() asked for and whose job an operator removed: nobody else knows its parameters,
  -- so the job has to ask again. (Requirements were inserted before they are linked.)
  if rcall('HEXISTS', ARGV[1] .. 'attempt:' .. ARGV[3], 'yielded') == 1 then
    for _, dependency in ipairs(rcall('SMEMBERS', dependencies)) do
      if rcall('EXISTS', dependency) == 0 then rcall('SREM', dependencies, dependency) end
    end
  end
  moveParentToWaitIfNoPendingDependencies(ARGV[2], dependencies, job, ARGV[3], ARGV[4])
end
return rcall('SCARD', dependencies)
