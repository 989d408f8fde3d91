// What a sample measures: CPU (user and system, of the process and of this thread) and wall time between start() and stop(),
// or resident memory between two points. A program may call lap() to leave out its setup, and stop() to leave out what
// follows.
import { readFileSync } from 'node:fs'

/** Seconds that this thread, the process's first, has had a processor; if the system does not report it (not Linux), seconds that passed. */
function threadSeconds() {
  try {
    return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ', 1)[0]) / 1e9
  } catch {
    return performance.now() / 1000
  }
}

export class Meter {
  /** Seconds that a program with sleeping tasks sleeps itself before it continues, so that all of them are asleep. */
  settle = 0.3
  /** Seconds measured so far. */
  cpu = 0
  wall = 0
  thread = 0
  #repeats = 0
  /** @type {{ thread: number, cpu: NodeJS.CpuUsage, at: number } | null} */
  #from = null
  #rss = 0
  #onMemory

  constructor(onMemory) {
    this.#onMemory = onMemory
  }

  start() {
    this.#from = { thread: threadSeconds(), cpu: process.cpuUsage(), at: performance.now() }
  }

  lap() {
    this.start()
  }

  stop() {
    if (this.#from === null) return
    const { user, system } = process.cpuUsage(this.#from.cpu)
    this.cpu += (user + system) / 1e6
    this.wall += (performance.now() - this.#from.at) / 1000
    this.thread += threadSeconds() - this.#from.thread
    this.#repeats++
    this.#from = null
  }

  /** CPU and wall seconds of an average repeat. */
  times() {
    const each = (seconds) => seconds / this.#repeats
    return { cpu: each(this.cpu), wall: each(this.wall), thread: each(this.thread), repeats: this.#repeats }
  }

  memoryBefore() {
    collect()
    this.#rss = process.memoryUsage.rss()
  }

  /** Ends the sample: bytes of resident memory for each sleeping task (`tasks` keeps them alive until then). */
  memoryAfter(asleep, tasks) {
    collect()
    this.#onMemory(asleep, { rss: (process.memoryUsage.rss() - this.#rss) / tasks.length })
  }
}

/** Collects garbage, and gives the threads that return pages to the system time to do so. */
export function collect() {
  for (let n = 0; n < 2; n++) globalThis.gc?.()
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100)
}
