--[[
  Calls those who wait for units of resources and can begin now.

  KEYS[1] prefix of Sluice's own keys
  ARGV[1] the resources, as needs in includes/resources.lua: the units do not matter
]]
local rcall = redis.call
--- @include "resources"

resources(KEYS[1]).callWaiting(ARGV[1])
return 1
