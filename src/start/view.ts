// `loopscope view FILE`: shows a recording, on the page that shows a program.
import { existsSync, statSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createHistogram } from 'node:perf_hooks'
import { helpOf, UsageError, type Options } from '../command/arguments.ts'
import { runCommand } from '../command/command.ts'
import { EXIT, onInterrupt } from '../command/exit.ts'
import { WEDGED_MS } from '../http/turning.ts'
import { ownNames } from '../http/origin.ts'
import { earlierPart, MOST_BYTES } from '../observe/event-file.ts'
import { buildObserverApp } from '../observe/http.ts'
import { LoopRegistry } from '../observe/loop-registry.ts'
import { RecordedLoop } from '../observe/recorded-loop.ts'

const HOST = '127.0.0.1'
const MOST_SUBSCRIBERS = 100

const OPTIONS: Options = {
  port: { kind: 'whole', value: 'N', least: 0, most: 65_535, help: 'the port of the view; 0 for any free one (0)' },
  help: { kind: 'flag', help: 'this text' },
}

const HELP = `loopscope view FILE [options]

Shows a recording that \`loopscope run --output FILE\` has made, on this machine only, until Ctrl-C.

${helpOf(OPTIONS)}`

/** Runs the command until it is interrupted; returns the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    return await runCommand({ name: 'loopscope view', help: HELP, options: OPTIONS }, args, async ({ all, addresses }) => {
      const [file] = addresses
      if (file === undefined || addresses.length > 1) throw new UsageError(`it shows one recording, and was given ${addresses.length} files`)
      await show(file.text, (all.get('port') as number | undefined) ?? 0)
      return EXIT.fine
    })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === undefined) throw error
    console.error(`loopscope view: ${message}`)
    return EXIT.failed
  }
}

/** Serves the view of a recording until Ctrl-C. */
async function show(file: string, port: number): Promise<void> {
  const interrupted = new Promise<void>((resolve) => onInterrupt(resolve))
  const loop = await load(file)
  const loops = new LoopRegistry(loop, {
    name: loop.loop, startedAt: new Date(loop.origin).toISOString(), app: () => null, observer: () => null,
    cancel: () => Promise.resolve(null), locate: () => Promise.resolve(new Map()), most: MOST_SUBSCRIBERS, delays: createHistogram(),
  })
  const app = await buildObserverApp(loops, { names: ownNames(HOST, null), allowedHosts: [], proxies: [], wedgedMs: WEDGED_MS, upstream: null })
  await app.listen({ port, host: HOST })
  const left = loop.unreadable === 0 ? '' : ` (${loop.unreadable} of its lines cannot be read)`
  console.log(`the recording ${file} is at http://${HOST}:${(app.server.address() as AddressInfo).port}${left}`)
  await interrupted
  loop.fanout.end('the view is closing')
  await app.close()
}

/** The recording in this file, and what was recorded before, if that is in a second file. */
async function load(file: string): Promise<RecordedLoop> {
  if (!existsSync(file)) throw new UsageError(`there is no file ${file}`)
  const loop = new RecordedLoop()
  for (const path of [earlierPart(file), file]) {
    if (!existsSync(path)) continue
    if (statSync(path).size > 2 * MOST_BYTES) throw new UsageError(`${path} is larger than a recording can be`)
    await loop.read(path)
  }
  if (loop.history.last === 0 && loop.origin === 0) throw new UsageError(`${file} is no recording: loopscope run --output FILE makes one`)
  return loop
}
