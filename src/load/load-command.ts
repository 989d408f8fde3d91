// `load URL …`: measures, shows its progress, and prints the results. Ctrl-C ends it early and prints the results so far.
import { writeFileSync } from 'node:fs'
import type { LoadResult } from './result.ts'
import { helpOf, UsageError } from '../command/arguments.ts'
import { EXIT, onInterrupt } from '../command/exit.ts'
import { liveLine, progressText } from './progress.ts'
import { ObserverStalls } from './observer.ts'
import { LOAD_OPTIONS, readLoad, type LoadOrder } from './options.ts'
import { TargetError } from './plan.ts'
import { csv, report } from './report.ts'
import { LoadRun } from './run.ts'
import { observerOf, reach } from './target.ts'

const HELP = `loopscope load [options] URL [options] [URL [options]]…
  Sends requests on a schedule, whether or not the server answers, and counts latency from the scheduled moment.
  Each URL is a stream of its own; all run at once.
loopscope load lab [URL] [options]       how a blocking handler delays all other requests, five ways: lab --help
loopscope load classic [URL] [options]   500 requests, 20 in flight, through each of the five: classic --help
From the project's source it is npm run load -- …

of a stream (before the first URL: of all):
${helpOf(LOAD_OPTIONS, ({ ofStream }) => ofStream === true)}

of the whole:
${helpOf(LOAD_OPTIONS, ({ ofStream }) => ofStream !== true)}

exit code: 0 fine, 1 the target failed, 2 the command is wrong, 3 the schedule was not kept, 130 Ctrl-C

  loopscope load http://localhost:8000/ping --rate 100 "http://localhost:8000/handlers/sync?ms=500" --rate 0.5
  loopscope load http://localhost:8000/ping --rate 1000 --arrivals poisson --duration 30 --hdr ping.hdr`

/** Runs the command; returns the exit code. */
export async function loadCommand(args: readonly string[]): Promise<number> {
  if (args.includes('--help')) {
    console.log(HELP)
    return EXIT.fine
  }
  const order = readLoad(args)
  const { plan, hdr } = order
  // It is better to know before the test that a file cannot be written.
  const files = hdr === null ? [] : filesFor(hdr, plan.streams.map(({ name }) => name))
  for (const file of files) write(file, '')
  for (const origin of new Set(plan.streams.map(({ url }) => new URL(url).origin))) await reach(origin)
  let stalls = await observerAsked(order)
  const texts: string[] = []
  const run = new LoadRun(plan, {
    stalls: () => stalls,
    onEnd: (streams) => texts.push(...streams.map(({ stats }) => stats.latencies.text())),
    onLoopscope: (origin) => {
      if (order.observer === null) void observerOf(origin).then(async (found) => {
        if (found !== null) stalls = await ObserverStalls.connect(found)
      })
    },
  })
  const wipe = liveLine(process.stderr, () => {
    const progress = run.progress()
    return progress === null ? null : progressText(progress, plan.duration)
  })
  const release = onInterrupt(() => run.stop('interrupted', 'interrupted'))
  const result = await run.run()
  release()
  wipe()
  stalls?.close()
  files.forEach((file, index) => write(file, texts[index]!))
  print(result, order.output)
  return exitCode(result)
}

function print(result: LoadResult, output: LoadOrder['output']): void {
  if (output === 'json') process.stdout.write(`${JSON.stringify(result, null, 2)}\n`)
  else if (output === 'csv') process.stdout.write(csv(result))
  else process.stdout.write(report(result, Math.min(process.stdout.columns || 100, 120)))
}

/** The exit code for scripts. */
export function exitCode({ ended, streams }: LoadResult): number {
  if (ended === 'interrupted') return EXIT.interrupted
  if (ended === 'gone' || streams.some(({ sent, good }) => sent > 0 && good === 0)) return EXIT.target
  if (streams.some(({ schedule, arrivals }) => !schedule.kept && arrivals !== 'closed')) return EXIT.schedule
  return EXIT.fine
}

/** The observer that the command names; otherwise the loopscope server reports it. */
async function observerAsked({ observer }: LoadOrder): Promise<ObserverStalls | null> {
  if (observer === null || observer === 'off') return null
  const stalls = await ObserverStalls.connect(observer)
  if (stalls === null) throw new TargetError(`${observer} does not serve the event stream of an observer: --observer off does without`)
  return stalls
}

/** One file for one stream; for several streams a file each, with the stream's name in it. */
function filesFor(file: string, names: readonly string[]): string[] {
  if (names.length === 1) return [file]
  const [, stem, extension] = /^(.*?)(\.[^./\\]*)?$/s.exec(file)!
  return names.map((name) => `${stem}.${name.replace(/[^\w-]+/g, '-').replace(/^-+|-+$/g, '') || 'root'}${extension ?? ''}`)
}

function write(file: string, text: string): void {
  try {
    writeFileSync(file, text)
  } catch (error) {
    throw new UsageError(`--hdr ${file} cannot be written: ${(error as Error).message}`)
  }
}
