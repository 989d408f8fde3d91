// For how long the watched thread's loop has not turned: from the heartbeat, which is a timer on that loop. Time in which this
// thread did not run either (a stopped process, a suspended machine), or in which the machine gave the watched thread no
// processor, does not count: killing the process would not help.

/** This thread polls at least this often, in seconds; a longer gap is one in which it did not run. */
const GAP_SECONDS = 0.25

export class Liveness {
  /** For how many seconds the machine gave the thread no processor, from then until now. */
  readonly #starved: (from: number, now: number) => number
  #beat = 0
  #polled = 0
  /** How many of the seconds since the heartbeat this thread did not run. */
  #missed = 0

  constructor(starved: (from: number, now: number) => number) {
    this.#starved = starved
  }

  /** Call at every poll. `beat` is the last heartbeat. */
  poll(now: number, beat: number): void {
    if (beat !== this.#beat) this.#missed = 0
    else if (now - this.#polled > GAP_SECONDS) this.#missed += now - this.#polled
    this.#beat = beat
    this.#polled = now
  }

  /** For how many seconds the loop is late, after `grace` seconds between two heartbeats. 0 before the first heartbeat. */
  late(now: number, grace: number): number {
    const gap = now - this.#beat - this.#missed
    if (this.#beat === 0 || gap <= grace) return 0
    return Math.max(0, gap - this.#starved(this.#beat, now))
  }

  /** The last heartbeat, in seconds on the loop's clock. */
  get turned(): number {
    return this.#beat
  }
}
