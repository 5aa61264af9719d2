--[[
  Makes tasks incomplete again: deletes their records and grows their generation, so that no attempt of
  the former one may commit. Never while an attempt is at work. Jobs stay as they are: the next submit
  gives them fresh attempts, and dependents that are waiting are told by their own gate.
  Atomic, because an attempt may begin, or another process withdraw, between the look and this.

  KEYS[1] prefix of Sluice's own keys
  ARGV[1] '' for records whose outputs turned out to be missing: each is withdrawn or not by itself.
          Otherwise the invalidation's entry in the audit stream (JSON): all tasks or none, and their
          outputs count no more, whatever becomes of the process that is about to remove them
  then for each task: job key, task id, the generation that was looked at, or '' for any
  Returns a code a task: w withdrawn, r an attempt is at work, e it is recorded, and BullMQ has yet to
  complete its job, g another generation by now, n there was no record.
]]
local rcall = redis.call
local own, invalidation = KEYS[1], ARGV[1]
local time = rcall('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local codes = {}
local atWork = false

for i = 2, #ARGV, 3 do
  local job, id, generation = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local expires = rcall('HGET', own .. 'attempt:' .. id, 'expires')
  local recorded = rcall('EXISTS', own .. 'done:' .. id) == 1
  local code = 'w'
  if expires and tonumber(expires) > now then
    code = 'r'
  elseif rcall('EXISTS', job .. ':lock') == 1 then
    code = recorded and 'e' or 'r'
  elseif generation ~= '' and generation ~= (rcall('HGET', own .. 'generations', id) or '0') then
    code = 'g'
  elseif invalidation == '' and not recorded then
    code = 'n'
  end
  atWork = atWork or code == 'r' or code == 'e'
  codes[#codes + 1] = code
end
if atWork and invalidation ~= '' then return codes end

for i = 2, #ARGV, 3 do
  if codes[(i + 1) / 3] == 'w' then
    local id = ARGV[i + 1]
    local attempt = own .. 'attempt:' .. id
    rcall('DEL', own .. 'done:' .. id)
    rcall('HINCRBY', own .. 'generations', id, 1)
    rcall('HDEL', attempt, 'holder', 'expires', 'crashes')
    if invalidation ~= '' then rcall('HSET', attempt, 'stale', 1) end
  end
end
if invalidation ~= '' then rcall('XADD', own .. 'audit', 'MAXLEN', '~', 100000, '*', 'invalidated', invalidation) end
return codes
