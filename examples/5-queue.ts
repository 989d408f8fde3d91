import { createTask, gather, print, Queue, type Coroutine } from '../src/index.ts'
import { chance, type Chance } from './chance.ts'
import { sleep } from './pace.ts'

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'
type Item = [producer: number, letter: string]
type Letters = Pick<Queue<Item>, 'put' | 'get' | 'taskDone' | 'join'>

function* produce(name: number, queue: Letters, items: number, random: Chance): Coroutine<void> {
  for (let made = 0; items === 0 || made < items; made++) {
    yield* sleep(random.uniform(1, 5))
    const letter = random.choice(LETTERS)
    print(`P${name} produced ${letter}`)
    yield* queue.put([name, letter])
  }
}

function* consume(name: number, queue: Letters, random: Chance): Coroutine<never> {
  for (;;) {
    const [producer, letter] = yield* queue.get()
    print(`C${name} got ${letter} made by P${producer}`)
    yield* sleep(random.uniform(1, 5))
    queue.taskDone()
  }
}

export interface Parameters {
  producers?: number
  consumers?: number
  /** How many items each producer makes; 0: it never stops. */
  items?: number
  maxsize?: number
  random?: Chance
  /** One that other processes share; by default its own. */
  queue?: Letters
}

export function* main({ producers = 3, consumers = 2, items = 0, maxsize = 0, random = chance(), queue = new Queue(maxsize) }: Parameters = {}): Coroutine<void> {
  const making = Array.from({ length: producers }, (_, name) => createTask(produce(name, queue, items, random), { name: `P${name}` }))
  const taking = Array.from({ length: consumers }, (_, name) => createTask(consume(name, queue, random), { name: `C${name}` }))
  yield* gather(making)
  yield* queue.join()
  for (const task of taking) task.cancel()
}
