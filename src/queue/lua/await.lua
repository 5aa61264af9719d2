--[[
  Makes an active job wait for tasks; called by its own processor, which then moves it to
  waiting-children. Fenced by BullMQ's lock. When one of them waits for this job in its turn, nothing is
  changed: two runs that ask for each other at the same moment cannot see it before.

  KEYS[1] job key of the waiting task
  ARGV[1] prefix of Sluice's own keys  ARGV[2] lock token  ARGV[3] task id
  ARGV[4] '' when they are its requirements, 'y' when its run asked for them with yield*: then one that
          has failed meanwhile is not waited for, its failure has to be thrown; 'f' when it was
  then for each task waited for: job key, task id
  Returns how many of them are open, or -1 when the lock is lost; or the names of a circle, from this
  task to itself.
]]
local rcall = redis.call
--- @include "placeInLine"

local job = KEYS[1]
if rcall('GET', job .. ':lock') ~= ARGV[2] then return -1 end

-- Up from this job to those that wait for it, each with the one below it: there are far fewer of them
-- than tasks that they wait for.
local function circle()
  local wanted = {}
  for i = 5, #ARGV, 2 do wanted[ARGV[i]] = true end
  local below, level = { [job] = job }, { job }
  while #level > 0 do
    local above = {}
    for _, each in ipairs(level) do
      for _, waiter in ipairs(rcall('ZRANGE', ARGV[1] .. 'waiters:' .. string.match(each, '[^:]+$'), 0, -1)) do
        if not below[waiter] and rcall('SISMEMBER', waiter .. ':dependencies', each) == 1 then
          below[waiter] = each
          above[#above + 1] = waiter
          if wanted[waiter] then
            local names = { rcall('HGET', job, 'name') }
            while waiter ~= job do
              names[#names + 1] = rcall('HGET', waiter, 'name')
              waiter = below[waiter]
            end
            names[#names + 1] = names[1]
            return names
          end
        end
      end
    end
    level = above
  end
end

local names = ARGV[4] ~= '' and circle()
if names then return names end
local place, open = placeInLine(), 0
if ARGV[4] ~= '' then rcall('HSET', ARGV[1] .. 'attempt:' .. ARGV[3], 'yielded', 1) end
for i = 5, #ARGV, 2 do
  local answer = rcall('HGET', ARGV[1] .. 'done:' .. ARGV[i + 1], 'answer')
  if answer then
    rcall('SREM', job .. ':dependencies', ARGV[i])
    rcall('HSETNX', job .. ':processed', ARGV[i], answer)
  elseif ARGV[4] ~= 'y' or rcall('HEXISTS', ARGV[1] .. 'attempt:' .. ARGV[i + 1], 'failure') == 0 then
    open = open + 1
    rcall('SADD', job .. ':dependencies', ARGV[i])
    rcall('ZADD', ARGV[1] .. 'waiters:' .. ARGV[i + 1], 'NX', place, job)
  end
end
return open
