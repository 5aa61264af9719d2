--[[
  Makes an active job wait for tasks; called by its own processor, which then moves it to
  waiting-children. Fenced by BullMQ's lock.

  KEYS[1] job key of the waiting task
  ARGV[1] prefix of Sluice's own keys  ARGV[2] lock token  ARGV[3] task id
  ARGV[4] '' when they are its requirements, 'y' when its run asked for them with yield*: then one that
          has failed meanwhile is not waited for, its failure has to be thrown; 'f' when it was
  then for each task waited for: job key, task id
  Returns how many of them are open, or -1 when the lock is lost.
]]
local rcall = redis.call
local job = KEYS[1]
if rcall('GET', job .. ':lock') ~= ARGV[2] then return -1 end
local open = 0
if ARGV[4] ~= '' then rcall('HSET', ARGV[1] .. 'attempt:' .. ARGV[3], 'yielded', 1) end
for i = 5, #ARGV, 2 do
  local answer = rcall('HGET', ARGV[1] .. 'done:' .. ARGV[i + 1], 'answer')
  if answer then
    rcall('SREM', job .. ':dependencies', ARGV[i])
    rcall('HSETNX', job .. ':processed', ARGV[i], answer)
  elseif ARGV[4] ~= 'y' or rcall('HEXISTS', ARGV[1] .. 'attempt:' .. ARGV[i + 1], 'failure') == 0 then
    open = open + 1
    rcall('SADD', job .. ':dependencies', ARGV[i])
    local waiters = ARGV[1] .. 'waiters:' .. ARGV[i + 1]
    rcall('ZADD', waiters, 'NX', rcall('ZCARD', waiters), job)
  end
end
return open
