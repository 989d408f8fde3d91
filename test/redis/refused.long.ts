// A Redis that answers with refusals: every process reports the reason once, continues without it, and joins the others when
// it is over.
import t from 'tap'
import { loopTable } from '../../src/events/render/ascii-loops.ts'
import { freePort, noRedis, startRedis } from '../support/redis.ts'
import { eventually } from '../support/eventually.ts'
import { join } from './light.ts'
import { command, pause } from './servers.ts'

t.test('a Redis that refuses', { skip: noRedis, timeout: 220_000 }, async (t) => {
  const redis = await startRedis(t)
  const replica = await startRedis(t, ['--replicaof', '127.0.0.1', String(redis.port)])
  const locked = await startRedis(t, ['--requirepass', 'secret'])
  const typed = await startRedis(t)
  await command(typed, 'SET', 'loopscope:loops', 'no set')
  const full = await startRedis(t, ['--maxmemory', '1', '--maxmemory-policy', 'noeviction'])
  const cases = [
    ['a read-only replica', replica.url, /this Redis is a read-only replica, and the address has to be that of its primary/],
    ['a password is required', locked.url, /this Redis requires a password/],
    ['the password is wrong', locked.url.replace('//', '//:wrong@'), /this Redis does not accept the user name and password/],
    ['a key of another type', typed.url, /a key that is needed here has a value of another type/],
    ['its memory is full', full.url, /this Redis is full/],
    ['not there', `redis://127.0.0.1:${await freePort()}`, /ECONNREFUSED/],
  ] as const
  const lights = cases.map(([, url], at) => join(url, `loop-${at}`))
  t.teardown(() => Promise.all(lights.map(({ cluster }) => cluster.close())))
  await pause(3000)

  for (const [at, [name, , said]] of cases.entries()) {
    await t.test(name, async (t) => {
      const { cluster, log } = lights[at]!
      t.ok(await eventually(() => said.test(cluster.redis.reason ?? '')), String(cluster.redis.reason))
      t.equal(cluster.redis.state, 'away')
      t.match(loopTable({ self: 'a', group: false, redis: cluster.redis, loops: [] }, Date.now()), new RegExp(`Redis: away for .* \\(.*${said.source}.*\\);`))
      t.equal(log.length, 1, log.join('\n'))
      // On a busy machine the first answer may come too late.
      t.match(log[0], new RegExp(`${said.source}|no answer in`))
      t.notMatch(log[0], /secret|:wrong@/)
    })
  }

  await t.test('it is used as soon as it accepts commands', async (t) => {
    await command(full, 'CONFIG', 'SET', 'maxmemory', '0')
    await command(typed, 'DEL', 'loopscope:loops')
    await command(replica, 'REPLICAOF', 'NO', 'ONE')
    for (const at of [0, 3, 4]) t.ok(await eventually(() => lights[at]!.cluster.redis.state === 'connected'), cases[at]![0])
    t.equal(lights[0]!.cluster.redis.reason, undefined)
  })

  await t.test('one that begins to refuse counts as away from then on', async (t) => {
    await command(full, 'CONFIG', 'SET', 'maxmemory', '1')
    lights[4]!.own.create('one')
    t.ok(await eventually(() => /this Redis is full/.test(lights[4]!.cluster.redis.reason ?? '')))
  })
})
