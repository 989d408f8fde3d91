// openConnection and startServer over real sockets: what test_streams.py of CPython tests there, and what can go wrong.
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, Socket, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import {
  ConnectionError, ConnectionRefusedError, ConnectionResetError, ContextVar, createTask, fromPromise, gather, getRunningLoop, openConnection, openUnixConnection, run,
  RuntimeError, sleep, startServer, startUnixServer, timeout, wait, type Coroutine, type Server, type StreamReader, type StreamWriter, type Task,
} from '../../src/index.ts'
import { eventually } from '../support/eventually.ts'
import { thrown, thrownBy } from '../support/virtual.ts'
import { bytes, echo, handled, portOf, serving, text, TLS } from './support.ts'

/** Waits within a coroutine until `condition` is true. */
function* until(condition: () => boolean): Coroutine<void> {
  if (!(yield* fromPromise(eventually(condition)))) throw new Error(`never came: ${condition}`)
}

/** What a client gets back for a line. */
function* asked(reader: StreamReader, writer: StreamWriter, line: string): Coroutine<string | null> {
  writer.write(bytes(line))
  return text(yield* reader.readline())
}

t.test('a connection', async (t) => {
  await t.test('goes there and back, and both ends know their names', async (t) => {
    const names: unknown[] = []
    const { value, reports } = await handled(() => serving((reader, writer) => {
      names.push(writer.getExtraInfo('sockname'), writer.getExtraInfo('peername'))
      return echo(reader, writer)
    }, function* (port) {
      const [reader, writer] = yield* openConnection('127.0.0.1', port)
      t.same(writer.getExtraInfo('peername'), ['127.0.0.1', port])
      t.ok(writer.getExtraInfo('socket') instanceof Socket)
      t.same([writer.getExtraInfo('sslcontext'), writer.getExtraInfo('nothing', 'fallback')], [null, 'fallback'])
      const answers = [yield* asked(reader, writer, 'hello\n'), yield* asked(reader, writer, 'world\n')]
      t.same(names, [['127.0.0.1', port], writer.getExtraInfo('sockname')])
      t.same([writer.isClosing(), writer.canWriteEof()], [false, true])
      writer.close()
      t.equal(writer.isClosing(), true)
      yield* writer.waitClosed()
      t.ok(reader.atEof(), 'the reader of a closed connection is at its end')
      t.equal((yield* reader.read()).length, 0)
      return answers
    }))
    t.same({ value, reports }, { value: ['hello\n', 'world\n'], reports: [] })
  })

  await t.test('ends one direction alone', async (t) => {
    t.equal(await run(serving(function* (reader, writer) {
      const all = yield* reader.read()
      writer.write(bytes(`${all.length} bytes`))
      writer.close()
    }, function* (port) {
      const [reader, writer] = yield* openConnection('127.0.0.1', port)
      writer.writelines([bytes('one'), bytes('two')])
      writer.writeEof()
      t.match(thrown(() => writer.write(bytes('more'))), { name: 'RuntimeError', message: /write was called after writeEof/ })
      return text(yield* reader.read())
    })), '6 bytes')
  })

  await t.test('over a UNIX socket, whose file is removed at the end', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'streams-'))
    t.teardown(() => rmSync(folder, { recursive: true }))
    const path = join(folder, 's')
    await run((function* () {
      const server = yield* startUnixServer(echo, path)
      t.equal(server.sockets[0]?.getsockname(), path)
      const [reader, writer] = yield* openUnixConnection(path)
      t.equal(writer.getExtraInfo('peername'), path)
      t.equal(yield* asked(reader, writer, 'hello\n'), 'hello\n')
      writer.close()
      server.close()
      yield* server.waitClosed()
    })())
    t.notOk(existsSync(path))
    await t.rejects(run(openUnixConnection(path)), { code: 'ENOENT' })
  })

  await t.test('that is refused, unknown or cancelled fails, and leaves nothing', async (t) => {
    const closed = createServer()
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve))
    const { port } = closed.address() as AddressInfo
    await new Promise((resolve) => closed.close(resolve))
    const error = await run(openConnection('127.0.0.1', port)).catch((caught: unknown) => caught)
    t.ok(error instanceof ConnectionRefusedError && error instanceof ConnectionError && error.code === 'ECONNREFUSED', String(error))
    await t.rejects(run(openConnection('no-such-name.invalid', 80)), { code: /^(ENOTFOUND|EAI_AGAIN)$/ })
    await run(serving(echo, function* (own) {
      const task = createTask(openConnection('127.0.0.1', own))
      yield* sleep(0)
      t.match(task.waiter?.describeWait(), { kind: 'promise', label: `the connection to 127.0.0.1:${own}` })
      task.cancel()
      yield* wait([task])
      t.ok(task.cancelled())
    }))
  })

  await t.test('refuses wrong arguments, and says which are allowed', async (t) => {
    await run((function* () {
      const cases: [() => Coroutine<unknown>, RegExp][] = [
        [() => openConnection('127.0.0.1', 70_000), /openConnection: port must be at most 65535, got 70000/],
        [() => openConnection('127.0.0.1', '80' as unknown as number), /openConnection: port must be an integer, got "80"/],
        [() => openConnection(null as unknown as string, 80), /openConnection: host must be a text, got null/],
        [() => openConnection('127.0.0.1', 80, { limits: 3 } as object), /openConnection: unknown option limits. The options are limit, ssl, serverHostname/],
        [() => openConnection('127.0.0.1', 80, { limit: 0 }), /limit must be an integer of at least 1, got 0/],
        [() => openConnection('127.0.0.1', 80, { ssl: 'yes' as unknown as true }), /ssl must be true or the options of node:tls/],
        [() => startServer(null as unknown as () => void, '127.0.0.1', 0), /startServer: a function of a reader and a writer is needed, got null/],
        [() => startServer(echo, '127.0.0.1', 0, { backlogs: 1 } as object), /startServer: unknown option backlogs/],
        [() => openUnixConnection('x'.repeat(104)), /path must have at most 103 bytes, got 104/],
        [() => startUnixServer(echo, 7 as unknown as string), /startUnixServer: path must be a text, got 7/],
      ]
      for (const [call, message] of cases) t.match((yield* thrownBy(call)).message, message)
    })())
    await run(serving(echo, function* (port) {
      const [, writer] = yield* openConnection('127.0.0.1', port)
      const error = thrown(() => writer.write('text' as unknown as Uint8Array))
      t.ok(error instanceof TypeError)
      t.match(error.message, /must be bytes .* encode the text, with new TextEncoder\(\)\.encode\(text\) or Buffer\.from\(text\)/)
    }))
  })

  await t.test('that the other end breaks off fails the read and the drain, and does nothing else', async (t) => {
    const { value, reports } = await handled(function* () {
      const loop = getRunningLoop()
      const server = createServer((socket) => socket.once('data', () => socket.resetAndDestroy()))
      yield* fromPromise(new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)))
      const [reader, writer] = yield* openConnection('127.0.0.1', (server.address() as AddressInfo).port)
      writer.write(bytes('x'))
      const read = yield* thrownBy(() => reader.read())
      // As in bpo-25441: a loop of write and drain ends.
      const drained = yield* thrownBy(function* () {
        for (;;) {
          writer.write(bytes('foo\n'))
          yield* writer.drain()
        }
      })
      const closed = yield* thrownBy(() => writer.waitClosed())
      server.close()
      t.ok(loop.isRunning())
      return [read, drained, closed].map((error) => error instanceof ConnectionResetError)
    })
    t.same({ value, reports }, { value: [true, true, true], reports: [] })
  })

  await t.test('drain after close throws, and writing then is no error', async (t) => {
    await run(serving(echo, function* (port) {
      const [, writer] = yield* openConnection('127.0.0.1', port)
      writer.close()
      writer.write(bytes('data'))
      yield* writer.waitClosed()
      t.ok((yield* thrownBy(() => writer.drain())) instanceof ConnectionResetError)
    }))
  })

  await t.test('its tasks show what they wait for', async (t) => {
    await run(serving(function* (reader) {
      yield* reader.read()
    }, function* (port, server) {
      const [reader, writer] = yield* openConnection('127.0.0.1', port)
      const tasks: Task<unknown>[] = [createTask(reader.readline()), createTask(writer.waitClosed()), createTask(server.waitClosed())]
      yield* sleep(0)
      t.match(tasks.map((task) => task.waiter?.describeWait()), [
        { kind: 'receive', label: `data from 127.0.0.1:${port}` }, { kind: 'send', label: `the connection to 127.0.0.1:${port} to close` },
        { kind: 'promise', label: `<Server 127.0.0.1:${port} connections=1> to close, with its connections` },
      ])
      writer.transport.abort()
      yield* wait(tasks.slice(0, 2))
    }))
  })
})

t.test('back-pressure', async (t) => {
  await t.test('a slow reader stops the writer at the high water mark, and itself at twice its limit', async (t) => {
    const CHUNK = new Uint8Array(16_384)
    const TOTAL = 64 * 1024 * 1024
    let written = 0
    let most = 0
    await run((function* () {
      const server = yield* startServer(function* (_reader, writer) {
        while (written < TOTAL) {
          writer.write(CHUNK)
          written += CHUNK.length
          most = Math.max(most, writer.transport.getWriteBufferSize())
          yield* writer.drain()
        }
        writer.close()
      }, '127.0.0.1', 0)
      const [reader, writer] = yield* openConnection('127.0.0.1', portOf(server), { limit: 1000 })
      // Nothing is read: the writer stops once the buffers of the system are full too.
      let before = -1
      while (written !== before) {
        before = written
        yield* sleep(0.3)
      }
      t.ok(written < TOTAL / 2, `${written} bytes were written`)
      t.notOk(writer.transport.isReading(), 'the connection is paused')
      // One piece of what the system gives, beyond the mark.
      t.ok(Number(/(\d+) bytes/.exec(String(reader))?.[1]) <= 2000 + 65_536, String(reader))
      let read = 0
      for (let data; (data = yield* reader.read(1_000_000)).length > 0;) read += data.length
      t.equal(read, TOTAL, 'nothing is lost')
      t.ok(most <= 65_536 + CHUNK.length, `${most} bytes were buffered at most`)
      writer.close()
      server.close()
      yield* server.waitClosed()
    })())
  })

  await t.test('a client that takes nothing and dies costs its handler only', async (t) => {
    const outcomes: string[] = []
    await run(serving(function* (_reader, writer) {
      try {
        for (;;) {
          writer.write(new Uint8Array(65_536))
          yield* writer.drain()
        }
      } catch (error) {
        outcomes.push((error as Error).name)
      }
    }, function* (port) {
      const slow = connect(port, '127.0.0.1').on('error', () => {}).pause()
      yield* until(() => slow.readyState === 'open')
      yield* sleep(0.2)
      slow.resetAndDestroy()
      yield* until(() => outcomes.length === 1)
      t.match(outcomes[0], /ConnectionResetError|BrokenPipeError/)
    }))
  })
})

t.test('a server', async (t) => {
  await t.test('runs a plain function for each connection too, in the context of startServer', async (t) => {
    const variable = new ContextVar<string>('variable')
    await run((function* () {
      variable.set('of the server')
      const server = yield* startServer((reader, writer) => {
        const own = variable.get()
        createTask((function* () {
          yield* reader.readline()
          writer.write(bytes(`${own}\n`))
          writer.close()
        })())
      }, '127.0.0.1', 0)
      variable.set('of the client')
      const [reader, writer] = yield* openConnection('127.0.0.1', portOf(server))
      t.equal(yield* asked(reader, writer, 'x\n'), 'of the server\n')
      writer.close()
      server.close()
      yield* server.waitClosed()
    })())
  })

  await t.test('reports a handler that fails, and closes its connection; of a cancelled one it closes it only', async (t) => {
    const tasks: Task<unknown>[] = []
    const { reports } = await handled(() => serving(function* (reader) {
      if (text(yield* reader.readline()) === 'fail\n') throw new TypeError('no such command')
      tasks.push(...[...getRunningLoop().liveTasks()].slice(-1))
      yield* sleep(1000)
    }, function* (port) {
      for (const line of ['fail\n', 'wait\n']) {
        const [reader, writer] = yield* openConnection('127.0.0.1', port)
        writer.write(bytes(line))
        if (line === 'wait\n') {
          yield* until(() => tasks.length === 1)
          tasks[0]!.cancel()
        }
        t.equal((yield* reader.read()).length, 0, 'the end')
        writer.close()
      }
    }))
    t.equal(reports.length, 1)
    t.match(reports[0], /^the handler of a connection failed: <Task finished name="Task-\d+" .*\(TypeError: no such command\)$/)
  })

  await t.test('close accepts nothing further; waitClosed waits for the connections too', async (t) => {
    await run((function* () {
      const server = yield* startServer(echo, '127.0.0.1', 0)
      const port = portOf(server)
      const [reader, writer] = yield* openConnection('127.0.0.1', port)
      yield* asked(reader, writer, 'x\n')
      t.ok(server.isServing())
      const closed = createTask(server.waitClosed())
      server.close()
      t.same([server.isServing(), server.sockets.length], [false, 0])
      t.ok((yield* thrownBy(() => openConnection('127.0.0.1', port))) instanceof ConnectionRefusedError)
      t.equal(yield* asked(reader, writer, 'still there\n'), 'still there\n')
      t.notOk(closed.done())
      writer.close()
      yield* closed
      yield* server.waitClosed()
      for (const call of [() => server.startServing(), () => server.serveForever()]) t.match(yield* thrownBy(call), { name: 'RuntimeError', message: '<Server closed connections=0> is closed' })
    })())
  })

  await t.test('closeClients sends what was written, abortClients need not', async (t) => {
    for (const way of ['closeClients', 'abortClients'] as const) {
      await run((function* () {
        let writers = 0
        const server = yield* startServer(function* (_reader, writer) {
          writers++
          writer.write(new Uint8Array(4_000_000))
          yield* sleep(1000)
        }, '127.0.0.1', 0)
        const [reader, writer] = yield* openConnection('127.0.0.1', portOf(server))
        yield* until(() => writers === 1)
        server.close()
        server[way]()
        if (way === 'closeClients') t.equal((yield* reader.read()).length, 4_000_000)
        else {
          try {
            t.ok((yield* reader.read()).length < 4_000_000)
          } catch (error) {
            t.ok(error instanceof ConnectionResetError)
          }
        }
        yield* server.waitClosed()
        writer.close()
      })())
    }
  })

  await t.test('serves until it is cancelled or closed, once at a time, and in a scope', async (t) => {
    await run((function* () {
      const server = yield* startServer(echo, '127.0.0.1', 0, { startServing: false })
      t.same([server.isServing(), server.sockets.length], [false, 0])
      const serves = createTask(server.serveForever())
      yield* until(() => server.isServing() && server.sockets.length === 1)
      yield* sleep(0)
      t.ok((yield* thrownBy(() => server.serveForever())) instanceof RuntimeError)
      serves.cancel()
      yield* wait([serves])
      t.same([serves.cancelled(), server.isServing()], [true, false])

      const second = yield* startServer(echo, '127.0.0.1', 0)
      const task = createTask(second.serveForever())
      yield* sleep(0)
      second.close()
      yield* wait([task])
      t.ok(task.cancelled(), 'as in CPython')

      const third = yield* startServer(echo, '127.0.0.1', 0)
      t.equal(yield* third.with(function* (server: Server) {
        const [reader, writer] = yield* openConnection('127.0.0.1', portOf(server))
        const answer = yield* asked(reader, writer, 'in a scope\n')
        writer.close()
        return answer
      }), 'in a scope\n')
      t.notOk(third.isServing())
    })())
  })

  await t.test('on an address in use fails with the reason; on several hosts it listens on each', async (t) => {
    await run(serving(echo, function* (port) {
      t.match(yield* thrownBy(() => startServer(echo, '127.0.0.1', port)), { code: 'EADDRINUSE' })
      const server = yield* startServer(echo, ['127.0.0.1', '127.0.0.2'], 0)
      t.same(server.sockets.map((socket) => socket.getsockname()[0]), ['127.0.0.1', '127.0.0.2'])
      server.close()
      yield* server.waitClosed()
    }))
  })

  await t.test('many clients at once, each with its own answers', async (t) => {
    let answers = 0
    await run(serving(echo, function* (port) {
      yield* gather(Array.from({ length: 50 }, (_, client) => (function* () {
        const [reader, writer] = yield* openConnection('127.0.0.1', port)
        for (let i = 0; i < 20; i++) {
          const line = `${client} ${i}\n`
          if ((yield* asked(reader, writer, line)) === line) answers++
        }
        writer.close()
        yield* writer.waitClosed()
      })()))
    }))
    t.equal(answers, 1000)
  })

  await t.test('whose handler forgot to close its connection closes it when nothing refers to it', async (t) => {
    await run(serving(function* (reader) {
      yield* reader.readline()
    }, function* (port) {
      const [reader, writer] = yield* openConnection('127.0.0.1', port)
      writer.write(bytes('bye\n'))
      const end = createTask(reader.read())
      yield* until(() => {
        globalThis.gc?.()
        return end.done()
      })
      t.equal((yield* end).length, 0)
      writer.close()
    }))
  })

  await t.test('and what is left of a program is closed with its loop', async (t) => {
    let ended = 0
    const other = createServer((socket) => socket.on('error', () => {}).on('close', () => ended++).resume())
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    let port = 0
    await run((function* () {
      const server = yield* startServer(echo, '127.0.0.1', 0)
      port = portOf(server)
      yield* openConnection('127.0.0.1', (other.address() as AddressInfo).port)
      const [reader, writer] = yield* openConnection('127.0.0.1', port)
      yield* asked(reader, writer, 'x\n')
    })())
    t.ok(await eventually(() => ended === 1))
    await t.rejects(run(openConnection('127.0.0.1', port)), { code: 'ECONNREFUSED' })
    other.close()
  })
})

t.test('TLS', async (t) => {
  const trusted = { ca: TLS.cert }

  await t.test('from the beginning, with the name checked', async (t) => {
    await run((function* () {
      const server = yield* startServer(echo, '127.0.0.1', 0, { ssl: TLS })
      const port = portOf(server)
      const [reader, writer] = yield* openConnection('127.0.0.1', port, { ssl: trusted, serverHostname: 'conformance.test' })
      t.equal(yield* asked(reader, writer, 'secret\n'), 'secret\n')
      t.same([writer.canWriteEof(), writer.getExtraInfo('sslcontext') === null], [false, false])
      t.match(writer.getExtraInfo('cipher'), { version: /^TLS/ })
      t.throws(() => writer.writeEof(), { name: 'RuntimeError' })
      writer.close()
      yield* writer.waitClosed()
      const [other, its] = yield* openConnection('127.0.0.1', port, { ssl: trusted })
      t.equal(yield* asked(other, its, 'by the address\n'), 'by the address\n')
      its.close()
      t.match((yield* thrownBy(() => openConnection('127.0.0.1', port, { ssl: true }))).message, /self-signed|self signed/)
      t.match(yield* thrownBy(() => openConnection('127.0.0.1', port, { ssl: trusted, serverHostname: 'example.org' })), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
      server.close()
      yield* server.waitClosed()
    })())
  })

  await t.test('from the middle of a connection, with bytes of it that came early', async (t) => {
    const { value, reports } = await handled(() => serving(function* (reader, writer) {
      const first = yield* reader.readline()
      writer.write(first)
      // The beginning of TLS is already there.
      yield* sleep(0.1)
      yield* writer.startTls(TLS)
      t.not(writer.getExtraInfo('sslcontext'), null)
      yield* echo(reader, writer)
    }, function* (port) {
      const [reader, writer] = yield* openConnection('127.0.0.1', port)
      const first = yield* asked(reader, writer, 'plain\n')
      yield* writer.startTls(trusted, { serverHostname: 'conformance.test' })
      const second = yield* asked(reader, writer, 'secret\n')
      t.ok((yield* thrownBy(() => writer.startTls(trusted))) instanceof RuntimeError)
      writer.close()
      yield* writer.waitClosed()
      return [first, second]
    }))
    t.same({ value, reports }, { value: ['plain\n', 'secret\n'], reports: [] })
  })

  await t.test('a handshake that never ends is given up, by its own limit or a cancellation', async (t) => {
    await run(serving(function* (reader) {
      yield* reader.read()
    }, function* (port) {
      t.match(yield* thrownBy(() => openConnection('127.0.0.1', port, { ssl: true, sslHandshakeTimeout: 0.1 })), { name: 'ConnectionAbortedError', message: /took longer than 0.1 s/ })
      t.match(yield* thrownBy(() => timeout(0.1, () => openConnection('127.0.0.1', port, { ssl: true }))), { name: 'TimeoutError' })
    }))
  })

  await t.test('clients that speak anything else do no harm to the server', async (t) => {
    const { reports } = await handled(function* () {
      const server = yield* startServer(echo, '127.0.0.1', 0, { ssl: TLS })
      const port = portOf(server)
      for (const first of ['GET / HTTP/1.1\r\n\r\n', '\x16\x03\x01\x00\x05xxxxx', '']) {
        const socket = connect(port, '127.0.0.1').on('error', () => {})
        socket.write(first)
        yield* fromPromise(delay(20))
        socket.destroy()
      }
      const [reader, writer] = yield* openConnection('127.0.0.1', port, { ssl: trusted, serverHostname: 'conformance.test' })
      t.equal(yield* asked(reader, writer, 'still there\n'), 'still there\n')
      writer.close()
      server.close()
      yield* server.waitClosed()
    })
    t.same(reports, [])
  })
})

t.test('cancelled at each of its waits, a connection is as usable as before', async (t) => {
  await run(serving(echo, function* (port) {
    const [reader, writer] = yield* openConnection('127.0.0.1', port)
    for (const read of [() => reader.readline(), () => reader.read(5), () => reader.readexactly(3), () => reader.readuntil(bytes('\n'))]) {
      const task = createTask(read() as Coroutine<unknown>)
      yield* sleep(0)
      task.cancel()
      yield* wait([task])
      t.ok(task.cancelled())
    }
    t.equal(yield* asked(reader, writer, 'x\n'), 'x\n')
    writer.close()
    yield* writer.waitClosed()
  }))
})
