// Bytes that no client library sends: odd targets, heads, framing, requests sent ahead, and noise.
import type { Random } from '../conformance/random.ts'
import { FOREIGN, query } from './queries.ts'
import { bytesOf, cut, PORTS, type Surface, type Try } from './try.ts'
import { text } from './values.ts'

const METHODS = ['GET', 'GET', 'GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND', 'M-SEARCH', 'QUERY', 'PURGE', 'SOURCE', 'get', 'Get', 'FOO', 'G', '', 'GET\t', 'G\0T', 'PRI', 'GET'.repeat(300)] as const
const VERSIONS = ['HTTP/1.1', 'HTTP/1.0', 'HTTP/0.9', 'HTTP/2', 'HTTP/2.0', 'HTTP/3', 'HTTP/1.2', 'HTTP/1', 'HTTP/11', 'http/1.1', 'HTTP/01.1', 'HTTP/1.1 ', 'HTTP /1.1', 'HTTQ/1.1', 'ICE/1.0', 'RTSP/1.0', '', 'HTTP/-1.1', `HTTP/${'1'.repeat(50)}.1`] as const
const DOTS = ['..', '.', '%2e%2e', '%2E%2e', '.%2e', '%2e.', '%2e', '%2E'] as const
const SLASHES = ['/', '/', '/', '%2f', '%2F', '\\', '%5c', '//'] as const
const PLACES = ['/examples', '/handlers', '/handlers/async', '/lab', '/view', '/docs', '/docs/static', '/runs', '/tasks', ''] as const
const BEYOND = ['metrics', 'docs/json', 'openapi.json', 'tasks/99', 'etc/passwd', 'package.json', 'x', ''] as const

/** Targets that lead somewhere else than they seem to: absolute, of an authority, or with dot segments. All must be refused. */
function elsewhere(random: Random, { sentinel, calling, hosts }: Surface): string {
  switch (random.int(0, 6)) {
    case 0: return `${random.pick(['http:', 'HTTP:', 'https:', 'ws:', 'http:/', 'ftp:'])}//${random.pick([sentinel.host, `x@${sentinel.host}`])}${calling}`
    case 1: return `http://${sentinel.host}${random.pick(['/handlers/..', '/examples/..', '/lab/..', '/ping?x=', '/handlers/async?x='])}${calling}`
    case 2: return `//${sentinel.host}${calling}`
    case 3: return `${random.pick(['@', ':', '\\\\', '/\\', '%2f%2f', ''])}${sentinel.host}${calling}`.replace(/^\/(?=\\)/, '//')
    case 4: return `http://${hosts[random.pick(PORTS)]}${random.pick(PLACES)}`
    case 5: return random.pick(['*', 'ping', '?x', '#x', '//', '///', '//ping', 'http:ping', ':80', 'localhost:80', 'mailto:a@b', '..', '../ping'])
    default: {
      const steps = Array.from({ length: random.int(1, 4) }, () => `${random.pick(SLASHES.slice(0, 7))}${random.pick(DOTS)}`).join('')
      return `${random.pick(PLACES.slice(0, -1))}${steps}${random.pick(SLASHES.slice(0, 7))}${random.pick(BEYOND)}${random.chance(0.3) ? '?x=1' : ''}`
    }
  }
}

/** Odd targets with any result: not found, refused, or even right. */
function odd(random: Random): string {
  switch (random.int(0, 6)) {
    case 0: return `/${random.pick(['%zz', '%', '%2', '%00', '%ff', '%c0%ae', '%u0041', 'a%', '%25%zz', '%E0%A4%A'])}${random.chance(0.5) ? random.pick(PLACES) : ''}`
    case 1: return `${random.pick(PLACES)}/${random.pick(['1', 'a', '%31', '0', '-1']).repeat(random.pick([1, 99, 101, 200, 3000]))}`
    case 2: return `/ping?${'a=1&'.repeat(random.pick([1, 100, 3000]))}`
    case 3: return `/${'a/'.repeat(random.pick([10, 1000, 7000]))}`
    case 4: return `/${text(random).replace(/[\s\0]/g, '') || 'x'}`
    case 5: return `/${random.pick(['ping', 'PING', 'ping/', 'ping;x=1', 'ping#x', 'ping%3fx', 'ping%23', 'ping%20', 'ping.json', '__proto__', 'constructor', 'toString', 'favicon.ico', '.git/config', '.env'])}`
    default: return random.pick(['/view', '/view/', '/view/x', '/view/index.html', '/view/%2e%2e%2fx', '/docs/', '/docs/static/', '/docs/static/index.html', '/docs/static/x', '/docs/yaml', '/docs/json', '/openapi.json?x'])
  }
}

export function target(random: Random, surface: Surface): Try {
  const to = random.pick(PORTS)
  const refused = random.chance(0.6)
  const target = refused ? elsewhere(random, surface) : odd(random)
  const method = random.chance(0.8) ? 'GET' : random.pick(['DELETE', 'POST', 'OPTIONS', 'HEAD'])
  const bytes = bytesOf({ method, target, headers: [`Host: ${surface.hosts[to]}`, ...(method === 'POST' ? ['Content-Length: 0', 'Content-Type: text/plain'] : [])] })
  // Bytes above 127, or a letter that is not allowed, are answered by the parser: with an end of the connection.
  return { to, pieces: cut(random, bytes), methods: [method], ending: 'answered', most: 1, refused, resets: random.chance(0.5) }
}

const ODD_LINES = [
  'X', ': x', ' X: y', '\tX: y', 'X : y', 'X:y', 'X\0: y', 'X: a\0b', 'X: a\rb', 'X: a\nb', 'X: y\r\n folded', 'X: \x01', 'X: \xff\xfe', 'X\x80: y', '(x): y', 'X: y\r', '__proto__: x', 'X: ',
  'Connection: close', 'Connection: keep-alive, close', 'Connection: x', 'Connection: Host', 'Connection: Upgrade', 'Keep-Alive: timeout=99999', 'Proxy-Connection: keep-alive', 'Upgrade: x', 'Upgrade: h2c',
  'HTTP2-Settings: AAMAAABkAAQAAP__', 'Max-Forwards: 0', 'Date: x', 'Content-Type: x', 'Trailer: x', 'Trailer: content-length', 'TE: trailers', 'Accept-Encoding: gzip', 'Expect: 100-continue', 'Expect: x', 'Expect: ', 'Expect: 100-continue, x',
] as const

/** A head that is wrong, or nearly: the parser may decide, as long as the answer has our shape. */
export function head(random: Random, { hosts, sentinel }: Surface): Try {
  const to = random.pick(PORTS)
  const host = `Host: ${random.chance(0.6) ? hosts[to] : random.pick([...FOREIGN, sentinel.host.replace('127.0.0.1', 'evil.example')])}`
  const lines = [host]
  for (let count = random.int(0, 3); count > 0; count--) lines.push(random.pick(ODD_LINES))
  if (random.chance(0.1)) lines.shift()
  if (random.chance(0.1)) lines.push(random.chance(0.5) ? host : 'Host: evil.example')
  if (random.chance(0.05)) for (let count = random.pick([10, 200, 1500, 4000]); count > 0; count--) lines.push(`X-${count}: y`)
  if (random.chance(0.04)) lines.push(`X-Long: ${'x'.repeat(random.pick([1000, 15_000, 17_000, 100_000]))}`)
  const method = random.pick(METHODS)
  const version = random.chance(0.7) ? 'HTTP/1.1' : random.pick(VERSIONS)
  let bytes = bytesOf({ method, target: random.pick(['/ping', '/healthz', '/nothing', '/tasks']), version, headers: random.shuffled(lines) })
  if (random.chance(0.1)) bytes = Buffer.from(bytes.toString('latin1').replaceAll('\r\n', random.pick(['\n', '\r', '\r\r\n', '\n\r'])), 'latin1')
  if (random.chance(0.05)) bytes = Buffer.concat([Buffer.from(random.pick(['\r\n', '\r\n\r\n', '\n', ' ', '\0', '\xef\xbb\xbf'])), bytes])
  if (random.chance(0.04)) bytes = Buffer.from(random.pick(['GET /\r\n', 'GET /\r\n\r\n', 'GET\r\n\r\n', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 'CONNECT a:80 HTTP/1.1\r\n\r\n', '\r\n'.repeat(1000), 'SSH-2.0-x\r\n', 'GET / HTTP/1.1']), 'latin1')
  if (random.chance(0.05)) bytes = bytesOf({ method: 'CONNECT', target: random.pick([sentinel.host, '/ping', 'localhost:80', '*']), headers: lines })
  return { to, pieces: cut(random, bytes), methods: [methodOf(bytes)], ending: 'over', most: 2, expects: true, resets: random.chance(0.3) }
}

/** HEAD, with an answer without body, or another method: as in the bytes, no matter how they were made. */
function methodOf(bytes: Buffer): string {
  return /^[\r\n]*HEAD /.test(bytes.toString('latin1')) ? 'HEAD' : 'GET'
}

const CODINGS = ['chunked', 'Chunked', 'chunked ', ' chunked', 'xchunked', 'chunked, chunked', 'gzip, chunked', 'chunked, identity', 'identity', '', ',', 'chunked\t', '"chunked"', 'gzip'] as const
const LENGTHS = ['0', '1', '5', '-1', '+5', '5, 5', '5,6', '0x5', '5.0', '', ' ', '99999999999999999999', '1e1', '5 5', '005', '18446744073709551617'] as const
const SIZES = ['0', '5', '05', '-5', '+5', '0x5', '5 ', ' 5', '5;a=b', '5;', `5;${'a'.repeat(20_000)}`, 'ffffffff', 'ffffffffffffffffff', 'g', '', '5\n', `${'0'.repeat(300)}5`, '5;"\r\n"'] as const

/** A body with a wrong length, or with two. */
export function framing(random: Random, { hosts }: Surface): Try {
  const to = random.pick(PORTS)
  const headers = [`Host: ${hosts[to]}`]
  if (random.chance(0.7)) headers.push(`Transfer-Encoding: ${random.chance(0.5) ? 'chunked' : random.pick(CODINGS)}`)
  if (random.chance(0.5)) headers.push(`Content-Length: ${random.pick(LENGTHS)}`)
  if (random.chance(0.1)) headers.push(`Content-Length: ${random.pick(LENGTHS)}`)
  if (random.chance(0.1)) headers.push(`Transfer-Encoding: ${random.pick(CODINGS)}`)
  if (random.chance(0.3)) headers.push(random.pick(['Trailer: x', 'Trailer: ', 'Expect: 100-continue', 'Expect: x', 'Content-Encoding: gzip', 'TE: chunked']))
  headers.push(`Content-Type: ${random.chance(0.7) ? 'application/json' : 'text/plain'}`)
  const smuggled = random.chance(0.2) ? `GET /nothing/smuggled HTTP/1.1\r\nHost: ${hosts[to]}\r\n\r\n` : ''
  let body = ''
  for (let count = random.int(0, 3); count > 0; count--) body += `${random.chance(0.6) ? '5' : random.pick(SIZES)}${random.pick(['\r\n', '\r\n', '\r\n', '\n', ''])}${random.pick(['abcde', '[[]]]', ''])}${random.pick(['\r\n', '\r\n', '\n', ''])}`
  if (random.chance(0.7)) body += `0\r\n${random.pick(['', '', 'X: y\r\n', 'Content-Length: 5\r\n', 'Host: evil.example\r\n', `X: ${'x'.repeat(20_000)}\r\n`, 'bad\r\n', ' folded\r\n'])}\r\n`
  const method = random.pick(['POST', 'POST', 'GET', 'DELETE', 'HEAD', 'PUT'])
  const bytes = Buffer.concat([bytesOf({ method, target: random.pick(['/lab', '/ping', '/healthz', '/nothing']), headers: random.shuffled(headers), body }), Buffer.from(smuggled)])
  // A rest of the body may be read as a request.
  return { to, pieces: cut(random, bytes), methods: [method, 'GET'], ending: 'over', most: 3, expects: true, resets: random.chance(0.3) }
}

const BEHIND = ['GARBAGE\r\n\r\n', 'GET', '\0\0\0\0', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', '\r\n\r\nX', 'GET / HTTP/9.9\r\n\r\n', `${'x'.repeat(20_000)}\r\n\r\n`, 'POST /ping HTTP/1.1\r\nContent-Length: x\r\n\r\n', '\x16\x03\x01', 'GET /%zz\r\n'] as const
const UNDER_WAY = ['/handlers/async?ms=10', '/events', '/docs/json', '/openapi.json', '/examples/5/run?speed=100', '/examples/1/run?speed=1000', '/handlers/sync?ms=3&thread=pool', '/metrics', '/ping', '/nothing', '/trace', '/examples/3'] as const

/** Requests that are sent before the earlier answers; or something invalid, behind a request that is being answered. */
export function ahead(random: Random, { hosts }: Surface): Try {
  const to = random.pick(PORTS)
  const headers = [`Host: ${hosts[to]}`]
  const tail = random.chance(0.5)
  if (tail) {
    const first = bytesOf({ target: random.pick(UNDER_WAY), headers })
    const behind = Buffer.from(random.pick(BEHIND), 'latin1')
    const pieces = random.chance(0.5) ? [first, behind] : cut(random, Buffer.concat([first, behind]))
    return { to, pieces, methods: ['GET', 'GET'], ending: 'over', most: 2, resets: random.chance(0.3) }
  }
  const count = random.weighted([{ weight: 8, count: random.int(2, 10) }, { weight: 2, count: random.int(50, 150) }]).count
  const first = random.int(1, 1e6)
  const targets = Array.from({ length: count }, (_, at) => `/nothing/${first + at}`)
  const bytes = Buffer.concat(targets.map((target) => bytesOf({ target, headers })))
  return {
    to, pieces: cut(random, bytes, 0.5), methods: targets.map(() => 'GET'), ending: random.chance(0.85) ? 'answered' : 'left', most: count, echoes: targets.map((target) => `GET ${target} here`),
    resets: random.chance(0.3),
  }
}

/** Noise, or a request with a few bytes changed. */
export function noise(random: Random, surface: Surface): Try {
  const to = random.pick(PORTS)
  let bytes: Buffer
  if (random.chance(0.3)) bytes = Buffer.from(Array.from({ length: random.int(1, 300) }, () => random.int(0, 255)))
  else {
    bytes = Buffer.concat(query(random, surface).pieces)
    for (let count = random.int(1, 6); count > 0; count--) {
      const at = random.int(0, bytes.length - 1)
      if (random.chance(0.5)) bytes[at] = random.int(0, 255)
      else bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from(random.pick(['\r\n', '\0', ' ', '%', ':', '\n', '\r\n\r\n', '/../', '?', ''])), bytes.subarray(at + random.int(0, 2))])
    }
  }
  return { to, pieces: cut(random, bytes), methods: [methodOf(bytes)], ending: 'over', most: 5, expects: true, resets: random.chance(0.3) }
}

/** Half of something, and then nothing more: the client leaves. */
export function half(random: Random, surface: Surface): Try {
  const whole = random.pick([query, target, framing, ahead])(random, surface)
  const bytes = Buffer.concat(whole.pieces)
  const part = bytes.subarray(0, random.int(0, bytes.length))
  return { to: whole.to, pieces: cut(random, part), methods: whole.methods, ending: 'left', most: whole.most, expects: true, resets: random.chance(0.5) }
}
