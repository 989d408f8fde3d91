// The playground's state: a program, its clock, its problems and its last run. The panel shows this and calls its methods.
import { batch, computed, signal } from '@preact/signals'
import { standing } from '../lessons/standing.ts'
import { View } from '../session/view.ts'
import { NOW } from '../recording.ts'
import { Compiler, type Diagnostic } from './compiler.ts'
import { arrivedProgram, keepProgram, keptProgram, takeStart } from './address.ts'
import { starters } from './examples.ts'
import { ProgramRun, type Goal } from './program-run.ts'
import { MOST_CODE, type Shared } from './share.ts'
import type { Stand } from './stands.ts'
import { Threads } from './threads.ts'

const FILE = 'program.ts'
/** Milliseconds without typing before the program is checked and kept in the address. */
const QUIET = 350
/** Seconds for which a program may block its thread. */
const PATIENCE = 5
const UNTIL = 60

export interface Trouble {
  line: number
  from: number
  to: number
  severity: 'error' | 'warning' | 'info'
  message: string
  /** Found by TypeScript, or only when the program ran. */
  when: 'types' | 'run'
}

export class Playground {
  readonly code = signal('')
  readonly clock = signal<'real' | 'virtual'>('virtual')
  readonly until = signal(UNTIL)
  readonly run = signal<ProgramRun | null>(null)
  /** True from the press on Run until the thread has started. */
  readonly preparing = signal(false)
  /** The run's recording, and what of it is looked at. */
  readonly view = new View()
  /** Grows when the run has changed. */
  readonly tick = this.view.tick
  readonly cursor = this.view.cursor
  readonly types = signal<readonly Diagnostic[]>([])
  /** True while TypeScript loads or checks. */
  readonly checking = signal(true)
  /** A message about the link that opened the page. */
  readonly arrival = signal<{ kind: 'good' | 'bad'; text: string } | null>(null)
  readonly said = signal('')
  /** The lines with a breakpoint, from 1. */
  readonly breakpoints = signal<readonly number[]>([])
  readonly compiler = new Compiler()
  readonly patience = PATIENCE
  readonly #threads: Threads
  #runs = 0
  #drawn = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  /** The problems: first TypeScript's, then those of the run. */
  readonly troubles = computed<readonly Trouble[]>(() => {
    void this.tick.value
    const code = this.#lines.value
    const found: Trouble[] = this.types.value.map(({ line, from, to, severity, message }) => ({ line, from, to, severity, message, when: 'types' }))
    const run = this.run.value
    if (run === null || this.code.value !== this.#ranCode) return found
    const add = (text: string, stack: readonly { file: string; line: number; column: number }[], severity: Trouble['severity']): void => {
      const place = stack.find(({ file }) => file === FILE)
      if (place !== undefined) found.push({ ...rangeOf(code, place.line, place.column), line: place.line, severity, message: text, when: 'run' })
    }
    if (run.ending?.failure != null) add(run.ending.failure.text, run.ending.failure.stack, 'error')
    for (const report of run.reports) add(report.text, report.stack, 'warning')
    const held = run.held ?? run.ending?.held ?? null
    if (held?.place != null) add(`${held.task ?? 'The program'} blocked the loop here for ${held.seconds.toFixed(1)} s`, [held.place], 'error')
    return found
  })

  readonly #lines = computed(() => linesOf(this.code.value))

  /** The lines of the tasks, at the moment that is shown. */
  readonly stands = computed<Stand[]>(() => {
    void this.tick.value
    const run = this.run.value
    if (run === null || this.code.value !== this.#ranCode) return []
    const held = run.held ?? run.ending?.held ?? null
    if (held !== null && this.cursor.value === null) {
      return held.place?.file === FILE ? [{ line: held.place.line, text: `${held.task ?? 'the program'} blocks the loop`, holds: true }] : []
    }
    const { stop } = run
    const here = stop === null || this.cursor.value !== null ? [] : [{ line: stop.line, text: `${taskOf(run)} is stopped before this line`, holds: false, next: true }]
    const others = standing(run.recording, this.cursor.value ?? NOW, (path) => path === FILE).filter(({ lane }) => here.length === 0 || lane.id !== stop?.task)
    return [...here, ...others.map(({ line, text, holds }) => ({ line, text, holds }))]
  })

  /** The program of the last run, and the lines at which it can stop. */
  #ranCode = ''
  #ranLines: readonly number[] = []

  constructor(page: Element) {
    this.#threads = new Threads(page)
    this.code.value = starters[2]?.code ?? ''
  }

  get program(): Shared {
    return { code: this.code.value, clock: this.clock.value, until: this.until.value }
  }

  /** Takes the program from the address, if there is one. It does not run before the reader starts it. */
  async arrive(): Promise<void> {
    const wanted = takeStart()
    if (wanted !== null) {
      this.startWith(wanted)
      return
    }
    try {
      const kept = await keptProgram()
      if (kept !== null) {
        if (this.code.value !== kept.code) this.#take(kept)
        return
      }
      const program = await arrivedProgram()
      if (program === null) return
      this.stop()
      batch(() => {
        this.#take(program)
        this.arrival.value = {
          kind: 'good',
          text: 'This program came with the link. Read it before you run it: it runs in a sandbox, without a network and without access to this server.',
        }
      })
    } catch (error) {
      this.arrival.value = { kind: 'bad', text: `This link contains no readable program: ${error instanceof Error ? error.message : String(error)}. The editor shows an example instead.` }
    }
  }

  startWith(number: number): void {
    const starter = starters.find((other) => other.number === number)
    if (starter === undefined) return
    this.stop()
    batch(() => {
      this.code.value = starter.code
      this.run.value = null
      this.cursor.value = null
      this.arrival.value = null
    })
  }

  /** The program or its clock has changed: checks and keeps it once typing has paused. */
  settle(): void {
    clearTimeout(this.#timer)
    this.checking.value = true
    this.#timer = setTimeout(() => {
      void this.check()
      void this.#keep()
    }, QUIET)
  }

  async check(): Promise<void> {
    const code = this.code.value
    try {
      const found = await this.compiler.diagnostics(code)
      if (code !== this.code.value) return
      this.types.value = found
      this.checking.value = false
    } catch (error) {
      this.said.value = error instanceof Error ? error.message : String(error)
    }
  }

  /** The program has changed: a run that is stopped shows other lines than it has. */
  edit(code: string): void {
    this.code.value = code
    if (this.run.value?.stop != null) this.run.value.end('The program was changed while it was stopped.')
    this.settle()
  }

  /** Runs a stepped program on to a goal; without one, starts the program and stops it at its first line. */
  step(goal: Goal): void {
    this.cursor.value = null
    if (this.run.value?.stepped === true) this.run.value.go(goal)
    else if (!this.preparing.value) void this.start('line')
  }

  /** Starts the program. In virtual time it can be stopped: at its first line on request, otherwise at a breakpoint if there is one. */
  async start(goal: Goal | null = this.breakpoints.value.length > 0 ? 'breakpoint' : null): Promise<void> {
    this.stop()
    const number = ++this.#runs
    const code = this.code.value
    batch(() => {
      this.preparing.value = true
      this.said.value = ''
      this.run.value = null
      this.cursor.value = null
    })
    try {
      if (code.length > MOST_CODE) throw new Error(`The program is too long: ${MOST_CODE} characters at most.`)
      const first = this.clock.value === 'virtual' ? goal : null
      const { modules, diagnostics, lines } = await this.compiler.compile(code, first !== null)
      if (number !== this.#runs) return
      this.types.value = diagnostics
      this.checking.value = false
      const fatal = diagnostics.find((diagnostic) => diagnostic.fatal)
      if (fatal !== undefined) throw new Error(`It cannot run yet: line ${fatal.line} is not valid TypeScript. ${fatal.message}`)
      const run = new ProgramRun(this.#threads, {
        program: { language: 'typescript', modules }, clock: this.clock.value, until: this.until.value, patience: PATIENCE, onChange: () => this.#changed(run),
        ...first === null ? {} : { steps: { goal: first, breakpoints: () => this.#stops() } },
      })
      this.#ranCode = code
      this.#ranLines = lines
      this.run.value = run
      await run.start()
    } catch (error) {
      if (number === this.#runs) this.said.value = error instanceof Error ? error.message : String(error)
    } finally {
      if (number === this.#runs) this.preparing.value = false
    }
  }

  stop(): void {
    this.#runs++
    this.preparing.value = false
    this.run.value?.cancel()
  }

  /** The address of this program; null if the program is too long. */
  link(): Promise<string | null> {
    return keepProgram(this.program)
  }

  close(): void {
    this.stop()
    clearTimeout(this.#timer)
    this.compiler.close()
    this.#threads.remove()
  }

  /** The lines at which the breakpoints stop the program: a line without a statement belongs to the next one with one. */
  #stops(): number[] {
    return this.breakpoints.value.flatMap((line) => this.#ranLines.find((other) => other >= line) ?? [])
  }

  #take({ code, clock, until }: Shared): void {
    batch(() => {
      this.code.value = code
      this.clock.value = clock
      this.until.value = until
      this.run.value = null
      this.cursor.value = null
    })
  }

  async #keep(): Promise<void> {
    if (await this.link() === null) this.said.value = `The program is too long for a link: ${MOST_CODE} characters at most.`
  }

  /** Updates at most once per frame, because a run may change thousands of times in one. */
  #changed(run: ProgramRun): void {
    if (run !== this.run.value || this.#drawn !== 0) return
    this.#drawn = requestAnimationFrame(() => {
      this.#drawn = 0
      this.tick.value++
    })
  }
}

/** The task that is stopped, or what else is. */
export function taskOf({ stop, recording }: ProgramRun): string {
  return stop === null || stop.task === null ? 'the program' : recording.lanes.get(stop.task)?.name ?? `task ${stop.task}`
}

interface CodeLine {
  start: number
  text: string
}

function linesOf(code: string): CodeLine[] {
  let start = 0
  return code.split('\n').map((text) => {
    const line = { start, text }
    start += text.length + 1
    return line
  })
}

/** The word at a place, for a mark. */
function rangeOf(lines: readonly CodeLine[], line: number, column: number): { from: number; to: number } {
  const { start, text } = lines[line - 1] ?? { start: 0, text: '' }
  const from = Math.min(column - 1, text.length)
  const length = /^[\w$.]+/.exec(text.slice(from))?.[0].length ?? text.length - from
  return { from: start + from, to: start + from + Math.max(1, length) }
}
