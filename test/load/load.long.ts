// The load tester against real servers, as a program: what it measures, how it ends, and what it reports if it cannot measure.
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import type { LoadResult, StreamResult } from '../../src/load/result.ts'
import { observerOf } from '../../src/load/target.ts'
import { listen } from '../support/server.ts'
import { load, serve } from './cli.ts'

function parse({ out, err = '' }: { out: string; err?: string }): LoadResult {
  if (out === '') throw new Error(`no result: ${err}`)
  return JSON.parse(out) as LoadResult
}

const lastSentAs = (latencies: number[], percent: number): number => latencies[Math.ceil((latencies.length * percent) / 100) - 1]!

t.test('against a server that stalls for 1 s in every 5', async (t) => {
  const server = await serve(t, '--stall')
  const args = ['--json', '--observer', 'off', '--warmup', '1', '--duration', '10', `${server.url}/open`, '--rate', '100', `${server.url}/closed`, '--arrivals', 'closed', '--connections', '2']
  const result = parse(await load(args))
  // Stalls that follow each other at once are one stall for a request that waits behind both.
  const stalls: { from: number; to: number }[] = []
  for (const { from, to } of await server.stalls()) {
    const last = stalls.at(-1)
    if (last !== undefined && from - last.to < 10) last.to = to
    else stalls.push({ from, to })
  }
  const [open, closed] = result.streams as [StreamResult, StreamResult]

  // The expected latency of every request, from the schedule and the server's own record of its stalls.
  const due = Array.from({ length: open.sent }, (_, at) => result.epoch + at * 10)
  const expected = due.map((at) => Math.max(0, ...stalls.filter(({ from, to }) => from <= at && to > at).map(({ to }) => to - at))).sort((a, b) => a - b)

  await t.test('the open loop measures what theory predicts for its schedule, within 5 %', async (t) => {
    t.equal(open.sent, 1000)
    t.equal(open.good, 1000)
    t.ok(stalls.filter(({ from, to }) => to - from > 900).length >= 2, 'it did stall')
    for (const [name, percent, late] of [['p99', 99, open.schedule.p99], ['max', 100, open.schedule.max]] as const) {
      const theory = lastSentAs(expected, percent)
      const measured = open.latency![name]
      // It may also be off by its own reported lateness.
      const allowed = theory * 0.05 + late
      t.ok(Math.abs(measured - theory) <= allowed, `${name}: ${measured} ms, in theory ${theory} ms, allowed are ${allowed} ms`)
      t.ok(measured > 800, `${name} shows the stall`)
    }
  })

  await t.test('a closed loop reports that all is well', async (t) => {
    t.ok(closed.sent > open.sent, 'it had more requests to see it with')
    t.ok(closed.latency!.p99 * 5 < open.latency!.p99, `p99 ${closed.latency!.p99} ms, where every hundredth request takes ${open.latency!.p99} ms`)
    t.ok(closed.latency!.max > 800, 'though it met the stalls')
  })
})

t.test('against a loopscope server it names what blocked the loop', async (t) => {
  const { app, url } = await listen(t, { RATE_LIMIT: '0' })
  const observer = await observerOf(url)
  t.equal(observer, app.observer.url, 'the server says where its observer is')
  const args = ['--json', '--duration', '3.5', '--warmup', '2', `${url}/ping`, '--rate', '50', `${url}/handlers/sync?ms=800`, '--arrivals', 'burst', '--requests', '1', '--after', '1.5', '--name', 'blocker']
  for (const [from, where] of [['observer', observer!], ['answers', 'off']] as const) {
    await t.test(from === 'observer' ? 'as its observer reported, where it has one' : 'or else as its answers show', async (t) => {
      const { stalls, stallsFrom, streams } = parse(await load(['--observer', where, ...args]))
      const stall = stalls.find(({ name }) => /^GET \/handlers\/sync/.test(name))
      t.equal(stallsFrom, from)
      t.ok(stall !== undefined && stall.to - stall.from >= 0.6, JSON.stringify(stalls))
      t.ok(stall!.from >= 1.3 && stall!.to < 4.5, 'on the tester\'s own clock')
      t.ok(streams[0]!.serverTiming!.most.ready >= 500, 'and the server says who had to wait')
    })
  }
})

t.test('what it prints', async (t) => {
  const server = await serve(t)
  const folder = t.testdir()

  await t.test('for people: percentiles, throughput, errors by kind, and a chart', async (t) => {
    const { out, err, code } = await load(['--duration', '5', '--warmup', '0', `${server.url}/fine`, '--rate', '50', '--requests', '50', `${server.url}/?status=503`, '--name', 'bad', '--rate', '10', '--requests', '10'])
    t.match(out, /p50 +p90 +p99 +p99\.9 +max +answers +a second +errors/)
    t.match(out, /^\/fine +[\d.]+ m?s .* 50 +\S+ +0$/m)
    t.match(out, /^bad .* 10$/m)
    t.match(out, 'bad: errors: 10 × HTTP 503')
    t.match(out, 'bad: no good answer.')
    t.match(out, /latency of \/fine over time/)
    t.match(out, /0 └─{10}/)
    t.equal(err, '', 'no live line where there is no terminal')
    t.equal(code, 1, 'a stream without one good answer')
  })

  await t.test('for programs: CSV, and HdrHistogram\'s text format for each stream', async (t) => {
    const { out } = await load(['--csv', '--duration', '5', '--warmup', '0', '--hdr', join(folder, 'out.hdr'), `${server.url}/a`, '--requests', '50', `${server.url}/b`, '--arrivals', 'burst', '--requests', '7'])
    const [head, ...rows] = out.trimEnd().split('\n').map((line) => line.split(','))
    t.same(head, ['stream', 'seconds', 'sent', 'answered', 'errors', 'p50_ms', 'p99_ms', 'max_ms'])
    const sum = (stream: string): number => rows.filter((row) => row[0] === stream).reduce((all, row) => all + Number(row[3]), 0)
    t.same([sum('/a'), sum('/b')], [50, 7])
    for (const [name, total] of [['a', 50], ['b', 7]] as const) {
      const text = readFileSync(join(folder, `out.${name}.hdr`), 'utf8')
      t.match(text, /^ +Value +Percentile TotalCount 1\/\(1-Percentile\)$/m)
      t.match(text, new RegExp(`Total count += +${total}\\]`))
    }
  })

  await t.test('a request that is given up counts with the time until then', async (t) => {
    const { out, code } = await load(['--json', '--duration', '0.5', '--warmup', '0', `${server.url}/never`, '--rate', '20', '--timeout', '0.3'])
    const [stream] = parse({ out }).streams
    t.same(stream!.errors, { timeout: 10 })
    t.ok(stream!.latency!.p50 >= 300)
    t.equal(code, 1)
  })
})

t.test('how it ends if it cannot continue', async (t) => {
  await t.test('a server dies half-way: reports it, keeps the results, exit code 1', async (t) => {
    const server = await serve(t)
    setTimeout(() => server.kill(), 3500)
    const { out, code } = await load(['--json', '--duration', '60', '--warmup', '0', server.url, '--rate', '50'])
    const result = parse({ out })
    t.equal(result.ended, 'gone')
    t.match(result.reason, /is gone: since \d+\.\d s nothing but "connection (refused|reset|closed)"/)
    t.ok(result.streams[0]!.good > 0 && result.seconds < 50)
    t.ok(result.streams[0]!.errors['connection refused']! > 0)
    t.equal(code, 1)
  })

  await t.test('Ctrl-C: prints the results so far, exit code 130', async (t) => {
    const server = await serve(t)
    let stopped = 0
    const { out, code } = await load(['--duration', '60', '--warmup', '0', server.url, `${server.url}/never`], (program) => {
      const timer = setInterval(() => void server.stalls().then(() => {
        if (++stopped === 20) program.kill('SIGINT')
      }), 200)
      program.on('exit', () => clearInterval(timer))
    })
    t.match(out, 'ended early: interrupted. What follows is what was measured until then.')
    t.match(out, /^\/ .* [1-9]\d* +\S+ +0$/m)
    t.match(out, /\/never: \d+ requests unanswered when it was interrupted, the oldest for/)
    t.equal(code, 130)
  })

  await t.test('a rate too high for this machine: names the limit, exit code 3', async (t) => {
    const server = await serve(t)
    const streams = Array.from({ length: 8 }, (_, at) => `${server.url}/${at}`)
    const { out, code } = await load(['--duration', '1', '--warmup', '0', '--rate', '1000000', '--timeout', '0.2', '--connections', '10', ...streams])
    t.match(out, /WARNING: the schedule was not kept\.\n +of 1,000,000 requests a second that were asked for, [\d,.]+ went out; the tester was busy for \d+ % of the time: that is what this machine can do as it is now\.\n +[\d,]+ requests never left\./)
    t.match(out, /requests left more than 5 ms late, p99/)
    t.ok([1, 3].includes(code!), 'or not even one request was answered in time')
  })

  await t.test('nothing there: one line that says why, exit code 1', async (t) => {
    const closed = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => closed.once('listening', resolve))
    const { port } = closed.address() as AddressInfo
    await new Promise((resolve) => closed.close(resolve))
    const refused = await load([`http://127.0.0.1:${port}/`])
    t.same([refused.err, refused.code], [`load: cannot reach http://127.0.0.1:${port}: connection refused, so nothing listens on that port: does the server run?\n`, 1])
    const unknown = await load(['http://no-such-host.invalid/'])
    t.match(unknown.err, /^load: cannot reach http:\/\/no-such-host\.invalid: host unknown\n$/)
    t.equal(unknown.code, 1)
  })
})

t.test('what it refuses before it sends anything, with exit code 2', async (t) => {
  const folder = t.testdir()
  const file = join(folder, 'file')
  writeFileSync(file, '')
  const url = 'http://127.0.0.1:1/'
  const cases: [args: string[], words: string | RegExp][] = [
    [[], 'an address to load is missing'],
    [['localhost:8000/ping'], '"localhost:8000/ping" is no address that can be loaded: it begins with http:// or https://'],
    [['ftp://localhost/'], 'it begins with http:// or https://'],
    [['http://localhost:99999/'], 'is not a valid address'],
    [['http://localhost:0/'], 'port 0 is no port'],
    [['http://me:secret@localhost/'], 'a name in the address is not sent'],
    [[url, '--rate', 'fast'], '--rate is a number from 0.001 to 1000000, not "fast"'],
    [[url, '--rate', '0'], '--rate is a number from 0.001'],
    [[url, '--rate', '1e6'], 'not "1e6"'],
    [[url, '--rate', '-5'], 'not "-5"'],
    [[url, '--rate'], '--rate needs a value'],
    [[url, '--rate', '--json'], '--rate needs a value'],
    [[url, '--connections', '2.5'], '--connections is a whole number from 1 to 10000, not "2.5"'],
    [[url, '--arrivals', 'uniform'], '--arrivals is one of constant, poisson, burst, closed, not "uniform"'],
    [[url, '--raet', '5'], 'there is no option --raet: is --rate meant?'],
    [[url, '--rate', '5', '--rate', '6'], '--rate is given twice: 5 and 6'],
    [[url, '--json', '--csv'], '--json and --csv both want the standard output'],
    [[url, '--arrivals', 'burst', '--requests', '5', '--rate', '5'], '--arrivals burst and --rate contradict each other'],
    [[url, '--arrivals', 'closed', '--rate', '5'], '--arrivals closed and --rate contradict each other'],
    [[url, '--arrivals', 'burst'], '--arrivals burst needs --requests'],
    [[url, '--after', '10', '--duration', '5'], '--after 10 and --duration 5 contradict each other'],
    [[url, '--body', 'x', '--method', 'GET'], '--method GET and --body contradict each other'],
    [[url, '--header', 'nonsense'], '--header is "NAME: VALUE", not "nonsense"'],
    [[url, '--name', 'a', url, '--name', 'a'], 'two streams are called a'],
    [[url, '--hdr', join(file, 'x')], /--hdr .* cannot be written/],
    [Array.from({ length: 17 }, () => url), '17 addresses are too many'],
    [['lab', '--lanes', 'inline,fast'], '--lanes: there is no lane "fast"'],
    [['lab', '--ms', 'long'], '--ms is a whole number from 1 to 60000, not "long"'],
    [['lab', url, url], 'lab measures one server, and was given 2 addresses'],
    [['classic', '--in-flight', '0'], '--in-flight is a whole number from 1 to 1000, not "0"'],
  ]
  const { main } = await import('../../src/load/main.ts')
  const { error } = console
  t.teardown(() => { console.error = error })
  for (const [args, words] of cases) {
    const said: string[] = []
    console.error = (text: string) => said.push(text)
    const code = await main(args)
    console.error = error
    t.equal(code, 2, args.join(' '))
    t.match(said.join('\n'), words)
  }
})
