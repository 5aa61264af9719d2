--[[
  Named resources: limits on what runs at the same time, shared by every queue and process.

  An entry of a resource says how many units an attempt took. It counts for as long as that attempt holds
  the lease of its task, so whatever ends a lease gives its units back, and nothing can forget to. An
  attempt whose lease ran out is only doubted at first: after a freeze of Redis its renewal comes late.
  Half a lease later, more than the time between two renewals, its units are given away, and `renew`
  tells it so.

  Who waits stands in the line of each resource that it needs, at the same place in all of them: by
  priority, then by arrival. Units that the ones ahead need are not given to those behind, so a task that
  needs many does not starve; and as all lines have one order, no two tasks wait for each other. One that
  needs more than the limit, or that was called and whose queue does not hand it out, keeps its place but
  no units.

  Needs are text, "name units limit name units limit", with the limit that holds unless somebody set one.
  A function, so that a script pays nothing for tasks that need none.

  own  prefix of Sluice's own keys
]]
local function resources(own)
  --- @include "isQueuePausedOrMaxed"
  --- @include "addBaseMarkerIfNeeded"
  --- @include "addJobInTargetList"
  --- @include "pushBackJobWithPriority"

  -- Milliseconds that a called task has to come before its units may be given to others.
  local PATIENCE = 30000
  local FARTHEST_LOOK = 3600000

  local time = rcall('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)

  local function eachNeed(needs) return string.gmatch(needs, '(%S+) (%d+) (%d+)') end
  local function idOf(job) return string.match(job, '[^:]+$') end
  local function attemptOf(job) return own .. 'attempt:' .. idOf(job) end
  local function heldKey(name) return own .. 'resource:' .. name end
  local function lineKey(name) return own .. 'line:' .. name end
  local function scoreOf(name, job) return tonumber(rcall('ZSCORE', lineKey(name), job)) end
  local function limitOf(name, default) return tonumber(rcall('HGET', own .. 'limits', name) or default) end

  -- The units in use; and the milliseconds until those of a doubted attempt can be given away, or nil.
  local function unitsInUse(name)
    local used, doubted = 0, nil
    local entries = rcall('HGETALL', heldKey(name))
    for i = 1, #entries, 2 do
      local job = entries[i]
      local by, units, lease = string.match(entries[i + 1], '^(%S+) (%d+) (%d+)$')
      local holder, expires, doubt = unpack(rcall('HMGET', attemptOf(job), 'holder', 'expires', 'doubt'))
      local dead = holder ~= by
      if not dead and tonumber(expires) <= now then
        -- A doubt that is older than the last renewal means nothing.
        if not doubt or tonumber(doubt) <= tonumber(expires) then
          doubt = now
          rcall('HSET', attemptOf(job), 'doubt', now)
        end
        local left = tonumber(doubt) + math.ceil(tonumber(lease) / 2) - now
        dead = left <= 0
        if not dead then doubted = math.min(doubted or left, left) end
      end
      if dead then rcall('HDEL', heldKey(name), job) else used = used + tonumber(units) end
    end
    return used, doubted
  end

  -- Whether a job still waits for units; and whether those that it needs are kept for it.
  local function standing(job)
    local id = idOf(job)
    local queue = string.sub(job, 1, #job - #id)
    if rcall('ZSCORE', queue .. 'delayed', id) then return true, true end
    if rcall('EXISTS', job) == 0 or rcall('ZSCORE', queue .. 'failed', id)
      or rcall('ZSCORE', queue .. 'completed', id) or rcall('ZSCORE', queue .. 'waiting-children', id) then
      return false, false
    end
    rcall('HSETNX', attemptOf(job), 'called', now)
    return true, rcall('HGET', attemptOf(job), 'called') + PATIENCE > now
  end

  -- Calls `visit` with those in line, the first first, with the units that each needs and whether they
  -- are kept for it, until it returns true. Who does not wait any more leaves the line.
  local function walk(name, limit, visit)
    local start = 0
    while true do
      local jobs = rcall('ZRANGE', lineKey(name), start, start + 99)
      if #jobs == 0 then return end
      for _, job in ipairs(jobs) do
        local needs = rcall('HGET', attemptOf(job), 'needs') or ''
        local units = 0
        for each, count in eachNeed(needs) do if each == name then units = tonumber(count) end end
        local waits, kept = standing(job)
        if units == 0 or not waits then
          rcall('ZREM', lineKey(name), job)
          start = start - 1
        elseif visit(job, units, kept and units <= limit, needs) then
          return
        end
      end
      start = start + #jobs
    end
  end

  -- Whether all units that a job needs are free, and not kept for others ahead of it.
  local function isAdmitted(job, needs, score)
    local admitted, doubted = true, nil
    for name, units, default in eachNeed(needs) do
      local limit = limitOf(name, default)
      local used, left = unitsInUse(name)
      if left then doubted = math.min(doubted or left, left) end
      local free = limit - used - tonumber(units)
      if free >= 0 then
        walk(name, limit, function(other, count, kept)
          if other == job or scoreOf(name, other) > score then return true end
          if kept then free = free - count end
          return free < 0
        end)
      end
      admitted = admitted and free >= 0
    end
    return admitted, doubted
  end

  -- To the head of its queue: it has waited already.
  local function call(job)
    local id = idOf(job)
    local queue = string.sub(job, 1, #job - #id)
    if rcall('ZREM', queue .. 'delayed', id) == 0 then return end
    rcall('HSET', job, 'delay', 0)
    rcall('HSET', attemptOf(job), 'called', now)
    local stopped = isQueuePausedOrMaxed(queue .. 'meta', queue .. 'active')
    local priority = tonumber(rcall('HGET', job, 'priority')) or 0
    if priority > 0 then
      pushBackJobWithPriority(queue .. 'prioritized', priority, id)
      addBaseMarkerIfNeeded(queue .. 'marker', stopped)
    else
      addJobInTargetList(queue .. 'wait', queue .. 'marker', 'RPUSH', stopped, id)
    end
    rcall('XADD', queue .. 'events', '*', 'event', 'waiting', 'jobId', id, 'prev', 'delayed')
  end

  -- Calls whoever can begin now.
  local function callWaiting(needs)
    for name, _, default in eachNeed(needs) do
      local limit = limitOf(name, default)
      local free = limit - unitsInUse(name)
      if free > 0 then
        walk(name, limit, function(job, units, kept, all)
          if units <= free and isAdmitted(job, all, scoreOf(name, job)) then call(job) end
          if kept then free = free - units end
          return free <= 0
        end)
      end
    end
  end

  -- Takes all units that a job needs, or none: then it stands in line, and the milliseconds are returned
  -- after which it should ask again if nobody calls it. Those further back ask less often.
  local function take(job, needs, attempt, lease)
    local score
    for name in eachNeed(needs) do score = score or scoreOf(name, job) end
    local arrived = not score
    if arrived then
      local priority = tonumber(rcall('HGET', job, 'priority')) or 0
      score = priority * 2 ^ 31 + (rcall('GET', own .. 'arrivals') or 0) + 1
    end
    local admitted, doubted = isAdmitted(job, needs, score)
    if admitted then
      for name, units in eachNeed(needs) do
        rcall('HSET', heldKey(name), job, attempt .. ' ' .. units .. ' ' .. lease)
        if not arrived then rcall('ZREM', lineKey(name), job) end
      end
      if not arrived then rcall('HDEL', attemptOf(job), 'needs', 'called') end
      return nil
    end
    if arrived then rcall('INCR', own .. 'arrivals') end
    local rank = math.huge
    for name in eachNeed(needs) do
      rcall('ZADD', lineKey(name), string.format('%.0f', score), job)
      rank = math.min(rank, rcall('ZRANK', lineKey(name), job))
    end
    rcall('HSET', attemptOf(job), 'needs', needs)
    rcall('HDEL', attemptOf(job), 'called')
    -- What was found dead may be enough for somebody else.
    callWaiting(needs)
    return math.min(doubted or FARTHEST_LOOK, lease * (1 + rank), FARTHEST_LOOK)
  end

  -- Whether an attempt still has all units that it took.
  local function holds(job, needs, attempt)
    for name in eachNeed(needs) do
      local entry = rcall('HGET', heldKey(name), job)
      if not entry or string.match(entry, '^%S+') ~= attempt then return false end
    end
    return true
  end

  return { take = take, callWaiting = callWaiting, holds = holds, eachNeed = eachNeed,
    unitsInUse = unitsInUse, limitOf = limitOf }
end
