// Requests a second of a coroutine handler against the same handler in bare Fastify: one server process with an app
// each, loaded by this one over keep-alive connections, in interleaved rounds. Prints medians and their ratio to bare, by
// the clock and by the server's processor time: a server that is busy answers as many requests as that leaves room for.
//
//   npm run bench:http -- --rounds 9 --seconds 1 --connections 32 [--json]
import { fork } from 'node:child_process'
import { connect } from 'node:net'
import { parseArgs } from 'node:util'

const APPS = ['bare', 'async', 'coroutine', 'recorded']

if (process.argv[2] === 'serve') await serve()
else await main()

async function serve() {
  const { default: Fastify } = await import('fastify')
  const { loopscope } = await import('../src/server/plugins/loopscope.ts')
  const { observe } = await import('../src/server/observe.ts')
  const answer = { hello: 'world' }
  const handlers = {
    bare: (_request, reply) => { reply.send(answer) },
    async: async () => answer,
    coroutine: function* () { return answer },
    recorded: function* () { return answer },
  }
  const ports = {}
  for (const kind of APPS) {
    const app = Fastify()
    if (kind === 'coroutine' || kind === 'recorded') await app.register(loopscope)
    if (kind === 'recorded') observe(app.loopscope, { history: 20_000 })
    app.get('/', handlers[kind])
    await app.listen({ port: 0, host: '127.0.0.1' })
    ports[kind] = app.server.address().port
  }
  process.on('message', () => process.send(process.cpuUsage()))
  process.send(ports)
}

async function main() {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '9' }, seconds: { type: 'string', default: '1' },
      connections: { type: 'string', default: '32' }, json: { type: 'boolean', default: false },
    },
  })
  const rounds = Number(values.rounds)
  const server = fork(new URL(import.meta.url), ['serve'], { execArgv: process.execArgv })
  const ports = await new Promise((resolve, reject) => {
    server.once('message', resolve)
    server.once('exit', (code) => reject(new Error(`the server ended with ${code}`)))
  })
  const rates = Object.fromEntries(APPS.map((kind) => [kind, []]))
  const costs = Object.fromEntries(APPS.map((kind) => [kind, []]))
  const processorTime = async () => {
    server.send('cpu')
    const { user, system } = await new Promise((resolve) => server.once('message', resolve))
    return user + system
  }
  try {
    for (const kind of APPS) await load(ports[kind], Number(values.connections), 0.5)
    for (let round = 0; round < rounds; round++) {
      // Each round begins with another, so that none always has the same neighbour.
      for (let at = 0; at < APPS.length; at++) {
        const kind = APPS[(at + round) % APPS.length]
        const before = await processorTime()
        const { rate, answers } = await load(ports[kind], Number(values.connections), Number(values.seconds))
        rates[kind].push(rate)
        costs[kind].push((await processorTime() - before) / answers)
      }
    }
  } finally {
    server.removeAllListeners('exit')
    server.kill()
  }
  const rows = APPS.map((kind) => {
    const ratios = rates[kind].map((rate, round) => rate / rates.bare[round]).sort((a, b) => a - b)
    const byCost = costs[kind].map((cost, round) => costs.bare[round] / cost).sort((a, b) => a - b)
    return {
      handler: kind, 'requests/s': Math.round(median(rates[kind])), 'of bare': round(median(ratios)),
      from: round(ratios[0]), to: round(ratios.at(-1)), 'cpu µs/request': round(median(costs[kind])), 'of bare, cpu': round(median(byCost)),
    }
  })
  if (values.json) console.log(JSON.stringify({ rounds, rows }, null, 2))
  else console.table(rows)
}

/** Requests a second over `connections` for some seconds: each connection sends the next when it has its answer. */
function load(port, connections, seconds) {
  const request = Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
  return new Promise((resolve, reject) => {
    let answers = 0
    const sockets = Array.from({ length: connections }, () => {
      const socket = connect(port, '127.0.0.1', () => socket.write(request))
      socket.setNoDelay(true)
      socket.on('data', (chunk) => {
        if (chunk.latin1Slice(0, 15) !== 'HTTP/1.1 200 OK') reject(new Error(`not a 200: ${chunk}`))
        answers++
        socket.write(request)
      })
      socket.on('error', reject)
      return socket
    })
    const began = performance.now()
    setTimeout(() => {
      const rate = answers / ((performance.now() - began) / 1000)
      for (const socket of sockets) {
        socket.removeAllListeners('error').on('error', () => {})
        socket.destroy()
      }
      resolve({ rate, answers })
    }, seconds * 1000)
  })
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

function round(value) {
  return Math.round(value * 1000) / 1000
}
