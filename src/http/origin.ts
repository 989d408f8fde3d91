// Checks of a request's target, host and origin: the names of this server, the form of a target, and what pages of other sites
// may do. All of it depends only on what the client sent, and runs before any handler.
import type { IncomingHttpHeaders } from 'node:http'
import { isIP } from 'node:net'
import { hostname } from 'node:os'

/** `.` and `..` as a segment of a path, plain or encoded, between slashes or backslashes, plain or encoded. */
const DOT_SEGMENT = /(?:[/\\]|%2f|%5c)(?:\.|%2e){1,2}(?:[/\\]|%2f|%5c|$)/i

/** What is wrong with a request's target, or `null`. Only a path is valid here; a whole address is for proxies. */
export function targetProblem(target: string): string | null {
  if (!target.startsWith('/') || target.startsWith('//')) return 'a request target must begin with one slash: this server is no proxy'
  const query = target.indexOf('?')
  const path = query < 0 ? target : target.slice(0, query)
  return DOT_SEGMENT.test(path) ? 'a path must have no segment "." or "..", also not an encoded one' : null
}

/** What is wrong with the number of Host headers, or `null` (RFC 9112, 3.2). */
export function hostHeaderProblem(rawHeaders: readonly string[], httpVersion: string): string | null {
  let count = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string
    if (name.length === 4 && name.toLowerCase() === 'host') count++
  }
  if (count > 1) return 'a request must have one Host header, not several'
  return count === 0 && httpVersion === '1.1' ? 'a request must have a Host header' : null
}

const HOST = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/

/** The host's name or address without its port, in lower case; `null` if the header has another form. */
function nameOf(host: string): string | null {
  const match = HOST.exec(host.toLowerCase())
  return match === null ? null : (match[1] ?? match[2] as string).replace(/\.$/, '')
}

/**
 * The allowed names of a server: addresses, `localhost`, this machine's name, `own`, and `allowed`, where `.example.org`
 * means that name and all below it, and `*` all names. For a browser, a page whose author points its name at this machine
 * has the same origin as the server; that name is not among these.
 */
export class HostNames {
  readonly #names: Set<string>
  readonly #domains: string[]
  readonly #all: boolean
  /** The last header that was allowed: nearly all are the same. */
  #last: string | null = null

  constructor(own: readonly string[], allowed: readonly string[]) {
    const names = ['localhost', hostname(), ...own, ...allowed].map((name) => name.toLowerCase())
    this.#names = new Set(names.flatMap((name) => (name.startsWith('.') ? [name.slice(1)] : [name])))
    this.#domains = names.filter((name) => name.startsWith('.'))
    this.#all = allowed.includes('*')
  }

  has(host: string): boolean {
    if (this.#all || host === this.#last) return true
    const name = nameOf(host)
    if (name === null) return false
    const allowed = isIP(name) > 0 || this.#names.has(name) || this.#domains.some((domain) => name.endsWith(domain))
    if (allowed) this.#last = host
    return allowed
  }
}

/** A server's own names: the host that it listens on, and that of its public address. */
export function ownNames(host: string, url: string | null | undefined): string[] {
  return url == null ? [host] : [host, new URL(url).hostname]
}

/** Whether the address of an Origin or a Referer has the called host and port. */
function isSameHost(address: string, host: string | undefined): boolean {
  try {
    const { protocol, host: from } = new URL(address)
    return from !== '' && from === new URL(`${protocol}//${host}`).host
  } catch {
    return false
  }
}

/**
 * Why a request counts as one of another site, or `null`. `isPage()`: it is for a page that others may link to. Anything else
 * has a cost or contains data, so a link, a frame or a form elsewhere must not reach it.
 */
export function foreignProblem(method: string, headers: IncomingHttpHeaders, isPage: () => boolean): string | null {
  const { host, origin, referer } = headers
  if (origin !== undefined && !isSameHost(origin, host)) return `${origin} is another origin, and may not use this server`
  const site = headers['sec-fetch-site']
  if (site === 'cross-site' || site === 'same-site') {
    const isLink = method === 'GET' && headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document'
    return isLink && isPage() ? null : 'another site may link to the pages here, but not load or start anything'
  }
  // Some browsers do not send it, for example over plain HTTP from another machine.
  if (site === undefined && referer !== undefined && !isPage() && !isSameHost(referer, host)) {
    return `${referer.slice(0, 200)} is another site, and may link to the pages here, but not load or start anything`
  }
  return null
}

/** Names the client for which the observer passes a request on to the app: a secret of this process, and the client's address. */
export const CLIENT_HEADER = 'x-loopscope-client'

/** The client in that header; `null` without the secret. */
export function clientOf(header: string | string[] | undefined, secret: string): string | null {
  const begin = `${secret} `
  return typeof header === 'string' && header.startsWith(begin) ? header.slice(begin.length) : null
}
