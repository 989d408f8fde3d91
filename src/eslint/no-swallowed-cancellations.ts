// The rule `no-swallowed-cancellations`: JavaScript's `catch` also takes a CancelledError, so a `catch` around a `yield*` that
// neither throws it again nor calls `uncancel()` leaves a task running that was cancelled.
import type { Rule, SourceCode } from 'eslint'
import type { CatchClause, Expression, ImportDeclaration, Node, Statement, TryStatement } from 'estree'
import { coroutineTypesOf } from './coroutine-types.ts'
import { unwrap, walk } from './positions.ts'

const messages = {
  swallowed:
    'This `catch` also takes the CancelledError of a cancelled task, which then runs on. ' +
    'Begin it with `rethrowCancelled({{error}})`; if the task is to run on, call `currentTask()?.uncancel()`.',
  rethrow: 'Begin with `rethrowCancelled({{error}})`',
}

/** What a condition is for a CancelledError: `null` if the syntax does not show it. */
type Known = boolean | null

export const noSwallowedCancellations: Rule.RuleModule = {
  meta: {
    type: 'problem',
    docs: { description: 'Require a `catch` around `yield*` to let cancellations through' },
    messages,
    hasSuggestions: true,
    schema: [],
  },

  create(context) {
    const source = context.sourceCode
    const types = coroutineTypesOf(context)

    function awaits(node: Node): boolean {
      let found = false
      walk(node, source, (at) => {
        if (at.type === 'YieldExpression' && at.delegate && at.argument != null && types.isAlwaysAwaitable(at.argument)) found = true
      })
      return found
    }

    return {
      TryStatement(node: TryStatement) {
        const { handler, block } = node
        if (handler == null || !awaits(block) || letsThrough(handler, source)) return
        const error = handler.param?.type === 'Identifier' ? handler.param.name : 'error'
        const canMend = handler.param == null || handler.param.type === 'Identifier'
        context.report({
          loc: { start: handler.loc!.start, end: source.getTokenBefore(handler.body)!.loc.end },
          messageId: 'swallowed',
          data: { error },
          suggest: canMend ? [{ messageId: 'rethrow', data: { error }, fix: (fixer) => rethrowing(handler, error, source, fixer) }] : [],
        })
      },
    }
  },
}

/** Whether a CancelledError that the clause catches may leave it, or the clause handles it explicitly. */
function letsThrough(handler: CatchClause, source: SourceCode): boolean {
  return handler.body.body.some((statement) => mayThrow(statement, source)) || handsOn(handler, source)
}

function mayThrow(statement: Statement, source: SourceCode): boolean {
  switch (statement.type) {
    case 'ThrowStatement':
      return true
    case 'BlockStatement':
      return statement.body.some((inner) => mayThrow(inner, source))
    case 'IfStatement': {
      const known = forCancellation(statement.test)
      const otherwise = statement.alternate != null && mayThrow(statement.alternate, source)
      if (known === true) return mayThrow(statement.consequent, source) || handles(statement.consequent, source)
      if (known === false) return otherwise
      return handles(statement.test, source) || mayThrow(statement.consequent, source) || otherwise
    }
    default:
      return handles(statement, source)
  }
}

/** Whether the code throws (in a loop, a `switch` …), or names what is for cancellations: `rethrowCancelled`, `uncancel`, `CancelledError`. */
function handles(node: Node, source: SourceCode): boolean {
  let found = false
  walk(node, source, (at) => {
    if (at.type === 'ThrowStatement') found = true
    if (at.type === 'Identifier' && ['rethrowCancelled', 'uncancel', 'CancelledError', 'cancelled', 'cancelling'].includes(at.name)) found = true
    if (at.type === 'Literal' && at.value === 'CancelledError') found = true
  })
  return found
}

/** Whether the caught error is kept in a variable or passed to what ends something with it. */
function handsOn({ param, body }: CatchClause, source: SourceCode): boolean {
  if (param?.type !== 'Identifier') return false
  let found = false
  walk(body, source, (at) => {
    const isError = (node: Node): boolean => node.type === 'Identifier' && node.name === param.name
    if (at.type === 'AssignmentExpression') {
      const kept = unwrap(at.right)
      const parts = kept.type === 'ObjectExpression' ? kept.properties.map((property) => property.type === 'Property' ? property.value : property) : [kept]
      if (parts.some(isError)) found = true
    }
    if (at.type === 'CallExpression' && at.arguments.some((argument) => isError(argument))) {
      const callee = unwrap(at.callee as Node)
      const name = callee.type === 'MemberExpression' ? callee.property : callee
      if (name.type === 'Identifier' && ['setException', 'reject', 'exit'].includes(name.name)) found = true
    }
  })
  return found
}

/** The value of a condition if the caught error is a CancelledError. */
function forCancellation(test: Expression | Node): Known {
  const node = unwrap(test as Node)
  if (node.type === 'UnaryExpression' && node.operator === '!') {
    const known = forCancellation(node.argument)
    return known === null ? null : !known
  }
  if (node.type === 'LogicalExpression' && node.operator !== '??') {
    const decisive = node.operator === '||'
    const sides = [forCancellation(node.left), forCancellation(node.right)]
    if (sides.includes(decisive)) return decisive
    return sides.includes(null) ? null : !decisive
  }
  if (node.type === 'BinaryExpression' && node.operator === 'instanceof' && node.right.type === 'Identifier') {
    return ['CancelledError', 'Error', 'Object'].includes(node.right.name)
  }
  return null
}

/** Write `rethrowCancelled(error)` as the first line of the clause, and import it. */
function rethrowing(handler: CatchClause, error: string, source: SourceCode, fixer: Rule.RuleFixer): Rule.Fix[] {
  const { body, param } = handler
  const first = body.body[0]
  const line = first === undefined || first.loc!.start.line === body.loc!.start.line
    ? ` rethrowCancelled(${error})${first === undefined ? ' ' : ';'}`
    : `\n${' '.repeat(first.loc!.start.column)}rethrowCancelled(${error})`
  return [
    ...importing('rethrowCancelled', source, fixer),
    ...(param == null ? [fixer.insertTextBefore(body, `(${error}) `)] : []),
    fixer.insertTextAfter(source.getFirstToken(body)!, line),
  ]
}

function importing(name: string, source: SourceCode, fixer: Rule.RuleFixer): Rule.Fix[] {
  const imports = source.ast.body.filter((node): node is ImportDeclaration => node.type === 'ImportDeclaration')
  const names = imports.flatMap(({ specifiers }) => specifiers.map(({ local }) => local.name))
  if (names.includes(name)) return []
  const named = imports.find(({ source: from, specifiers }) => /^loopscope(\/browser)?$/.test(String(from.value)) && specifiers.some(({ type }) => type === 'ImportSpecifier'))
  const last = named?.specifiers.at(-1)
  if (last !== undefined) return [fixer.insertTextAfter(last, `, ${name}`)]
  return [fixer.insertTextBeforeRange([0, 0], `import { ${name} } from 'loopscope'\n`)]
}
