// For what several tests need and takes long to make: one of them makes it, the others wait, and it is kept until one of its
// sources changes.
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
// @ts-expect-error: it has no types
import { alone as untyped } from '../../tools/build.mjs'

const ROOT = join(import.meta.dirname, '../..')
/** Does `work` while no other process does, by the file `lock`. */
export const alone = untyped as (lock: string, work: () => Promise<unknown>) => Promise<void>

/** Lets `make` write the file `made` (a path in the tree, as `sources` are, which may be folders), unless it is newer than all of them. */
export function madeOnce(made: string, sources: readonly string[], make: () => Promise<unknown>): Promise<void> {
  const file = join(ROOT, made)
  return alone(join(ROOT, 'dist', `.making-${made.replaceAll('/', '-')}`), async () => {
    if (!existsSync(file) || statSync(file).mtimeMs <= Math.max(...sources.map(newest))) await make()
  })
}

/** When a file, or the newest in a folder, was last changed. */
function newest(source: string): number {
  const path = join(ROOT, source)
  if (!statSync(path).isDirectory()) return statSync(path).mtimeMs
  return Math.max(...readdirSync(path, { recursive: true, encoding: 'utf8' }).map((file) => statSync(join(path, file)).mtimeMs))
}
