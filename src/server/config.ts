// The environment as one typed object, checked at start. A bad value is one line that names it.
import { isIP } from 'node:net'
import { z } from 'zod'
import { decimalOr, whole, wholeOr } from '../http/fields.ts'

/** As many characters of a bad value are shown. */
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
  /** Where the app listens; 0 takes any free port. */
  PORT: wholeOr(8000, 0, 65_535),
  /** Where the observer listens, which answers while the app is stalled. By default the port after PORT, and any free one where that is 0. */
  OBSERVER_PORT: whole(0, 65_535).optional(),
  HOST: z.string().min(1, 'must not be empty').default('127.0.0.1'),
  /** Where browsers find the live view, where it is not this host at OBSERVER_PORT. */
  OBSERVER_URL: z.url({ protocol: /^https?$/, error: 'must be an http or https address' }).optional(),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
    error: 'must be one of fatal, error, warn, info, debug, trace, silent',
  }).default('info'),
  /** The longest that one call may be asked to take, in milliseconds. */
  MAX_MS: wholeOr(10_000, 1, 600_000),
  /** Runs of examples at the same time. */
  MAX_RUNS: wholeOr(1000, 1, 100_000),
  /** Subscribers of the event stream at the same time. */
  MAX_SUBSCRIBERS: wholeOr(1000, 1, 100_000),
  /** Threads for calls with scope=request, beside the pool and the one sensitive thread: further calls wait for one. */
  MAX_THREADS: wholeOr(16, 1, 1000),
  /** How many events are kept. */
  HISTORY: wholeOr(20_000, 1024, 10_000_000),
  /** From how many milliseconds on a held loop is called blocked. */
  BLOCKED_MS: wholeOr(50, 5, 60_000),
  /** Whether the observer takes the stack of a blocked loop, through Node's inspector. */
  STACKS: z.enum(['on', 'off'], { error: 'must be on or off' }).default('on'),
  /** Calls a minute and client to what costs processor time or holds the loop; 0: as many as come. */
  RATE_LIMIT: wholeOr(600, 0, 1_000_000),
  /** The proxies in front, whose X-Forwarded-For is believed: addresses, networks, or names of networks. */
  PROXIES: z.string().transform((text) => text.split(',').map((one) => one.trim()))
    .refine((all) => all.every(isNetwork), 'must be addresses, networks such as 10.0.0.0/8 (with 1 to 32 bits, for IPv6 1 to 128), loopback, linklocal or uniquelocal, joined by commas').optional(),
  /** Names by which the server may be called besides addresses, localhost and its own; `.example.org` is that name and all below it. */
  ALLOWED_HOSTS: z.string().transform((text) => text.split(',').map((one) => one.trim()))
    .refine((all) => all.every(isHostName), 'must be names such as example.org, .example.org for all below it, or * for any, joined by commas').optional(),
  /** Requests at the same time. */
  MAX_REQUESTS: wholeOr(10_000, 1, 1_000_000),
  /** Seconds that requests have to finish after SIGTERM. */
  GRACE_SECONDS: decimalOr(5, 0, 600),
  /** The Redis that several processes share; without it this one is alone. */
  REDIS_URL: z.string().refine(isRedisUrl, 'must be a redis:// or rediss:// address, such as redis://127.0.0.1:6379').optional(),
  /** What this process' loop is called among them. By default the host's name and the process' number. */
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

/** What the environment says is wrong: one line each. */
export class ConfigError extends Error {
  override name = 'ConfigError'
}

/** Read the configuration. Throws a ConfigError whose message names each bad value, what it is, and what is allowed. */
export function readConfig(env: Record<string, string | undefined>): Config {
  const known = Object.fromEntries(Object.keys(environment.shape).map((name) => [name, env[name]]))
  // An empty variable, as compose files leave them, is one that was not set.
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
    history: values.HISTORY, blockedMs: values.BLOCKED_MS, stacks: values.STACKS === 'on', rateLimit: values.RATE_LIMIT, proxies: values.PROXIES ?? [],
    allowedHosts: values.ALLOWED_HOSTS ?? [], maxRequests: values.MAX_REQUESTS, graceSeconds: values.GRACE_SECONDS,
    redisUrl: values.REDIS_URL, loopName: values.LOOP_NAME,
  }
}

/** A value as an error names it, on one line and not endless. What is before an @ may be a password. */
function shown(value: string): string {
  const text = value.replace(/\/\/[^]*@/, '//…@').replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, '�')
  return text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text
}

function observerPortOf(port: number): number {
  return port === 0 || port === 65_535 ? 0 : port + 1
}
