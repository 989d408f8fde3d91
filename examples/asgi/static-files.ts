// An application that serves the files below a folder. Where the server can send a file by itself (`http.response.pathsend`),
// it does; otherwise the file is sent in parts, as the client takes them.
import { createReadStream } from 'node:fs'
import { realpath, stat } from 'node:fs/promises'
import { extname, join, sep } from 'node:path'
import type { Application, Bytes, HttpScope } from '../../src/asgi/index.ts'
import { fromAsyncIterable, fromPromise } from '../../src/index.ts'
import { field, header, respond } from './responses.ts'

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8', '.css': 'text/css; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.mjs': 'text/javascript; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8', '.md': 'text/markdown; charset=utf-8', '.json': 'application/json', '.svg': 'image/svg+xml', '.png': 'image/png',
  '.jpg': 'image/jpeg', '.webp': 'image/webp', '.ico': 'image/x-icon', '.woff2': 'font/woff2', '.wasm': 'application/wasm', '.pdf': 'application/pdf',
}

interface Found {
  path: string
  size: number
  modified: Date
}

export function staticFiles(folder: string): Application {
  return function* files(scope, _receive, send) {
    if (scope.type !== 'http') throw new Error(`files are served by HTTP, not to the scope ${scope.type}`)
    if (scope.method !== 'GET' && scope.method !== 'HEAD') return yield* respond(send, 405, 'a file can only be read\n', [field('allow', 'GET, HEAD')])
    const found = yield* fromPromise(find(folder, scope.path.slice(scope.root_path.length)))
    if (found === null) return yield* respond(send, 404, `there is no file ${scope.path}\n`)
    const { path, size, modified } = found
    const tag = `"${size.toString(16)}-${modified.getTime().toString(16)}"`
    const headers = [field('etag', tag), field('last-modified', modified.toUTCString())]
    if (isUnchanged(scope, tag, modified)) {
      yield* send({ type: 'http.response.start', status: 304, headers })
      return yield* send({ type: 'http.response.body' })
    }
    const type = TYPES[extname(path).toLowerCase()] ?? 'application/octet-stream'
    yield* send({ type: 'http.response.start', status: 200, headers: [field('content-type', type), field('x-content-type-options', 'nosniff'), field('content-length', size), ...headers] })
    if (scope.method === 'HEAD' || size === 0) return yield* send({ type: 'http.response.body' })
    if ('http.response.pathsend' in scope.extensions) return yield* send({ type: 'http.response.pathsend', path })
    // Not more than was announced, also if the file grows meanwhile.
    const parts = createReadStream(path, { end: size - 1 }) as AsyncIterable<Bytes>
    yield* fromAsyncIterable(parts).forEach((body) => send({ type: 'http.response.body', body, more_body: true }))
    yield* send({ type: 'http.response.body' })
  }
}

/** The file for a path; null without one below the folder. Names that begin with a dot are not served. */
async function find(folder: string, path: string): Promise<Found | null> {
  const segments = path.split('/').filter((segment) => segment !== '')
  if (segments.some((segment) => segment.startsWith('.') || /[\0\\:]/.test(segment))) return null
  try {
    const root = await realpath(folder)
    let full = await realpath(join(root, ...segments))
    if ((await stat(full)).isDirectory()) full = await realpath(join(full, 'index.html'))
    const stats = await stat(full)
    // A symbolic link may lead out of the folder.
    if (!full.startsWith(root.endsWith(sep) ? root : root + sep) || !stats.isFile()) return null
    return { path: full, size: stats.size, modified: new Date(Math.floor(stats.mtimeMs)) }
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES', 'ENAMETOOLONG', 'ELOOP'].includes((error as NodeJS.ErrnoException).code ?? '')) return null
    throw error
  }
}

/** Whether the client has this version of the file already. The tag decides, if it has one (RFC 9110, 13.2.2). */
function isUnchanged({ headers }: HttpScope, tag: string, modified: Date): boolean {
  const known = header(headers, 'if-none-match')
  if (known !== '') return known.split(',').some((one) => ['*', tag].includes(one.trim().replace(/^W\//, '')))
  const since = Date.parse(header(headers, 'if-modified-since'))
  return Math.floor(modified.getTime() / 1000) * 1000 <= since
}
