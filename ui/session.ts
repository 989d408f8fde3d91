// The page's commands: start, cancel and stall things on the server, and show the result.
import { signal } from '@preact/signals'
import { RefusedError, type ExampleSummary } from './api.ts'
import type { Lane } from './recording.ts'
import { NO_FILTER } from './session/filter.ts'
import { recordingOf, Shown } from './session/shown.ts'

export { NO_FILTER } from './session/filter.ts'
export { recordingOf } from './session/shown.ts'

export interface Notice {
  kind: 'good' | 'bad'
  text: string
}

/** How long (ms) a run goes before it is stalled, so that its progress is visible first. */
const BEFORE_STALL = 700

export class Session extends Shown {
  readonly examples = signal<ExampleSummary[] | null>(null)
  readonly notice = signal<Notice | null>(null)
  /** True while the page's own stall lasts. */
  readonly stalling = signal(false)
  readonly dark = signal(true)
  #noticeTimer: ReturnType<typeof setTimeout> | undefined

  /** Shows what the page starts: live, on the loop of its own server, and not behind the filter of something else. */
  #showStarted(): void {
    const own = this.startsOn
    if (own !== null) {
      this.look(own)
      this.say('good', `The view now shows ${own}, the loop of the server that serves this page: what you start here runs there.`)
    }
    this.showAll()
  }

  /** Shows the present, and every task. */
  showAll(): void {
    this.filter.value = { ...NO_FILTER, own: this.filter.value.own }
    this.showLive()
  }

  say(kind: Notice['kind'], text: string): void {
    this.notice.value = { kind, text }
    clearTimeout(this.#noticeTimer)
    this.#noticeTimer = setTimeout(() => { this.notice.value = null }, kind === 'bad' ? 8000 : 4000)
  }

  /** Awaits a request, and shows the error if the server refused. */
  async attempt<T>(what: Promise<T>): Promise<T | null> {
    try {
      return await what
    } catch (error) {
      this.say('bad', error instanceof RefusedError ? error.message : 'The server cannot be reached. It may be stalled, or gone.')
      return null
    }
  }

  async loadExamples(): Promise<void> {
    if (this.examples.value !== null || this.can('examples') !== true) return
    try {
      this.examples.value = await this.api.examples()
    } catch { /* requested again after a reconnect */ }
  }

  /** Starts an example on the server's loop, and shows it. */
  async start(example: number, parameters: Record<string, string> = {}): Promise<void> {
    if (parameters['clock'] === 'virtual') {
      await this.startVirtual(example, parameters)
      return
    }
    const run = await this.attempt(this.api.start(example, parameters))
    if (run === null) return
    this.#showStarted()
    this.hash.value = `run=${run}`
  }

  /** Runs an example in virtual time, and shows its recording. */
  async startVirtual(example: number, parameters: Record<string, string>): Promise<void> {
    const result = await this.attempt(this.api.runVirtual(example, parameters))
    if (result !== null) this.showRecording(recordingOf(result), `run ${result.run}: example ${example} in virtual time`, `run=${result.run}`)
  }

  /** The runs under way on the shown loop, the last one last. */
  get running(): number[] {
    return [...this.live.runs.values()].filter(({ to }) => to === null).map(({ id }) => id)
  }

  /** The page's Ctrl-C. */
  cancelRun(run: number): void {
    void this.attempt(this.api.cancelRun(run))
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

  /** Blocks the loop, for real. */
  async stall(ms = 2000): Promise<void> {
    if (this.stalling.value) return
    this.stalling.value = true
    this.#showStarted()
    await this.attempt(this.api.stall(ms))
    this.stalling.value = false
  }

  /** Blocks the loop while a run goes on, so that there are tasks to delay. */
  async stallARun(): Promise<void> {
    await this.start(5, { speed: '4', items: '4', seed: '2' })
    await new Promise((resolve) => setTimeout(resolve, BEFORE_STALL))
    await this.stall()
  }

  /** Shows a run: from the recording if it is still there, otherwise from the server's records. */
  async showRun(id: number): Promise<boolean> {
    const run = this.live.runs.get(id)
    if (run !== undefined && (run.to === null || this.live.isWhole(run))) {
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
    const answer = await this.attempt(this.api.runEvents(id))
    if (answer === null || answer.events.length === 0) return false
    this.showRecording(recordingOf(answer), `run ${id}, from the server’s records`, `run=${id}`)
    return true
  }
}
