// A chat over TCP, one line a message: rooms, nicknames, and clients that are slow, rude or dead. It is what a chat server on
// asyncio's streams looks like here; `main.ts` runs it.
//
//     client ── lines ──> converse ──> the queue of each member of the room ──> send ── lines ──> client
//
// A client has two tasks: one reads its lines, one writes what is in its queue. So a client that does not read delays no other;
// once its queue is full, it is disconnected.
import {
  ConnectionError, createTask, Future, Queue, QueueShutDown, rethrowCancelled, shield, startServer, timeout, TimeoutError, wait, type Coroutine, type Server, type StreamReader, type StreamWriter,
  type Task,
} from '../../../src/index.ts'

export interface ChatOptions {
  host?: string
  /** 0 for a free port. */
  port?: number
  /** The most clients; others are refused. Default 1000. */
  most?: number
  /** How many lines may wait for one client. Default 256. */
  waiting?: number
  /** The longest line, in bytes. Default 1024. */
  longest?: number
  /** How long a client may take to give its name, in seconds. Default 60. */
  greeting?: number
  /** How long clients get to read what waits for them when the server closes, in seconds. Default 2. */
  grace?: number
  /** Called with the port once the server listens. */
  onListening?: (port: number) => void
}

const LOBBY = 'lobby'
const NAME = /^[\p{L}\d_-]{1,20}$/u
const HELP = ['/join ROOM', '/leave', '/who', '/rooms', '/nick NAME', '/me TEXT', '/quit'].join(', ')

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** The connection should end, and why. */
class Goodbye extends Error {}

class Client {
  name = ''
  room: string | null = null
  readonly #queue: Queue<string>
  readonly #writer: StreamWriter
  #task: Task<unknown> | null = null

  constructor(writer: StreamWriter, waiting: number) {
    this.#queue = new Queue(waiting)
    this.#writer = writer
  }

  /** Queue a line. A client that is too slow to have room for it is cut off. */
  tell(line: string): void {
    if (this.#writer.isClosing()) return
    if (this.#queue.full()) {
      this.#writer.transport.abort()
      return
    }
    try {
      this.#queue.putNowait(line)
    } catch (error) {
      if (!(error instanceof QueueShutDown)) throw error
    }
  }

  /** Start the task that writes what is queued. */
  start(): void {
    this.#task = createTask(this.#send())
  }

  *#send(): Coroutine<void> {
    try {
      for (;;) {
        this.#writer.write(encoder.encode(`${yield* this.#queue.get()}\n`))
        yield* this.#writer.drain()
      }
    } catch (error) {
      if (!(error instanceof QueueShutDown || error instanceof ConnectionError)) throw error
    }
  }

  /** Send what is queued, and close the connection. */
  *finish(): Coroutine<void> {
    this.#queue.shutdown()
    if (this.#task !== null) yield* wait([this.#task])
    this.#writer.close()
    try {
      yield* this.#writer.waitClosed()
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error
    }
  }

  abort(): void {
    this.#queue.shutdown(true)
    this.#writer.transport.abort()
  }
}

export class Chat {
  readonly #options: Required<Omit<ChatOptions, 'onListening'>>
  readonly #clients = new Map<string, Client>()
  readonly #rooms = new Map<string, Set<Client>>()
  /** One for each connection, named or not. */
  readonly #connections = new Set<Client>()

  constructor(options: ChatOptions = {}) {
    this.#options = { host: '127.0.0.1', port: 0, most: 1000, waiting: 256, longest: 1024, greeting: 60, grace: 2, ...options }
  }

  get connections(): number {
    return this.#connections.size
  }

  /** The names in each room. */
  get rooms(): Record<string, string[]> {
    return Object.fromEntries([...this.#rooms].map(([room, members]) => [room, [...members].map(({ name }) => name)]))
  }

  /** Serve until the task is cancelled; then say goodbye to all clients. */
  *run(onListening?: (port: number) => void): Coroutine<never> {
    const { host, port, longest } = this.#options
    const server = yield* startServer((reader, writer) => this.#serve(reader, writer), host, port, { limit: longest })
    try {
      onListening?.(Number(server.sockets[0]?.getsockname()[1]))
      // Not `serveForever`: cancelled, it would wait until the last client leaves by itself.
      return yield* new Future<never>()
    } finally {
      yield* this.#close(server)
    }
  }

  /** Let the clients read what waits for them, for a while. */
  *#close(server: Server): Coroutine<void> {
    server.close()
    for (const client of this.#connections) client.tell('* the server is closing')
    const finishes = [...this.#connections].map((client) => createTask(client.finish()))
    const { pending } = finishes.length === 0 ? { pending: [] } : yield* wait(finishes, { timeout: this.#options.grace })
    for (const task of pending) task.cancel()
    for (const client of this.#connections) client.abort()
    yield* server.waitClosed()
  }

  /** One connection, from its first to its last line. */
  *#serve(reader: StreamReader, writer: StreamWriter): Coroutine<void> {
    const client = new Client(writer, this.#options.waiting)
    if (this.#connections.size >= this.#options.most) {
      client.start()
      client.tell('* the chat is full')
      yield* client.finish()
      return
    }
    this.#connections.add(client)
    client.start()
    try {
      yield* this.#greet(client, reader)
      yield* this.#converse(client, reader)
    } catch (error) {
      rethrowCancelled(error)
      this.#explain(client, error)
    } finally {
      this.#remove(client)
      try {
        yield* shield(createTask(client.finish()))
      } finally {
        this.#connections.delete(client)
      }
    }
  }

  /** Explain the error that ends a connection to its client. Any other error is thrown again. */
  #explain(client: Client, error: unknown): void {
    if (error instanceof Goodbye) client.tell(`* ${error.message}`)
    else if (error instanceof RangeError) client.tell(`* a line has at most ${this.#options.longest} bytes`)
    else if (!(error instanceof ConnectionError)) throw error
  }

  /** Ask for a name until it is one. */
  *#greet(client: Client, reader: StreamReader): Coroutine<void> {
    client.tell('* your name?')
    try {
      yield* timeout(this.#options.greeting, () => this.#name(client, reader))
    } catch (error) {
      if (error instanceof TimeoutError) throw new Goodbye('you took too long')
      throw error
    }
    client.tell(`* welcome, ${client.name}: ${HELP}`)
    this.#join(client, LOBBY)
  }

  *#name(client: Client, reader: StreamReader): Coroutine<void> {
    while (client.name === '') this.#rename(client, yield* readLine(reader))
  }

  *#converse(client: Client, reader: StreamReader): Coroutine<never> {
    for (;;) {
      const line = yield* readLine(reader)
      if (line.startsWith('/')) this.#command(client, line)
      else if (line !== '') this.#say(client, `${client.name}: ${line}`)
    }
  }

  #command(client: Client, line: string): void {
    const [command, ...words] = line.split(' ')
    const argument = words.join(' ').trim()
    switch (command) {
      case '/join': return NAME.test(argument) ? this.#join(client, argument) : client.tell('* a room has a name of letters and digits')
      case '/leave': return this.#join(client, LOBBY)
      case '/who': return client.tell(`* ${this.#members(client).map(({ name }) => name).sort().join(' ')}`)
      case '/rooms': return client.tell(`* ${[...this.#rooms].map(([room, { size }]) => `${room} (${size})`).sort().join(' ')}`)
      case '/nick': return this.#rename(client, argument)
      case '/me': return this.#say(client, `* ${client.name} ${argument}`)
      case '/quit': throw new Goodbye('bye')
      default: return client.tell(`* ${command} is no command: ${HELP}`)
    }
  }

  #rename(client: Client, name: string): void {
    if (!NAME.test(name)) return client.tell('* a name has 1 to 20 letters and digits')
    if (this.#clients.has(name)) return client.tell(`* ${name} is here already`)
    const before = client.name
    this.#clients.delete(before)
    this.#clients.set(name, client)
    client.name = name
    if (before !== '') this.#say(client, `* ${before} is ${name} now`)
  }

  #members({ room }: Client): Client[] {
    return room === null ? [] : [...this.#rooms.get(room) ?? []]
  }

  /** To all in the client's room, itself included: so each sees the same order. */
  #say(client: Client, line: string): void {
    for (const member of this.#members(client)) member.tell(`[${client.room}] ${line}`)
  }

  #join(client: Client, room: string): void {
    if (client.room === room) return
    this.#leave(client)
    client.room = room
    const members = this.#rooms.get(room) ?? new Set()
    this.#rooms.set(room, members.add(client))
    this.#say(client, `* ${client.name} joins`)
  }

  #leave(client: Client): void {
    const members = this.#rooms.get(client.room ?? '')
    if (members === undefined) return
    members.delete(client)
    this.#say(client, `* ${client.name} leaves`)
    if (members.size === 0) this.#rooms.delete(client.room as string)
    client.room = null
  }

  #remove(client: Client): void {
    this.#leave(client)
    if (this.#clients.get(client.name) === client) this.#clients.delete(client.name)
  }
}

/** The next line. Throws a Goodbye at the end. */
function* readLine(reader: StreamReader): Coroutine<string> {
  const line = yield* reader.readline()
  if (line.length === 0) throw new Goodbye('bye')
  return decoder.decode(line).trim()
}
