// `loopscope ps` and `pstree` as commands, asking a program that runs.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename } from 'node:path'
import t, { type Test } from 'tap'
import { eventually } from '../support/eventually.ts'
import { runNode, WITH_TYPESCRIPT } from '../support/server-process.ts'

interface Program {
  pid: number
  url: string
  /** The first frame of each task, in debug mode. */
  stacks: [name: string, frame: { function: string; file: string; line: number } | null][]
}

async function start(t: Test, env: Record<string, string> = {}): Promise<Program> {
  const program = runNode(t, [...WITH_TYPESCRIPT, 'test/ps/programs/waiting.ts'], env, { stdio: ['pipe', 'pipe', 'pipe'] })
  t.ok(await eventually(() => program.log().includes('"stacks"')), program.log())
  return JSON.parse(/^\{.*\}$/m.exec(program.log())![0]) as Program
}

async function command(t: Test, ...args: string[]): Promise<[code: number | null, text: string]> {
  const { ended, log, child } = runNode(t, ['dist/src/bin.js', ...args])
  const closed = new Promise((resolve) => child.once('close', resolve))
  const code = await ended
  await closed
  return [code, log()]
}

interface Task { name: string; state: string; coroutine: string; location?: { function: string; file: string; line: number } }

t.test('a running program', async (t) => {
  const [plain, debugged] = await Promise.all([start(t), start(t, { DEBUG: '1' })])

  await t.test('has the line where each task waits, without debug mode, and it is that of debug mode', async (t) => {
    const [code, json] = await command(t, 'ps', String(plain.pid), '--json')
    t.equal(code, 0, json)
    const { tasks } = JSON.parse(json) as { tasks: Task[] }
    t.equal(tasks.length, 4)
    t.ok(plain.stacks.every(([, frame]) => frame === null), 'the program itself does not know them')
    const wanted = debugged.stacks.filter(([, frame]) => frame !== null && frame.function !== 'main')
    t.equal(wanted.length, 3)
    for (const [name, frame] of wanted) {
      const { location } = tasks.find((task) => task.name === name)!
      t.same([location!.function, basename(location!.file), location!.line], [frame!.function, basename(frame!.file), frame!.line], name)
    }
    t.match(tasks.find(({ coroutine }) => coroutine === 'main'), { location: { file: 'test/ps/programs/waiting.ts', line: Number } })
  })

  await t.test('as a table, without what a terminal would obey', async (t) => {
    const [code, table] = await command(t, 'ps', '--url', plain.url)
    t.equal(code, 0)
    t.match(table, /^task id +task name +coroutine stack +waits for +awaiter name +awaiter id\n-+\n/)
    t.match(table, /^\d+ +waiter +waiter test\/ps\/programs\/waiting\.ts:30 +lock <Lock 1> of owner +Task-1 +1$/m)
    t.match(table, /album�\[31m/)
  })

  await t.test('as a tree', async (t) => {
    const [code, tree] = await command(t, 'pstree', String(plain.pid))
    t.equal(code, 0)
    t.match(tree, new RegExp([
      '^└── \\(T\\) Task-1', ' {4}└──  main test/ps/programs/waiting\\.ts:\\d+', ' {8}├── \\(T\\) owner', ' {8}│ {3}└──  owner test/ps/programs/waiting\\.ts:16, sleep',
      ' {8}├── \\(T\\) album.*', ' {8}│ {3}└──  album test/ps/programs/waiting\\.ts:22, queue\\.get <Queue 1.*>', ' {8}└── \\(T\\) waiter', ' {12}└──  waiter .*:30, lock <Lock 1> of owner\n$',
    ].join('\\n')))
  })
})

t.test('what cannot be shown is refused in one line', async (t) => {
  const server = createServer((_request, response) => response.end('{"tasks":[{"task":1}]}'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const cases: [args: string[], code: number, text: RegExp][] = [
    [[], 2, /it takes the number of one process, and was given 0/],
    [['12', '13'], 2, /was given 2/],
    [['x'], 2, /"x" is not the number of a process/],
    [['12', '--url', 'http://127.0.0.1'], 2, /not both/],
    [['--url', 'ftp://x'], 2, /--url is an http or https address/],
    [['--colour'], 2, /there is no option --colour/],
    [['999999999'], 1, /there is no process 999999999/],
    [[String(process.pid)], 1, new RegExp(`process ${process.pid} has no observer: it listens on http://127\\.0\\.0\\.1:${port}, and none of these is one`)],
    [['--url', `http://127.0.0.1:${port}`], 1, /is not an observer/],
    [['--url', 'http://127.0.0.1:1'], 1, /gave no answer that can be used/],
  ]
  await Promise.all(cases.map(async ([args, code, text]) => {
    const [ended, log] = await command(t, 'ps', ...args)
    t.equal(ended, code, args.join(' '))
    t.match(log, text)
    t.match(log, /^loopscope ps: .*(\n--help.*)?\n$/)
  }))
  t.match(await command(t, 'pstree', '--help'), [0, /^loopscope pstree PID/])
})
