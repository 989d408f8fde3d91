// The rule `no-misused-coroutines`: a coroutine where its result is meant. As a condition it is always true, in a text it is
// `[object Generator]`, and what is made for promises (`Promise.all`, `.then`) passes it on without running it.
import type { Rule } from 'eslint'
import type { ArrowFunctionExpression, CallExpression, Expression, Node, Super } from 'estree'
import { coroutineTypesOf } from './coroutine-types.ts'
import { awaiting, isCall, isFunction, isInsideGenerator, nameOf, parentOf, unwrap } from './positions.ts'

const messages = {
  condition:
    'A coroutine is always true: this tests the coroutine itself, and never its result. Test `yield* {{call}}`.',
  predicate:
    '`{{method}}` takes the coroutine for its answer, and a coroutine is always true. ' +
    'Loop with `for` and `if (yield* {{call}})`, or await all answers first: `yield* gather(…)`.',
  text:
    '`{{call}}` is only a coroutine: what is printed is the generator, and none of its body runs. Write `yield* {{call}}`.',
  promises:
    '`Promise.{{method}}` waits for promises only: it hands coroutines back, and none of them runs. ' +
    'In a coroutine write `yield* gather([…])`; elsewhere give it tasks, `createTask(…)`.',
  then:
    'A promise does not run the coroutine that its callback returns. ' +
    'In a coroutine write `const value = yield* fromPromise(promise)`; elsewhere return a task, `createTask({{call}})`.',
  async:
    'An async function does not run the coroutine that it returns: its caller gets the coroutine. ' +
    'Write `function*` instead of `async`, or return a task, `createTask({{call}})`.',
  iterated:
    '`{{call}}` is a coroutine: a loop or a spread over it gets its suspensions, and no values. ' +
    'Iterate over its result, `yield* {{call}}`; for items that come one by one use `asyncFor`.',
  promise:
    '`yield*` cannot await a promise. Write `yield* fromPromise({{call}})`.',
  awaitIt: 'Await it: `yield* {{call}}`',
  wrapIt: 'Wrap the promise: `yield* fromPromise({{call}})`',
}

const PREDICATES = new Set(['filter', 'some', 'every', 'find', 'findIndex', 'findLast', 'findLastIndex'])
const OF_PROMISE = new Set(['all', 'allSettled', 'race', 'any', 'resolve'])
const CALLBACKS_OF_PROMISES = new Set(['then', 'catch', 'finally'])
const SHOWS_TEXT = new Set(['print', 'String', 'Number', 'Boolean'])

export const noMisusedCoroutines: Rule.RuleModule = {
  meta: {
    type: 'problem',
    docs: { description: 'Disallow coroutines where their results are meant: conditions, texts, predicates, promises' },
    messages,
    hasSuggestions: true,
    schema: [],
  },

  create(context) {
    const source = context.sourceCode
    const types = coroutineTypesOf(context)

    function report(node: Node, messageId: keyof typeof messages, data: Record<string, string> = {}, canAwait = true): void {
      const call = nameOf(node, source)
      const suggest: Rule.SuggestionReportDescriptor[] = canAwait && isInsideGenerator(node)
        ? [{ messageId: 'awaitIt', data: { call }, fix: (fixer) => awaiting(node, fixer) }]
        : []
      context.report({ node, messageId, data: { call, ...data }, suggest })
    }

    function checkTest(test: Node | null | undefined): void {
      if (test == null) return
      const inner = unwrap(test)
      if (inner.type === 'LogicalExpression') return // its sides are checked by themselves
      if (types.isAlwaysCoroutine(inner)) report(inner, 'condition')
    }

    function checkText(node: Node): void {
      if (types.isAlwaysCoroutine(node)) report(node, 'text')
    }

    /** The callback of a predicate or of a promise, if it returns a coroutine. */
    function checkCallback(fn: Node, messageId: 'predicate' | 'then', method: string): void {
      if (types.kindOfResult(fn) === 'other') return
      if (messageId === 'predicate' && types.isExpectedToReturnCoroutine(fn)) return // a `filter` of another kind, which awaits
      const made = fn.type === 'ArrowFunctionExpression' && fn.body.type !== 'BlockStatement' ? fn.body : null
      const call = made !== null ? nameOf(made, source) : isFunction(fn) ? '…' : `${nameOf(fn, source)}(…)`
      context.report({ node: made ?? fn, messageId, data: { call, method } })
    }

    function checkCall(node: CallExpression): void {
      const callee = unwrap(node.callee as Node)
      const first = node.arguments[0]
      if (callee.type === 'Identifier' && SHOWS_TEXT.has(callee.name)) node.arguments.forEach(checkText)
      const member = memberOf(callee)
      if (member === null || first === undefined) return
      const { object, name } = member
      if (isNamed(object, 'console') || (isNamed(object, 'JSON') && name === 'stringify')) node.arguments.forEach(checkText)
      else if (isNamed(object, 'Promise') && OF_PROMISE.has(name)) {
        if (types.kindOfItems(first) === 'coroutine' || types.kindOf(first) === 'coroutine') report(first, 'promises', { method: name }, false)
      } else if (PREDICATES.has(name) && node.arguments.length <= 2) checkCallback(first, 'predicate', name)
      else if (CALLBACKS_OF_PROMISES.has(name) && hasThen(object)) for (const fn of node.arguments) checkCallback(fn, 'then', name)
    }

    function hasThen(object: Expression | Super): boolean {
      return object.type !== 'Super' && (types.isPromise(object) || types.isAlwaysAwaitable(object))
    }

    function checkReturned(fn: Node, value: Node | null | undefined): void {
      const parent = parentOf(fn)
      if (parent !== null && isCall(parent)) return // what it is given to may run the coroutine, as a server does
      if (value != null && isCall(unwrap(value)) && types.isAlwaysCoroutine(unwrap(value))) report(value, 'async', {}, false)
    }

    return {
      IfStatement: ({ test }) => checkTest(test),
      WhileStatement: ({ test }) => checkTest(test),
      DoWhileStatement: ({ test }) => checkTest(test),
      ForStatement: ({ test }) => checkTest(test),
      ConditionalExpression: ({ test }) => checkTest(test),
      UnaryExpression: ({ operator, argument }) => { if (operator === '!') checkTest(argument) },
      LogicalExpression(node) {
        if (parentOf(node)?.type !== 'ExpressionStatement') checkTest(node.left) // in a statement, it is dropped
        const parent = parentOf(node)
        const isTest = parent !== null && 'test' in parent && parent.test === node
        if (isTest) checkTest(node.right)
      },
      TemplateLiteral(node) {
        if (parentOf(node)?.type !== 'TaggedTemplateExpression') node.expressions.forEach(checkText)
      },
      BinaryExpression({ operator, left, right }) {
        if (operator === '+') [left, right].forEach(checkText)
      },
      CallExpression: checkCall,
      SpreadElement: ({ argument }) => { if (types.isAlwaysCoroutine(argument)) report(argument, 'iterated') },
      ForOfStatement: ({ right }) => { if (types.isAlwaysCoroutine(right)) report(right, 'iterated') },
      YieldExpression(node) {
        if (!node.delegate || node.argument == null || !isInsideGenerator(node) || !types.isPromise(node.argument)) return
        const { argument } = node
        const call = nameOf(argument, source)
        context.report({
          node: argument, messageId: 'promise', data: { call },
          suggest: [{ messageId: 'wrapIt', data: { call }, fix: (fixer) => [fixer.insertTextBefore(argument, 'fromPromise('), fixer.insertTextAfter(argument, ')')] }],
        })
      },
      'ArrowFunctionExpression[async=true][expression=true]': (fn: ArrowFunctionExpression) => checkReturned(fn, fn.body),
      ReturnStatement(node) {
        let at: Node | null = parentOf(node)
        while (at !== null && !isFunction(at)) at = parentOf(at)
        if (at?.async === true && !at.generator) checkReturned(at, node.argument)
      },
    }
  },
}

function memberOf(callee: Node): { object: Expression | Super; name: string } | null {
  if (callee.type !== 'MemberExpression' || callee.computed || callee.property.type !== 'Identifier') return null
  return { object: callee.object, name: callee.property.name }
}

function isNamed(node: Node, name: string): boolean {
  return node.type === 'Identifier' && node.name === name
}
