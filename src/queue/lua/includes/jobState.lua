--[[
  The state of a job, as a code of state.lua: r, b, f, y, c or q; nil when it is in none, although it is
  there. BullMQ never leaves a job like that, but a Redis that came back with half of a script may.

  queue  queue key
]]
local function jobState(queue, id)
  if rcall('EXISTS', queue .. ':' .. id .. ':lock') == 1 then return 'r' end
  if rcall('ZSCORE', queue .. ':waiting-children', id) then return 'b' end
  if rcall('ZSCORE', queue .. ':failed', id) then return 'f' end
  if rcall('ZSCORE', queue .. ':delayed', id) then return 'y' end
  if rcall('ZSCORE', queue .. ':completed', id) then return 'c' end
  if rcall('ZSCORE', queue .. ':prioritized', id) then return 'q' end
  -- In the first two are only those whose worker died, and those at work.
  for _, list in ipairs({ ':wait', ':active', ':paused' }) do
    if rcall('LPOS', queue .. list, id) then return 'q' end
  end
  return nil
end
