--[[
  Completes an active job and takes the next one, as BullMQ does: by the text of its own script, whose keys
  and options are made here, because all of them but the token are the same for every job of a queue.

  queue, job, id  queue key, job key, job id
  now             when it completed (ms)
  settings        token, lockDuration (ms), keepJobs {age (s), count}, maxMetricsSize
  fetchNext       '1' to take the next one, or '0'
  Returns what moveToFinished returns.
]]
--- The options come as a table.
local cmsgpack = { unpack = function(opts) return opts end }
--- @command "moveToFinished-14" as moveToFinished

local keysOf = {}

local function completeJob(queue, job, id, now, settings, fetchNext)
  local prefix = queue .. ':'
  local keys = keysOf[queue]
  if not keys then
    keys = { prefix .. 'wait', prefix .. 'active', prefix .. 'prioritized', prefix .. 'events', prefix .. 'stalled',
      prefix .. 'limiter', prefix .. 'delayed', prefix .. 'paused', prefix .. 'meta', prefix .. 'pc',
      prefix .. 'completed', '', prefix .. 'metrics:completed', prefix .. 'marker' }
    keysOf[queue] = keys
  end
  keys[12] = job
  return moveToFinished(keys, { id, now, 'returnvalue', 'null', 'completed', fetchNext, prefix, settings, '' })
end
