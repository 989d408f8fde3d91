// The event loops that can be watched from here, as the server lists them. A server to which no other process can come is asked
// once: it lists only its own loop.
import { signal } from '@preact/signals'
import type { LoopInfo, LoopList } from '../src/events/schema.ts'
import type { Api } from './api.ts'

/** Milliseconds between two requests while the page is visible, and while it is hidden. */
const LOOK = 500
const HIDDEN = 5000
/** How long (ms) a loop flashes after a stall. */
const FLASH = 1800

export class Loops {
  readonly list = signal<LoopList | null>(null)
  /** The loops that have just had a stall. */
  readonly flashing = signal<ReadonlySet<string>>(new Set())
  readonly #api: Api
  readonly #stalls = new Map<string, { epoch: string; count: number; flashUntil: number }>()
  #timer: ReturnType<typeof setTimeout> | undefined
  #asking = false

  constructor(api: Api) {
    this.#api = api
  }

  get several(): boolean {
    return (this.list.value?.loops.length ?? 0) > 1
  }

  find(name: string): LoopInfo | null {
    return this.list.value?.loops.find(({ loop }) => loop === name) ?? null
  }

  /** Requests the list now, and again as long as there may be other loops. */
  async look(): Promise<void> {
    if (this.#asking) return
    this.#asking = true
    clearTimeout(this.#timer)
    try {
      this.#take(await this.#api.loops())
    } catch { /* the list stays; the connection shows its own state */ }
    this.#asking = false
    const list = this.list.value
    if (list === null || list.redis !== null || list.group) this.#timer = setTimeout(() => void this.look(), document.hidden ? HIDDEN : LOOK)
  }

  #take(list: LoopList): void {
    list.loops.sort((a, b) => a.loop.localeCompare(b.loop, 'en', { numeric: true }))
    const now = performance.now()
    for (const { loop, epoch, stalls, blocked } of list.loops) {
      const before = this.#stalls.get(loop)
      const grown = before !== undefined && (before.epoch === epoch ? stalls > before.count : stalls > 0)
      this.#stalls.set(loop, { epoch, count: stalls, flashUntil: grown || blocked !== null ? now + FLASH : before?.flashUntil ?? 0 })
    }
    for (const loop of this.#stalls.keys()) if (!list.loops.some((one) => one.loop === loop)) this.#stalls.delete(loop)
    const flashing = [...this.#stalls].filter(([, { flashUntil }]) => flashUntil > now).map(([loop]) => loop)
    if (flashing.join() !== [...this.flashing.value].join()) this.flashing.value = new Set(flashing)
    this.list.value = list
  }
}
