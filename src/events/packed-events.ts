// Events as numbers in arrays, made into objects again when they are read. A history keeps tens of thousands of them and few are
// ever read: as objects, each would be copied twice and marked by collections before it is replaced.
import type { EventOf, Frame, LoopEvent, Waiting } from './schema.ts'

/** The events that every task and request has; any other is kept as it is. */
const KIND = { other: 0, created: 1, ready: 2, running: 3, suspended: 4, finished: 5, requestStarted: 6, requestFinished: 7 } as const
const OUTCOMES = ['returned', 'raised', 'cancelled', 'disconnected'] as const
type Outcome = typeof OUTCOMES[number]

/** Numbers and values of one event: kind, t, task, run, request, and up to three more. */
const NUMBERS = 8
const VALUES = 2
/** Events are stored in chunks, made when they are needed. */
const CHUNK = 4096

class Chunk {
  readonly numbers = new Float64Array(CHUNK * NUMBERS)
  readonly values = new Array<unknown>(CHUNK * VALUES).fill(undefined)
}

export class PackedEvents {
  readonly #chunks: Chunk[] = []
  /** The loop of all of them but those that are kept as they are. */
  #loop: string | null = null

  /** Keeps an event at this index, in place of an older one. */
  set(index: number, event: LoopEvent): void {
    const { numbers, values } = this.#chunks[Math.floor(index / CHUNK)] ??= new Chunk()
    const at = index % CHUNK * NUMBERS
    const from = index % CHUNK * VALUES
    this.#loop ??= event.loop
    numbers[at] = event.loop === this.#loop ? pack(event, numbers, at, values, from) : KIND.other
    if (numbers[at] === KIND.other) {
      values[from] = event
      values[from + 1] = undefined
      return
    }
    numbers[at + 1] = event.t
    numbers[at + 3] = event.run ?? 0
    numbers[at + 4] = event.request ?? 0
  }

  /** The event at this index, which has this `seq`. */
  get(index: number, seq: number): LoopEvent {
    const { numbers, values } = this.#chunks[Math.floor(index / CHUNK)] as Chunk
    const at = index % CHUNK * NUMBERS
    const from = index % CHUNK * VALUES
    if (numbers[at] === KIND.other) return values[from] as LoopEvent
    return unpack(seq, this.#loop as string, numbers, at, values, from)
  }

  /** Nothing is kept at this index any longer. */
  clear(index: number): void {
    const { values } = this.#chunks[Math.floor(index / CHUNK)] as Chunk
    values.fill(undefined, index % CHUNK * VALUES, index % CHUNK * VALUES + VALUES)
  }
}

/** Writes what is special of an event, and returns its kind. 0 and NaN are the fields that it does not have. */
function pack(event: LoopEvent, numbers: Float64Array, at: number, values: unknown[], from: number): number {
  let kind: number
  let more = 0
  let value: unknown
  let other: unknown
  switch (event.type) {
    case 'task.created':
      if (event.location !== undefined) return KIND.other
      kind = KIND.created
      more = event.parent ?? 0
      value = event.name
      other = event.coroutine
      break
    case 'task.ready':
      kind = KIND.ready
      more = event.by ?? 0
      break
    case 'task.running':
      kind = KIND.running
      break
    case 'task.suspended':
      kind = KIND.suspended
      more = event.seconds
      value = event.on
      other = event.location
      break
    case 'task.finished':
      kind = KIND.finished
      more = OUTCOMES.indexOf(event.outcome)
      value = event.error
      break
    case 'request.started':
      kind = KIND.requestStarted
      more = event.left ?? NaN
      value = event.method
      other = event.url
      break
    case 'request.finished':
      kind = KIND.requestFinished
      more = event.outcome === undefined ? NaN : OUTCOMES.indexOf(event.outcome)
      numbers[at + 6] = event.status ?? NaN
      numbers[at + 7] = event.seconds ?? NaN
      value = event.method
      other = event.url
      break
    default:
      return KIND.other
  }
  numbers[at + 2] = event.task ?? 0
  numbers[at + 5] = more
  values[from] = value
  values[from + 1] = other
  return kind
}

/** The fields are in the order in which EventBuilder sets them, so that the JSON is the same, too. */
function unpack(seq: number, loop: string, numbers: Float64Array, at: number, values: unknown[], from: number): LoopEvent {
  const t = numbers[at + 1] as number
  const task = numbers[at + 2] as number
  const run = numbers[at + 3] as number
  const request = numbers[at + 4] as number
  const more = numbers[at + 5] as number
  const value = values[from]
  const other = values[from + 1]
  let event: LoopEvent
  switch (numbers[at]) {
    case KIND.created:
      event = { type: 'task.created', seq, t, loop, task, name: value as string, coroutine: other as string }
      if (more !== 0) event.parent = more
      break
    case KIND.ready:
      event = { type: 'task.ready', seq, t, loop, task }
      if (more !== 0) event.by = more
      break
    case KIND.running:
      event = { type: 'task.running', seq, t, loop, task }
      break
    case KIND.suspended:
      event = { type: 'task.suspended', seq, t, loop, task, on: value as Waiting, seconds: more }
      if (other !== undefined) event.location = other as Frame
      break
    case KIND.finished:
      event = { type: 'task.finished', seq, t, loop, task, outcome: OUTCOMES[more] as Exclude<Outcome, 'disconnected'> }
      if (value !== undefined) event.error = value as string
      break
    case KIND.requestStarted:
      event = { type: 'request.started', seq, t, loop, request, method: value as string, url: other as string }
      if (!Number.isNaN(more)) event.left = more
      return ofTaskAndRun(event, task, run)
    default: {
      event = { type: 'request.finished', seq, t, loop, request, method: value as string, url: other as string }
      const [status, seconds] = [numbers[at + 6] as number, numbers[at + 7] as number]
      if (!Number.isNaN(status)) event.status = status
      if (!Number.isNaN(more)) event.outcome = OUTCOMES[more] as Outcome
      if (!Number.isNaN(seconds)) event.seconds = seconds
      return ofTaskAndRun(event, task, run)
    }
  }
  if (run !== 0) event.run = run
  if (request !== 0) event.request = request
  return event
}

function ofTaskAndRun(event: EventOf<'request.started' | 'request.finished'>, task: number, run: number): LoopEvent {
  if (task !== 0) event.task = task
  if (run !== 0) event.run = run
  return event
}
