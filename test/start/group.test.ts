// The processes of one program have one view: that of the first one, which the others join. Another one takes its place when it
// ends. Nothing that another user of the machine can do changes that, or shows anything.
import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { connect, createServer, type Socket } from 'node:net'
import { once } from 'node:events'
import { pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import { fetch } from 'undici'
import { loopList, type LoopInfo } from '../../src/events/schema.ts'
import { encode, framesOf, KIND, nextOf, sendJson } from '../../src/group/frames.ts'
import { challenge, meetingOf, proofOf } from '../../src/group/meeting.ts'
import { eventually } from '../support/eventually.ts'
import { found, loopscope, program, REGISTER, startNode, strangeFolder, viewOf, type Started } from './support.ts'

const register = pathToFileURL(REGISTER).href

async function loopsAt(view: string): Promise<LoopInfo[]> {
  const response = await fetch(`${view}/loops`, { headers: { accept: 'application/json' } })
  return loopList.parse(await response.json()).loops
}

/** The loops, once this many are live. */
async function liveAt(view: string, many: number): Promise<LoopInfo[]> {
  let loops: LoopInfo[] = []
  const reached = await eventually(async () => {
    loops = await loopsAt(view).catch(() => [])
    return loops.filter(({ state }) => state === 'live').length === many
  })
  if (!reached) throw new Error(`there are not ${many} live loops: ${JSON.stringify(loops.map(({ loop, state }) => [loop, state]))}`)
  return loops
}

const observed = ({ err }: Started): string[] => err().split('\n').filter((line) => /is observed at|not watched|shows the processes/.test(line))

t.test('a program of several processes', async (t) => {
  const running = loopscope(t, ['run', '--port', '0', program('group.mjs'), '3'])
  const view = await viewOf(running)
  const loops = await liveAt(view, 4)
  const [, leader] = await found(running.err, /process (\d+) is observed/)
  const [, parent] = await found(running.out, /parent (\d+)/)
  await found(running.out, /(child \d+\s+){3}/)
  const children = [...running.out().matchAll(/child (\d+)/g)].map(([, pid]) => Number(pid))
  t.teardown(() => {
    for (const pid of [...children, Number(parent)]) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch { /* it has ended */ }
    }
  })

  await t.test('has one view, which one line names', async (t) => {
    t.equal(observed(running).length, 1)
    t.match(loops.map(({ loop, self }) => [loop, self]), [['main', true], ...loops.slice(1).map(({ pid }) => [`group-${pid}`, false])])
    t.same(loops.map(({ pid }) => pid).sort(), [...children, Number(parent)].sort())
  })

  await t.test('shows the stalls of each, with its lines', async (t) => {
    const blamed = async (): Promise<{ loop: string } | undefined> => {
      const { stalls } = await (await fetch(`${view}/stalls`)).json() as { stalls: { loop: string; stack?: { function: string }[] }[] }
      return stalls.find(({ loop, stack }) => loop !== 'main' && stack?.[0]?.function === 'blockChild')
    }
    t.ok(await eventually(async () => {
      process.kill(Number(parent), 'SIGUSR2')
      return await blamed() !== undefined
    }, 100))
    const { loop } = (await blamed())!
    t.match(await (await fetch(`${view}/stalls?loop=${loop}`)).json(), { stalls: [{ loop }] })
    t.match(await (await fetch(`${view}/tasks?loop=${loop}`, { headers: { accept: 'application/json' } })).json(), { loop, state: 'live', tasks: [] })
  })

  let ended = 0
  let killed = 0
  await t.test('distinguishes a process that has ended from one that was killed', async (t) => {
    process.kill(Number(parent), 'SIGHUP')
    t.ok(await eventually(async () => (await loopsAt(view)).some(({ state }) => state === 'closed')))
    ended = (await loopsAt(view)).find(({ state }) => state === 'closed')!.pid
    killed = children.find((pid) => pid !== ended && pid !== Number(leader))!
    process.kill(killed, 'SIGKILL')
    t.ok(await eventually(async () => (await loopsAt(view)).find(({ pid }) => pid === killed)?.state === 'lost'))
  })

  await t.test('is shown at the same address by another process, if the first one was killed', async (t) => {
    process.kill(Number(leader), 'SIGKILL')
    // Without their parent, these processes go on.
    const [left] = await liveAt(view, 1)
    t.match(left, { self: true, pid: children.find((pid) => pid !== Number(leader) && pid !== ended && pid !== killed), observer: view })
    t.equal(observed(running).length, 1)
  })
})

t.test('programs that one command starts have one view, which is opened once', async (t) => {
  const folder = strangeFolder(t)
  writeFileSync(join(folder, 'xdg-open'), `#!/bin/sh\necho "$1" >> ${join(folder, 'opened')}\n`)
  chmodSync(join(folder, 'xdg-open'), 0o755)
  const env = { PATH: [folder, process.env['PATH']].join(delimiter) }
  const each = `${process.execPath} ${program('waiting.mjs')} & echo pid $!`
  const running = loopscope(t, ['run', '--port', '0', '--open', '--', 'sh', '-c', `${each}; ${each}; wait`], { env })
  await found(running.out, /(pid \d+\s+(ready\s+)*){2}/)
  t.teardown(() => {
    for (const [, pid] of running.out().matchAll(/pid (\d+)/g)) process.kill(Number(pid), 'SIGKILL')
  })
  const view = await viewOf(running)
  const loops = await liveAt(view, 2)
  t.equal(observed(running).length, 1)
  // Its own observer is ready, too, when it has an address.
  t.ok(await eventually(async () => (await loopsAt(view)).every(({ observer }) => observer !== null)), String(loops.length))
  t.ok(await eventually(() => existsSync(join(folder, 'opened'))))
  t.equal(readFileSync(join(folder, 'opened'), 'utf8'), `${view}\n`)
})

t.test('programs that are started separately have a view each', async (t) => {
  const [one, two] = [1, 2].map(() => startNode(t, ['--import', register, program('waiting.mjs')], { env: { LOOPSCOPE_PORT: '0' } }))
  t.not(await viewOf(one!), await viewOf(two!))
  t.match([await loopsAt(await viewOf(one!)), await loopsAt(await viewOf(two!))], [[{ self: true }], [{ self: true }]])
})

t.test('what another user of the machine may try', async (t) => {
  const newGroup = (): { secret: string; env: Record<string, string> } => {
    const secret = randomBytes(16).toString('hex')
    return { secret, env: { LOOPSCOPE_PORT: '0', LOOPSCOPE_GROUP: secret } }
  }
  const enter = (t: Test, secret: string): Socket => {
    const socket = connect(meetingOf(secret)).on('error', () => {})
    t.teardown(() => socket.destroy())
    return socket
  }

  await t.test('to join', async (t) => {
    const { secret, env } = newGroup()
    const leader = startNode(t, ['--import', register, program('waiting.mjs')], { env })
    const view = await viewOf(leader)
    const tries: Record<string, (socket: Socket, nonce: string) => void> = {
      'no proof': (socket, nonce) => sendJson(socket, { nonce, proof: proofOf('another secret', 'member', nonce), loop: 'intruder' }),
      'the proof of the leader': (socket, nonce) => sendJson(socket, { nonce, proof: proofOf(secret, 'leader', nonce), loop: 'intruder' }),
      'a long message': (socket) => socket.write(Buffer.alloc(1024 ** 2, 0xff)),
      'no JSON': (socket) => socket.write(encode(KIND.json, '{')),
      'nothing': () => {},
    }
    for (const [name, attempt] of Object.entries(tries)) {
      const socket = enter(t, secret)
      const frames = framesOf(socket, () => 1024)
      attempt(socket, (await nextOf(frames, challenge)).nonce)
      t.match(await frames.next().catch(() => ({ done: true })), { done: true }, `${name}: gets no answer`)
    }
    const sockets = Array.from({ length: 200 }, () => enter(t, secret))
    t.ok(await eventually(() => sockets.filter(({ closed }) => closed).length >= 100), 'a bounded number at a time')
    for (const socket of sockets) socket.destroy()

    const member = enter(t, secret)
    const frames = framesOf(member, () => 1024)
    const { nonce } = await nextOf(frames, challenge)
    sendJson(member, { nonce, proof: proofOf(secret, 'member', nonce), loop: 'main' })
    t.match(JSON.parse((await frames.next()).value!.text), { loop: 'main-2', proof: proofOf(secret, 'leader', nonce) })
    member.write(encode(KIND.events, '1 2\n[]'))
    t.match(await frames.next().catch(() => ({ done: true })), { done: true }, 'a member of another version is disconnected')
    t.match(await loopsAt(view), [{ loop: 'main', state: 'live' }])
  })

  await t.test('to be the leader', async (t) => {
    const { secret, env } = newGroup()
    const received: string[] = []
    const server = createServer((socket) => {
      socket.on('error', () => {}).on('data', (data) => received.push(data.toString('latin1')))
      sendJson(socket, { nonce: 'a'.repeat(32) })
      sendJson(socket, { proof: 'b'.repeat(64), loop: 'main', view: 1 })
    })
    await once(server.listen(meetingOf(secret)), 'listening')
    t.teardown(() => server.close())
    const alone = startNode(t, ['--import', register, program('waiting.mjs')], { env })
    t.match(await loopsAt(await viewOf(alone)), [{ loop: 'main', self: true }])
    t.ok(received.length > 0)
    t.notMatch(received.join(''), new RegExp(`${secret}|snapshot`))
  })
})
