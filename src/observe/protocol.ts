// What the app's thread and the observer's say to each other besides the ring: who subscribes, what is asked, what is
// to be cancelled. Nothing here is on the way of an event.
import type { MessagePort } from 'node:worker_threads'
import type { Message } from '../events/fanout.ts'
import type { Filter } from '../events/filter.ts'
import type { Code } from '../http/refusals.ts'
import type { Cancelled, StreamOptions, Target } from '../http/monitor.ts'
import type { Loops } from './loop-registry.ts'
import type { Shared } from '../probe/layout.ts'
import type { RunRecord } from '../events/run-log.ts'

/** What the observer's thread is started with. */
export interface ObserverData {
  shared: Shared
  /** Descriptions of everything alive come here, as transferred memory. */
  descriptions: MessagePort
  /** Where it listens, or, with `next`, at the first port after that which is free; `null`: nowhere. */
  listen: { port: number; host: string; next: boolean } | null
  loop: string
  /** The Redis through which processes see each other; `null`: this one is alone. */
  redisUrl: string | null
  /** Where browsers find the observer, where that is not where it listens. */
  url: string | null
  history: number
  blockedMs: number
  keepMs: number
  stacks: boolean
  /** The app's thread in `/proc`, where there is one. */
  thread: string | null
  maxSubscribers: number
  /** Names by which the observer may be called besides addresses and its own. */
  allowedHosts: readonly string[]
  /** The proxies in front of it, whose `X-Forwarded-For` says who calls. */
  proxies: readonly string[]
  /** Known to this process only: by it the app knows what its observer passes on. */
  secret: string
  /** The app's `performance.now()`, the machine's `hrtime` at that moment, and the time of day: so that clocks can be compared. */
  clock: { now: number; hrtime: bigint; epoch: number }
  /** The word through which inspector sessions are ended. */
  sessions: Int32Array
  /** Delays of the app's event loop. */
  delays: unknown
}

/** What can be asked of the observer: what its registry tells, and a text in pieces, which has a number to read it by. */
export interface Questions extends Pick<Loops, 'loops' | 'loop' | 'tasks' | 'runs' | 'run' | 'stalls' | 'metrics' | 'cancel'> {
  text(...of: Parameters<Loops['text']>): number
  /** The next piece; `null`: there is none. */
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
  /** Nothing more is read of this text. */
  | { type: 'leave'; text: number }
  | { type: 'run'; record: RunRecord }
  /** The app listens at this address: what only it can do is passed on to it. */
  | { type: 'app'; address: string }
  | { type: 'cancelled'; id: number; found: Cancelled }
  | { type: 'close'; reason: string }

export type ToApp =
  | { type: 'ready'; epoch: string; port: number | null }
  | { type: 'failed'; code: string; message: string }
  /** The recording has failed, and the thread ends. */
  | { type: 'broken'; message: string; stack: string }
  | { type: 'batch'; id: number; messages: readonly Message[] }
  | { type: 'end'; id: number; reason: string }
  | { type: 'answer'; id: number; answer: unknown }
  /** The question has no answer: why. */
  | { type: 'refused'; id: number; code: Code; message: string }
  | { type: 'cancel'; id: number; what: Target; target: number }
  /** Another process has this loop's name already: it is called this instead. */
  | { type: 'named'; name: string }
  | { type: 'log'; level: LogLevel; message: string }
  | { type: 'closed' }

export type LogLevel = 'info' | 'warn' | 'error'
