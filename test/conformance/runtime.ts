// What the proof itself needs from a runtime module, so that it can be given any copy of it, even broken ones.
import { pathToFileURL } from 'node:url'

export interface LoopLike {
  time(): number
  callLater(delay: number, fn: () => void): unknown
  stop(): void
  setExceptionHandler(handler: (loop: unknown, context: { message: string; exception?: unknown }) => void): void
}

export interface FutureLike {
  done(): boolean
  cancelled(): boolean
  exception(): unknown
  result(): unknown
}

export interface TaskLike extends FutureLike {
  getName(): string
  cancelling(): number
  cancel(message?: string): boolean
}

type Class<T> = abstract new (...args: never[]) => T

/** The names of src/index.ts that support.ts and subject.ts use; programs use the others through the same object. */
export interface RuntimeModule {
  run(coroutine: unknown, options: { loopFactory: () => unknown }): Promise<unknown>
  EventLoop: new (options: { clock: unknown; hold: boolean }) => unknown
  VirtualClock: new () => unknown
  getRunningLoop(): LoopLike
  currentTask(): TaskLike | null
  allTasks(): Iterable<TaskLike>
  isFuture(value: unknown): value is FutureLike
  Task: Class<TaskLike>
  Handle: Class<{ cancelled(): boolean }>
  Queue: Class<{ qsize(): number }>
  Event: Class<{ isSet(): boolean }>
  Barrier: Class<{ nWaiting: number; broken: boolean }>
  Lock: Class<{ locked(): boolean }>
  Semaphore: Class<{ locked(): boolean }>
  Condition: Class<{ locked(): boolean }>
  StreamReader: Class<{ atEof(): boolean }>
  IncompleteReadError: Class<Error & { partial: unknown; expected: unknown }>
  LimitOverrunError: Class<Error & { consumed: number }>
  CancelledError: Class<Error>
  ExceptionGroup: Class<Error & { exceptions?: unknown; errors?: unknown }>
}

export const OURS = new URL('../../src/index.ts', import.meta.url).href

/** Loads a runtime by its URL or path; without one, the runtime of this project. */
export async function loadRuntime(where: string = OURS): Promise<RuntimeModule> {
  const url = /^[a-z]+:\/\//.test(where) ? where : pathToFileURL(where).href
  return await import(url) as RuntimeModule
}
