// The package as it would be published, and unpacked where npm would install it, beside nothing else: what a program imports
// from there works without a single dependency.
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { buildView } from './ui.ts'

export const execute = promisify(execFile)

export interface Packed {
  /** The file itself. */
  readonly tarball: string
  /** The paths in it. */
  readonly files: string[]
  /** Where it is unpacked. */
  readonly folder: string
}

/** Pack the tree at `root` into `folder`, then install it there in `consumer/node_modules`. */
export async function packAndInstall(root: string, folder: string, consumer: string): Promise<Packed> {
  await buildView()
  const { stdout } = await execute(process.execPath, [join(root, 'tools/pack.mjs'), folder])
  const tarball = stdout.trim()
  const target = join(consumer, 'node_modules/loopscope')
  mkdirSync(target, { recursive: true })
  await execute('tar', ['-xzf', tarball, '-C', target, '--strip-components=1'])
  const { stdout: list } = await execute('tar', ['-tzf', tarball])
  return { tarball, files: list.trim().split('\n').map(path => path.replace(/^package\//, '')), folder: target }
}

/** Put packages that a user has beside the package, and all that those depend on, without installing anything anew. */
export function linkPackages(root: string, consumer: string, names: readonly string[]): void {
  for (const name of names) {
    const to = join(consumer, 'node_modules', name)
    if (existsSync(to)) continue
    mkdirSync(dirname(to), { recursive: true })
    symlinkSync(join(root, 'node_modules', name), to)
  }
}
