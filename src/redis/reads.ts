// Scripts that read what other processes have written. They check sizes and types inside Redis, so that nothing too long is
// sent, and a key of another type counts as missing.
import { LONGEST_NAME } from '../observe/wire.ts'
import { scriptOf } from './script.ts'

/** In bytes: a heartbeat; an entry of a loop's events, with its fields; and the entries that are read at once. */
export const LONGEST_BEAT = 262_144
export const LONGEST_ENTRY = 2 ** 20
const MOST_BYTES = 4 * 2 ** 20
/** The most fields of an entry. */
const MOST_FIELDS = 8

const TIME = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`

/** The value of a key. Argument: its greatest length. */
export const VALUE = scriptOf(`
local length = redis.pcall('STRLEN', KEYS[1])
if type(length) == 'table' or length > tonumber(ARGV[1]) then return false end
return redis.call('GET', KEYS[1])`)

/** Whether a stream has an entry with this id, the argument. */
export const HAS = scriptOf(`
local found = redis.pcall('XRANGE', KEYS[1], ARGV[1], ARGV[1], 'COUNT', 1)
return found[1] and 1 or 0`)

/**
 * Marks a loop as seen now, on Redis's clock, because the clocks of two machines may differ by hours. Key: known loops.
 * Arguments: the loop, and how long a loop stays known, in ms; '' skips the removal of old ones.
 */
export const MARK_SEEN = scriptOf(`${TIME}
redis.call('ZADD', KEYS[1], string.format('%.0f', now), ARGV[1])
local kept = tonumber(ARGV[2])
if kept then
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - kept))
  redis.call('ZREMRANGEBYSCORE', KEYS[1], string.format('%.0f', now + kept), '+inf')
end`)

/**
 * The number of a process among the lives of its name: one more than the last. Key: the counter. Arguments: how long it is
 * kept, in seconds, and 0; or the number that the process already has, in case Redis has forgotten it.
 */
export const LIFE = scriptOf(`
local last, life = tonumber(redis.call('GET', KEYS[1])) or 0, tonumber(ARGV[2])
if not (last >= 0 and last < 2 ^ 52) then last = 0 end
if life == 0 then life = math.floor(last) + 1 end
redis.call('SET', KEYS[1], string.format('%.0f', math.max(life, last)), 'EX', ARGV[1])
return life`)

/**
 * Known loops and heartbeats. Keys: known loops, then one for each heartbeat. Argument: the most loops. Returns the name and
 * age in ms of each loop, the one seen last at the end; and the heartbeats. Invalid names are removed.
 */
export const POLL = scriptOf(`${TIME}
local names, beats = {}, {}
local known = redis.call('ZRANGE', KEYS[1], -tonumber(ARGV[1]), -1, 'WITHSCORES')
for at = 1, #known, 2 do
  local name = known[at]
  if #name > ${LONGEST_NAME} or not string.find(name, '^[%w._-]+$') then
    redis.call('ZREM', KEYS[1], name)
  else
    names[#names + 1] = {name, string.format('%.0f', math.max(0, now - tonumber(known[at + 1])))}
  end
end
for at = 2, #KEYS do
  local length = redis.pcall('STRLEN', KEYS[at])
  beats[at - 1] = type(length) == 'number' and length <= ${LONGEST_BEAT} and redis.call('GET', KEYS[at]) or false
end
return {names, beats}`)

/**
 * What came after an entry of each of several streams, in turn: one entry of each, then the next. Keys: the streams.
 * Arguments: the most of each, then the ids. Returns the number of the stream, the id and the fields of each entry; no
 * fields if the entry is too large, or the key is not a stream. Redis can do nothing else while it reads a large one, so an
 * answer contains at most one of those.
 */
export const ENTRIES = scriptOf(`
local found, bytes, ids, over = {}, 0, {}, {}
for at = 1, #KEYS do ids[at] = ARGV[at + 1] end
for _ = 1, tonumber(ARGV[1]) do
  for at = 1, #KEYS do
    if bytes >= ${MOST_BYTES} then return found end
    if not over[at] then
      local reply = redis.pcall('XREAD', 'COUNT', 1, 'STREAMS', KEYS[at], ids[at])
      if not reply or reply.err then
        over[at] = true
        if reply then found[#found + 1] = {at, '', false} end
      else
        local entry = reply[1][2][1]
        local length = 0
        for _, field in ipairs(entry[2]) do length = length + #field end
        local fits = length <= ${LONGEST_ENTRY} and #entry[2] <= ${MOST_FIELDS * 2}
        found[#found + 1] = {at, entry[1], fits and entry[2]}
        ids[at] = entry[1]
        bytes = bytes + length
      end
    end
  end
end
return found`)
