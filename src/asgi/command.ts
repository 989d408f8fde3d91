// `loopscope asgi FILE[:NAME]`: serves the application in a file, as `uvicorn module:app` does in Python.
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { helpOf, UsageError, type Options } from '../command/arguments.ts'
import { runCommand } from '../command/command.ts'
import { EXIT, onInterrupt } from '../command/exit.ts'
import { requireApplication } from './application.ts'
import { LifespanFailed } from './lifespan.ts'
import { isRootPath, isSocketPath, LONGEST_UDS, serve, type AsgiServer, type ServeOptions } from './server.ts'
import type { Application } from './types.ts'

const OPTIONS: Options = {
  port: { kind: 'whole', value: 'N', least: 0, most: 65_535, help: 'the port (8000); 0 for any free one' },
  host: { kind: 'text', value: 'NAME', help: 'the address to listen on (127.0.0.1)' },
  uds: { kind: 'text', value: 'PATH', help: 'a UNIX socket to listen on instead, for a proxy on this machine' },
  'root-path': { kind: 'text', value: 'PATH', help: 'where a proxy mounts the application: what it takes from the paths' },
  lifespan: { kind: 'text', value: 'MODE', words: ['auto', 'on', 'off'], help: 'auto, on or off (auto): whether the application has a lifespan' },
  http2: { kind: 'flag', help: 'HTTP/2 besides HTTP/1.1; needs a certificate' },
  'tls-cert': { kind: 'text', value: 'FILE', help: 'the certificate, as PEM, for HTTPS' },
  'tls-key': { kind: 'text', value: 'FILE', help: 'its key, as PEM' },
  'observer-port': { kind: 'whole', value: 'N', least: 0, most: 65_535, help: 'the port of the live view (8001); 0 for any free one' },
  'no-observer': { kind: 'flag', help: 'without the live view' },
  'ws-ping-interval': { kind: 'number', value: 'S', least: 0, most: 3600, help: 'how many seconds are between pings to a WebSocket (20); 0 for none' },
  grace: { kind: 'number', value: 'S', least: 0, most: 3600, help: 'how many seconds requests may continue when it ends (2)' },
  help: { kind: 'flag', help: 'this text' },
}

const HELP = `loopscope asgi FILE[:NAME] [options]

Serves the ASGI application that FILE exports as NAME; without a name, its default export, or else \`app\`.

${helpOf(OPTIONS)}

  loopscope asgi app.js
  loopscope asgi src/site.js:admin --port 9000 --observer-port 9001`

/** Runs the command until it is interrupted; returns the exit code. Errors are one line on stderr. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    return await runCommand({ name: 'loopscope asgi', help: HELP, options: OPTIONS }, args, async ({ all, addresses }) => {
      const [target] = addresses
      if (target === undefined || addresses.length > 1) throw new UsageError(`it serves one application, and was given ${addresses.length} files`)
      const options = optionsOf(all)
      return serveUntilInterrupted(await load(target.text), options)
    })
  } catch (error) {
    const { code, message, cause } = error as NodeJS.ErrnoException
    if (error instanceof LifespanFailed) {
      console.error(`loopscope asgi: ${message}`, cause ?? '')
      return EXIT.startup
    }
    if (code === undefined) throw error
    console.error(`loopscope asgi: ${message}`)
    return EXIT.failed
  }
}

function optionsOf(given: ReadonlyMap<string, unknown>): ServeOptions {
  const [cert, key] = [given.get('tls-cert'), given.get('tls-key')] as (string | undefined)[]
  if ((cert === undefined) !== (key === undefined)) throw new UsageError('--tls-cert and --tls-key belong together')
  if (given.has('http2') && cert === undefined) throw new UsageError('--http2 needs --tls-cert and --tls-key: browsers speak it only over TLS')
  if (given.has('no-observer') && given.has('observer-port')) throw new UsageError('--observer-port and --no-observer contradict each other')
  const rootPath = (given.get('root-path') as string | undefined) ?? ''
  if (!isRootPath(rootPath)) throw new UsageError(`--root-path begins with a slash and does not end with one, not "${rootPath}"`)
  const host = given.get('host') as string | undefined
  const uds = given.get('uds') as string | undefined
  if (uds !== undefined && !isSocketPath(uds)) throw new UsageError(`--uds is a path of at most ${LONGEST_UDS} bytes, not ${Buffer.byteLength(uds)}`)
  if (uds !== undefined && given.has('port')) throw new UsageError('--uds is instead of --port')
  if (uds !== undefined && host !== undefined && given.has('no-observer')) throw new UsageError('--host has no meaning with --uds and without the live view')
  return {
    ...(uds === undefined ? { port: (given.get('port') as number | undefined) ?? 8000, ...(host === undefined ? {} : { host }) } : { uds }),
    rootPath,
    lifespan: (given.get('lifespan') as 'auto' | 'on' | 'off' | undefined) ?? 'auto',
    ...(cert === undefined || key === undefined ? {} : { tls: { cert: read('--tls-cert', cert), key: read('--tls-key', key) }, http2: given.has('http2') }),
    observer: given.has('no-observer') ? false : { port: (given.get('observer-port') as number | undefined) ?? 8001, ...(host === undefined ? {} : { host }) },
    ...(given.has('ws-ping-interval') ? { pingSeconds: given.get('ws-ping-interval') as number } : {}),
    graceSeconds: (given.get('grace') as number | undefined) ?? 2,
  }
}

function read(option: string, path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new UsageError(`${option} ${path} cannot be read: ${(error as Error).message}`)
  }
}

/** The application that a file exports. Throws a UsageError that says what is there instead. */
async function load(target: string): Promise<Application> {
  // The drive of a path of Windows has a colon, too.
  const colon = target.lastIndexOf(':')
  const [file, name] = colon > 1 ? [target.slice(0, colon), target.slice(colon + 1)] : [target, null]
  const path = resolve(file)
  if (!existsSync(path)) throw new UsageError(`there is no file ${file}`)
  const module = await imported(path, file)
  const exported = name ?? ['default', 'app'].find((one) => one in module)
  if (exported === undefined || !(exported in module)) {
    const names = Object.keys(module).join(', ')
    throw new UsageError(`${file} exports no ${name ?? 'default, and no app'}; it exports: ${names === '' ? 'nothing' : names}`)
  }
  const app = module[exported]
  try {
    requireApplication(app)
  } catch (error) {
    throw new UsageError(`${exported} of ${file}: ${(error as Error).message}`)
  }
  return app
}

async function imported(path: string, file: string): Promise<Record<string, unknown>> {
  try {
    return (await import(pathToFileURL(path).href)) as Record<string, unknown>
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_UNKNOWN_FILE_EXTENSION') throw error
    throw new UsageError(`this Node (${process.version}) does not load ${file}: from 22.18 on it loads TypeScript itself; before, with tsx: NODE_OPTIONS="--import tsx" loopscope asgi ${file}`)
  }
}

async function serveUntilInterrupted(app: Application, options: ServeOptions): Promise<number> {
  const interrupted = new Promise<void>((resolve) => onInterrupt(resolve))
  const server = await serve(app, options)
  console.log(greeting(server))
  await interrupted
  try {
    await server.close()
  } catch (error) {
    if (!(error instanceof LifespanFailed)) throw error
    console.error(`loopscope asgi: ${error.message}`, error.cause ?? '')
    return EXIT.failed
  }
  return EXIT.fine
}

function greeting({ url, observer }: AsgiServer): string {
  return `the application is at ${url}${observer === null ? '' : `\nthe live view is at ${observer}`}`
}
