// The operations of a shared queue inside Redis: one Lua script for each, so that it happens as a whole or not at all.
//
//                    put
//                     |
//        +------------+------------+
//        v                         v
//   {key}:delayed --- due --> {key}:ready --- get --> {key}:taken --- done --> gone
//        ^                         ^                     |
//        |                         +-- given back -------+-- failed for the last time --> {key}:dead
//        +---------------------------- failed -----------+
//
//   {key}            a stream: other programs may put an item with `XADD {key} * item JSON`; the next get moves it to `ready`
//   {key}:state      `born`, a name that the queue gets when it is made: another one means that Redis lost the old queue;
//                    `last`, the last id; `closed` after a shutdown; how many items were `done` and `failed`; `bytes` of dead letters
//   {key}:items      id -> JSON. Ids have one length and grow, so that their order is that in which items were put
//   {key}:about      id -> deliveries, failures, priority, the consumer that has it or `-`, the name that it was put under
//   {key}:ready      ids by priority
//   {key}:delayed    ids by the time at which they are due
//   {key}:taken      `consumer id`, all of one score, so that those of one consumer are next to each other
//   {key}:leases     consumer -> until when it counts as alive
//   {key}:names      name -> id, of the items that were put under a name
//   {key}:dead       a stream of the last dead letters
//   {key}:waiting    what is waited for, `get` `put` `join`: a script that makes it happen sends it on the channel {key}
//   {key}:put:{id}   the number of the last put of a producer: a put that is sent again is not made twice
//
// All times are milliseconds of Redis's own clock. Everything works from Redis 6.2 on.
import { scriptOf, type Script } from '../script.ts'

/** The longest item that is sent to a consumer, in bytes. */
const LONGEST_ITEM = 1_000_000
/** Beyond this many bytes no further item is sent to a consumer at once. */
const MOST_BYTES = 1_000_000
/** How many items a script moves at once from one place to another, apart from those it was asked for. */
const MOST_MOVED = 64
/** How many dead letters are kept, in how many bytes; of one that is longer than an item may be, this beginning. */
const MOST_DEAD = 1000
const MOST_DEAD_BYTES = 64_000_000
const LONGEST_BEGINNING = 65_536

/** The keys after the first, in the order of the scripts' KEYS. */
export const KEYS = ['state', 'items', 'about', 'ready', 'delayed', 'taken', 'leases', 'names', 'dead', 'waiting'] as const

const BEGIN = `
local inbox, state, items, about, ready, delayed, taken, leases, names, dead, waiting, putkey = unpack(KEYS)
local consumer, lease = ARGV[3], tonumber(ARGV[4])
local FREE, FIRST = '-', 5

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local born = redis.call('HGET', state, 'born')
if not born then
  born = ARGV[2]
  -- Ids begin with the time: if only this key was lost, later items are still behind earlier ones.
  redis.call('HSET', state, 'born', born, 'last', string.format('%.0f', now * 1000))
end

local function unfinished()
  return redis.call('ZCARD', ready) + redis.call('ZCARD', delayed) + redis.call('ZCARD', taken) + redis.call('XLEN', inbox)
end
local function ofConsumer(id)
  return '[' .. id .. ' ', '(' .. id .. '!'
end
local function answer(...)
  local from, to = ofConsumer(consumer)
  return {born, unfinished(), redis.call('ZCARD', ready) + redis.call('ZCARD', delayed) + redis.call('XLEN', inbox), redis.call('ZLEXCOUNT', taken, from, to), ...}
end

if ARGV[1] ~= '' and ARGV[1] ~= born then return answer() end

local function live()
  redis.call('ZADD', leases, string.format('%.0f', now + lease), consumer)
end
local function wake(what)
  if redis.call('HDEL', waiting, what) == 1 then redis.call('PUBLISH', inbox, what) end
end
local function noteEnd()
  if unfinished() > 0 then return end
  wake('join')
  if redis.call('HEXISTS', state, 'closed') == 1 then wake('get') end
end
local function read(id)
  local deliveries, failures, priority, owner, name = string.match(redis.call('HGET', about, id) or '', '^(%d+) (%d+) (%S+) (%S+) (.*)$')
  return {deliveries = tonumber(deliveries or 0), failures = tonumber(failures or 0), priority = tonumber(priority or 0), owner = owner or FREE, name = name or ''}
end
local function write(id, of)
  redis.call('HSET', about, id, string.format('%.0f %.0f %.0f %s %s', of.deliveries, of.failures, of.priority, of.owner, of.name))
end
local function newId()
  return string.format('%016.0f', redis.call('HINCRBY', state, 'last', 1))
end
local function member(owner, id)
  return owner .. ' ' .. id
end
-- Whether this consumer had it; now none has.
local function release(owner, id)
  return redis.call('ZREM', taken, member(owner, id)) == 1
end
local function ids(owner, most)
  local from, to = ofConsumer(owner)
  local found = redis.call('ZRANGEBYLEX', taken, from, to, 'LIMIT', 0, most)
  for at, text in ipairs(found) do found[at] = string.sub(text, #owner + 2) end
  return found
end
-- The item waits for a consumer, after a delay.
local function queue(id, of, delay)
  of.owner = FREE
  write(id, of)
  if delay > 0 then
    redis.call('ZADD', delayed, string.format('%.0f', now + delay), id)
  else
    redis.call('ZADD', ready, of.priority, id)
  end
end
local function remove(id, of)
  redis.call('ZREM', taken, member(of.owner, id))
  redis.call('ZREM', ready, id)
  redis.call('ZREM', delayed, id)
  redis.call('HDEL', about, id)
  if of.name ~= '' and redis.call('HGET', names, of.name) == id then redis.call('HDEL', names, of.name) end
  return redis.call('HDEL', items, id)
end
local buried, whyBuried = 0, ''
local function bury(text, of, why)
  buried, whyBuried = buried + 1, why
  local kept = #text > ${LONGEST_ITEM} and string.sub(text, 1, ${LONGEST_BEGINNING}) or text
  redis.call('XADD', dead, '*', 'item', kept, 'bytes', #text, 'why', string.sub(why, 1, 2000), 'failures', of.failures, 'priority', of.priority)
  local bytes = redis.call('HINCRBY', state, 'bytes', #kept)
  while redis.call('XLEN', dead) > ${MOST_DEAD} or bytes > ${MOST_DEAD_BYTES} do
    local oldest = redis.call('XRANGE', dead, '-', '+', 'COUNT', 1)[1]
    if not oldest then break end
    bytes = redis.call('HINCRBY', state, 'bytes', -#(oldest[2][2] or ''))
    redis.call('XDEL', dead, oldest[1])
  end
end
-- A try has failed.
local function fail(id, tries, delay, why)
  local of = read(id)
  of.failures = of.failures + 1
  redis.call('HINCRBY', state, 'failed', 1)
  if tries == 0 or of.failures < tries then
    queue(id, of, delay)
  else
    bury(redis.call('HGET', items, id) or '', of, why)
    remove(id, of)
  end
end
`

/**
 * If its memory is full, Redis refuses the first write of a script if that may need memory; a script that has begun to write
 * may finish. So a script that frees memory, or lets others continue that do, begins with a write that needs none. (Redis 6
 * does not have the flag for this, allow-oom.)
 */
const EVEN_IF_FULL = `
redis.call('HDEL', KEYS[${KEYS.indexOf('waiting') + 2}], '')
`

function script(body: string, needsMemory = false): Script {
  return scriptOf((needsMemory ? '' : EVEN_IF_FULL) + BEGIN + body)
}

/**
 * Puts items while there is room, in the queue and in Redis. Arguments: maxsize, then the number, text, delay, priority and name
 * of each item. Returns their ids, '' for one that was put before or whose name is taken; how many names were taken; and
 * whether the queue was shut down.
 */
export const PUT = script(`
local maxsize = tonumber(ARGV[FIRST])
local room = math.huge
if maxsize > 0 then room = maxsize - answer()[3] end
local last = tonumber(redis.call('GET', putkey) or 0)
local put, before, duplicates = {}, last, 0
local closed = redis.call('HEXISTS', state, 'closed')
for at = FIRST + 1, #ARGV, 5 do
  local number, text, delay, priority, name = tonumber(ARGV[at]), ARGV[at + 1], tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3]), ARGV[at + 4]
  if number <= last then
    put[#put + 1] = ''
  elseif closed == 1 then
    break
  elseif name ~= '' and redis.call('HEXISTS', names, name) == 1 then
    put[#put + 1], duplicates, last = '', duplicates + 1, number
  elseif room > 0 then
    local id = newId()
    redis.call('HSET', items, id, text)
    if name ~= '' then redis.call('HSET', names, name, id) end
    queue(id, {deliveries = 0, failures = 0, priority = priority, owner = FREE, name = name}, delay)
    put[#put + 1], last, room = id, number, room - 1
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
return answer(put, duplicates, closed)`, true)

/**
 * Takes up to this many items. Before that, it moves to the ready ones those that are due, those of dead consumers, for which a
 * try has failed, and those that other programs have put. Arguments: how many, and the number of tries. Returns the id, text,
 * and number of deliveries and failures of each; how many dead letters it made, and why the last; whether no item is ready now; in how many
 * milliseconds the next is due, -1 if none is; and whether the queue was shut down and nothing is left.
 */
export const GET = script(`
local want, tries, got, bytes = tonumber(ARGV[FIRST]), tonumber(ARGV[FIRST + 1]), {}, 0
live()
for _, id in ipairs(redis.call('ZRANGEBYSCORE', delayed, '-inf', string.format('%.0f', now), 'LIMIT', 0, ${MOST_MOVED})) do
  redis.call('ZREM', delayed, id)
  redis.call('ZADD', ready, read(id).priority, id)
end
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', '(' .. string.format('%.0f', now), 'LIMIT', 0, 16)) do
  local left = ids(gone, ${MOST_MOVED})
  for _, id in ipairs(left) do
    release(gone, id)
    fail(id, tries, 0, 'its consumer died, or was blocked for longer than its lease')
  end
  if #left < ${MOST_MOVED} then redis.call('ZREM', leases, gone) end
end
-- Redis can do nothing else while it reads a long one: there is one of those at most in an answer.
local function wantsMore()
  return #got + buried < want and bytes < ${MOST_BYTES}
end
while wantsMore() do
  local entry = redis.call('XRANGE', inbox, '-', '+', 'COUNT', 1)[1]
  if not entry then break end
  redis.call('XDEL', inbox, entry[1])
  local text, of = entry[2][2] or '', {deliveries = 0, failures = 0, priority = 0, owner = FREE, name = ''}
  bytes = bytes + #text
  if entry[2][1] ~= 'item' or text == '' or #text > ${LONGEST_ITEM} then
    bury(text, of, #text > ${LONGEST_ITEM} and 'it is longer than ${LONGEST_ITEM} bytes' or 'it has no field called item, or an empty one')
  else
    local id = newId()
    redis.call('HSET', items, id, text)
    queue(id, of, 0)
  end
end
bytes = 0
local isDrained = false
while wantsMore() do
  local id = redis.call('ZPOPMIN', ready)[1]
  if not id then
    isDrained = redis.call('XLEN', inbox) == 0
    break
  end
  local of = read(id)
  local length = redis.call('HSTRLEN', items, id)
  bytes = bytes + length
  if length == 0 then
    -- Only a part of the queue was lost.
    remove(id, of)
  else
    of.deliveries, of.owner = of.deliveries + 1, consumer
    redis.call('ZADD', taken, 0, member(consumer, id))
    write(id, of)
    got[#got + 1] = {id, redis.call('HGET', items, id), of.deliveries, of.failures}
  end
end
local next = redis.call('ZRANGE', delayed, 0, 0, 'WITHSCORES')[2]
if isDrained then redis.call('HSET', waiting, 'get', 1) end
if #got + buried > 0 then wake('put') end
if buried > 0 then noteEnd() end
local isOver = redis.call('HEXISTS', state, 'closed') == 1 and unfinished() == 0
return answer(got, buried, whyBuried, isDrained and 1 or 0, next and math.max(0, next - now) or -1, isOver and 1 or 0)`)

/** Makes dead letters of items that this consumer got and cannot read. Arguments: the id and reason of each. */
export const BURY = script(`
for at = FIRST, #ARGV, 2 do
  if release(consumer, ARGV[at]) then
    local of = read(ARGV[at])
    bury(redis.call('HGET', items, ARGV[at]) or '', of, ARGV[at + 1])
    remove(ARGV[at], of)
  end
end
noteEnd()
return answer()`)

/** These items, by id, are done. */
export const DONE = script(`
for at = FIRST, #ARGV do
  redis.call('HINCRBY', state, 'done', remove(ARGV[at], read(ARGV[at])))
end
noteEnd()
return answer()`)

/**
 * Returns items to the queue. Arguments: the number of tries; then the id and number of deliveries of each, a delay, and why a
 * try has failed, '' if none has. An item that another consumer has by now stays there. Returns how many dead letters it made,
 * and why the last.
 */
export const RETURN = script(`
local tries = tonumber(ARGV[FIRST])
for at = FIRST + 1, #ARGV, 4 do
  local id, delay, why = ARGV[at], tonumber(ARGV[at + 2]), ARGV[at + 3]
  if release(consumer, id) then
    if why == '' then
      local of = read(id)
      of.deliveries = tonumber(ARGV[at + 1])
      queue(id, of, delay)
    else
      fail(id, tries, delay, why)
    end
  end
end
wake('get')
if buried > 0 then noteEnd() end
return answer(buried, whyBuried)`)

/** Takes back items that were put, by id, unless a consumer has them already. */
export const WITHDRAW = script(`
for at = FIRST, #ARGV do
  local of = read(ARGV[at])
  if of.owner == FREE then remove(ARGV[at], of) end
end
wake('put')
noteEnd()
return answer()`)

/**
 * Returns how many items are unfinished, and how many of them no consumer has; then how many of those are delayed, how many
 * dead letters there are, how many were done and how many tries failed, and whether the queue was shut down. With an argument:
 * a task waits until there are no unfinished ones.
 */
export const FIGURES = script(`
local found = answer()
if ARGV[FIRST] and found[2] > 0 then redis.call('HSET', waiting, 'join', 1) end
local function count(what)
  return tonumber(redis.call('HGET', state, what) or 0)
end
return answer(found[2], found[3], redis.call('ZCARD', delayed), redis.call('XLEN', dead), count('done'), count('failed'), redis.call('HEXISTS', state, 'closed'))`)

/** This consumer is alive. */
export const RENEW = script(`
live()
return answer()`)

/** The items of this consumer, according to Redis: the id and number of deliveries of each, limited in number. */
export const MINE = script(`
live()
local mine = ids(consumer, ARGV[FIRST])
for at, id in ipairs(mine) do mine[at] = {id, read(id).deliveries} end
return answer(mine)`)

/** This consumer takes nothing further; the items it still has go back to the queue. */
export const LEAVE = script(`
for _, id in ipairs(ids(consumer, -1)) do
  release(consumer, id)
  queue(id, read(id), 0)
end
redis.call('ZREM', leases, consumer)
redis.call('DEL', putkey)
wake('get')
return answer()`)

/**
 * Shuts the queue down; with the argument `immediate` it also drops items that no consumer has, some at a time; with `open` it opens
 * the queue again. Returns whether there are more to drop.
 */
export const SHUTDOWN = script(`
local more = 0
if ARGV[FIRST] == 'open' then
  redis.call('HDEL', state, 'closed')
else
  redis.call('HSET', state, 'closed', 1)
  if ARGV[FIRST] == 'immediate' then
    redis.call('DEL', inbox)
    for _, key in ipairs({ready, delayed}) do
      for _, id in ipairs(redis.call('ZRANGE', key, 0, ${MOST_MOVED * 16 - 1})) do remove(id, read(id)) end
    end
    more = redis.call('ZCARD', ready) + redis.call('ZCARD', delayed) > 0 and 1 or 0
  end
  wake('put')
  noteEnd()
end
return answer(more)`)

/** Dead letters, the oldest first: those after this id, limited in number and bytes. Returns the id and fields of each. */
export const DEAD = script(`
local found, bytes = {}, 0
local after = ARGV[FIRST] == '' and '-' or '(' .. ARGV[FIRST]
while #found < tonumber(ARGV[FIRST + 1]) and bytes < ${MOST_BYTES} do
  local entry = redis.call('XRANGE', dead, after, '+', 'COUNT', 1)[1]
  if not entry then break end
  found[#found + 1] = entry
  after, bytes = '(' .. entry[1], bytes + #(entry[2][2] or '')
end
return answer(found)`)

/**
 * Removes dead letters. Arguments: `redrive` to put them into the queue again, as if for the first time, or `remove`; then the id
 * of each. Returns how many. One that was too long for an item is only removed.
 */
export const REDRIVE = script(`
local count = 0
for at = FIRST + 1, #ARGV do
  local entry = redis.call('XRANGE', dead, ARGV[at], ARGV[at])[1]
  local fields = {}
  if entry then for field = 1, #entry[2], 2 do fields[entry[2][field]] = entry[2][field + 1] end end
  local text = fields.item or ''
  local isWhole = tonumber(fields.bytes) == #text
  if entry and (ARGV[FIRST] == 'remove' or isWhole) then
    redis.call('XDEL', dead, entry[1])
    redis.call('HINCRBY', state, 'bytes', -#text)
    count = count + 1
    if ARGV[FIRST] == 'redrive' then
      local id = newId()
      redis.call('HSET', items, id, text)
      queue(id, {deliveries = 0, failures = 0, priority = tonumber(fields.priority) or 0, owner = FREE, name = ''}, 0)
    end
  end
end
if count > 0 and ARGV[FIRST] == 'redrive' then wake('get') end
return answer(count)`)
