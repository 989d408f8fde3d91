// Where a value goes, read from the syntax alone: what is thrown away with an expression, what surrounds a node, and how a
// message names a call.
import type { Rule, Scope, SourceCode } from 'eslint'
import type { Function as AnyFunction, Node } from 'estree'

const WRAPPERS = new Set<string>([
  'ChainExpression', 'TSAsExpression', 'TSNonNullExpression', 'TSSatisfiesExpression', 'TSTypeAssertion',
])

/** The expression inside `x!`, `x as T` and the like. */
export function unwrap(node: Node): Node {
  while (WRAPPERS.has(node.type)) node = (node as unknown as { expression: Node }).expression
  return node
}

export function parentOf(node: Node): Node | null {
  return (node as Node & { parent: Node | null }).parent
}

export function isCall(node: Node): boolean {
  return node.type === 'CallExpression' || node.type === 'NewExpression'
}

export function isFunction(node: Node): node is AnyFunction {
  return node.type === 'FunctionDeclaration' || node.type === 'FunctionExpression' || node.type === 'ArrowFunctionExpression'
}

/** The expressions whose values are lost when the value of `node` is thrown away, in source order. */
export function discarded(node: Node): Node[] {
  const inner = unwrap(node)
  switch (inner.type) {
    case 'LogicalExpression':
      // The left side was tested: a use of a variable that may be empty, but never of the coroutine a call made.
      return [...discarded(inner.left).filter(isCall), ...discarded(inner.right)]
    case 'ConditionalExpression':
      return [...discarded(inner.consequent), ...discarded(inner.alternate)]
    case 'SequenceExpression':
      return discarded(inner.expressions.at(-1)!) // those before it are thrown away wherever the sequence is
    case 'AssignmentExpression':
      return []
    default:
      return [inner] // `void f()` too: its value is undefined, and it shows that the drop is intended
  }
}

/** Calls `visit` with each node of the same function, those of functions in it excepted. */
export function walk(node: Node, source: SourceCode, visit: (node: Node) => void): void {
  visit(node)
  for (const key of source.visitorKeys[node.type] ?? []) {
    for (const child of [(node as unknown as Record<string, Node | null | (Node | null)[]>)[key]].flat()) {
      if (child != null && !isFunction(child)) walk(child, source, visit)
    }
  }
}

/** The function in whose body `node` runs; null at a module's top level, in a class's static block or a field. */
export function enclosingFunction(node: Node): AnyFunction | null {
  for (let at = parentOf(node); at !== null; at = parentOf(at)) {
    if (at.type === 'StaticBlock' || at.type === 'PropertyDefinition') return null
    if (isFunction(at)) return at
  }
  return null
}

/** Whether a `yield*` can be written in place of `node`, and would await. */
export function isInsideGenerator(node: Node): boolean {
  const fn = enclosingFunction(node)
  return fn?.generator === true && fn.async !== true
}

/** Parents that take `yield* x` without parentheses: their operands are whole assignment expressions. */
const TAKES_ANY = new Set<string>([
  'ExpressionStatement', 'SequenceExpression', 'ConditionalExpression', 'VariableDeclarator', 'AssignmentExpression', 'ForStatement', 'ForOfStatement',
  'IfStatement', 'WhileStatement', 'DoWhileStatement', 'ReturnStatement', 'CallExpression', 'NewExpression', 'ArrayExpression', 'SpreadElement', 'TemplateLiteral',
])

/** Write `yield*` before an expression, in parentheses where its place needs them. */
export function awaiting(node: Node, fixer: Rule.RuleFixer): Rule.Fix[] {
  const parent = parentOf(node)
  const isOperand = parent !== null && (('callee' in parent && parent.callee === node) || (parent.type === 'ConditionalExpression' && parent.test === node))
  if (TAKES_ANY.has(parent?.type ?? '') && !isOperand) return [fixer.insertTextBefore(node, 'yield* ')]
  return [fixer.insertTextBefore(node, '(yield* '), fixer.insertTextAfter(node, ')')]
}

/** Whether `node` is an argument in a call of one of these names, as a function or as a method. */
export function calls(node: Node, names: Set<string>): boolean {
  const parent = parentOf(node)
  if (parent?.type !== 'CallExpression' || parent.callee === node) return false
  const callee = unwrap(parent.callee)
  const name = callee.type === 'MemberExpression' ? callee.property : callee
  return name.type === 'Identifier' && names.has(name.name)
}

/** A variable with only known uses: not exported, not a parameter, not a script's global. */
export function isLocalVariable(variable: Scope.Variable): boolean {
  if (variable.scope.type === 'global' || variable.defs.length === 0) return false
  return variable.defs.every(({ type, parent }) => type === 'Variable' && parentOf(parent)?.type !== 'ExportNamedDeclaration')
}

/** What a declaration or a statement `x = value` assigns to the variable. */
export function assignedTo({ identifier }: Scope.Reference): Node | null {
  const parent = parentOf(identifier as Node)
  if (parent?.type === 'VariableDeclarator' && parent.id === identifier) return parent.init ?? null
  if (parent?.type !== 'AssignmentExpression' || parent.operator !== '=' || parent.left !== identifier) return null
  return parentOf(parent)?.type === 'ExpressionStatement' ? parent.right : null
}

const LONGEST_NAME = 40

/** Names an expression for a message: `queue.put(…)`, `main()`. */
export function nameOf(node: Node, source: SourceCode): string {
  const inner = unwrap(node)
  if (inner.type !== 'CallExpression' && inner.type !== 'NewExpression') return shortText(inner, source) ?? '…'
  const made = inner.type === 'NewExpression' ? 'new ' : ''
  return `${made}${calleeName(unwrap(inner.callee), source)}${inner.arguments.length === 0 ? '()' : '(…)'}`
}

function calleeName(callee: Node, source: SourceCode): string {
  if (isFunction(callee)) return '(function* …)'
  const short = shortText(callee, source)
  if (short !== null) return short
  return callee.type === 'MemberExpression' && !callee.computed ? `….${source.getText(callee.property)}` : '…'
}

function shortText(node: Node, source: SourceCode): string | null {
  const text = source.getText(node)
  return text.length <= LONGEST_NAME && !text.includes('\n') ? text : null
}
