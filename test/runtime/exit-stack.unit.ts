// asyncExitStack: scopes that are entered one by one are left in the reverse order, and see how the body ends.
import t from 'tap'
import {
  asyncExitStack, createTask, Lock, rethrowCancelled, sleep, taskGroup, timeout, wait, type AsyncExitStack, type Coroutine, type TaskGroup, type Timeout,
} from '../../src/index.ts'
import { recorded, thrownBy } from '../support/virtual.ts'

t.test('leaves scopes and callbacks in the reverse order, and gives the value of its body', async (t) => {
  t.same(await recorded(function* (log) {
    const locks = [new Lock(), new Lock()]
    log(yield* asyncExitStack(function* (stack) {
      for (const lock of locks) yield* stack.enter((body) => lock.with(body))
      stack.callback(log, 'callback', locks.map((lock) => lock.locked()))
      stack.pushAsyncCallback(function* (word: string) {
        yield* sleep(1)
        log(word)
      }, 'awaited callback')
      log('body', String(stack))
      return 'value'
    }))
    log(locks.map((lock) => lock.locked()))
  }), ['body <AsyncExitStack exits=4>', 'awaited callback', 'callback [true,true]', 'value', '[false,false]'])
})

t.test('a timeout ends the body, and its error leaves the stack', async (t) => {
  t.same(await recorded(function* (log) {
    log(yield* thrownBy(() => asyncExitStack(function* (stack) {
      stack.callback(log, 'outermost')
      const limit = yield* stack.enter<Timeout>((inner) => timeout(1, inner))
      stack.callback(() => log('expired', limit.expired()))
      yield* sleep(5)
    })))
  }), ['expired true', 'outermost', 'TimeoutError: the deadline passed'])
})

t.test('a group waits for its tasks; the first that fails cancels the body', async (t) => {
  t.same(await recorded(function* (log) {
    const inGroup = (body: (stack: AsyncExitStack, group: TaskGroup) => Coroutine<unknown>): Coroutine<unknown> => asyncExitStack(function* (stack) {
      return yield* body(stack, yield* stack.enter<TaskGroup>(taskGroup))
    })
    log(yield* inGroup(function* (_stack, group) {
      group.createTask((function* () { yield* sleep(1); log('child') })())
      return 'body'
    }))
    log(yield* thrownBy(() => inGroup(function* (stack, group) {
      stack.callback(log, 'cleaned up')
      group.createTask((function* () { throw new Error('of a child') })())
      yield* sleep(9)
    })))
    log('cancelled', yield* inGroup(function* (_stack, group) {
      group.cancel()
      yield* sleep(9)
    }))
  }), ['child', 'body', 'cleaned up', 'ExceptionGroup: 1 error in a taskGroup', 'cancelled undefined'])
})

t.test('an error of a callback is seen by the scopes around it', async (t) => {
  t.same(await recorded(function* (log) {
    function* noting(body: (name: string) => Coroutine<void>): Coroutine<void> {
      try {
        yield* body('noting')
      } catch (error) {
        rethrowCancelled(error)
        log('saw', error)
      }
    }
    log(yield* asyncExitStack(function* (stack) {
      stack.callback(log, 'last')
      log(yield* stack.enter<string>(noting))
      stack.callback(() => { throw new Error('of a callback') })
      return 'value'
    }))
  }), ['noting', 'saw Error: of a callback', 'last', 'value'])
})

t.test('a cancellation passes, after what is pushed has been awaited, and debug mode does not object', async (t) => {
  t.same(await recorded(function* (log) {
    const task = createTask(asyncExitStack(function* (stack) {
      stack.pushAsyncCallback(function* () {
        yield* sleep(1)
        log('cleaned up')
      })
      yield* sleep(9)
    }))
    yield* sleep(1)
    task.cancel()
    yield* wait([task])
    log('cancelled', task.cancelled())
  }, { debug: true }), ['cleaned up', 'cancelled true'])
})

t.test('misuse is an error', async (t) => {
  t.same(await recorded(function* (log) {
    let kept: AsyncExitStack | undefined
    yield* asyncExitStack(function* (stack) {
      kept = stack
      log(yield* thrownBy(() => stack.enter(function* () {})))
    })
    log(yield* thrownBy(() => kept!.enter((body) => new Lock().with(body))))
    try { kept!.callback(() => {}) } catch (error) { log(error) }
  }), [
    'RuntimeError: <AsyncExitStack exits=0>: a scope ended without running its body',
    ...Array<string>(2).fill('RuntimeError: <AsyncExitStack exits=0> was left already'),
  ])
})
