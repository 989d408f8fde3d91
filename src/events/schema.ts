// The events of a loop as they are sent: one zod union on `type`, for server, clients and page. It imports nothing else, so
// that a browser can load it.
import { z } from 'zod'

const id = z.int().min(1)
const count = z.int().min(0)
/** More than any clock shows, and small enough to calculate with. */
const seconds = z.number().min(-1e11).max(1e11)

/** What a suspended task waits for. */
export const waitKind = z.enum([
  'sleep', 'future', 'task', 'gather', 'queue.get', 'queue.put', 'queue.join', 'lock', 'event', 'condition',
  'semaphore', 'barrier', 'thread', 'promise', 'receive', 'send', 'yield',
])

export const waiting = z.strictObject({
  kind: waitKind,
  label: z.string().optional(),
  /** The task that is waited for. */
  task: id.optional(),
  /** The task that owned the lock when the wait began. */
  holder: id.optional(),
  /** The tasks that owned the permits of the semaphore then, if all were known. */
  owners: z.array(id).optional(),
  /** The queue, as in `queue.changed`. */
  queue: id.optional(),
  /** When the wait ends by itself, in seconds on the loop's clock. */
  deadline: seconds.optional(),
  /** When a `timeout()` around it cancels the wait, unless the wait ends or the timeout is moved before. */
  timeout: seconds.optional(),
})

export const frame = z.strictObject({ function: z.string(), file: z.string(), line: count, column: count })
export const outcome = z.enum(['returned', 'raised', 'cancelled'])
export const threadMode = z.enum(['inline', 'sensitive', 'pool'])
export const clockKind = z.enum(['real', 'virtual'])
export const parameters = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]))

/** The ways to serve a request that has to wait, in the order in which the stall lab measures them. */
export const labLane = z.enum(['inline', 'sensitive', 'sensitive-per-request', 'pool', 'async'])

const percentiles = z.strictObject({ p50: seconds, p99: seconds, max: seconds })

/** The lab's result for one lane. */
export const labResult = z.strictObject({
  lane: labLane,
  /** What the probes measured; missing if none was answered. */
  probes: percentiles.optional(),
  /** Probes that were sent, and those without a good answer. */
  sent: count,
  lost: count,
  /** The load: seconds from its first request to its last answer, seconds of an average request, and requests without a good answer. */
  took: seconds,
  mean: seconds.optional(),
  failed: count,
  /** Where the time of an average request went, as reported by the server. */
  timing: z.strictObject({ run: seconds, ready: seconds, wait: seconds, thread: seconds }).optional(),
  /** What delayed requests: the blocked loop, or a thread that they needed; and for how long. */
  stall: z.enum(['loop', 'thread', 'none']),
  held: seconds,
  queued: seconds,
  /** What a reader must know to trust the figures, for instance that the probes did not keep their schedule. */
  caveats: z.array(z.string()).optional(),
})

/** Fields of every event of a loop: `seq` is 1, 2, 3 … per loop without gaps; `t` is seconds on the loop's clock, rounded to 1 µs. */
const common = {
  seq: id,
  t: seconds,
  loop: z.string(),
  run: id.optional(),
  request: id.optional(),
}
const ofTask = { ...common, task: id }
const maybeOfTask = { ...common, task: id.optional() }
/** Something that a stall delayed: a task, or a request that no task serves. */
export const victim = z.strictObject({ task: id.optional(), request: id.optional(), name: z.string(), seconds })

/** What kind of freeze a stall is. docs/observing.md explains each. */
export const stallKind = z.enum([
  'javascript', 'native', 'system-call', 'garbage-collection', 'microtasks', 'callbacks', 'starved', 'suspended', 'debugger', 'unknown',
])

/** By what the kind was judged: for how many seconds of the stall the thread did what. What is not known is missing. */
export const stallFigures = z.strictObject({
  /** It ran on a processor. */
  ran: seconds.optional(),
  /** It slept inside a call into the system; `call` and `channel` are the system call and the kernel's wait channel in which it slept most. */
  slept: seconds.optional(),
  call: z.string().optional(),
  channel: z.string().optional(),
  /** It could have run, but had no processor. */
  starved: seconds.optional(),
  /** All threads of the process were stopped. */
  stopped: seconds.optional(),
  /** It collected garbage. This is known only when the stall is over. */
  collected: seconds.optional(),
})

/** How long a line was the innermost of the stack. `native`: it had called a native function, which gives no stack. */
export const stallShare = frame.omit({ column: true }).extend({ seconds, native: z.boolean().optional() })

/** A box of a flame graph: a line that was on the stack. The boxes that it called follow, one level deeper. */
export const flameBox = frame.omit({ column: true }).extend({ depth: count, seconds })

/** What a warning is about. */
export const warningKind = z.enum([
  'slow-step', 'long-running', 'await-cycle', 'never-woken', 'never-awaited', 'never-retrieved', 'sensitive-backlog', 'queue-full',
])

const loopShape = { ...common, name: z.string(), pid: count, clock: clockKind }
/** Only of a request of the live page, which no stall counts as delayed: when it left the page; if the page did not say, at the earliest. */
const left = seconds.optional()
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
    kind: stallKind.optional(), figures: stallFigures.optional(),
  }),
  z.strictObject({
    type: z.literal('loop.unblocked'), ...maybeOfTask, seconds, victims: z.array(victim), lost: seconds,
    name: z.string().optional(), since: seconds.optional(), stack: z.array(frame).optional(),
    kind: stallKind.optional(), figures: stallFigures.optional(), shares: z.array(stallShare).optional(), flame: z.array(flameBox).optional(),
  }),
  /**
   * The loop ran thousands of steps in a row that end in `sleep(0)` and have no events of their own. `tasks` are the 32 with
   * the most steps; `steps` counts those of all tasks. `t` is the end.
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
  z.strictObject({ type: z.literal('request.started'), ...requestShape, left }),
  z.strictObject({
    type: z.literal('request.finished'), ...requestShape, status: count.optional(), seconds: seconds.optional(),
    outcome: z.enum(['returned', 'raised', 'cancelled', 'disconnected']).optional(),
  }),
  /** A message between an ASGI application and its server, when it was received or sent. */
  z.strictObject({
    type: z.literal('request.message'), ...maybeOfTask, request: id, direction: z.enum(['receive', 'send']), message: z.string(), bytes: count,
    /** More of the body follows. */
    more: z.boolean(),
    /** A status, or the code of a close frame. */
    code: count.optional(),
  }),
  z.strictObject({ type: z.literal('run.started'), ...runShape }),
  z.strictObject({ type: z.literal('run.finished'), ...runShape, outcome: outcome.optional(), error: z.string().optional() }),
  z.strictObject({ type: z.literal('lab.started'), ...labShape, requests: count, ms: count, rate: z.number(), lanes: z.array(labLane) }),
  z.strictObject({ type: z.literal('lab.entered'), ...labShape, lane: labLane }),
  /** Answered probes: when each should have been sent, on the loop's clock, and its response time. */
  z.strictObject({ type: z.literal('lab.probed'), ...labShape, lane: labLane, samples: z.array(z.strictObject({ t: seconds, seconds })) }),
  z.strictObject({ type: z.literal('lab.measured'), ...labShape, result: labResult }),
  z.strictObject({ type: z.literal('lab.finished'), ...labShape, outcome: z.enum(['finished', 'cancelled', 'failed']), error: z.string().optional() }),
  z.strictObject({ type: z.literal('thread.started'), ...threadShape }),
  z.strictObject({
    type: z.literal('thread.finished'), ...threadShape, seconds: seconds.optional(),
    /** `orphaned`: the task was cancelled before its call ended. */
    ending: z.enum(['returned', 'raised', 'cancelled', 'orphaned']),
  }),
  z.strictObject({
    type: z.literal('warning'), ...maybeOfTask, kind: warningKind, level: z.enum(['amber', 'red']), message: z.string(),
    seconds: seconds.optional(), tasks: z.array(id).optional(),
  }),
])

/** A task in a snapshot. */
export const liveTask = z.strictObject({
  task: id,
  name: z.string(),
  coroutine: z.string(),
  parent: id.optional(),
  run: id.optional(),
  request: id.optional(),
  state: z.enum(['ready', 'running', 'suspended']),
  /** When it entered this state, on the loop's clock. */
  since: seconds,
  on: waiting.optional(),
  /** Where it is suspended, for tasks of a run. */
  location: frame.optional(),
  cancelling: z.boolean().optional(),
})

/** `putter` and `getter` are the tasks that put and took an item last. */
export const liveQueue = z.strictObject({ queue: id, size: count, unfinished: count, maxsize: count, putter: id.optional(), getter: id.optional() })

/** A lock or the like for which tasks wait, by the name that `on.label` has. No owners: they are not known, or there are none. */
export const liveLock = z.strictObject({ lock: z.string(), kind: waitKind, owners: z.array(id), waiting: z.array(id) })

/** What is alive on a loop after event `seq`: enough to continue without any earlier event. */
export const snapshot = z.strictObject({
  seq: count,
  tasks: z.array(liveTask),
  runs: z.array(z.strictObject({ run: id, example: id, parameters })),
  requests: z.array(z.strictObject({ request: id, method: z.string(), url: z.string(), left })),
  queues: z.array(liveQueue),
  locks: z.array(liveLock).optional(),
})

/** `lost`: it died, or cannot reach Redis. `unknown`: this process cannot reach Redis itself. */
export const loopState = z.enum(['live', 'closed', 'lost', 'unknown'])

/**
 * What a subscriber can see and do. Of the loop: `tasks`, it is a loop of loopscope, with tasks that can be cancelled; `requests`,
 * its requests are recorded. Of the process that answers: `examples`, it runs loopscope's examples; `stall`, it blocks its loop
 * when asked; `lab`, it has the stall lab.
 */
export const ability = z.enum(['tasks', 'requests', 'examples', 'stall', 'lab'])

/** Messages about the stream, to one subscriber. `loop` is set if loops were requested by name. */
const ofStream = { loop: z.string().optional() }
const streamMessage = [
  /**
   * `seq` is the cursor of this subscriber. `first` is the oldest event from which on none is missing, and `since=first` begins
   * there; its snapshot is of the present, which is `snapshot.seq`, and applies once the events up to it have come. `origin` is
   * the time at which the loop's clock showed zero, in milliseconds since 1970. `recorded`: it is a recording, and does not go on.
   */
  z.strictObject({
    type: z.literal('stream.hello'), ...ofStream, epoch: z.string(), seq: count, first: id.optional(), snapshot: snapshot.optional(), can: z.array(ability).optional(),
    origin: z.number().min(-1e15).max(1e15).optional(), recorded: z.boolean().optional(),
  }),
  /** Events `from` to `to` are missing. The snapshot replaces all that was known; without it, the past goes on after the gap. */
  z.strictObject({ type: z.literal('stream.dropped'), ...ofStream, count, from: count, to: count, snapshot: snapshot.optional() }),
  /** The cursor of this subscriber: after many events that its filter excluded, and as a sign of life after a second without any message. `now` is on the loop's clock. */
  z.strictObject({ type: z.literal('stream.bookmark'), ...ofStream, epoch: z.string(), seq: count, now: seconds.optional() }),
  /** The state of this loop from now on, if loops were requested by name. Without this message it is live. */
  z.strictObject({ type: z.literal('stream.loop'), loop: z.string(), state: loopState, since: z.iso.datetime() }),
] as const

/** Everything that a subscriber can receive. */
export const streamEvent = z.discriminatedUnion('type', [...loopEvent.options, ...streamMessage])

/** A loop in `GET /loops`. */
export const loopInfo = z.strictObject({
  loop: z.string(),
  epoch: z.string(),
  name: z.string(),
  pid: count,
  host: z.string(),
  state: loopState,
  /** Since when it is in this state. */
  since: z.iso.datetime(),
  /** When its process last reported. */
  seenAt: z.iso.datetime(),
  /** It is the loop of the process that answers. */
  self: z.boolean(),
  tasks: count,
  runs: count,
  requests: count,
  /** What blocks it now, and for how many seconds. */
  blocked: z.strictObject({
    name: z.string(), seconds, stack: z.array(frame).optional(), kind: stallKind.optional(), figures: stallFigures.optional(),
  }).nullable(),
  /** How often it was blocked since it started. */
  stalls: count,
  /** Share of the last second or so in which its thread was active. */
  utilization: z.number(),
  app: z.string().nullable(),
  observer: z.string().nullable(),
})

/** The connection of the answering process to Redis. */
export const redisInfo = z.strictObject({
  state: z.enum(['connected', 'away']),
  /** Why it is away, if it is. */
  reason: z.string().optional(),
  since: z.iso.datetime(),
  /** How often it was away. */
  away: count,
  /** Events that this process has published, and those that it could not publish. */
  published: count,
  lost: count,
  /** Events of other loops that arrived, and those that are known to be missing. */
  received: count,
  missed: count,
  /** The age of the oldest event that waits to be published, in seconds. */
  lag: seconds,
})

export const loopList = z.strictObject({
  self: z.string(),
  /** `null` without a REDIS_URL. */
  redis: redisInfo.nullable(),
  /** Processes that are started by this one, or with it, are listed as well. */
  group: z.boolean(),
  loops: z.array(loopInfo),
})

export type LoopEvent = z.infer<typeof loopEvent>
export type StreamEvent = z.infer<typeof streamEvent>
export type EventType = LoopEvent['type']
export type EventOf<T extends StreamEvent['type']> = Extract<StreamEvent, { type: T }>
export type Waiting = z.infer<typeof waiting>
export type Snapshot = z.infer<typeof snapshot>
export type Victim = z.infer<typeof victim>
export type StallKind = z.infer<typeof stallKind>
export type StallFigures = z.infer<typeof stallFigures>
export type StallShare = z.infer<typeof stallShare>
export type FlameBox = z.infer<typeof flameBox>
export type LiveLock = z.infer<typeof liveLock>
export type LiveTask = z.infer<typeof liveTask>
export type Frame = z.infer<typeof frame>
export type Ability = z.infer<typeof ability>
export type LoopState = z.infer<typeof loopState>
export type LoopInfo = z.infer<typeof loopInfo>
export type RedisInfo = z.infer<typeof redisInfo>
export type LoopList = z.infer<typeof loopList>
export type LabResult = z.infer<typeof labResult>
export type Parameters = z.infer<typeof parameters>

/** Every `type` that a loop can send, for filters. */
export const eventTypes = loopEvent.options.map((option) => option.shape.type.value) as [EventType, ...EventType[]]
