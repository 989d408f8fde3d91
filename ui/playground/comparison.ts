// The same program in both languages, run in virtual time, each in its own sandbox.
import { signal } from '@preact/signals'
import type { Side } from '../compare/TwoRuns.tsx'
import { NAMES, type Language } from '../language.ts'
import { runWhole } from './run-once.ts'

const ORDER = ['python', 'typescript'] as const

export class Comparison {
  readonly sides = signal<readonly [Side, Side]>([{ title: NAMES.python, recording: null }, { title: NAMES.typescript, recording: null }])
  readonly problem = signal('')
  /** Both runs have ended, or could not start. */
  readonly over = signal(false)
  readonly #ending = new AbortController()

  /** Runs both at the same time, for this number of seconds at most. A program that fails is compared as far as it has come. */
  async run(codes: Readonly<Record<Language, string>>, until: number): Promise<void> {
    await Promise.all(ORDER.map(async (language, at) => {
      try {
        const { recording, ending } = await runWhole(language, codes[language], { signal: this.#ending.signal, until })
        this.sides.value = this.sides.value.map((side, which) => which === at ? { ...side, recording } : side) as [Side, Side]
        if (ending?.outcome === 'raised') this.#say(language, ending.failure?.text ?? 'it failed')
        else if (ending?.note != null) this.#say(language, ending.note)
      } catch (error) {
        if (!this.#ending.signal.aborted) this.#say(language, error instanceof Error ? error.message : String(error))
      }
    }))
    this.over.value = true
  }

  /** It cannot be made, for this reason. */
  fail(why: string): void {
    this.problem.value = why
    this.over.value = true
  }

  /** Ends the runs that go on. */
  end(): void {
    this.#ending.abort(new Error('the comparison was closed'))
  }

  #say(language: Language, text: string): void {
    this.problem.value = `${this.problem.value} In ${NAMES[language]}: ${text}`.trim()
  }
}
