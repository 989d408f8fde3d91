// Sixty clients, each on its own connection, send one request after the other while one handler blocks: at most sixty requests
// can have waited for it, and not for longer than it blocked.
import assert from 'node:assert/strict'
import { Worker } from 'node:worker_threads'
import Fastify from 'fastify'
import loopscope from 'loopscope/fastify'
import { eventually } from './support/eventually.mjs'

const CLIENTS = 60
const app = Fastify()
await app.register(loopscope, { observer: { port: 0 } })
app.get('/ping', function* () { return 'pong' })
app.get('/block', function* () {
  const until = Date.now() + 300
  while (Date.now() < until) Math.sqrt(until)
  return 'done'
})
const url = await app.listen({ port: 0 })
const clients = new Worker(`
  const http = require('node:http')
  const { workerData: { url, count } } = require('node:worker_threads')
  for (let at = 0; at < count; at++) {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
    const next = () => http.get(url + '/ping', { agent }, response => response.resume().on('end', next)).on('error', () => {})
    next()
  }
  setTimeout(() => http.get(url + '/block', response => response.resume()).on('error', () => {}), 1500)`, { eval: true, workerData: { url, count: CLIENTS } })
const stalls = async () => (await (await fetch(`${app.observer.url}/stalls`)).json()).stalls
const found = await eventually(stalls, all => all.some(({ name }) => /block/.test(name)))
await clients.terminate()
const { victims, lost, seconds } = found.find(({ name }) => /block/.test(name))
assert.ok(victims.length <= CLIENTS, `${victims.length} victims`)
// Each is rounded to whole microseconds.
assert.ok(lost <= CLIENTS * (seconds + 1e-6), `${lost} s lost in ${seconds} s`)
process.exit(0)
