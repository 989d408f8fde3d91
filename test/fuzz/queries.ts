// Valid HTTP requests: every route, with any values in its fields, with the headers that browsers and proxies send, and with
// bodies.
import type { Random } from '../conformance/random.ts'
import { bytesOf, cut, PORTS, type Port, type Request, type Route, type Surface, type Try } from './try.ts'
import { fillPath, queryOf, text } from './values.ts'

const ACCEPTS = ['*/*', 'text/plain', 'application/json', 'application/x-ndjson', 'text/html', 'text/event-stream', 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8', 'a/b', '', ';;;', '*/*;q=0', 'text/*;q=1.5']
/** Runs until the client leaves: only the head of its answer is waited for. */
const RUN = /^\/examples\/[^/]+\/run/
/** Small ids are those of the tasks of other tries. */
const CANCELS = 'DELETE'

/** Sends one request, and waits for its answer. */
function one(random: Random, to: Port, request: Request, rest: Partial<Try> = {}): Try {
  const pieces = cut(random, bytesOf(request), 0.1)
  return { to, pieces, methods: [request.method ?? 'GET'], ending: 'answered', most: 1, reuse: true, ...rest }
}

function accept(random: Random): string[] {
  return random.chance(0.5) ? [`Accept: ${random.pick(ACCEPTS)}`] : []
}

/** How the client of a route behaves: an endless answer is left. */
function endingOf({ path }: Route, target: string): Pick<Try, 'ending' | 'reuse'> {
  if (path === '/events') return { ending: 'begun', reuse: false }
  return RUN.test(target) ? { ending: 'left', reuse: false } : { ending: 'answered' }
}

export function query(random: Random, { routes, hosts }: Surface): Try {
  const route = random.pick(routes)
  const to = random.pick(PORTS)
  const valid = random.chance(0.4)
  const { method, path, parameters, body } = route
  const given = path.startsWith('/examples/{n}/run') && random.chance(0.8) ? { speed: '1000' } : {}
  const target = `${fillPath(path, parameters, random, valid)}${queryOf(parameters, random, valid, given)}`
  const wrong = random.chance(0.05)
  const headers = [`Host: ${hosts[to]}`, ...accept(random)]
  // Not with its defaults: a lab takes a separate process for seconds.
  const said = body || wrong ? '[]' : ''
  if (said !== '') headers.push('Content-Type: application/json', `Content-Length: ${said.length}`)
  return one(random, to, { method: wrong ? random.pick(['POST', 'PUT', 'HEAD', 'OPTIONS', 'PATCH', CANCELS]) : method, target, headers, body: said }, endingOf(route, target))
}

const SITES = ['same-origin', 'same-site', 'cross-site', 'none', 'x', '']
const EVIL = ['http://evil.example', 'https://evil.example:443', 'null', 'file://', 'http://localhost.evil.example', 'http://127.0.0.1@evil.example', 'chrome-extension://abcdef']
/** Hosts that are not this server's. */
export const FOREIGN = ['evil.example', 'evil.example:80', 'localhost.evil.example', '127.0.0.1.evil.example', '127.0.0.1@evil.example', 'evil.example/', 'local host', '[::1', 'localhost:x', ',', 'localhost,evil.example', '*', '127.0.0.1:8000:8000'] as const
const FORWARDING = ['X-Forwarded-For', 'X-Forwarded-Host', 'X-Forwarded-Proto', 'X-Forwarded-Port', 'X-Real-IP', 'Forwarded', 'X-Original-URL', 'X-Rewrite-URL', 'X-HTTP-Method-Override', 'X-Host', 'Via', 'True-Client-IP']

/** A header about the origin or target of a request; and whether that alone is a reason to refuse it. */
function header(random: Random, { hosts, sentinel, calling }: Surface, to: Port): [line: string, refused: boolean] {
  switch (random.int(0, 9)) {
    case 0: return [`Origin: ${random.pick(EVIL)}`, true]
    case 1: return [`Origin: http://${hosts[to]}`, false]
    case 2: return [`Referer: ${random.pick([...EVIL, `http://${hosts[to]}/`, text(random).replace(/[^\x20-\x7e]/g, '?')])}`, false]
    case 3: return [`${random.pick(FORWARDING)}: ${random.pick([sentinel.host, calling, '127.0.0.1', '1.2.3.4, 5.6.7.8', 'evil.example', '/metrics', 'DELETE', 'unknown', 'a'.repeat(500)])}`, false]
    case 4: return [`X-Request-Start: ${random.pick(['t=0', 't=1', 't=1e999', 't=-5', 'x', '', 't=NaN', `t=${'9'.repeat(300)}`, 't=1792000000000'])}`, false]
    case 5: return [`Last-Event-ID: ${random.pick(['', '1:1', 'x', '1:1,2:2', ','.repeat(2000), 'ffffffff:9007199254740993', 'a'.repeat(9000)])}`, false]
    case 6: return [`${random.pick(['Cookie', 'Authorization', 'Proxy-Authorization'])}: ${random.pick(['a=b', 'Basic Og==', 'Bearer x', '=', ';', 'a'.repeat(4000)])}`, false]
    case 7: return [`${random.pick(['If-None-Match', 'If-Modified-Since', 'Range', 'If-Range', 'Accept-Encoding', 'TE', 'Pragma', 'Connection'])}: ${random.pick(['*', '"x"', 'bytes=0-0', 'bytes=-1', 'bytes=5-1', 'gzip', 'close', 'keep-alive', 'x', 'trailers'])}`, false]
    case 8: return [`${random.pick(['x-loopscope-client', 'X-Loopscope', 'Host2', '__proto__', 'constructor', 'toString', 'x'.repeat(200)])}: ${text(random).replace(/[^\x20-\x7e\x80-\xff]/g, '?')}`, false]
    default: return [`Sec-Fetch-Mode: ${random.pick(['navigate', 'cors', 'no-cors', 'websocket', 'x'])}`, false]
  }
}

export function headers(random: Random, surface: Surface): Try {
  const { hosts, routes } = surface
  const to = random.pick(PORTS)
  let refused = random.chance(0.1)
  const lines = [`Host: ${refused ? random.pick(FOREIGN) : hosts[to]}`, ...accept(random)]
  for (let count = random.int(1, 4); count > 0; count--) {
    const [line, foreign] = header(random, surface, to)
    lines.push(line)
    refused ||= foreign
  }
  const site = random.chance(0.4) ? random.pick(SITES) : null
  if (site !== null) lines.push(`Sec-Fetch-Site: ${site}`)
  const route = random.pick(routes.filter(({ method, path }) => method === 'GET' && !RUN.test(path)))
  // None of these is a page that another site may link to.
  const isPage = /^\/($|view|docs)/.test(route.path)
  refused ||= (site === 'cross-site' || site === 'same-site') && !isPage
  const target = fillPath(route.path, route.parameters, random, true)
  return one(random, to, { target: `${target}${queryOf(route.parameters, random, true)}`, headers: random.shuffled(lines) }, { ...endingOf(route, target), refused, reuse: false })
}

function deep(random: Random): string {
  const depth = random.pick([10, 1000, 20_000])
  return random.chance(0.5) ? '['.repeat(depth) + ']'.repeat(depth) : '{"a":'.repeat(depth) + '1' + '}'.repeat(depth)
}

const WRONG: readonly ((random: Random) => string | Buffer)[] = [
  () => '', () => '{', () => 'null', () => '[]', () => '0', () => '"text"', () => 'NaN', () => '\ufeff{}', () => "{'requests':1}", () => '{"requests":1,}',
  () => Buffer.from('{"ms":1}', 'utf16le'), () => Buffer.from([0xff, 0xfe, 0x00, 0x80]), () => '{"__proto__":{"requests":1}}', () => '{"constructor":{"prototype":{"x":1}}}',
  () => '{"requests":1,"requests":2,"lanes":[]}', () => `{"${'a'.repeat(60_000)}":1}`, () => `"${'a'.repeat(70_000)}"`, () => `{"ms":1${'0'.repeat(400)}}`,
  deep, (random) => `{"requests":${JSON.stringify(text(random))},"lanes":[]}`, (random) => `{"lanes":[${'"inline",'.repeat(random.int(1, 200))}"pool"]}`,
  (random) => `{"ms":${random.pick(['-1', '0', '1.5', '1e400', '99999999', 'null', 'true', '[]', '{}'])},"lanes":[]}`, () => '{"lanes":["inline"],"x":1}',
]
const TYPES = ['application/json', 'application/json; charset=utf-8', 'application/json; charset=utf-16', 'APPLICATION/JSON', 'text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'multipart/form-data', 'application/octet-stream', '', ';', 'x', 'application/json;'.repeat(50)]

export function body(random: Random, { hosts }: Surface): Try {
  const to = random.pick(PORTS)
  const lab = random.chance(0.004)
  const content = Buffer.from(lab ? '{"requests":1,"ms":1,"rate":50,"lanes":["pool"]}' : random.pick(WRONG)(random))
  const empty = content.length === 0
  const type = lab ? 'application/json' : random.pick(TYPES)
  const headers = [`Host: ${hosts[to]}`]
  // Without either of the two it is a lab with its defaults.
  if (type !== '' || empty) headers.push(`Content-Type: ${empty ? 'application/json' : type}`)
  if (random.chance(0.1)) headers.push(`Content-Encoding: ${random.pick(['gzip', 'identity', 'br', 'x'])}`)
  const target = random.weighted([{ weight: 8, path: '/lab' }, { weight: 1, path: '/lab/' }, { weight: 1, path: '/ping' }, { weight: 1, path: '/examples' }, { weight: 1, path: '/nothing' }]).path
  const method = lab || target.startsWith('/lab') ? 'POST' : random.pick(['POST', 'PUT', 'GET', 'DELETE'])
  if (random.chance(0.7)) return one(random, to, { method, target, headers: [...headers, `Content-Length: ${content.length}`], body: content })
  const chunks = cut(random, content, 1).filter((chunk) => chunk.length > 0)
  const chunked = Buffer.concat([...chunks.flatMap((chunk) => [Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n')]), Buffer.from('0\r\n\r\n')])
  return one(random, to, { method, target, headers: [...headers, 'Transfer-Encoding: chunked'], body: chunked })
}
