// The rule `no-blocking-calls`: a synchronous function of Node's in a coroutine blocks the loop, and with it every other task.
import type { Rule, Scope } from 'eslint'
import type { CallExpression, Node } from 'estree'
import { isSyncFunction, SYNC_MODULES } from '../sync-functions.ts'
import { coroutineTypesOf } from './coroutine-types.ts'
import { enclosingFunction, parentOf, unwrap } from './positions.ts'

const messages = {
  blocking:
    '`{{name}}` blocks the event loop: no other task runs until it returns. ' +
    'Await the asynchronous one with `yield* fromPromise(…)`, or call it on another thread: `yield* toThread(fn)`.',
}

export const noBlockingCalls: Rule.RuleModule = {
  meta: {
    type: 'problem',
    docs: { description: 'Disallow synchronous functions of Node, and `Atomics.wait`, in coroutines' },
    messages,
    schema: [{
      type: 'object',
      properties: { allow: { type: 'array', items: { type: 'string' }, uniqueItems: true, description: 'Names that may be called: fs.existsSync' } },
      additionalProperties: false,
    }],
    defaultOptions: [{ allow: [] }],
  },

  create(context) {
    const source = context.sourceCode
    const types = coroutineTypesOf(context)
    const allowed = new Set((context.options[0] as { allow?: string[] } | undefined)?.allow)

    /** Functions inside of a coroutine count as its code: the callbacks of `map` and of events run on the loop, too. */
    function isInCoroutine(node: Node): boolean {
      for (let fn = enclosingFunction(node); fn !== null; fn = enclosingFunction(fn)) {
        if (fn.generator === true && fn.async !== true && types.kindOfResult(fn) !== 'other') return true
      }
      return false
    }

    function variableOf(identifier: Node): Scope.Variable | null {
      if (identifier.type !== 'Identifier') return null
      for (let scope: Scope.Scope | null = source.getScope(identifier); scope !== null; scope = scope.upper) {
        const variable = scope.set.get(identifier.name)
        if (variable !== undefined) return variable
      }
      return null
    }

    /** What an expression is: `fs` for the module, `fs.readFileSync` for a function of it; null for anything else. */
    function originOf(node: Node): string | null {
      const inner = unwrap(node)
      if (inner.type === 'MemberExpression') {
        const object = originOf(inner.object as Node)
        if (object === null) return null
        if (!inner.computed && inner.property.type === 'Identifier') return inner.property.name === 'default' ? object : `${object}.${inner.property.name}`
        return null
      }
      if (inner.type === 'CallExpression') return requiredBy(inner)
      const variable = variableOf(inner)
      if (variable === null || variable.defs.length === 0) return inner.type === 'Identifier' && inner.name === 'Atomics' ? 'Atomics' : null
      const [definition] = variable.defs
      if (definition?.type === 'ImportBinding') {
        const module = moduleName(definition.parent.source.value)
        if (module === null) return null
        const { node: specifier } = definition
        if (specifier.type !== 'ImportSpecifier') return module
        const imported = specifier.imported.type === 'Identifier' ? specifier.imported.name : String(specifier.imported.value)
        return imported === 'default' ? module : `${module}.${imported}`
      }
      if (definition?.type !== 'Variable' || definition.node.init == null) return null
      const module = requiredBy(definition.node.init)
      if (module === null || definition.node.id.type === 'Identifier') return module
      const property = parentOf(definition.name)
      return property?.type === 'Property' && property.key.type === 'Identifier' ? `${module}.${property.key.name}` : null
    }

    return {
      CallExpression(node) {
        const name = originOf(node.callee as Node)
        if (name === null || allowed.has(name)) return
        const [of, method = ''] = name.split('.') as [string, string?]
        const blocks = of === 'Atomics' ? method === 'wait' : isSyncFunction(method)
        if (blocks && isInCoroutine(node)) context.report({ node: node.callee, messageId: 'blocking', data: { name } })
      },
    }
  },
}

/** `require('node:fs')` is `fs`. */
function requiredBy(node: Node): string | null {
  const inner = unwrap(node)
  if (inner.type !== 'CallExpression' || inner.callee.type !== 'Identifier' || inner.callee.name !== 'require') return null
  const [module] = (inner as CallExpression).arguments
  return module?.type === 'Literal' ? moduleName(module.value) : null
}

function moduleName(from: unknown): string | null {
  const name = String(from).replace(/^node:/, '')
  return (SYNC_MODULES as readonly string[]).includes(name) ? name : null
}
