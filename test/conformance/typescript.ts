// Writes a program's tree as TypeScript for loopscope. It has the same meaning as python.ts, statement by statement.
import { guardsOf, mayFail } from './tree.ts'
import type { Expression, Handler, Options, Program, Statement } from './tree.ts'

/** Python's name for an error, as in this runtime. */
const named = (name: string): string => name === 'ValueError' ? 'RangeError' : name

function args(positional: Expression[], given: Options): string {
  const texts = positional.map(expression)
  const options = Object.entries(given).map(([name, value]) => `${name}: ${expression(value)}`)
  if (options.length > 0) texts.push(`{ ${options.join(', ')} }`)
  return texts.join(', ')
}

function expression(tree: Expression): string {
  switch (tree.type) {
    case 'literal': return typeof tree.value === 'string' ? `'${tree.value}'` : String(tree.value)
    case 'bytes': return `bytes(${JSON.stringify(tree.text)})`
    case 'variable': return tree.name
    case 'list': case 'tuple': return `[${tree.items.map(expression).join(', ')}]`
    case 'call':
      if (/^[A-Z]/.test(tree.name) || tree.name === 'eagerTaskFactory') return tree.name
      return `${tree.name}(${args(tree.args, tree.options)})`
    case 'method': return `${expression(tree.on)}.${tree.name}(${args(tree.args, tree.options)})`
    case 'property': return `${expression(tree.on)}.${tree.name}`
    case 'construct': return `new ${named(tree.name)}(${args(tree.args, tree.options)})`
    case 'thrown': return tree.value
    case 'coroutine': return `${tree.name}()`
    case 'class': return named(tree.name)
    case 'callback': return tree.name
    case 'await': return `yield* ${expression(tree.of)}`
    case 'clock': return `loop.time() + ${tree.plus}`
    case 'support': return `${tree.name}(${tree.args.map(expression).join(', ')})`
    case 'thunk': return `() => ${expression(tree.of)}`
    case 'atLeast': return `${tree.name} >= ${tree.value}`
    case 'plusOne': return `${tree.name} + 1`
  }
}

const logged = (label: string, value: Expression): string => `log(${mayFail(value) ? `at('${label}')` : `'${label}'`}, ${expression(value)})`

function scopeHead(statement: Statement & { type: 'scope' }): string {
  const value = expression(statement.value)
  switch (statement.kind) {
    case 'timeout': case 'timeoutAt': return `yield* ${statement.kind}(${value}, function* (scope) {`
    case 'taskGroup': return 'yield* taskGroup(function* (scope) {'
    case 'with': return `yield* ${value}.with(function* (${statement.as === 'index' ? 'index' : ''}) {`
  }
}

/** JavaScript's one catch clause, with the checks of Python's `except` clauses; what none of them takes is thrown on. */
function test(handler: Handler): string | null {
  if (handler.error === 'BaseException') return null
  if (handler.error === 'Exception') return '!(error instanceof CancelledError)'
  if (handler.error === 'Nothing') return '!(error instanceof Error)'
  return `error instanceof ${named(handler.error)}`
}

class Writer {
  readonly lines: string[] = []
  readonly #guards: Map<Statement, string[]>

  constructor(guards: Map<Statement, string[]>) {
    this.#guards = guards
  }

  block(body: Statement[], indent: string): void {
    for (const statement of body) {
      const guards = this.#guards.get(statement) ?? []
      if (guards.length > 0) {
        this.lines.push(`${indent}if (${guards.map((name) => `${name} !== null`).join(' && ')}) {`)
        this.#statement(statement, `${indent}  `)
        this.lines.push(`${indent}}`)
      } else {
        this.#statement(statement, indent)
      }
    }
  }

  #statement(statement: Statement, indent: string): void {
    const put = (line: string): unknown => this.lines.push(indent + line)
    const deeper = `${indent}  `
    const { label } = statement
    switch (statement.type) {
      case 'do': put(logged(label, statement.value)); break
      case 'assign':
        if (mayFail(statement.value)) put(`at('${label}')`)
        put(`${statement.name} = ${expression(statement.value)}`)
        put(`log('${label}', ${statement.name})`)
        break
      case 'scope':
        put(`at('${label}')`)
        put(scopeHead(statement))
        if (statement.as !== null && statement.as !== 'index') put(`  ${statement.as} = scope`)
        put(`  log('${label} in', ${statement.as === 'index' ? 'index' : 'null'})`)
        this.block(statement.body, deeper)
        put('})')
        put(`log('${label} out', null)`)
        break
      case 'try': this.#try(statement, indent); break
      case 'repeat':
        put(`for (let i = 0; i < ${statement.times}; i++) {`)
        this.block(statement.body, deeper)
        put('}')
        break
      case 'each':
        put(`at('${label}')`)
        put(statement.async ? `yield* asyncFor(${expression(statement.value)}, function* (upcoming) {` : `for (const upcoming of ${expression(statement.value)}) {`)
        this.block(statement.body, deeper)
        put(statement.async ? '})' : '}')
        put(`log('${label} out', null)`)
        break
      case 'generate': this.#generate(statement, indent); break
      case 'if':
        put(`if (look('${label}', ${expression(statement.test)})) {`)
        this.block(statement.body, deeper)
        if (statement.otherwise.length > 0) {
          put('} else {')
          this.block(statement.otherwise, deeper)
        }
        put('}')
        break
      case 'return': put(`log('${label} return', null)`); put(`return ${expression(statement.value)}`); break
      case 'raise': put(`log('${label} raise', null)`); put(`throw ${expression(statement.error)}`); break
    }
  }

  #generate({ label, parts, last, body, leaves }: Statement & { type: 'generate' }, indent: string): void {
    const put = (line: string): unknown => this.lines.push(indent + line)
    put('{')
    put('const generator = function* () {')
    put('  try {')
    put(`    log('${label} starts', null)`)
    parts.forEach((part, at) => {
      this.block(part, `${indent}    `)
      put(`    yield ${at}`)
    })
    put('  } finally {')
    put(`    log('${label} closes', null)`)
    this.block(last, `${indent}    `)
    put('  }')
    put('}')
    put(`at('${label}')`)
    put('yield* asyncFor(generator(), function* (item) {')
    put(`  log('${label} item', item)`)
    this.block(body, `${indent}  `)
    if (leaves) put('  return item')
    put('})')
    put('}')
    put(`log('${label} out', null)`)
  }

  #try(statement: Statement & { type: 'try' }, indent: string): void {
    const put = (line: string): unknown => this.lines.push(indent + line)
    const { handlers, last } = statement
    put('try {')
    this.block(statement.body, `${indent}  `)
    if (handlers.length === 1 && handlers[0]?.error === 'Exception') {
      put('} catch (error) {')
      put('  rethrowCancelled(error)')
      this.#handled(handlers[0], `${indent}  `)
    } else if (handlers.length > 0) {
      put('} catch (error) {')
      let open = ''
      for (const handler of handlers) {
        const asks = test(handler)
        put(`  ${open}${asks === null ? (open === '' ? '{' : '{') : `if (${asks}) {`}`)
        this.#handled(handler, `${indent}    `)
        open = '} else '
        if (asks === null) break
      }
      put(handlers.some((handler) => test(handler) === null) ? '  }' : '  } else throw error')
    }
    if (last !== null) {
      put('} finally {')
      put(`  log('${statement.label} finally', null)`)
      this.block(last, `${indent}  `)
    }
    put('}')
  }

  #handled(handler: Handler, indent: string): void {
    this.lines.push(`${indent}log('${handler.label}', error)`)
    this.block(handler.body, indent)
    if (handler.reraise) this.lines.push(`${indent}throw error`)
  }
}

/** Writes the whole program; `start`, `log` and the like are names from support.ts. */
export function toTypeScript(program: Program): string {
  const out = new Writer(guardsOf(program))
  out.lines.push(`let ${['loop', 'mainTask', ...program.variables.map(({ name, initial }) => initial === null ? `${name} = null` : name)].join(', ')}`)
  for (const { name, body } of program.callbacks) {
    out.lines.push(`function ${name}(...args) {`, `  log('${name}', args)`)
    out.block(body, '  ')
    out.lines.push('}')
  }
  const [main, ...others] = program.coroutines
  for (const { name, body } of others) {
    out.lines.push(`function* ${name}() {`)
    out.block(body, '  ')
    out.lines.push('}')
  }
  out.lines.push('function* main() {', '  [loop, mainTask] = start()')
  for (const { name, initial } of program.variables) if (initial !== null) out.lines.push(`  ${name} = ${expression(initial)}`)
  out.block(main?.body ?? [], '  ')
  out.lines.push('}')
  return out.lines.join('\n') + '\n'
}
