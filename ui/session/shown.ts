// What the page shows: one loop, one recording, one moment, one selection, one filter. Panels and the timeline read its
// signals.
import { batch, computed, signal } from '@preact/signals'
import type { Ability, LoopInfo } from '../../src/events/schema.ts'
import { address, setAddress } from '../address.ts'
import { Api, type EventLines } from '../api.ts'
import { apiBase, Connection } from '../connection.ts'
import { Loops } from '../loops.ts'
import { Recording, type Lane } from '../recording.ts'
import { NO_FILTER, passes, type Filter } from './filter.ts'
import { View } from './view.ts'

/** The shortest time between two renders of the panels, in ms, and the longest: the clock goes on without events. */
const PANEL_EVERY = 120
const CLOCK_EVERY = 250
const PAUSED_TICKS = 4

export class Shown extends View {
  readonly live: Recording
  readonly api: Api
  readonly loops: Loops
  /** The loop that is shown; null: that of the page's own server. */
  readonly loop = signal<string | null>(null)
  readonly connection: Connection
  /** Whether the shown loop's own server serves the page, rather than the observer. */
  readonly servedByApp: boolean
  /** The title of a recording that is not the live one. */
  readonly title = signal('')
  readonly follow = signal(true)
  readonly filter = signal<Filter>(NO_FILTER)
  /** The address of the run or window that is shown. */
  readonly hash = signal('')
  readonly #changed = new Set<() => void>()
  #timer: ReturnType<typeof setTimeout> | undefined

  /** The run whose example is shown: the one that the filter names, or the last one started. */
  readonly example = computed(() => {
    void this.tick.value
    const { run } = this.filter.value
    const runs = [...this.recording.value.runs.values()]
    return (run === null ? runs.at(-1) : runs.find(({ id }) => id === run)) ?? null
  })

  /** The state of the shown loop; null while it is unknown. */
  readonly shownLoop = computed((): LoopInfo | null => {
    const list = this.loops.list.value
    void this.tick.value
    return list === null ? null : this.loops.find(this.loop.value ?? this.connection.loop ?? list.self)
  })

  constructor(page = location.href) {
    const live = new Recording()
    super(undefined, live)
    this.live = live
    const base = apiBase(page)
    this.servedByApp = base.pathname !== new URL('.', page).pathname
    // With several loops, a proxy may send the next request to another loop's server, so the request names its loop.
    const named = (): string | null => this.loop.peek() ?? ((this.loops.list.peek()?.loops.length ?? 0) > 1 ? this.connection.loop : null)
    this.api = new Api(base, named)
    this.loops = new Loops(this.api)
    this.loop.value = address.peek().get('loop')
    this.connection = new Connection({
      base, recording: this.live, loop: named, probe: (signal) => this.api.answers(signal), onChange: () => this.touch(), onLoop: () => void this.loops.look(),
    })
    // What depends on the present changes without an event: how long a task waits, how busy the loop was, how long nothing was heard.
    // While the page is paused, that is only the header.
    let ticks = 0
    setInterval(() => {
      if (!document.hidden && (this.cursor.peek() === null || ++ticks % PAUSED_TICKS === 0)) this.#render()
    }, CLOCK_EVERY)
  }

  /** Whether the program that is shown has this; undefined while that is not known. */
  can(what: Ability): boolean | undefined {
    return this.connection.can.value?.has(what)
  }

  override now(): number {
    return this.recording.value === this.live ? this.liveNow() : this.recording.value.to
  }

  /** The loop's time now; for a loop that has gone, the time of its last event. */
  liveNow(): number {
    const loop = this.shownLoop.value
    return loop === null || loop.state === 'live' ? this.connection.now() : this.live.to
  }

  /** The loop on which the page starts things, if another one is shown; else null. */
  get startsOn(): string | null {
    const list = this.loops.list.value
    return list === null || !this.loops.several || this.shownLoop.value?.loop === list.self ? null : list.self
  }

  /** Shows the loop with this name; null: that of the page's own server. */
  look(loop: string | null): void {
    const named = loop === this.loops.list.value?.self ? null : loop
    if (named === this.loop.value && (loop === null || loop === (this.connection.loop ?? loop))) {
      this.showLive()
      return
    }
    batch(() => {
      this.loop.value = named
      this.selected.value = null
      this.filter.value = { ...NO_FILTER, own: this.filter.value.own }
      this.showLive()
      setAddress({ loop: named, run: null, from: null, to: null }, true)
    })
    this.connection.turn()
  }

  /** The recording has changed: panels render again soon. */
  touch(): void {
    for (const listener of this.#changed) listener()
    this.#timer ??= setTimeout(() => this.#render(), PANEL_EVERY)
  }

  #render(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.tick.value++
  }

  onChange(listener: () => void): () => void {
    this.#changed.add(listener)
    return () => void this.#changed.delete(listener)
  }

  showLive(): void {
    batch(() => {
      if (this.recording.value !== this.live) this.title.value = ''
      this.show(this.live)
      this.cursor.value = null
      this.follow.value = true
      this.hash.value = ''
    })
    this.touch()
  }

  showRecording(recording: Recording, title: string, hash = ''): void {
    batch(() => {
      this.show(recording)
      this.title.value = title
      this.follow.value = false
      this.hash.value = hash
      this.filter.value = NO_FILTER
    })
    this.timeline?.fit(false)
    this.touch()
  }

  override select(lane: number | null, reveal = false): void {
    const named = lane === null || !reveal ? undefined : this.recording.value.lanes.get(lane)
    if (named !== undefined && !this.passes(named)) this.filter.value = { ...NO_FILTER, own: true }
    super.select(lane, reveal)
  }

  pause(): void {
    if (this.cursor.value !== null && !this.follow.value) return
    const recording = this.recording.value
    this.cursor.value = { t: Math.max(recording.to, this.now()), seq: recording.lastSeq }
    this.follow.value = false
  }

  /** Moves the cursor by this number of events. */
  step(count: number): void {
    const from = this.cursor.value ?? { t: this.recording.value.to, seq: this.recording.value.lastSeq }
    this.follow.value = false
    this.cursor.value = this.recording.value.step(from, count)
  }

  /** Whether a lane passes the filter at the moment that is shown. */
  passes(lane: Lane): boolean {
    return passes(lane, this.filter.value, this.position, this.time)
  }
}

/** A recording from a complete list of events. */
export function recordingOf({ events, refused }: EventLines): Recording {
  const recording = new Recording()
  recording.malformed = refused
  for (const event of events) recording.apply(event)
  recording.zero = recording.from
  return recording
}
