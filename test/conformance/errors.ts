// Which errors programs raise, and which ones a statement is likely to raise, so that handlers are useful.
import { BARE, construct, everyExpression, everyStatement, expressionsOf, literal } from './tree.ts'
import type { Expression, Statement } from './tree.ts'
import type { Builder } from './builder.ts'

/** Every class a handler may name, the frequent ones more than once. */
export const CAUGHT = [
  'CancelledError', 'CancelledError', 'CancelledError', 'Exception', 'Exception', 'Exception', 'BaseException', 'TimeoutError', 'TimeoutError',
  'Boom', 'Boom', 'RuntimeError', 'ValueError', 'InvalidStateError', 'QueueEmpty', 'QueueFull', 'QueueShutDown', 'BrokenBarrierError',
  'ExceptionGroup', 'Nothing', 'Nothing', 'IncompleteReadError', 'LimitOverrunError',
]

const RAISED = ['RuntimeError', 'ValueError', 'TimeoutError', 'InvalidStateError', 'QueueEmpty', 'QueueFull', 'QueueShutDown', 'BrokenBarrierError']

/** Throws a value without meaning: whether something failed must not depend on what was thrown. */
export function bare(builder: Builder): Expression {
  return { type: 'thrown', value: builder.random.pick(BARE) }
}

export function anError(builder: Builder): Expression {
  const { random } = builder
  if (random.chance(0.2)) return bare(builder)
  if (random.chance(0.65)) return construct('Boom', [literal(`b${random.int(1, 99)}`)])
  if (random.chance(0.35)) return construct('CancelledError', builder.message())
  return construct(random.pick(RAISED))
}

/** What calls with these names throw. */
const LIKELY: Record<string, string[]> = {
  getNowait: ['QueueEmpty', 'QueueEmpty', 'QueueShutDown'], putNowait: ['QueueFull', 'QueueFull', 'QueueShutDown'], get: ['QueueShutDown'], put: ['QueueShutDown'],
  taskDone: ['ValueError'], release: ['RuntimeError', 'ValueError'], notify: ['RuntimeError'], notifyAll: ['RuntimeError'],
  setResult: ['InvalidStateError'], setException: ['InvalidStateError'], result: ['InvalidStateError', 'CancelledError', 'Boom'],
  exception: ['InvalidStateError', 'CancelledError'], reschedule: ['RuntimeError'], createTask: ['RuntimeError'], run: ['RuntimeError'],
  waitFor: ['TimeoutError'], wait: ['BrokenBarrierError', 'CancelledError'], gather: ['CancelledError', 'Boom'], shield: ['CancelledError', 'Boom'],
  read: ['Boom', 'RuntimeError'], readline: ['Boom', 'ValueError', 'RuntimeError'], readexactly: ['IncompleteReadError', 'RuntimeError'],
  readuntil: ['IncompleteReadError', 'LimitOverrunError', 'RuntimeError'], feedData: ['RuntimeError'], reset: ['ValueError'], abort: ['CancelledError'],
}

/** The classes that catch what this statement probably throws. */
export function likelyErrors(statement: Statement): string[] {
  const errors = new Set<string>()
  for (const one of everyStatement([statement])) {
    if (one.type === 'scope' && one.kind.startsWith('timeout')) errors.add('TimeoutError')
    if (one.type === 'scope' && one.kind === 'taskGroup') errors.add('ExceptionGroup')
    if (one.type === 'raise' && one.error.type === 'construct') errors.add(one.error.name)
    if (one.type === 'raise' && one.error.type === 'thrown') errors.add('Nothing')
    for (const expression of expressionsOf(one).flatMap((outer) => [...everyExpression(outer)])) {
      if (expression.type === 'call' || expression.type === 'method') for (const error of LIKELY[expression.name] ?? []) errors.add(error)
      if (expression.type !== 'await') continue
      if (expression.of.type === 'variable') errors.add('CancelledError').add('Boom')
      if (expression.of.type === 'coroutine') errors.add('Boom').add('ExceptionGroup')
    }
  }
  return [...errors]
}
