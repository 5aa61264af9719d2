--[[
  The gate in front of every attempt. Takes the lease, unless the task is complete, a requirement is
  open, or another attempt holds a live lease: BullMQ's lock only says who was handed the job, and a
  frozen Redis hands a running job out again. An expired lease that was never given back is a crash.
  Atomic, because all of it must hold at the moment the lease is taken. The clock is Redis's. Idempotent
  for the attempt that has the lease, or found a lost one.

  KEYS[1] job key
  ARGV[1] prefix of Sluice's own keys  ARGV[2] task id  ARGV[3] lock token  ARGV[4] attempt id
  ARGV[5] lease (ms)  ARGV[6] crashes allowed  ARGV[7] task name
  ARGV[8] the units of resources that it needs, as in includes/resources.lua, or ''
  then the task ids of its requirements
  Returns {'lost'} | {'collision', name} | {'leased', ms left}
        | {'complete', -, when it failed for good (ms) if its output was found since, or nil}
        | {'cancelled', by whom, -, -, lost} | {'blocked', n, -, -, lost} | {'crashed', n, -, -, lost}
        | {'waiting', ms until it should ask again, -, -, lost}, for units
        | {'begun', epoch, when it failed for good (ms) or nil,
             1 when outputs of a former generation have to be removed first, or nil, lost}
    lost: {attempt id, crashes so far, ms it lasted} of an attempt whose worker died, or nil
]]
local rcall = redis.call
--- @include "resources"

local own, id = ARGV[1], ARGV[2]
if rcall('GET', KEYS[1] .. ':lock') ~= ARGV[3] then return { 'lost' } end
local name = rcall('HGET', own .. 'done:' .. id, 'name')
local attempt = own .. 'attempt:' .. id
local holder, expires, began, by, failed, stale, failure, version, epoch, told = unpack(rcall('HMGET', attempt,
  'holder', 'expires', 'began', 'cancel', 'failed', 'stale', 'failure', 'version', 'epoch', 'told'))
-- Asked before, and the answer was lost: asked again, it is the same.
local before = told and cjson.decode(told)
if before and before.to == ARGV[4] then return before.answer end
if name and name ~= ARGV[7] then return { 'collision', name } end
if name then
  if failed then rcall('HDEL', attempt, 'failed') end
  return { 'complete', false, failed }
end
if holder == ARGV[4] then return { 'begun', epoch, failed, stale } end
local time = rcall('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local live = holder and tonumber(expires) > now
local lost, crashes = false, 0
-- A dead attempt is found once: whoever found it has to hear so, also when the first answer got lost.
local function answer(reply)
  if lost then rcall('HSET', attempt, 'told', cjson.encode({ to = ARGV[4], answer = reply })) end
  return reply
end
if holder and not live then
  -- Taken away here, so that it is found once. An invalidation that died began no attempt.
  rcall('HDEL', attempt, 'holder', 'expires', 'began')
  if began then
    crashes = rcall('HINCRBY', attempt, 'crashes', 1)
    lost = { holder, crashes, tonumber(expires) - tonumber(began) }
  end
  if ARGV[8] ~= '' then resources(own).callWaiting(ARGV[8]) end
end
if by and not live then return answer({ 'cancelled', by, false, false, lost }) end
local open = #ARGV - 8
for first = 9, #ARGV, 1000 do
  local records = {}
  for i = first, math.min(first + 999, #ARGV) do records[#records + 1] = own .. 'done:' .. ARGV[i] end
  open = open - rcall('EXISTS', unpack(records))
end
if open > 0 then return answer({ 'blocked', open, false, false, lost }) end
if live then return { 'leased', tonumber(expires) - now } end
if crashes >= tonumber(ARGV[6]) then
  rcall('HDEL', attempt, 'crashes')
  return answer({ 'crashed', crashes, false, false, lost })
end
if ARGV[8] ~= '' then
  local again = resources(own).take(KEYS[1], ARGV[8], ARGV[4], ARGV[5])
  if again then return answer({ 'waiting', again, false, false, lost }) end
end
epoch = (epoch or 0) + 1
-- Failed for good, and not retried by us, who forget the failure first: by a person in Bull Board. Ticks
-- count anew.
if failure then rcall('HDEL', attempt, 'failure', 'held', 'ticks') end
if version then rcall('HDEL', attempt, 'version') end
rcall('HSET', attempt, 'holder', ARGV[4], 'expires', now + tonumber(ARGV[5]), 'began', now, 'epoch', epoch)
return answer({ 'begun', epoch, failed, stale, lost })
