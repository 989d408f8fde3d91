// Packs the project as npm would publish it, and unpacks it where npm would install it, beside nothing else: what a
// program imports from there works without a single dependency.
import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
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
