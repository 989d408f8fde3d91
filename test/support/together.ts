// Runs the test files of one kind in one process: a process of its own for each would take most of the time.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

const TESTS = join(import.meta.dirname, '..')

/**
 * Loads all files below test/ whose names end in `.KIND.ts`, by name, but `first` (a path from test/) before the others. Tests
 * begin when all are loaded: with a teardown at the top, tap would lose those that are added later.
 */
export function together(kind: string, first = ''): void {
  const files = readdirSync(TESTS, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith(`.${kind}.ts`)).sort()
  if (files.length < 2 || (first !== '' && !files.includes(first))) throw new Error(`the files of kind ${kind} are ${files.join()}`)
  t.before(async () => {
    for (const file of new Set([first, ...files].filter((name) => name !== ''))) await import(join(TESTS, file))
  })
}
