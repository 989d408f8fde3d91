// `load lab` and `load classic`: against a running loopscope server, or one that they start.
import type { LabOptions, LaneResult } from './lab.ts'
import type { Options } from '../command/arguments.ts'
import { helpOf, readArguments, UsageError, type Given } from '../command/arguments.ts'
import { classicReport, runClassic, type ClassicOptions, type ClassicResult } from './classic.ts'
import { EXIT, onInterrupt } from '../command/exit.ts'
import { runLab } from './lab.ts'
import { LANE_NAMES, type LaneName } from './scenarios.ts'
import { labReport } from './lab-report.ts'
import { liveLine, progressText } from './progress.ts'
import { ObserverStalls } from './observer.ts'
import { numberOf, readAddress, textOf } from './options.ts'
import { startServer } from './own-server.ts'
import { TargetError } from './plan.ts'
import { observerOf, reach } from './target.ts'
import { warm } from './warmup.ts'

const COMMON: Options = {
  lanes: { kind: 'text', value: 'A,B', help: `only these: ${LANE_NAMES.join(', ')}` },
  json: { kind: 'flag', help: 'print the results as JSON' },
  help: { kind: 'flag', help: 'print this' },
}
const LAB_OPTIONS: Options = {
  requests: { kind: 'whole', value: 'N', least: 1, most: 1000, help: 'requests at once (10)' },
  ms: { kind: 'whole', value: 'MS', least: 1, most: 60_000, help: 'how long each takes (200)' },
  rate: { kind: 'number', value: 'N', least: 1, most: 10_000, help: 'probes a second (100)' },
  observer: { kind: 'text', value: 'URL', help: 'read stalls from this observer; "off": from the answers alone' },
  ...COMMON,
}
const CLASSIC_OPTIONS: Options = {
  requests: { kind: 'whole', value: 'N', least: 1, most: 100_000, help: 'requests in all (500)' },
  'in-flight': { kind: 'whole', value: 'N', least: 1, most: 1000, help: 'how many at a time (20)' },
  ms: { kind: 'whole', value: 'MS', least: 1, most: 10_000, help: 'the mean delay (20)' },
  seed: { kind: 'whole', value: 'N', least: 0, most: 2 ** 31 - 1, help: 'what the delays are drawn from (1)' },
  ...COMMON,
}

const help = (name: string, what: string, options: Options): string =>
  `loopscope load ${name} [URL] [options]\n  ${what}\n  Without a URL it starts a server of its own on free ports, and stops it at the end.\n\n${helpOf(options)}`

/** Runs `lab`; returns the exit code. */
export async function labCommand(args: readonly string[]): Promise<number> {
  if (args.includes('--help')) {
    console.log(help('lab', 'Probes a loopscope server while requests that block go through each lane in turn.', LAB_OPTIONS))
    return EXIT.fine
  }
  const { all, address } = read(args, LAB_OPTIONS, 'lab')
  const observer = textOf(all, 'observer')
  const asked = { lanes: lanesOf(all), requests: numberOf(all, 'requests') ?? 10, ms: numberOf(all, 'ms') ?? 200, rate: numberOf(all, 'rate') ?? 100 }
  return against(address, asked.lanes, async (url) => {
    const origin = observer === 'off' ? null : observer ?? await observerOf(url)
    const stalls = origin === null ? null : await ObserverStalls.connect(origin)
    if (stalls === null && observer !== null && observer !== 'off') throw new TargetError(`${observer} does not serve the event stream of an observer: --observer off does without`)
    const options: LabOptions = { url, ...asked }
    const controller = new AbortController()
    const release = onInterrupt(() => controller.abort())
    let now = ''
    const wipe = liveLine(process.stderr, () => now)
    const results = await runLab(options, {
      stalls, signal: controller.signal,
      laneStarted: (lane) => {
        now = `${lane} (${asked.lanes.indexOf(lane) + 1} of ${asked.lanes.length}): ${asked.requests} requests of ${asked.ms} ms`
      },
    })
    wipe()
    release()
    stalls?.close()
    print(all, { ...options, results }, () => labReport(results, options))
    return codeOf(results, asked.lanes.length, controller.signal)
  })
}

/** Runs `classic`; returns the exit code. */
export async function classicCommand(args: readonly string[]): Promise<number> {
  if (args.includes('--help')) {
    console.log(help('classic', 'The same requests with seeded delays through each lane: total time and mean latency.', CLASSIC_OPTIONS))
    return EXIT.fine
  }
  const { all, address } = read(args, CLASSIC_OPTIONS, 'classic')
  const asked = {
    lanes: lanesOf(all), requests: numberOf(all, 'requests') ?? 500, inFlight: numberOf(all, 'in-flight') ?? 20,
    ms: numberOf(all, 'ms') ?? 20, seed: numberOf(all, 'seed') ?? 1,
  }
  return against(address, asked.lanes, async (url) => {
    const options: ClassicOptions = { url, ...asked }
    const controller = new AbortController()
    const release = onInterrupt(() => controller.abort())
    let currentText = (): string | null => null
    const wipe = liveLine(process.stderr, () => currentText())
    const results = await runClassic(options, (_lane, run) => {
      currentText = () => {
        const progress = run.progress()
        return progress === null ? null : progressText(progress, run.plan.duration)
      }
    }, controller.signal)
    wipe()
    release()
    print(all, { ...options, results }, () => classicReport(results, options))
    return codeOf(results, asked.lanes.length, controller.signal)
  })
}

function codeOf(results: readonly (LaneResult | ClassicResult)[], wanted: number, { aborted }: AbortSignal): number {
  if (aborted) return EXIT.interrupted
  const good = results.every((result) => result.ended === 'finished' && ('good' in result ? result.good : result.load.good) > 0)
  return good && results.length === wanted ? EXIT.fine : EXIT.target
}

function print(all: Given, data: object, text: () => string): void {
  process.stdout.write(all.has('json') ? `${JSON.stringify(data, null, 2)}\n` : text())
}

function read(args: readonly string[], options: Options, command: string): { all: Given; address: string | null } {
  const { all, addresses } = readArguments(args, options)
  if (addresses.length > 1) throw new UsageError(`${command} measures one server, and was given ${addresses.length} addresses`)
  const text = addresses[0]?.text
  return { all, address: text === undefined ? null : new URL(readAddress(text)).origin }
}

function lanesOf(all: Given): LaneName[] {
  const text = textOf(all, 'lanes')
  if (text === null) return [...LANE_NAMES]
  const names = text.split(',')
  for (const name of names) if (!(LANE_NAMES as readonly string[]).includes(name)) throw new UsageError(`--lanes: there is no lane "${name}"; there are: ${LANE_NAMES.join(', ')}`)
  if (new Set(names).size < names.length) throw new UsageError(`--lanes ${text}: a lane is given twice`)
  return names as LaneName[]
}

/** Runs it against the server at `address`, or against one that is started for it. */
async function against(address: string | null, lanes: readonly LaneName[], run: (url: string) => Promise<number>): Promise<number> {
  if (address !== null) {
    await reach(address)
    await warm(address, lanes)
    return run(address)
  }
  const own = await startServer()
  try {
    await warm(own.url, lanes)
    return await run(own.url)
  } finally {
    await own.stop()
  }
}
