--[[
  Several calls of one script in one: each is carried out as if it had come alone, in order, and an
  error of one is no error of the others.

  KEYS[1] the key of the first call
  ARGV[1] for each call its key and its arguments (JSON): a text costs both sides less than as many arguments
  Returns for each call {1, its reply} or {0, its error}
]]
local rcall = redis.call
--- @script

local replies = {}
for i, call in ipairs(cjson.decode(ARGV[1])) do
  local ok, reply = pcall(one, { call[1] }, call[2])
  if not ok then reply = type(reply) == 'table' and reply.err or tostring(reply) end
  replies[i] = { ok and 1 or 0, reply }
end
return replies
