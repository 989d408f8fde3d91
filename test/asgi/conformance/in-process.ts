// Our server in the process of the tests, as it is or broken on purpose: the same sockets, without a start of Node for each.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serve, type Application, type AsgiServer, type ServeOptions } from '../../../src/asgi/index.ts'
import { createApplication } from './application.ts'
import { CERTIFICATE, KEY, linesOf, type Running, type Target } from './targets.ts'

export interface InProcessOptions {
  /** Around the suite's application. */
  middleware?: (app: Application) => Application
  /** In front of the server: returns its own port, and what closes it. */
  proxy?: (port: number) => Promise<{ port: number; close: () => Promise<void> }>
  options?: ServeOptions
}

const HOST = '127.0.0.1'
const TLS: ServeOptions = { http2: true, tls: { key: readFileSync(KEY), cert: readFileSync(CERTIFICATE), requestCert: true, rejectUnauthorized: false } }

export function inProcess(name: string, { middleware = (app) => app, proxy, options = {} }: InProcessOptions = {}): Target {
  return {
    name,
    async start({ lifespan }) {
      const folder = mkdtempSync(join(tmpdir(), 'asgi-conformance-'))
      const file = join(folder, 'log')
      let output = ''
      let code: number | null = null
      const log = (message: string, error: unknown): void => { output += `${message} ${error === null ? '' : String(error)}\n` }
      const open = async (more: ServeOptions, lines?: string): Promise<AsgiServer | null> => {
        try {
          return await serve(middleware(createApplication({ log: lines, ...(lifespan === undefined ? {} : { lifespan }) })), { port: 0, log, ...options, ...more })
        } catch (error) {
          log((error as Error).message, null)
          code = 3
          return null
        }
      }
      const server = await open({}, file)
      const secure = lifespan === undefined ? await open(TLS) : null
      const before = server === null || proxy === undefined ? null : await proxy(server.port)
      let last: string[] | null = null
      const stop = async (): Promise<number | null> => {
        await before?.close()
        for (const one of [server, secure]) {
          await one?.close().catch((error: unknown) => {
            log((error as Error).message, null)
            code = 3
          })
        }
        last ??= linesOf(file)
        rmSync(folder, { recursive: true, force: true })
        return code ??= 0
      }
      const running: Running = {
        address: { host: HOST, port: before?.port ?? server?.port ?? 0, tls: false },
        secure: secure === null ? null : { host: HOST, port: secure.port, tls: true },
        output: () => output,
        lines: () => last ?? linesOf(file),
        stop,
        ended: () => Promise.resolve(code),
      }
      return running
    },
  }
}
