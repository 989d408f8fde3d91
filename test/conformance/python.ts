// Writes a program's tree as Python for CPython's asyncio. It has the same meaning as typescript.ts, statement by statement.
import { everyStatement, guardsOf, mayFail } from './tree.ts'
import type { Expression, Handler, Options, Program, Routine, Statement } from './tree.ts'

const BUILTIN = new Set(['RuntimeError', 'ValueError', 'TimeoutError', 'TypeError', 'Exception', 'BaseException', 'ExceptionGroup', 'Boom', 'Nothing'])

export const snake = (name: string): string => name.replace(/(?<=[a-z])[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

const named = (name: string): string => {
  if (BUILTIN.has(name)) return name
  if (name === 'copyContext' || name === 'ContextVar') return `contextvars.${name === 'copyContext' ? 'copy_context' : name}`
  return `asyncio.${/^[A-Z]/.test(name) ? name : snake(name)}`
}

const options = (given: Options): string[] => Object.entries(given).map(([name, value]) => `${snake(name)}=${expression(value)}`)

function args(positional: Expression[], given: Options): string {
  return [...positional.map(expression), ...options(given)].join(', ')
}

function expression(tree: Expression): string {
  switch (tree.type) {
    case 'literal':
      if (tree.value === null) return 'None'
      if (typeof tree.value === 'boolean') return tree.value ? 'True' : 'False'
      return typeof tree.value === 'string' ? `'${tree.value}'` : String(tree.value)
    case 'bytes': return `b${JSON.stringify(tree.text)}`
    case 'variable': return snake(tree.name)
    case 'list': return `[${tree.items.map(expression).join(', ')}]`
    case 'tuple': return `(${tree.items.map(expression).join(', ')})`
    case 'call':
      // The one function that takes its awaitables one by one.
      if (tree.name === 'gather' && tree.args[0]?.type === 'list') return `asyncio.gather(${args(tree.args[0].items, tree.options)})`
      if (tree.name === 'gather' && tree.args[0] !== undefined) return `asyncio.gather(*${args(tree.args, tree.options)})`
      if (/^[A-Z]/.test(tree.name) || tree.name === 'eagerTaskFactory') return named(tree.name)
      return `${named(tree.name)}(${args(tree.args, tree.options)})`
    case 'method': return `${expression(tree.on)}.${snake(tree.name)}(${args(tree.args, tree.options)})`
    case 'property': return `${expression(tree.on)}.${snake(tree.name)}`
    case 'construct': return `${named(tree.name)}(${args(tree.args, tree.options)})`
    case 'thrown': return `Nothing("${tree.value}")`
    case 'coroutine': return `${tree.name}()`
    case 'class': return named(tree.name)
    case 'callback': return tree.name
    case 'await': return `await ${expression(tree.of)}`
    case 'clock': return `loop.time() + ${tree.plus}`
    case 'support': return `${tree.name}(${tree.args.map(expression).join(', ')})`
    case 'thunk': return `lambda: ${expression(tree.of)}`
    case 'atLeast': return `${tree.name} >= ${tree.value}`
    case 'plusOne': return `${tree.name} + 1`
  }
}

const logged = (label: string, value: Expression): string => `log(${mayFail(value) ? `at('${label}')` : `'${label}'`}, ${expression(value)})`

function scopeHead(statement: Statement & { type: 'scope' }): string {
  const value = expression(statement.value)
  switch (statement.kind) {
    case 'timeout': return `asyncio.timeout(${value}) as ${statement.as}`
    case 'timeoutAt': return `asyncio.timeout_at(${value}) as ${statement.as}`
    case 'taskGroup': return `asyncio.TaskGroup() as ${statement.as}`
    case 'with': return statement.as === 'index' ? `${value} as index` : value
  }
}

class Writer {
  readonly lines: string[] = []
  readonly #guards: Map<Statement, string[]>

  constructor(guards: Map<Statement, string[]>) {
    this.#guards = guards
  }

  block(body: Statement[], indent: string): void {
    if (body.length === 0) this.lines.push(`${indent}pass`)
    for (const statement of body) {
      const guards = this.#guards.get(statement) ?? []
      if (guards.length > 0) {
        this.lines.push(`${indent}if ${guards.map((name) => `${snake(name)} is not None`).join(' and ')}:`)
        this.#statement(statement, `${indent}    `)
      } else {
        this.#statement(statement, indent)
      }
    }
  }

  #statement(statement: Statement, indent: string): void {
    const put = (line: string): unknown => this.lines.push(indent + line)
    const deeper = `${indent}    `
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
        put(`async with ${scopeHead(statement)}:`)
        put(`    log('${label} in', ${statement.as === 'index' ? 'index' : 'None'})`)
        if (statement.body.length > 0) this.block(statement.body, deeper)
        put(`log('${label} out', None)`)
        break
      case 'try':
        put('try:')
        this.block(statement.body, deeper)
        for (const handler of statement.handlers) this.#handler(handler, indent)
        if (statement.last !== null) {
          put('finally:')
          put(`    log('${label} finally', None)`)
          this.block(statement.last, deeper)
        }
        break
      case 'repeat': put(`for _ in range(${statement.times}):`); this.block(statement.body, deeper); break
      case 'each':
        put(`at('${label}')`)
        put(`${statement.async ? 'async ' : ''}for upcoming in ${expression(statement.value)}:`)
        this.block(statement.body, deeper)
        put(`log('${label} out', None)`)
        break
      case 'generate': this.#generate(statement, indent); break
      case 'if':
        put(`if look('${label}', ${expression(statement.test)}):`)
        this.block(statement.body, deeper)
        if (statement.otherwise.length > 0) {
          put('else:')
          this.block(statement.otherwise, deeper)
        }
        break
      case 'return': put(`log('${label} return', None)`); put(`return ${expression(statement.value)}`); break
      case 'raise': put(`log('${label} raise', None)`); put(`raise ${expression(statement.error)}`); break
    }
  }

  #generate({ label, parts, last, body, leaves }: Statement & { type: 'generate' }, indent: string): void {
    const put = (line: string): unknown => this.lines.push(indent + line)
    const names = assigned([...parts.flat(), ...last])
    put('async def generator():')
    if (names.length > 0) put(`    global ${names.join(', ')}`)
    put('    try:')
    put(`        log('${label} starts', None)`)
    parts.forEach((part, at) => {
      if (part.length > 0) this.block(part, `${indent}        `)
      put(`        yield ${at}`)
    })
    put('    finally:')
    put(`        log('${label} closes', None)`)
    if (last.length > 0) this.block(last, `${indent}        `)
    put(`at('${label}')`)
    put('async with contextlib.aclosing(generator()) as items:')
    put('    async for item in items:')
    put(`        log('${label} item', item)`)
    if (body.length > 0) this.block(body, `${indent}        `)
    if (leaves) put('        break')
    put(`log('${label} out', None)`)
  }

  #handler(handler: Handler, indent: string): void {
    this.lines.push(`${indent}except ${named(handler.error)} as error:`, `${indent}    log('${handler.label}', error)`)
    if (handler.body.length > 0) this.block(handler.body, `${indent}    `)
    if (handler.reraise) this.lines.push(`${indent}    raise`)
  }
}

function assigned(body: Statement[]): string[] {
  const names = new Set<string>()
  for (const statement of everyStatement(body)) {
    if (statement.type === 'assign') names.add(statement.name)
    if (statement.type === 'scope' && statement.as !== null && statement.as !== 'index') names.add(statement.as)
  }
  return [...names]
}

/** Writes the whole program as a Python module; `start`, `log` and the like are globals of oracle.py. */
export function toPython(program: Program): string {
  const out = new Writer(guardsOf(program))
  out.lines.push('import contextlib')
  out.lines.push(`${['loop', 'main_task', ...program.variables.map(({ name }) => name)].join(' = ')} = None`)
  const routine = ({ body }: Routine, head: string, before: string[], globals: string[]): void => {
    out.lines.push(head)
    const all = [...new Set([...globals, ...assigned(body)])]
    if (all.length > 0) out.lines.push(`    global ${all.join(', ')}`)
    out.lines.push(...before.map((line) => `    ${line}`))
    if (body.length > 0 || before.length === 0) out.block(body, '    ')
  }
  for (const callback of program.callbacks) {
    routine(callback, `def ${callback.name}(*args):`, [`log('${callback.name}', args)`], [])
  }
  const [main, ...others] = program.coroutines
  for (const coroutine of others) routine(coroutine, `async def ${coroutine.name}():`, [], [])
  const held = program.variables.filter(({ initial }) => initial !== null)
  const before = ['loop, main_task = start()', ...held.map(({ name, initial }) => `${name} = ${expression(initial as Expression)}`)]
  if (main !== undefined) routine(main, 'async def main():', before, ['loop', 'main_task', ...held.map(({ name }) => name)])
  return out.lines.join('\n') + '\n'
}
