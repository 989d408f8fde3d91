// Finds what blocks the event loop of this thread, with the line: an observer, which only watches the thread, serves nothing, and is
// started once for all gates. It is asked only if a timer was late.
import { performance } from 'node:perf_hooks'
import { readFileSync } from 'node:fs'
import { ObserverClient } from '../observe/client.ts'
import { thisThread } from '../observe/scheduling-delay.ts'
import { culpritOf } from '../own-code.ts'
import type { Frame } from '../events/schema.ts'
import type { CoveredStall } from '../http/monitor.ts'

/** From this many ms on the observer reports a stall. */
export const LEAST_BLOCKED_MS = 20
/** The interval of the timer. */
const BEAT_MS = 10
/** A stall that is over is reported within this many ms, unless the machine caused it. */
const REPORTED_MS = 1000
const POLL_MS = 10
const MOST_FRAMES = 15

/** Kept here, because a test may replace them with fake timers. */
const { setTimeout, setImmediate, setInterval, clearInterval } = globalThis

export interface Block {
  ms: number
  /** The line that blocked the loop; `null` if it is not known. */
  at: string | null
  stack: string[]
}

let client: ObserverClient | null = null

async function observer(): Promise<ObserverClient> {
  if (client === null) {
    client = new ObserverClient({ port: null, blockedMs: LEAST_BLOCKED_MS, history: 1024, records: 4096, memoryMb: 128 })
    // Its messages are about the observer, and not of interest in a test.
    client.log = () => {}
    await client.ready
    client.watchThread()
  }
  await client.ready
  return client
}

export class BlockWatch {
  readonly #client: ObserverClient
  readonly #from = performance.now()
  readonly #timer: NodeJS.Timeout
  #last = this.#from
  #longest = 0
  readonly #starved = starvedMs()

  private constructor(client: ObserverClient) {
    this.#client = client
    this.#timer = setInterval(() => this.#beat(), BEAT_MS).unref()
  }

  static async start(): Promise<BlockWatch> {
    const client = await observer()
    // What blocked the thread until now is no part of it.
    await nextTurn()
    return new BlockWatch(client)
  }

  /** What blocked the loop for `blockedMs` or more since the start. A thread that waits for a processor blocks nothing. */
  async stop(blockedMs: number): Promise<Block[]> {
    clearInterval(this.#timer)
    this.#beat()
    const starved = starvedMs() - this.#starved
    if (this.#longest - starved < blockedMs) return []
    // The observer's messages do not keep the process alive.
    const stay = setInterval(() => {}, REPORTED_MS)
    try {
      return (await this.#reported(blockedMs + starved)).map(blockOf)
    } finally {
      clearInterval(stay)
    }
  }

  /** The stalls of at least this many ms since the start, oldest first. */
  async #reported(ms: number): Promise<CoveredStall[]> {
    const [from, to] = [this.#from / 1000, performance.now() / 1000]
    for (const until = performance.now() + REPORTED_MS; ;) {
      const found = (await this.#client.stalls()).filter(({ since, seconds, ended }) => ended && since < to && since + seconds > from && seconds * 1000 >= ms)
      if (found.length > 0 || performance.now() > until) return found.reverse()
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
  }

  #beat(): void {
    const now = performance.now()
    this.#longest = Math.max(this.#longest, now - this.#last)
    this.#last = now
  }
}

/** The thread has read what arrived, and timers that are due have been called when this resolves. */
async function nextTurn(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve))
  await new Promise((resolve) => setTimeout(resolve, 1))
}

function blockOf({ seconds, stack = [] }: CoveredStall): Block {
  const frame = culpritOf(stack, () => false)
  return { ms: Math.round(seconds * 1000), at: frame === null ? null : placeOf(frame), stack: stack.slice(0, MOST_FRAMES).map(placeOf) }
}

function placeOf({ function: name, file, line, column }: Frame): string {
  return `${name === '' ? '<anonymous>' : name} (${file}:${line}:${column})`
}

/** For how many ms this thread has waited for a processor so far; 0 if the system does not say. */
function starvedMs(): number {
  try {
    return Number(readFileSync(`${thisThread()}/schedstat`, 'latin1').split(' ')[1]) / 1e6
  } catch {
    return 0
  }
}
