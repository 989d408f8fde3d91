// The one door by which things enter the page that somebody else has made: events of a stranger's program, of the server, of
// another process of its cluster, and addresses. What passes has a known shape, bounded texts and times that can be drawn.
import './zod-setup.ts'
import type { z } from 'zod'
import { loopEvent, loopList, streamEvent, type LoopEvent, type LoopList, type StreamEvent } from '../src/events/schema.ts'

/** The longest text, in characters; what is longer is cut, and ends in `…`. */
export const MOST_TEXT = 2000
/** The latest and earliest time, in seconds: more than a clock says that began in 1970, and still exact to a microsecond. */
export const LATEST = 4e9
/** What one event may hold: texts, numbers and so on, and the characters in its texts. */
const MOST_PARTS = 10_000
const MOST_CHARACTERS = 64_000
/** Entries of a list, and the fields of an object; how deep both may lie in each other. */
const MOST_ENTRIES = 1000
const MOST_FIELDS = 64
const LONGEST_FIELD = 100
const DEEPEST = 8
/** Characters of one message of the stream. A snapshot of a hundred thousand tasks has some twenty million. */
const LONGEST_EVENT = 512_000
const LONGEST_MESSAGE = 64_000_000
const MOST_LIVE = 100_000
const MOST_LOOPS = 200
const MOST_LINES = 200_000

/** What of an address is read, and of a part of it, in characters. A program is longer: who unpacks it bounds it. */
const LONGEST_ADDRESS = 500_000
const LONGEST_PART = 300
const LONG_PARTS = new Set(['program'])
const MOST_ADDRESS_PARTS = 30

const MOMENTS = new Set(['t', 'since', 'deadline'])

export interface Bounds {
  parts: number
  characters: number
  entries: number
}

/**
 * A copy of what came, in the bounds. What does not fit is left out, so a schema finds it missing. The parts and
 * characters that it took are taken off `left`, which several values may share.
 */
export function bounded(value: unknown, left: Bounds, key = '', depth = 0): unknown {
  if (--left.parts < 0) return undefined
  switch (typeof value) {
    case 'boolean': return value
    case 'number': return boundedNumber(value, key)
    case 'string': {
      const text = value.length > MOST_TEXT ? `${value.slice(0, MOST_TEXT)}…` : value
      left.characters -= text.length
      return left.characters < 0 ? undefined : text
    }
    case 'object': break
    default: return undefined
  }
  if (value === null || depth >= DEEPEST) return null
  if (Array.isArray(value)) {
    const list: unknown[] = []
    for (let at = 0; at < value.length && at < left.entries && left.parts > 0; at++) list.push(bounded(value[at], left, key, depth + 1))
    return list
  }
  const copy: Record<string, unknown> = {}
  let fields = 0
  for (const name in value) {
    if (++fields > MOST_FIELDS || left.parts <= 0) break
    if (name.length <= LONGEST_FIELD && name !== '__proto__') copy[name] = bounded((value as Record<string, unknown>)[name], left, name, depth + 1)
  }
  return copy
}

/** Times are moved into what can be drawn: a sleep until the end of time is no mistake. A duration is never negative. */
function boundedNumber(value: number, key: string): number {
  if (MOMENTS.has(key)) return Math.max(-LATEST, Math.min(LATEST, value))
  if (key === 'seconds') return Math.max(0, Math.min(LATEST, value))
  return Math.max(-Number.MAX_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, value))
}

export function eventBounds(): Bounds {
  return { parts: MOST_PARTS, characters: MOST_CHARACTERS, entries: MOST_ENTRIES }
}

/** Anything as an event of a loop; null if it is none. */
export function admitEvent(value: unknown, left = eventBounds()): LoopEvent | null {
  return admit(loopEvent, bounded(value, left))
}

/** One message of the stream, as it came; null if it is none. */
export function admitMessage(text: string): StreamEvent | null {
  if (text.length > LONGEST_MESSAGE) return null
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return null
  }
  const type = typeof value === 'object' && value !== null && 'type' in value ? value.type : null
  if (typeof type !== 'string' || (!type.startsWith('stream.') && text.length > LONGEST_EVENT)) return null
  // Only the stream's own messages hold snapshots.
  const left = type.startsWith('stream.') ? { parts: text.length, characters: text.length, entries: MOST_LIVE } : eventBounds()
  return admit(streamEvent, bounded(value, left))
}

/** The events of an answer, one to a line, and how many lines were none. */
export function admitLines(text: string): { events: LoopEvent[]; refused: number } {
  const events: LoopEvent[] = []
  let refused = 0
  for (const line of text.split('\n', MOST_LINES)) {
    if (line === '') continue
    const message = admitMessage(line)
    if (message === null || message.type.startsWith('stream.')) refused++
    else events.push(message as LoopEvent)
  }
  return { events, refused }
}

/** The loops that the server says there are; null if it says something else. */
export function admitLoops(value: unknown): LoopList | null {
  return admit(loopList, bounded(value, { parts: 1e5, characters: 1e6, entries: MOST_LOOPS }))
}

/** The value if it fits the schema. Fields that only a later version knows are no reason to refuse it: they are left out. */
export function admit<S extends z.ZodType>(schema: S, value: unknown): z.output<S> | null {
  const first = schema.safeParse(value)
  if (first.success) return first.data
  for (const issue of first.error.issues) {
    if (issue.code !== 'unrecognized_keys') return null
    const holder = issue.path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], value)
    if (typeof holder !== 'object' || holder === null) return null
    for (const key of issue.keys) delete (holder as Record<string, unknown>)[key]
  }
  const second = schema.safeParse(value)
  return second.success ? second.data : null
}

/** The parts of an address, which anybody may have written: those that no page here would write are left out. */
export function partsOf(text: string): URLSearchParams {
  const parts = new URLSearchParams()
  for (const part of text.slice(0, LONGEST_ADDRESS).split('&', MOST_ADDRESS_PARTS)) {
    for (const [key, value] of new URLSearchParams(part)) {
      if (!parts.has(key) && (value.length <= LONGEST_PART || LONG_PARTS.has(key))) parts.set(key, value)
    }
  }
  return parts
}
