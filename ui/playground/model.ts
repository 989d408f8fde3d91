// The playground's state: a program, its clock, its problems and its last run. The panel shows this and calls its methods.
import { batch, computed, effect, signal, type Signal, untracked } from '@preact/signals'
import { chooseLanguage, language, otherThan, showLanguage, type Language } from '../language.ts'
import { standing } from '../lessons/standing.ts'
import { View } from '../session/view.ts'
import { NOW } from '../recording.ts'
import { Compiler, type Diagnostic } from './compiler.ts'
import { arrivedProgram, keepProgram, keptProgram, takeStart } from './address.ts'
import { Comparison } from './comparison.ts'
import { endingProgram, sourceOf, starters } from './examples.ts'
import { ProgramRun, type Goal, type Program } from './program-run.ts'
import { MOST_CODE, type Shared } from './share.ts'
import type { Stand } from './stands.ts'
import { linesOf, rangeOf } from './places.ts'
import { python, pythonFailed, PYTHON_FILE } from './python-thread.ts'
import { Threads } from './threads.ts'
import { Translated } from './translated.ts'

/** How a program is called in places. */
const FILE: Readonly<Record<Language, string>> = { typescript: 'program.ts', python: PYTHON_FILE }
/** The example that a new visitor finds. */
const FIRST = 3
/** Milliseconds without typing before the program is checked and kept in the address. */
const QUIET = 350
/** Seconds for which a program may block its thread. */
const PATIENCE = 5
const UNTIL = 60
/** How many items a producer of example 5 makes in a comparison. */
const ITEMS = 2

export interface Trouble {
  line: number
  from: number
  to: number
  severity: 'error' | 'warning' | 'info'
  message: string
  /** Found by the compiler, when the program was translated, or only when it ran. */
  when: 'types' | 'syntax' | 'translation' | 'run'
}

export class Playground {
  /** The program in each language: of an example, the same one. */
  readonly codes: Readonly<Record<Language, Signal<string>>> = { typescript: signal(sourceOf(FIRST).typescript), python: signal(sourceOf(FIRST).python) }
  readonly code = computed(() => this.codes[language.value].value)
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
  /** What the compiler, TypeScript's or Python's, has found. */
  readonly found = signal<readonly Diagnostic[]>([])
  /** The Python program in TypeScript. */
  readonly translated = new Translated()
  /** Both languages, one against the other; null when that is not looked at. */
  readonly comparison = signal<Comparison | null>(null)
  /** True while the compiler loads or checks. */
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
  readonly #ends: (() => void)[]

  /** The problems: first the compiler's, then what is not translated, then those of the run. */
  readonly troubles = computed<readonly Trouble[]>(() => {
    void this.tick.value
    const code = this.#lines.value
    const isPython = language.value === 'python'
    const found: Trouble[] = this.found.value.map(({ line, from, to, severity, message }) => ({ line, from, to, severity, message, when: isPython ? 'syntax' : 'types' }))
    const run = this.run.value
    if (isPython) {
      for (const { line, column, message } of this.translated.value.value?.untranslated ?? []) {
        found.push({ ...rangeOf(code, line, column), line, severity: 'info', message, when: 'translation' })
      }
    }
    if (run === null || this.code.value !== this.#ranCode) return found
    const add = (text: string, stack: readonly { file: string; line: number; column: number }[], severity: Trouble['severity']): void => {
      const place = stack.find(({ file }) => file === FILE[language.value])
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
      return held.place?.file === FILE[language.value] ? [{ line: held.place.line, text: `${held.task ?? 'the program'} blocks the loop`, holds: true }] : []
    }
    const { stop } = run
    const here = stop === null || this.cursor.value !== null ? [] : [{ line: stop.line, text: `${taskOf(run)} is stopped before this line`, holds: false, next: true }]
    const others = standing(run.recording, this.cursor.value ?? NOW, (path) => path === FILE[language.value]).filter(({ lane }) => here.length === 0 || lane.id !== stop?.task)
    return [...here, ...others.map(({ line, text, holds }) => ({ line, text, holds }))]
  })

  /** The program of the last run, and the lines at which it can stop. */
  #ranCode = ''
  #ranLines: readonly number[] = []

  constructor(page: Element) {
    this.#threads = new Threads(page)
    let shown = language.peek()
    this.#ends = [python.use(), effect(() => {
      if (language.value === 'python') untracked(() => python.prepare())
    }), effect(() => {
      if (language.value === shown) return
      shown = language.value
      untracked(() => this.#turned())
    })]
  }

  get program(): Shared {
    return { language: language.value, code: this.code.value, clock: this.clock.value, until: this.until.value }
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
        if (this.code.value !== kept.code || language.value !== kept.language) this.#take(kept)
        return
      }
      const program = await arrivedProgram()
      if (program === null) return
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
    batch(() => {
      this.#clear()
      this.codes.typescript.value = starter.code.typescript
      this.codes.python.value = starter.code.python
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
      const found = language.value === 'python' ? await this.translated.take(code) : await this.compiler.diagnostics(code)
      if (code !== this.code.value) return
      this.found.value = found
      this.checking.value = false
    } catch (error) {
      if (code !== this.code.value) return
      this.checking.value = false
      // The status line says why there is no Python.
      if (language.value === 'typescript' || !pythonFailed.value) this.said.value = error instanceof Error ? error.message : String(error)
    }
  }

  /** The program has changed: a run that is stopped shows other lines than it has. */
  edit(code: string): void {
    this.codes[language.value].value = code
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
      this.endComparison()
      this.preparing.value = true
      this.said.value = ''
      this.run.value = null
      this.cursor.value = null
    })
    try {
      if (code.length > MOST_CODE) throw new Error(`The program is too long: ${MOST_CODE} characters at most.`)
      const first = this.clock.value === 'virtual' ? goal : null
      const { program, lines } = await this.#compile(code, first !== null)
      if (number !== this.#runs) return
      const run = new ProgramRun(language.value === 'python' ? python.threads : this.#threads, {
        program, clock: this.clock.value, until: this.until.value, patience: PATIENCE, onChange: () => this.#changed(run),
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

  /** Runs the program in both languages, in virtual time, and compares the runs. */
  compare(): void {
    this.stop()
    this.endComparison()
    const comparison = new Comparison()
    this.comparison.value = comparison
    void this.#twins().then((codes) => comparison.run(codes, this.until.value), (error: unknown) => {
      comparison.fail(error instanceof Error ? error.message : String(error))
    })
  }

  endComparison(): void {
    this.comparison.value?.end()
    this.comparison.value = null
  }

  /** Shows the program in TypeScript in the editor, as the reader's own. */
  openTranslation(): void {
    const translation = this.translated.value.value
    if (translation === null) return
    this.codes.typescript.value = translation.code
    chooseLanguage('typescript')
  }

  /** The address of this program; null if the program is too long. */
  link(): Promise<string | null> {
    return keepProgram(this.program)
  }

  close(): void {
    this.stop()
    this.endComparison()
    for (const end of this.#ends) end()
    clearTimeout(this.#timer)
    this.compiler.close()
    this.#threads.remove()
  }

  /** The lines at which the breakpoints stop the program: a line without a statement belongs to the next one with one. */
  #stops(): number[] {
    return this.breakpoints.value.flatMap((line) => this.#ranLines.find((other) => other >= line) ?? [])
  }

  #take({ language: of, code, clock, until }: Shared): void {
    batch(() => {
      this.#clear()
      this.codes[of].value = code
      const starter = starters.find((one) => one.code[of] === code)
      if (starter !== undefined) this.codes[otherThan(of)].value = starter.code[otherThan(of)]
      showLanguage(of)
      this.clock.value = clock
      this.until.value = until
    })
  }

  /** Another program is shown: the last run is not its own. */
  #clear(): void {
    this.stop()
    this.run.value = null
    this.cursor.value = null
    this.endComparison()
    this.found.value = []
    this.said.value = ''
  }

  /** The language has changed. */
  #turned(): void {
    batch(() => this.#clear())
    this.settle()
    // At once: the address has the language already.
    void this.#keep()
  }

  /** The program, ready to run, and the lines at which it can stop. */
  async #compile(code: string, stepped: boolean): Promise<{ program: Program; lines: readonly number[] }> {
    if (language.value === 'python') return { program: { language: 'python', code }, lines: [] }
    const { modules, diagnostics, lines } = await this.compiler.compile(code, stepped)
    if (code === this.code.value) {
      this.found.value = diagnostics
      this.checking.value = false
    }
    const fatal = diagnostics.find((diagnostic) => diagnostic.fatal)
    if (fatal !== undefined) throw new Error(`It cannot run yet: line ${fatal.line} is not valid TypeScript. ${fatal.message}`)
    return { program: { language: 'typescript', modules }, lines }
  }

  /** The program in both languages; of an example, so that it ends. Throws an Error if there is no twin. */
  async #twins(): Promise<Record<Language, string>> {
    const { code, codes } = this
    const starter = starters.find((one) => one.code[language.value] === code.value)
    if (starter !== undefined) return { python: endingProgram(starter.number, 'python', ITEMS), typescript: endingProgram(starter.number, 'typescript', ITEMS) }
    if (language.value === 'typescript') {
      if (starters.some((one) => one.code.python === codes.python.value)) throw new Error('This program exists only in TypeScript. Write it in Python, too: a program in Python is translated.')
      return { python: codes.python.value, typescript: code.value }
    }
    const [wrong] = await this.translated.take(code.value)
    if (wrong !== undefined) throw new Error(`Line ${wrong.line} is not valid Python. ${wrong.message}`)
    const { value } = this.translated
    const [missing] = value.value?.untranslated ?? []
    if (value.value === null || missing !== undefined) throw new Error(`It cannot be translated: line ${missing?.line}, ${missing?.message}`)
    return { python: code.value, typescript: value.value.code }
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
