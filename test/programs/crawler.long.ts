// examples/programs/crawler.ts over a site that this test serves, with faults: pages that fail, hang and break off, a server that
// dies, and Ctrl-C at any moment. Each address that was found is read, failed or left, and no request goes on.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import t, { type Test } from 'tap'
import { eventually } from '../support/eventually.ts'
import { runNode, WITH_TYPESCRIPT } from '../support/server-process.ts'

const FAST = ['--pause', '0.001', '--limit', '1', '--backoff', '0.01']

interface Site {
  url: string
  /** How often each path was asked for. */
  asked: Map<string, number>
  /** Requests under way, and the most that there were at a time. */
  open: () => number
  most: () => number
  /** Cuts every connection and listens no longer. */
  die: () => void
}

/** A tree of pages, each with links to its parent and to its children; `special` answers paths itself. */
async function serve(t: Test, pages: number, special: Record<string, (response: ServerResponse, asked: number) => void> = {}): Promise<Site> {
  const asked = new Map<string, number>()
  const sockets = new Set<Socket>()
  let open = 0
  let most = 0
  const server: Server = createServer((request: IncomingMessage, response) => {
    const path = request.url as string
    const times = (asked.get(path) ?? 0) + 1
    asked.set(path, times)
    most = Math.max(most, ++open)
    response.on('close', () => open--)
    const own = special[path]
    if (own !== undefined) {
      own(response, times)
      return
    }
    const number = Number(path.slice(1))
    if (!Number.isInteger(number) || number >= pages) {
      response.writeHead(404).end()
      return
    }
    const links = [2 * number + 1, 2 * number + 2].filter((child) => child < pages).map((child) => `/${child}`)
    const all = [...links, '/', number === 0 ? '/#top' : `/${number}#top`, 'mailto:a@example.org', 'http://elsewhere.invalid/', ...(number === 0 ? Object.keys(special) : [])]
    setTimeout(() => response.setHeader('content-type', 'text/html').end(all.map((href) => `<a class="x" href="${href}">x</a>`).join('\n')), 2)
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  const die = (): void => {
    server.close()
    for (const socket of sockets) socket.destroy()
  }
  t.teardown(die)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, asked, open: () => open, most: () => most, die }
}

interface Running {
  log: () => string
  lines: () => string[]
  interrupt: () => void
  ended: Promise<number | null>
}

function crawl(t: Test, ...args: string[]): Running {
  const { child, log, ended } = runNode(t, [...WITH_TYPESCRIPT, 'examples/programs/crawler.ts', ...args])
  return { log, lines: () => log().split('\n').filter((line) => /^(\d{3}|failed) http/.test(line)), ended, interrupt: () => void child.kill('SIGINT') }
}

function summaryOf({ log }: Running): { found: number; read: number; failed: number; left: number } {
  const numbers = /^found (\d+), read (\d+), failed (\d+), left (\d+)$/m.exec(log())
  if (numbers === null) throw new Error(`there is no summary: ${log()}`)
  const [found, read, failed, left] = numbers.slice(1).map(Number) as [number, number, number, number]
  return { found, read, failed, left }
}

t.test('reads every page once, one request at a time for a host', async (t) => {
  const site = await serve(t, 60)
  const program = crawl(t, ...FAST, site.url)
  t.equal(await program.ended, 0, program.log())
  t.match(summaryOf(program), { found: 60, read: 60, failed: 0, left: 0 })
  t.same([...site.asked.values()].filter((times) => times !== 1), [])
  t.equal(site.most(), 1)
})

t.test('of two hosts it reads one page each at a time, and follows links to another only if it may', async (t) => {
  const [one, two] = [await serve(t, 20), await serve(t, 20)]
  const from = await serve(t, 1, { '/links': (response) => void response.setHeader('content-type', 'text/html').end(`<a href="${one.url}"></a><a href="${two.url}"></a>`) })
  const staying = crawl(t, ...FAST, from.url)
  t.equal(await staying.ended, 0)
  t.match(summaryOf(staying), { found: 2, read: 2 })
  const following = crawl(t, ...FAST, '--follow', '--tries', '1', '--at-once', '3', from.url)
  t.equal(await following.ended, 0)
  t.match(summaryOf(following), { found: 2 + 20 + 20 + 1, read: 42, failed: 1, left: 0 })
  t.match(following.log(), /^failed http:\/\/elsewhere\.invalid\/: (ENOTFOUND|EAI_AGAIN)$/m)
  t.same([one.most(), two.most()], [1, 1])
})

t.test('repeats what fails, follows redirects, gives up what hangs, breaks off or stays unavailable, and goes on', async (t) => {
  const site = await serve(t, 10, {
    '/busy': (response, asked) => void (asked < 3 ? response.writeHead(503).end() : response.end('now')),
    '/broken': (response) => void response.writeHead(500).end(),
    '/hangs': () => {},
    '/breaks': (response) => {
      response.writeHead(200, { 'content-length': '100' }).write('half')
      setTimeout(() => response.destroy(), 5)
    },
    '/drips': (response) => {
      response.writeHead(200, { 'content-type': 'text/html' })
      const timer = setInterval(() => response.write('<p>'), 50)
      response.on('close', () => clearInterval(timer))
    },
    '/moved': (response) => void response.writeHead(302, { location: '/9' }).end(),
    '/huge': (response) => void response.setHeader('content-type', 'text/html').end(`<a href="/1"></a>${'x'.repeat(3_000_000)}<a href="/never"></a>`),
    '/nothing': (response) => void response.writeHead(404).end(),
  })
  const program = crawl(t, ...FAST, '--limit', '0.5', site.url)
  t.equal(await program.ended, 0, program.log())
  t.match(summaryOf(program), { found: 18, read: 14, failed: 4, left: 0 })
  t.match(program.lines().filter((line) => line.startsWith('failed')).map((line) => line.replace(site.url, '/')).sort(), [
    /^failed \/breaks: /, 'failed /broken: status 500', 'failed /drips: no answer in time', 'failed /hangs: no answer in time',
  ])
  t.same(['/busy', '/broken', '/hangs', '/breaks'].map((path) => site.asked.get(path)), [3, 3, 3, 3])
  t.ok(await eventually(() => site.open() === 0), 'no request is left')
})

t.test('when the server dies, the rest fails, and the program ends', async (t) => {
  const site = await serve(t, 200)
  const program = crawl(t, ...FAST, '--tries', '2', site.url)
  t.ok(await eventually(() => program.lines().length >= 20))
  site.die()
  t.equal(await program.ended, 0, program.log())
  const { found, read, failed, left } = summaryOf(program)
  t.equal(read + failed, found)
  t.equal(left, 0)
  t.ok(read >= 20 && failed > 0, `${read} read, ${failed} failed`)
  t.match(program.log(), /^failed http:\S+: ECONNREFUSED$/m)
})

t.test('after Ctrl-C at any moment, each address is accounted for, and no request goes on', async (t) => {
  const site = await serve(t, 300, { '/hangs': () => {} })
  for (let round = 0; round < 8; round++) {
    site.asked.clear()
    const program = crawl(t, ...FAST, '--limit', '60', '--at-once', String(1 + 3 * round), site.url)
    const moment = Math.floor(Math.random() * 40)
    t.ok(await eventually(() => site.asked.has('/') && (program.lines().length >= moment || site.asked.has('/hangs'))))
    program.interrupt()
    t.equal(await program.ended, 130, program.log())
    const { found, read, failed, left } = summaryOf(program)
    t.equal(read + failed + left, found, `after ${moment} pages`)
    t.equal(program.lines().length, read + failed)
    t.ok(await eventually(() => site.open() === 0), 'no request is left')
  }
})

t.test('a wrong address or setting is refused, with what is allowed', async (t) => {
  for (const [args, message] of [
    [[], /^TypeError: an address is needed/], [['ftp://a'], /an address begins with http:\/\/ or https:\/\/, got ftp:\/\/a/],
    [['--tries', '0', 'http://a'], /--tries takes a number of at least 1, got 0/], [['--pase', '1'], /Unknown option '--pase'/],
  ] as const) {
    const program = crawl(t, ...args)
    t.equal(await program.ended, 1)
    t.match(program.log(), message)
  }
})
