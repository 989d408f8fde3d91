// What differs between two runs of the same program: its printed lines, and the events of its loop. Names, places and texts of
// errors belong to a language, so they are left out; ids are counted again, and times are those of the program's own clock.
import type { LoopEvent } from '../../src/events/schema.ts'
import type { Line, Recording } from '../recording.ts'

/** Seconds by which two times may differ: both are rounded to a microsecond. */
const ROUNDED = 2e-6

/** A printed line of each run; null where one has printed less. */
export interface LinePair {
  left: Line | null
  right: Line | null
  same: boolean
}

/** An event of each run, the first that is not the same; null where one has ended. */
export interface EventPair {
  left: LoopEvent | null
  right: LoopEvent | null
}

/** The printed lines of both runs, pair by pair. */
export function lines(left: Recording, right: Recording): LinePair[] {
  return Array.from({ length: Math.max(left.lines.length, right.lines.length) }, (_, at) => {
    const [one, other] = [left.lines[at] ?? null, right.lines[at] ?? null]
    const same = one !== null && other !== null && one.text === other.text && Math.abs(one.t - left.zero - (other.t - right.zero)) < ROUNDED
    return { left: one, right: other, same }
  })
}

/** How often a stall is reported, and from when on, is up to the machine: the time that each step took is compared without it. */
const UNCOMPARED = new Set<LoopEvent['type']>(['loop.started', 'loop.closed', 'loop.blocked', 'loop.unblocked'])

/** The events that are compared. */
export function eventsOf({ events }: Recording): LoopEvent[] {
  return events.filter(({ type }) => !UNCOMPARED.has(type))
}

/** The first events that are not the same; null if all are. */
export function firstEvents(left: Recording, right: Recording): EventPair | null {
  const [one, other] = [new Plain(left.zero), new Plain(right.zero)]
  const [ours, others] = [eventsOf(left), eventsOf(right)]
  for (let at = 0; at < Math.max(ours.length, others.length); at++) {
    const [mine, theirs] = [ours[at] ?? null, others[at] ?? null]
    if (mine === null || theirs === null || !equal(one.of(mine), other.of(theirs))) return { left: mine, right: theirs }
  }
  return null
}

/** Fields that belong to a language, a process or a recorder. */
const LEFT_OUT = new Set(['seq', 'loop', 'name', 'pid', 'clock', 'coroutine', 'location', 'stack', 'error', 'label', 'message', 'run', 'request', 'owners', 'timeout'])
const TASKS = new Set(['task', 'parent', 'by', 'holder', 'tasks'])
const MOMENTS = new Set(['t', 'since', 'deadline'])

/** Events of one recording without what may differ. */
class Plain {
  readonly #zero: number
  readonly #tasks = new Map<number, number>()
  readonly #queues = new Map<number, number>()

  constructor(zero: number) {
    this.#zero = zero
  }

  of(value: unknown, key = ''): unknown {
    if (typeof value === 'number') {
      if (MOMENTS.has(key)) return value - this.#zero
      return TASKS.has(key) ? counted(this.#tasks, value) : key === 'queue' ? counted(this.#queues, value) : value
    }
    if (Array.isArray(value)) return value.map((one) => this.of(one, key))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).filter(([name]) => !LEFT_OUT.has(name)).map(([name, one]) => [name, this.of(one, name)]))
  }
}

/** Ids in the order in which they come. */
function counted(known: Map<number, number>, id: number): number {
  const number = known.get(id) ?? known.size + 1
  known.set(id, number)
  return number
}

function equal(one: unknown, other: unknown): boolean {
  if (typeof one === 'number' && typeof other === 'number') return Math.abs(one - other) < ROUNDED
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return one === other
  const keys = Object.keys(one)
  return keys.length === Object.keys(other).length && keys.every((key) => equal((one as Record<string, unknown>)[key], (other as Record<string, unknown>)[key]))
}
