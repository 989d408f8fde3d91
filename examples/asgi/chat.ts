// A chat: what one member sends, all get. Each member has a queue of its own, so that a slow reader delays no other; one whose
// queue is full is disconnected, or, if the chat should lose nothing, waited for.
import { OSError, type Application, type Send } from '../../src/asgi/index.ts'
import { createTask, Queue, QueueShutDown, type Coroutine, type Task } from '../../src/index.ts'

export interface ChatOptions {
  /** The most members; others are refused. */
  most?: number
  /** How many messages may wait for one member. */
  waiting?: number
  /** The longest message, in characters. */
  longest?: number
  /** What happens to a member that reads too slowly. */
  slow?: 'disconnect' | 'wait'
}

interface Member {
  queue: Queue<string>
  send: Send
}

const MESSAGE_TOO_BIG = 1009
const POLICY_VIOLATION = 1008

export function chat({ most = 100, waiting = 32, longest = 1000, slow = 'disconnect' }: ChatOptions = {}): Application {
  const members = new Set<Member>()

  return function* room(scope, receive, send) {
    if (scope.type !== 'websocket') throw new Error(`a chat is a WebSocket, not for the scope ${scope.type}`)
    yield* receive()
    // Before it is accepted: the client gets a 403.
    if (members.size >= most) return yield* send({ type: 'websocket.close' })
    const own: Member = { queue: new Queue(waiting), send }
    members.add(own)
    let writer: Task<void> | null = null
    try {
      yield* send({ type: 'websocket.accept' })
      writer = createTask(ignoring(write(own)), { name: 'writer' })
      for (;;) {
        const event = yield* receive()
        if (event.type !== 'websocket.receive') return
        const message = event.text ?? ''
        if (message.length > longest) return yield* send({ type: 'websocket.close', code: MESSAGE_TOO_BIG, reason: `at most ${longest} characters` })
        for (const member of [...members]) yield* pass(member, message)
      }
    } finally {
      members.delete(own)
      // One that waits for room has none to wait for any more.
      own.queue.shutdown(true)
      writer?.cancel()
    }
  }

  function* pass(member: Member, message: string): Coroutine<void> {
    if (!members.has(member)) return
    if (!member.queue.full()) member.queue.putNowait(message)
    else if (slow === 'wait') yield* ignoring(member.queue.put(message))
    else {
      members.delete(member)
      yield* ignoring(member.send({ type: 'websocket.close', code: POLICY_VIOLATION, reason: 'you read too slowly' }))
    }
  }
}

function* write({ queue, send }: Member): Coroutine<void> {
  for (;;) yield* send({ type: 'websocket.send', text: yield* queue.get() })
}

/** A member may leave while a message is on its way. */
function* ignoring(coro: Coroutine<void>): Coroutine<void> {
  try {
    yield* coro
  } catch (error) {
    if (!(error instanceof OSError || error instanceof QueueShutDown)) throw error
  }
}
