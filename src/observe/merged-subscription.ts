// One subscriber of all loops: a place in each one's history, and one sink for them all. A loop that appears later joins
// with a hello of its own.
import type { Filter } from '../events/filter.ts'
import type { Message, Sink, Subscription } from '../events/fanout.ts'
import type { Cursor } from '../events/history.ts'
import type { LoopRecord } from './monitored-loop.ts'
import type { ShownLoops } from './other-loops.ts'
import type { Place, StreamOptions } from '../http/monitor.ts'

export class AllLoops implements Place {
  readonly #sink: Sink
  readonly #since: readonly Cursor[]
  readonly #places = new Map<LoopRecord, Subscription>()
  /** Where it stands in each loop, as the stream spells it. */
  readonly #cursors = new Map<LoopRecord, string>()
  readonly #stopListening: () => void
  #filter: Filter
  #ended = false

  constructor(loops: ShownLoops, sink: Sink, { since = [], loop: _, ...filter }: StreamOptions) {
    this.#sink = sink
    this.#since = since
    this.#filter = filter
    this.#stopListening = loops.cluster?.onLoop((record) => this.#join(record)) ?? (() => {})
    const all = loops.all()
    // What the first of them writes has a cursor that knows of all.
    for (const record of all) this.#place(record)
    for (const record of all) this.#join(record)
  }

  resume(): void {
    for (const place of this.#places.values()) place.resume()
  }

  change(filter: Filter): void {
    this.#filter = filter
    for (const place of this.#places.values()) place.change(filter)
  }

  close(): void {
    this.#stopListening()
    for (const place of this.#places.values()) place.close()
    this.#places.clear()
  }

  /** Note where this subscriber stands in a loop. */
  #place(record: LoopRecord): Cursor | undefined {
    const { history } = record
    // A loop that the cursors do not know is new to this subscriber, and begins with its snapshot.
    const since = this.#since.find(({ epoch }) => epoch === history.epoch)
    this.#cursors.set(record, history.cursor(since?.seq ?? history.last))
    return since
  }

  #join(record: LoopRecord): void {
    if (this.#ended) return
    const { loop } = record
    const since = this.#place(record)
    this.#places.set(record, record.fanout.subscribe({
      write: (batch) => this.#sink.write(this.#sink.cursors === true ? this.#placed(record, batch) : batch),
      end: (reason) => this.#leave(record, reason),
    }, { ...this.#filter, since, loop }))
  }

  /** The messages, each with what a client needs to go on after it. */
  #placed(record: LoopRecord, batch: readonly Message[]): Message[] {
    return batch.map((message) => {
      if (message.seq === null) {
        const seq = this.#places.get(record)?.seq
        if (seq !== undefined) this.#cursors.set(record, record.history.cursor(seq))
        return message
      }
      this.#cursors.set(record, record.history.cursor(message.seq))
      return { ...message, cursor: [...this.#cursors.values()].join(',') }
    })
  }

  /** A loop that nobody remembers any more is gone; where the own one ends, so does everything. */
  #leave(record: LoopRecord, reason: string): void {
    const own = this.#cursors.keys().next().value
    this.#places.delete(record)
    this.#cursors.delete(record)
    if (record !== own || this.#ended) return
    this.#ended = true
    this.#sink.end(reason)
  }
}
