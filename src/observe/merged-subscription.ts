// One subscriber to all loops: a cursor in each loop's history, and one sink for all. A loop that appears later joins with its
// own hello.
import type { Filter } from '../events/filter.ts'
import type { Message, Sink, Subscription } from '../events/fanout.ts'
import type { Cursor } from '../events/history.ts'
import type { MonitoredLoop } from './monitored-loop.ts'
import type { ShownLoops } from './other-loops.ts'
import type { StreamSubscription, StreamOptions } from '../http/monitor.ts'

export class MergedSubscription implements StreamSubscription {
  readonly #sink: Sink
  readonly #since: readonly Cursor[] | 'first'
  readonly #subscriptions = new Map<MonitoredLoop, Subscription>()
  /** The cursor in each loop, as the stream writes it. */
  readonly #cursors = new Map<MonitoredLoop, string>()
  readonly #stopListening: () => void
  #filter: Filter
  #ended = false

  constructor(loops: ShownLoops, sink: Sink, { since = [], loop: _, ...filter }: StreamOptions) {
    this.#sink = sink
    this.#since = since
    this.#filter = filter
    this.#stopListening = loops.cluster?.onLoop((record) => this.#join(record)) ?? (() => {})
    const all = loops.all()
    // All cursors must be set before the first message, which carries all of them.
    for (const record of all) this.#setCursor(record)
    for (const record of all) this.#join(record)
  }

  resume(): void {
    for (const subscription of this.#subscriptions.values()) subscription.resume()
  }

  change(filter: Filter): void {
    this.#filter = filter
    for (const subscription of this.#subscriptions.values()) subscription.change(filter)
  }

  close(): void {
    this.#stopListening()
    for (const subscription of this.#subscriptions.values()) subscription.close()
    this.#subscriptions.clear()
  }

  /** Sets this subscriber's cursor in a loop. */
  #setCursor(record: MonitoredLoop): Cursor | 'first' | undefined {
    const { history } = record
    // A loop without a cursor is new to this subscriber and begins with its snapshot.
    const since = this.#since === 'first' ? this.#since : this.#since.find(({ epoch }) => epoch === history.epoch)
    this.#cursors.set(record, history.cursor(since === 'first' ? history.first - 1 : since?.seq ?? history.last))
    return since
  }

  #join(record: MonitoredLoop): void {
    if (this.#ended) return
    const { loop } = record
    const since = this.#setCursor(record)
    this.#subscriptions.set(record, record.fanout.subscribe({
      write: (batch) => this.#sink.write(this.#sink.cursors === true ? this.#withCursors(record, batch) : batch),
      end: (reason) => this.#leave(record, reason),
    }, { ...this.#filter, since, loop }))
  }

  /** The messages, each with the cursors from which a client can resume. */
  #withCursors(record: MonitoredLoop, batch: readonly Message[]): Message[] {
    return batch.map((message) => {
      if (message.seq === null) {
        const seq = this.#subscriptions.get(record)?.seq
        if (seq !== undefined) this.#cursors.set(record, record.history.cursor(seq))
        return message
      }
      this.#cursors.set(record, record.history.cursor(message.seq))
      return { ...message, cursor: [...this.#cursors.values()].join(',') }
    })
  }

  /** A loop that was removed ends here; if this process' loop ends, so does the subscription. */
  #leave(record: MonitoredLoop, reason: string): void {
    const own = this.#cursors.keys().next().value
    this.#subscriptions.delete(record)
    this.#cursors.delete(record)
    if (record !== own || this.#ended) return
    this.#ended = true
    this.#sink.end(reason)
  }
}
