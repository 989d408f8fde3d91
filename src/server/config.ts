// The environment as one typed object, checked at start. Each bad value is reported in one line that names it.
import { isIP } from 'node:net'
import { z } from 'zod'
import { decimalOr, whole, wholeOr } from '../http/fields.ts'
import { LEAST_LIMIT_MS, MOST_LIMIT_MS, WEDGED_MS } from '../http/turning.ts'

/** How many characters of a bad value are shown. */
const MOST_SHOWN = 200

function isRedisUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : null
  return url !== null && /^rediss?:$/.test(url.protocol) && url.hostname !== '' && /^(\/\d*)?$/.test(url.pathname)
    && isEncoded(url.username) && isEncoded(url.password)
}

function isEncoded(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

export const environment = z.object({
  /** The app's port; 0 for any free port. */
  PORT: wholeOr(8000, 0, 65_535),
  /** The observer's port, which answers while the app is stalled. Default: the port after PORT, or any free one if PORT is 0. */
  OBSERVER_PORT: whole(0, 65_535).optional(),
  HOST: z.string().min(1, 'must not be empty').default('127.0.0.1'),
  /** The address of the live view for browsers, if it is not this host at OBSERVER_PORT. */
  OBSERVER_URL: z.url({ protocol: /^https?$/, error: 'must be an http or https address' }).optional(),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
    error: 'must be one of fatal, error, warn, info, debug, trace, silent',
  }).default('info'),
  /** The longest time that a call may ask for, in milliseconds. */
  MAX_MS: wholeOr(10_000, 1, 600_000),
  /** The most runs of examples at the same time. */
  MAX_RUNS: wholeOr(1000, 1, 100_000),
  /** The most subscribers of the event stream at the same time. */
  MAX_SUBSCRIBERS: wholeOr(1000, 1, 100_000),
  /** The most threads for calls with scope=request, besides the pool and the one sensitive thread: further calls wait for one. */
  MAX_THREADS: wholeOr(16, 1, 1000),
  /** How many events are kept. */
  HISTORY: wholeOr(20_000, 1024, 10_000_000),
  /** From how many milliseconds on the loop counts as blocked. */
  BLOCKED_MS: wholeOr(50, 5, 60_000),
  /** From how many milliseconds without a turn of the loop on `/livez` answers 503. */
  WEDGED_MS: wholeOr(WEDGED_MS, LEAST_LIMIT_MS, MOST_LIMIT_MS),
  /** Whether the observer takes the stack of a blocked loop, through Node's inspector. */
  STACKS: z.enum(['on', 'off'], { error: 'must be on or off' }).default('on'),
  /** The limit, for each minute and client, of calls that cost processor time or block the loop; 0 for no limit. */
  RATE_LIMIT: wholeOr(600, 0, 1_000_000),
  /** The proxies in front whose X-Forwarded-For is trusted: addresses, networks, or names of networks. */
  PROXIES: z.string().transform((text) => text.split(',').map((one) => one.trim()))
    .refine((all) => all.every(isNetwork), 'must be addresses, networks such as 10.0.0.0/8 (with 1 to 32 bits, for IPv6 1 to 128), loopback, linklocal or uniquelocal, joined by commas').optional(),
  /** Allowed names of the server besides addresses, localhost and its own; `.example.org` is that name and all below it. */
  ALLOWED_HOSTS: z.string().transform((text) => text.split(',').map((one) => one.trim()))
    .refine((all) => all.every(isHostName), 'must be names such as example.org, .example.org for all below it, or * for any, joined by commas').optional(),
  /** The most requests at the same time. */
  MAX_REQUESTS: wholeOr(10_000, 1, 1_000_000),
  /** Seconds that requests have to finish after SIGTERM. */
  GRACE_SECONDS: decimalOr(5, 0, 600),
  /** The Redis that several processes share; without it this process is alone. */
  REDIS_URL: z.string().refine(isRedisUrl, 'must be a redis:// or rediss:// address, such as redis://127.0.0.1:6379').optional(),
  /** The name of this process' loop among them. Default: the host's name and the process' number. */
  LOOP_NAME: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, 'must be 1 to 64 of A-Z a-z 0-9 . _ -').optional(),
})

export type Environment = z.infer<typeof environment>

export interface Config {
  port: number
  observerPort: number
  host: string
  observerUrl: string | undefined
  logLevel: Environment['LOG_LEVEL']
  maxMs: number
  maxRuns: number
  maxSubscribers: number
  maxThreads: number
  history: number
  blockedMs: number
  wedgedMs: number
  stacks: boolean
  rateLimit: number
  proxies: string[]
  allowedHosts: string[]
  maxRequests: number
  graceSeconds: number
  redisUrl: string | undefined
  loopName: string | undefined
}

function isNetwork(text: string): boolean {
  if (['loopback', 'linklocal', 'uniquelocal'].includes(text)) return true
  const [address = '', bits, ...more] = text.split('/')
  const version = isIP(address)
  return version > 0 && more.length === 0 && (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) >= 1 && Number(bits) <= (version === 4 ? 32 : 128)))
}

function isHostName(text: string): boolean {
  return text === '*' || /^\.?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/.test(text)
}

/** The bad values of the environment: a line for each. */
export class ConfigError extends Error {
  override name = 'ConfigError'
}

/** Reads the configuration. Throws a ConfigError whose message names each bad value, and what is allowed. */
export function readConfig(env: Record<string, string | undefined>): Config {
  const known = Object.fromEntries(Object.keys(environment.shape).map((name) => [name, env[name]]))
  // An empty variable, as compose files leave them, counts as not set.
  for (const name of Object.keys(known)) if (known[name] === '') delete known[name]
  const result = environment.safeParse(known)
  if (!result.success) {
    const lines = result.error.issues.map(({ path, message }) => {
      const name = String(path[0])
      return `${name}=${shown(known[name] ?? '')}: ${message}`
    })
    throw new ConfigError([...new Set(lines)].join('; '))
  }
  const values = result.data
  return {
    port: values.PORT, observerPort: values.OBSERVER_PORT ?? observerPortOf(values.PORT), host: values.HOST, observerUrl: values.OBSERVER_URL,
    logLevel: values.LOG_LEVEL, maxMs: values.MAX_MS, maxRuns: values.MAX_RUNS, maxSubscribers: values.MAX_SUBSCRIBERS, maxThreads: values.MAX_THREADS,
    history: values.HISTORY, blockedMs: values.BLOCKED_MS, wedgedMs: values.WEDGED_MS, stacks: values.STACKS === 'on', rateLimit: values.RATE_LIMIT, proxies: values.PROXIES ?? [],
    allowedHosts: values.ALLOWED_HOSTS ?? [], maxRequests: values.MAX_REQUESTS, graceSeconds: values.GRACE_SECONDS,
    redisUrl: values.REDIS_URL, loopName: values.LOOP_NAME,
  }
}

/** A value for an error message, short and on one line. Anything before an @ may be a password. */
function shown(value: string): string {
  const text = value.replace(/\/\/[^]*@/, '//…@').replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, '�')
  return text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text
}

function observerPortOf(port: number): number {
  return port === 0 || port === 65_535 ? 0 : port + 1
}
