// Programs that tests run besides this Node: other versions of it, the oldest that is supported and the newest; other package
// managers, other TypeScripts. They are packages of npm. In CI they are installed when a test needs them; elsewhere they are
// used only if an earlier run or the reader has installed them.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { alone } from './once.ts'
import { execute } from './pack.ts'

const CACHE = join(import.meta.dirname, '../../node_modules/.cache')
/** The oldest supported release, and the newest of each later line. */
export const SUPPORTED = ['20.19', '22', '24', '26'] as const
export const NODES = { oldest: SUPPORTED[0], newest: SUPPORTED[3] }

export type Fetched = { path: string } | { missing: string }

/** The Node of `version` (`26`, `20.19`), or why it is missing. */
export function nodeOf(version: string): Promise<Fetched> {
  const spec = `node-${process.platform}-${process.arch}`
  return fetched(`nodes/${version}`, `${spec}@${version}`, `${spec}/bin/node`)
}

/** The file at `path` in the npm package of this version; or why it is missing. */
export function packaged(name: string, version: string, path = ''): Promise<Fetched> {
  return fetched(`packages/${name.replace('/', '-')}-${version}`, `${name}@${version}`, join(name, path))
}

async function fetched(under: string, spec: string, file: string): Promise<Fetched> {
  const folder = join(CACHE, under)
  const path = join(folder, 'node_modules', file)
  const command = `npm install --prefix ${folder} ${spec}`
  if (process.env['CI'] !== 'true') return existsSync(path) ? { path } : { missing: `no ${spec}: ${command}` }
  mkdirSync(folder, { recursive: true })
  try {
    // Several test files may need it at the same time. Where it is being installed, the file may exist before it is whole.
    await alone(join(folder, '.installing'), async () => {
      if (existsSync(path)) return
      writeFileSync(join(folder, 'package.json'), '{ "private": true }')
      await execute('npm', ['install', '--no-audit', '--no-fund', '--prefix', folder, spec])
    })
    return { path }
  } catch (error) {
    return { missing: `no ${spec}: ${command} failed: ${(error as Error).message}` }
  }
}
