--[[
  Sets the limit of a resource, or goes back to that of the project, and lets those begin who now can.
  What is at work goes on, also above a limit that was lowered.
  Atomic, because the audit tells from which limit to which.

  KEYS[1] prefix of Sluice's own keys
  ARGV[1] name  ARGV[2] the limit, or '' for the project's  ARGV[3] the project's limit
  ARGV[4] who sets it  ARGV[5] why, or ''
  Returns the limit that held before.
]]
local rcall = redis.call
--- @include "resources"

local own, name, limit, default = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local before = rcall('HGET', own .. 'limits', name) or default
if limit == '' then rcall('HDEL', own .. 'limits', name) else rcall('HSET', own .. 'limits', name, limit) end
local entry = { who = ARGV[4], reason = ARGV[5], resource = name, from = tonumber(before),
  to = tonumber(limit ~= '' and limit or default) }
rcall('XADD', own .. 'audit', 'MAXLEN', '~', 100000, '*', 'limited', cjson.encode(entry))
resources(own).callWaiting(name .. ' 1 ' .. default)
return tonumber(before)
