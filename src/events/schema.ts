// The events of a loop, as they travel: one zod union on `type`, for server, clients and page. It imports nothing else,
// so that a browser can load it.
import { z } from 'zod'

const id = z.int().min(1)
const count = z.int().min(0)
/** No clock shows more than that, and what is calculated from it is still a number. */
const seconds = z.number().min(-1e11).max(1e11)

/** What a suspended task waits for. */
export const waitKind = z.enum([
  'sleep', 'future', 'task', 'gather', 'queue.get', 'queue.put', 'queue.join', 'lock', 'event', 'condition',
  'semaphore', 'barrier', 'thread', 'promise', 'yield',
])

export const waiting = z.strictObject({
  kind: waitKind,
  label: z.string().optional(),
  /** The task whose end would end the wait. */
  task: id.optional(),
  /** The queue, as in `queue.changed`. */
  queue: id.optional(),
  /** When the wait ends by itself, in seconds on the loop's clock. */
  deadline: seconds.optional(),
})

export const frame = z.strictObject({ function: z.string(), file: z.string(), line: count, column: count })
export const outcome = z.enum(['returned', 'raised', 'cancelled'])
export const threadMode = z.enum(['inline', 'sensitive', 'pool'])
export const clockKind = z.enum(['real', 'virtual'])
export const parameters = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]))

/** The ways to serve a request that has to wait, as the stall lab goes through them. */
export const labLane = z.enum(['inline', 'sensitive', 'sensitive-per-request', 'pool', 'async'])

const percentiles = z.strictObject({ p50: seconds, p99: seconds, max: seconds })

/** What the lab found in one lane. */
export const labResult = z.strictObject({
  lane: labLane,
  /** What the probes saw; without it none was answered. */
  probes: percentiles.optional(),
  /** Probes that were sent, and those without a good answer. */
  sent: count,
  lost: count,
  /** The load: from its first request to its last answer, a request on average, and requests without a good answer. */
  took: seconds,
  mean: seconds.optional(),
  failed: count,
  /** Where the time of a request went, on average, as the server itself says. */
  timing: z.strictObject({ run: seconds, ready: seconds, wait: seconds, thread: seconds }).optional(),
  /** What made requests wait: the loop that was held, or a thread that they needed; and for how long. */
  stall: z.enum(['loop', 'thread', 'none']),
  held: seconds,
  queued: seconds,
})

/** What every event of a loop carries: `seq` is 1, 2, 3 … per loop without gaps, `t` seconds on the loop's clock in steps of 1 µs. */
const common = {
  seq: id,
  t: seconds,
  loop: z.string(),
  run: id.optional(),
  request: id.optional(),
}
const ofTask = { ...common, task: id }
const maybeOfTask = { ...common, task: id.optional() }
/** Who stood behind a stall: a task, or a request that no task serves. */
export const victim = z.strictObject({ task: id.optional(), request: id.optional(), name: z.string(), seconds })

/** What a warning is about. */
export const warningKind = z.enum([
  'slow-step', 'long-running', 'await-cycle', 'never-woken', 'never-awaited', 'never-retrieved', 'sensitive-backlog', 'queue-full',
])

const loopShape = { ...common, name: z.string(), pid: count, clock: clockKind }
const requestShape = { ...maybeOfTask, request: id, method: z.string(), url: z.string() }
const runShape = { ...maybeOfTask, run: id, example: id, parameters }
const labShape = { ...common, lab: id }
const threadShape = { ...maybeOfTask, call: id, mode: threadMode, function: z.string() }

/** What happens on a loop. */
export const loopEvent = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('loop.started'), ...loopShape }),
  z.strictObject({ type: z.literal('loop.closed'), ...loopShape }),
  z.strictObject({
    type: z.literal('loop.blocked'), ...maybeOfTask, name: z.string(), since: seconds, seconds, stack: z.array(frame).optional(),
  }),
  z.strictObject({
    type: z.literal('loop.unblocked'), ...maybeOfTask, seconds, victims: z.array(victim), lost: seconds,
    name: z.string().optional(), since: seconds.optional(), stack: z.array(frame).optional(),
  }),
  /**
   * The loop did nothing for a while but steps that end in `sleep(0)`, thousands in a row: they have no events of their own.
   * `tasks` are those that had the most, 32 at most; in `steps` are those of all. `t` is when it ended.
   */
  z.strictObject({
    type: z.literal('loop.busy'), ...common, since: seconds, seconds, steps: count, tasks: z.array(z.strictObject({ task: id, steps: count })),
  }),
  z.strictObject({
    type: z.literal('task.created'), ...ofTask, name: z.string(), coroutine: z.string(), parent: id.optional(),
    location: frame.optional(),
  }),
  z.strictObject({ type: z.literal('task.ready'), ...ofTask, by: id.optional() }),
  z.strictObject({ type: z.literal('task.running'), ...ofTask }),
  z.strictObject({ type: z.literal('task.suspended'), ...ofTask, on: waiting, seconds, location: frame.optional() }),
  z.strictObject({ type: z.literal('task.cancelling'), ...ofTask, by: id.optional(), message: z.string().optional() }),
  z.strictObject({ type: z.literal('task.finished'), ...ofTask, outcome, error: z.string().optional() }),
  z.strictObject({ type: z.literal('task.printed'), ...maybeOfTask, text: z.string() }),
  z.strictObject({
    type: z.literal('queue.changed'), ...maybeOfTask, queue: id, op: z.enum(['put', 'get', 'done']), size: count,
    unfinished: count, maxsize: count,
  }),
  z.strictObject({ type: z.literal('request.started'), ...requestShape }),
  z.strictObject({
    type: z.literal('request.finished'), ...requestShape, status: count.optional(), seconds: seconds.optional(),
    outcome: z.enum(['returned', 'raised', 'cancelled', 'disconnected']).optional(),
  }),
  z.strictObject({ type: z.literal('run.started'), ...runShape }),
  z.strictObject({ type: z.literal('run.finished'), ...runShape, outcome: outcome.optional(), error: z.string().optional() }),
  z.strictObject({ type: z.literal('lab.started'), ...labShape, requests: count, ms: count, rate: z.number(), lanes: z.array(labLane) }),
  z.strictObject({ type: z.literal('lab.entered'), ...labShape, lane: labLane }),
  /** Probes that were answered: when each should have left, on the loop's clock, and how long it took. */
  z.strictObject({ type: z.literal('lab.probed'), ...labShape, lane: labLane, samples: z.array(z.strictObject({ t: seconds, seconds })) }),
  z.strictObject({ type: z.literal('lab.measured'), ...labShape, result: labResult }),
  z.strictObject({ type: z.literal('lab.finished'), ...labShape, outcome: z.enum(['finished', 'cancelled', 'failed']), error: z.string().optional() }),
  z.strictObject({ type: z.literal('thread.started'), ...threadShape }),
  z.strictObject({
    type: z.literal('thread.finished'), ...threadShape, seconds: seconds.optional(),
    /** An orphaned call ended unheard: its task had been cancelled. */
    ending: z.enum(['returned', 'raised', 'cancelled', 'orphaned']),
  }),
  z.strictObject({
    type: z.literal('warning'), ...maybeOfTask, kind: warningKind, level: z.enum(['amber', 'red']), message: z.string(),
    seconds: seconds.optional(), tasks: z.array(id).optional(),
  }),
])

/** A task as it stands in a snapshot. */
export const liveTask = z.strictObject({
  task: id,
  name: z.string(),
  coroutine: z.string(),
  parent: id.optional(),
  run: id.optional(),
  request: id.optional(),
  state: z.enum(['ready', 'running', 'suspended']),
  /** When it came into this state, on the loop's clock. */
  since: seconds,
  on: waiting.optional(),
  /** Where it is suspended, for tasks of a run. */
  location: frame.optional(),
  cancelling: z.boolean().optional(),
})

export const liveQueue = z.strictObject({ queue: id, size: count, unfinished: count, maxsize: count })

/** What is alive on a loop after event `seq`: enough to go on from without any earlier event. */
export const snapshot = z.strictObject({
  seq: count,
  tasks: z.array(liveTask),
  runs: z.array(z.strictObject({ run: id, example: id, parameters })),
  requests: z.array(z.strictObject({ request: id, method: z.string(), url: z.string() })),
  queues: z.array(liveQueue),
})

/** `lost`: it died, or cannot reach Redis. `unknown`: this process cannot reach Redis itself. */
export const loopState = z.enum(['live', 'closed', 'lost', 'unknown'])

/** What the stream says of itself, to one subscriber; of which loop, where loops were asked for by name. */
const ofStream = { loop: z.string().optional() }
const streamMessage = [
  /** `first` is the oldest event from which on all can still be had: with the one before it as cursor, they come. */
  z.strictObject({ type: z.literal('stream.hello'), ...ofStream, epoch: z.string(), seq: count, first: id.optional(), snapshot: snapshot.optional() }),
  z.strictObject({ type: z.literal('stream.dropped'), ...ofStream, count, from: count, to: count, snapshot: snapshot.optional() }),
  z.strictObject({ type: z.literal('stream.bookmark'), ...ofStream, epoch: z.string(), seq: count }),
  /** Where loops were asked for by name: how this one stands from now on, which is live where nothing else was said. */
  z.strictObject({ type: z.literal('stream.loop'), loop: z.string(), state: loopState, since: z.iso.datetime() }),
] as const

/** Everything that a subscriber can receive. */
export const streamEvent = z.discriminatedUnion('type', [...loopEvent.options, ...streamMessage])

/** One loop of those that can be watched, as `GET /loops` tells of it. */
export const loopInfo = z.strictObject({
  loop: z.string(),
  epoch: z.string(),
  name: z.string(),
  pid: count,
  host: z.string(),
  state: loopState,
  /** Since when it is in this state. */
  since: z.iso.datetime(),
  /** When it was heard of last. */
  seenAt: z.iso.datetime(),
  /** It is the loop of the process that answers. */
  self: z.boolean(),
  tasks: count,
  runs: count,
  requests: count,
  /** What holds it now, and for how many seconds. */
  blocked: z.strictObject({ name: z.string(), seconds, stack: z.array(frame).optional() }).nullable(),
  /** How often it was blocked since it began. */
  stalls: count,
  /** Share of the last second or so in which it was busy. */
  utilization: z.number(),
  app: z.string().nullable(),
  observer: z.string().nullable(),
})

/** How the process that answers stands with Redis. */
export const redisInfo = z.strictObject({
  state: z.enum(['connected', 'away']),
  /** Why it is away, where it is. */
  reason: z.string().optional(),
  since: z.iso.datetime(),
  /** How often it was away. */
  away: count,
  /** Events that this process has published, and those that it could not. */
  published: count,
  lost: count,
  /** Events of other loops that came, and those that are known to be missing. */
  received: count,
  missed: count,
  /** How old the oldest event is that waits to be published, in seconds. */
  lag: seconds,
})

export const loopList = z.strictObject({
  self: z.string(),
  /** null where there is no REDIS_URL: then this process' loop is the only one. */
  redis: redisInfo.nullable(),
  loops: z.array(loopInfo),
})

export type LoopEvent = z.infer<typeof loopEvent>
export type StreamEvent = z.infer<typeof streamEvent>
export type EventType = LoopEvent['type']
export type EventOf<T extends StreamEvent['type']> = Extract<StreamEvent, { type: T }>
export type Waiting = z.infer<typeof waiting>
export type Snapshot = z.infer<typeof snapshot>
export type Victim = z.infer<typeof victim>
export type LiveTask = z.infer<typeof liveTask>
export type Frame = z.infer<typeof frame>
export type LoopState = z.infer<typeof loopState>
export type LoopInfo = z.infer<typeof loopInfo>
export type RedisInfo = z.infer<typeof redisInfo>
export type LoopList = z.infer<typeof loopList>
export type LabResult = z.infer<typeof labResult>
export type Parameters = z.infer<typeof parameters>

/** Every `type` that a loop can send, for filters. */
export const eventTypes = loopEvent.options.map((option) => option.shape.type.value) as [EventType, ...EventType[]]
