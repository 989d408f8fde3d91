// Starts the server: reads the configuration, listens, says where, and closes with grace.
import type { AddressInfo } from 'node:net'
import type { LoggerOptions } from 'pino'
import { buildApp } from './app.ts'
import { ConfigError, readConfig, type Config } from './config.ts'
import { ObserverListenError } from '../observer/life.ts'
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

function logger(config: Config): LoggerOptions {
  const level = config.logLevel
  if (!process.stdout.isTTY) return { level }
  return { level, transport: { target: 'pino-pretty', options: { translateTime: 'HH:MM:ss.l', ignore: 'pid,hostname' } } }
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
    `  curl "${app}/handlers/sync?thread=inline&ms=3000" & sleep 0.5; curl -i ${app}/ping`,
    `  curl ${app}/`,
  ].join('\n')
}

const config = read()
const app = await buildApp(config, { logger: logger(config) })
let closing = false
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    if (closing) {
      app.log.warn(`${signal} a second time: leaving at once`)
      process.exit(1)
    }
    closing = true
    void shutDown(app, signal).then(() => process.exit(0), (error: unknown) => {
      app.log.fatal({ err: error }, 'closing failed')
      process.exit(1)
    })
  })
}

try {
  await app.listen({ port: config.port, host: config.host })
} catch (error) {
  const { code, message } = error as NodeJS.ErrnoException
  await app.close()
  const [variable, port] = error instanceof ObserverListenError ? ['OBSERVER_PORT', config.observerPort] : ['PORT', config.port]
  if (code === 'EADDRINUSE') fail(`${variable}=${port}: something else listens on ${config.host}:${port} already; choose another ${variable}`)
  if (code === 'EACCES') fail(`${variable}=${port}: this user may not listen there; choose a ${variable} above 1023`)
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') fail(`HOST=${config.host}: this machine has no such address`)
  fail(message)
}
// The app serves already; only what is said of the observer's address has to wait for it.
await app.observer.ready.catch(() => {})
console.log(greeting(config, (app.server.address() as AddressInfo).port, app.observer.port))
