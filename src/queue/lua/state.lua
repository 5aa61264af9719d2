--[[
  What the queue knows of many tasks: one code a task.
    d complete   a absent     b blocked (waiting-children)   f failed   y delayed
    w blocked, by tasks that its run asked for
    q queued     r running    c completed by BullMQ, yet not recorded as complete
       A job in no state at all counts as blocked: linked, it goes on.
    x another task (other parameters) holds this id
  followed by its generation when it was ever invalidated, and '*' while outputs of a former generation
  may still be there: they do not count.
  Atomic, so that one plan sees one moment.

  KEYS[1] any key of the deployment's hash slot
  ARGV[1] prefix of Sluice's own keys; then for each task: queue key, task id, task name
]]
local rcall = redis.call
--- @include "jobState"

local codes = {}
for i = 2, #ARGV, 3 do
  local queue, id, name = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local job = queue .. ':' .. id
  local known = rcall('HGET', ARGV[1] .. 'done:' .. id, 'name')
  local code = 'd'
  if not known then
    known = rcall('HGET', job, 'name')
    if not known then code = 'a'
    else
      code = jobState(queue, id) or 'b'
      if code == 'b' and rcall('HEXISTS', ARGV[1] .. 'attempt:' .. id, 'yielded') == 1 then code = 'w' end
    end
  end
  if known and known ~= name then code = 'x' end
  local generation = rcall('HGET', ARGV[1] .. 'generations', id)
  if generation then
    code = code .. generation
    if rcall('HEXISTS', ARGV[1] .. 'attempt:' .. id, 'stale') == 1 then code = code .. '*' end
  end
  codes[#codes + 1] = code
end
return codes
