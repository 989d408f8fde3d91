// Counts what programs really did, from their traces: how often each construct was reached, completed, and ended by which
// error. A construct that was never reached counts only as present.
import { everyExpression, everyStatement, expressionsOf, statementsOf } from './tree.ts'
import type { Expression, Program, Statement } from './tree.ts'

export interface Count {
  programs: number
  reached: number
  completed: number
  errors: Map<string, number>
}

/** What an expression exercises, in names such as `Queue.get` or `wait FIRST_COMPLETED`. */
function* named(expression: Expression, kinds: Map<string, string>): Generator<string> {
  for (const one of everyExpression(expression)) {
    if (one.type === 'method' && one.on.type === 'variable') {
      const kind = kinds.get(one.on.name) ?? (one.on.name === 'mainTask' ? 'Task' : one.on.name)
      yield `${kind}.${one.name}`
      if (one.name === 'cancel' && one.args.length > 0) yield `${kind}.cancel(message)`
      if (one.name === 'cancel' && one.on.name === 'mainTask') yield 'cancel of main'
      for (const option of Object.keys(one.options)) yield `${kind}.${one.name}({ ${option} })`
    } else if (one.type === 'method' && one.on.type === 'call') {
      yield `${one.on.name}().${one.name}`
    } else if (one.type === 'property' && one.on.type === 'variable') {
      yield `${kinds.get(one.on.name)}.${one.name}`
    } else if (one.type === 'call') {
      yield one.name
      for (const [option, value] of Object.entries(one.options)) {
        yield `${one.name}({ ${option}${value.type === 'call' ? `: ${value.name}` : value.type === 'literal' && value.value === null ? ': null' : ''} })`
      }
      yield* particulars(one, kinds)
    } else if (one.type === 'await' && one.of.type === 'variable') {
      yield `await ${kinds.get(one.of.name) ?? one.of.name}`
    } else if (one.type === 'await' && one.of.type === 'coroutine') {
      yield 'await coroutine'
    } else if (one.type === 'thrown') {
      yield one.value
    } else if (one.type === 'construct') {
      yield `new ${one.name}`
    }
  }
}

/** Cases of one function that asyncio treats differently. */
function* particulars(call: Expression & { type: 'call' }, kinds: Map<string, string>): Generator<string> {
  const [first, second] = call.args
  if (call.name === 'sleep' && first?.type === 'literal') yield Number(first.value) > 0 ? 'sleep(positive)' : 'sleep(0)'
  if (call.name === 'waitFor') {
    const limit = second?.type !== 'literal' || Number(second.value) > 0 ? 'positive' : second.value === null ? 'null' : '0'
    yield `waitFor(${first?.type === 'variable' ? 'future' : 'coroutine'}, ${limit})`
  }
  if (call.name === 'shield') yield `shield(${first?.type === 'variable' ? kinds.get(first.name) : 'coroutine'})`
  if (call.name === 'gather' && first?.type === 'list') {
    const names = first.items.flatMap((item) => item.type === 'variable' ? [item.name] : [])
    if (new Set(names).size < names.length) yield 'gather(duplicates)'
    if (first.items.some((item) => item.type === 'call' && item.name === 'gather')) yield 'gather(gather)'
    if (first.items.length === 0) yield 'gather()'
  }
  if (call.name === 'gather' && first?.type === 'support') yield 'gather(the same coroutine twice)'
}

function constructs(statement: Statement, kinds: Map<string, string>): Set<string> {
  const found = new Set<string>()
  for (const expression of expressionsOf(statement)) for (const name of named(expression, kinds)) found.add(name)
  if (statement.type === 'scope') {
    found.add(statement.kind === 'with' && statement.value.type === 'variable' ? `${kinds.get(statement.value.name)}.with` : statement.kind)
    const none = statement.value.type === 'literal' && statement.value.value === null
    if (statement.kind.startsWith('timeout') && none) found.add(`${statement.kind}(null)`)
    for (const inner of everyStatement(statement.body)) {
      if (inner.type === 'scope' && inner.kind === statement.kind && statement.kind !== 'with') found.add(`nested ${statement.kind}`)
    }
  }
  if (statement.type === 'each' && statement.async) found.add('asyncFor of asCompleted')
  if (statement.type === 'generate') found.add(statement.leaves ? 'asyncFor that ends early' : 'asyncFor')
  return found
}

const hasAwait = (block: Statement[]): boolean =>
  [...everyStatement(block)].some((statement) => expressionsOf(statement).some((one) => [...everyExpression(one)].some(({ type }) => type === 'await')))

/** Time, task (!its cancel requests), label, what happened there, and the rest. */
const LINE = new RegExp([
  /^\S+ (\S+?)(?:!\d+)? (L\d+|cb\d+|watchdog|callback|main)/, /(?: (\.\.\.|=|\?|(?:in|out|finally|returned|return|raised|raise)\b))?/, /(?: = )?(.*)$/,
].map(({ source }) => source).join(''))

export class Coverage {
  readonly counts = new Map<string, Count>()

  add(program: Program, lines: readonly string[]): void {
    const kinds = new Map(program.variables.map(({ name, kind }) => [name, kind]))
    const labelled = new Map<string, Set<string>>()
    const tried = new Map<string, Set<string>>()
    const present = new Set<string>()
    for (const statement of statementsOf(program)) {
      const found = constructs(statement, kinds)
      labelled.set(statement.label, found)
      for (const name of found) present.add(name)
      if (statement.type !== 'try') continue
      const inBody = new Set([...everyStatement(statement.body)].map(({ label }) => label))
      for (const handler of statement.handlers) tried.set(handler.label, inBody)
      for (const { error, body, reraise } of statement.handlers) {
        present.add(`except ${error}`)
        if (reraise) present.add(`except ${error}, reraise`)
        if (hasAwait(body)) present.add('await in except')
      }
      if (statement.last !== null && hasAwait(statement.last)) present.add('await in finally')
    }
    for (const name of present) this.#count(name).programs++
    this.#follow(program, lines, labelled, tried)
  }

  /** Reads one trace: what a task has begun and not ended is on its stack, and a handler shows what ended it. */
  #follow(program: Program, lines: readonly string[], labelled: Map<string, Set<string>>, tried: Map<string, Set<string>>): void {
    const handlers = new Map([...statementsOf(program)].flatMap((one) => one.type === 'try' ? one.handlers.map((handler) => [handler.label, handler] as const) : []))
    const awaitsInFinally = new Set([...statementsOf(program)].flatMap((one) => one.type === 'try' && one.last !== null && hasAwait(one.last) ? [one.label] : []))
    const open = new Map<string, string[]>()
    for (const line of lines) {
      const [, who, label, mark, rest] = LINE.exec(line) ?? []
      if (who === undefined || label === undefined) continue
      const stack = open.get(who) ?? []
      open.set(who, stack)
      const handler = handlers.get(label)
      if (handler !== undefined && mark === '=') {
        const error = /^ ?(\w+)/.exec(rest ?? '')?.[1] ?? '?'
        this.#reach(`except ${handler.error}`)
        if (handler.reraise) this.#reach(`except ${handler.error}, reraise`)
        if (hasAwait(handler.body)) this.#reach('await in except')
        const inBody = tried.get(label)
        const outermost = stack.findIndex((one) => inBody?.has(one))
        if (outermost < 0) continue
        for (const name of labelled.get(stack[outermost] ?? '') ?? []) {
          const { errors } = this.#count(name)
          errors.set(error, (errors.get(error) ?? 0) + 1)
        }
        stack.length = outermost
      } else if (mark === '...') {
        stack.push(label)
        for (const name of labelled.get(label) ?? []) this.#count(name).reached++
      } else if (mark === '=' || mark === '?' || mark === 'out') {
        const at = stack.lastIndexOf(label)
        for (const name of labelled.get(label) ?? []) {
          if (at < 0) this.#count(name).reached++
          this.#count(name).completed++
        }
        if (at >= 0) stack.length = at
        if (label.startsWith('cb')) this.#reach('callback run')
      } else if (mark === 'finally' || mark === 'return' || mark === 'raise') {
        this.#reach(mark)
        if (mark === 'finally' && awaitsInFinally.has(label)) this.#reach('await in finally')
        if (mark === 'raise') for (const name of labelled.get(label) ?? []) this.#reach(`raise ${name}`)
      } else if (label === 'watchdog' || label === 'callback') {
        this.#reach(label === 'watchdog' ? 'watchdog' : 'callback raised')
      }
    }
  }

  #reach(name: string): void {
    const count = this.#count(name)
    count.reached++
    count.completed++
  }

  #count(name: string): Count {
    let count = this.counts.get(name)
    if (count === undefined) this.counts.set(name, count = { programs: 0, reached: 0, completed: 0, errors: new Map() })
    return count
  }

  /** How often a construct ended: completed, or threw something that was caught right around it. */
  ended(name: string): number {
    const { completed = 0, errors = [] } = this.counts.get(name) ?? {}
    return [...errors].reduce((sum, [, times]) => sum + times, completed)
  }

  /** The table, one line for each construct. */
  toString(): string {
    const rows = [...this.counts].sort(([a], [b]) => a.localeCompare(b)).map(([name, count]) => [
      name, String(count.programs), String(count.reached), String(count.completed),
      [...count.errors].sort(([, a], [, b]) => b - a).map(([error, times]) => `${error} ${times}`).join(', '),
    ])
    const head = ['construct', 'programs', 'reached', 'completed', 'ended by, where that was caught']
    const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => (i === 4 ? '' : row[i] ?? '').length)))
    const pad = (cell: string, i: number): string => i === 0 ? cell.padEnd(widths[0] ?? 0) : i < 4 ? cell.padStart(widths[i] ?? 0) : cell
    return [head, ...rows].map((row) => row.map(pad).join('  ').trimEnd()).join('\n')
  }
}
