// Runs small programs on a virtual clock and records what they did, to be compared as a whole. The record contains the reports
// of the loop's exception handler, so nothing is missed.
import { EventLoop, Runner, VirtualClock, type Coroutine, type RunOptions } from '../../src/index.ts'

export type Log = (...words: unknown[]) => void

/** One word of a record: strings unchanged, lists and plain objects as JSON, everything else by its own description. */
function word(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value)
  const isPlain = Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype
  return isPlain ? JSON.stringify(value, (_key, inner: unknown) => (inner instanceof Error ? String(inner) : inner)) : String(value)
}

/** Runs `main` on a separate loop and returns the lines that it logged; if an error leaves it, that is the last line. */
export async function recorded(main: (log: Log) => Coroutine<unknown>, options: RunOptions = {}): Promise<string[]> {
  const lines: string[] = []
  const log: Log = (...words) => {
    lines.push(words.map(word).join(' '))
  }
  const clock = new VirtualClock()
  const loopFactory = (): EventLoop => {
    const loop = new EventLoop({ clock, ...options })
    loop.setExceptionHandler((_loop, context) => {
      log(`reported: ${context.message}${'exception' in context ? ` (${word(context.exception)})` : ''}`)
    })
    return loop
  }
  const runner = new Runner({ loopFactory, ...options })
  try {
    await runner.run(main(log))
  } catch (error) {
    log('run rejects:', error)
  }
  await runner.close()
  return lines
}

/** What `fn` throws; fails if it does not throw. */
export function thrown(fn: () => unknown): Error {
  try {
    fn()
  } catch (error) {
    if (error instanceof Error) return error
  }
  throw new Error('nothing was thrown')
}

/** What awaiting throws; fails if it does not throw. */
export function* thrownBy(coroutine: () => Coroutine<unknown>): Coroutine<Error> {
  try {
    yield* coroutine()
  } catch (error) {
    if (error instanceof Error) return error
  }
  throw new Error('nothing was thrown')
}
