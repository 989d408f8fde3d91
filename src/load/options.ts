// Turns the command line of a load test into a plan. What is impossible or contradictory is refused before anything is sent.
import type { CommandLine, Given, Options } from '../command/arguments.ts'
import { readArguments, UsageError } from '../command/arguments.ts'
import { STREAM, type Arrivals, type Plan, type StreamPlan } from './plan.ts'

const MOST_STREAMS = 16
const DURATION = 10
const WARMUP = 1

export const LOAD_OPTIONS: Options = {
  rate: { kind: 'number', value: 'N', least: 0.001, most: 1_000_000, ofStream: true, help: `requests per second (${STREAM.rate})` },
  arrivals: {
    kind: 'text', value: 'HOW', words: ['constant', 'poisson', 'burst', 'closed'], ofStream: true,
    help: 'constant (default), poisson, burst: all --requests at once, closed: each when another one is answered',
  },
  requests: { kind: 'whole', value: 'N', least: 1, most: 10_000_000, ofStream: true, help: 'stop after N requests' },
  after: { kind: 'number', value: 'S', least: 0, most: 86_400, ofStream: true, help: 'begin S seconds after the start of the measurement' },
  connections: { kind: 'whole', value: 'N', least: 1, most: 10_000, ofStream: true, help: `the most connections at once (${STREAM.connections}); closed: requests in flight` },
  timeout: { kind: 'number', value: 'S', least: 0.001, most: 3600, ofStream: true, help: `give up S seconds after a request was due (${STREAM.timeout})` },
  method: { kind: 'text', value: 'NAME', ofStream: true, help: 'GET, or POST where there is a body' },
  header: { kind: 'text', value: '"NAME: VALUE"', many: true, ofStream: true, help: 'send this header; may be given several times' },
  body: { kind: 'text', value: 'TEXT', ofStream: true, help: 'send this body' },
  name: { kind: 'text', value: 'NAME', ofStream: true, help: 'the name of the stream in the results' },
  duration: { kind: 'number', value: 'S', least: 0.1, most: 86_400, help: `seconds to measure (${DURATION})` },
  warmup: { kind: 'number', value: 'S', least: 0, most: 3600, help: `seconds of requests before that, which do not count (${WARMUP})` },
  seed: { kind: 'whole', value: 'N', least: 0, most: 2 ** 31 - 1, help: 'the seed of Poisson arrivals (1)' },
  json: { kind: 'flag', help: 'print the results as JSON' },
  csv: { kind: 'flag', help: 'print latencies over time as CSV' },
  hdr: { kind: 'text', value: 'FILE', help: 'write the latencies to FILE in HdrHistogram\'s text format' },
  observer: { kind: 'text', value: 'URL', help: 'read stalls from this observer; "off": from the answers alone' },
  help: { kind: 'flag', help: 'print this' },
}

export interface LoadOrder {
  plan: Plan
  output: 'text' | 'json' | 'csv'
  hdr: string | null
  /** `null` means: find it. */
  observer: string | null
}

/** Reads a command line. Throws a UsageError. */
export function readLoad(args: readonly string[]): LoadOrder {
  const line = readArguments(args, LOAD_OPTIONS)
  const { all, addresses } = line
  if (addresses.length === 0) throw new UsageError('an address to load is missing, for example http://localhost:8000/ping')
  if (addresses.length > MOST_STREAMS) throw new UsageError(`${addresses.length} addresses are too many: ${MOST_STREAMS} streams at most`)
  const duration = numberOf(all, 'duration') ?? DURATION
  const streams = addresses.map((_, index) => streamOf(line, index, duration))
  name(streams)
  if (all.has('json') && all.has('csv')) throw new UsageError('--json and --csv both want the standard output: choose one')
  const observer = textOf(all, 'observer')
  return {
    plan: { streams, duration, warmup: numberOf(all, 'warmup') ?? WARMUP, seed: numberOf(all, 'seed') ?? 1 },
    output: all.has('json') ? 'json' : all.has('csv') ? 'csv' : 'text', hdr: textOf(all, 'hdr'),
    observer: observer === null || observer === 'off' ? observer : new URL(readAddress(observer)).origin,
  }
}

function streamOf({ addresses, common }: CommandLine, index: number, duration: number): StreamPlan {
  const { text, own } = addresses[index]!
  const given: Given = new Map([...common, ...own])
  const url = readAddress(text)
  const arrivals = (textOf(given, 'arrivals') ?? STREAM.arrivals) as Arrivals
  const requests = numberOf(given, 'requests')
  const body = textOf(given, 'body')
  const method = (textOf(given, 'method') ?? (body === null ? 'GET' : 'POST')).toUpperCase()
  const after = numberOf(given, 'after') ?? STREAM.after
  if (!/^[A-Z]{1,20}$/.test(method)) throw new UsageError(`--method is the name of an HTTP method, not "${method}"`)
  if (body !== null && (method === 'GET' || method === 'HEAD')) throw new UsageError(`--method ${method} and --body contradict each other: a ${method} has no body`)
  if (given.has('rate') && (arrivals === 'burst' || arrivals === 'closed')) {
    const why = arrivals === 'burst' ? 'its requests leave all at once' : 'the answers set its pace'
    throw new UsageError(`--arrivals ${arrivals} and --rate contradict each other: ${why}`)
  }
  if (arrivals === 'burst' && requests === null) throw new UsageError('--arrivals burst needs --requests: how many leave at once')
  if (after >= duration) throw new UsageError(`--after ${after} and --duration ${duration} contradict each other: nothing of ${text} would ever leave`)
  return {
    ...STREAM, url, name: textOf(given, 'name') ?? '', method, body, arrivals, requests, after, headers: headersOf(given),
    rate: numberOf(given, 'rate') ?? STREAM.rate,
    connections: numberOf(given, 'connections') ?? STREAM.connections,
    timeout: numberOf(given, 'timeout') ?? STREAM.timeout,
  }
}

function headersOf(given: Given): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const text of (given.get('header') as string[] | undefined) ?? []) {
    const match = /^([\w!#$%&'*+.^`|~-]+):\s*([\x20-\x7e]*)$/.exec(text)
    if (match === null) throw new UsageError(`--header is "NAME: VALUE", not "${text}"`)
    headers[match[1]!.toLowerCase()] = match[2]!
  }
  return headers
}

/** A full http or https address. */
export function readAddress(text: string): string {
  if (!/^https?:\/\//i.test(text)) {
    throw new UsageError(`"${text}" is no address that can be loaded: it begins with http:// or https://, for example http://localhost:8000/ping`)
  }
  let url: URL
  try {
    url = new URL(text)
  } catch {
    throw new UsageError(`"${text}" is not a valid address: look at its host and its port (1 to 65535)`)
  }
  if (url.port === '0') throw new UsageError(`"${text}": port 0 is no port that anything listens on`)
  if (url.username !== '') throw new UsageError(`"${url.origin}": a name in the address is not sent; use --header "authorization: …"`)
  return url.href.replace(/#.*$/, '')
}

/** Gives streams distinct names. */
function name(streams: StreamPlan[]): void {
  const taken = new Set<string>()
  for (const stream of streams) {
    if (stream.name === '') continue
    if (taken.has(stream.name)) throw new UsageError(`two streams are called ${stream.name}: give each a --name of its own`)
    taken.add(stream.name)
  }
  for (const stream of streams) {
    if (stream.name !== '') continue
    const path = new URL(stream.url).pathname
    for (let count = 1; stream.name === ''; count++) {
      const name = count === 1 ? path : `${path} ${count}`
      if (!taken.has(name)) stream.name = name
    }
    taken.add(stream.name)
  }
}

export function numberOf(given: Given, name: string): number | null {
  return (given.get(name) as number | undefined) ?? null
}

export function textOf(given: Given, name: string): string | null {
  return (given.get(name) as string | undefined) ?? null
}
