// Records in shared memory: what is written is what is read, and only whole records.
import t from 'tap'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { share } from '../../src/probe/layout.ts'
import { HEAD, recordReader, RECORDS, type Handlers, type Kind, type Reference } from '../../src/probe/record-schema.ts'
import { NO_TEXT, RingReader, RingWriter } from '../../src/probe/ring.ts'

type Heard = [kind: string, ...fields: unknown[]]

/** Handlers that log their calls. */
function listening(heard: Heard[]): Handlers {
  const handlers = Object.keys(RECORDS).map((kind) => [kind, (...fields: unknown[]) => { heard.push([kind, ...fields]) }])
  return Object.fromEntries(handlers) as Handlers
}

/** Reads a ring; the returned function returns how much it has read. */
function readerOf(reader: RingReader, heard: Heard[]): (all?: boolean) => number {
  const read = recordReader((reference) => reader.text(reference), listening(heard) as never)
  return (all) => reader.read(read, Infinity, all)
}

/** A thread that may lose its processor in the middle of a record. */
class Interrupted extends RingWriter {
  begin(): void {
    const at = this.next()
    this.words[at] = HEAD.ready
  }

  end(task: number): void {
    this.words[((this.head - 1) << 3) + 1] = task
    this.commit()
  }
}

t.test('a record is read when it is whole, published or not', async (t) => {
  const shared = share(4096)
  const ring = new Interrupted(shared)
  const heard: Heard[] = []
  const read = readerOf(new RingReader(shared), heard)
  ring.put(HEAD.lost, 0, 0, 3)
  read()
  t.same(heard, [], 'nothing is published')
  ring.begin()
  read(true)
  t.same(heard.splice(0).map(([kind]) => kind), ['lost'], 'the one that is begun is not taken')
  ring.end(7)
  read(true)
  t.match(heard.splice(0), [['ready', 7]])
  const text = ring.putText('x'.repeat(1000))
  read(true)
  ring.put(HEAD.printed, 7, 1, text)
  ring.publish()
  read()
  t.match(heard, [['printed', 7, 1, 'x'.repeat(1000)]])
})

t.test('a thread that writes while another reads unpublished records', async (t) => {
  const records = 60_000
  const shared = share(4096)
  const heard: Heard[] = []
  const read = readerOf(new RingReader(shared), heard)
  const worker = new Worker(new URL('./programs/writes.ts', import.meta.url), { workerData: { shared, records } })
  const ended = once(worker, 'exit')
  let going = true
  void ended.then(() => { going = false })
  let next = 1
  const wrong: Heard[] = []
  const check = (): void => {
    for (const [kind, ...fields] of heard.splice(0)) {
      const n = next++
      const expected = n % 10 === 0 ? ['printed', n, n, `${n} is written`] : ['queue', n, n, 'put', n, n, n, n]
      if (expected.some((value, at) => value !== [kind, ...fields][at])) wrong.push([kind, ...fields])
    }
  }
  while (going) {
    for (let times = 0; times < 100; times++) {
      read(true)
      check()
    }
    await new Promise(setImmediate)
  }
  t.same(await ended, [0])
  read(true)
  check()
  t.same(wrong.slice(0, 3), [])
  t.equal(next - 1, records)
})

t.test('every kind is read as it was written', async (t) => {
  const shared = share(4096)
  const ring = new RingWriter(shared)
  const heard: Heard[] = []
  const read = readerOf(new RingReader(shared), heard)
  let given = 100
  const written: Heard[] = []
  for (const [kind, layout] of Object.entries(RECORDS) as [Kind, { small?: readonly string[]; second?: readonly string[]; words?: readonly string[]; number?: string }][]) {
    for (const small of layout.small ?? [null]) {
      for (const second of layout.second ?? [null]) {
        let head: unknown = HEAD[kind]
        for (const word of [small, second]) if (word !== null) head = (head as Record<string, unknown>)[word]
        const texts = (layout.words ?? []).map((word) => (word.endsWith(': text') ? `${word} ${given++}` : null))
        // One after the other: some texts are kept and some are in front.
        const words = texts.map((text) => (text === null ? given++ + 2 ** 31 : given % 2 === 0 ? ring.keep(text) : ring.putText(text)))
        const number = layout.number === undefined ? [] : [given++ / 8]
        const ways = ring as unknown as Record<'put' | 'putNumber', (head: unknown, ...fields: number[]) => void>
        ways[layout.number === undefined ? 'put' : 'putNumber'](head, 2 ** 31 + given, given / 4, ...words, ...number)
        written.push([kind, 2 ** 31 + given, given / 4, ...[small, second].filter((word) => word !== null), ...words.map((word, at) => texts[at] ?? word), ...number])
      }
    }
  }
  ring.publish()
  read()
  t.same(heard.map((fields, at) => fields.slice(0, written[at]!.length)), written)
  t.equal(new Set(Object.values(RECORDS).map(({ kind }) => kind)).size, Object.keys(RECORDS).length, 'no two have one number')
})

t.test('a field that only one side has is a type error', async (t) => {
  const ring = new RingWriter(share(4096))
  // @ts-expect-error -- it has a field
  ring.put(HEAD.lost, 0, 0)
  // @ts-expect-error -- it has one field
  ring.put(HEAD.lost, 0, 0, 1, 2)
  // @ts-expect-error -- its field is a text
  ring.put(HEAD.printed, 0, 0, 1)
  // @ts-expect-error -- the first word says which of them it is
  ring.put(HEAD.queue, 0, 0, 1, 2, 3, 4)
  // @ts-expect-error -- it has a number as well
  ring.putNumber(HEAD.blocked, 0, 0, NO_TEXT, 1)
  ring.putNumber(HEAD.blocked, 0, 0, ring.keep('a') satisfies Reference, 1, 2)
  const handlers = listening([])
  // @ts-expect-error -- the field is not taken
  recordReader(String, { ...handlers, lost: (_task: number, _t: number) => {} })
  // @ts-expect-error -- there is no such field
  recordReader(String, { ...handlers, lost: (_task: number, _t: number, _count: number, _more: number) => {} })
  // @ts-expect-error -- a kind that is not handled
  recordReader(String, { ready: handlers.ready })
  t.pass()
})
