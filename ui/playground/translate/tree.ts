// The syntax tree of a Python program, as ../python/tree.py writes it: nodes have the names and fields of Python's own `ast`.

export interface At {
  line: number
  column: number
  endLine: number
}

interface Node<Type extends string> extends At {
  type: Type
}

export type BinaryOperator = 'Add' | 'Sub' | 'Mult' | 'Div' | 'FloorDiv' | 'Mod' | 'Pow' | 'LShift' | 'RShift' | 'BitOr' | 'BitXor' | 'BitAnd' | 'MatMult'
export type Comparison = 'Eq' | 'NotEq' | 'Lt' | 'LtE' | 'Gt' | 'GtE' | 'Is' | 'IsNot' | 'In' | 'NotIn'

export interface Keyword extends At { arg: string | null; value: Expression }
export interface Comprehension { target: Expression; iter: Expression; ifs: Expression[]; is_async: number }
export interface Argument extends At { arg: string; annotation: Expression | null }
export interface Arguments {
  posonlyargs: Argument[]
  args: Argument[]
  vararg: Argument | null
  kwonlyargs: Argument[]
  kw_defaults: (Expression | null)[]
  kwarg: Argument | null
  defaults: Expression[]
}

export interface Constant extends Node<'Constant'> { kind: string; value: string | boolean | null }
export interface Name extends Node<'Name'> { id: string }
export interface Attribute extends Node<'Attribute'> { value: Expression; attr: string }
export interface Subscript extends Node<'Subscript'> { value: Expression; slice: Expression }
export interface Slice extends Node<'Slice'> { lower: Expression | null; upper: Expression | null; step: Expression | null }
export interface Call extends Node<'Call'> {
  func: Expression
  args: Expression[]
  keywords: Keyword[]
  /** Whether it is a test of `match`, which is left out where the type says that it is true. */
  isPattern?: true
}
export interface BinOp extends Node<'BinOp'> { left: Expression; op: BinaryOperator; right: Expression }
export interface BoolOp extends Node<'BoolOp'> { op: 'And' | 'Or'; values: Expression[] }
export interface UnaryOp extends Node<'UnaryOp'> { op: 'Not' | 'USub' | 'UAdd' | 'Invert'; operand: Expression }
export interface Compare extends Node<'Compare'> {
  left: Expression
  ops: Comparison[]
  comparators: Expression[]
  /** As in a call. */
  isPattern?: true
}
export interface IfExp extends Node<'IfExp'> { test: Expression; body: Expression; orelse: Expression }
export interface Lambda extends Node<'Lambda'> { args: Arguments; body: Expression }
export interface Sequence extends Node<'List' | 'Tuple' | 'Set'> { elts: Expression[] }
export interface Dict extends Node<'Dict'> { keys: (Expression | null)[]; values: Expression[] }
export interface ListComp extends Node<'ListComp' | 'SetComp' | 'GeneratorExp'> { elt: Expression; generators: Comprehension[] }
export interface DictComp extends Node<'DictComp'> { key: Expression; value: Expression; generators: Comprehension[] }
export interface JoinedStr extends Node<'JoinedStr'> { values: Expression[] }
export interface FormattedValue extends Node<'FormattedValue'> { value: Expression; conversion: number; format_spec: JoinedStr | null }
export interface Await extends Node<'Await'> { value: Expression }
export interface Yield extends Node<'Yield'> { value: Expression | null }
export interface YieldFrom extends Node<'YieldFrom'> { value: Expression }
export interface Starred extends Node<'Starred'> { value: Expression }
export interface NamedExpr extends Node<'NamedExpr'> { target: Name; value: Expression }

export type Expression =
  | Constant | Name | Attribute | Subscript | Slice | Call | BinOp | BoolOp | UnaryOp | Compare | IfExp | Lambda | Sequence
  | Dict | ListComp | DictComp | JoinedStr | FormattedValue | Await | Yield | YieldFrom | Starred | NamedExpr

export interface FunctionDef extends Node<'FunctionDef' | 'AsyncFunctionDef'> {
  name: string
  args: Arguments
  body: Statement[]
  decorator_list: Expression[]
  returns: Expression | null
}
export interface ClassDef extends Node<'ClassDef'> {
  name: string
  bases: Expression[]
  keywords: Keyword[]
  body: Statement[]
  decorator_list: Expression[]
}
export interface Return extends Node<'Return'> { value: Expression | null }
export interface Assign extends Node<'Assign'> { targets: Expression[]; value: Expression }
export interface AugAssign extends Node<'AugAssign'> { target: Expression; op: BinaryOperator; value: Expression }
export interface AnnAssign extends Node<'AnnAssign'> { target: Expression; annotation: Expression; value: Expression | null }
export interface For extends Node<'For' | 'AsyncFor'> { target: Expression; iter: Expression; body: Statement[]; orelse: Statement[] }
export interface While extends Node<'While'> { test: Expression; body: Statement[]; orelse: Statement[] }
export interface If extends Node<'If'> { test: Expression; body: Statement[]; orelse: Statement[] }
export interface WithItem { context_expr: Expression; optional_vars: Expression | null }
export interface With extends Node<'With' | 'AsyncWith'> { items: WithItem[]; body: Statement[] }
export interface Raise extends Node<'Raise'> { exc: Expression | null; cause: Expression | null }
export interface Handler extends At { type: 'ExceptHandler'; of: Expression | null; name: string | null; body: Statement[] }
export interface Try extends Node<'Try' | 'TryStar'> { body: Statement[]; handlers: Handler[]; orelse: Statement[]; finalbody: Statement[] }
export interface Assert extends Node<'Assert'> { test: Expression; msg: Expression | null }
export interface Delete extends Node<'Delete'> { targets: Expression[] }
export interface Import extends Node<'Import'> { names: Alias[] }
export interface ImportFrom extends Node<'ImportFrom'> { module: string | null; names: Alias[] }
export interface Alias extends At { name: string; asname: string | null }
export interface Scoped extends Node<'Global' | 'Nonlocal'> { names: string[] }
export interface ExpressionStatement extends Node<'Expr'> { value: Expression }
export interface Plain extends Node<'Pass' | 'Break' | 'Continue'> { readonly plain?: true }
export interface Match extends Node<'Match'> {
  subject: Expression
  cases: { pattern: Pattern; guard: Expression | null; body: Statement[] }[]
  /** What of it is not translated. */
  problem?: { at: At; message: string }
}
export interface MatchValue extends Node<'MatchValue'> { value: Expression }
export interface MatchSingleton extends Node<'MatchSingleton'> { value: boolean | null }
export interface MatchSequence extends Node<'MatchSequence'> { patterns: Pattern[] }
export interface MatchMapping extends Node<'MatchMapping'> { keys: Expression[]; patterns: Pattern[]; rest: string | null }
export interface MatchClass extends Node<'MatchClass'> { cls: Expression; patterns: Pattern[]; kwd_attrs: string[]; kwd_patterns: Pattern[] }
export interface MatchStar extends Node<'MatchStar'> { name: string | null }
export interface MatchAs extends Node<'MatchAs'> { pattern: Pattern | null; name: string | null }
export interface MatchOr extends Node<'MatchOr'> { patterns: Pattern[] }

export type Pattern = MatchValue | MatchSingleton | MatchSequence | MatchMapping | MatchClass | MatchStar | MatchAs | MatchOr

/** Statements that are not translated at all. */
export interface Other extends Node<'TypeAlias'> { readonly other?: true }

export type Statement =
  | FunctionDef | ClassDef | Return | Assign | AugAssign | AnnAssign | For | While | If | With | Raise | Try | Assert | Delete
  | Import | ImportFrom | Scoped | ExpressionStatement | Plain | Match | Other

export interface Comment {
  line: number
  text: string
  /** Whether nothing else is on its line. */
  alone: boolean
}

export interface Module {
  type: 'Module'
  body: Statement[]
  comments: Comment[]
}

/** The blocks of statements in a statement, functions and classes left out. */
export function blocksOf(statement: Statement): Statement[][] {
  switch (statement.type) {
    case 'For': case 'AsyncFor': case 'While': case 'If': return [statement.body, statement.orelse]
    case 'With': case 'AsyncWith': return [statement.body]
    case 'Try': case 'TryStar': return [statement.body, ...statement.handlers.map(({ body }) => body), statement.orelse, statement.finalbody]
    default: return []
  }
}

/** All statements of a block and the blocks in it, functions and classes left out. */
export function* everyStatement(body: readonly Statement[]): Generator<Statement> {
  for (const statement of body) {
    yield statement
    for (const block of blocksOf(statement)) yield* everyStatement(block)
  }
}

/** The expressions that are directly in a node, those of its blocks left out. */
export function expressionsOf(node: Statement | Expression | Handler): Expression[] {
  const found: Expression[] = []
  const collect = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(collect)
    else if (typeof value === 'object' && value !== null) {
      if (isExpression(value)) found.push(value)
      else if (!('body' in value)) Object.values(value).forEach(collect)
    }
  }
  for (const [field, value] of Object.entries(node)) {
    if (!['body', 'orelse', 'finalbody', 'handlers'].includes(field) || isExpression(value as object)) collect(value)
  }
  return found
}

/** All expressions in an expression, itself included. */
export function* everyExpression(expression: Expression): Generator<Expression> {
  yield expression
  for (const inner of expressionsOf(expression)) yield* everyExpression(inner)
}

/** All expressions in the statements of a block, functions and classes left out. */
export function* expressionsIn(body: readonly Statement[]): Generator<Expression> {
  for (const statement of everyStatement(body)) for (const expression of expressionsOf(statement)) yield* everyExpression(expression)
}

/** Whether an expression has a part of this type. */
export function contains(expression: Expression, type: Expression['type']): boolean {
  for (const inner of everyExpression(expression)) if (inner.type === type) return true
  return false
}

export function isNone(node: Expression): boolean {
  return node.type === 'Constant' && node.kind === 'none'
}

/** `__name__ == '__main__'` */
export function isMainGuard(test: Expression): boolean {
  return test.type === 'Compare' && test.left.type === 'Name' && test.left.id === '__name__'
}

export function isDocstring(statement: Statement): boolean {
  return statement.type === 'Expr' && statement.value.type === 'Constant' && statement.value.kind === 'str'
}

/** The place of a node, for one that is made instead of it. */
export function at({ line, column, endLine }: At): At {
  return { line, column, endLine }
}

/** A string instead of a part of `node`. */
export function literal(node: At, value: string): Constant {
  return { ...at(node), type: 'Constant', kind: 'str', value }
}

/** A value in an f-string: its `str`, or with '!r' its `repr`. */
export function formattedValue(node: At, value: Expression, spec: string | null = null, conversion: '' | '!r' | '!s' = ''): FormattedValue {
  return { ...at(node), type: 'FormattedValue', value, conversion: { '': -1, '!r': 114, '!s': 115 }[conversion], format_spec: spec === null ? null : joined(node, [literal(node, spec)]) }
}

export function joined(node: At, values: Expression[]): JoinedStr {
  return { ...at(node), type: 'JoinedStr', values }
}

const EXPRESSIONS = new Set([
  'Constant', 'Name', 'Attribute', 'Subscript', 'Slice', 'Call', 'BinOp', 'BoolOp', 'UnaryOp', 'Compare', 'IfExp', 'Lambda', 'List', 'Tuple', 'Set',
  'Dict', 'ListComp', 'SetComp', 'GeneratorExp', 'DictComp', 'JoinedStr', 'FormattedValue', 'Await', 'Yield', 'YieldFrom', 'Starred', 'NamedExpr',
])

function isExpression(value: object | null): value is Expression {
  return typeof value === 'object' && value !== null && 'type' in value && EXPRESSIONS.has(value.type as string)
}
