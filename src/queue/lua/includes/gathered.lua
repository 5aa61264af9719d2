--[[
  Several calls of one script in one: each is carried out as if it had come alone, in order, and an
  error of one is no error of the others.

  KEYS  one a call  ARGV  for each call: how many arguments, then those
  Returns for each call {1, its reply} or {0, its error}
]]
local rcall = redis.call
--- @script

local replies, at = {}, 1
for i, key in ipairs(KEYS) do
  local args = {}
  for j = 1, tonumber(ARGV[at]) do args[j] = ARGV[at + j] end
  at = at + 1 + #args
  local ok, reply = pcall(one, { key }, args)
  if not ok then reply = type(reply) == 'table' and reply.err or tostring(reply) end
  replies[i] = { ok and 1 or 0, reply }
end
return replies
