// The requirements of the lifespan (lifespan.rst): most need a server that the suite starts itself.
import { Connection, PATIENCE, type Address } from './client.ts'
import type { Encoded } from './contract.ts'
import { check, newKey, notSupported, OK, requestText, same, type Case, type Driver } from './suite.ts'
import type { Running } from './targets.ts'

const START_MS = 30_000
const END_MS = 20_000

/** Starts a server of its own for a case, and stops it. */
async function own(driver: Driver, lifespan: string, use: (running: Running, lines: () => string[]) => Promise<void>, unready = false): Promise<void> {
  const running = await driver.start({ lifespan, unready })
  try {
    await use(running, running.lines ?? (() => notSupported('the suite does not see what the application does')))
  } finally {
    await running.stop()
  }
}

/** The status of a request; 0 if it is not answered. */
async function statusOf(address: Address): Promise<number> {
  const connection = new Connection(address)
  try {
    connection.write(requestText(OK))
    return (await connection.response()).status
  } catch {
    return 0
  } finally {
    connection.close()
  }
}

async function answered(address: Address): Promise<void> {
  for (const late = performance.now() + START_MS; await statusOf(address) !== 200;) {
    check(performance.now() < late, 'a server that answers', 'none')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** Asks the running server for the scope of a request to it, and what the driver wants of the state in it. */
async function stateOf(driver: Driver, change: [key: string, value: Encoded] | null): Promise<Record<string, Encoded>> {
  const { record } = await driver.call([...change === null ? [] : [['state', ...change] as ['state', string, Encoded]], ...OK])
  return record.scope['state'] as Record<string, Encoded>
}

function requireState(driver: Driver): void {
  if (driver.announced.http['state'] === undefined) notSupported('the server gives no state, which is optional')
}

export const LIFESPAN_CASES: Case[] = [
  {
    id: 'L1', title: 'one lifespan, with startup first', level: 'must', section: 'Scope; Startup',
    async run(driver) {
      const record = await driver.peek('lifespan')
      check(record !== null, 'a lifespan', 'none')
      same([record.scope['type'], record.log], ['lifespan', [{ received: { type: 'lifespan.startup' } }]])
      const { lines } = driver.running
      if (lines !== null) same(lines().filter((line) => line === 'lifespan').length, 1, 'lifespans')
    },
  },
  {
    id: 'L1', title: 'no connection is served before startup.complete', level: 'must', section: 'Startup; Startup Complete',
    run: (driver) => own(driver, 'slow', async ({ address }, lines) => {
      await answered(address)
      const [asked, complete, began] = ['received lifespan.startup', 'answers startup', 'begins'].map((what) => lines().findIndex((line) => line.startsWith(what))) as [number, number, number]
      check(asked >= 0 && complete > asked && began > complete, 'startup, complete, then the first request', lines())
    }, true),
  },
  ...([['at the scope', 'raise'], ['at startup', 'raise-late']] as const).map(([when, lifespan]): Case => ({
    id: 'L2', title: `an application that raises ${when}: the server continues, without lifespan events`, level: 'must', section: 'Scope',
    run: (driver) => own(driver, lifespan, async (running, lines) => {
      await answered(running.address)
      await running.stop()
      const seen = lines().filter((line) => line.startsWith('lifespan') || line.startsWith('received'))
      same(seen, ['lifespan', ...lifespan === 'raise' ? [] : ['received lifespan.startup']])
    }, true),
  })),
  {
    id: 'L3', title: 'startup.failed: the message is logged, and the server exits', level: 'should', section: 'Startup Failed',
    run: (driver) => own(driver, 'startup-failed', async (running, lines) => {
      const code = await running.ended(START_MS)
      check(code !== null, 'the end of the server', 'a server that runs')
      check(!lines().some((line) => line.startsWith('begins')), 'no request', lines())
      check(running.output?.().includes('startup cannot be done') === true, 'the message in the log', running.output?.())
    }, true),
  },
  {
    id: 'L4', title: 'shutdown comes after the connections are closed', level: 'must', section: 'Shutdown',
    run: (driver) => own(driver, 'complete', async (running, lines) => {
      const [connection, key] = [new Connection(running.address), newKey()]
      connection.write(requestText([['drain'], ['sleep', 0.5], ...OK], { key }))
      for (const late = performance.now() + PATIENCE; !lines().includes(`begins ${key}`) && performance.now() < late;) await new Promise((resolve) => setTimeout(resolve, 20))
      await Promise.all([running.stop(), connection.ends()])
      const [ended, shutdown] = [lines().indexOf(`ends ${key}`), lines().indexOf('received lifespan.shutdown')]
      check(ended >= 0 && shutdown > ended, 'the end of the request, then shutdown', lines())
    }),
  },
  {
    id: 'L4', title: 'the server waits for shutdown.complete', level: 'must', section: 'Shutdown Complete',
    run: (driver) => own(driver, 'slow', async (running, lines) => {
      await running.stop()
      same(lines().filter((line) => line.endsWith('shutdown')), ['received lifespan.shutdown', 'answers shutdown'])
    }),
  },
  {
    id: 'L4', title: 'shutdown.failed: the message is logged, and the server ends', level: 'should', section: 'Shutdown Failed',
    run: (driver) => own(driver, 'shutdown-failed', async (running) => {
      await running.stop()
      check(await running.ended(END_MS) !== null, 'the end of the server', 'a server that runs')
      check(running.output?.().includes('shutdown cannot be done') === true, 'the message in the log', running.output?.())
    }),
  },
  {
    id: 'L5', title: 'requests have the state that the application made at startup', level: 'must', section: 'Lifespan State',
    async run(driver) {
      requireState(driver)
      same((await driver.peek('lifespan'))?.scope['state'], {}, 'state of the lifespan')
      same((await stateOf(driver, null))['number'], 1)
    },
  },
  {
    id: 'L5', title: 'each has a copy of it, a shallow one', level: 'must', section: 'Lifespan State',
    async run(driver) {
      requireState(driver)
      const key = newKey()
      await stateOf(driver, [key, 1])
      const after = await stateOf(driver, null)
      same(after[key], undefined, 'a key that another request had added')
      check((after['shared'] as Encoded[]).includes(1), 'the same list in each', after)
    },
  },
]
