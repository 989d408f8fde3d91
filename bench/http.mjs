// npm run bench:http: requests a second of the same small answer from several servers, each in a separate process, loaded by
// this one over keep-alive connections in interleaved rounds. A ratio is to the first server in the same round, by the clock
// and by the server's processor time: the latter is what limits a busy server.
import { readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { parseArgs } from 'node:util'
import { findPython, isPython, start, SUITES } from './http/servers.mjs'
import { describeMachine, machine } from './lib/machine.mjs'
import { writeMarkdown } from './lib/report.mjs'

const USAGE = `npm run bench:http -- [options]
  --suite NAME      what is compared (fastify): ${Object.keys(SUITES).join(', ')}
  --rounds N        rounds (9); every server is measured once in each
  --seconds S       seconds for each (1)
  --connections N   keep-alive connections (32)
  --only A,B        only these beside the first: ${Object.entries(SUITES).map(([name, servers]) => `${name}: ${Object.keys(servers).slice(1).join(', ')}`).join('; ')}
  --json FILE       write the figures to FILE ("-": print them)
  --markdown FILE   put the table between its marks in FILE
  --from FILE       measure nothing, report what --json wrote before`
const GOALS = { fastify: { coroutine: 0.95 }, plain: {}, asgi: { asgi: 0.9 }, echo: { asgi: 0.9 } }
const headOf = (base) => ['server', '', 'requests/s', `÷ ${base}`, 'spread', 'CPU µs a request', 'own thread', `÷ ${base}, CPU`, 'goal']

/** @type {(value?: string) => { type: 'string', default?: string }} */
const text = (value) => ({ type: 'string', ...(value === undefined ? {} : { default: value }) })
const { values } = parseArgs({
  options: {
    suite: text('fastify'), rounds: text('9'), seconds: text('1'), connections: text('32'), only: text(), json: text(), markdown: text(), from: text(),
    help: { type: 'boolean', default: false },
  },
})
/** @type {any} */
const options = values

async function main() {
  const result = options.from === undefined ? await measure() : JSON.parse(readFileSync(options.from, 'utf8'))
  if (options.json === '-') console.log(JSON.stringify(result, null, 2))
  else {
    console.log(`${result.machine}\n\n${terminal(result)}\n${absent(result)}`)
    if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(result, null, 1)}\n`)
  }
  if (options.markdown !== undefined) writeMarkdown(options.markdown, markdown(result), [`<!-- measured: npm run bench:http -- --suite ${result.suite} --markdown -->`, `<!-- end of measured: ${result.suite} -->`])
}

function number(name, least) {
  const value = Number(options[name])
  if (!(value >= least)) throw new Error(`--${name} takes a number from ${least}, not ${options[name]}`)
  return value
}

async function measure() {
  const [rounds, seconds, connections] = [number('rounds', 1), number('seconds', 0.1), number('connections', 1)]
  const suite = options.suite
  if (!Object.hasOwn(SUITES, suite)) throw new Error(`no suite named ${suite}; there are: ${Object.keys(SUITES).join(', ')}`)
  const all = SUITES[suite]
  const wanted = options.only?.split(',') ?? Object.keys(all)
  for (const kind of wanted) if (!(kind in all)) throw new Error(`no server named ${kind}; there are: ${Object.keys(all).join(', ')}`)
  const pythons = Object.fromEntries(wanted.filter(isPython).map((kind) => [kind, findPython(kind)]))
  const absent = Object.keys(pythons).filter((kind) => pythons[kind] === null)
  const kinds = Object.keys(all).filter((kind, at) => at === 0 || (wanted.includes(kind) && !absent.includes(kind)))
  const servers = {}
  /** @type {Record<string, { rates: number[], costs: number[], own: number[] }>} */
  const samples = Object.fromEntries(kinds.map((kind) => [kind, { rates: [], costs: [], own: [] }]))
  try {
    for (const kind of kinds) servers[kind] = await start(kind, pythons[kind])
    for (const kind of kinds) await load(servers[kind].port, all[kind], connections, Math.min(0.5, seconds))
    for (let round = 0; round < rounds; round++) {
      // Each round begins with another one, so that none always has the same neighbour.
      for (let at = 0; at < kinds.length; at++) {
        const kind = kinds[(at + round) % kinds.length]
        const before = await servers[kind].processorTime()
        const { rate, answers } = await load(servers[kind].port, all[kind], connections, seconds)
        samples[kind].rates.push(rate)
        const after = await servers[kind].processorTime()
        samples[kind].costs.push((after.all - before.all) / answers)
        samples[kind].own.push((after.own - before.own) / answers)
      }
    }
  } finally {
    for (const server of Object.values(servers)) server.stop()
  }
  const measured = machine([], false)
  for (const python of Object.values(pythons)) Object.assign(measured.versions, python?.versions)
  return { suite, rounds, seconds, connections, machine: describeMachine(measured), absent, samples }
}

/**
 * Requests a second over `connections` for some seconds: each sends the next request when it has its answer, and one that the
 * server closes between answers is opened again, as a client would do it.
 */
function load(port, { path, body }, connections, seconds) {
  const request = Buffer.from(body === undefined ? `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n` : `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
  return new Promise((resolve, reject) => {
    let answers = 0
    let over = false
    const sockets = new Set()
    const open = () => {
      const socket = connect(port, '127.0.0.1', () => socket.write(request))
      sockets.add(socket)
      // An answer may arrive in several pieces, for example head and body: it is whole when its length says so.
      let left = ''
      let answered = false
      let problem = new Error('the connection was closed')
      socket.setNoDelay(true)
      socket.on('data', (chunk) => {
        left += chunk.toString('latin1')
        const head = left.indexOf('\r\n\r\n')
        if (head < 0) return
        const length = Number(/\r\ncontent-length: *(\d+)/i.exec(left)?.[1] ?? NaN)
        if (!left.startsWith('HTTP/1.1 200 ') || Number.isNaN(length)) reject(new Error(`not an answer: ${left}`))
        if (left.length < head + 4 + length) return
        left = ''
        answers++
        answered = true
        socket.write(request)
      })
      socket.on('error', (error) => { problem = error })
      socket.on('close', () => {
        sockets.delete(socket)
        if (over) return
        if (answered && left === '') open()
        else reject(new Error(`port ${port} gave no whole answer: ${problem.message}`))
      })
    }
    for (let at = 0; at < connections; at++) open()
    const began = performance.now()
    setTimeout(() => {
      over = true
      const rate = answers / ((performance.now() - began) / 1000)
      for (const socket of sockets) socket.destroy()
      if (answers === 0) reject(new Error(`port ${port} gave no answer in ${seconds} s`))
      resolve({ rate, answers })
    }, seconds * 1000)
  })
}

function cells({ suite, samples }) {
  const [base] = Object.values(samples)
  return Object.entries(samples).map(([kind, { rates, costs, own }]) => {
    const ratios = rates.map((rate, round) => rate / base.rates[round]).sort((a, b) => a - b)
    const byCost = median(costs.map((cost, round) => base.costs[round] / cost))
    const goal = GOALS[suite][kind]
    return [
      kind, SUITES[suite][kind].what, Math.round(median(rates)).toLocaleString('en-US'), times(median(ratios)), `${times(ratios[0])} – ${times(ratios.at(-1))}`,
      median(costs).toFixed(1), median(own).toFixed(1), times(byCost), goal === undefined ? '' : `≥ ${times(goal)}: ${median(ratios) >= goal ? 'met' : 'NOT MET'}`,
    ]
  })
}

function terminal(result) {
  const head = headOf(Object.keys(result.samples)[0])
  const rows = [head, ...cells(result)]
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column].length)))
  return rows.map((row) => row.map((cell, column) => (column < 2 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join('  ').trimEnd()).join('\n')
}

const absent = ({ absent: kinds }) => kinds.map((kind) => `${kind}: absent, for no Python here has it (apt: python3-uvicorn python3-starlette python3-hypercorn python3-uvloop)`).join('\n')

function markdown(result) {
  const { rounds, seconds, connections } = result
  const head = headOf(Object.keys(result.samples)[0])
  const rows = [head, head.map((_, column) => (column < 2 || column === head.length - 1 ? '---' : '--:')), ...cells(result)]
  return [
    `Measured on: ${result.machine}. Medians of ${rounds} rounds of ${seconds} s, ${connections} connections.`,
    '',
    ...rows.map((row) => `| ${row.map((cell) => cell.replace('NOT MET', '**not met**')).join(' | ')} |`),
    ...(absent(result) === '' ? [] : ['', `${absent(result)}.`]),
  ].join('\n')
}

function times(value) {
  return `${value.toPrecision(3)}×`
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

if (options.help) console.log(USAGE)
else await main()
