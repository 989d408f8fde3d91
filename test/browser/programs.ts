// The programs of the browser test, and the thread that runs them: the page's own, or a Web Worker's.
import { CancelledError, getRunningLoop, gather, print, Queue, run, sleep, VirtualClock, type Coroutine, type RunOptions } from '../../src/browser.ts'

/** One printed line, and its time in seconds on the loop's clock. */
export type Line = [text: string, seconds: number]

function* count(seconds: number): Coroutine<void> {
  print('One')
  getRunningLoop().host.block(seconds)
  yield* sleep(seconds)
  print('Two')
}

/** The tutorial's fourth example: the blocking sleeps add up, the others pass together. */
function* example4(seconds: number): Coroutine<Line[]> {
  const loop = getRunningLoop()
  const start = loop.time()
  const lines: Line[] = []
  loop.instruments.add({ printed: (_task, text) => lines.push([text, loop.time() - start]) })
  yield* gather([count(seconds), count(seconds), count(seconds)])
  return lines
}

function* prints(): Coroutine<string[]> {
  const lines: string[] = []
  getRunningLoop().instruments.add({ printed: (_task, text) => lines.push(text) })
  print('a', 1, null, undefined, true)
  print([1, 'b', { c: 2 }], { d: [3] })
  print(new RangeError('too much'), new Queue(2))
  const round: unknown[] = []
  round.push(round)
  print(round)
  return lines
}

let rounds = 0
let spinning: { stop: AbortController; ended: Promise<string> } | null = null

/** Never waits for anything real. */
function* spin(): Coroutine<never> {
  for (;;) {
    rounds++
    yield* sleep(0)
  }
}

async function spinUntil(signal: AbortSignal): Promise<string> {
  try {
    return await run(spin(), { signal } satisfies RunOptions)
  } catch (error) {
    if (error instanceof CancelledError) return error.name
    throw error
  }
}

const answers: Record<string, () => unknown> = {
  'where': () => Object.prototype.toString.call(globalThis),
  'example 4, ten times as fast': () => run(example4(0.1)),
  'example 4 on a virtual clock': () => run(example4(1), { clock: new VirtualClock() }),
  'prints': () => run(prints()),
  'spin': () => {
    const stop = new AbortController()
    spinning = { stop, ended: spinUntil(stop.signal) }
    return rounds
  },
  'rounds': () => rounds,
  'stop': () => {
    spinning?.stop.abort()
    return spinning?.ended
  },
}

/** The end of a channel: a port, a Worker, or a worker's global scope. */
export interface Port {
  postMessage(message: unknown): void
  onmessage: ((event: { data: unknown }) => void) | null
}

export interface Question {
  id: number
  program: string
}

export interface Answer {
  id: number
  value?: unknown
  error?: string
}

/** Answers every request that arrives at `port`. */
export function serve(port: Port): void {
  port.onmessage = ({ data }) => {
    const { id, program } = data as Question
    Promise.resolve()
      .then(answers[program])
      .then((value): Answer => ({ id, value }), (error: unknown): Answer => ({ id, error: String(error) }))
      .then((answer) => port.postMessage(answer), () => {})
  }
}
