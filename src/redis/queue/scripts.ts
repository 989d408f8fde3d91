// The operations of a shared queue inside Redis: one Lua script for each, so that it happens as a whole or not at all.
//
//   {key}            the stream: each item is an entry until it is done; the group's pending list says which consumer has it
//   {key}:born       a name that the queue gets with its first entry; another one means that Redis lost the old queue
//   {key}:leases     consumer -> until when it counts as alive, in milliseconds of Redis's own clock
//   {key}:waiting    what is waited for, `get` `put` `join`: a script that makes it happen sends it on the channel {key}
//   {key}:put:{id}   the number of the last put of a producer: a put that is sent again is not made twice
//   {key}:aside      a stream of the last items that could not be read, each with the reason, its bytes and its beginning
//
// An item that was given back belongs to the consumer `-`, whose lease is always over. Everything works from Redis 6.2 on.
import { scriptOf, type Script } from '../script.ts'

/** The longest item that is sent to a consumer, in bytes: more than can be put, because earlier versions counted characters. */
const LONGEST_ITEM = 4_000_000
/** Beyond this many bytes no further item is sent to a consumer at once. */
const MOST_BYTES = 1_000_000
/** How many items that were set aside are kept, and how many bytes of each. */
const MOST_ASIDE = 100
const LONGEST_ASIDE = 65_536

const BEGIN = `
local stream, bornkey, leases, waiting, putkey, asidekey = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local consumer, lease = ARGV[3], tonumber(ARGV[4])
local G, FREE, FIRST = 'loopscope', '-', 5

local born = redis.call('GET', bornkey)
if not born or redis.call('EXISTS', stream) == 0 then
  local made = redis.pcall('XGROUP', 'CREATE', stream, G, '0', 'MKSTREAM')
  if made.err and not string.find(made.err, 'BUSYGROUP', 1, true) then return made end
  redis.call('DEL', waiting)
  born = ARGV[2]
  redis.call('SET', bornkey, born)
end

local function answer(...)
  local pending = redis.call('XPENDING', stream, G)
  local free, mine = 0, 0
  if pending[1] > 0 then
    for _, of in ipairs(pending[4]) do
      if of[1] == FREE then free = tonumber(of[2]) elseif of[1] == consumer then mine = tonumber(of[2]) end
    end
  end
  local unfinished = redis.call('XLEN', stream)
  return {born, unfinished, math.max(0, unfinished - pending[1] + free), mine, ...}
end

if ARGV[1] ~= '' and ARGV[1] ~= born then return answer() end

local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
local function live()
  redis.call('ZADD', leases, string.format('%.0f', now() + lease), consumer)
end
local function wake(what)
  if redis.call('HDEL', waiting, what) == 1 then redis.call('PUBLISH', stream, what) end
end
local function isTaken(id)
  return redis.call('XPENDING', stream, G, id, id, 1)[1]
end
local function setAside(id, text, why)
  redis.call('XADD', asidekey, 'MAXLEN', ${MOST_ASIDE}, '*', 'id', id, 'why', why, 'bytes', #text, 'item', string.sub(text, 1, ${LONGEST_ASIDE}))
  redis.call('XACK', stream, G, id)
  redis.call('XDEL', stream, id)
end
`

/**
 * If its memory is full, Redis refuses the first write of a script if that may need memory; a script that has begun to write
 * may finish. So a script that frees memory, or lets others continue that do, begins with a write that needs none. (Redis 6
 * does not have the flag for this, allow-oom.)
 */
const EVEN_IF_FULL = `
redis.call('HDEL', KEYS[4], '')
`

function script(body: string, needsMemory = false): Script {
  return scriptOf((needsMemory ? '' : EVEN_IF_FULL) + BEGIN + body)
}

/**
 * Puts items while there is room, in the queue and in Redis. Arguments: maxsize, then the number and text of each item.
 * Returns their ids; '' for one that was put before.
 */
export const PUT = script(`
local maxsize = tonumber(ARGV[FIRST])
local room = math.huge
if maxsize > 0 then room = maxsize - answer()[3] end
local last = tonumber(redis.call('GET', putkey) or 0)
local ids, before = {}, last
for at = FIRST + 1, #ARGV, 2 do
  local number = tonumber(ARGV[at])
  if number <= last then
    ids[#ids + 1] = ''
  elseif room > 0 then
    ids[#ids + 1] = redis.call('XADD', stream, '*', 'item', ARGV[at + 1])
    last, room = number, room - 1
  else
    -- Where this needs memory that there is not, it is asked for room again all the same.
    redis.pcall('HSET', waiting, 'put', 1)
    break
  end
end
if last > before then
  redis.call('SET', putkey, string.format('%.0f', last), 'PX', 3600000)
  wake('get')
end
return answer(ids)`, true)

/**
 * Takes up to this many items: those of dead consumers, then new ones. Returns the id, text and number of deliveries of
 * each; how many others were too long or invalid, and were set aside; and whether the queue is empty now.
 */
export const GET = script(`
local want, got, aside, bytes = tonumber(ARGV[FIRST]), {}, 0, 0
live()
local function wantsMore()
  return #got + aside < want and bytes < ${MOST_BYTES}
end
local function take(id, fields, deliveries)
  local text = fields[2] or ''
  if fields[1] ~= 'item' or #text > ${LONGEST_ITEM} then
    setAside(id, text, fields[1] == 'item' and 'it is longer than ${LONGEST_ITEM} bytes' or 'it has no field called item')
    aside = aside + 1
  else
    got[#got + 1] = {id, text, deliveries}
  end
  -- Redis can do nothing else while it reads a long one: there is one of those at most in an answer.
  bytes = bytes + #text
end
for _, dead in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', '(' .. string.format('%.0f', now()), 'LIMIT', 0, 16)) do
  local left = redis.call('XPENDING', stream, G, '-', '+', want, dead)
  for _, of in ipairs(left) do
    if not wantsMore() then break end
    local entry = redis.call('XCLAIM', stream, G, consumer, 0, of[1])[1]
    if entry then
      take(entry[1], entry[2], of[4] + 1)
    else
      redis.call('XACK', stream, G, of[1])
    end
  end
  if #left == 0 then
    redis.call('ZREM', leases, dead)
    redis.call('XGROUP', 'DELCONSUMER', stream, G, dead)
  end
  if not wantsMore() then break end
end
local isDrained = false
while wantsMore() do
  local new = redis.call('XREADGROUP', 'GROUP', G, consumer, 'COUNT', 1, 'STREAMS', stream, '>')
  if not new then
    isDrained = true
    break
  end
  local entry = new[1][2][1]
  take(entry[1], entry[2], 1)
end
if isDrained then redis.call('HSET', waiting, 'get', 1) end
if #got + aside > 0 then wake('put') end
if aside > 0 and redis.call('XLEN', stream) == 0 then wake('join') end
return answer(got, aside, isDrained and 1 or 0)`)

/** Sets items aside that this consumer got and cannot read. Arguments: the id and reason of each. */
export const SET_ASIDE = script(`
for at = FIRST, #ARGV, 2 do
  local taken = isTaken(ARGV[at])
  local entry = redis.call('XRANGE', stream, ARGV[at], ARGV[at])[1]
  if entry and taken and taken[2] == consumer then setAside(ARGV[at], entry[2][2], ARGV[at + 1]) end
end
if redis.call('XLEN', stream) == 0 then wake('join') end
return answer()`)

/** These items, by id, are done. */
export const DONE = script(`
for at = FIRST, #ARGV do
  redis.call('XACK', stream, G, ARGV[at])
  redis.call('XDEL', stream, ARGV[at])
end
if redis.call('XLEN', stream) == 0 then wake('join') end
return answer()`)

/** Gives items back. Arguments: the id and number of deliveries of each. An item that another consumer has by now stays there. */
export const GIVE_BACK = script(`
for at = FIRST, #ARGV, 2 do
  local taken = isTaken(ARGV[at])
  if taken and taken[2] == consumer then
    redis.call('XCLAIM', stream, G, FREE, 0, ARGV[at], 'RETRYCOUNT', ARGV[at + 1], 'JUSTID')
    redis.call('ZADD', leases, 0, FREE)
  end
end
wake('get')
return answer()`)

/** Takes back items that were put, by id, unless a consumer has them already. */
export const WITHDRAW = script(`
for at = FIRST, #ARGV do
  local taken = isTaken(ARGV[at])
  if not taken or taken[2] == FREE then
    redis.call('XACK', stream, G, ARGV[at])
    redis.call('XDEL', stream, ARGV[at])
  end
end
wake('put')
if redis.call('XLEN', stream) == 0 then wake('join') end
return answer()`)

/** Returns how many items are unfinished, and how many of them no consumer has. With an argument: a task waits until there are none. */
export const FIGURES = script(`
if ARGV[FIRST] and redis.call('XLEN', stream) > 0 then redis.call('HSET', waiting, 'join', 1) end
local found = answer()
return answer(found[2], found[3])`)

/** This consumer is alive. */
export const RENEW = script(`
live()
return answer()`)

/** The items of this consumer, according to Redis: the id and number of deliveries of each, limited in number. */
export const MINE = script(`
live()
local mine = {}
for _, of in ipairs(redis.call('XPENDING', stream, G, '-', '+', ARGV[FIRST], consumer)) do mine[#mine + 1] = {of[1], of[4]} end
return answer(mine)`)

/** This consumer takes nothing further; the items it still has go back to the queue. */
export const LEAVE = script(`
if #redis.call('XPENDING', stream, G, '-', '+', 1, consumer) == 0 then
  redis.call('XGROUP', 'DELCONSUMER', stream, G, consumer)
  redis.call('ZREM', leases, consumer)
else
  redis.call('ZADD', leases, 0, consumer)
  wake('get')
end
redis.call('DEL', putkey)
return answer()`)
