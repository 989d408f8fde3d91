// Starts the server: reads the configuration, listens, reports the address, and closes with grace.
import type { AddressInfo } from 'node:net'
import { buildApp, type App } from './app.ts'
import { ConfigError, readConfig, type Config } from './config.ts'
import { within } from '../http/fields.ts'
import type { LogOptions } from '../http/server.ts'
import { output } from './output.ts'
import { shutDown } from './shutdown.ts'

function fail(message: string): never {
  console.error(message)
  process.exit(1)
}

function read(): Config {
  try {
    return readConfig(process.env)
  } catch (error) {
    if (error instanceof ConfigError) fail(error.message)
    throw error
  }
}

async function logger({ logLevel: level }: Config): Promise<LogOptions> {
  if (!process.stdout.isTTY) return { level, stream: output }
  const { prettyFactory } = await import('pino-pretty')
  const pretty = prettyFactory({ translateTime: 'HH:MM:ss.l', ignore: 'pid,hostname' })
  return { level, stream: { write: (line) => output.write(pretty(line)) } }
}

async function build(config: Config): Promise<App> {
  try {
    return await buildApp(config, { logger: await logger(config) })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === undefined) throw error
    // For example, the system has no thread for the observer.
    fail(`the server cannot start: ${message}`)
  }
}

/** The most ms that the last lines of the log may take to be written. */
const DRAIN_MS = 1000

async function leave(code: number): Promise<never> {
  await output.drain(DRAIN_MS)
  process.exit(code)
}

function greeting(config: Config, port: number, observerPort: number | null): string {
  const name = config.host.includes(':') ? `[${config.host}]` : config.host
  const local = name === '0.0.0.0' || name === '[::]' || name === '127.0.0.1' ? 'localhost' : name
  const app = `http://${local}:${port}`
  return [
    `loopscope listens on http://${name}:${port}`,
    `its observer, which goes on answering while the loop is blocked, listens on http://${name}:${observerPort}`,
    `the live view is at ${config.observerUrl ?? `http://${local}:${observerPort}`}`,
    'try:',
    `  curl -N ${app}/examples/3/run`,
    `  curl "${app}/handlers/sync?thread=inline&ms=${within(3000, 0, config.maxMs)}" & sleep 0.5; curl -i ${app}/ping`,
    `  curl ${app}/`,
  ].join('\n')
}

const config = read()
const app = await build(config)
output.onWorking = (dropped) => app.log.warn({ dropped }, `the log can be written again, and ${dropped} lines of it were dropped`)
let closing = false
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (closing) {
      // A closing terminal or a supervisor sends it together with another signal: it asks for nothing more.
      if (signal === 'SIGHUP') return
      app.log.warn(`${signal} a second time: leaving at once`)
      process.exit(1)
    }
    closing = true
    void shutDown(app, signal).then(() => leave(0), (error: unknown) => {
      app.log.fatal({ err: error }, 'closing failed')
      return leave(1)
    })
  })
}

try {
  await app.listen({ port: config.port, host: config.host })
} catch (error) {
  const { code, message } = error as NodeJS.ErrnoException
  await app.close()
  const [variable, port] = (error as Error).name === 'ObserverListenError' ? ['OBSERVER_PORT', config.observerPort] : ['PORT', config.port]
  if (code === 'EADDRINUSE') fail(`${variable}=${port}: something else listens on ${config.host}:${port} already; choose another ${variable}`)
  if (code === 'EACCES') fail(`${variable}=${port}: this user may not listen there; choose a ${variable} above 1023`)
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') fail(`HOST=${config.host}: this machine has no such address`)
  fail(message)
}
// The app already serves; only the message with the observer's address waits for it.
await app.observer.ready.catch(() => {})
output.write(`${greeting(config, (app.server.address() as AddressInfo).port, app.observer.port)}\n`)
