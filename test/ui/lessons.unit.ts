// The logic of the lessons, without a page: the two sources of an example, and predictions.
import t from 'tap'
import { EventLoop, run, VirtualClock } from '../../src/index.ts'
import type { LoopEvent } from '../../src/events/schema.ts'
import { Recorder } from '../../src/events/recorder.ts'
import { examples, source } from '../../examples/catalogue.ts'
import { asksWhen, judge, moved, shuffled, type Guessed } from '../../ui/lessons/predict.ts'
import { pieces, twinLines } from '../../ui/lessons/source.ts'
import { Recording } from '../../ui/recording.ts'

/** Example `number`, run in virtual time, as a recording. */
async function recorded(number: number): Promise<Recording> {
  const recording = new Recording()
  const events: LoopEvent[] = []
  const loopFactory = (): EventLoop => {
    const loop = new EventLoop({ clock: new VirtualClock() })
    new Recorder(loop).listen((event) => events.push(event))
    return loop
  }
  await run(examples[number - 1]!.main({ items: 1 }), { loopFactory, name: 'main' })
  for (const event of events) recording.apply(structuredClone(event))
  return recording
}

t.test('the two sources of an example', async (t) => {
  await t.test('stop at the same lines: each wait has its twin', async (t) => {
    for (const example of examples) {
      const [typescript, python] = [source(example, 'ts'), source(example, 'py')]
      const twins = twinLines(typescript, python)
      const stops = typescript.split('\n').flatMap((text, at) => /yield\*|blockingSleep\(/.test(text) && !text.startsWith('import') ? [at + 1] : [])
      t.same([...twins.keys()].sort((a, b) => a - b), stops, example.file)
      for (const [line, twin] of twins) {
        const [here, there] = [typescript.split('\n')[line - 1], python.split('\n')[twin - 1]]
        t.match(there, /blockingSleep/.test(here ?? '') ? /time\.sleep/ : /await/, `${example.file}: ${here?.trim()} is ${there?.trim()}`)
      }
    }
  })

  await t.test('lose no character to their colours', async (t) => {
    for (const example of examples) {
      for (const line of `${source(example, 'ts')}\n${source(example, 'py')}`.split('\n')) t.equal(pieces(line).map(({ text }) => text).join(''), line)
    }
    t.same(pieces("return 'it' # 7").map(({ kind }) => kind), ['keyword', 'plain', 'string', 'plain', 'comment'])
  })
})

t.test('a prediction', async (t) => {
  await t.test('begins in a random order, which is neither the run\'s nor its reverse', async (t) => {
    for (const number of [4, 5]) {
      const texts = (await recorded(number)).lines.map(({ text }) => text)
      const orders = Array.from({ length: 50 }, (_, seed) => shuffled(texts, seed))
      for (const order of orders) {
        t.same([...order].sort(), [...texts].sort())
        t.notSame(order, texts)
        t.notSame(order, [...texts].reverse())
      }
      t.ok(new Set(orders.map((order) => order.join())).size > 5, 'another seed is another order')
      t.same(shuffled(texts, 7), shuffled(texts, 7))
    }
    // Of two lines there are only these two orders, and always the reverse would give the answer away.
    const two = new Set(Array.from({ length: 50 }, (_, seed) => shuffled(['hello', 'world'], seed).join()))
    t.same([...two].sort(), ['hello,world', 'world,hello'])
    t.same(shuffled(['One', 'One', 'Two'], 1), ['One', 'Two', 'One'])
    t.same(moved(['a', 'b', 'c'], 0, 1), ['b', 'a', 'c'])
    t.same(moved(['a', 'b', 'c'], 2, 5), ['a', 'b', 'c'])
  })

  const guess = (...entries: string[]): Guessed[] => entries.map((entry) => {
    const [text = '', second] = entry.split('@')
    return { text, second: second === undefined ? null : Number(second) }
  })

  await t.test('is corrected, with the reason', async (t) => {
    const four = await recorded(4)
    t.same(judge(four, guess('One', 'One', 'One', 'Two', 'Two', 'Two')).map(({ right }) => right), [true, true, true, true, true, true])
    const verdicts = judge(four, guess('One', 'Two', 'One', 'Two', 'One', 'Two'))
    t.same(verdicts.map(({ right }) => right), [true, false, true, true, false, true])
    t.match(verdicts[1]?.why, 'At 1.000 s, Task-1, which prints “Two”, has not reached that line yet: asleep')
    t.match(verdicts[4]?.why, '“One” was printed before')
    const three = await recorded(3)
    t.match(judge(three, guess('world', 'hello'))[0]?.why, 'At 3.000 s, Task-2, which prints “world”, has not reached that line yet: ready since 3.000 s')
    const two = await recorded(2)
    t.match(judge(two, guess('world', 'hello'))[0]?.why, 'main prints “world” too, but later: it reaches that line at 8.000 s')
  })

  await t.test('has the moment of each line: the order of 2 and 3 is the same, their times are not', async (t) => {
    const [two, three, four, five] = await Promise.all([2, 3, 4, 5].map(recorded))
    const times = (recording: Recording, ...entries: string[]): (boolean | undefined)[] => judge(recording, guess(...entries)).map(({ when }) => when?.right)
    t.same(times(two!, 'hello@2', 'world@8'), [true, true])
    t.same(times(three!, 'hello@2', 'world@8'), [false, false])
    t.same(times(three!, 'hello@3', 'world@3'), [true, true])
    t.same(times(four!, 'One@0', 'One@1', 'One@2', 'Two@3', 'Two@3', 'Two@4'), [true, true, true, true, true, true])
    t.same(times(four!, 'One@0', 'One@0', 'One@0', 'Two@1', 'Two@1', 'Two'), [true, false, false, false, false, false])
    t.same(times(two!, 'world@8', 'hello@2'), [true, true], 'a line in a wrong place may have the right time')
    t.match(judge(four!, guess('One@0', 'One@0', 'One@2', 'Two@3', 'Two@3', 'Two@4'))[1]?.when?.why, 'At 0 s, Task-2 has not reached this line: ready since 0.000 s, behind Task-1')
    t.match(judge(three!, guess('hello@3', 'world@6'))[1]?.when?.why, 'Task-2 printed it at 3 s already: it had waited for sleep from 0.000 s on.')
    t.equal(asksWhen(five!, five!.lines), false, 'random pauses cannot be read off a program')
    t.same(times(five!, ...five!.lines.map(({ text }) => text)), five!.lines.map(() => undefined))
  })
})
