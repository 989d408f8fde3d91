// Watches this process from its start. Whatever goes wrong here is one line on standard error, and the program runs unwatched.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { existsSync, readdirSync, writeSync } from 'node:fs'
import type { AddressInfo, Server } from 'node:net'
import { basename, dirname, resolve } from 'node:path'
import '../index.ts'
import { start, type Started } from '../observe/start.ts'
import { fromVariables, groupOf, isDescendant, ofDescendant, variableOf, type WatchOptions } from './options.ts'

/** Written directly: the stream makes a pipe non-blocking, and the program's own synchronous writes to it then fail. */
function say(message: string): void {
  try {
    writeSync(2, `loopscope: ${message}\n`)
  } catch { /* it is closed, or full */ }
}

/** Starts an observer with the options in the environment. */
export function watchFromStart(): void {
  try {
    const descendant = isDescendant(process.env, process.pid)
    const given = fromVariables(process.env)
    const options = descendant ? ofDescendant(given, process.pid) : given
    const output = options.output === null ? null : placeOf(options.output, descendant)
    const started = start({ port: options.port, host: options.host, blockedMs: options.threshold }, null, { output, group: { secret: groupOf(process.env), first: !descendant } })
    started.client.log = (_level, message) => say(message.replace(/^loopscope: /, ''))
    started.client.ready.then(() => ready(options, started), (error: unknown) => failed(error, started))
    if (options.onPort !== null) onFirstPort(options.onPort, started)
  } catch (error) {
    say(`process ${process.pid} is not watched: ${(error as Error).message}`)
  }
}

/** The most recordings of processes that other watched ones have started, in one folder. */
const MOST_RECORDINGS = 32

/** The absolute path of the recording: processes that this one starts may be in another folder. `null` if there are too many already. */
function placeOf(output: string, descendant: boolean): string | null {
  const path = resolve(output)
  if (!descendant) {
    process.env[variableOf('output')] = path
    return path
  }
  const withoutNumber = (name: string): string => name.replace(/\.\d+(?=(\.[^.]*)?$)/, '.')
  const others = existsSync(dirname(path)) ? readdirSync(dirname(path)).filter((name) => withoutNumber(name) === withoutNumber(basename(path))) : []
  if (others.length < MOST_RECORDINGS) return path
  say(`process ${process.pid} is not recorded: there are ${others.length} such recordings in ${dirname(path)} already`)
  return null
}

function ready({ open }: WatchOptions, { client }: Started): void {
  if (open && client.url !== null && !client.isMember) client.shell(openerOf(client.url))
}

function failed(error: unknown, { observing }: Started): void {
  say(`process ${process.pid} is not watched: ${(error as Error).message}`)
  void observing.close()
}

/** The command that opens an address in the user's browser. */
function openerOf(url: string): string {
  const opener: Partial<Record<NodeJS.Platform, string>> = { darwin: 'open', win32: 'start ""' }
  return `${opener[process.platform] ?? 'xdg-open'} "${url}"`
}

/** Runs the command once the program listens on a port. */
function onFirstPort(command: string, { client }: Started): void {
  const CHANNEL = 'tracing:net.server.listen:asyncEnd'
  const listening = (message: unknown): void => {
    const address = (message as { server: Server }).server.address() as AddressInfo | string | null
    if (address === null || typeof address === 'string') return
    unsubscribe(CHANNEL, listening)
    client.shell(command, { PORT: String(address.port) })
  }
  subscribe(CHANNEL, listening)
}
