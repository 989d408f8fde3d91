// What the page is looking at: one recording, one moment, one selection, one filter. Panels read its signals and call its
// methods; the timeline follows it.
import { batch, computed, signal } from '@preact/signals'
import type { LoopInfo } from '../src/events/schema.ts'
import { address, setAddress } from './address.ts'
import { Api, RefusedError, type ExampleSummary, type StartedRun, type Told } from './api.ts'
import { apiBase, Connection } from './connection.ts'
import { Loops } from './loops.ts'
import { NOW, Recording, type Lane, type Position } from './recording.ts'
import { isOverdue } from './recording/explain.ts'
import { READY, STATE_NAMES } from './recording/track.ts'
import type { Timeline } from './timeline/timeline.ts'

export interface Filter {
  /** In the name, in the coroutine's name, in what is waited for. */
  text: string
  /** One of the states' names, or '' for all; 'ended' for what has ended. */
  state: string
  run: number | null
  request: number | null
  /** Also what the page itself asks the server for. */
  own: boolean
}

export interface Notice {
  kind: 'good' | 'bad'
  text: string
}

/** Panels are drawn anew at most this often, in ms. */
const PANEL_EVERY = 120

/** How long (ms) a run goes before it is stalled: long enough to see it go. */
const BEFORE_STALL = 700

export const NO_FILTER: Filter = { text: '', state: '', run: null, request: null, own: false }

/** What this very page asks for, and whoever looks after the server: not what anybody came to see. */
const OWN = /^GET \/(view(\/|\s|$)|favicon|examples(\/\d+)?(\s|$)|runs|tasks|loops|stalls|healthz|readyz|metrics|events|docs|openapi)/

export class Session {
  readonly live = new Recording({ name: 'live' })
  readonly api: Api
  readonly loops: Loops
  /** The loop that is looked at; null: the one of the server that the page comes from. */
  readonly loop = signal<string | null>(null)
  readonly connection: Connection
  /** The page comes from the very loop that it shows, not from the observer. */
  readonly servedByApp: boolean
  /** The recording that is shown: the live one, or that of a run in virtual time. */
  readonly recording = signal<Recording>(this.live)
  /** What is said of a recording that is not the live one. */
  readonly title = signal('')
  /** Grows when panels should look again. */
  readonly tick = signal(0)
  readonly cursor = signal<Position | null>(null)
  readonly follow = signal(true)
  readonly selected = signal<number | null>(null)
  readonly filter = signal<Filter>(NO_FILTER)
  readonly examples = signal<ExampleSummary[] | null>(null)
  readonly started = signal<ReadonlyMap<number, StartedRun>>(new Map())
  readonly notice = signal<Notice | null>(null)
  /** True while the page's own stall is under way. */
  readonly stalling = signal(false)
  readonly dark = signal(true)
  /** The address of the run or window that is shown. */
  readonly hash = signal('')
  timeline: Timeline | null = null
  readonly #own = new WeakMap<Lane, boolean>()
  readonly #changed = new Set<() => void>()
  #timer: ReturnType<typeof setTimeout> | undefined
  #noticeTimer: ReturnType<typeof setTimeout> | undefined

  /** The example that the page is about: the run that was started last, or the one that the filter names. */
  readonly example = computed(() => {
    void this.tick.value
    const { run } = this.filter.value
    const runs = [...this.recording.value.runs.values()]
    return (run === null ? runs.at(-1) : runs.find(({ id }) => id === run)) ?? null
  })

  /** How the loop that is looked at stands; null where that is not known. */
  readonly shownLoop = computed((): LoopInfo | null => {
    const list = this.loops.list.value
    void this.tick.value
    return list === null ? null : this.loops.find(this.loop.value ?? this.connection.loop ?? list.self)
  })

  constructor(page = location.href) {
    const base = apiBase(page)
    this.servedByApp = base.pathname !== new URL('.', page).pathname
    // Where there are several, a proxy may answer from another loop's server next time: then it has to be said which is meant.
    const named = (): string | null => this.loop.peek() ?? ((this.loops.list.peek()?.loops.length ?? 0) > 1 ? this.connection.loop : null)
    this.api = new Api(base, named)
    this.loops = new Loops(this.api)
    this.loop.value = address.peek().get('loop')
    this.connection = new Connection({ base, recording: this.live, loop: named, onChange: () => this.touch(), onLoop: () => void this.loops.look() })
  }

  /** The moment that panels are about. */
  get position(): Position {
    return this.cursor.value ?? NOW
  }

  /** The same as a time. */
  get time(): number {
    return this.cursor.value?.t ?? this.now()
  }

  now(): number {
    return this.recording.value === this.live ? this.liveNow() : this.recording.value.to
  }

  /** Of a loop that is gone the last is shown that was heard. */
  liveNow(): number {
    const loop = this.shownLoop.value
    return loop === null || loop.state === 'live' ? this.connection.now() : this.live.to
  }

  /** The loop on which the page starts things, where another one is shown; else null. */
  get startsOn(): string | null {
    const list = this.loops.list.value
    return list === null || !this.loops.several || this.shownLoop.value?.loop === list.self ? null : list.self
  }

  /** Look at the loop of this name; null: at that of the server that the page comes from. */
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

  /** Where the page starts something, that is on the loop of the server that it comes from: look at that one. */
  #lookAtOwn(): void {
    const own = this.startsOn
    if (own === null) return
    this.look(own)
    this.say('good', `The view now shows ${own}, the loop of the server that serves this page: what you start here runs there.`)
  }

  /** The recording has changed: let panels look again, soon. */
  touch(): void {
    for (const listener of this.#changed) listener()
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.tick.value++
    }, PANEL_EVERY)
  }

  onChange(listener: () => void): () => void {
    this.#changed.add(listener)
    return () => void this.#changed.delete(listener)
  }

  say(kind: Notice['kind'], text: string): void {
    this.notice.value = { kind, text }
    clearTimeout(this.#noticeTimer)
    this.#noticeTimer = setTimeout(() => { this.notice.value = null }, kind === 'bad' ? 8000 : 4000)
  }

  /** Do it, and tell where the server refused. */
  async attempt<T>(what: Promise<T>): Promise<T | null> {
    try {
      return await what
    } catch (error) {
      this.say('bad', error instanceof RefusedError ? error.message : 'The server cannot be reached. It may be stalled, or gone.')
      return null
    }
  }

  async loadExamples(): Promise<void> {
    if (this.examples.value !== null) return
    try {
      this.examples.value = await this.api.examples()
    } catch { /* asked again when the connection is there */ }
  }

  /** Start an example on the server's loop, and look at it. */
  async start(example: number, parameters: Record<string, string> = {}): Promise<void> {
    if (parameters['clock'] === 'virtual') {
      await this.startVirtual(example, parameters)
      return
    }
    const run = await this.attempt(this.api.start(example, parameters))
    if (run === null) return
    this.#lookAtOwn()
    this.showLive()
    this.started.value = new Map(this.started.value).set(run.id, run)
    this.hash.value = `run=${run.id}`
    void run.ended.then((how) => {
      const left = new Map(this.started.value)
      left.delete(run.id)
      this.started.value = left
      if (how === 'lost') this.say('bad', `The connection of run ${run.id} broke, so the run was cancelled.`)
    })
  }

  /** Run an example at once, in virtual time, and show its recording. */
  async startVirtual(example: number, parameters: Record<string, string>): Promise<void> {
    const result = await this.attempt(this.api.runVirtual(example, parameters))
    if (result !== null) this.showRecording(recordingOf(result), `run ${result.run}: example ${example} in virtual time`, `run=${result.run}`)
  }

  /** The page's Ctrl-C: end a run that was started here by leaving, any other by asking. */
  cancelRun(run: number): void {
    const own = this.started.value.get(run)
    if (own !== undefined) own.cancel()
    else void this.attempt(this.api.cancelRun(run))
  }

  cancelTask(lane: Lane): void {
    if (lane.kind === 'thread') {
      this.say('bad', 'A thread cannot be stopped from outside. If you cancel its task, the thread is detached and runs on.')
      return
    }
    void this.attempt(this.api.cancelTask(lane.id)).then((done) => {
      if (done !== null) this.say('good', `Cancelling ${lane.name} …`)
    })
  }

  /** Hold the loop, for real. */
  async stall(ms = 2000): Promise<void> {
    if (this.stalling.value) return
    this.stalling.value = true
    this.#lookAtOwn()
    this.showLive()
    await this.attempt(this.api.stall(ms))
    this.stalling.value = false
  }

  /** Hold the loop while it has something to do: who would see nobody pay learns nothing. */
  async stallARun(): Promise<void> {
    await this.start(5, { speed: '4', items: '4', seed: '2' })
    await new Promise((resolve) => setTimeout(resolve, BEFORE_STALL))
    await this.stall()
  }

  showLive(): void {
    batch(() => {
      if (this.recording.value !== this.live) {
        this.recording.value = this.live
        this.selected.value = null
        this.title.value = ''
      }
      this.cursor.value = null
      this.follow.value = true
      this.hash.value = ''
    })
    this.touch()
  }

  showRecording(recording: Recording, title: string, hash = ''): void {
    batch(() => {
      this.recording.value = recording
      this.title.value = title
      this.selected.value = null
      this.cursor.value = null
      this.follow.value = false
      this.hash.value = hash
      this.filter.value = NO_FILTER
    })
    this.timeline?.fit(false)
    this.touch()
  }

  /** Look at a run: where it is part of what is held, else what the server keeps of it. */
  async showRun(id: number): Promise<boolean> {
    const run = this.live.runs.get(id)
    if (run !== undefined && run.from >= this.live.from) {
      this.showLive()
      const to = run.to ?? this.connection.now()
      const pad = Math.max(0.02, (to - run.from) * 0.05)
      this.filter.value = { ...NO_FILTER, run: id }
      this.hash.value = `run=${id}`
      if (run.to !== null) {
        this.follow.value = false
        this.timeline?.show(run.from - pad, to + pad)
      }
      return true
    }
    const told = await this.attempt(this.api.runEvents(id))
    if (told === null || told.events.length === 0) return false
    this.showRecording(recordingOf(told), `run ${id}, from the server’s records`, `run=${id}`)
    return true
  }

  select(lane: number | null, reveal = false): void {
    this.selected.value = lane
    if (lane !== null && reveal) this.timeline?.reveal(lane)
  }

  pause(): void {
    if (this.cursor.value !== null && !this.follow.value) return
    const recording = this.recording.value
    this.cursor.value = { t: Math.max(recording.to, this.now()), seq: recording.lastSeq }
    this.follow.value = false
  }

  /** Forward or back by so many events. */
  step(count: number): void {
    const from = this.cursor.value ?? { t: this.recording.value.to, seq: this.recording.value.lastSeq }
    this.follow.value = false
    this.cursor.value = this.recording.value.step(from, count)
  }

  /** Whether a lane passes the filter, at the moment that is looked at. */
  passes(lane: Lane): boolean {
    const { text, state, run, request, own } = this.filter.value
    if (!own && this.#isOwn(lane)) return false
    if (run !== null && lane.run !== run) return false
    if (request !== null && lane.request !== request) return false
    if (text !== '') {
      const wanted = text.toLowerCase()
      const on = lane.info?.on
      if (!`${lane.name} ${lane.coroutine} ${on?.kind ?? ''} ${on?.label ?? ''}`.toLowerCase().includes(wanted)) return false
    }
    if (state === '') return true
    const span = lane.at(this.position)
    if (state === 'ended') return span === null
    if (span === null) return false
    return state === (isOverdue(span, this.time) ? STATE_NAMES[READY] : STATE_NAMES[span.state])
  }

  /** Whether a lane is about what this page asks the server for. */
  #isOwn(lane: Lane): boolean {
    let known = this.#own.get(lane)
    if (known === undefined) {
      known = OWN.test(lane.rootName)
      this.#own.set(lane, known)
    }
    return known
  }
}

/** A recording of events that are all there. */
export function recordingOf({ events, refused }: Told): Recording {
  const recording = new Recording({ name: 'run' })
  recording.malformed = refused
  for (const event of events) recording.apply(event)
  recording.zero = recording.from
  return recording
}
