// Makes the scope of a connection from what Node has read.
import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import type { Bytes, ConnectionScope, HeaderList, HttpScope, WebSocketScope } from './types.ts'

/** The version of the HTTP and WebSocket messages. */
export const SPEC_VERSION = '2.5'

/** What the connections of one server, or of one place where an application is mounted, have in common. */
export interface Place {
  /** Where the application is mounted; '' at the root. */
  rootPath: string
  /** What a proxy has taken from the beginning of the paths; '' if nothing. */
  taken: string
  /** The UNIX socket that the server listens on; null if it listens on a port. */
  socketPath: string | null
  /** What the application put into the state of its lifespan; null without a lifespan. */
  state: Record<string, unknown> | null
}

const NOTHING = Buffer.alloc(0)

export function httpScope(request: IncomingMessage, place: Place): HttpScope {
  const scope = common(request, place, 'http') as HttpScope
  scope.method = (request.method as string).toUpperCase()
  return scope
}

export function webSocketScope(request: IncomingMessage, place: Place): WebSocketScope {
  const { 'sec-websocket-protocol': offered = '' } = request.headers
  const subprotocols = offered.split(',').map((one) => one.trim()).filter((one) => one !== '')
  const scope = common(request, place, 'websocket') as WebSocketScope
  scope.subprotocols = subprotocols
  return scope
}

/** What both have. One literal: fields that are spread into an object cost a request of few headers as much as all else here. */
function common(request: IncomingMessage, { rootPath, taken, socketPath, state }: Place, type: 'http' | 'websocket'): ConnectionScope {
  const { socket, url = '/', httpVersion } = request
  const secure = (socket as TLSSocket).encrypted === true
  const at = url.indexOf('?')
  const rawPath = at < 0 ? url : url.slice(0, at)
  const scope: ConnectionScope & { type: 'http' | 'websocket' } = {
    type,
    asgi: { version: '3.0', spec_version: SPEC_VERSION },
    http_version: httpVersion === '2.0' ? '2' : httpVersion as '1.0' | '1.1',
    scheme: type === 'http' ? (secure ? 'https' : 'http') : secure ? 'wss' : 'ws',
    path: taken + decoded(rawPath),
    raw_path: Buffer.from(rawPath, 'latin1'),
    query_string: at < 0 ? NOTHING : Buffer.from(url.slice(at + 1), 'latin1'),
    root_path: rootPath,
    headers: headerList(request),
    client: socket.remoteAddress === undefined ? null : [socket.remoteAddress, socket.remotePort as number],
    server: socketPath !== null ? [socketPath, null] : socket.localAddress === undefined ? null : [socket.localAddress, socket.localPort as number],
    extensions: extensionsOf(type, httpVersion === '2.0', secure ? socket as TLSSocket : null),
  }
  if (state !== null) scope.state = { ...state }
  return scope
}

function extensionsOf(type: 'http' | 'websocket', http2: boolean, tls: TLSSocket | null): Record<string, object> {
  const extensions: Record<string, object> = type === 'websocket'
    ? { 'websocket.http.response': {} }
    : { 'http.response.trailers': {}, 'http.response.early_hint': {}, 'http.response.pathsend': {}, 'http.response.zerocopysend': {} }
  if (http2) extensions['http.response.push'] = {}
  if (tls !== null) extensions['tls'] = tlsOf(tls)
  return extensions
}

const TLS_VERSIONS: Record<string, number> = { 'TLSv1': 0x301, 'TLSv1.1': 0x302, 'TLSv1.2': 0x303, 'TLSv1.3': 0x304 }
/** The numbers of the suites that Node offers by default, as registered with IANA. */
const CIPHER_SUITES: Record<string, number> = {
  TLS_AES_128_GCM_SHA256: 0x1301, TLS_AES_256_GCM_SHA384: 0x1302, TLS_CHACHA20_POLY1305_SHA256: 0x1303,
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: 0xc02b, TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: 0xc02c,
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: 0xc02f, TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: 0xc030,
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: 0xcca8, TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: 0xcca9,
}

/** The TLS extension: certificates are PEM. */
function tlsOf(socket: TLSSocket): object {
  const client = socket.getPeerX509Certificate?.()
  const chain: string[] = []
  for (let one = client; one !== undefined && chain.length < 16; one = one.issuerCertificate) chain.push(one.toString())
  return {
    server_cert: socket.getX509Certificate?.()?.toString() ?? null,
    client_cert_chain: chain,
    client_cert_name: client?.subject.split('\n').reverse().join(',') ?? null,
    client_cert_error: client === undefined || socket.authorized ? null : String(socket.authorizationError),
    tls_version: TLS_VERSIONS[socket.getProtocol() ?? ''] ?? null,
    cipher_suite: CIPHER_SUITES[socket.getCipher().standardName ?? ''] ?? null,
  }
}

/** A path with its percent escapes decoded, as UTF-8. Bytes that are no UTF-8 become U+FFFD. */
function decoded(path: string): string {
  if (!path.includes('%') && !/[^\x21-\x7e]/.test(path)) return path
  const bytes = Buffer.from(path, 'latin1').toString('latin1').replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1').toString('utf8')
}

/** The bytes of the names that clients send, in lower case; most send the same ones. */
const names = new Map<string, Bytes>()
const MOST_NAMES = 256

function nameBytes(name: string): Bytes {
  let bytes = names.get(name)
  if (bytes !== undefined) return bytes
  bytes = Buffer.from(name.toLowerCase(), 'latin1')
  if (names.size < MOST_NAMES && name.length <= 64) names.set(name, bytes)
  return bytes
}

/** The header fields as received, with names in lower case. HTTP/2's `:authority` becomes `host`, which comes first. */
function headerList({ rawHeaders, httpVersionMajor }: IncomingMessage): HeaderList {
  const list: HeaderList = []
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string
    const value = Buffer.from(rawHeaders[at + 1] as string, 'latin1')
    if (httpVersionMajor === 1 || !name.startsWith(':')) list.push([nameBytes(name), value])
    else if (name === ':authority') list.unshift([Buffer.from('host'), value])
  }
  return list
}
