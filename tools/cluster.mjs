// npm run cluster: what `docker compose --profile cluster up` starts, as plain processes on loopback: Redis, three servers,
// the proxy, and Prometheus if it is installed. A part that dies is started again after a while; Ctrl-C ends all.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { build } from './build.mjs'
import { find, freePorts, PROGRAMS, running, startPrometheus, startProxy, startRedis, startServer } from './cluster/parts.mjs'

const USAGE = `npm run cluster -- [options]
  --port N              where the proxy listens for the apps (8000); 0: every port is a free one
  --observer-port N     where it listens for their observers (the port after)
  --prometheus-port N   where Prometheus listens (9090), if it is installed
  --no-prometheus       leave it out`
const REPLICAS = ['replica-1', 'replica-2', 'replica-3']
/** How long a part that died stays away, so that the effect is visible. */
const AWAY_MS = 5000

const { values: options } = parseArgs({
  options: {
    port: { type: 'string', default: '8000' }, 'observer-port': { type: 'string' }, 'prometheus-port': { type: 'string' },
    prometheus: { type: 'boolean', default: true }, help: { type: 'boolean', default: false },
  },
  allowNegative: true,
})

function fail(message) {
  console.error(message)
  process.exit(1)
}

function port(name, value) {
  if (!/^\d{1,5}$/.test(value) || Number(value) > 65_535) fail(`--${name} takes a port, not ${value}`)
  return Number(value)
}

if (options.help) {
  console.log(USAGE)
  process.exit()
}
const missing = ['redis', 'proxy'].filter((part) => find(part) === null)
if (missing.length > 0) fail(missing.map((part) => `${PROGRAMS[part].names.join(' or ')} is not installed, which ${PROGRAMS[part].has}: apt install ${PROGRAMS[part].debian}`).join('\n'))
const withPrometheus = options.prometheus && find('prometheus') !== null

const free = await freePorts(REPLICAS.length * 2 + 5)
const take = () => free.pop()
const any = port('port', options.port) === 0
const appPort = any ? take() : port('port', options.port)
const observerPort = options['observer-port'] === undefined ? (any ? take() : appPort + 1) : port('observer-port', options['observer-port'])
const prometheusPort = options['prometheus-port'] === undefined ? (any ? take() : 9090) : port('prometheus-port', options['prometheus-port'])
const redisPort = take()
const figuresPort = take()
const replicas = REPLICAS.map((name) => ({ name, port: take(), observerPort: take() }))
const folder = mkdtempSync(join(tmpdir(), 'loopscope-cluster-'))

const targets = { 'proxy:8404': `127.0.0.1:${figuresPort}` }
for (const { name, observerPort: port } of replicas) targets[`${name}:8001`] = `127.0.0.1:${port}`
let greeted = false
let closing = false
const env = { REDIS_URL: `redis://127.0.0.1:${redisPort}`, OBSERVER_URL: `http://localhost:${observerPort}`, PROXIES: 'loopback' }
/** Shows what a part writes once all run: no greetings, and once what HAProxy writes twice. */
const said = (name) => (line, isError) => {
  const wanted = name === 'proxy' ? !isError : isError || line.startsWith('{') || !name.startsWith('replica')
  if (greeted && !closing && wanted && line.trim() !== '') console.log(`${name}: ${line}`)
}
/** In the order in which they start; they end in the opposite order. */
const starts = [
  ['redis', () => startRedis({ port: redisPort, folder: join(folder, 'redis'), said: said('redis') })],
  ...replicas.map(({ name, ...ports }) => [name, () => startServer({ name, ...ports, env: { ...env, LOOP_NAME: name }, said: said(name) })]),
  ['proxy', () => startProxy({ appPort, observerPort, figuresPort, replicas, said: said('proxy') })],
  ...(withPrometheus ? [['prometheus', () => startPrometheus({ port: prometheusPort, folder: join(folder, 'prometheus'), targets, said: said('prometheus') })]] : []),
]

const pids = new Map()

async function start(name, begin) {
  if (closing) return null
  const part = await begin()
  pids.set(name, part.pid)
  void part.ended.then(async (how) => {
    if (closing) return
    console.log(`${name}: it ended (${how}), and is started again in ${AWAY_MS / 1000} s`)
    await new Promise((resolve) => setTimeout(resolve, AWAY_MS))
    if (closing) return
    await start(name, begin).then((again) => again !== null && console.log(`${name}: started again, pid ${again.pid}`), (error) => console.error(error.message))
  })
  return part
}

async function close() {
  closing = true
  for (const names of [['prometheus'], ['proxy'], REPLICAS, ['redis']]) {
    await Promise.all([...running].filter(({ name }) => names.includes(name)).map((part) => part.stop()))
  }
  rmSync(folder, { recursive: true, force: true })
}

process.on('exit', () => { for (const part of running) part.kill('SIGKILL') })
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    if (closing) process.exit(1)
    if (greeted) console.log(`\n${signal}: ending the proxy, the servers, and Redis`)
    void close().then(() => process.exit(0))
  })
}

const notBuilt = await build()
if (notBuilt !== null) console.error(notBuilt)
console.log('starting Redis, three servers, the proxy')
try {
  // The servers do not wait for each other.
  const [redis, ...others] = starts
  await start(...redis)
  await Promise.all(others.slice(0, REPLICAS.length).map((one) => start(...one)))
  for (const one of others.slice(REPLICAS.length)) await start(...one)
} catch (error) {
  if (!closing) {
    console.error(error.message)
    await close()
    process.exit(1)
  }
}

const app = `http://localhost:${appPort}`
const observer = `http://localhost:${observerPort}`
const pid = (name) => pids.get(name)
greeted = true
if (!closing) {
  console.log(`
three loops, ${REPLICAS.map((name) => `${name} (pid ${pid(name)})`).join(', ')}
  the apps      ${app}  through the proxy (pid ${pid('proxy')})
  the observers ${observer}  any of them shows all loops
  Redis         ${env.REDIS_URL} (pid ${pid('redis')})
  Prometheus    ${withPrometheus ? `http://localhost:${prometheusPort} (pid ${pid('prometheus')})` : options.prometheus ? `is not installed: apt install ${PROGRAMS.prometheus.debian}` : 'is left out'}
  the proxy's   http://localhost:${figuresPort}/
try:
  curl ${observer}/loops
  curl "${app}/handlers/sync?thread=inline&ms=3000" & sleep 0.5; curl ${observer}/loops; curl -i ${app}/ping
  kill -9 ${pid('replica-2')}; sleep 2; curl ${observer}/loops
Ctrl-C ends all of it.`)
}
