// Reads what a server sends, strictly: answers one after the other, each whole and well-formed, and nothing between them.

export interface Answer {
  status: number
  headers: Map<string, string>
  /** The body's first bytes; all of it for an error. */
  body: string
  /** Its end has arrived. */
  whole: boolean
}

/** How much of a body is kept, in bytes. */
const KEPT = 256 * 1024
const LONGEST_HEAD = 64 * 1024
/** A second answer inside a body: no text of ours contains a complete status line and a header. */
const STATUS_LINE = /HTTP\/1\.[01] \d{3} [^\r\n]*\r\n[A-Za-z-]+: /
const LONGEST_STATUS_LINE = 128

type Part = 'head' | 'length' | 'size' | 'chunk' | 'chunk end' | 'trailer' | 'until closed' | 'switched' | 'over'

export class Answers {
  /** In their order, without `100 Continue`. */
  readonly all: Answer[] = []
  /** How often the server sent `100 Continue`. */
  continued = 0
  /** The first problem with the bytes. */
  problem: string | null = null
  /** Receives what follows an answer that switched to another protocol. */
  onSwitched: ((bytes: Buffer) => void) | null = null
  readonly #methods: readonly string[]
  #part: Part = 'head'
  #rest: Buffer = Buffer.alloc(0)
  /** Bytes left of a body, or of a chunk. */
  #left = 0
  #tail = ''
  /** Bytes that may come behind an answer to HEAD. */
  #optional = 0

  /** `methods` are those of the sent requests: an answer to HEAD has no body. */
  constructor(methods: readonly string[]) {
    this.#methods = methods
  }

  get whole(): number {
    return this.all.filter((answer) => answer.whole).length
  }

  get switched(): boolean {
    return this.#part === 'switched'
  }

  /** Whether no answer is incomplete. */
  get between(): boolean {
    return this.#part === 'head' && this.#rest.length === 0
  }

  push(bytes: Buffer): void {
    if (this.problem !== null) return
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
    while (this.problem === null && this.#rest.length > 0 && this.#step());
  }

  /** The connection has been closed. Returns what that cut off, or `null`. */
  close(): string | null {
    if (this.#part === 'until closed') {
      this.#end()
      return null
    }
    if (this.#part === 'switched' || this.#part === 'over' || this.between) return null
    return this.#part === 'head' ? 'the head of an answer was cut off' : 'the body of an answer was cut off'
  }

  get #now(): Answer {
    return this.all.at(-1) as Answer
  }

  #fail(problem: string): false {
    this.problem = `${problem}: ${JSON.stringify(this.#rest.subarray(0, 200).toString('latin1'))}`
    return false
  }

  #take(length: number): Buffer {
    const taken = this.#rest.subarray(0, length)
    this.#rest = this.#rest.subarray(length)
    return taken
  }

  /** Reads on; returns whether there is more to read. */
  #step(): boolean {
    switch (this.#part) {
      case 'head': return this.#head()
      case 'size': return this.#size()
      case 'length':
      case 'chunk': {
        const taken = this.#take(Math.min(this.#left, this.#rest.length))
        this.#left -= taken.length
        if (!this.#body(taken)) return false
        if (this.#left > 0) return false
        if (this.#part === 'chunk') this.#part = 'chunk end'
        else this.#end()
        return true
      }
      case 'chunk end':
        if (this.#rest.length < 2) return false
        if (this.#take(2).toString('latin1') !== '\r\n') return this.#fail('a chunk does not end where it should')
        this.#part = 'size'
        return true
      case 'trailer':
        if (this.#rest.length < 2) return false
        if (this.#take(2).toString('latin1') !== '\r\n') return this.#fail('behind the last chunk there is more')
        this.#end()
        return true
      case 'until closed':
        this.#body(this.#take(this.#rest.length))
        return false
      case 'switched':
        this.onSwitched?.(this.#take(this.#rest.length))
        return false
      case 'over':
        // An answer to a request that could not be read has a body, even if that was a HEAD.
        this.#optional -= this.#rest.length
        if (this.#optional >= 0) {
          this.#take(this.#rest.length)
          return false
        }
        return this.#fail('more came after an answer that said it was the last')
    }
  }

  #head(): boolean {
    const end = this.#rest.indexOf('\r\n\r\n')
    if (end < 0) {
      if (this.#rest.length > LONGEST_HEAD) return this.#fail('a head that does not end')
      if (!'HTTP/1.1 '.startsWith(this.#rest.subarray(0, 9).toString('latin1'))) return this.#fail('this is not the start of an answer')
      return false
    }
    const [first = '', ...lines] = this.#rest.subarray(0, end).toString('latin1').split('\r\n')
    const status = Number(/^HTTP\/1\.1 ([1-5]\d\d) [\x20-\x7e]*$/.exec(first)?.[1])
    if (Number.isNaN(status)) return this.#fail('this is no status line')
    const headers = new Map<string, string>()
    for (const line of lines) {
      const match = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+): ?([\x20-\x7e\x80-\xff\t]*)$/.exec(line)
      if (match === null) return this.#fail(`${JSON.stringify(line)} is no header`)
      const name = (match[1] as string).toLowerCase()
      if (headers.has(name) && /^(content-length|content-type|transfer-encoding|location|connection)$/.test(name)) return this.#fail(`two headers ${name}`)
      headers.set(name, match[2] as string)
    }
    this.#take(end + 4)
    if (status === 100) {
      this.continued++
      return true
    }
    this.all.push({ status, headers, body: '', whole: false })
    this.#tail = ''
    return this.#begin(status, headers)
  }

  #begin(status: number, headers: Map<string, string>): boolean {
    const length = headers.get('content-length')
    const coding = headers.get('transfer-encoding')
    if (length !== undefined && (coding !== undefined || !/^\d+$/.test(length))) return this.#fail(`content-length: ${length}, transfer-encoding: ${coding}`)
    if (coding !== undefined && coding !== 'chunked') return this.#fail(`transfer-encoding: ${coding}`)
    if (status === 101) {
      this.#now.whole = true
      this.#part = 'switched'
    } else if (status < 200) return this.#fail(`an answer of ${status}`)
    else if (this.#methods[this.all.length - 1] === 'HEAD' || status === 204 || status === 304) {
      if (status === 400 || status === 431) this.#optional = Number(length ?? 0)
      this.#end()
    } else if (coding !== undefined) this.#part = 'size'
    else if (length === undefined) this.#part = 'until closed'
    else {
      this.#left = Number(length)
      if (this.#left === 0) this.#end()
      else this.#part = 'length'
    }
    return true
  }

  #size(): boolean {
    const end = this.#rest.indexOf('\r\n')
    if (end < 0) return this.#rest.length > 20 && this.#fail('a chunk has no size')
    const text = this.#rest.subarray(0, end).toString('latin1')
    if (!/^[0-9a-fA-F]{1,8}$/.test(text)) return this.#fail('a chunk has no size')
    this.#take(end + 2)
    this.#left = parseInt(text, 16)
    this.#part = this.#left === 0 ? 'trailer' : 'chunk'
    return true
  }

  #body(bytes: Buffer): boolean {
    const answer = this.#now
    const text = bytes.toString('latin1')
    if (STATUS_LINE.test(this.#tail + text)) return this.#fail(`a second status line inside a body, in ${JSON.stringify((this.#tail + text).slice(0, 300))}, before`)
    this.#tail = (this.#tail + text).slice(-LONGEST_STATUS_LINE)
    if (answer.body.length < KEPT) answer.body += text.slice(0, KEPT - answer.body.length)
    return true
  }

  #end(): void {
    const answer = this.#now
    answer.whole = true
    this.#part = answer.headers.get('connection') === 'close' ? 'over' : 'head'
  }
}
