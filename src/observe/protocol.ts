// The messages between the app's thread and the observer's, besides the ring: subscriptions, questions, cancellations. Events
// do not pass through here.
import type { MessagePort } from 'node:worker_threads'
import type { Message } from '../events/fanout.ts'
import type { Filter } from '../events/filter.ts'
import type { Ability } from '../events/schema.ts'
import type { Code } from '../http/refusals.ts'
import type { Cancelled, StreamOptions, Target } from '../http/monitor.ts'
import type { LoopRegistry } from './loop-registry.ts'
import type { Note } from './scheduling-delay.ts'
import type { Shared } from '../probe/layout.ts'
import type { RunRecord } from '../events/run-log.ts'
import type { Stall } from './stall.ts'

/** What the observer's thread is started with. */
export interface ObserverData {
  shared: Shared
  /** Snapshots arrive here, as transferred memory, and stalls are sent: the other side can read both without waiting. */
  direct: MessagePort
  /** Where to listen; with `next`, at the first free port from there; `null` for nowhere. */
  listen: { port: number; host: string; next: boolean } | null
  loop: string
  /** The Redis through which processes see each other; `null` for one process alone. */
  redisUrl: string | null
  /** The processes that the observed program consists of; `null` if this process has nothing to do with others. */
  group: { secret: string; script: string; first: boolean } | null
  /** The address for browsers, if it differs from where the observer listens. */
  url: string | null
  history: number
  blockedMs: number
  keepMs: number
  wedgedMs: number
  stacks: boolean
  /** Whether a stall that goes on is written to standard error, by the observer's thread itself. */
  stderr: boolean
  /** Where stalls are sent, if anywhere. */
  webhook: string | null
  /** The app's thread in `/proc`, if there is one. */
  thread: string | null
  /** What was known of its processor time when the observation began; `null` for a later life. */
  scheduled: Note | null
  maxSubscribers: number
  /** Allowed names of the observer, besides addresses and its own names. */
  allowedHosts: readonly string[]
  /** The proxies in front of it: their `X-Forwarded-For` gives the client's address. */
  proxies: readonly string[]
  /** What the program offers to the page, besides what is recorded; with `requests`, it reports its requests. */
  offers: readonly Ability[]
  /** Known only to this process: it marks the requests that the observer passes on to the app. */
  secret: string
  /** The app's `performance.now()`, the machine's `hrtime` at that moment, and the time of day, to convert between clocks. */
  clock: { now: number; hrtime: bigint; epoch: number }
  /** The word that ends inspector sessions. */
  sessions: Int32Array
  /** Delays of the app's event loop. */
  delays: unknown
  /** How many blocks of unknown code were written before this life. */
  blocks: number
  /** The file that the events are written to; `null` for none. */
  output: string | null
}

/** The questions that the observer answers: those of its registry, and texts in pieces, which are read by a number. */
export interface Questions extends Pick<LoopRegistry, 'loops' | 'loop' | 'tasks' | 'runs' | 'run' | 'stalls' | 'metrics' | 'cancel'> {
  text(...of: Parameters<LoopRegistry['text']>): number
  /** The next piece; `null` at the end. */
  read(text: number): Promise<string | null>
}

export type Question = keyof Questions
export type Answer<Q extends Question> = Awaited<ReturnType<Questions[Q]>>

export type ToObserver =
  | { type: 'subscribe'; id: number; options: StreamOptions }
  | { type: 'change'; id: number; filter: Filter }
  | { type: 'taken'; id: number }
  | { type: 'unsubscribe'; id: number }
  | { type: 'ask'; id: number; question: Question; args: unknown[] }
  /** The text is not read any further. */
  | { type: 'leave'; text: number }
  | { type: 'run'; record: RunRecord }
  /** The app listens at this address: what only it can do is passed on to it. */
  | { type: 'app'; address: string }
  /** Run this command. */
  | { type: 'shell'; command: string; env: Readonly<Record<string, string>> }
  /** The app takes no further requests. */
  | { type: 'closing' }
  | { type: 'cancelled'; id: number; found: Cancelled }
  /** The process ends, and waits a moment for what is known of a stall. */
  | { type: 'exit' }
  | { type: 'close'; reason: string }

export type ToApp =
  /** With `member`, the view is that of another process, which shows this one's loop as well. */
  | { type: 'ready'; epoch: string; port: number | null; member: boolean }
  | { type: 'failed'; code: string; message: string }
  /** The recording has failed, and the thread ends. */
  | { type: 'broken'; message: string; stack: string }
  | { type: 'batch'; id: number; messages: readonly Message[] }
  | { type: 'end'; id: number; reason: string }
  | { type: 'answer'; id: number; answer: unknown }
  /** The question has no answer, and why. */
  | { type: 'refused'; id: number; code: Code; message: string }
  | { type: 'cancel'; id: number; what: Target; target: number }
  /** Another process uses this loop's name already; the loop has this name instead. */
  | { type: 'named'; name: string }
  | { type: 'log'; level: LogLevel; message: string }
  /** A stall is over; and the same in one line. */
  | { type: 'stall'; stall: Stall; line: string }
  | { type: 'closed' }

export type LogLevel = 'info' | 'warn' | 'error'
