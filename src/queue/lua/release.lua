--[[
  Gives the lease back when an attempt ends without completing its task: not a crash. Whoever waits for
  the units that it held is called in the same step.

  KEYS[1] attempt key of the task  ARGV[1] attempt id
  ARGV[2] prefix of Sluice's own keys  ARGV[3] the units that it holds, as in includes/resources.lua, or ''
  ARGV[4] job key  ARGV[5] lock token
  Returns 1; 0 when the lease is not its own; 2 when it was, but BullMQ's lock is lost, so the job will be
  handed out again.
]]
local rcall = redis.call
--- @include "resources"

if rcall('HGET', KEYS[1], 'holder') ~= ARGV[1] then return 0 end
rcall('HDEL', KEYS[1], 'holder', 'expires')
if ARGV[3] ~= '' then resources(ARGV[2]).callWaiting(ARGV[3]) end
return rcall('GET', ARGV[4] .. ':lock') == ARGV[5] and 1 or 2
