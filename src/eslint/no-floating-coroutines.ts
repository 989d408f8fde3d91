// The rule `no-floating-coroutines`: a coroutine that is made and then neither awaited nor started does nothing at all. The
// rule reports where a coroutine is thrown away, and where `yield` or `await` is written instead of `yield*`.
import type { Rule, Scope } from 'eslint'
import type { CallExpression, NewExpression, Node } from 'estree'
import { coroutineTypesOf } from './coroutine-types.ts'
import {
  assignedTo, awaiting, calls, discarded, enclosingFunction, isCall, isFunction, isInsideGenerator, isLocalVariable, nameOf,
} from './positions.ts'

const messages = {
  dropped:
    '`{{call}}` only makes a coroutine; dropped here, none of its body ever runs. ' +
    'Await it with `yield* {{call}}`, or start it beside this one with `createTask({{call}})`.',
  droppedOutside:
    '`{{call}}` only makes a coroutine; dropped here, none of its body ever runs. ' +
    'Await it with `yield* {{call}}` in a coroutine, which this is not (write `function*`), or start it with `createTask({{call}})`.',
  unused:
    '`{{name}}` is never read, so the coroutine that `{{call}}` made never runs. ' +
    'Await it with `yield* {{call}}`, or start it with `createTask({{call}})`.',
  droppedArray:
    '`{{call}}` makes an array of coroutines; dropped here, none of them ever runs. ' +
    'Await them together with `yield* gather(…)`, or start each with `createTask`.',
  unusedArray:
    '`{{name}}` is never read, so none of the coroutines that `{{call}}` made ever runs. ' +
    'Await them together with `yield* gather(…)`, or start each with `createTask`.',
  yielded:
    '`yield {{call}}` does not await: the star in `yield* {{call}}` is what runs a coroutine and gives its result. ' +
    'To go on without its result, start it with `createTask({{call}})`.',
  yieldedFuture:
    '`yield {{call}}` does not await: the star in `yield* {{call}}` is what waits for a task or a future and gives its result.',
  awaited:
    '`await {{call}}` runs nothing: a coroutine is no promise, and `await` hands it back as it is. ' +
    'In a coroutine write `yield* {{call}}`; in an async function await a task, `createTask({{call}})`, or a whole loop, `run({{call}})`.',
  callback:
    'The result of this callback is dropped, so the coroutine that `{{call}}` made never runs. ' +
    'Loop with `for` and `yield* {{call}}`, or start a task in it: `createTask({{call}})`.',
  coroutineFunction:
    'A coroutine function as a plain callback: its caller drops the coroutine, so none of its body ever runs. ' +
    'Loop with `for` and `yield* {{call}}`, or pass a function that starts a task: `createTask({{call}})`.',
  awaitIt: 'Await it: `yield* {{call}}`',
}

/** They call a function for its effect, though their types let it return anything. */
const callForEffect = new Set(['callSoon', 'callLater', 'callAt', 'callSoonThreadsafe', 'addDoneCallback'])

export const noFloatingCoroutines: Rule.RuleModule = {
  meta: {
    type: 'problem',
    docs: { description: 'Require every coroutine to be awaited with `yield*` or given to something that runs it' },
    messages,
    fixable: 'code',
    hasSuggestions: true,
    schema: [],
  },

  create(context) {
    const source = context.sourceCode
    const types = coroutineTypesOf(context)

    function report(node: Node, messageId: keyof typeof messages, data: Record<string, string> = {}): void {
      const call = nameOf(node, source)
      context.report({ node, messageId, data: { call, ...data }, suggest: suggestAwaiting(node, call) })
    }

    function suggestAwaiting(node: Node, call: string): Rule.SuggestionReportDescriptor[] {
      if (!isInsideGenerator(node) || types.isNullable(node)) return []
      return [{ messageId: 'awaitIt', data: { call }, fix: (fixer) => awaiting(node, fixer) }]
    }

    function checkDropped(value: Node): void {
      for (const node of discarded(value)) {
        if (node.type === 'AwaitExpression' && types.kindOf(node.argument) === 'coroutine') continue // reported separately
        if (makesArray(node)) context.report({ node, messageId: 'droppedArray', data: { call: nameOf(node, source) } })
        const kind = types.kindOf(node)
        if (kind === 'other' || (kind === 'idle' && !isCall(node))) continue
        report(node, isInsideGenerator(node) ? 'dropped' : 'droppedOutside')
      }
    }

    /** Whether the expression makes an array of coroutines here, as `items.map(work)` does. */
    function makesArray(node: Node): boolean {
      return (isCall(node) || node.type === 'ArrayExpression') && types.kindOfItems(node) === 'coroutine'
    }

    function checkUnused(variable: Scope.Variable): void {
      if (!isLocalVariable(variable) || variable.references.some((reference) => reference.isRead())) return
      const values = variable.references.flatMap((reference) => assignedTo(reference) ?? [])
      for (const node of values.flatMap(discarded)) {
        if (makesArray(node)) context.report({ node, messageId: 'unusedArray', data: { name: variable.name, call: nameOf(node, source) } })
        if (isCall(node) && types.kindOf(node) !== 'other') report(node, 'unused', { name: variable.name })
      }
    }

    function checkCallback(fn: Node): void {
      if (!types.isExpectedToReturnNothing(fn) && !calls(fn, callForEffect)) return
      if (types.kindOfResult(fn) === 'other') return
      const made = fn.type === 'ArrowFunctionExpression' && fn.body.type !== 'BlockStatement'
        ? discarded(fn.body).find((node) => types.kindOf(node) !== 'other')
        : undefined
      if (made !== undefined) report(made, 'callback')
      else context.report({ node: fn, messageId: 'coroutineFunction', data: { call: isFunction(fn) ? '…' : `${nameOf(fn, source)}(…)` } })
    }

    function checkArguments(node: CallExpression | NewExpression): void {
      for (const argument of node.arguments) {
        if (argument.type === 'Identifier' || argument.type === 'MemberExpression') checkCallback(argument)
      }
    }

    return {
      ExpressionStatement: (node) => checkDropped(node.expression),
      SequenceExpression: (node) => node.expressions.slice(0, -1).forEach(checkDropped),
      ForStatement(node) {
        if (node.init != null && node.init.type !== 'VariableDeclaration') checkDropped(node.init)
        if (node.update != null) checkDropped(node.update)
      },

      AwaitExpression(node) {
        if (types.kindOf(node.argument) !== 'coroutine') return
        context.report({ node, messageId: 'awaited', data: { call: nameOf(node.argument, source) } })
      },
      YieldExpression(node) {
        if (node.delegate || node.argument == null) return
        const isCoroutine = types.kindOf(node.argument) === 'coroutine'
        if (!isCoroutine && !types.isAlwaysAwaitable(node.argument)) return
        const generator = enclosingFunction(node)
        if (generator !== null && types.isDeclaredToYieldAwaitables(generator)) return
        if (!isCoroutine && (generator === null || types.kindOfResult(generator) !== 'coroutine')) return // it generates tasks
        const call = nameOf(node.argument, source)
        const addStar = (fixer: Rule.RuleFixer): Rule.Fix => fixer.insertTextAfter(source.getFirstToken(node)!, '*')
        // Nothing else can be meant, so it is mended without a question. Without its star the line throws, or is a type error.
        const mended = !isInsideGenerator(node) ? {} : types.isAlwaysAwaitable(node.argument)
          ? { fix: addStar }
          : { suggest: [{ messageId: 'awaitIt', data: { call }, fix: addStar }] }
        context.report({ node, messageId: isCoroutine ? 'yielded' : 'yieldedFuture', data: { call }, ...mended })
      },

      ArrowFunctionExpression: checkCallback,
      FunctionExpression: checkCallback,
      CallExpression: checkArguments,
      NewExpression: checkArguments,

      'Program:exit': () => source.scopeManager.scopes.flatMap((scope) => scope.variables).forEach(checkUnused),
    }
  },
}
