--[[
  The place of a job that begins to wait now in the lines of those that it waits for: behind all that
  came before. Microseconds, as text: Lua would print them as a float.
]]
local function placeInLine()
  local time = rcall('TIME')
  return time[1] .. string.format('%06d', time[2])
end
