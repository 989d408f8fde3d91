// The live view for tests: built if its sources are newer than what is there, once for all the tests that run at the same
// time, and served by the real server to a real browser.
import { existsSync, mkdirSync, readdirSync, rmdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'vite'

const ROOT = join(import.meta.dirname, '../..')
const BUILT = join(ROOT, 'dist/ui/index.html')
const LOCK = join(ROOT, 'dist/.building-ui')
/** A build takes seconds; a lock this old (ms) was left by a process that died. */
const STALE = 120_000

/** Build the page into dist/ui if it is not the one that the sources make. */
export async function buildView(): Promise<void> {
  mkdirSync(join(ROOT, 'dist'), { recursive: true })
  while (!take()) await new Promise((resolve) => setTimeout(resolve, 200))
  try {
    if (existsSync(BUILT) && statSync(BUILT).mtimeMs > newest()) return
    await build({ root: join(ROOT, 'ui'), configFile: join(ROOT, 'ui/vite.config.ts'), logLevel: 'error' })
  } finally {
    rmdirSync(LOCK)
  }
}

function take(): boolean {
  try {
    mkdirSync(LOCK)
    return true
  } catch (error) {
    if ((error as { code?: string }).code !== 'EEXIST') throw error
    try {
      if (Date.now() - statSync(LOCK).mtimeMs > STALE) rmdirSync(LOCK)
    } catch { /* it was given back just now */ }
    return false
  }
}

/** When a source of the page was changed last. */
function newest(): number {
  const files = ['ui', 'src', 'examples'].flatMap((folder) => readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((path) => join(ROOT, folder, path)))
  return Math.max(...files.map((path) => statSync(path).mtimeMs))
}
