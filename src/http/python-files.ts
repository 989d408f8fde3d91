// CPython for the page's Python programs, out of the optional package pyodide: compressed once, and cached by browsers until
// another version is installed.
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { PageFile } from './page-file.ts'
import { Refusal } from './refusals.ts'

/** The files that are served, with their types, and whether they become smaller. */
const FILES: [name: string, type: string, packed: boolean][] = [
  ['pyodide.mjs', 'text/javascript; charset=utf-8', true], ['pyodide.asm.mjs', 'text/javascript; charset=utf-8', true], ['pyodide.asm.wasm', 'application/wasm', true],
  ['pyodide-lock.json', 'application/json; charset=utf-8', true], ['python_stdlib.zip', 'application/zip', false],
]

export const NO_PYTHON = 'Python programs need CPython, and it is not installed here: npm install pyodide'

/** The files by their path in the page. Without the package, reading one throws a Refusal. */
export function pythonFiles(): [path: string, file: PageFile][] {
  const require = createRequire(import.meta.url)
  const version = versionOf(require)
  return FILES.map(([name, type, packed]) => {
    const read = (): Promise<Buffer> => version === null ? Promise.reject(new Refusal('no-such-file', NO_PYTHON)) : readFile(require.resolve(`pyodide/${name}`))
    return [`python/${name}`, { type, read, immutable: false, policy: null, version, packed: packed ? once(async () => promisify(gzip)(await read())) : null }]
  })
}

function versionOf(require: NodeJS.Require): string | null {
  try {
    return (JSON.parse(readFileSync(require.resolve('pyodide/package.json'), 'utf8')) as { version: string }).version
  } catch {
    return null
  }
}

/** Made at the first call and kept, because it takes half a second; a failure is not kept. */
function once(make: () => Promise<Buffer>): () => Promise<Buffer> {
  let made: Promise<Buffer> | null = null
  return () => {
    made ??= make().catch((error: unknown) => {
      made = null
      throw error
    })
    return made
  }
}
