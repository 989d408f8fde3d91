// The Python program in the editor, in TypeScript: parsed by CPython, which is there for that, and translated here.
import { signal } from '@preact/signals'
import { z } from 'zod'
import type { Diagnostic } from './compiler/service.ts'
import { linesOf, rangeOf } from './places.ts'
import { python } from './python-thread.ts'
import type { Translation } from './translate/translate.ts'
import type { Module } from './translate/tree.ts'

/** What is sure of a tree. The rest is Python's own, and a tree without it is not translated. */
const module = z.object({ type: z.literal('Module'), body: z.array(z.looseObject({ type: z.string() })), comments: z.array(z.object({ line: z.int(), text: z.string(), alone: z.boolean() })) })

export class Translated {
  /** null while the program is not translated, or cannot be. */
  readonly value = signal<Translation & { of: string } | null>(null)
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
    const { tree, problem } = await python.parse(code)
    const { translate } = await import('./translate/translate.ts')
    if (this.#last?.code !== code) return []
    this.value.value = tree === null ? null : { ...translated(translate, tree), of: code }
    if (problem === null) return []
    return [{ ...rangeOf(linesOf(code), problem.line, problem.column), line: problem.line, severity: 'error', message: problem.text, fatal: true }]
  }
}

function translated(translate: (tree: Module) => Translation, text: string): Translation {
  try {
    return translate(module.parse(JSON.parse(text)) as unknown as Module)
  } catch (error) {
    return { code: '', lines: [], untranslated: [{ line: 1, column: 1, message: `The program cannot be translated: ${error instanceof Error ? error.message : String(error)}` }] }
  }
}
