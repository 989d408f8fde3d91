// The chat of examples/programs/chat under faults: clients that die, that do not read, that talk nonsense, and Ctrl-C at random moments.
// Nothing may be left, and no line lost for clients that read.
import { spawn } from 'node:child_process'
import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { Chat, type ChatOptions } from '../../examples/programs/chat/server.ts'
import { CancelledError, EventLoop, run, type Task } from '../../src/index.ts'
import { eventually } from '../support/eventually.ts'

class Guest {
  readonly socket: Socket
  readonly lines: string[] = []
  ended = false

  constructor(port: number, name: string) {
    this.socket = connect(port, '127.0.0.1').on('error', () => {}).on('close', () => { this.ended = true })
    createInterface({ input: this.socket }).on('line', (line) => this.lines.push(line)).on('error', () => {})
    this.say(name)
  }

  say(line: string): void {
    this.socket.write(`${line}\n`)
  }

  async sees(line: string | RegExp): Promise<boolean> {
    return eventually(() => this.lines.some((one) => typeof line === 'string' ? one === line : line.test(one)))
  }
}

/** Runs a chat beside `body`, then cancels it; returns what the exception handler got. */
async function chatting(options: ChatOptions, body: (port: number, chat: Chat) => Promise<void>): Promise<string[]> {
  const reports: string[] = []
  const loop = new EventLoop()
  loop.setExceptionHandler((_loop, { message, exception }) => reports.push(`${message} (${String(exception)})`))
  const chat = new Chat(options)
  const stop = new AbortController()
  let port = 0
  const ended = run(chat.run((own) => { port = own }), { loopFactory: () => loop, signal: stop.signal }).catch((error: unknown) => error)
  await eventually(() => port !== 0)
  await body(port, chat)
  stop.abort()
  if (!(await ended instanceof CancelledError)) reports.push(`it ended with ${String(await ended)}`)
  const tasks = [...loop.liveTasks()].map((task: Task<unknown>) => String(task))
  if (chat.connections > 0 || Object.keys(chat.rooms).length > 0 || tasks.length > 0) reports.push(`left: ${chat.connections} connections, ${JSON.stringify(chat.rooms)}, ${tasks.join()}`)
  return reports
}

t.test('the chat', async (t) => {
  await t.test('has names, rooms and commands', async (t) => {
    t.same(await chatting({}, async (port) => {
      const ada = new Guest(port, 'ada')
      t.ok(await ada.sees('[lobby] * ada joins'))
      const bob = new Guest(port, 'ada\nno name!\nbob')
      t.ok(await ada.sees('[lobby] * bob joins'))
      t.ok(await bob.sees('* ada is here already') && await bob.sees('* a name has 1 to 20 letters and digits'))
      ada.say('hello')
      t.ok(await bob.sees('[lobby] ada: hello') && await ada.sees('[lobby] ada: hello'))
      bob.say('/join tea\n/rooms\n/who\n/what')
      t.ok(await ada.sees('[lobby] * bob leaves') && await bob.sees('* lobby (1) tea (1)') && await bob.sees('* bob') && await bob.sees(/what is no command/))
      bob.say('/nick rob\n/me waves\n/leave\n/quit')
      t.ok(await ada.sees('[lobby] * rob joins') && await ada.sees('[lobby] * rob leaves') && await bob.sees('[tea] * rob waves') && await bob.sees('* bye'))
      t.ok(await eventually(() => bob.ended))
      const rude = new Guest(port, 'x'.repeat(5000))
      t.ok(await rude.sees('* a line has at most 1024 bytes') && await eventually(() => rude.ended))
      ada.socket.end()
    }), [])
  })

  await t.test('loses no line for clients that read, whatever the others do', async (t) => {
    const LINES = 100
    t.same(await chatting({ waiting: 2000 }, async (port, chat) => {
      const guests = Array.from({ length: 8 }, (_, i) => new Guest(port, `guest${i}`))
      for (const guest of guests) t.ok(await guest.sees(/welcome/))
      const slow = new Guest(port, 'slow')
      t.ok(await slow.sees(/welcome/))
      slow.socket.pause()
      for (let i = 0; i < LINES; i++) {
        for (const [own, guest] of guests.entries()) guest.say(`${own} ${i} ${'.'.repeat(500)}`)
        if (i % 10 !== 0) continue
        // One that dies in the middle of a line.
        const dying = new Guest(port, `dying${i}`)
        await dying.sees(/welcome/)
        dying.socket.write('half a li', () => dying.socket.resetAndDestroy())
        await delay(1)
      }
      // Of each, in its order, to each.
      for (const guest of guests) {
        t.ok(await eventually(() => guest.lines.filter((line) => line.endsWith('.....')).length === guests.length * LINES), `${guest.lines.length} lines`)
        for (const own of guests.keys()) {
          const numbers = guest.lines.flatMap((line) => new RegExp(`^\\[lobby\\] guest${own}: ${own} (\\d+) `).exec(line)?.[1] ?? [])
          if (String(numbers) !== String(Array.from({ length: LINES }, (_, i) => i))) t.fail(`of ${own}: ${numbers.join()}`)
        }
      }
      t.ok(await eventually(() => !chat.rooms['lobby']!.some((name) => name.startsWith('dying'))), 'the dead have left')
      slow.socket.destroy()
    }), [])
  })

  await t.test('cuts off one that does not read, and delays no other', async (t) => {
    t.same(await chatting({ waiting: 20 }, async (port, chat) => {
      const talker = new Guest(port, 'talker')
      const slow = new Guest(port, 'slow')
      t.ok(await talker.sees('[lobby] * slow joins'))
      slow.socket.pause()
      let sent = 0
      t.ok(await eventually(() => {
        // As fast as it reads its own lines itself.
        const seen = talker.lines.filter((line) => line.includes('[lobby] talker: ')).length
        while (sent < seen + 10) talker.say(`${sent++} ${'.'.repeat(1000)}`)
        return chat.rooms['lobby']?.includes('slow') === false
      }, 10_000), `after ${sent} lines`)
      t.ok(await talker.sees('[lobby] * slow leaves'))
      t.ok(await eventually(() => talker.lines.filter((line) => line.includes('[lobby] talker: ')).length === sent), `the other lost nothing: it sent ${sent}, saw ${talker.lines.filter((line) => line.includes('[lobby] talker: ')).length}, ${talker.ended}, ${talker.lines.at(-1)?.slice(0, 80)}`)
      slow.socket.destroy()
    }), [])
  })

  await t.test('says goodbye when it closes, also to one that does not read, within its grace', async (t) => {
    const guests: Guest[] = []
    t.same(await chatting({ grace: 0.2 }, async (port) => {
      guests.push(new Guest(port, 'ada'), new Guest(port, 'slow'), new Guest(port, ''))
      t.ok(await guests[0]!.sees('[lobby] * slow joins') || await guests[1]!.sees('[lobby] * ada joins'))
      guests[1]!.socket.pause()
    }), [])
    t.ok(await guests[0]!.sees('* the server is closing') && await guests[2]!.sees('* the server is closing'))
    t.ok(await eventually(() => guests[0]!.ended && guests[2]!.ended))
    guests[1]!.socket.destroy()
  })

  await t.test('refuses more clients than it may have, and those that give no name', async (t) => {
    t.same(await chatting({ most: 1, greeting: 0.2 }, async (port) => {
      const silent = new Guest(port, '')
      t.ok(await silent.sees('* your name?'))
      const second = new Guest(port, 'second')
      t.ok(await second.sees('* the chat is full') && await eventually(() => second.ended))
      t.ok(await silent.sees('* you took too long') && await eventually(() => silent.ended))
    }), [])
  })

  await t.test('ends well by Ctrl-C at any moment', async (t) => {
    for (let round = 0; round < 5; round++) {
      const program = spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, '--import', './tools/ts.mjs', 'examples/programs/chat/main.ts'], { cwd: new URL('../..', import.meta.url) })
      let errors = ''
      program.stderr.on('data', (data) => { errors += String(data) })
      const printed: string[] = []
      createInterface({ input: program.stdout }).on('line', (line) => printed.push(line))
      const closed = new Promise<[number | null, NodeJS.Signals | null]>((resolve) => program.on('close', (...how: [number | null, NodeJS.Signals | null]) => resolve(how)))
      if (!(await eventually(() => printed.length > 0))) t.fail(errors)
      const port = Number(printed[0]?.split(':')[1])
      const guests = Array.from({ length: 5 }, (_, i) => new Guest(port, `guest${i}`))
      for (const guest of guests) await guest.sees(/welcome/)
      // Each says the next line when it sees its last.
      for (const [own, guest] of guests.entries()) {
        guest.say('0')
        guest.socket.on('data', (data) => { if (String(data).includes(`guest${own}: `)) guest.say('next') })
      }
      await delay(Math.random() * 50)
      program.kill('SIGINT')
      t.same(await closed, [0, null])
      t.same([printed.at(-1), errors], ['closed', ''])
      t.ok(await eventually(() => guests.every(({ ended }) => ended)))
      for (const guest of guests) guest.socket.destroy()
    }
  })
})
