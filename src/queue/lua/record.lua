--[[
  Adds parts of attempts to the history of their tasks. One call a batch: 100 parts as commands of their
  own cost the worker as much as the attempts that they tell of. What cannot be added holds up no other.

  KEYS[1] sorted set of tasks by the time (ms) of their last attempt
  ARGV[1] prefix of the tasks' history keys  ARGV[2] now (ms)  ARGV[3] parts to keep of one task
  then for each part: task id, part (JSON)
  Returns how many were not added, and the error of the first of them.
]]
local failed, problem, scores = 0, '', {}
for i = 4, #ARGV, 2 do
  local key = ARGV[1] .. ARGV[i]
  local length = redis.pcall('RPUSH', key, ARGV[i + 1])
  if type(length) == 'table' then
    if failed == 0 then problem = length.err end
    failed = failed + 1
  else
    if length > tonumber(ARGV[3]) then redis.call('LTRIM', key, -ARGV[3], -1) end
    scores[#scores + 1] = ARGV[2]
    scores[#scores + 1] = ARGV[i]
  end
end
if #scores > 0 then redis.call('ZADD', KEYS[1], unpack(scores)) end
return { failed, problem }
