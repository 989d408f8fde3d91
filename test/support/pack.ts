// The package as it would be published, unpacked where npm would install it, without anything beside it: what a program
// imports from there works without a single dependency.
import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { madeOnce } from './once.ts'
import { buildView } from './ui.ts'

export const execute = promisify(execFile)

const ROOT = join(import.meta.dirname, '../..')
const FOLDER = 'dist/packed'
const SOURCES = ['src', 'tools/pack', 'tools/pack.mjs', 'docs', 'package.json', 'tsconfig.json', 'tsconfig.build.json', 'README.md', 'CHANGELOG.md', 'SECURITY.md', 'LICENSE', 'dist/ui']

export interface Packed {
  /** The file itself. */
  readonly tarball: string
  /** The paths in it. */
  readonly files: string[]
  /** Where it is unpacked. */
  readonly folder: string
}

/** Makes the tarball, unless there is one of the present sources, and installs it in `consumer/node_modules`. */
export async function packAndInstall(consumer: string): Promise<Packed> {
  await buildView()
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }
  const name = `${FOLDER}/loopscope-${version}.tgz`
  await madeOnce(name, SOURCES, () => execute(process.execPath, [join(ROOT, 'tools/pack.mjs'), join(ROOT, FOLDER)]))
  const tarball = join(ROOT, name)
  const target = join(consumer, 'node_modules/loopscope')
  mkdirSync(target, { recursive: true })
  await execute('tar', ['-xzf', tarball, '-C', target, '--strip-components=1'])
  const { stdout: list } = await execute('tar', ['-tzf', tarball])
  return { tarball, files: list.trim().split('\n').map((path) => path.replace(/^package\//, '')), folder: target }
}

/** Links packages that a user has beside the package, each by its name and path, with all their dependencies. */
export function linkPackages(consumer: string, packages: Readonly<Record<string, string>>): void {
  for (const [name, from] of Object.entries(packages)) {
    const to = join(consumer, 'node_modules', name)
    mkdirSync(dirname(to), { recursive: true })
    symlinkSync(from, to)
  }
}

/** Packages of this project, for `linkPackages`. */
export function ofProject(...names: string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, join(ROOT, 'node_modules', name)]))
}
