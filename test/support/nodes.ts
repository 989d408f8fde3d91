// Other versions of Node than the one that runs: the oldest that is supported and the newest. They are packages of npm. In CI
// they are installed when a test wants them, elsewhere only found where an earlier run or the reader has put them.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execute } from './pack.ts'

const FOLDER = join(import.meta.dirname, '../../node_modules/.cache/nodes')
export const NODES = { oldest: '20.19', newest: '26' }

/** The Node of `version` (`26`, `20.19`), or why there is none. */
export async function nodeOf(version: string): Promise<{ path: string } | { missing: string }> {
  const spec = `node-${process.platform}-${process.arch}`
  const folder = join(FOLDER, version)
  const path = join(folder, 'node_modules', spec, 'bin/node')
  if (existsSync(path)) return { path }
  const command = `npm install --prefix ${folder} ${spec}@${version}`
  if (process.env['CI'] !== 'true') return { missing: `no Node ${version}: ${command}` }
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "private": true }')
  try {
    await execute('npm', ['install', '--no-audit', '--no-fund', '--prefix', folder, `${spec}@${version}`])
    return { path }
  } catch (error) {
    return { missing: `no Node ${version}: ${command} failed: ${(error as Error).message}` }
  }
}
