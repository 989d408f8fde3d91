// Errors on the observer's thread: most end only what caused them; those that end the thread end nothing else.
import t, { type Test } from 'tap'
import { fetch } from 'undici'
import { eventually } from '../support/eventually.ts'
import { figure, isUp, json, order, start, startServer, type Program } from './support.ts'

t.test('an uncaught error on the observer\'s thread', async (t) => {
  const server = await startServer(t, {}, { inside: true })
  const { url, observer } = server
  const epochOf = async (): Promise<string> => (await json<{ loops: { epoch: string }[] }>(`${observer}/loops`)).loops[0]!.epoch
  const epoch = await epochOf()

  await t.test('is logged with its stack and counted, and the thread continues', async (t) => {
    for (const [what, message] of [['throw', /which goes on.*TypeError: thrown by a callback\\n\s+at/], ['reject', /TypeError: rejected, and nothing waits for it\\n\s+at/]] as const) {
      // Each in a different second: only one of several in the same second is logged.
      await new Promise((resolve) => setTimeout(resolve, 1100))
      const count = await figure(url, 'loopscope_observer_errors_total')
      order(server, what)
      t.ok(await eventually(async () => await figure(url, 'loopscope_observer_errors_total') === count! + 1))
      t.equal(await figure(observer, 'loopscope_observer_errors_total'), count! + 1)
      t.ok(await eventually(() => message.test(server.log())), server.log())
    }
    for (let times = 0; times < 50; times++) order(server, 'throw')
    t.ok(await eventually(async () => await figure(observer, 'loopscope_observer_errors_total') === 52))
    t.ok(server.log().split('thrown by a callback').length < 30, 'not each of them is logged')
    t.equal(await epochOf(), epoch)
    t.equal(await figure(url, 'loopscope_observer_restarts_total'), 0)
  })

  await t.test('ends the thread if it is in the recording, and another one begins', async (t) => {
    order(server, 'break')
    t.ok(await eventually(async () => await figure(url, 'loopscope_observer_restarts_total') === 1 && await isUp(url), 6000), server.log())
    t.match(server.log(), /the observer has ended; it is started again in 0\.1 s[^\n]*the decoder is broken/)
    t.not(await epochOf(), epoch)
    t.equal((await fetch(`${url}/tasks`)).status, 200)
  })

  await t.test('a thread that hangs is ended, and another one begins', async (t) => {
    order(server, 'hang')
    t.ok(await eventually(async () => await figure(url, 'loopscope_observer_restarts_total') === 2, 6000), server.log())
    t.ok(await eventually(() => isUp(url)))
    t.match(server.log(), /its thread hung/)
  })

  await t.test('an app with a hanging observer still closes', async (t) => {
    order(server, 'hang')
    t.ok(await eventually(() => fetch(`${observer}/healthz`, { signal: AbortSignal.timeout(500) }).then(() => false, () => true)))
    server.child.kill('SIGTERM')
    t.equal(await server.ended, 0, server.log())
  })
})

t.test('an observed program', async (t) => {
  async function mortal(t: Test, env: Record<string, string>): Promise<Program & { observer: string }> {
    const program = start(t, 'test/observe/programs/mortal.ts', env, { inside: true })
    t.ok(await eventually(() => program.log().includes('observer http') || program.child.exitCode !== null), program.log())
    return { ...program, observer: /observer (\S+)/.exec(program.log())![1]! }
  }

  await t.test('continues when its observer runs out of memory, and is observed again', async (t) => {
    const program = await mortal(t, {})
    order(program, 'exhaust')
    t.ok(await eventually(() => program.log().includes('the observer ran out of memory; it is started again in 0.1 s')), program.log())
    t.ok(await eventually(() => program.log().includes('the observer is back')), program.log())
    const { tasks } = await json<{ tasks: { name: string }[] }>(`${program.observer}/tasks`)
    t.ok(tasks.some(({ name }) => name === 'the ticker'), JSON.stringify(tasks))
    t.equal(program.child.exitCode, null)
    program.child.kill('SIGKILL')
  })

  await t.test('ends by itself while its observer is dead, or starts', async (t) => {
    for (const what of ['keep dead', 'kill'] as const) {
      const program = await mortal(t, { SECONDS: '2' })
      order(program, what)
      t.equal(await program.ended, 0, program.log())
      t.match(program.log(), /^done$/m)
    }
  })
})
