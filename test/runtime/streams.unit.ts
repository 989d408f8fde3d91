// StreamReader as test_streams.py of CPython tests it: fed by tasks and callbacks, without a socket. And the flow control of
// StreamWriter over a transport in memory.
import t from 'tap'
import {
  createTask, currentTask, gather, getRunningLoop, IncompleteReadError, LimitOverrunError, run, RuntimeError, sleep, StreamReader, StreamWriter, wait, waitFor,
  type Coroutine, type Transport,
} from '../../src/index.ts'
import { ByteBuffer } from '../../src/runtime/byte-buffer.ts'
import { WriteFlow } from '../../src/runtime/stream-writer.ts'
import { recorded, thrown, thrownBy, type Log } from '../support/virtual.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (data: Uint8Array): string => new TextDecoder().decode(data)

/** A reader that was fed these texts. */
function fed(texts: string[], { limit, eof = false }: { limit?: number; eof?: boolean } = {}): StreamReader {
  const reader = new StreamReader(limit)
  for (const one of texts) reader.feedData(bytes(one))
  if (eof) reader.feedEof()
  return reader
}

/** Runs `main` on a loop, and compares what it logs. */
const logs = (title: string, main: (log: Log) => Coroutine<unknown>, expected: string[]): void => {
  void t.test(title, async (t) => t.same(await recorded(main), expected))
}

const left = (reader: StreamReader): string => text(reader.takeUnread())

logs('read gives what is there, up to n bytes, and nothing at the end', function* (log) {
  const reader = fed(['line1', 'line2'])
  log(text(yield* reader.read(5)), (yield* reader.read(0)).length, text(yield* reader.read(100)))
  reader.feedData(new Uint8Array())
  const read = createTask(reader.read(30))
  getRunningLoop().callSoon(() => reader.feedData(bytes('later')))
  log(text(yield* read))
  getRunningLoop().callSoon(() => reader.feedEof())
  log((yield* reader.read(10)).length, reader.atEof(), (yield* reader.read(10)).length)
}, ['line1 0 line2', 'later', '0 true 0'])

logs('read until the end takes all, also beyond the limit', function* (log) {
  const reader = new StreamReader(3)
  getRunningLoop().callSoon(() => {
    reader.feedData(bytes('chunk1\n'))
    reader.feedData(bytes('chunk2'))
    reader.feedEof()
  })
  log(text(yield* reader.read()))
  log(text(yield* fed(['chunk'], { limit: 3 }).read(5)))
}, ['chunk1\nchunk2', 'chunk'])

logs('readline waits for the rest of its line, and gives what is left at the end', function* (log) {
  const reader = fed(['chunk1 '])
  getRunningLoop().callSoon(() => {
    for (const one of ['chunk2 ', 'chunk3 ', '\n chunk4']) reader.feedData(bytes(one))
  })
  log(JSON.stringify(text(yield* reader.readline())), left(reader))
  const last = fed(['some data'], { eof: true })
  log(text(yield* last.readline()), (yield* last.readline()).length, last.atEof())
  const mixed = fed(['line1\nline2\nline3\n'])
  yield* mixed.readline()
  log(JSON.stringify(text(yield* mixed.read(7))), JSON.stringify(left(mixed)))
}, [`"chunk1 chunk2 chunk3 \\n"  chunk4`, 'some data 0 true', `"line2\\nl" "ine3\\n"`])

logs('readline drops a line that is longer than the limit, and nothing else', function* (log) {
  for (const [texts, limit] of [[['li', 'ne1\nline2\n'], 3], [['li', 'ne1', 'li'], 3], [['12345678\n'], 7], [['12345678'], 7]] as [string[], number][]) {
    const reader = fed(texts, { limit })
    log((yield* thrownBy(() => reader.readline())).name, JSON.stringify(left(reader)))
  }
  const strict = fed(['1234567\n'], { limit: 7 })
  log(JSON.stringify(text(yield* strict.readline())))
  const later = new StreamReader(7)
  getRunningLoop().callSoon(() => {
    for (const one of ['chunk1', 'chunk2\n', 'chunk3\n']) later.feedData(bytes(one))
    later.feedEof()
  })
  log((yield* thrownBy(() => later.readline())).message)
  log(JSON.stringify(text(yield* later.readline())))
}, [
  'RangeError "line2\\n"', 'RangeError ""', 'RangeError ""', 'RangeError ""', '"1234567\\n"',
  '<StreamReader 20 bytes eof limit=7>: 12 bytes precede the separator, and the limit is 7', '"chunk3\\n"',
])

logs('readuntil finds a separator that comes in pieces', function* (log) {
  const reader = new StreamReader()
  for (const texts of [['lineAAA'], ['lineAAAxxx'], ['QWEaa', 'XYaa', 'a'], ['QWEaa', 'XYa', 'aa'], ['aaa'], ['XXX', 'a', 'a', 'a']]) {
    for (const one of texts) reader.feedData(bytes(one))
    log(text(yield* reader.readuntil(bytes(texts[0]!.includes('A') ? 'AAA' : 'aaa'))), left(reader))
  }
  const task = createTask(reader.readuntil(bytes('--end')))
  for (const one of ['ab-', '-e', 'n', 'd!']) {
    yield* sleep(0)
    reader.feedData(bytes(one))
  }
  log(text(yield* task), left(reader))
}, ['lineAAA ', 'lineAAA xxx', 'QWEaaXYaaa ', 'QWEaaXYaaa ', 'aaa ', 'XXXaaa ', 'ab--end !'])

logs('readuntil takes the separator that ends first', function* (log) {
  for (const [data, ...separators] of [['b\r\na\n', '\n', '\r'], ['some dataA\r\nB', 'A', 'ta'], ['xxABCxx', 'ABC', 'BC', 'C'], ['line1\r\n', '\r\n', '\n']] as [string, ...string[]][]) {
    const reader = fed([data])
    log(JSON.stringify(text(yield* reader.readuntil(separators.map(bytes)))), JSON.stringify(left(reader)))
  }
  // A short one at the end of what is there need not wait for the longest to fit.
  const reader = fed(['ab'])
  const task = createTask(reader.readuntil([bytes('\n'), bytes('STOP')]))
  yield* sleep(0)
  reader.feedData(bytes('ST\n'))
  log(JSON.stringify(text(yield* task)))
}, ['"b\\r" "\\na\\n"', '"some data" "A\\r\\nB"', '"xxABC" "xx"', '"line1\\r\\n" ""', '"abST\\n"'])

logs('readuntil fails at the end, beyond the limit, and without a separator', function* (log) {
  const ended = fed(['some dataAA'], { eof: true })
  const incomplete = yield* thrownBy(() => ended.readuntil(bytes('AAA'))) as Coroutine<IncompleteReadError>
  log(incomplete.name, text(incomplete.partial), incomplete.expected, incomplete.message, left(ended).length)
  const limited = fed(['some dataAA'], { limit: 3 })
  const overrun = yield* thrownBy(() => limited.readuntil(bytes('AAA'))) as Coroutine<LimitOverrunError>
  log(overrun.name, overrun.consumed, overrun.message)
  limited.feedData(bytes('A'))
  const found = yield* thrownBy(() => limited.readuntil(bytes('AAA'))) as Coroutine<LimitOverrunError>
  log(found.name, found.consumed, found.message, left(limited))
  for (const separator of [bytes(''), [], [bytes('a'), bytes('')], 'a' as unknown as Uint8Array]) {
    const error = yield* thrownBy(() => limited.readuntil(separator))
    log(error.name, error.message)
  }
}, [
  'IncompleteReadError some dataAA null the stream ended after 11 bytes, before the separator 0',
  'LimitOverrunError 9 <StreamReader 11 bytes limit=3>: no separator within the limit of 3 bytes',
  'LimitOverrunError 9 <StreamReader 12 bytes limit=3>: 9 bytes precede the separator, and the limit is 3 some dataAAA',
  'RangeError StreamReader.readuntil: separators of at least one byte are needed, got <Uint8Array>',
  'RangeError StreamReader.readuntil: separators of at least one byte are needed, got [0 items]',
  'RangeError StreamReader.readuntil: separators of at least one byte are needed, got [2 items]',
  'TypeError StreamReader.readuntil: a separator must be bytes (a Uint8Array or a Buffer), got "a": encode the text, with new TextEncoder().encode(text) or Buffer.from(text)',
])

logs('readexactly waits for all of its bytes, also beyond the limit', function* (log) {
  const reader = new StreamReader(3)
  const task = createTask(reader.readexactly(10))
  for (const one of ['abcd', 'efgh', 'ijkl']) {
    yield* sleep(0)
    reader.feedData(bytes(one))
  }
  log(text(yield* task), (yield* reader.readexactly(0)).length, left(reader))
  log((yield* thrownBy(() => reader.readexactly(-1))).name)
  const ended = fed(['18 bytes, or so'], { eof: true })
  const error = yield* thrownBy(() => ended.readexactly(36)) as Coroutine<IncompleteReadError>
  log(text(error.partial), error.expected, error.message, left(ended).length)
}, ['abcdefghij 0 kl', 'RangeError', '18 bytes, or so 36 the stream ended after 15 of 36 bytes 0'])

logs('an exception fails the read that waits and all later ones', function* (log) {
  const reader = fed(['li'])
  log(reader.exception())
  const waiting = createTask(reader.readline())
  yield* sleep(0)
  reader.setException(new TypeError('broken'))
  yield* wait([waiting])
  log(waiting.exception())
  for (const read of [() => reader.read(2), () => reader.readline(), () => reader.readuntil(), () => reader.readexactly(1), () => reader.read()]) log(yield* thrownBy(read))
  log(reader.exception(), String(reader))
}, ['null', 'TypeError: broken', ...Array<string>(5).fill('TypeError: broken'), 'TypeError: broken <StreamReader 2 bytes exception=TypeError: broken>'])

logs('a cancelled read leaves its data, and its reader to the next', function* (log) {
  for (const read of [(reader: StreamReader) => reader.read(9), (reader: StreamReader) => reader.readline(), (reader: StreamReader) => reader.readexactly(4), (reader: StreamReader) => reader.readuntil()]) {
    const reader = fed([])
    const task = createTask(read(reader))
    yield* sleep(0)
    reader.feedData(bytes('abc'))
    // Woken and cancelled at once.
    task.cancel()
    yield* wait([task])
    reader.feedData(bytes('\n'))
    log(task.cancelled(), JSON.stringify(text(yield* read(reader))))
  }
  const reader = new StreamReader()
  const task = createTask(reader.readline())
  yield* sleep(0)
  task.cancel()
  yield* sleep(0)
  reader.setException(new Error('after the cancellation'))
  log(String(reader))
}, [...Array<string>(4).fill('true "abc\\n"'), '<StreamReader exception=Error: after the cancellation>'])

logs('two reads at a time are refused, and the first goes on', function* (log) {
  const reader = new StreamReader()
  const first = createTask(reader.readline())
  yield* sleep(0)
  const error = yield* thrownBy(() => reader.read(1))
  log(error instanceof RuntimeError, error.message)
  log((yield* thrownBy(() => waitFor(first, 0.1))).name)
}, ['true <StreamReader waiting>: read was called while another task waits for data: one task at a time can read', 'TimeoutError'])

logs('forEach gives each line, and the last without its end', function* (log) {
  const reader = fed(['one\ntwo\n', 'three'], { eof: true })
  yield* reader.forEach(function* (line) {
    yield* sleep(0)
    log(JSON.stringify(text(line)))
  })
}, ['"one\\n"', '"two\\n"', '"three"'])

logs('what feeds a reader is paused above twice its limit, and resumed at the limit, or by a read that needs more', function* (log) {
  const transport = { peer: 'a test', pauseReading: () => log('paused'), resumeReading: () => log('resumed') }
  const reader = new StreamReader(4)
  reader.setTransport(transport)
  reader.feedData(bytes('12345678'))
  reader.feedData(bytes('9'))
  log(String(reader))
  yield* reader.read(4)
  log('5 left')
  yield* reader.read(1)
  reader.feedData(bytes('abcdefgh'))
  const task = createTask(reader.readexactly(20))
  yield* sleep(0)
  reader.feedData(bytes('ijklmnop'))
  log(text(yield* task))
}, ['paused', '<StreamReader 9 bytes limit=4 of a test paused>', '5 left', 'resumed', 'paused', 'resumed', 'paused', 'resumed', '6789abcdefghijklmnop'])

logs('a task that reads is shown with what it waits for', function* (log) {
  const reader = new StreamReader()
  const task = createTask(reader.readline())
  yield* sleep(0)
  const { kind, label } = task.waiter!.describeWait()
  log(kind, label)
  reader.setTransport({ peer: '127.0.0.1:5432', pauseReading: () => {}, resumeReading: () => {} })
  log(task.waiter!.describeWait().label)
  task.cancel()
}, ['receive data from <StreamReader waiting>', 'data from 127.0.0.1:5432'])

void t.test('a reader refuses what it cannot take, and says what it can', async (t) => {
  t.same(await recorded(function* (log) {
    for (const limit of [0, -1, 1.5, '9' as unknown as number]) log(thrown(() => new StreamReader(limit)).message)
    const reader = new StreamReader()
    log(thrown(() => reader.feedData('text' as unknown as Uint8Array)).message)
    reader.feedEof()
    log(thrown(() => reader.feedData(bytes('x'))).message)
    log(String(reader), String(new StreamReader(123)))
    log((yield* thrownBy(() => reader.read(1.5))).message)
  }), [
    'StreamReader: limit must be an integer of at least 1, got 0', 'StreamReader: limit must be an integer of at least 1, got -1',
    'StreamReader: limit must be an integer of at least 1, got 1.5', 'StreamReader: limit must be an integer, got "9"',
    'StreamReader.feedData must be bytes (a Uint8Array or a Buffer), got "text": encode the text, with new TextEncoder().encode(text) or Buffer.from(text)',
    '<StreamReader eof>: feedData was called after feedEof', '<StreamReader eof> <StreamReader limit=123>',
    'StreamReader.read: n must be an integer of at least -1, got 1.5',
  ])
  t.throws(() => new StreamReader(), { message: /no running event loop/ })
  const loop = await run((function* () { return getRunningLoop() })())
  t.ok(new StreamReader(10, { loop }), 'outside of a loop, with one')
})

void t.test('the buffer is the same as an array that grows', (t) => {
  let seed = 7
  const random = (below: number): number => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) % below
  const buffer = new ByteBuffer()
  let model: number[] = []
  for (let round = 0; round < 5000; round++) {
    const data = Array.from({ length: random(12) }, () => random(4))
    switch (random(4)) {
      case 0: case 1:
        buffer.push(random(2) === 0 ? Buffer.from(data) : Uint8Array.from(data))
        model.push(...data)
        break
      case 2: {
        const count = random(3) === 0 ? model.length : random(model.length + 1)
        const taken = buffer.take(count)
        if (taken.constructor !== Uint8Array || String([...taken]) !== String(model.splice(0, count))) t.fail(`take ${count} in round ${round}`)
        break
      }
      default: {
        const separator = Uint8Array.from({ length: 1 + random(3) }, () => random(4))
        const from = random(model.length + 1)
        const found = Buffer.from(model).indexOf(separator, from)
        if (buffer.indexOf(separator, from) !== found) t.fail(`indexOf in round ${round}`)
        if (found !== -1 && !buffer.hasAt(separator, found)) t.fail(`hasAt in round ${round}`)
        if (random(20) === 0) {
          buffer.clear()
          model = []
        }
      }
    }
    if (buffer.length !== model.length) t.fail(`length in round ${round}`)
  }
  t.end()
})

/** A transport that keeps what is written until it is asked to send. */
function memory(log: Log): Transport & { size: number } {
  const flow = new WriteFlow('a test')
  const transport: Transport & { size: number } = {
    peer: 'a test', flow, size: 0,
    pauseReading: () => {}, resumeReading: () => {}, isReading: () => true,
    write(data) {
      this.size += data.length
      flow.update(this.size)
    },
    writeEof: () => log('eof'), canWriteEof: () => true, close: () => log('close'), abort: () => log('abort'), isClosing: () => false,
    getWriteBufferSize: () => transport.size, getWriteBufferLimits: () => flow, setWriteBufferLimits: (limits) => flow.setLimits(limits ?? {}),
    getExtraInfo: () => undefined,
  }
  return transport
}

logs('drain waits above the high water mark until the low one, in all tasks', function* (log) {
  const transport = memory(log)
  const writer = new StreamWriter(transport, null)
  writer.transport.setWriteBufferLimits({ high: 10 })
  log(writer.transport.getWriteBufferLimits().high, writer.transport.getWriteBufferLimits().low)
  writer.writelines([bytes('12345'), bytes('12345')])
  yield* writer.drain()
  writer.write(bytes('1'))
  const tasks = [1, 2, 3].map((one) => createTask((function* () {
    yield* writer.drain()
    log('drained', one)
  })()))
  yield* sleep(0)
  log(tasks[0]!.waiter?.describeWait().label)
  tasks[1]!.cancel()
  // The clock does not advance while a task waits for the host.
  for (const size of [9, 3]) {
    yield* sleep(0)
    log(size, 'left')
    transport.flow.update(size)
  }
  yield* sleep(0)
  transport.flow.update(2)
  yield* wait(tasks)
}, ['10 2', 'a test to take what was sent', '9 left', '3 left', 'drained 1', 'drained 3'])

logs('drain throws what the reader fails with, and the loss of the connection', function* (log) {
  const reader = new StreamReader()
  const transport = memory(log)
  const writer = new StreamWriter(transport, reader)
  writer.write(new Uint8Array(100_000))
  const waits = [createTask(writer.drain()), createTask(writer.waitClosed())]
  yield* sleep(0)
  transport.flow.connectionLost(new TypeError('lost'))
  yield* wait(waits)
  log(...waits.map((task) => task.exception()))
  log((yield* thrownBy(() => writer.drain())).name, yield* thrownBy(() => writer.waitClosed()))
  reader.setException(new TypeError('failed'))
  log(yield* thrownBy(() => writer.drain()))
}, ['TypeError: lost TypeError: lost', 'ConnectionResetError TypeError: lost', 'TypeError: failed'])

logs('a connection that was closed lets all that wait go on', function* (log) {
  const transport = memory(log)
  const writer = new StreamWriter(transport, null)
  writer.write(new Uint8Array(100_000))
  const both = gather([writer.drain(), writer.waitClosed(), writer.waitClosed()])
  const cancelled = createTask(writer.waitClosed())
  yield* sleep(0)
  cancelled.cancel()
  yield* wait([cancelled])
  transport.flow.connectionLost(null)
  yield* both
  yield* writer.waitClosed()
  log('closed', currentTask()?.cancelling())
}, ['closed 0'])

void t.test('limits of the write buffer that make no sense are refused', (t) => {
  const flow = new WriteFlow('a test')
  t.match(thrown(() => flow.setLimits({ high: 1, low: 2 })), { name: 'RangeError', message: 'setWriteBufferLimits: low must be at most high, which is 1, got 2' })
  t.match(thrown(() => flow.setLimits({ high: -1 })), { name: 'RangeError' })
  flow.setLimits({ low: 10 })
  t.same([flow.high, flow.low], [40, 10])
  flow.setLimits({})
  t.same([flow.high, flow.low], [65_536, 16_384])
  t.end()
})

void t.test('in a browser, the names are there, and their calls say what is missing', async (t) => {
  const absent = await import('../../src/hosts/no-streams.ts')
  const node = await import('../../src/streams/index.ts')
  const functions = Object.keys(node).filter((name) => /^[a-z]/.test(name))
  t.same(Object.keys(absent).sort(), functions.sort())
  t.throws(absent.openConnection, { name: 'RuntimeError', message: 'openConnection: browsers have no sockets and processes; use fetch or a WebSocket, with fromPromise and fromEvents' })
  const { browserHost } = await import('../../src/hosts/browser.ts')
  t.throws(() => browserHost.onSignal('SIGTERM', () => {}), { name: 'RuntimeError', message: /browsers have no signals/ })
})
