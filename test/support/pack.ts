// Packs the project as npm would publish it, and unpacks it where npm would install it, beside nothing else: what a
// program imports from there works without a single dependency.
import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

export const execute = promisify(execFile)

/** What the package is made from. */
const SOURCES = ['package.json', 'tsconfig.json', 'tsconfig.build.json', 'tools', 'src', 'README.md', 'CHANGELOG.md', 'LICENSE']

export interface Packed {
  /** The paths in the tarball. */
  readonly files: string[]
  /** Where it is unpacked. */
  readonly folder: string
}

/** Build and pack a copy of the tree at `root` in `folder`, then install it there in `consumer/node_modules`. */
export async function packAndInstall(root: string, folder: string, consumer: string): Promise<Packed> {
  const copy = join(folder, 'source')
  for (const path of SOURCES) if (existsSync(join(root, path))) cpSync(join(root, path), join(copy, path), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  const { stdout } = await execute('npm', ['pack', '--json', '--loglevel=error'], { cwd: copy, maxBuffer: 2 ** 24 })
  // The build's own lines come before.
  const [{ filename, files }] = JSON.parse(stdout.slice(stdout.search(/^\[/m))) as [{ filename: string; files: { path: string }[] }]
  const target = join(consumer, 'node_modules/loopscope')
  mkdirSync(target, { recursive: true })
  await execute('tar', ['-xzf', join(copy, filename), '-C', target, '--strip-components=1'])
  return { files: files.map(({ path }) => path), folder: target }
}

/** Put what the package depends on beside it in `consumer`, and `more` that its user has, without installing anything anew. */
export function linkDependencies(root: string, consumer: string, more: readonly string[]): void {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as { packages: Record<string, { dev?: boolean }> }
  const modules = 'node_modules/'
  const needed = Object.entries(packages).filter(([path, { dev }]) => dev !== true && path.lastIndexOf(modules) === 0)
  for (const name of [...needed.map(([path]) => path.slice(modules.length)), ...more]) {
    const from = join(root, modules, name)
    const to = join(consumer, modules, name)
    if (!existsSync(from)) continue // it is for another system
    mkdirSync(dirname(to), { recursive: true })
    symlinkSync(from, to)
  }
}
