// Requests to switch protocols, valid and invalid, and what is sent on a WebSocket afterwards.
import type { Random } from '../conformance/random.ts'
import { acceptOf, close, frame } from './frames.ts'
import { bytesOf, cut, PORTS, type Port, type Surface, type Try } from './try.ts'
import { HOSTILE, text } from './values.ts'

const TYPES = ['task.created', 'task.done', 'run.started', 'loop.blocked', 'request.started', 'x', ''] as const

interface Handshake {
  target?: string
  headers?: string[]
  method?: string
  key?: string
}

function handshake(random: Random, { hosts }: Surface, to: Port, { target = '/events', headers = [], method = 'GET', key }: Handshake = {}): { bytes: Buffer; key: string } {
  const nonce = key ?? Buffer.from(Array.from({ length: 16 }, () => random.int(0, 255))).toString('base64')
  const lines = [`Host: ${hosts[to]}`, 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', `Sec-WebSocket-Key: ${nonce}`, ...headers]
  return { bytes: bytesOf({ method, target, headers: lines }), key: nonce }
}

const REFUSED: readonly ((random: Random) => Handshake)[] = [
  () => ({ headers: ['Origin: http://evil.example'] }), () => ({ headers: ['Origin: null'] }), () => ({ headers: ['Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: websocket'] }),
  () => ({ headers: ['Host: evil.example'] }), () => ({ target: '/nothing' }), () => ({ target: '/ping' }), () => ({ target: '/' }), () => ({ target: '/%zz' }), () => ({ target: '/handlers/../events' }),
  () => ({ target: '/events?x=1' }), () => ({ target: '/events?types=x' }), () => ({ target: '/events?since=x' }), () => ({ target: '/events?loop=%00' }), () => ({ target: `/runs/${'1'.repeat(200)}` }),
  () => ({ key: '' }), () => ({ key: 'x' }), () => ({ key: 'A'.repeat(3000) }), () => ({ method: 'POST' }), () => ({ method: 'DELETE', target: '/tasks/99999999' }), () => ({ target: 'http://evil.example/events' }),
  (random) => ({ target: `/events?run=${encodeURIComponent(random.pick(HOSTILE.slice(2, 17)))}x` }), () => ({ headers: ['Sec-WebSocket-Version: 8'] }),
]

/** A handshake that is valid, invalid, to another protocol, or behind other requests. */
export function upgrade(random: Random, surface: Surface): Try {
  const to = random.pick(PORTS)
  const host = `Host: ${surface.hosts[to]}`
  const resets = random.chance(0.5)
  switch (random.int(0, 5)) {
    case 0: {
      const lines = random.shuffled([host, `Connection: ${random.pick(['Upgrade', 'upgrade, HTTP2-Settings', 'close', 'keep-alive, Upgrade'])}`, `Upgrade: ${random.pick(['h2c', 'websocket', 'WebSocket', 'tls/1.2', 'x', 'websocket, h2c', ''])}`,
        random.pick(['HTTP2-Settings: AAMAAABkAAQAAP__', 'Sec-WebSocket-Version: 99', 'Sec-WebSocket-Key: x', 'X: y'])])
      return { to, pieces: cut(random, bytesOf({ target: random.pick(['/events', '/ping', '/nothing', '/']), headers: lines })), methods: ['GET'], ending: 'over', most: 2, resets }
    }
    case 1: {
      // Behind other requests, one of them possibly endless.
      const before = Array.from({ length: random.int(1, 3) }, () => bytesOf({ target: random.pick(['/ping', '/nothing', '/handlers/async?ms=5', '/events', '/healthz']), headers: [host] }))
      const { bytes } = handshake(random, surface, to)
      const pieces = random.chance(0.5) ? [...before, bytes] : [Buffer.concat([...before, bytes])]
      return { to, pieces, methods: [...before.map(() => 'GET'), 'GET'], ending: 'over', most: before.length + 1, frames: [], resets }
    }
    case 2: {
      const { bytes, key } = handshake(random, surface, to, { target: `/events${random.pick(['', '?types=task.created', '?run=1', '?loop=*', '?since=1:1', '?types='])}` })
      return { to, pieces: cut(random, bytes), methods: ['GET'], ending: random.chance(0.5) ? 'left' : 'over', most: 1, frames: [close(1000)], key: acceptOf(key), resets }
    }
    default: {
      const { bytes } = handshake(random, surface, to, random.pick(REFUSED)(random))
      // A server must not keep a client that waits for the end.
      return { to, pieces: cut(random, bytes), methods: ['GET'], ending: random.chance(0.3) ? 'left' : 'over', most: 1, refused: true, resets }
    }
  }
}

function wish(random: Random): string {
  const value = (): unknown => random.pick([1, 0, -1, 1.5, 1e308, null, true, '', 'x', [], {}, ['x'], 2 ** 53])
  switch (random.int(0, 5)) {
    case 0: return JSON.stringify({ types: [random.pick(TYPES)] })
    case 1: return JSON.stringify({ run: random.int(1, 9) })
    case 2: return JSON.stringify({ [random.pick(['types', 'run', 'task', 'request', 'x', '__proto__'])]: value() })
    case 3: return '{}'
    case 4: return random.pick(['', '{', 'null', '[]', '"x"', '{"types":["task.created"],"types":1}', '['.repeat(2000), '\u2028', 'x'.repeat(4000)])
    default: return text(random)
  }
}

function message(random: Random): Buffer[] {
  switch (random.int(0, 11)) {
    case 0: return [frame({ opcode: 2, payload: wish(random) })]
    case 1: return [frame({ opcode: random.pick([3, 4, 7, 11, 15]), payload: 'x' })]
    case 2: return [frame({ opcode: 1, payload: '{}', reserved: random.int(1, 7) })]
    case 3: return [frame({ opcode: 1, payload: '{}', masked: false })]
    case 4: return [frame({ opcode: 1, payload: '{"ru', fin: false }), ...(random.chance(0.5) ? [frame({ opcode: 9 })] : []), frame({ opcode: random.chance(0.8) ? 0 : 1, payload: 'n":1}' })]
    case 5: return [random.chance(0.5) ? frame({ opcode: 1, payload: 'x'.repeat(random.pick([4097, 70_000])) }) : frame({ opcode: 1, claims: random.pick([5000, 70_000, 2 ** 31, 2 ** 53]), payload: 'x' })]
    case 6: return [random.pick([close(999), close(1005), close(1006), close(1016), close(2999), close(5000), close(1000, 'x'.repeat(123)), frame({ opcode: 8, payload: '\0' }), frame({ opcode: 8 }), frame({ opcode: 8, payload: Buffer.from([3, 232, 0xff]) })])]
    case 7: return [frame({ opcode: random.pick([8, 9, 10]), payload: 'x'.repeat(126) }), frame({ opcode: 9, fin: false })]
    case 8: return Array.from({ length: random.pick([1, 50, 300]) }, () => frame({ opcode: random.pick([9, 10]), payload: 'x'.repeat(random.int(0, 125)) }))
    case 9: return Array.from({ length: random.pick([2, 50, 300]) }, () => frame({ opcode: 1, payload: wish(random) }))
    case 10: return [frame({ opcode: 1, payload: Buffer.from([0xff, 0xfe, 0x80]) })]
    default: return [frame({ opcode: 1, payload: wish(random) })]
  }
}

/** A WebSocket on which the client sends what it must not. */
export function frames(random: Random, surface: Surface): Try {
  const to = random.pick(PORTS)
  const { bytes, key } = handshake(random, surface, to, { target: `/events${random.pick(['', '', '?types=task.created', '?run=1'])}` })
  const said = Array.from({ length: random.int(1, 4) }, () => message(random)).flat()
  const noise = random.chance(0.1) ? [Buffer.from(Array.from({ length: random.int(1, 60) }, () => random.int(0, 255)))] : []
  const leaves = random.chance(0.3)
  const all = [...said, ...noise, ...(leaves ? [] : [close(1000)])]
  const whole = cut(random, Buffer.concat(all), 0.3)
  // If the handshake is one piece, what follows arrives as its head.
  const early = random.chance(0.15)
  return {
    to, pieces: early ? [Buffer.concat([bytes, ...whole])] : [bytes], methods: ['GET'], ending: leaves ? 'left' : 'over', most: 1,
    frames: early ? [] : whole, key: acceptOf(key), resets: random.chance(0.5),
  }
}
