// Checks everything that comes from outside the page: events of untrusted programs, of the server and of other processes of
// its cluster, and addresses. Values that pass have a known shape, bounded texts and times that can be drawn.
import './zod-setup.ts'
import type { z } from 'zod'
import { loopEvent, loopList, streamEvent, type LoopEvent, type LoopList, type StreamEvent } from '../src/events/schema.ts'

/** The longest text, in characters; a longer one is cut and ends in `…`. */
export const MOST_TEXT = 2000
/** The latest and earliest time, in seconds: above any Unix time of today, and still exact to a microsecond. */
export const LATEST = 4e9
/** The most that one event may contain: values, and the characters in its texts. */
const MOST_PARTS = 10_000
const MOST_CHARACTERS = 64_000
/** The most entries of a list, fields of an object, and levels of nesting. */
const MOST_ENTRIES = 1000
const MOST_FIELDS = 64
const LONGEST_FIELD = 100
const DEEPEST = 8
/** Characters of one message of the stream. A snapshot of a hundred thousand tasks has about twenty million. */
const LONGEST_EVENT = 512_000
const LONGEST_MESSAGE = 64_000_000
const MOST_LIVE = 100_000
const MOST_LOOPS = 200
const MOST_LINES = 200_000

/** Characters that are read of an address, and of one part of it. A program may be longer: the code that unpacks it bounds it. */
const LONGEST_ADDRESS = 500_000
const LONGEST_PART = 300
const LONG_PARTS = new Set(['program'])
const MOST_ADDRESS_PARTS = 30

const MOMENTS = new Set(['t', 'now', 'since', 'deadline'])

export interface Bounds {
  parts: number
  characters: number
  entries: number
}

/**
 * A copy of the value, within the bounds. What does not fit is left out, so a schema reports it as missing. Several values
 * may share `left`, from which the used values and characters are subtracted.
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

/** Clamps a time to the range that can be drawn: an infinite sleep is not an error. A duration is never negative. */
function boundedNumber(value: number, key: string): number {
  if (MOMENTS.has(key)) return Math.max(-LATEST, Math.min(LATEST, value))
  if (key === 'seconds') return Math.max(0, Math.min(LATEST, value))
  return Math.max(-Number.MAX_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, value))
}

export function eventBounds(): Bounds {
  return { parts: MOST_PARTS, characters: MOST_CHARACTERS, entries: MOST_ENTRIES }
}

/** A value as an event of a loop; null if it is not one. */
export function admitEvent(value: unknown, left = eventBounds()): LoopEvent | null {
  return admit(loopEvent, bounded(value, left))
}

/** One message of the stream from its text; null if it is not one. */
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
  // Only the stream's own messages contain snapshots.
  const left = type.startsWith('stream.') ? { parts: text.length, characters: text.length, entries: MOST_LIVE } : eventBounds()
  return admit(streamEvent, bounded(value, left))
}

/** The events of an answer, one per line, and the number of lines that were no events. */
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

/** The loops that the server lists; null if the answer is not a list of loops. */
export function admitLoops(value: unknown): LoopList | null {
  return admit(loopList, bounded(value, { parts: 1e5, characters: 1e6, entries: MOST_LOOPS }))
}

/** The value if it fits the schema. Unknown fields, such as those of a later version, are left out. */
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

/** The parts of an address, which can come from anywhere. Parts that this page would never write are left out. */
export function partsOf(text: string): URLSearchParams {
  const parts = new URLSearchParams()
  for (const part of text.slice(0, LONGEST_ADDRESS).split('&', MOST_ADDRESS_PARTS)) {
    for (const [key, value] of new URLSearchParams(part)) {
      if (!parts.has(key) && (value.length <= LONGEST_PART || LONG_PARTS.has(key))) parts.set(key, value)
    }
  }
  return parts
}
