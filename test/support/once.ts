// What several tests need that takes long to make: one of them makes it, the others wait for that, and it is kept until a source
// of it changes.
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
// @ts-expect-error: it has no types
import { alone as untyped } from '../../tools/build.mjs'

const ROOT = join(import.meta.dirname, '../..')
const alone = untyped as (lock: string, work: () => Promise<unknown>) => Promise<void>

/** Have `make` write the file `made` (a path in the tree, as `sources` are, which may be folders), if it is not newer than all of them. */
export function madeOnce(made: string, sources: readonly string[], make: () => Promise<unknown>): Promise<void> {
  const file = join(ROOT, made)
  return alone(join(ROOT, 'dist', `.making-${made.replaceAll('/', '-')}`), async () => {
    if (!existsSync(file) || statSync(file).mtimeMs <= Math.max(...sources.map(newest))) await make()
  })
}

/** When a file, or one of a folder, was changed last. */
function newest(source: string): number {
  const path = join(ROOT, source)
  if (!statSync(path).isDirectory()) return statSync(path).mtimeMs
  return Math.max(...readdirSync(path, { recursive: true, encoding: 'utf8' }).map((file) => statSync(join(path, file)).mtimeMs))
}
