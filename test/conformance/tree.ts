// The program as a tree, in neither language. Names are asyncio's in camelCase; python.ts and typescript.ts write the
// same tree out as text. Every variable is global, so that tasks and callbacks act on the same few objects.

export type Options = Record<string, Expression>

export type Expression =
  | { type: 'literal'; value: null | boolean | number | string }
  | { type: 'bytes'; text: string }
  | { type: 'variable'; name: string }
  | { type: 'list'; items: Expression[] }
  | { type: 'tuple'; items: Expression[] }
  /** A function of asyncio: `sleep(1)`. */
  | { type: 'call'; name: string; args: Expression[]; options: Options }
  | { type: 'method'; on: Expression; name: string; args: Expression[]; options: Options }
  | { type: 'property'; on: Expression; name: string }
  /** An object of asyncio, or an error: `new Queue(2)`. */
  | { type: 'construct'; name: string; args: Expression[]; options: Options }
  /** A coroutine of the program, called: `c1()`. */
  | { type: 'coroutine'; name: string }
  /** What JavaScript can throw and Python cannot: `throw null`. Python throws a `Nothing` that is logged as the same. */
  | { type: 'thrown'; value: Bare }
  /** A class, named: `Boom`. */
  | { type: 'class'; name: string }
  /** A callback of the program, named: `cb1`. */
  | { type: 'callback'; name: string }
  | { type: 'await'; of: Expression }
  /** `loop.time() + plus`. */
  | { type: 'clock'; plus: number }
  /** A function of support.ts and oracle.py that makes a value ready to be logged. */
  | { type: 'support'; name: string; args: Expression[] }
  | { type: 'thunk'; of: Expression }
  | { type: 'atLeast'; name: string; value: number }
  | { type: 'plusOne'; name: string }

/** Thrown values, as JavaScript writes them, that a careless check does not treat as errors. */
export const BARE = ['undefined', 'null', '0', "''"] as const
export type Bare = (typeof BARE)[number]

export type ScopeKind = 'timeout' | 'timeoutAt' | 'taskGroup' | 'with'

export interface Handler {
  label: string
  error: string
  body: Statement[]
  reraise: boolean
}

export type Statement =
  /** Logs the value; for an awaited one, also when the wait began. */
  | { type: 'do'; label: string; value: Expression }
  | { type: 'assign'; label: string; name: string; value: Expression }
  | { type: 'scope'; label: string; kind: ScopeKind; value: Expression; as: string | null; body: Statement[] }
  | { type: 'try'; label: string; body: Statement[]; handlers: Handler[]; last: Statement[] | null }
  | { type: 'repeat'; label: string; times: number; body: Statement[] }
  /** Iterates over `asCompleted`, asynchronously or not; in the body each awaitable is called `upcoming`. */
  | { type: 'each'; label: string; async: boolean; value: Expression; body: Statement[] }
  /**
   * An asynchronous generator that yields an item after each of its parts, and runs `last` at its end; and a loop over it, which
   * ends after the first item if `leaves`.
   */
  | { type: 'generate'; label: string; parts: Statement[][]; last: Statement[]; body: Statement[]; leaves: boolean }
  | { type: 'if'; label: string; test: Expression; body: Statement[]; otherwise: Statement[] }
  | { type: 'return'; label: string; value: Expression }
  | { type: 'raise'; label: string; error: Expression }

export interface Variable {
  name: string
  /** A class of asyncio, or `counter`. */
  kind: string
  /** Its initial content; without one it is empty until a statement fills it, and guarded. */
  initial: Expression | null
  /**
   * For awaitables: only functions with a lower level may await it, so awaits never form a cycle (in CPython a cancel along
   * a cycle of awaits is an endless recursion).
   */
  level: number
}

export interface Routine {
  name: string
  body: Statement[]
}

export interface Program {
  variables: Variable[]
  /** The first is main. */
  coroutines: Routine[]
  callbacks: Routine[]
}

export const literal = (value: null | boolean | number | string): Expression => ({ type: 'literal', value })
export const bytes = (text: string): Expression => ({ type: 'bytes', text })
export const variable = (name: string): Expression => ({ type: 'variable', name })
export const list = (items: Expression[]): Expression => ({ type: 'list', items })
export const call = (name: string, args: Expression[] = [], options: Options = {}): Expression =>
  ({ type: 'call', name, args, options })
export const method = (on: string | Expression, name: string, args: Expression[] = [], options: Options = {}): Expression =>
  ({ type: 'method', on: typeof on === 'string' ? variable(on) : on, name, args, options })
export const property = (on: string, name: string): Expression => ({ type: 'property', on: variable(on), name })
export const construct = (name: string, args: Expression[] = [], options: Options = {}): Expression =>
  ({ type: 'construct', name, args, options })
export const awaiting = (of: Expression): Expression => ({ type: 'await', of })
export const support = (name: string, ...args: Expression[]): Expression => ({ type: 'support', name, args })
export const LOOP = variable('loop')

/** Names that support.ts and oracle.py give every program. */
export const GIVEN = new Set(['loop', 'mainTask', 'upcoming', 'error'])

/** The expressions directly inside one. */
export function inside(expression: Expression): Expression[] {
  switch (expression.type) {
    case 'list': case 'tuple': return expression.items
    case 'call': case 'construct': return [...expression.args, ...Object.values(expression.options)]
    case 'method': return [expression.on, ...expression.args, ...Object.values(expression.options)]
    case 'property': return [expression.on]
    case 'await': case 'thunk': return [expression.of]
    case 'support': return expression.args
    default: return []
  }
}

/** The expressions that a statement itself evaluates, without those of the statements in it. */
export function expressionsOf(statement: Statement): Expression[] {
  switch (statement.type) {
    case 'do': case 'assign': case 'scope': case 'each': case 'return': return [statement.value]
    case 'if': return [statement.test]
    case 'raise': return [statement.error]
    default: return []
  }
}

/** The blocks of statements inside a statement. */
export function blocksOf(statement: Statement): Statement[][] {
  switch (statement.type) {
    case 'scope': case 'repeat': case 'each': return [statement.body]
    case 'generate': return [...statement.parts, statement.last, statement.body]
    case 'if': return [statement.body, statement.otherwise]
    case 'try': return [statement.body, ...statement.handlers.map((handler) => handler.body), ...(statement.last ? [statement.last] : [])]
    default: return []
  }
}

export function* everyExpression(expression: Expression): Generator<Expression> {
  yield expression
  for (const inner of inside(expression)) yield* everyExpression(inner)
}

export function* everyStatement(block: readonly Statement[]): Generator<Statement> {
  for (const statement of block) {
    yield statement
    for (const inner of blocksOf(statement)) yield* everyStatement(inner)
  }
}

export function* statementsOf(program: Program): Generator<Statement> {
  for (const routine of [...program.coroutines, ...program.callbacks]) yield* everyStatement(routine.body)
}

/** For each statement the variables it reads that may still be empty there: it is written under a guard that skips it if one of them is. */
export function guardsOf(program: Program): Map<Statement, string[]> {
  const guards = new Map<Statement, string[]>()
  const empty = program.variables.filter(({ initial }) => initial === null).map(({ name }) => name)
  const block = (body: readonly Statement[], before: ReadonlySet<string>): void => {
    const filled = new Set(before)
    for (const statement of body) {
      const needed = new Set<string>()
      for (const expression of expressionsOf(statement).flatMap((one) => [...everyExpression(one)])) {
        if (expression.type === 'variable' && empty.includes(expression.name) && !filled.has(expression.name)) needed.add(expression.name)
      }
      guards.set(statement, [...needed])
      const inner = new Set([...filled, ...needed, ...(statement.type === 'scope' && statement.as !== null ? [statement.as] : [])])
      for (const nested of blocksOf(statement)) block(nested, inner)
      if (statement.type === 'assign' && needed.size === 0) filled.add(statement.name)
    }
  }
  for (const routine of [...program.coroutines, ...program.callbacks]) block(routine.body, new Set())
  return guards
}

/** Methods that throw if their object is in the wrong state. */
const THROWING = new Set([
  'release', 'taskDone', 'setResult', 'setException', 'result', 'exception', 'putNowait', 'getNowait', 'reset', 'notify', 'notifyAll',
  'reschedule', 'createTask', 'run', 'feedData',
])

/** Whether evaluating this may suspend or throw, so that the trace must show that it began. */
export function mayFail(expression: Expression): boolean {
  if (expression.type === 'await') return true
  if (expression.type === 'method' && THROWING.has(expression.name)) return true
  if (expression.type === 'construct' && expression.args.length > 0) return true
  return expression.type !== 'thunk' && inside(expression).some(mayFail)
}
