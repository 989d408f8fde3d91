// What several tests need that takes long to make: one of them makes it, the others wait for that, and it is kept until a source
// of it changes.
import { existsSync, mkdirSync, readdirSync, rmdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')
/** A lock this old (ms) was left by a process that died. */
const STALE = 120_000

/** Have `make` write the file `made` (a path in the tree, as `sources` are, which may be folders), if it is not newer than all of them. */
export async function madeOnce(made: string, sources: readonly string[], make: () => Promise<unknown>): Promise<void> {
  const file = join(ROOT, made)
  const lock = join(ROOT, 'dist', `.making-${made.replaceAll('/', '-')}`)
  mkdirSync(join(ROOT, 'dist'), { recursive: true })
  while (!take(lock)) await new Promise((resolve) => setTimeout(resolve, 200))
  try {
    if (!existsSync(file) || statSync(file).mtimeMs <= Math.max(...sources.map(newest))) await make()
  } finally {
    rmdirSync(lock)
  }
}

function take(lock: string): boolean {
  try {
    mkdirSync(lock)
    return true
  } catch (error) {
    if ((error as { code?: string }).code !== 'EEXIST') throw error
    try {
      if (Date.now() - statSync(lock).mtimeMs > STALE) rmdirSync(lock)
    } catch { /* it was given back just now */ }
    return false
  }
}

/** When a file, or one of a folder, was changed last. */
function newest(source: string): number {
  const path = join(ROOT, source)
  if (!statSync(path).isDirectory()) return statSync(path).mtimeMs
  return Math.max(...readdirSync(path, { recursive: true, encoding: 'utf8' }).map((file) => statSync(join(path, file)).mtimeMs))
}
