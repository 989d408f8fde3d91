// The live view's files, built by Vite into dist/ui. The app serves it at /view/, an observer at its root. A file is read when it
// is sent: both threads would keep megabytes in memory that browsers ask for once.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import type { PageFile } from './page-file.ts'
import { pythonFiles } from './python-files.ts'

/** The frame for the playground's programs. It contains its policy itself; only a header can set the rest. */
const SEALED = 'sandbox.html'

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8', '.svg': 'image/svg+xml',
  '.json': 'application/json; charset=utf-8', '.map': 'application/json; charset=utf-8', '.wasm': 'application/wasm', '.txt': 'text/plain; charset=utf-8',
}

/** Where the page is, relative to this file: in the build, which has the folders of the sources, or in the package, whose files are in one folder. */
const PLACES = ['../../ui/', '../ui/'].map((path) => new URL(path, import.meta.url))

/** The message if the page has not been built. */
export const NOT_BUILT = 'the live view is not built: npm run build makes it, and so does npm ci'

/** The page's files by their path, the page itself as index.html; null if it has not been built. */
export function readPage(): Map<string, PageFile> | null {
  const page = PLACES.find((place) => existsSync(new URL('index.html', place)) && existsSync(new URL('assets/', place)))
  if (page === undefined) return null
  const files = new Map<string, PageFile>(pythonFiles())
  for (const path of readdirSync(page, { recursive: true, encoding: 'utf8' })) {
    const type = TYPES[extname(path)]
    if (type === undefined) continue
    const name = path.replaceAll('\\', '/')
    const file = new URL(name, page)
    files.set(name, { type, read: () => readFile(file), immutable: name.startsWith('assets/'), policy: name === SEALED ? sealedPolicy(readFileSync(file, 'utf8')) : null, version: null, packed: null })
  }
  return files
}

function sealedPolicy(document: string): string {
  const own = /Content-Security-Policy" content="([^"]+)"/.exec(document)?.[1] ?? "default-src 'none'"
  return `${own}; frame-ancestors 'self'; sandbox allow-scripts`
}
