// The configuration for any environment, and its defaults: one that its own field would refuse is never taken.
import fc from 'fast-check'
import t from 'tap'
import { z } from 'zod'
import { ConfigError, environment, readConfig, type Config } from '../../src/server/config.ts'
import { decimalOr, requireDefaults, whole, wholeOr } from '../../src/http/fields.ts'
import { httpServer } from '../../src/http/server.ts'
import { HostNames, ownNames } from '../../src/http/origin.ts'

t.test('a default', async (t) => {
  await t.test('is the smaller of the usual and the allowed value', async (t) => {
    t.equal(wholeOr(1000, 0, 40).parse(undefined), 40)
    t.equal(wholeOr(1000, 0, 4000).parse(undefined), 1000)
    t.equal(wholeOr(1, 5, 40).parse(undefined), 5)
    t.equal(decimalOr(10, 0.5, 2.5).parse(undefined), 2.5)
  })

  await t.test('of a route that its field would refuse is an error at start', async (t) => {
    const app = httpServer({ bodyLimit: 1024, proxies: [] })
    t.teardown(() => app.close())
    const route = (querystring: z.ZodType): void => {
      app.get('/here', { schema: { querystring } }, () => 'here')
    }
    t.throws(() => route(z.strictObject({ ms: whole(0, 40).default(1000) })),
      { message: 'GET /here: querystring.ms: its default 1000 is one that it refuses: must be a whole number from 0 to 40' })
    t.throws(() => route(z.object({ a: z.object({ b: z.array(z.int().max(3)).default([4]).optional() }) }).nullish()), { message: /querystring\.a\.b: its default \[4\]/ })
    route(z.strictObject({ ms: wholeOr(1000, 0, 40).describe('milliseconds').optional() }))
  })

  await t.test('of the configuration is within its bounds', async (t) => {
    requireDefaults(environment, 'the environment')
    t.match(readConfig({}), { maxMs: 10_000, maxThreads: 16 })
  })
})

t.test('the environment', async (t) => {
  /** What the server makes of a configuration before it listens. */
  async function use({ proxies, allowedHosts, host, observerUrl }: Config): Promise<void> {
    await httpServer({ bodyLimit: 1024, proxies }).close()
    new HostNames(ownNames(host, observerUrl), allowedHosts).has('localhost')
  }

  /** Whether it is taken. Anything but a ConfigError of one line is thrown. */
  async function isTaken(env: Record<string, string>): Promise<boolean> {
    let config
    try {
      config = readConfig(env)
    } catch (error) {
      if (error instanceof ConfigError && /^[^\p{Cc}\p{Zl}\p{Zp}]{1,600}$/u.test(error.message)) return false
      throw error
    }
    await use(config)
    return true
  }

  await t.test('may name proxies of any network, but not all networks', async (t) => {
    for (const all of ['0.0.0.0/0', '::/0', '10.0.0.0/00', '10.0.0.0/33', '::1/129', '10.0.0.1,', 'localhost']) {
      t.throws(() => readConfig({ PROXIES: all }), { name: 'ConfigError', message: `PROXIES=${all}: must be addresses, networks such as 10.0.0.0/8 (with 1 to 32 bits, for IPv6 1 to 128), loopback, linklocal or uniquelocal, joined by commas` })
    }
    for (const some of ['10.0.0.0/1', '10.0.0.1/32', '::/1', '::1/128', 'loopback, 10.0.0.0/8', '::ffff:10.0.0.1', 'fe80::1%eth0']) t.ok(await isTaken({ PROXIES: some }), some)
  })

  const address = fc.oneof(fc.ipV4(), fc.ipV6(), fc.constantFrom('::ffff:10.0.0.1', '::ffff:10.0.0.0', 'fe80::1%eth0', 'fe80::1%', '1.2.3', '01.2.3.4', '0x7f.1'))
  const network = fc.oneof(address, fc.tuple(address, fc.oneof(fc.integer({ min: -1, max: 130 }).map(String), address, fc.string({ maxLength: 3 }))).map((both) => both.join('/')),
    fc.constantFrom('loopback', 'linklocal', 'uniquelocal', 'toString', '__proto__', ''))

  await t.test('is either used or refused in one line, whichever networks it names', async (t) => {
    let taken = 0
    await fc.assert(fc.asyncProperty(fc.array(network, { minLength: 1, maxLength: 4 }), async (all) => {
      if (await isTaken({ PROXIES: all.join(',') })) taken++
    }), { numRuns: 200, seed: 13 })
    t.ok(taken > 10, `${taken} were taken`)
  })

  await t.test('is either used or refused in one line, whatever is in it', async (t) => {
    const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 30 }), fc.string({ maxLength: 30 }), fc.webUrl(), fc.integer().map(String), fc.double().map(String), fc.domain(),
      fc.constantFrom('redis://a:%zz@h', 'redis://[::1', 'redis://u:p@h/1', 'http://[::1]:8001/', 'http://%zz/', 'a\nb', '\u2028', 'x'.repeat(100_000), 'on', '*', '.example.org'))
    const names = Object.keys(environment.shape)
    let refused = 0
    await fc.assert(fc.asyncProperty(fc.constantFrom(...names), text, async (name, value) => {
      if (!await isTaken({ [name]: value })) refused++
    }), { numRuns: 300, seed: 13 })
    t.ok(refused > 30, `${refused} were refused`)
  })

  await t.test('shows no password of a refused value', async (t) => {
    for (const value of ['redis://:secret@h/x', 'redis://a:sec\nret@h/x', 'redis://a:sec%ret@h']) {
      t.throws(() => readConfig({ REDIS_URL: value }), { message: /^REDIS_URL=redis:\/\/…@[^\n]*$/ })
    }
  })
})
