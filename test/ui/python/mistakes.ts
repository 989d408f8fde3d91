// What beginners get wrong, and what the page has to say of it, at which line. Those of `ENDLESS` end only because the page
// ends them.
export interface Mistake {
  code: string
  /** What is said: in a report, in the failure that it ended with, or in its note. */
  says: RegExp
  /** The line that it is said of; null if it is of no line. */
  line: number | null
}

const main = (body: string, before = ''): string => `import asyncio\nimport time\n${before}\nasync def main():\n${body.split('\n').map((line) => `    ${line}`).join('\n')}\n\nasyncio.run(main())\n`

export const MISTAKES: Record<string, Mistake> = {
  'a missing await': { code: main("asyncio.sleep(1)\nprint('done')"), says: /RuntimeWarning: coroutine 'sleep' was never awaited/, line: 5 },
  'a missing await of its own coroutine': { code: main("other()\nprint('done')", 'async def other(): pass'), says: /RuntimeWarning: coroutine 'other' was never awaited/, line: 5 },
  'asyncio.run inside a loop': { code: main('asyncio.run(asyncio.sleep(1))'), says: /RuntimeError: asyncio\.run\(\) cannot be called from a running event loop/, line: 5 },
  'a forgotten task that failed': { code: main('task = asyncio.create_task(fail())\nawait asyncio.sleep(1)', "async def fail(): raise ValueError('lost')"), says: /Task exception was never retrieved: ValueError: lost/, line: 3 },
  'a task that is pending at the end of its loop': {
    code: 'import asyncio\nasync def wait():\n    await asyncio.sleep(10)\nloop = asyncio.new_event_loop()\ntask = loop.create_task(wait())\nloop.run_until_complete(asyncio.sleep(1))\nloop.close()\n',
    says: /Task was destroyed but it is pending!: Task-1/, line: 3,
  },
  'a syntax error': { code: 'import asyncio\nasync def main()\n    pass\n', says: /SyntaxError: expected ':'/, line: 2 },
  'await outside of a coroutine': { code: 'import asyncio\n\nawait asyncio.sleep(1)\n', says: /SyntaxError: 'await' outside function/, line: 3 },
  'main that is never run': { code: 'import asyncio\nasync def main():\n    pass\n', says: /No loop ran: call asyncio\.run\(main\(\)\)\./, line: null },
  'an exception': { code: main("raise KeyError('x')"), says: /KeyError: 'x'/, line: 5 },
  'an exception group': {
    code: main('async with asyncio.TaskGroup() as group:\n    group.create_task(fail())\n    group.create_task(fail())', "async def fail(): raise ValueError('both')"),
    says: /ExceptionGroup: unhandled errors in a TaskGroup \(2 sub-exceptions\)\n {2}ValueError: both, in line 3\n {2}ValueError: both, in line 3/, line: 5,
  },
  'a thread': { code: main("await asyncio.to_thread(print, 'x')"), says: /there are no threads in this page/, line: 5 },
  'a thread of threading': { code: 'import threading\nthreading.Thread(target=print).start()\n', says: /there are no threads in this page/, line: 2 },
  'a connection': { code: main("await asyncio.open_connection('example.com', 80)"), says: /there is no network in this page/, line: 5 },
  'a server': { code: main("await asyncio.start_server(print, '127.0.0.1', 80)"), says: /there is no network in this page/, line: 5 },
  'urllib': { code: "import urllib.request\nurllib.request.urlopen('http://example.com')\n", says: /there is no network in this page/, line: 2 },
  'a subprocess': { code: main("await asyncio.create_subprocess_exec('ls')"), says: /there are no other processes in this page/, line: 5 },
  'input': { code: "name = input('Who? ')\n", says: /there is no keyboard in this page/, line: 1 },
  'a package': { code: 'import aiohttp\n', says: /No module named 'aiohttp': this page has Python's standard library only/, line: 1 },
  'a huge allocation': { code: 'everything = []\nwhile True:\n    everything.append(bytearray(100_000_000))\n', says: /MemoryError/, line: 3 },
  'a recursion without end': { code: 'def f():\n    return f()\nf()\n', says: /RecursionError: maximum recursion depth exceeded/, line: 2 },
  'a cancellation that is eaten': {
    code: main('task = asyncio.create_task(eat())\nawait asyncio.sleep(0.5)\ntask.cancel()\nawait task', 'async def eat():\n    for _ in range(3):\n        try:\n            await asyncio.sleep(1)\n        except BaseException:\n            pass\n'),
    says: /Task-2 caught its cancellation and went on/, line: 7,
  },
  'a blocking call': { code: main('time.sleep(2)'), says: /^loop\.blocked Task-1 2$/, line: 5 },
}

/** Run in real time, until the page has had enough of them. */
export const ENDLESS: Record<string, Mistake> = {
  'a blocking call': { code: main('time.sleep(60)'), says: /^held Task-1/, line: 5 },
  'an endless loop': { code: main('while True:\n    pass'), says: /^held Task-1/, line: 6 },
  'an endless loop outside of any loop of events': { code: 'x = 0\nwhile True:\n    x += 1\n', says: /^held null/, line: 3 },
  'a deadlock': { code: main('lock = asyncio.Lock()\nasync with lock:\n    async with lock:\n        pass'), says: /^idle$/, line: null },
  'an endless print': { code: "while True:\n    print('again')\n", says: /10000 lines, the limit of the playground/, line: null },
  'an endless print in a task': { code: main("while True:\n    print('again')"), says: /10000 lines, the limit of the playground/, line: null },
  'events without end': { code: main('while True:\n    await asyncio.sleep(0)'), says: /100000 events, the limit of the playground/, line: null },
  'a cancellation that is eaten': { code: main('while True:\n    try:\n        await asyncio.sleep(1)\n    except BaseException:\n        pass'), says: /Task-1 caught its cancellation and went on/, line: 8 },
}

interface Anything {
  type: string
  [field: string]: unknown
}

/** Everything that was said of a program: a text, and the line that it is of. */
function sayings(messages: readonly object[]): { text: string; line: number | null }[] {
  return (messages as Anything[]).flatMap((message) => {
    const failure = message['failure'] as { text: string; stack: { line: number }[] } | null | undefined
    const stack = message['stack'] as { line: number }[] | undefined
    const note = message['note'] as string | null | undefined
    return [
      ...failure == null ? [] : [{ text: failure.text, line: failure.stack[0]?.line ?? null }],
      ...note == null ? [] : [{ text: note, line: null }],
      ...message.type === 'held' ? [{ text: `held ${message['task'] as string}`, line: (message['place'] as { line: number } | null)?.line ?? null }] : [],
      ...message.type === 'loop.blocked' ? [{ text: `loop.blocked ${message['name'] as string} ${message['seconds'] as number}`, line: stack?.[0]?.line ?? null }] : [],
      ...message.type === 'pong' && message['idle'] === true ? [{ text: 'idle', line: null }] : [],
    ]
  })
}

/** What is missing in the messages and events of a program with this mistake; '' if nothing is. */
export function failedAs({ says, line }: Mistake, messages: readonly object[]): string {
  const all = sayings(messages)
  if (all.some((one) => says.test(one.text) && one.line === line)) return ''
  return `not said: ${says} of line ${line}, but ${all.map((one) => `${one.text} (${one.line})`).join('; ')}`
}
