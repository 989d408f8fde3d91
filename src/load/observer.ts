// Reads the stalls of a loopscope server from its observer's event stream, as they happen. Times on the loop's clock are
// converted to the tester's: the event with the shortest way shows the difference between the clocks.
import { performance } from 'node:perf_hooks'
import { request } from 'undici'
import { streamEvent, type StreamEvent } from '../events/schema.ts'
import { listed, type Stall, type StallSource } from './stalls.ts'

const HELLO_MS = 5000
const MOST_TEXT = 2 ** 22
const MOST_STALLS = 1000

interface Told {
  /** Seconds on the loop's clock. */
  from: number
  to: number
  name: string
}

export class ObserverStalls implements StallSource {
  readonly kind = 'observer'
  since = Infinity
  #stalls: Told[] = []
  #ongoing: Told | null = null
  #offsetMs = Infinity
  readonly #controller: AbortController

  private constructor(controller: AbortController) {
    this.#controller = controller
  }

  /** Connects to the observer at `origin`; `null` if none answers in time. */
  static async connect(origin: string): Promise<ObserverStalls | null> {
    const controller = new AbortController()
    const stalls = new ObserverStalls(controller)
    const timer = setTimeout(() => controller.abort(), HELLO_MS)
    try {
      const { statusCode, body } = await request(`${origin}/events?types=loop.blocked,loop.unblocked`, {
        signal: controller.signal, headers: { accept: 'text/event-stream' }, headersTimeout: HELLO_MS, bodyTimeout: 0,
      })
      if (statusCode !== 200) {
        controller.abort()
        await body.dump().catch(() => {})
        return null
      }
      return await new Promise<ObserverStalls | null>((resolve) => {
        const over = (): void => resolve(null)
        stalls.#read(body, () => resolve(stalls)).then(over, over)
      })
    } catch {
      return null
    } finally {
      clearTimeout(timer)
    }
  }

  list(zero: number): Stall[] {
    const all = this.#ongoing === null ? this.#stalls : [...this.#stalls, this.#ongoing]
    return listed(all.map(({ from, to, name }) => ({ from: from * 1000 + this.#offsetMs, to: to * 1000 + this.#offsetMs, name })), zero)
  }

  close(): void {
    this.#controller.abort()
  }

  async #read(body: AsyncIterable<Buffer>, onHello: () => void): Promise<void> {
    let text = ''
    for await (const chunk of body) {
      text += chunk.toString()
      if (text.length > MOST_TEXT) return
      const messages = text.split('\n\n')
      text = messages.pop()!
      for (const message of messages) {
        const data = /^data: ?(.*)$/m.exec(message)
        if (data === null) continue
        const { success, data: event } = streamEvent.safeParse(parse(data[1]!))
        if (!success) continue
        if (event.type === 'stream.hello') {
          this.since = performance.now()
          onHello()
        }
        this.#onEvent(event)
      }
    }
  }

  #onEvent(event: StreamEvent): void {
    if (event.type !== 'loop.blocked' && event.type !== 'loop.unblocked') return
    this.#offsetMs = Math.min(this.#offsetMs, performance.now() - event.t * 1000)
    if (event.type === 'loop.blocked') {
      this.#ongoing = { from: event.since, to: event.since + event.seconds, name: event.name }
      return
    }
    const name = this.#ongoing?.name ?? (event.task === undefined ? 'unknown' : `task ${event.task}`)
    this.#ongoing = null
    if (this.#stalls.length < MOST_STALLS) this.#stalls.push({ from: event.t - event.seconds, to: event.t, name })
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
