// Copies of the server with one past fault each, which the fuzzer must find.
import { execFile } from 'node:child_process'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { replaceOnce, type Replacement } from '../support/replace.ts'

export interface Break {
  title: string
  /** Matches the findings that show it. */
  found: RegExp
  changes: Replacement[]
}

export const BREAKS: Break[] = [
  {
    title: 'the observer calls whatever address a client sends',
    found: /called-by|another server|this is refused/,
    changes: [
      { file: 'src/http/origin.ts', was: "if (!target.startsWith('/') || target.startsWith('//'))", now: 'if (target === \'\')' },
      {
        file: 'src/observe/proxy.ts',
        was: "call({ host: hostname.replace(/^\\[|\\]$/g, ''), port, path: request.url, method: request.method, headers, agent })",
        now: 'call(new URL(request.url, base), { method: request.method, headers, agent })',
      },
    ],
  },
  {
    title: 'a page may use the server by a name that its author has pointed here',
    found: /this is refused/,
    changes: [{ file: 'src/http/protection.ts', was: 'if (host !== undefined && !known.has(host)) {', now: 'if (known === null) {' }],
  },
  {
    title: 'an upgrade that is refused is not closed',
    found: /the connection is closed|as before/,
    changes: [{ file: 'src/http/websockets.ts', was: "upgrades.emit('upgrade', request, socket, head)\n      closeWhenAnswered(socket)", now: "upgrades.emit('upgrade', request, socket, head)" }],
  },
  {
    title: 'a URL that cannot be decoded is answered in a shape of its own',
    found: /an error has a code of the table/,
    changes: [{
      file: 'src/http/server.ts', was: 'answerError(error, request as FastifyRequest, reply as FastifyReply)',
      now: "(reply as FastifyReply).code(400).send({ statusCode: 400, code: error.code, error: 'Bad Request', message: error.message, path: (request as FastifyRequest).url })",
    }],
  },
  {
    title: 'what is no request is answered inside the answer that is under way',
    found: /whole answers/,
    changes: [{ file: 'src/http/errors.ts', was: 'if (socket.destroyed || !socket.writable || unanswered(socket) > 0) {', now: 'if (socket.destroyed || !socket.writable || unanswered(socket) < 0) {' }],
  },
  {
    title: 'a request that waits behind another is begun when its client has left',
    found: /as before/,
    changes: [{ file: 'src/http/connections.ts', was: 'if (next === undefined || next.socket === null || start === undefined) return', now: 'if (next === undefined || start === undefined) return' }],
  },
]

const execute = promisify(execFile)
const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Copies the server's sources into `folder`, below this tree, where its packages are found; breaks the copy, and builds what is broken. */
export async function breakServer({ changes }: Break, folder: string): Promise<string> {
  for (const name of ['src', 'routes', 'workers', 'examples', 'dist', 'tools', 'package.json', 'tsconfig.json', 'tsconfig.build.json']) await cp(join(ROOT, name), join(folder, name), { recursive: true })
  for (const change of changes) await replaceOnce(folder, change)
  await execute(process.execPath, ['tools/build.mjs'], { cwd: folder })
  return folder
}
