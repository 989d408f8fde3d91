// Says where people look that a stall is over: one line in the log, as of a slow query, and a call of the program's own function.
import type { Frame, StallKind, Victim } from '../events/schema.ts'
import type { LogLevel } from './protocol.ts'
import type { Stall } from './stall.ts'
import type { Telemetry } from './telemetry.ts'

export interface StallReportOptions {
  /**
   * Whether each stall is logged, as one line on standard error (of the Fastify plugin: in the app's log, as a warning); or a
   * function that gets the line. Default true.
   */
  logStalls?: boolean | ((line: string) => void) | undefined
  /** Called after each stall, on the thread that was blocked. */
  onStall?: ((stall: Stall) => void) | undefined
  /** The address that gets each stall as JSON, by POST, from the observer's thread. */
  webhook?: string | undefined
}

/** Files below it are not the program's own. */
export const LIBRARIES = /[\\/]node_modules[\\/]/

/** The most characters of a name in a line. */
const MOST_NAME = 300

/** Throws a TypeError if an option has a value that it cannot have. */
export function requireReportOptions({ logStalls, onStall, webhook }: StallReportOptions): void {
  if (logStalls !== undefined && typeof logStalls !== 'boolean' && typeof logStalls !== 'function') {
    throw new TypeError(`logStalls: must be true, false or a function, got ${String(logStalls)}`)
  }
  if (onStall !== undefined && typeof onStall !== 'function') throw new TypeError(`onStall: must be a function, got ${String(onStall)}`)
  if (webhook !== undefined && !/^https?:$/.test(protocolOf(webhook))) {
    throw new TypeError(`webhook: must be a URL that begins with http:// or https://, got ${JSON.stringify(webhook)}`)
  }
}

function protocolOf(url: unknown): string {
  return typeof url === 'string' && URL.canParse(url) ? new URL(url).protocol : ''
}

interface Reported {
  seconds: number
  name: string
  kind?: StallKind | undefined
  victims: readonly Victim[]
}

/**
 * A stall in one line: `blocked for 702 ms (javascript) by GET /report #2, in parse (xml/parser.js:80), called by report (app.mjs:12);
 * 3 requests delayed by up to 690 ms`. `places`: the innermost line, and the innermost line of the program if that one is a library's.
 */
export function lineOf({ seconds, name, kind, victims }: Reported, places: readonly Frame[]): string {
  const where = places.map((place, at) => `, ${at === 0 ? '' : 'called '}${placeOf(place, at === 0 ? 'in' : 'by')}`).join('')
  const requests = victims.filter(({ request }) => request !== undefined).length
  const delayed = [counted(requests, 'request'), counted(victims.length - requests, 'task')].filter((part) => part !== '').join(' and ')
  const most = victims.reduce((most, victim) => Math.max(most, victim.seconds), 0)
  const judged = kind === undefined ? '' : ` (${kind})`
  return plain(`blocked for ${ms(seconds)}${judged} by ${name.slice(0, MOST_NAME)}${where}${delayed === '' ? '' : `; ${delayed} delayed by up to ${ms(most)}`}`)
}

function placeOf({ function: name, file, line }: Frame, before: string): string {
  const place = `${file.split(LIBRARIES).at(-1)}:${line}`
  return name === '' || name === '<anonymous>' ? `at ${place}` : `${before} ${name} (${place})`
}

function counted(many: number, what: string): string {
  return many === 0 ? '' : `${many} ${what}${many === 1 ? '' : 's'}`
}

function ms(seconds: number): string {
  return `${Math.round(seconds * 1000)} ms`
}

/** A name can be any text, and must not begin a line of its own or send commands to a terminal. */
function plain(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]/gu, '?')
}

/** On the thread that is watched. */
export class StallReports {
  readonly #options: StallReportOptions
  readonly #telemetry: Telemetry
  readonly #log: (level: LogLevel, message: string) => void

  constructor(options: StallReportOptions, telemetry: Telemetry, log: (level: LogLevel, message: string) => void) {
    requireReportOptions(options)
    this.#telemetry = telemetry
    this.#options = options
    this.#log = log
  }

  /** A stall is over. Functions of the program that fail are reported, and change nothing. */
  report(stall: Stall, line: string): void {
    const { logStalls = true, onStall } = this.#options
    this.#call('of the OpenTelemetry meter', () => this.#telemetry.record(stall.seconds))
    if (logStalls === true) this.#log('warn', `loopscope: ${line}`)
    else if (logStalls !== false) this.#call('logStalls', () => logStalls(line))
    if (onStall !== undefined) this.#call('onStall', () => onStall(stall))
  }

  #call(option: string, fn: () => unknown): void {
    const failed = (error: unknown): void => this.#log('error', `the function ${option} failed: ${error instanceof Error ? error.stack : String(error)}`)
    try {
      // It may be asynchronous.
      Promise.resolve(fn()).catch(failed)
    } catch (error) {
      failed(error)
    }
  }
}
