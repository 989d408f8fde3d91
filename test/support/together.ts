// Runs the test files of one kind in one process: a process of its own for each would take most of the time.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

const TESTS = join(import.meta.dirname, '..')

/**
 * Loads all files below test/ whose names end in `.KIND.ts`, by name. Tests begin when all are loaded: with a teardown at the
 * top, tap would lose those that are added later.
 */
export function together(kind: string): void {
  const files = readdirSync(TESTS, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith(`.${kind}.ts`)).sort()
  if (files.length === 0) throw new Error(`no test file has a name that ends in .${kind}.ts`)
  t.before(async () => {
    for (const file of files) await import(join(TESTS, file))
  })
}
